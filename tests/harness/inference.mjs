/** Models that a network runs, their workers, and sessions in which they answer, as their users see them. */

import { randomInt } from 'node:crypto';
import { closeSync, openSync, readSync, writeSync } from 'node:fs';
import { compactAddLength, bnToU8a, compactToU8a, stringToU8a, u8aConcat, u8aToHex } from '@polkadot/util';
import { base58Decode, blake2AsHex } from '@polkadot/util-crypto';

import { submitAuthorized } from './ballots.mjs';
import { Task } from './tasks.mjs';
import { Tensor, encodedLength, rowLength } from './tensor.mjs';
import { send, sendAsRoot } from './transactions.mjs';
import { inTime, until } from './wait.mjs';

/** Whatever is waited for in a session comes within this time, in milliseconds. */
const WITHIN = 400_000;

/** The shortest lengths, in blocks, in which everybody who works has time to do it. */
export const LENGTHS = { answer: 40, votes: { commit: 12, reveal: 8, attest: 20 }, window: 12, leave: 120 };

/** Gives a genesis short sessions. */
export const withShortSessions = (genesis) => (genesis.inference = { lengths: LENGTHS });

/** Has workers that leave from now on wait for so few blocks as no genesis allows, so that a bond is seen to come back. */
export async function letLeaveAfter(network, blocks) {
  const { currentLengths } = network.api.query.inference;
  const lengths = await currentLengths();
  const shorter = new lengths.constructor(lengths.registry, { ...lengths.toJSON(), leave: blocks });
  const set = network.api.tx.system.setStorage([[currentLengths.key(), u8aToHex(shorter.toU8a())]]);
  await sendAsRoot(network.api, set, network.accounts.alice);
}

/** For so many blocks gateways here agree to a session. */
const CONSENT = 50;

const u32 = (number) => bnToU8a(number, { bitLength: 32, isLe: true });

/** What every message that a key of a worker signs begins with. */
export const signed = (domain, genesis, ...parts) =>
  u8aConcat(compactAddLength(stringToU8a(domain)), genesis, ...parts);

/** What a session is opened for: the hash of its prompt's tokens. */
export const promptHash = (tokens) =>
  blake2AsHex(u8aConcat(compactToU8a(tokens.length), new Uint8Array(Uint32Array.from(tokens).buffer)), 256);

/** All tokens of a session as a tensor. */
export const tokensTensor = (tokens) =>
  Tensor.of('i32', tokens.length, 1, new Uint8Array(Int32Array.from(tokens).buffer));

/** Most bytes of a bundle and all its members. */
function bundleBytes(model) {
  const members = Object.keys(model.members).map((name) => model.tensor(name).data.length);
  return members.reduce((sum, bytes) => sum + bytes, model.tensor().data.length);
}

/**
 * @typedef {object} Worker
 * @property {{ name: string }} node that of the network, or what passes for one
 * @property {import('@polkadot/keyring/types').KeyringPair} account whose key is the worker's too, if its node has it
 * @property {bigint} bond
 */

/** A model of the chain. */
export class ServedModel {
  #network;

  constructor(network, id, view) {
    this.#network = network;
    this.id = id;
    Object.assign(this, view);
  }

  /**
   * Has accounts agree on a bundle, which some node holds, through a public task, and registers what won.
   *
   * @param {import('./network.mjs').Network} network
   * @param {import('./models.mjs').Model} bundle
   * @param {import('@polkadot/keyring/types').KeyringPair} creator creates the task, and registers
   * @param {import('@polkadot/keyring/types').KeyringPair[]} contributors
   * @param {object} [options] what differs from the defaults of tasks
   */
  static async agreedOn(network, bundle, creator, contributors, options = {}) {
    const content = { Bundle: { maxBytes: bundleBytes(bundle) } };
    const quorum = contributors.length;
    const task = await Task.create(network, creator, { content, quorum, maxParticipants: quorum, ...options });
    const manifest = bundle.tensor();
    await task.agree(contributors.map((account) => [account, manifest]));
    const { won, void: reason } = await task.decided();
    if (!won) throw new Error(`task ${task.id} is void: ${reason}`);
    await task.settled();
    return ServedModel.register(network, bundle, creator, task);
  }

