/** A command of the client that runs until it is ended, and tells what it does, one object of JSON a line. */

import { spawn } from 'node:child_process';
import { createInterface } from 'node:readline';

import { Hopeless, inTime, until } from './wait.mjs';

/** Daemons that run: what has to be ended when the process ends early. */
const running = new Set();
process.on('exit', () => running.forEach((daemon) => daemon.kill()));

export class Daemon {
  #process;
  #exit;
  #errors = '';
  #broken;

  /**
   * @param {string} name
   * @param {string} binary
   * @param {string[]} args
   * @param {{ env: object, told: (event: object) => void }} options `told` throws if an event is of no known shape
   */
  constructor(name, binary, args, { env, told }) {
    this.name = name;
    /** @type {object[]} what it has told */
    this.events = [];
    // The kernel ends it when the test process goes, however it goes.
    this.#process = spawn('setpriv', ['--pdeathsig', 'KILL', binary, ...args], {
      stdio: ['ignore', 'pipe', 'pipe'],
      env,
    });
    this.#exit = new Promise((resolve) => this.#process.once('exit', (code, signal) => resolve(code ?? signal)));
    createInterface({ input: this.#process.stdout }).on('line', (line) => {
      try {
        const event = JSON.parse(line);
        told(event);
        this.events.push(event);
      } catch (error) {
        this.#broken ??= error;
      }
    });
    this.#process.stderr.on('data', (data) => (this.#errors += data));
    running.add(this);
  }

  /** What it wrote to standard error. */
  get errors() {
    return this.#errors;
  }

  /** The events of a sort, so far. */
  all(sort) {
    return this.events.filter(({ event }) => event === sort);
  }

  /**
   * Waits until it has told of something for which `matches` is true, and returns the first such event.
   *
   * @param {string} sort
   * @param {(event: object) => boolean} [matches]
   * @param {number} [within] milliseconds
   */
  tells(sort, matches = () => true, within = 120_000) {
    const look = () => {
      if (this.#broken) throw new Hopeless(this.#broken.message);
      const event = this.all(sort).find(matches);
      if (!event && this.#process.exitCode !== null) throw new Hopeless(`${this.name} ended: ${this.#errors}`);
      return event;
    };
    return until(`\`ensemble ${this.name}\` to tell of ${sort}`, look, { within }).catch((error) => {
      error.message += `\n${this.events
        .slice(-10)
        .map((event) => JSON.stringify(event))
        .join('\n')}\n${this.#errors}`;
      throw error;
    });
  }

  /** Asks it to end, as Ctrl-C does, and returns its exit code. */
  async stop() {
    this.#process.kill('SIGINT');
    const code = await this.ended();
    if (this.#broken) throw this.#broken;
    return code;
  }

  /** Waits until it has ended, and returns its exit code. */
  async ended(within = 60_000) {
    const code = await inTime(`\`ensemble ${this.name}\` to end`, this.#exit, within);
    running.delete(this);
    return code;
  }

  /** Ends it at once, as a power cut would. */
  kill() {
    running.delete(this);
    this.#process.kill('SIGKILL');
    return this.#exit;
  }
}
