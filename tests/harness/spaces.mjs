/** Spaces as their owners and members see them: create, contribute, and wait for rounds. */

import { send } from './transactions.mjs';

/** What a space of these tests is where a story does not say otherwise. Its cadence is the shortest there is. */
const SPEC = {
  vocabulary: null,
  matrices: [],
  rule: 'MultiKrum',
  tolerated: 330_000,
  contributors: 'Anyone',
  capacity: 16,
  quorum: 2,
  leastWeight: 1,
  mostWeight: 1,
  cadence: 20,
};

/** How a validator failed, by its key. */
const failureOf = ({ data: { voter, failure } }) => [voter.toString(), failure.type];

export class Space {
  #network;

  constructor(network, id, spec) {
    this.#network = network;
    this.id = id;
    this.spec = spec;
  }

  /**
   * Creates a space and waits until its creation is finalised.
   *
   * @param {import('./network.mjs').Network} network
   * @param {import('@polkadot/keyring/types').KeyringPair} owner
   * @param {object} options rows, columns and anchors, and what differs from `SPEC`
   */
  static async create(network, owner, options) {
    const spec = { ...SPEC, ...options };
    const receipt = await send(network.api, network.api.tx.spaces.create(spec), owner, { until: 'finalized' });
    return new Space(network, receipt.event('spaces', 'SpaceCreated').data.space.toNumber(), spec);
  }

  /** What a task must say to have what wins it admitted; for a space without matrices. */
  get task() {
    const { rows, cols } = this.spec;
    return { content: { Tensor: { kind: 'I16', rows, cols } }, audience: 'Public', space: this.id };
  }

  /** Waits until a round has begun: its number, and the task by which it is voted on. */
  async opened(round) {
    const { task, entrants } = (await this.event('RoundOpened', round)).data;
    return { task: task.toNumber(), entrants: entrants.toNumber() };
  }

  /** Waits until a round has settled, and returns the id of what it results in. */
  async settled(round) {
    return (await this.event('RoundSettled', round)).data.content.toHex();
  }

  /** Waits until the report of a round was read: how many members it accepts and rejects. */
  async reported(round) {
    const { accepted, rejected } = (await this.event('Reported', round)).data;
    return { accepted: accepted.toNumber(), rejected: rejected.toNumber() };
  }

  /** The validators that failed in the vote by a task, with how, once it is closed. */
  async failures(task) {
    const isOf = (method) => (event) =>
      event.section === 'tasks' && event.method === method && event.data.task.toNumber() === task;
    await this.#network.chronicle.first(`tasks.VoteClosed of task ${task}`, isOf('VoteClosed'));
    return Object.fromEntries(this.#network.chronicle.all(isOf('VoterFailed')).map(failureOf));
  }

  /** Waits for a finalised event of a round of this space. */
  event(method, round) {
    return this.#network.chronicle.first(
      `spaces.${method} of round ${round} of space ${this.id}`,
      ({ section, method: name, data }) =>
        section === 'spaces' && name === method && data.space.toNumber() === this.id && data.round.toNumber() === round,
    );
  }

  /** What the runtime says of the space's members, in the order of their tasks. */
  members() {
    return this.#network.api.call.spacesApi.members(this.id);
  }

  /** What the space has settled on, if anything. */
  async state() {
    return (await this.#network.api.call.spacesApi.state(this.id)).unwrapOr(null);
  }
}
