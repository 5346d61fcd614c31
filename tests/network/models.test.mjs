/** Models: import of a file by the node's command, and what comes of it on a node. */

import assert from 'node:assert/strict';
import { mkdtempSync, readFileSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';

import {
  Network,
  SMOLLM2,
  Tensor,
  asked,
  command,
  failing,
  gguf,
  imported,
  smollm2,
  tinyContent,
  tinyModel,
} from '../harness/index.mjs';

const folder = mkdtempSync(join(tmpdir(), 'ensemble-models-'));
const path = (name) => join(folder, name);
after(() => rmSync(folder, { recursive: true, force: true }));

/** Writes a file of the tiny model with other keys and tensors, and returns its path. */
function written(name, { keys = {}, tensors = {}, ...options } = {}) {
  const content = tinyContent();
  writeFileSync(
    path(name),
    gguf({ keys: { ...content.keys, ...keys }, tensors: { ...content.tensors, ...tensors }, ...options }),
  );
  return path(name);
}

const tokensOf = async (model, text) =>
  JSON.parse((await command(['model', 'tokens', model.manifest, text, '--json'])).stdout);

describe('a tiny model', () => {
  let model;

  before(async () => {
    writeFileSync(path('tiny.gguf'), tinyModel());
    model = await imported(path('tiny.gguf'), path('tiny'));
  });

  it('has the same id whenever and wherever it is imported', async () => {
    assert.equal(model.id, '0x2fe111c0f2f3571ffcd06e8fe6db461cec05355787cbcdaf86572ae4173b8c98');
    assert.equal((await imported(path('tiny.gguf'), path('again'))).id, model.id);
    assert.notEqual((await imported(path('tiny.gguf'), path('short'), { context: 64 })).id, model.id);
  });

  it('is a bundle whose members are what their names say', () => {
    assert.equal(model.tensor().id, model.id);
    for (const id of Object.values(model.members)) assert.equal(new Tensor(readFileSync(model.file(id))).id, id);
    assert.equal(readdirSync(model.folder).length, new Set(Object.values(model.members)).size + 1);
    const { tensors } = tinyContent();
    for (const name of ['token_embd.weight', 'blk.0.attn_q.weight', 'blk.1.ffn_up.weight'])
      assert.deepEqual(Buffer.from(model.tensor(name).data), tensors[name].data);
  });

  it('answers the same with any number of threads', async () => {
    const alone = await asked(model, 'the end', { tokens: 24, threads: 1 });
    assert.deepEqual((await asked(model, 'the end', { tokens: 24, threads: 2 })).answer, alone.answer);
    assert.notDeepEqual((await asked(model, 'the start', { tokens: 24 })).answer, alone.answer);
    const { text } = await tokensOf(model, '<|im_start|>user\nthe end<|im_end|>\n<|im_start|>assistant\n');
    assert.equal(text, 'user\nthe end\nassistant\n');
  });

  it('is refused with a sentence if it is not what can be imported', async () => {
    const refused = async (file) => (await failing(['model', 'import', file, '--out', path('refused')])).stderr;
    const yarn = written('yarn.gguf', { keys: { 'llama.rope.scaling.type': ['text', 'yarn'] } });
    assert.match(await refused(yarn), /stretched \("yarn"\)/);
    const other = written('other.gguf', { keys: { 'general.architecture': ['text', 'mamba'] } });
    assert.match(await refused(other), /only models of architecture "llama" are imported/);
    assert.match(await refused(written('old.gguf', { version: 1 })), /format version 1/);
    const kept = readFileSync(path('tiny.gguf'));
    writeFileSync(path('cut.gguf'), kept.subarray(0, kept.length - 5000));
    assert.match(await refused(path('cut.gguf')), /goes beyond its end; was it cut\?/);
  });

  it('cannot take the memory of who renders its template', async () => {
    const doubling = `{% set ns = namespace(a='xxxxxxxxxxxxxxxx') %}{% for i in range(64) %}{% set ns.a = ns.a ~ ns.a %}{% endfor %}`;
    const file = written('bomb.gguf', { keys: { 'tokenizer.chat_template': ['text', doubling] } });
    const bomb = await imported(file, path('bomb'));
    const { stderr } = await failing(['model', 'ask', bomb.manifest, 'hi']);
    assert.match(stderr, /took too much memory or time/);
  });
});

describe('a model on a node', () => {
  it('is stored and held as a whole', async () => {
    writeFileSync(path('node.gguf'), tinyModel({ tied: false, seed: 7 }));
    const model = await imported(path('node.gguf'), path('node'));
    const net = await Network.start({ validators: 1 });
    try {
      const { tensors } = net.nodes[0];
      await model.upload(tensors);
      // A bundle is held when all its members are.
      await tensors.reaches(model.id, 'held');
      assert.equal((await tensors.download(model.members.rope)).id, model.members.rope);
    } finally {
      await net.stop();
    }
  });
});

describe('SmolLM2', () => {
  let model;

  before(async () => {
    model = await imported(await smollm2(), path('smollm2'));
  });

  it('has the id that it has everywhere', () => assert.equal(model.id, SMOLLM2));

  it('makes the tokens of a text that two other programs make', async () => {
    const vectors = JSON.parse(readFileSync(new URL('../harness/smollm2-tokens.json', import.meta.url)));
    for (const { text, tokens } of vectors) assert.deepEqual((await tokensOf(model, text)).tokens, tokens, text);
  });

  it('is prompted as its makers prompt it', async () => {
    const { prompt, answer } = await asked(model, 'What is a blockchain?', { tokens: 4, threads: 2 });
    const system = [
      1, 9690, 198, 2683, 359, 253, 5356, 5646, 11173, 3365, 3511, 308, 34519, 28, 7018, 411, 407, 19712, 8182, 2, 198,
    ];
    assert.deepEqual(prompt, [...system, 1, 4093, 198, 1780, 314, 253, 13779, 47, 2, 198, 1, 520, 9531, 198]);
    assert.equal(answer.length, 4);
  });
});