  /** Registers what won a task. */
  static async register(network, bundle, registrant, task) {
    const [manifest, config] = [bundle.tensor(), bundle.tensor('config')].map(({ data }) => u8aToHex(data));
    const call = network.api.tx.inference.registerModel(task.id, manifest, config);
    const receipt = await send(network.api, call, registrant, { until: 'finalized' });
    const { model, architecture, pot } = receipt.event('inference', 'ModelRegistered').data;
    return new ServedModel(network, model.toNumber(), {
      bundle,
      task,
      registrant,
      pot: pot.toString(),
      shape: shapeOf(architecture.asLlama),
      workers: [],
    });
  }

  /**
   * Makes an account a worker on a node, which gets its key.
   *
   * @param {import('./node.mjs').Node} node
   * @param {import('@polkadot/keyring/types').KeyringPair & { secret: string }} account
   * @param {bigint} bond
   * @returns {Promise<Worker>}
   */
  async join(node, account, bond) {
    await node.rpc('author_insertKey', 'atst', account.secret, u8aToHex(account.publicKey));
    return this.joinAs((await node.api.rpc.system.localPeerId()).toString(), node, account, bond);
  }

  /** Makes an account a worker that is reached under a peer id, of a node or of something else. */
  async joinAs(peer, node, account, bond) {
    await send(this.#network.api, this.joinCall(peer, account, bond), account, { until: 'finalized' });
    return this.takes({ node, account, bond });
  }

  /** The call that makes an account a worker that is reached under a peer id. */
  joinCall(peer, account, bond) {
    const proof = account.sign(u8aConcat(stringToU8a('POP_'), account.publicKey));
    const id = u8aToHex(base58Decode(peer));
    return this.#network.api.tx.inference.join(this.id, id, account.publicKey, proof, bond);
  }

  /** Takes note of a worker, which may have joined by itself. */
  takes(worker) {
    this.workers.push(worker);
    return worker;
  }

  /** Waits until the node of each worker holds the whole bundle, which those without an off-chain worker are told to fetch. */
  async loaded() {
    const nodes = new Set(this.workers.map(({ node }) => node).filter(({ tensors }) => tensors));
    const load = async ({ tensors }) => {
      if ((await tensors.status(this.bundle.id)).status === 'absent') await tensors.fetch(this.bundle.id);
      await tensors.reaches(this.bundle.id, 'held', { within: WITHIN });
    };
    await Promise.all([...nodes].map(load));
  }

  /**
   * The tokens of a text, or of a conversation, as a node reads it.
   *
   * @param {import('./node.mjs').Node} node
   * @param {string | { role: string, content: string }[]} prompt
   * @param {{ maxTokens: number, workers: number, replicas: number }} [terms] of a session, to learn its price
   */
  prompt(node, prompt, terms) {
    return node.rpc('ensemble_prompt', this.id, prompt, ...(terms ? [terms] : []));
  }

  /**
   * Opens a session to which its gateway agrees: by its key, which these tests have (`signed`), or by its node, which then
   * answers by itself (`asked`). Whoever is its own gateway needs no consent (`null`); any other is sent as it is.
   *
   * @param {import('@polkadot/keyring/types').KeyringPair} requester
   * @param {Worker} gateway
   * @param {Terms & { consent?: 'signed' | 'asked' | Consent | null }} terms
   */
  async open(requester, gateway, { consent = 'signed', ...terms }) {
    const made = {
      signed: () => this.consent(requester, gateway, terms),
      asked: () => this.ask(requester, gateway, terms),
    };
    const given = made[consent] ? await made[consent]() : consent;
    const { api } = this.#network;
    const receipt = await send(api, this.openCall(gateway, terms, given), requester, { until: 'finalized' });
    const { session, price } = receipt.event('inference', 'SessionOpened').data;
    return new Session(this.#network, session.toNumber(), {
      model: this,
      gateway,
      requester,
      tokens: terms.tokens,
      question: questionOf(terms),
      price: price.toBigInt(),
      fee: receipt.fee,
    });
  }

  /** The call that opens a session. */
  openCall(gateway, terms, consent) {
    const { payment = 'Tune' } = terms;
    const named = consent && { number: consent.number, until: consent.until, signature: consent.signature };
    const { address } = gateway.account;
    return this.#network.api.tx.inference.open(this.id, address, questionOf(terms), payment, named);
  }

