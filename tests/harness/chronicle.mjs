/** The events of all finalised blocks, in their order: what tests wait for and are sure of. */

import { History } from './history.mjs';
import { inTime } from './wait.mjs';

export class Chronicle {
  /** @type {{ block: number, event: import('@polkadot/types/interfaces').Event }[]} */
  #events = [];
  #waiting = new Set();
  #stop;
  /** Number of the last block whose events are here. */
  last = 0;

  /** Follows the chain from its first block on. */
  static async of(api) {
    const chronicle = new Chronicle();
    await chronicle.follow(api);
    return chronicle;
  }

  /** Follows the chain over this connection from now on, and reads on where it had come to. */
  async follow(api) {
    this.close();
    const history = new History(api);
    let reading = Promise.resolve();
    const readTo = async (last) => {
      for (let next = this.last + 1; next <= last; next += 1) await this.#read(history, next);
    };
    this.#stop = await api.rpc.chain.subscribeFinalizedHeads((header) => {
      reading = reading.then(() => readTo(header.number.toNumber())).catch((error) => this.#fail(error));
    });
  }

  async #read(history, number) {
    const records = await (await history.at(number)).read('system', 'events');
    this.#events.push(...records.map(({ event }) => ({ block: number, event })));
    this.last = number;
    for (const waiting of this.#waiting) waiting.look();
  }

  #fail(error) {
    for (const waiting of this.#waiting) waiting.fail(error);
  }

  /** The finalised events so far for which `matches` is true. */
  all(matches) {
    return this.#events.filter(({ event }) => matches(event)).map(({ event }) => event);
  }

  /** The number of the block that an event from here is of. */
  blockOf(event) {
    return this.#events.find((entry) => entry.event === event).block;
  }

  /** The events of the blocks after `first` up to `last`, all finalised, for which `matches` is true. */
  between(first, last, matches) {
    return this.#events
      .filter(({ block, event }) => block > first && block <= last && matches(event))
      .map(({ event }) => event);
  }

  /**
   * Waits for the first finalised event for which `matches` is true.
   *
   * @param {string} what
   * @param {(event: import('@polkadot/types/interfaces').Event) => boolean} matches
   * @param {number} [within] deadline in milliseconds
   */
  async first(what, matches, within = 180_000) {
    const waiting = {};
    const found = new Promise((resolve, reject) => {
      waiting.look = () => {
        const [event] = this.all(matches);
        if (event) resolve(event);
      };
      waiting.fail = reject;
    });
    this.#waiting.add(waiting);
    waiting.look();
    try {
      return await inTime(what, found, within);
    } finally {
      this.#waiting.delete(waiting);
    }
  }

  close() {
    this.#stop?.();
  }
}
