/** Writing .gguf files, and a tiny Llama that is made in milliseconds and asked in seconds. */

/** Numbers of the types of values in a file. */
const TYPES = { u32: 4, i32: 5, f32: 6, flag: 7, text: 8, list: 9 };

/** Numbers of the types of tensors, and the bytes of so many elements. */
const TENSORS = {
  f32: { number: 0, elements: 1, bytes: 4 },
  f16: { number: 1, elements: 1, bytes: 2 },
  q4_0: { number: 2, elements: 32, bytes: 18 },
  q4_1: { number: 3, elements: 32, bytes: 20 },
  q8_0: { number: 8, elements: 32, bytes: 34 },
  q6_k: { number: 14, elements: 256, bytes: 210 },
};

/** Where tensors begin: at multiples of this. */
const ALIGNMENT = 32;

const u32 = (number) => {
  const bytes = Buffer.alloc(4);
  bytes.writeUInt32LE(number);
  return bytes;
};

const u64 = (number) => {
  const bytes = Buffer.alloc(8);
  bytes.writeBigUInt64LE(BigInt(number));
  return bytes;
};

const text = (string) => Buffer.concat([u64(Buffer.byteLength(string)), Buffer.from(string)]);

const VALUES = {
  u32,
  i32: (number) => u32(number >>> 0),
  f32: (number) => Buffer.from(Float32Array.of(number).buffer),
  flag: (flag) => Buffer.of(flag ? 1 : 0),
  text,
  list: ([type, values]) => Buffer.concat([u32(TYPES[type]), u64(values.length), ...values.map(VALUES[type])]),
};

const padded = (bytes) => Buffer.concat([bytes, Buffer.alloc((ALIGNMENT - (bytes.length % ALIGNMENT)) % ALIGNMENT)]);

/**
 * A file with these keys and tensors.
 *
 * @param {{
 *   keys: Record<string, [keyof typeof VALUES, unknown]>,
 *   tensors: Record<string, { type: keyof typeof TENSORS, rows: number, cols: number, data: Uint8Array }>,
 *   version?: number,
 * }} content
 * @returns {Buffer}
 */
export function gguf({ keys, tensors, version = 3 }) {
  const described = [];
  const data = [];
  let start = 0;
  for (const [name, { type, rows, cols, data: bytes }] of Object.entries(tensors)) {
    const dimensions = rows === 1 ? [cols] : [cols, rows];
    const shape = [u32(dimensions.length), ...dimensions.map(u64)];
    described.push(text(name), ...shape, u32(TENSORS[type].number), u64(start));
    data.push(padded(Buffer.from(bytes)));
    start += data.at(-1).length;
  }
  const values = Object.entries(keys).flatMap(([key, [type, value]]) => [
    text(key),
    u32(TYPES[type]),
    VALUES[type](value),
  ]);
  const counts = [u64(Object.keys(tensors).length), u64(Object.keys(keys).length)];
  const head = Buffer.concat([Buffer.from('GGUF'), u32(version), ...counts, ...values, ...described]);
  return Buffer.concat([padded(head), ...data]);
}

/** Numbers that look random and are the same everywhere: xorshift on 32 bits. */
function* numbers(seed) {
  let state = seed || 1;
  for (;;) {
    state ^= state << 13;
    state ^= state >>> 17;
    state ^= state << 5;
    yield state >>> 0;
  }
}

/** binary16 of 2^-5: quants of 8 bits become weights up to 4 in magnitude. */
const SCALE_8 = 0x2800;
/** binary16 of 2^-3, and of minus 1: nibbles become weights from -1 to 0.875. */
const SCALE_4 = 0x3000;
const MINUS_ONE = 0xbc00;

/** The data of a matrix of random weights. */
function weights(type, rows, cols, random) {
  const { elements, bytes } = TENSORS[type];
  const data = Buffer.alloc(((rows * cols) / elements) * bytes);
  for (let at = 0; at < data.length; at += bytes) {
    if (type === 'f32') data.writeFloatLE(((random() % 256) - 128) / 128, at);
    // Exponents of 2^-5 to 2^-2.
    if (type === 'f16') data.writeUInt16LE((random() & 0x83ff) | ((10 + (random() % 4)) << 10), at);
    if (elements === 1) continue;
    for (let place = 2; place < bytes; place += 1) data[at + place] = random() & 0xff;
    data.writeUInt16LE(type === 'q8_0' ? SCALE_8 : SCALE_4, at);
    if (type === 'q4_1') data.writeUInt16LE(MINUS_ONE, at + 2);
  }
  return { type, rows, cols, data };
}

