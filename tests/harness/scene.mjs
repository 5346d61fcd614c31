/** A model of its own for each story, with workers and a gateway: so that many stories fit on one network. */

import { writeFileSync } from 'node:fs';
import { join } from 'node:path';

import { TUNE, balance } from './accounts.mjs';
import { tinyModel } from './gguf.mjs';
import { ServedModel } from './inference.mjs';
import { asked, imported } from './models.mjs';
import { Prices, rangesOf } from './prices.mjs';
import { until } from './wait.mjs';

/** Twice what a worker needs, so that one that was slashed is a worker still. */
export const BOND = 400n * TUNE;

const QUESTION = 'the end';
const CREW = ['bob', 'charlie', 'dave'];

/** Names of the nodes of all workers, by address: a node speaks with whichever of its keys it finds first. */
const nodes = new Map();
/** When all models that are to be uploaded before are. */
let uploads = Promise.resolve();

export class Scene {
  #network;
  /** Numbers of its sessions. */
  #sessions = new Set();

  constructor(network, view) {
    this.#network = network;
    Object.assign(this, view);
  }

  /**
   * Has a network agree on a tiny model, and workers join.
   *
   * @param {import('./network.mjs').Network} network
   * @param {number} seed of the model's weights: each scene has one of its own
   * @param {Parts} [parts]
   */
  static async on(network, seed, parts = {}) {
    const file = join(network.folder, `${seed}.gguf`);
    writeFileSync(file, tinyModel({ ...parts.size, seed }));
    const bundle = await imported(file, join(network.folder, `model-${seed}`), { within: 300_000 });
    return Scene.with(network, bundle, parts);
  }

  /**
   * Has a network agree on a model, and workers join.
   *
   * @typedef {object} Parts
   * @property {string[]} [workers] names of their nodes
   * @property {string} [gateway]   name of its node
   * @property {string[]} [others]  names of further accounts
   * @property {import('./peer.mjs').Peer} [peer] a worker that is no node
   * @property {Guest} [guest] a worker that joins by itself
   * @property {object} [phases] those of the task by which the network agrees on the model, if other ones
   * @property {{ layers?: number, width?: number }} [size] of a tiny model
   *
   * @typedef {object} Guest
   * @property {string} name
   * @property {(model: ServedModel, account: import('@polkadot/keyring/types').KeyringPair, bond: bigint) => Promise<void>}
   *   join has an account join
   *
   * @param {import('./network.mjs').Network} network
   * @param {import('./models.mjs').Model} bundle
   * @param {Parts} parts
   */
  static async with(network, bundle, { workers = CREW, gateway = 'alice', others = [], peer, guest, phases }) {
    // Models share members, and a member goes up once.
    uploads = uploads.then(() => bundle.upload(network.first.tensors));
    await uploads;
    const strangers = [...(peer ? ['peer'] : []), ...(guest ? [guest.name] : [])];
    const names = [...workers, ...strangers].map((name) => `on ${name}`);
    const accounts = await network.accounts.funded('creator', 'ann', 'asker', 'gateway', ...others, ...names);
    const options = phases && { phases };
    const model = await ServedModel.agreedOn(network, bundle, accounts.creator, [accounts.ann], options);
    const hire = (name, account) => model.join(network.node(name), account, BOND);
    const welcome = async ({ name, join }, account) => {
      await join(model, account, BOND);
      return model.takes({ node: { name }, account, bond: BOND });
    };
    const [driver, ...crew] = await Promise.all([
      hire(gateway, accounts.gateway),
      ...workers.map((name) => hire(name, accounts[`on ${name}`])),
      ...(peer ? [model.joinAs(peer.id, { name: 'peer' }, accounts['on peer'], BOND)] : []),
      ...(guest ? [welcome(guest, accounts[`on ${guest.name}`])] : []),
    ]);
    for (const { node, account } of model.workers) nodes.set(account.address, node.name);
    await model.loaded();
    const prices = await Prices.of(network.api);
    return new Scene(network, { bundle, accounts, model, gateway: driver, crew, prices });
  }

  /** The name of the node of a worker, in whatever scene. */
  static nodeOf(address) {
    return nodes.get(address);
  }

  /** The worker on a node. */
  on(name) {
    return this.crew.find(({ node }) => node.name === name);
  }

  /** The tokens of a text, or of a conversation. */
  async tokens(prompt) {
    return (await this.model.prompt(this.#network.first, prompt)).tokens;
  }

  /** Opens a session for a question, a text or tokens, and waits until its workers are drawn. */
  async asks(terms) {
    const session = await this.opens(terms);
    await session.assigned();
    return session;
  }

  /** Opens a session for a question, a text or tokens. */
  async opens({ gateway = this.gateway, asker = this.accounts.asker, question = QUESTION, prompt, ...terms } = {}) {
    const tokens = terms.tokens ?? (await this.tokens(prompt ?? [{ role: 'user', content: question }]));
    const session = await this.model.open(asker, gateway, { ...terms, tokens });
    this.#sessions.add(session.id);
    return session;
  }

  /** What this machine alone answers: all tokens, or as many as `maxTokens`. */
  async alone(maxTokens, question = QUESTION) {
    const { prompt, answer } = await asked(this.bundle, question, { tokens: maxTokens, within: 300_000 });
    return [...prompt, ...answer];
  }

  /** What is due to the worker at each place if all is well, by its address. */
  due(session, positions, ranges = (place) => this.ranges(session, place)) {
    const { question, places } = session;
    const of = ({ account }, place) => [
      account.address,
      this.prices.due(this.model.shape, positions, question, ranges(place)),
    ];
    return Object.fromEntries(places.map(of));
  }

  /** The ranges that a place serves. */
  ranges({ question: { workers, replicas } }, place) {
    return rangesOf(place, workers, replicas);
  }

  /** How the price of so many positions of a session is divided, if `won` are the ranges of which a trace won. */
  pieces(session, positions, won = undefined) {
    return this.prices.pieces(this.model.shape, positions, session.question, won);
  }

  /** What every account of the scene owns in the last finalised block, by its name. */
  async owned() {
    const { api } = this.#network;
    const head = await api.rpc.chain.getFinalizedHead();
    const at = await api.at(head);
    const entries = Object.entries(this.accounts).map(async ([name, account]) => [
      name,
      (await balance(at, account)).total,
    ]);
    const block = (await api.rpc.chain.getHeader(head)).number.toNumber();
    return { block, amounts: Object.fromEntries(await Promise.all(entries)) };
  }

  /**
   * What every account has gained or lost since `before`, nothing left out, but for what its node was paid for disputes in
   * the sessions of other scenes.
   */
  async changes(before) {
    const after = await this.owned();
    const { chronicle } = this.#network;
    await until('the events so far to be read', () => chronicle.last >= after.block);
    const isForeign = ({ section, method, data }) =>
      section === 'inference' && method === 'Upheld' && !this.#sessions.has(data.session.toNumber());
    const rewards = chronicle.between(before.block, after.block, isForeign).map(({ data }) => data);
    const change = ([name, amount]) => {
      const own = rewards.filter(({ challenger }) => challenger.toString() === this.accounts[name].address);
      const foreign = own.reduce((sum, { reward }) => sum + reward.toBigInt(), 0n);
      return [name, amount - before.amounts[name] - foreign];
    };
    return Object.fromEntries(
      Object.entries(after.amounts)
        .map(change)
        .filter(([, change]) => change !== 0n),
    );
  }
}
