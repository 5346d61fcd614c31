/**
 * How fast a network answers: SmolLM2 on four workers and a gateway on this machine, with one replica and with three, beside
 * one process alone; where the time goes; and how it grows with a model's width, its layers, and the number of workers.
 *
 * Writes docs/inference.svg.
 */

import { execFileSync } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

import { Network } from '../harness/index.mjs';
import { LENGTHS } from '../harness/inference.mjs';
import { asked, imported } from '../harness/models.mjs';
import { Scene } from '../harness/scene.mjs';
import { smollm2 } from '../harness/smollm2.mjs';
import { plot } from './plot.mjs';
import { progress, report } from './report.mjs';

const QUESTION = 'What is a blockchain?';
const TOKENS = 64;
const WORKERS = ['one', 'two', 'three', 'four'];
/** Sizes of generated models: powers of two, of which each has the other number of the first. */
const [WIDTHS, LAYERS] = [
  [64, 128, 256, 512, 1024],
  [2, 4, 8, 16, 32],
];
/** Answers of a generated model: the fastest counts. */
const TIMES = 3;

const file = await smollm2(progress);
progress('starting one validator, a gateway and four workers');
const net = await Network.start({ validators: 1, metrics: true, args: ['--row-threads=1'], genesis: withPatience });
try {
  await alone();
  // None of them closes, votes or checks: that would take time from the next answer.
  for (const name of [...WORKERS, 'gateway']) await net.add({ name });
  const crew = { workers: WORKERS, gateway: 'gateway' };
  progress('agreeing on SmolLM2');
  const bundle = await imported(file, join(net.folder, 'smollm2'), { within: 300_000 });
  const scene = await Scene.with(net, bundle, crew);
  const byWorkers = [];
  for (const workers of [1, 2, 3, 4]) byWorkers.push([workers, await tokenTime(scene, { workers, replicas: 1 })]);
  await divided(scene);

  progress('agreeing on generated models');
  const sizes = [...WIDTHS.map((width) => ({ width })), ...LAYERS.slice(1).map((layers) => ({ layers }))];
  const scenes = await Promise.all(sizes.map((size, number) => Scene.on(net, 100 + number, { ...crew, size })));
  const prompts = [];
  for (const scene of scenes) prompts.push(await scene.tokens([{ role: 'user', content: QUESTION }]));
  // Drawing workers takes time, and disturbs nobody.
  const open = (scene, number) => Array.from({ length: TIMES }, () => asks(scene, { tokens: prompts[number] }));
  const opened = await Promise.all(scenes.map((scene, number) => Promise.all(open(scene, number))));
  const times = [];
  for (const [number, sessions] of opened.entries()) times.push(await fastest(scenes[number], sessions));
  const [first] = times;
  const byWidth = WIDTHS.map((width, at) => [width, times[at]]);
  const byLayers = LAYERS.map((layers, at) => [layers, at === 0 ? first : times[WIDTHS.length + at - 1]]);
  draw({ byWorkers, byWidth, byLayers });
} finally {
  await net.stop();
}
process.exit();

/** Sessions that are opened together and answered one after the other all end in time. */
function withPatience(genesis) {
  genesis.inference = { lengths: { ...LENGTHS, answer: 600, leave: 700 } };
}

/** One process without a network, and llama.cpp where its Python package is installed. */
async function alone() {
  const bundle = await imported(file, join(net.folder, 'alone'), { within: 300_000 });
  const { rate, read_rate: read } = await asked(bundle, QUESTION, { tokens: 128, threads: 2, within: 300_000 });
  report('inference.alone', rate, 'tokens/s of one process with two threads', { atLeast: 100 });
  report('inference.alone.prompt', read, 'tokens/s of the prompt');
  const script = [
    'import json, sys, time',
    'from llama_cpp import Llama',
    'model = Llama(sys.argv[1], n_threads=2, n_ctx=512, verbose=False)',
    'stream = model.create_chat_completion([{"role": "user", "content": sys.argv[2]}], max_tokens=128, temperature=0, stream=True)',
    'times = [time.time() for _ in stream]',
    'print((len(times) - 1) / (times[-1] - times[0]))',
  ];
  try {
    const rate = execFileSync('python3', ['-c', script.join('\n'), file, QUESTION], {
      stdio: ['ignore', 'pipe', 'ignore'],
    });
    report('inference.llama.cpp', Number(rate), 'tokens/s with two threads');
  } catch {
    progress('llama.cpp is not compared with: its Python package, llama-cpp-python, is not installed');
  }
}