/** The characters that stand for the 256 bytes in a vocabulary of merged bytes, as GPT-2 has them. */
function byteCharacters() {
  const printed = (byte) => (byte >= 33 && byte <= 126) || (byte >= 161 && byte !== 173);
  let hidden = 256;
  return Array.from({ length: 256 }, (_, byte) => String.fromCodePoint(printed(byte) ? byte : hidden++));
}

/** Pairs that are merged, each the first of those after it. */
const MERGES = [
  't h',
  'th e',
  'i n',
  'a n',
  'e r',
  'o u',
  'Ġ t',
  'Ġ a',
  'Ġ th',
  'o n',
  'r e',
  'h a',
  'l l',
  'l o',
  'e l',
];

const TEMPLATE =
  "{% for message in messages %}{{ '<|im_start|>' + message['role'] + '\n' + message['content'] + '<|im_end|>' + '\n' }}" +
  "{% endfor %}{% if add_generation_prompt %}{{ '<|im_start|>assistant\n' }}{% endif %}";

/** The content of the tiny model's file, for tests that want another one. */
export function tinyContent({ seed = 1, tied = true, layers = 2, width = 64 } = {}) {
  const source = numbers(seed);
  const random = () => source.next().value;
  const [heads, kvHeads, hidden] = [width / 16, width / 32, 2 * width];
  const special = ['<|endoftext|>', '<|im_start|>', '<|im_end|>'];
  const tokens = [...special, ...byteCharacters(), ...MERGES.map((merge) => merge.replace(' ', ''))];
  // A multiple of 4, so that up to 4 ranges are of one length.
  while (tokens.length % 4) tokens.push(`<|unused_${tokens.length}|>`);
  const control = (token) => token.startsWith('<|');
  const keys = {
    'general.architecture': ['text', 'llama'],
    'general.name': ['text', 'tiny'],
    'llama.block_count': ['u32', layers],
    'llama.context_length': ['u32', 256],
    'llama.embedding_length': ['u32', width],
    'llama.feed_forward_length': ['u32', hidden],
    'llama.attention.head_count': ['u32', heads],
    'llama.attention.head_count_kv': ['u32', kvHeads],
    'llama.attention.layer_norm_rms_epsilon': ['f32', 1e-5],
    'llama.rope.dimension_count': ['u32', width / heads],
    'llama.rope.freq_base': ['f32', 10_000],
    'tokenizer.ggml.model': ['text', 'gpt2'],
    'tokenizer.ggml.pre': ['text', 'smollm'],
    'tokenizer.ggml.tokens': ['list', ['text', tokens]],
    'tokenizer.ggml.token_type': ['list', ['i32', tokens.map((token) => (control(token) ? 3 : 1))]],
    'tokenizer.ggml.merges': ['list', ['text', MERGES]],
    'tokenizer.ggml.bos_token_id': ['u32', 1],
    'tokenizer.ggml.eos_token_id': ['u32', 2],
    'tokenizer.chat_template': ['text', TEMPLATE],
  };
  const norm = () => weights('f32', 1, width, () => 192 + (random() % 64));
  const tensors = { 'token_embd.weight': weights('q8_0', tokens.length, width, random) };
  const keyWidth = (width / heads) * kvHeads;
  for (let layer = 0; layer < layers; layer += 1) {
    const matrices = {
      attn_q: ['q4_1', width, width],
      attn_k: ['q4_0', keyWidth, width],
      attn_v: ['q8_0', keyWidth, width],
      attn_output: ['q4_1', width, width],
      ffn_gate: ['f16', hidden, width],
      ffn_up: ['q4_0', hidden, width],
      ffn_down: ['f32', width, hidden],
    };
    for (const [name, shape] of Object.entries(matrices))
      tensors[`blk.${layer}.${name}.weight`] = weights(...shape, random);
    for (const name of ['attn_norm', 'ffn_norm']) tensors[`blk.${layer}.${name}.weight`] = norm();
  }
  tensors['output_norm.weight'] = norm();
  if (!tied) tensors['output.weight'] = weights('q8_0', tokens.length, width, random);
  return { keys, tensors };
}

/** The file of a tiny Llama: 2 layers, width 64, 4 heads on 2 of keys, hidden 128, 276 tokens, 256 positions. */
export function tinyModel(options) {
  return gguf(tinyContent(options));
}
