/**
 * One small model of each type: what the example miners serve, and how the example validators know what is right.
 *
 * They stand in for real ones. What matters is that the same input has the same output everywhere, so that an answer
 * can be checked.
 */

import { createHash } from 'node:crypto';

/** Bytes that follow from a text. */
const noise = (text, length) => [...createHash('shake256', { outputLength: length }).update(text).digest()];
const sum = (numbers) => numbers.reduce((total, number) => total + number, 0);

const PIXELS = 64;
const LABELS = ['cat', 'dog', 'house', 'ship', 'tree'];

/** The models by the names of their types. */
export const MODELS = {
  diffusion: (prompt) => noise(prompt, PIXELS),
  chat: (prompt) => `${prompt.split(' ').reverse().join(' ')}?`,
  'image-classification': (pixels) => LABELS[sum(pixels) % LABELS.length],
  'audio-processing': (samples) => samples.map((sample) => (sample < 128 ? 'la' : 'na')).join(' '),
  embedding: (text) => [...'abcdefghijklmnopqrstuvwxyz'].map((letter) => text.split(letter).length - 1),
  'video-generation': (prompt) => [0, 1, 2, 3].map((frame) => noise(`${prompt}, ${frame} s later`, PIXELS)),
  'text-to-speech': (text) => [...text].flatMap((letter) => noise(letter, 4)),
};

const PROMPTS = [
  ...['a red bird', 'the king of spades', 'snow on a roof', 'three people agree', 'a slow train'],
  ...['rain in May', 'an empty harbour', 'two rows of trees', 'the last lamp', 'a door that is ajar'],
];
/** What models take that do not take text. */
const TAKES_NOISE = ['image-classification', 'audio-processing'];

/** Inputs for a model of a type, with the right outputs. */
export function casesOf(type) {
  const inputs = TAKES_NOISE.includes(type) ? PROMPTS.map((prompt) => noise(prompt, PIXELS)) : PROMPTS;
  return inputs.map((input) => ({ input, output: MODELS[type](input) }));
}

/** Whether a model that answers so large a part wrongly, always the same, does so here. */
export const isSpoilt = (input, part) => noise(JSON.stringify(input), 1)[0] < part * 256;
