/** Writing .npy files: what numpy would write for a two-dimensional little-endian array. */

const TYPES = { f4: Float32Array, i2: Int16Array, i4: Int32Array };

/**
 * @param {'f2' | 'f4' | 'i2' | 'i4'} type
 * @param {number} rows
 * @param {number} cols
 * @param {ArrayLike<number> | Uint8Array} values row by row; for `f2` the encoded bytes
 * @returns {Uint8Array}
 */
export function npy(type, rows, cols, values) {
  const description = `{'descr': '<${type}', 'fortran_order': False, 'shape': (${rows}, ${cols}), }`;
  // Magic, version and length are ten bytes, and the data begins at a multiple of 64.
  const padded = description.padEnd(Math.ceil((description.length + 11) / 64) * 64 - 11) + '\n';
  const head = Buffer.alloc(10);
  head.write('\x93NUMPY\x01\x00', 'latin1');
  head.writeUInt16LE(padded.length, 8);
  const data = type === 'f2' ? values : new Uint8Array(TYPES[type].from(values).buffer);
  return Buffer.concat([head, Buffer.from(padded, 'latin1'), data]);
}