/** Tokens per second of SmolLM2 on all workers, and where the time goes. */
async function divided(scene) {
  const rows = [];
  for (const replicas of [1, 3]) {
    const before = await spent();
    const { rate, tokens, seconds } = await answered(scene, { replicas });
    const after = await spent();
    const bar = replicas === 1 ? { atLeast: 10 } : {};
    report(`inference.network.${replicas}`, rate, `tokens/s of four workers, ${replicas} of each range`, bar);
    const each = (name) => (after[name] - before[name]) / 1000 / tokens;
    const busiest = Math.max(...WORKERS.map(each));
    const [waited, whole] = [each('waited'), (1000 * seconds) / tokens];
    const parts = { compute: busiest, network: waited - busiest, glue: whole - waited };
    rows.push({ replicas, ...parts, whole });
    for (const [part, time] of Object.entries(parts))
      report(`inference.network.${replicas}.${part}`, time, "ms for each token, the prompt's included");
  }
  progress(table(rows));
}

function table(rows) {
  const columns = ['replicas', 'compute', 'network', 'glue', 'whole'];
  const line = (cells) => cells.map((cell) => String(cell).padStart(9)).join('');
  const number = (row, name) => (name === 'replicas' ? row[name] : row[name].toFixed(2));
  return [
    'milliseconds for each token',
    line(columns),
    ...rows.map((row) => line(columns.map((name) => number(row, name)))),
  ].join('\n');
}

/** Microseconds so far that each worker multiplied, and that the gateway waited. */
async function spent() {
  const busy = WORKERS.map(async (name) => [name, await net.node(name).metric('ensemble_rows_busy_microseconds')]);
  const waited = await net.node('gateway').metric('ensemble_rows_waited_microseconds');
  return { ...Object.fromEntries(await Promise.all(busy)), waited };
}

/** Opens a session of four workers, unless `terms` say something else. */
function asks(scene, terms) {
  return scene.asks({ question: QUESTION, maxTokens: TOKENS, workers: 4, ...terms });
}

/** Has a model answer: how many tokens went through it, in how long, and the rate from the first of the answer on. */
async function answered(scene, terms) {
  return timed(await asks(scene, terms));
}

async function timed(session) {
  const times = [];
  const start = performance.now();
  const { end } = await session.generate(() => times.push(performance.now()));
  // The end is an item too.
  const given = times.slice(0, -1);
  const rate = given.length > 1 ? (1000 * (given.length - 1)) / (given.at(-1) - given[0]) : end.rate;
  return { rate, tokens: end.positions, seconds: (given.at(-1) - start) / 1000 };
}

/** Milliseconds for each token of the answer. */
async function tokenTime(scene, terms) {
  await answered(scene, { ...terms, maxTokens: 2 });
  const { rate } = await answered(scene, terms);
  progress(`${terms.workers} workers: ${rate.toFixed(1)} tokens/s`);
  return 1000 / rate;
}

async function fastest(scene, sessions) {
  const rates = [];
  for (const session of sessions) rates.push((await timed(session)).rate);
  const { layers, width } = scene.model.shape;
  progress(`width ${width}, ${layers} layers: ${Math.max(...rates).toFixed(1)} tokens/s`);
  return 1000 / Math.max(...rates);
}

function draw({ byWorkers, byWidth, byLayers }) {
  const up = 'ms per token';
  const panels = [
    { title: 'SmolLM2, one replica', across: 'workers', up, points: byWorkers },
    { title: '2 layers, 4 workers', across: 'width', up, points: byWidth },
    { title: 'width 64, 4 workers', across: 'layers', up, points: byLayers },
  ];
  const path = fileURLToPath(new URL('../../docs/inference.svg', import.meta.url));
  writeFileSync(path, plot(panels));
  progress(`written: ${path}`);
}