  /**
   * That a gateway agrees to a session, signed with its key.
   *
   * @returns {Promise<Consent>}
   *
   * @typedef {{ number: number, until: number, signature: Uint8Array | string }} Consent
   * @typedef {object} Terms
   * @property {number[]} tokens of the prompt
   * @property {number} [maxTokens]
   * @property {number} [workers]
   * @property {number} [replicas]
   * @property {'Tune' | 'Credits'} [payment]
   */
  async consent(requester, gateway, terms, { number = randomInt(2 ** 32), until } = {}) {
    const { api, first } = this.#network;
    const last = until ?? (await first.best()) + CONSENT;
    const [, , question, payment] = this.openCall(gateway, terms, null).args.map((arg) => arg.toU8a());
    const parts = [requester.publicKey, u32(this.id), question, payment, u32(number), u32(last)];
    const signature = gateway.account.sign(signed('ensemble/consent', api.genesisHash, ...parts));
    return { number, until: last, signature };
  }

  /** Has a gateway's node agree to a session, which it answers by itself then. Returns its consent, and the price. */
  ask(requester, gateway, { tokens, payment = 'Tune', ...terms }) {
    const { maxTokens, workers, replicas } = questionOf({ tokens, ...terms });
    const options = { payment: payment.toLowerCase(), gateway: gateway.account.address };
    const shape = { maxTokens, workers, replicas };
    return gateway.node.rpc('ensemble_consent', requester.address, this.id, tokens, shape, options);
  }

  /**
   * Alters a row in the file of a node's store, which has been checked before: whoever computes with the row from now on
   * computes something else. Returns what puts it back, for those too who have mapped a file that is removed meanwhile.
   *
   * @param {import('./node.mjs').Node} node
   * @param {string} member
   * @param {number} row
   */
  async alterRow(node, member, row) {
    const id = this.bundle.members[member];
    const { header } = await node.tensors.reaches(id, 'held');
    const length = rowLength(header.kind, header.cols);
    const at = encodedLength({ ...header, rows: 0 }) + row * length;
    const file = openSync(node.tensors.file(id), 'r+');
    const before = Buffer.alloc(length);
    readSync(file, before, 0, length, at);
    writeSync(file, changed(before, header.kind), 0, length, at);
    return () => {
      writeSync(file, before, 0, length, at);
      closeSync(file);
    };
  }

  /** Credits that an account could spend on this model, in planck. */
  async credits({ address }) {
    return (await this.#network.api.call.inferenceApi.credits(address, this.id)).toBigInt();
  }
}

/** What a session is opened for. */
const questionOf = ({ tokens, maxTokens = 8, workers = 3, replicas = 1 }) => ({
  prompt: promptHash(tokens),
  promptTokens: tokens.length,
  maxTokens,
  workers,
  replicas,
});

/** A row whose numbers are others, and whose scales are the same. */
function changed(row, kind) {
  const altered = Buffer.from(row);
  if (kind === 'i32') {
    for (let at = 0; at < row.length; at += 4) altered.writeInt32LE(Math.trunc(row.readInt32LE(at) / 2), at);
    return altered;
  }
  const [block, scales] = { q8_0: [34, 2], q4_0: [18, 2], q4_1: [20, 4] }[kind];
  for (let at = 0; at < row.length; at += 1) if (at % block >= scales) altered[at] ^= 0x11;
  return altered;
}

/** The numbers of an architecture that prices depend on. */
const shapeOf = (llama) =>
  Object.fromEntries(
    ['layers', 'width', 'heads', 'kvHeads', 'headWidth', 'hidden', 'vocabulary'].map((name) => [
      name,
      llama[name].toNumber(),
    ]),
  );

/** A session from its opening on. */
export class Session {
  #network;

  constructor(network, id, view) {
    this.#network = network;
    this.id = id;
    Object.assign(this, view);
  }

  /** Waits until the gateway knows that workers were drawn: an answer may begin, although no block with that is final. */
  async drawn() {
    const { node } = this.gateway;
    const isDrawn = async () => {
      const view = await node.api.call.inferenceApi.session(this.id);
      // One that answers by itself may have closed already.
      return view.isSome && !view.unwrap().phase.isOpen;
    };
    await until(`${node.name} to know that session ${this.id} is assigned`, isDrawn, { within: WITHIN });
  }

  /** Waits until workers were drawn and the gateway knows. Returns them in the order of their places. */
  async assigned() {
    const { workers } = (await this.event('SessionAssigned')).data;
    await this.drawn();
    const known = (address) => this.model.workers.find(({ account }) => account.address === address);
    this.places = workers.map((address) => known(address.toString()));
    return this.places;
  }

