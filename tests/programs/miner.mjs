/**
 * A miner: serves a model over HTTP, and learns from the chain which validators score it.
 *
 *   node miner.mjs ws://127.0.0.1:9944 NAME [--port=7000] [--wrong=0.25] [--delay=1000]
 *
 * NAME is the name of its module. The owner registers it with this program's URL as its endpoint, before or after this
 * was started, and makes it a miner. The model follows from the module's type.
 *
 * To be a bad miner: `--wrong` is the part of inputs that it answers wrongly, `--delay` milliseconds that it wastes.
 */

import { setTimeout as pause } from 'node:timers/promises';
import { parseArgs } from 'node:util';

import { eachBlock, minerView } from '../harness/subnet.mjs';
import { MODELS, isSpoilt } from './models.mjs';
import { connect, moduleNamed, say, serve } from './service.mjs';

const { values: options, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    port: { type: 'string', default: '0' },
    wrong: { type: 'string', default: '0' },
    delay: { type: 'string', default: '0' },
  },
});
const [url, name] = positionals;

let model;
serve(Number(options.port), async ({ input }) => {
  if (!model) throw new Error('the module is not registered yet');
  await pause(Number(options.delay));
  return { output: isSpoilt(input, Number(options.wrong)) ? null : model(input) };
});

const api = await connect(url);
const module = await moduleNamed(api, name);
model = MODELS[module.type];
say(module);

let known = '';
await eachBlock(api, async () => {
  const { validators = [], standing } = (await minerView(api, module.id)) ?? {};
  const fact = { validators, standing };
  if (JSON.stringify(fact) !== known) say(fact);
  known = JSON.stringify(fact);
});
