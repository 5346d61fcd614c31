/** The command `ensemble`, as people and scripts run it, its answers checked against client/schemas. */

import { spawn } from 'node:child_process';
import { existsSync, mkdtempSync, readFileSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

import { client } from './binary.mjs';
import { Daemon } from './daemon.mjs';
import { violations } from './schema.mjs';

const SCHEMAS = fileURLToPath(new URL('../../client/schemas/', import.meta.url));
/** No command takes longer, but those that wait for the chain. */
const WITHIN = 120_000;

/** Names of all commands, `stake-add` for `ensemble stake add`. */
const COMMANDS = readdirSync(SCHEMAS).map((file) => file.replace('.json', ''));

/** Beginnings of names of commands that a file of their own asks, by its name. */
const APART = {
  'client-miners': ['miner-run'],
  'client-rows': ['model-leave', 'model-withdraw', 'model-worker'],
  'client-serve': ['module-serve', 'validator-run'],
  'client-market': ['market-', 'governance-', 'validator-set-keys', 'validator-stand', 'validator-chill'],
};

/** Names of the commands that a file of tests asks: those that no other file does, if it is `client`. */
export function commandsOf(file) {
  const askedIn = (name) => Object.keys(APART).find((file) => APART[file].some((start) => name.startsWith(start)));
  return COMMANDS.filter((name) => (askedIn(name) ?? 'client') === file);
}

export class Client {
  #binary = client();
  #url;

  /** @param {string} url of the node */
  constructor(url) {
    this.#url = url;
    this.folder = mkdtempSync(join(tmpdir(), 'ensemble-client-'));
    /** Names of the commands that answered in their shape. */
    this.answered = new Set();
    /** All that was ever printed. */
    this.printed = '';
    this.password = 'correct horse battery staple';
    writeFileSync(this.path('password'), `${this.password}\n`);
  }

  /** The path of a file in a folder that goes with the client. */
  path(name) {
    return join(this.folder, name);
  }

  /**
   * Runs a command to its end.
   *
   * @param {string} line what stands after `ensemble`, its words between spaces
   * @param {{ key?: string, more?: string[], input?: string, url?: string, password?: string, yes?: boolean,
   *   within?: number }} [options] `more`: further words, which may have spaces; `password`: name of the file with it
   * @returns {Promise<{ code: number, stdout: string, stderr: string }>}
   */
  run(line, { input, within = WITHIN, ...options } = {}) {
    return new Promise((resolve, reject) => {
      const env = this.#environment();
      const child = spawn(this.#binary, this.#words(line, options), { env, timeout: within, killSignal: 'SIGKILL' });
      const outcome = { stdout: '', stderr: '' };
      for (const stream of ['stdout', 'stderr']) child[stream].on('data', (data) => (outcome[stream] += data));
      child.on('error', reject);
      child.on('close', (code) => {
        this.printed += outcome.stdout + outcome.stderr;
        resolve({ code, ...outcome });
      });
      child.stdin.on('error', () => {});
      child.stdin.end(input ?? '');
    });
  }

  /**
   * Starts a command that runs until it is ended, and tells what it does in lines of its schema.
   *
   * @param {string} line
   * @param {{ key?: string, more?: string[], state?: string }} [options] `state`: name of its folder of state
   * @returns {Daemon}
   */
  start(line, options) {
    const name = nameOf(line);
    const told = (event) => {
      const wrong = violations(schemaOf(name), event);
      if (wrong.length > 0)
        throw new Error(`\`ensemble ${line}\` tells in another shape: ${wrong.join('; ')}\n${JSON.stringify(event)}`);
      this.answered.add(name);
    };
    return new Daemon(line, this.#binary, this.#words(line, options), { env: this.#environment(), told });
  }

  /** All words of a command line. */
  #words(line, { key, more = [], url = this.#url, password = 'password', yes = true, state = 'state' } = {}) {
    const options = [`--url=${url}`, `--keys=${this.path('keys')}`, `--state=${this.path(state)}`];
    options.push(`--password-file=${this.path(password)}`, '--json', ...(key ? [`--key=${key}`] : []));
    const words = line.split(' ').filter((word) => word);
    return [...words, ...more, ...options, ...(yes ? ['--yes'] : [])];
  }

  #environment() {
    return { PATH: process.env.PATH, HOME: this.folder, RUST_BACKTRACE: '1' };
  }

  /** Runs a command that must succeed, and returns its answer, which has the shape of its schema. */
  async ask(line, options) {
    const { code, stdout, stderr } = await this.run(line, options);
    if (code !== 0) throw new Error(`\`ensemble ${line}\` ended with ${code}: ${stderr}`);
    const answer = JSON.parse(stdout);
    const name = nameOf(line);
    const wrong = violations(schemaOf(name), answer);
    if (wrong.length > 0)
      throw new Error(`\`ensemble ${line}\` answers in another shape: ${wrong.join('; ')}\n${stdout}`);
    this.answered.add(name);
    return answer;
  }

  /** Runs a command that must fail, and returns what it says of that: one line. */
  async fail(line, options) {
    const { code, stdout, stderr } = await this.run(line, options);
    if (code === 0) throw new Error(`\`ensemble ${line}\` should have failed, and said ${stdout}`);
    const lines = stderr.trim().split('\n');
    if (lines.length !== 1) throw new Error(`\`ensemble ${line}\` says more than a line: ${stderr}`);
    const { error } = JSON.parse(lines[0]);
    if (error.exitCode !== code) throw new Error(`\`ensemble ${line}\` ended with ${code}: ${stderr}`);
    return error;
  }

  /** Removes its folder. */
  remove() {
    if (existsSync(this.folder)) rmSync(this.folder, { recursive: true, force: true });
  }
}

/** The schema of a command. */
const schemaOf = (name) => JSON.parse(readFileSync(join(SCHEMAS, `${name}.json`), 'utf8'));

/** The name of the command of a line: that of the group alone if the group is a command itself. */
function nameOf(line) {
  const [group, command] = line.split(' ');
  return COMMANDS.includes(group) ? group : `${group}-${command}`;
}