  /**
   * Has the gateway generate. Returns all that it says: tokens as they come, and the end.
   *
   * @param {(item: object) => void} [each] is told everything at once
   * @returns {Promise<{ items: object[], end: object }>}
   * @throws {Error} with the reason if there is no answer
   */
  async generate(each = () => {}, within = WITHIN) {
    const provider = this.gateway.node.api._rpcCore.provider;
    const items = [];
    let subscription;
    const answered = new Promise((resolve, reject) => {
      const take = (error, item) => {
        if (error) return reject(error);
        each(item);
        if (item.kind === 'token') items.push(item);
        else if (item.kind === 'end') resolve({ items, end: item });
        else reject(new Error(item.reason));
      };
      provider
        .subscribe('ensemble_generated', 'ensemble_generate', [this.id, this.tokens], take)
        .then((id) => (subscription = id), reject);
    });
    try {
      return await inTime(`the answer of session ${this.id}`, answered, within);
    } finally {
      const end = ['ensemble_generated', 'ensemble_unsubscribeGenerate', subscription];
      if (subscription) await provider.unsubscribe(...end).catch(() => {});
    }
  }

  /** What a node tells of the session. */
  facts(node = this.gateway.node) {
    return node.rpc('ensemble_session', this.id);
  }

  /** What the chain says of the session; nothing when it is over. */
  async view() {
    return (await this.#network.api.call.inferenceApi.session(this.id)).unwrapOr(null);
  }

  /** Closes the session in the name of its gateway, whose node does not. */
  close(closing) {
    const { api } = this.#network;
    const make = api.tx.inference.close;
    const { args } = make(this.id, closing, new Uint8Array(64));
    const message = signed('ensemble/close', api.genesisHash, u32(this.id), args[1].toU8a());
    return submitAuthorized(api, make(this.id, closing, this.gateway.account.sign(message)));
  }

  /** Waits for a finalised event of this session. */
  event(method, matches = () => true, within = WITHIN) {
    const isIt = (event) => this.#isMine(event, method) && matches(event.data);
    return this.#network.chronicle.first(`inference.${method} of session ${this.id}`, isIt, within);
  }

  /** The data of this session's events in the finalised blocks so far. */
  events(method) {
    return this.#network.chronicle.all((event) => this.#isMine(event, method)).map(({ data }) => data);
  }

  /** Waits until the votes are over. Returns for each range who backed what won, and who something else, as places. */
  async voted() {
    await this.event('WindowOpened');
    const decided = this.events('RangeDecided').sort((one, other) => one.range.toNumber() - other.range.toNumber());
    return decided.map(({ backers, outvoted }) => ({ backers: placesIn(backers), outvoted: placesIn(outvoted) }));
  }

  /** Waits until somebody has shown something to be wrong. */
  async upheld() {
    const { culprit, challenger, slashed, reward } = (await this.event('Upheld')).data;
    return {
      culprit: culprit.toJSON(),
      challenger: challenger.toString(),
      slashed: slashed.toBigInt(),
      reward: reward.toBigInt(),
    };
  }

  /** Waits until everybody is settled: what became of the price, what each worker was paid, and what bonds lost. */
  async settled() {
    const { gateway, credits, burnt, returned } = (await this.event('SessionSettled')).data;
    const paid = this.events('WorkerSettled').map(({ who, paid }) => [who.toString(), paid.toBigInt()]);
    const shares = this.events('WorkerSettled').map(({ who, shares }) => [who.toString(), shares.toBigInt()]);
    const slashed = this.events('Slashed').map(({ who, amount }) => [who.toString(), amount.toBigInt()]);
    const [{ refund }] = this.events('SessionOver');
    return {
      paid: Object.fromEntries(paid),
      shares: Object.fromEntries(shares),
      slashed: Object.fromEntries(slashed),
      gateway: gateway.toBigInt(),
      credits: credits.toBigInt(),
      burnt: burnt.toBigInt(),
      returned: returned.toBigInt(),
      refund: refund.isSome ? refund.unwrap().type : undefined,
    };
  }

  #isMine({ section, method, data }, wanted) {
    if (section !== 'inference' || method !== wanted) return false;
    const session = data.session.unwrapOr ? data.session.unwrapOr(undefined) : data.session;
    return session?.toNumber() === this.id;
  }
}

/** The places that a number has as bits. */
const placesIn = (bits) => Array.from({ length: 32 }, (_, place) => place).filter((place) => (bits >>> place) & 1);
