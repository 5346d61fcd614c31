/** Spaces as their owners and members see them: create, contribute, and wait for rounds. */

import { u8aToHex } from '@polkadot/util';

import { Task } from './tasks.mjs';
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

/** Most bytes of the manifest of a bundle: `MAX_MANIFEST_BYTES` in primitives/core. */
const MAX_MANIFEST_BYTES = 961;
/** How long a round may take to settle, and a report to be read: a round that is void is tried again. */
const WITHIN = 360_000;

/** How a validator failed, by its key. */
const failureOf = ({ data: { voter, failure } }) => [voter.toHex(), failure.type];

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

  /** What a task must say to have what wins it admitted. */
  get task() {
    const { rows, cols, matrices } = this.spec;
    const numbers = matrices.reduce((sum, matrix) => sum + matrix.rows * matrix.cols, rows * cols);
    const content =
      matrices.length === 0
        ? { Tensor: { kind: 'I16', rows, cols } }
        : { Bundle: { maxBytes: 2 * numbers + MAX_MANIFEST_BYTES } };
    return { content, audience: 'Public', space: this.id };
  }

  /**
   * Has accounts win a task of their own each, all at the same time, so that what they hand in is admitted. Some node
   * must hold it.
   *
   * @param {import('@polkadot/keyring/types').KeyringPair} owner creates the tasks
   * @param {[import('@polkadot/keyring/types').KeyringPair, import('./tensor.mjs').Tensor][]} parts
   * @param {object} [options] what differs from the defaults of tasks
   */
  async admit(owner, parts, options) {
    const ask = () => Task.create(this.#network, owner, { ...this.task, maxParticipants: 1, ...options });
    const tasks = await Promise.all(parts.map(ask));
    await Promise.all(tasks.map((task, at) => task.agree([parts[at]])));
    const outcomes = await Promise.all(tasks.map((task) => task.decided()));
    await Promise.all(tasks.map((task) => task.settled()));
    const isOne = ({ data }) => tasks.some((task) => task.id === data.task.toNumber());
    if (this.#all('MemberAdmitted').filter(isOne).length < tasks.length) {
      const refusals = this.#all('MemberRefused').filter(isOne);
      const reasons = [...refusals.map(({ data }) => data.refusal.type), ...outcomes.map((outcome) => outcome.void)];
      throw new Error(`space ${this.id} did not admit all: ${reasons.filter(Boolean).join(', ')}`);
    }
  }

  /** Waits until a round has begun: its number, and the task by which it is voted on. */
  async opened(round) {
    const { task, entrants } = (await this.#is('RoundOpened', of(round))).data;
    return { task: task.toNumber(), entrants: entrants.toNumber() };
  }

  /** Waits until a round, any if none is named, has settled: which it is, and the id of what it results in. */
  async settled(round) {
    const { round: settled, content } = (await this.#is('RoundSettled', of(round))).data;
    return { round: settled.toNumber(), content: content.toHex() };
  }

  /** Waits until the report of a round was read: how many members it accepts and rejects. */
  async reported(round) {
    const { accepted, rejected } = (await this.#is('Reported', of(round))).data;
    return { accepted: accepted.toNumber(), rejected: rejected.toNumber() };
  }

  /** The validators that failed in the vote by a task, with how, once it is closed. */
  async failures(task) {
    const isOf = (method) => (event) =>
      event.section === 'tasks' && event.method === method && event.data.task.toNumber() === task;
    await this.#network.chronicle.first(`tasks.VoteClosed of task ${task}`, isOf('VoteClosed'));
    return Object.fromEntries(this.#network.chronicle.all(isOf('VoterFailed')).map(failureOf));
  }

  /** Waits until a validator has committed to a result, or revealed one, in the vote by a task. */
  voted(method, task, { publicKey }) {
    const key = u8aToHex(publicKey);
    const isIt = ({ section, method: name, data }) =>
      section === 'tasks' && name === method && data.task.toNumber() === task && data.voter.toHex() === key;
    return this.#network.chronicle.first(`tasks.${method} of ${key} in task ${task}`, isIt);
  }

  /** Waits for a finalised event of this space for which `matches` is true. */
  #is(method, matches) {
    const isIt = (event) => this.#isMine(event, method) && matches(event);
    return this.#network.chronicle.first(`spaces.${method} of space ${this.id}`, isIt, WITHIN);
  }

  /** The events of this space in the finalised blocks so far. */
  #all(method) {
    return this.#network.chronicle.all((event) => this.#isMine(event, method));
  }

  #isMine({ section, method, data }, wanted) {
    return section === 'spaces' && method === wanted && data.space.toNumber() === this.id;
  }

  /** What the runtime says of the space's members, in the order of their tasks. */
  members() {
    return this.#network.api.call.spacesApi.members(this.id);
  }

  /**
   * What the last report found of each member that it names, by the id of its content: why it was rejected, if it was,
   * and how far it is from the result.
   *
   * @returns {Promise<Record<string, { rejection?: string, distance: bigint }>>}
   */
  async findings() {
    const reported = (await this.members()).filter(({ last }) => last.isSome);
    return Object.fromEntries(
      reported.map(({ content, last }) => {
        const [, { rejection, distance }] = last.unwrap();
        return [content.toHex(), { rejection: rejection.unwrapOr(undefined)?.type, distance: distance.toBigInt() }];
      }),
    );
  }

  /** What the space has settled on, if anything. */
  async state() {
    return (await this.#network.api.call.spacesApi.state(this.id)).unwrapOr(null);
  }
}

/** Whether an event is of this round; of any if none is named. */
const of = (round) => (event) => round === undefined || event.data.round.toNumber() === round;
