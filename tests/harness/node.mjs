/** One node process: its folder, its log, its RPC, and the signals that faults are made of. */

import { randomBytes } from 'node:crypto';
import { spawn } from 'node:child_process';
import { closeSync, existsSync, mkdirSync, openSync, readFileSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { ApiPromise, WsProvider } from '@polkadot/api';

import { BINARY, command } from './binary.mjs';
import { RUNTIMES } from './chains.mjs';
import { Tensors } from './store.mjs';
import { Hopeless, inTime, until } from './wait.mjs';

/** Arguments of every node: nobody is found but the nodes that were named. */
const COMMON = ['--no-mdns', '--discover-local', '--allow-private-ip', '--no-telemetry'];
/** Arguments of a node that its tests may do everything with. */
const OPEN = ['--rpc-methods=unsafe', '--tensor-rpc-writes'];

const STARTED = /Running JSON-RPC server: addr=(?:127\.0\.0\.1|0\.0\.0\.0):(\d+)/g;
/** What a node says when the kernel moves the pages that it is about to seal. Nothing is wrong with the node. */
const BUSY_MEMORY = 'cannot add seals to the memfd: Device or resource busy';
/** Schemes of the session keys of a well-known account, by their types. */
const SCHEMES = { babe: 'sr25519', gran: 'ed25519', audi: 'sr25519', atst: 'sr25519' };
const METRICS = /Prometheus exporter started at 127\.0\.0\.1:(\d+)/g;

/**
 * @typedef {object} NodeOptions
 * @property {string} name        what it is called
 * @property {string} chain       preset or path of a specification
 * @property {string} folder      where the node's data and log go
 * @property {boolean} [validator] whether it is a validator
 * @property {string} [account]   the well-known account whose session keys a validator has: that of its name, if no other
 * @property {(keyof typeof SCHEMES)[]} [sessionKeys] the keys that it starts with if not all of them
 * @property {boolean} [open]     whether unsafe RPC methods are allowed; they are unless this is false
 * @property {boolean} [metrics]  whether Prometheus is served
 * @property {boolean} [tcp]      whether it listens for TCP even if it is no validator; else for WebSockets
 * @property {number} [rpcPort]   else the system chooses one
 * @property {string[]} [args]    further arguments
 */

export class Node {
  #options;
  #key = randomBytes(32).toString('hex');
  #process;
  #exit;
  #api;
  #logged = 0;

  /** @param {NodeOptions} options */
  constructor(options) {
    this.#options = options;
    this.name = options.name;
    this.folder = options.folder;
    this.log = join(options.folder, `${options.name}.log`);
    /** The node's tensor store. */
    this.tensors = new Tensors(this);
  }

  /**
   * Starts the process and waits until its RPC answers.
   *
   * @param {string[]} bootnodes addresses of nodes to connect to
   */
  async start(bootnodes = []) {
    if (!existsSync(this.folder)) await this.#settle();
    const port = await this.#launch(bootnodes).catch((error) => {
      if (!error.message.includes(BUSY_MEMORY)) throw error;
      return this.#launch(bootnodes);
    });
    this.url = `ws://127.0.0.1:${port}`;
    await this.#connect();
    return this;
  }

  /** Makes the folder, and puts into it what the node is to find at its first start. */
  async #settle() {
    mkdirSync(this.folder, { recursive: true });
    const { name, account = name, sessionKeys = [] } = this.#options;
    const secret = `//${account[0].toUpperCase()}${account.slice(1)}`;
    for (const type of sessionKeys) {
      const key = [`--suri=${secret}`, `--key-type=${type}`, `--scheme=${SCHEMES[type]}`];
      await command(['key', 'insert', ...this.#place(), ...key]);
    }
  }

  /** Which chain it is, and where its data lie. */
  #place() {
    return [`--chain=${this.#options.chain}`, `--base-path=${join(this.folder, 'data')}`];
  }

  /** The arguments that say who it is. */
  #role() {
    const { name, account = name, validator, sessionKeys } = this.#options;
    const role = sessionKeys ? '--validator' : `--${account}`;
    return validator ? [role, `--name=${name}`] : [`--name=${name}`];
  }

  /** Starts the process, and waits until it has opened its RPC port, which it returns. */
  #launch(bootnodes) {
    const log = openSync(this.log, 'a');
    this.#logged = readFileSync(this.log).length;
    // The kernel ends the node when the test process goes, however it goes.
    this.#process = spawn('setpriv', ['--pdeathsig', 'KILL', BINARY, ...this.#arguments(bootnodes)], {
      stdio: ['ignore', log, log],
    });
    closeSync(log);
    this.#exit = new Promise((resolve) => this.#process.once('exit', resolve));
    // Compiling the runtime takes long where several nodes start on one core.
    return until(`${this.name} to open its RPC port`, () => this.#logNumber(STARTED), { within: 180_000 });
  }

  #arguments(bootnodes) {
    const { open = true, metrics = false, tcp = false, rpcPort = 0, args = [] } = this.#options;
    return [
      ...this.#place(),
      `--runtime-cache=${RUNTIMES}`,
      `--node-key=${this.#key}`,
      `--rpc-port=${rpcPort}`,
      ...this.#role(),
      ...(metrics ? ['--prometheus-port=0'] : ['--no-prometheus']),
      tcp ? '--listen-addr=/ip4/127.0.0.1/tcp/0' : '--port=0',
      ...(open ? OPEN : []),
      ...COMMON,
      ...args,
      ...bootnodes.flatMap((address) => ['--bootnodes', address]),
    ];
  }

  #logNumber(pattern) {
    if (this.#process.exitCode !== null) throw this.#ended();
    return [...this.output().matchAll(pattern)].at(-1)?.[1];
  }

  #ended() {
    return new Hopeless(`${this.name} ended with ${this.#process.exitCode}:\n${this.output().slice(-2_000)}`);
  }

  async #connect() {
    const provider = new WsProvider(this.url, 1_000, {}, 60_000);
    this.#api = new ApiPromise({ provider, noInitWarn: true, throwOnConnect: true });
    await inTime(`${this.name} to answer`, this.#api.isReadyOrError, 30_000);
  }

  /** What the node has logged since it was last started. */
  output() {
    return readFileSync(this.log).subarray(this.#logged).toString();
  }

  /** The connection to the node. */
  get api() {
    return this.#api;
  }

  get pid() {
    return this.#process.pid;
  }

  /** Calls an RPC method by its name. */
  rpc(method, ...params) {
    return this.#api._rpcCore.provider.send(method, params);
  }

  /** Addresses under which other nodes reach this one. */
  async addresses() {
    const addresses = await this.api.rpc.system.localListenAddresses();
    return addresses
      .map(String)
      .filter((address) => address.startsWith('/ip4/127.0.0.1/tcp/') && !address.includes('/ws'));
  }

  /** Number of nodes it is connected to. */
  async peers() {
    return (await this.api.rpc.system.health()).peers.toNumber();
  }

  /** Number of its best block. */
  async best() {
    return (await this.api.rpc.chain.getHeader()).number.toNumber();
  }

  /** Number of its finalised block. */
  async finalized() {
    const hash = await this.api.rpc.chain.getFinalizedHead();
    return (await this.api.rpc.chain.getHeader(hash)).number.toNumber();
  }

  /** Its metrics as a map from name, labels included, to value. */
  async metrics() {
    const port = await until(`${this.name} to serve metrics`, () => this.#logNumber(METRICS));
    const text = await (await fetch(`http://127.0.0.1:${port}/metrics`)).text();
    const lines = text.split('\n').filter((line) => line && !line.startsWith('#'));
    return new Map(
      lines.map((line) => [line.slice(0, line.lastIndexOf(' ')), Number(line.slice(line.lastIndexOf(' ') + 1))]),
    );
  }

  /** Sum of the metrics whose name begins with `prefix`. */
  async metric(prefix) {
    const metrics = await this.metrics();
    return [...metrics].filter(([name]) => name.startsWith(prefix)).reduce((sum, [, value]) => sum + value, 0);
  }

  /** Memory of the process in bytes without what is mapped from files. */
  memory() {
    const status = readFileSync(`/proc/${this.pid}/status`, 'utf8');
    const kilobytes = (field) => Number(new RegExp(`^${field}:\\s+(\\d+) kB`, 'm').exec(status)[1]);
    return (kilobytes('VmRSS') - kilobytes('RssFile')) * 1024;
  }

  /** Number of open files of the process. */
  openFiles() {
    return readdirSync(`/proc/${this.pid}/fd`).length;
  }

  /** Stops the process where it stands: for its peers it stalls. */
  freeze() {
    this.#process.kill('SIGSTOP');
  }

  /** Lets a stopped process go on. */
  thaw() {
    this.#process.kill('SIGCONT');
  }

  /** Ends the process at once, as a power cut would. */
  async kill() {
    await this.#end('SIGKILL');
  }

  /** Asks the process to end, and gives it half a minute before it is killed. */
  async stop() {
    const forced = setTimeout(() => this.#process.kill('SIGKILL'), 30_000);
    await this.#end('SIGTERM');
    clearTimeout(forced);
  }

  /** Ends the process without waiting for its end. */
  killNow() {
    this.#process?.kill('SIGKILL');
  }

  async #end(signal) {
    await this.#api?.disconnect().catch(() => {});
    if (!this.#process || this.#process.exitCode !== null || this.#process.signalCode !== null) return;
    this.#process.kill('SIGCONT');
    this.#process.kill(signal);
    await this.#exit;
  }
}
