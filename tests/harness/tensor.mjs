/**
 * Tensors written down a second time, from docs/numerics.md alone: encoding, Merkle tree, ids and proofs. Nothing here
 * comes from the node, so that agreement says something.
 */

import { blake2AsU8a } from '@polkadot/util-crypto';
import { compactFromU8a, compactToU8a, hexToU8a, u8aConcat, u8aToHex } from '@polkadot/util';

/** The number and the layout of each kind: columns in a group, and bytes of a group. */
export const KINDS = {
  bytes: { number: 0, name: 'Bytes', cols: 1, bytes: 1 },
  bundle: { number: 1, name: 'Bundle', cols: 1, bytes: 1 },
  i16: { number: 2, name: 'I16', cols: 1, bytes: 2 },
  i32: { number: 3, name: 'I32', cols: 1, bytes: 4 },
  q8_0: { number: 4, name: 'Q8_0', cols: 32, bytes: 34 },
  q4_0: { number: 5, name: 'Q4_0', cols: 32, bytes: 18 },
  q4_1: { number: 6, name: 'Q4_1', cols: 32, bytes: 20 },
};

const HEADER = 16;
const BYTES_LEAF = 4096;
const MAX_PIECE = 1 << 20;

const hash = (...parts) => blake2AsU8a(u8aConcat(...parts), 256);
const leafHash = (leaf) => hash([0], leaf);
const nodeHash = (left, right) => hash([1], left, right);
const tensorId = (head, root) => u8aToHex(hash([2], head, root));

/** The sixteen bytes that every tensor begins with. */
export function headerBytes(kind, rows, cols) {
  const bytes = Buffer.alloc(HEADER);
  bytes.write('ENST', 'latin1');
  bytes[4] = 1;
  bytes[5] = KINDS[kind].number;
  bytes.writeUInt32LE(rows, 8);
  bytes.writeUInt32LE(cols, 12);
  return bytes;
}

/** Bytes of a row. */
export const rowLength = (kind, cols) => (cols / KINDS[kind].cols) * KINDS[kind].bytes;

/** Bytes of the canonical encoding of a tensor with this header. */
export const encodedLength = ({ kind, rows, cols }) => HEADER + rows * rowLength(kind, cols);

/** Bytes of a Merkle leaf: a row, or a piece of a tensor without rows. */
const leafLength = (kind, cols) => (kind === 'bytes' || kind === 'bundle' ? BYTES_LEAF : rowLength(kind, cols));

/** The id of the tensor with this header and Merkle root. */
export const idOf = (kind, rows, cols, root) => tensorId(headerBytes(kind, rows, cols), root);

/** A tensor in its canonical encoding, with all that follows from it. */
export class Tensor {
  /** @param {Uint8Array} encoded header and data */
  constructor(encoded) {
    this.encoded = encoded;
    const view = Buffer.from(encoded.buffer, encoded.byteOffset, encoded.length);
    this.kind = Object.keys(KINDS).find((kind) => KINDS[kind].number === view[5]);
    this.rows = view.readUInt32LE(8);
    this.cols = view.readUInt32LE(12);
    this.data = encoded.subarray(HEADER);
  }

  /** Data as it lies in a tensor, without its header. */
  static of(kind, rows, cols, data) {
    return new Tensor(u8aConcat(headerBytes(kind, rows, cols), data));
  }

  /** Little-endian vectors of 16-bit integers. */
  static i16(rows, cols, values) {
    return Tensor.of('i16', rows, cols, new Uint8Array(Int16Array.from(values).buffer));
  }

  /** Plain bytes. */
  static bytes(data) {
    return Tensor.of('bytes', data.length, 1, data);
  }

  /** Named tensors: the SCALE encoding of a list of names and ids, in the order of the names' bytes. */
  static bundle(members) {
    const sorted = Object.entries(members).sort(([left], [right]) =>
      Buffer.compare(Buffer.from(left), Buffer.from(right)),
    );
    const entries = sorted.flatMap(([name, id]) => [
      compactToU8a(name.length),
      Buffer.from(name, 'latin1'),
      hexToU8a(id),
    ]);
    const data = u8aConcat(compactToU8a(sorted.length), ...entries);
    return Tensor.of('bundle', data.length, 1, data);
  }

