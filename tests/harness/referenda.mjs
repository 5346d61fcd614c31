/** Referenda as those see them who ask and vote. */

import { eachBlock } from './subnet.mjs';
import { blockReached, nameOf, send } from './transactions.mjs';
import { inTime } from './wait.mjs';

/** A referendum of which enough are in favour passes within this time, in milliseconds, where a day has ten blocks. */
const WITHIN = 240_000;

/** A vote for or against, with so much TUNE, in planck. */
export const standard = (aye, balance, conviction = 'Locked1x') => ({
  Standard: { vote: { aye, conviction }, balance },
});

export class Referendum {
  #api;

  /**
   * @param {import('@polkadot/api').ApiPromise} api
   * @param {{ index: number, track: number }} referendum
   */
  constructor(api, { index, track }) {
    this.#api = api;
    this.index = index;
    this.track = track;
  }

  /**
   * Notes a call's preimage, submits a referendum on it and places the deposit for its decision.
   *
   * @param {import('@polkadot/api').ApiPromise} api
   * @param {{ origin: object, call: import('@polkadot/api/types').SubmittableExtrinsic<'promise'>,
   *   by: import('@polkadot/keyring/types').KeyringPair }} proposal `origin`: `{ Origins: 'Parameters' }`,
   *   `{ system: 'Root' }`
   */
  static async propose(api, { origin, call, by }) {
    const referendum = await Referendum.submit(api, { origin, call, by });
    await send(api, api.tx.referenda.placeDecisionDeposit(referendum.index), by);
    return referendum;
  }

  /** The same without the deposit for its decision. */
  static async submit(api, { origin, call, by }) {
    await send(api, api.tx.preimage.notePreimage(call.method.toHex()), by);
    const proposal = { Lookup: { hash: call.method.hash, len: call.method.encodedLength } };
    const submitted = await send(api, api.tx.referenda.submit(origin, proposal, { After: 0 }), by);
    const { index, track } = submitted.event('referenda', 'Submitted').data;
    return new Referendum(api, { index: index.toNumber(), track: track.toNumber() });
  }

  /** What an account does by voting. */
  vote(vote) {
    return this.#api.tx.convictionVoting.vote(this.index, vote);
  }

  /** All of these vote the same. */
  async votes(voters, vote) {
    await Promise.all(voters.map((voter) => send(this.#api, this.vote(vote), voter)));
  }

  /** Where it stands: 'Ongoing', 'Approved', 'Rejected', 'Cancelled', 'TimedOut' or 'Killed'; and the record. */
  async info() {
    const info = (await this.#api.query.referenda.referendumInfoFor(this.index)).unwrap();
    return { is: info.type, record: info.value };
  }

  /** What was voted so far, in planck: ayes and nays by conviction, and what the ayes own. */
  async tally() {
    const { tally } = (await this.info()).record;
    return { ayes: tally.ayes.toBigInt(), nays: tally.nays.toBigInt(), support: tally.support.toBigInt() };
  }

  /**
   * Waits until it has passed and its call was dispatched.
   *
   * @returns {Promise<{ approved: number, enacted: number, error?: string }>} blocks, and the call's error if it failed
   */
  async enacted(within = WITHIN) {
    const approved = await inTime(
      `referendum ${this.index} to pass`,
      eachBlock(this.#api, () => this.#passed()),
      within,
    );
    const tracks = this.#api.consts.referenda.tracks;
    const [, { minEnactmentPeriod }] = tracks.find(([id]) => id.toNumber() === this.track);
    const enacted = approved + minEnactmentPeriod.toNumber();
    await blockReached(this.#api, enacted, within);
    const at = await this.#api.at(await this.#api.rpc.chain.getBlockHash(enacted));
    const events = (await at.query.system.events()).map(({ event }) => event);
    const dispatched = events.find((event) => this.#api.events.scheduler.Dispatched.is(event) && event.data.id.isSome);
    if (!dispatched) throw new Error(`block ${enacted} enacts nothing`);
    const { result } = dispatched.data;
    return { approved, enacted, error: result.isErr ? nameOf(this.#api, result.asErr) : undefined };
  }

  async #passed() {
    const { is, record } = await this.info();
    if (is === 'Approved') return record[0].toNumber();
    if (is !== 'Ongoing') throw new Error(`referendum ${this.index} is ${is}`);
    return undefined;
  }

  /** Returns both deposits of a referendum that is over. */
  async refund(by) {
    const { refundDecisionDeposit, refundSubmissionDeposit } = this.#api.tx.referenda;
    for (const refund of [refundDecisionDeposit, refundSubmissionDeposit])
      await send(this.#api, refund(this.index), by);
  }
}
