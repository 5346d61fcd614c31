/** A network of real nodes in folders of their own, on ports that the system chooses. */

import assert from 'node:assert/strict';
import { mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { Accounts } from './accounts.mjs';
import { specification } from './chains.mjs';
import { Chronicle } from './chronicle.mjs';
import { assertMoneyAddsUp } from './money.mjs';
import { Node } from './node.mjs';
import { until } from './wait.mjs';

const VALIDATORS = ['alice', 'bob', 'charlie', 'dave'];

/** Networks that were started and not stopped: what has to be cleaned up when the process ends early. */
const running = new Set();
process.on('exit', () => running.forEach((network) => network.abandon()));
process.once('SIGINT', () => process.exit(130));
process.once('SIGTERM', () => process.exit(143));

export class Network {
  #chain;
  #args;
  #metrics;
  #keep;

  constructor({ chain, args, metrics, keep, folder }) {
    this.#chain = chain;
    this.#args = args;
    this.#metrics = metrics;
    this.#keep = keep;
    this.folder = folder;
    /** @type {Node[]} the nodes in the order in which they were started */
    this.nodes = [];
  }

  /**
   * Starts validators and waits until they finalise.
   *
   * @param {object} [options]
   * @param {number} [options.validators] 1 for the chain `dev`, 2 to 4 for `local`, of which as many are started
   * @param {Record<string, string[]>} [options.sessionKeys] by validator the types of keys that its node has, if not all
   * @param {string[]} [options.args] arguments of every node
   * @param {boolean} [options.metrics] whether every node serves Prometheus metrics
   * @param {(genesis: object) => void} [options.genesis] changes the genesis before the chain begins
   * @param {string} [options.keep] folder for data and logs, which then stays; else a temporary one
   * @param {number} [options.firstRpcPort] RPC port of the first validator, the others following; else the system chooses
   */
  static async start({ validators = 1, sessionKeys = {}, args = [], metrics, genesis, keep, firstRpcPort } = {}) {
    const folder = keep ?? mkdtempSync(join(tmpdir(), 'ensemble-'));
    const preset = validators === 1 ? 'dev' : 'local';
    mkdirSync(folder, { recursive: true });
    const chain = await specification(preset, folder, genesis);
    const network = new Network({ chain, args, metrics, keep: Boolean(keep), folder });
    running.add(network);
    try {
      const start = (name, number) => {
        const rpcPort = firstRpcPort && firstRpcPort + number;
        return network.add({ name, validator: true, sessionKeys: sessionKeys[name], rpcPort });
      };
      const [first, ...others] = VALIDATORS.slice(0, validators);
      await start(first, 0);
      await Promise.all(others.map((name, number) => start(name, number + 1)));
      await network.isFinalising();
      network.chronicle = await Chronicle.of(network.first.api);
      network.accounts = new Accounts(network.first.api);
    } catch (error) {
      await network.stop();
      throw error;
    }
    return network;
  }

  /**
   * A network without nodes yet, of a specification that will lie in its folder.
   *
   * @param {(folder: string) => string} chain path of the specification
   */
  static empty(chain) {
    const folder = mkdtempSync(join(tmpdir(), 'ensemble-'));
    const network = new Network({ chain: chain(folder), args: [], metrics: false, keep: false, folder });
    running.add(network);
    return network;
  }

  /** The node that was started first. */
  get first() {
    return this.nodes[0];
  }

  /** The connection to the first node. */
  get api() {
    return this.first.api;
  }

  /** The node of this name. */
  node(name) {
    const node = this.nodes.find((node) => node.name === name);
    if (!node) throw new Error(`no node is called ${name}`);
    return node;
  }

  /**
   * Starts one more node, connected to those that run.
   *
   * @param {{ name: string, validator?: boolean, account?: string, sessionKeys?: string[], open?: boolean, tcp?: boolean,
   *   rpcPort?: number, args?: string[] }} options
   */
  async add({ name, validator = false, account, sessionKeys, open = true, tcp = false, rpcPort, args = [] }) {
    const node = new Node({
      name,
      chain: this.#chain,
      folder: join(this.folder, name),
      validator,
      account,
      sessionKeys,
      open,
      metrics: this.#metrics,
      tcp,
      rpcPort,
      args: [...this.#args, ...args],
    });
    this.nodes.push(node);
    const others = await this.addresses(node);
    await node.start(others);
    if (others.length > 0) await until(`${name} to find a peer`, async () => (await node.peers()) > 0);
    return node;
  }

  /** Starts a node again that was stopped or killed, with what it has on its disk. */
  async restart(node) {
    await node.start(await this.addresses(node));
    if (node !== this.first || !this.chronicle) return;
    await this.chronicle.follow(node.api);
    this.accounts = new Accounts(node.api);
  }

  /** Addresses of the nodes that run, without `except`. One that is killed meanwhile has none. */
  async addresses(except) {
    const others = this.nodes.filter((node) => node !== except && node.api?.isConnected);
    return (await Promise.all(others.map((node) => node.addresses().catch(() => [])))).flat();
  }

  /** Waits until the chain is finalised beyond what is finalised now. */
  async isFinalising(within = 90_000) {
    const running = this.nodes.filter((node) => node.api?.isConnected);
    await Promise.all(
      running.map(async (node) => {
        const start = await node.finalized();
        await until(`${node.name} to finalise a block`, async () => (await node.finalized()) > start, {
          within,
          every: 250,
        });
      }),
    );
  }

  /** Waits until all that has happened so far is finalised. */
  async isFinalised(within = 90_000) {
    const best = await this.first.best();
    await until(`block ${best} to be finalised`, async () => (await this.first.finalized()) >= best, { within });
  }

  /** Waits until every node that runs has finalised the block of this number, and they agree on which it is. */
  async agreesOn(number, within = 90_000) {
    const running = this.nodes.filter((node) => node.api?.isConnected);
    const hashes = running.map(async (node) => {
      const finalised = async () => (await node.finalized()) >= number;
      await until(`${node.name} to finalise block ${number}`, finalised, { within, every: 250 });
      return (await node.api.rpc.chain.getBlockHash(number)).toHex();
    });
    assert.equal(new Set(await Promise.all(hashes)).size, 1, `the nodes have different blocks ${number}`);
  }

  /** Issuance, balances, holds and shares add up in the last finalised block. */
  async moneyAddsUp() {
    await assertMoneyAddsUp(this.first.api);
  }

  /**
   * Stops every node, and removes what they wrote.
   *
   * @param {{ keep?: boolean }} [options] whether to leave their folders
   */
  async stop({ keep = this.#keep } = {}) {
    this.chronicle?.close();
    await Promise.all(this.nodes.map((node) => node.stop()));
    running.delete(this);
    if (!keep) rmSync(this.folder, { recursive: true, force: true });
  }

  /** Ends everything without waiting: for a process that ends itself. */
  abandon() {
    for (const node of this.nodes) node.killNow();
    if (!this.#keep) rmSync(this.folder, { recursive: true, force: true });
  }
}