  /** The ids that a bundle names, by their names: what `bundle` was given. */
  get members() {
    let rest = this.data;
    const take = (length) => {
      const taken = rest.subarray(0, length);
      rest = rest.subarray(length);
      return taken;
    };
    const number = () => {
      const [length, number] = compactFromU8a(rest);
      take(length);
      return number.toNumber();
    };
    const member = () => [Buffer.from(take(number())).toString('latin1'), u8aToHex(take(32))];
    return Object.fromEntries(Array.from({ length: number() }, member));
  }

  /** The numbers of a table of 16-bit integers. */
  get numbers() {
    // A copy begins at an address that numbers may begin at.
    return new Int16Array(Uint8Array.from(this.data).buffer);
  }

  get leafLength() {
    return leafLength(this.kind, this.cols);
  }

  get leafCount() {
    return Math.ceil(this.data.length / this.leafLength);
  }

  leaf(index) {
    return this.data.subarray(index * this.leafLength, (index + 1) * this.leafLength);
  }

  /** The Merkle root over all leaves. */
  get root() {
    if (!this.cachedRoot) {
      this.cachedRoot = rootOf(this.leafHashes());
    }
    return this.cachedRoot;
  }

  leafHashes(first = 0, end = this.leafCount) {
    return Array.from({ length: end - first }, (_, index) => leafHash(this.leaf(first + index)));
  }

  /** Leaves in a piece, in which tensors go from node to node; the last piece has the rest. */
  get pieceLeaves() {
    return 2 ** Math.floor(Math.log2(MAX_PIECE / this.leafLength));
  }

  piece(index) {
    const length = this.pieceLeaves * this.leafLength;
    return this.data.subarray(index * length, (index + 1) * length);
  }

  /** The root over each piece: with the header, the tensor's outline. */
  pieceHashes() {
    const { leafCount, pieceLeaves } = this;
    return Array.from({ length: Math.ceil(leafCount / pieceLeaves) }, (_, index) =>
      rootOf(this.leafHashes(index * pieceLeaves, Math.min((index + 1) * pieceLeaves, leafCount))),
    );
  }

  get id() {
    return idOf(this.kind, this.rows, this.cols, this.root);
  }

  /** What a reveal names: `Descriptor` as polkadot.js takes it. */
  get descriptor() {
    const header = { kind: KINDS[this.kind].name, rows: this.rows, cols: this.cols };
    return { header, root: u8aToHex(this.root) };
  }

  /** The same tensor with one bit of one leaf changed. */
  altered(leaf = 0) {
    const encoded = Uint8Array.from(this.encoded);
    encoded[HEADER + leaf * this.leafLength + (this.kind.startsWith('q') ? 4 : 0)] ^= 1;
    return new Tensor(encoded);
  }
}

function rootOf(level) {
  while (level.length > 1) level = pairUp(level);
  return level[0];
}

/** Nodes are paired from the left; the last without a partner is carried up unchanged. */
function pairUp(level) {
  const parents = [];
  for (let left = 0; left < level.length; left += 2) {
    parents.push(left + 1 < level.length ? nodeHash(level[left], level[left + 1]) : level[left]);
  }
  return parents;
}

/**
 * Whether a proof, as `ensemble_tensorProof` gives it, shows that its leaf belongs to the tensor `id`.
 *
 * @param {string} id
 * @param {{ header: { kind: string, rows: number, cols: number }, index: number, leaf: string, siblings: string[] }} proof
 */
export function proofHolds(id, { header, index, leaf, siblings }) {
  const dataLength = encodedLength(header) - HEADER;
  const leaves = Math.ceil(dataLength / leafLength(header.kind, header.cols));
  if (index >= leaves) return false;
  let node = leafHash(hexToU8a(leaf));
  const path = siblings.map((sibling) => hexToU8a(sibling));
  for (let at = index, width = leaves; width > 1; at = at >> 1, width = Math.ceil(width / 2)) {
    if (at % 2 === 1) node = nodeHash(take(path), node);
    else if (at + 1 < width) node = nodeHash(node, take(path));
  }
  return path.length === 0 && idOf(header.kind, header.rows, header.cols, node) === id;
}

const take = (path) => path.shift() ?? new Uint8Array(32);
