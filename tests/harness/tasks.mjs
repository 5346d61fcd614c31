/** Tasks as a participant sees them: create, commit, reveal, and wait for what time brings. */

import { randomBytes } from 'node:crypto';
import { blake2AsHex } from '@polkadot/util-crypto';
import { bnToU8a, hexToU8a, u8aConcat } from '@polkadot/util';

import { TUNE } from './accounts.mjs';
import { KINDS } from './tensor.mjs';
import { blockReached, send } from './transactions.mjs';

/** What a task of these tests is where a story does not say otherwise. Phases are in blocks, amounts in planck. */
export const DEFAULTS = {
  access: 'Open',
  weighting: 'Account',
  phases: { commit: 8, reveal: 5, attest: 12 },
  quorum: 1,
  maxParticipants: 3,
  audience: 'Public',
  space: null,
  terms: { base: 10n * TUNE, growth: 100_000, minorityShare: 500_000, bond: 5n * TUNE, minoritySlash: 400_000 },
};

/** Asks for one tensor of this kind and shape. */
export const tensorContent = ({ kind, rows, cols }) => ({ Tensor: { kind: KINDS[kind].name, rows, cols } });

/** The call that creates a task. */
export function createCall(api, options) {
  const { content, access, weighting, phases, quorum, maxParticipants, audience, space } = { ...DEFAULTS, ...options };
  const terms = { ...DEFAULTS.terms, ...options.terms };
  return api.tx.tasks.create(content, access, weighting, phases, quorum, maxParticipants, terms, audience, space);
}

/** What an account commits to: blake2b-256 over content id, account, task and salt. */
export function commitmentOf(contentId, account, task, salt) {
  const number = bnToU8a(task, { bitLength: 32, isLe: true });
  return blake2AsHex(u8aConcat(hexToU8a(contentId), account.publicKey, number, salt), 256);
}

export class Task {
  #network;
  #salts = new Map();

  constructor(network, id, view) {
    this.#network = network;
    this.id = id;
    Object.assign(this, view);
  }

  /**
   * Creates a task and waits until its creation is finalised.
   *
   * @param {import('./network.mjs').Network} network
   * @param {import('@polkadot/keyring/types').KeyringPair} creator
   * @param {object} options what differs from `DEFAULTS`, and the content
   */
  static async create(network, creator, options) {
    const terms = { ...DEFAULTS.terms, ...options.terms };
    const receipt = await send(network.api, createCall(network.api, options), creator, { until: 'finalized' });
    const { task, commitUntil, revealUntil, escrow, rent, fee } = receipt.event('tasks', 'TaskCreated').data;
    return new Task(network, task.toNumber(), {
      creator,
      terms,
      // What does not come back: the transaction's fee and that for attestations.
      fee: receipt.fee + fee.toBigInt(),
      escrow: escrow.toBigInt(),
      rent: rent.toBigInt(),
      commitUntil: commitUntil.toNumber(),
      revealUntil: revealUntil.toNumber(),
    });
  }

  /** Commits an account to a tensor with a salt that nobody else knows. */
  commit(account, tensor, { bond = this.terms.bond, salt = randomBytes(32) } = {}) {
    this.#salts.set(account.address, salt);
    const commitment = commitmentOf(tensor.id, account, this.id, salt);
    return this.send(this.#network.api.tx.tasks.commit(this.id, commitment, bond), account);
  }

  /** Opens an account's commitment. */
  reveal(account, tensor, salt = this.#salts.get(account.address)) {
    return this.send(this.#network.api.tx.tasks.reveal(this.id, tensor.descriptor, salt), account);
  }

  /** Sends a call in the name of an account. */
  send(call, account) {
    return send(this.#network.api, call, account);
  }

  /** Has accounts commit, waits, and has them reveal: `[[account, tensor], …]`. */
  async agree(parts) {
    await Promise.all(parts.map(([account, tensor]) => this.commit(account, tensor)));
    await this.revealing();
    await Promise.all(parts.map(([account, tensor]) => this.reveal(account, tensor)));
  }

  /** Waits until commitments are opened. */
  revealing() {
    return blockReached(this.#network.api, this.commitUntil);
  }

  /** Waits until no commitment is opened any more. */
  revealed() {
    return blockReached(this.#network.api, this.revealUntil);
  }

  /** Waits until the outcome is known and finalised: `{ won: id }` or `{ void: reason }`. */
  async decided() {
    const { outcome } = (await this.event('TaskDecided')).data;
    if (outcome.isVoid) return { void: outcome.asVoid.type };
    return { won: outcome.asWon.descriptor, backers: outcome.asWon.backers.toNumber() };
  }

  /** Waits until all participants are settled, and returns what each received and lost, by address. */
  async settled() {
    const { returned } = (await this.event('TaskSettled')).data;
    const settlements = this.#network.chronicle.all((event) => this.#isMine(event, 'ParticipantSettled'));
    const participants = settlements.map(({ data: { who, reward, slashed, shares } }) => [
      who.toString(),
      { reward: reward.toBigInt(), slashed: slashed.toBigInt(), shares: shares.toBigInt() },
    ]);
    return { returned: returned.toBigInt(), participants: Object.fromEntries(participants) };
  }

  /** Waits for a finalised event of this task. */
  event(method) {
    return this.#network.chronicle.first(`tasks.${method} of task ${this.id}`, (event) => this.#isMine(event, method));
  }

  /** How often an event of this task stands in the finalised blocks so far. */
  count(method) {
    return this.#network.chronicle.all((event) => this.#isMine(event, method)).length;
  }

  #isMine({ section, method, data }, wanted) {
    return section === 'tasks' && method === wanted && data.task.toNumber() === this.id;
  }

  /** The task's record in storage, while it is open. */
  async record() {
    return (await this.#network.api.query.tasks.tasks(this.id)).unwrap();
  }

  /** What won, as it stays in storage. */
  async contribution(api = this.#network.api) {
    return (await api.query.tasks.contributions(this.id)).unwrap();
  }
}
