/** The programs of miners and validators in tests/programs, each a process of its own that says what it does. */

import { spawn } from 'node:child_process';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';

import { Hopeless, inTime, until } from './wait.mjs';

const FOLDER = new URL('../programs/', import.meta.url);
/** Programs that run: what has to be ended when the process ends early. */
const running = new Set();
process.on('exit', () => running.forEach((program) => program.kill()));

export class Program {
  #process;
  #exit;
  #errors = '';

  /**
   * Starts a program, and waits until it listens.
   *
   * @param {'miner' | 'validator' | 'copier' | 'shop'} kind
   * @param {string[]} args
   * @param {{ secret?: string }} [options] the phrase of the account that it signs for
   */
  static async start(kind, args, { secret } = {}) {
    const program = new Program(kind, args, secret);
    program.url = (await program.said('where it listens', ({ listening }) => listening)).listening;
    return program;
  }

  constructor(kind, args, secret) {
    this.name = `${kind} ${args[1]}`;
    /** @type {object[]} what it has said */
    this.lines = [];
    // The kernel ends the program when the test process goes, however it goes.
    this.#process = spawn(
      'setpriv',
      ['--pdeathsig', 'KILL', process.execPath, fileURLToPath(new URL(`${kind}.mjs`, FOLDER)), ...args],
      { stdio: ['ignore', 'pipe', 'pipe'], env: { ...process.env, ...(secret && { SECRET: secret }) } },
    );
    this.#exit = new Promise((resolve) => this.#process.once('exit', (code, signal) => resolve(code ?? signal)));
    createInterface({ input: this.#process.stdout }).on('line', (line) => this.lines.push(JSON.parse(line)));
    this.#process.stderr.on('data', (data) => (this.#errors += data));
    running.add(this);
  }

  /** Waits until it has said something for which `matches` is true, and returns the first such line. */
  said(what, matches, within = 120_000) {
    const look = () => {
      const line = this.lines.find(matches);
      if (!line && this.#process.exitCode !== null) throw new Hopeless(`${this.name} ended: ${this.#errors}`);
      return line;
    };
    return until(`${this.name} to say ${what}`, look, { within });
  }

  /** The last line so far for which `matches` is true. */
  last(matches) {
    return this.lines.findLast(matches);
  }

  /** Asks it to end, and returns its exit code. */
  async stop() {
    this.#process.kill('SIGTERM');
    const code = await inTime(`${this.name} to end`, this.#exit, 30_000);
    running.delete(this);
    return code;
  }

  /** Ends it at once. Who wants to know when it has ended waits for what this returns. */
  kill() {
    this.#process.kill('SIGKILL');
    return this.#exit;
  }
}
