/** The miners and validators of the benchmark of matching, by number: the validators are the first. */

export const VALIDATORS = 700;
export const MINERS = 20_000;
/** Modules of one account. */
export const EACH = 10;

/** Validators of the type that has few of them, so that each has more than 100 miners. */
const BUSY = 49;
const BUSY_TYPE = 'chat';
/** Words that names of miners begin with, by what types they are of. */
const FAMILIES = {
  diffusion: 'sdxl',
  chat: 'llama',
  'image-classification': 'mobilenet',
  'audio-processing': 'whisper',
  embedding: 'sentence-transformers',
  'video-generation': 'sora',
  'text-to-speech': 'eleven',
};
const TYPES = Object.keys(FAMILIES);
const OTHERS = TYPES.filter((type) => type !== BUSY_TYPE);

/**
 * Who a number stands for. There is room for twice as many miners as there are, in each type, also when one leaves.
 *
 * @returns {{ name: string, judges?: string, capacity?: number }}
 */
export function participant(number) {
  if (number >= VALIDATORS) return { name: `${FAMILIES[TYPES[number % TYPES.length]]}-of-${number}` };
  const name = `judge-number-${number}`;
  if (number < BUSY) return { name, judges: BUSY_TYPE, capacity: 200 };
  return { name, judges: OTHERS[number % OTHERS.length], capacity: 100 };
}
