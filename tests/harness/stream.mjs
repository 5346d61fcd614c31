/**
 * A steady stream of transfers by many accounts, each of which is to take effect exactly once, whatever becomes of the
 * transactions that are sent for it: what a client does who must not lose a payment.
 *
 * The n-th transfer of an account has nonce n, so that it cannot take effect twice however often it is signed and sent. It
 * is sent again with the same nonce when the chain's version is another one than it was signed for, because the chain
 * refuses it from then on, and when it has not arrived for long.
 */

import { History } from './history.mjs';
import { until } from './wait.mjs';

/** How many transfers an account sends beyond what is finalised of it. */
const AHEAD = 4;
/** Finalised heads without one of an account's transfers after which what it has sent is sent again. */
const PATIENCE = 10;

/** What a node says of a transaction that it has, or that a block has. */
const KNOWN = /already imported|outdated|stale/i;

export class Stream {
  #net;
  #call;
  #senders;
  #version;
  #history;
  #stop;
  #working = Promise.resolve();
  #isEnding = false;
  /** Account and nonce of every transaction that was sent, by its bytes in hexadecimal. */
  #sent = new Map();
  /** How many transactions were sent for a transfer for which another one had been sent before. */
  resent = 0;
  /** What nodes said of transactions that they did not take, by how often. */
  refusals = {};

  /**
   * @param {import('./network.mjs').Network} net
   * @param {import('@polkadot/keyring/types').KeyringPair[]} pairs accounts that send nothing else
   * @param {(number: number, nonce: number) => import('@polkadot/api/types').SubmittableExtrinsic<'promise'>} call
   *   what the account of this number sends with this nonce
   */
  constructor(net, pairs, call) {
    this.#net = net;
    this.#call = call;
    this.#senders = pairs.map((pair, number) => ({ pair, number, next: 0, arrived: 0, made: 0, waiting: 0 }));
  }

  /** Begins. */
  async start() {
    this.#history = new History(this.#net.api);
    this.#stop = await this.#net.api.rpc.chain.subscribeFinalizedHeads(({ number }) => {
      this.#working = this.#working.then(() => this.#work(number.toNumber()));
    });
    return this;
  }

  /** Begins nothing new, and waits until all that was begun is finalised. */
  async end(within = 180_000) {
    this.#isEnding = true;
    const isOver = () => this.#senders.every(({ arrived, made }) => arrived === made);
    await until('all transfers to be finalised', isOver, { within });
    this.#stop();
    await this.#working;
  }

  /** How many transfers were begun. */
  get transfers() {
    return this.#senders.reduce((sum, { made }) => sum + made, 0);
  }

  /** Looks at what has arrived, and sends what is next. An error of a connection counts as "not yet". */
  async #work(block) {
    try {
      await this.#read(block);
      await Promise.all(this.#senders.map((sender) => this.#send(sender)));
    } catch (error) {
      this.#count(error);
    }
  }

  async #read(block) {
    const { specVersion } = await this.#net.first.rpc('state_getRuntimeVersion');
    const isAnother = this.#version !== undefined && this.#version !== specVersion;
    this.#version = specVersion;
    const state = await this.#history.at(block);
    const accounts = await Promise.all(this.#senders.map(({ pair }) => state.read('system', 'account', pair.address)));
    for (const [number, sender] of this.#senders.entries()) {
      const arrived = accounts[number].nonce.toNumber();
      sender.waiting = arrived > sender.arrived || arrived === sender.made ? 0 : sender.waiting + 1;
      sender.arrived = arrived;
      if (isAnother || sender.waiting > PATIENCE) {
        sender.next = arrived;
        sender.waiting = 0;
      }
      sender.next = Math.max(sender.next, arrived);
    }
  }

  async #send(sender) {
    const node = this.#net.nodes[sender.number % this.#net.nodes.length];
    const last = this.#isEnding ? sender.made : sender.arrived + AHEAD;
    for (; sender.next < last; sender.next += 1) {
      const bytes = this.#sign(sender);
      if (!this.#sent.has(bytes)) {
        if (sender.next < sender.made) this.resent += 1;
        this.#sent.set(bytes, { number: sender.number, nonce: sender.next });
      }
      sender.made = Math.max(sender.made, sender.next + 1);
      try {
        await node.rpc('author_submitExtrinsic', bytes);
      } catch (error) {
        if (KNOWN.test(error.message)) continue;
        this.#count(error);
        return;
      }
    }
  }

  #sign({ pair, number, next }) {
    const { genesisHash, runtimeVersion } = this.#net.api;
    const { transactionVersion } = runtimeVersion;
    return this.#call(number, next)
      .sign(pair, {
        blockHash: genesisHash,
        genesisHash,
        nonce: next,
        runtimeVersion: { specVersion: this.#version, transactionVersion },
        tip: 0,
      })
      .toHex();
  }

  #count({ message }) {
    this.refusals[message] = (this.refusals[message] ?? 0) + 1;
  }

  /**
   * Where the transfers are in the finalised chain.
   *
   * @returns {Promise<{ blocks: Map<number, number>, lost: string[], twice: string[] }>} how many are in each block, and
   *   which are in none or in more than one, as `account/nonce`
   */
  async found() {
    const last = await this.#net.first.finalized();
    const places = new Map();
    const blocks = new Map();
    for (let number = 1; number <= last; number += 1) {
      const hash = await this.#net.first.rpc('chain_getBlockHash', number);
      const { block } = await this.#net.first.rpc('chain_getBlock', hash);
      const own = block.extrinsics.map((bytes) => this.#sent.get(bytes)).filter(Boolean);
      blocks.set(number, own.length);
      for (const { number: sender, nonce } of own) {
        const name = `${sender}/${nonce}`;
        places.set(name, [...(places.get(name) ?? []), number]);
      }
    }
    const names = this.#senders.flatMap(({ number, made }) =>
      Array.from({ length: made }, (_, nonce) => `${number}/${nonce}`),
    );
    return {
      blocks,
      lost: names.filter((name) => !places.has(name)),
      twice: names.filter((name) => places.get(name)?.length > 1),
    };
  }
}
