/** The encoding, written a second time from docs/numerics.md, agrees with the vectors and with the node's own tools. */

import assert from 'node:assert/strict';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { hexToU8a, u8aConcat, u8aToHex } from '@polkadot/util';

import { Tensor, command, encodedLength, failing, headerBytes, npy, proofHolds, rowLength } from '../harness/index.mjs';

const vectors = JSON.parse(readFileSync(new URL('../../primitives/tensor/tests/vectors.json', import.meta.url)));
const fromVector = ({ header, data }) => new Tensor(u8aConcat(hexToU8a(header), hexToU8a(data)));

describe('the test vectors', () => {
  it('headers and lengths', () => {
    for (const { kind, rows, cols, bytes, rowLen, dataLen } of vectors.headers) {
      assert.equal(u8aToHex(headerBytes(kind, rows, cols)), bytes);
      assert.equal(rowLength(kind, cols), rowLen);
      assert.equal(encodedLength({ kind, rows, cols }) - 16, dataLen);
    }
  });

  for (const vector of vectors.tensors) {
    it(`root, id and proof: ${vector.name}`, () => {
      const tensor = fromVector(vector);
      assert.equal(u8aToHex(tensor.root), vector.root);
      assert.equal(tensor.id, vector.id);
      assert(proofHolds(vector.id, vector.proof));
    });
  }

  it('a proof holds for its own id, place and bytes only', () => {
    const { id, proof } = vectors.tensors.find(({ proof: { siblings } }) => siblings.length > 1);
    const flipped = (hex) => u8aToHex(hexToU8a(hex).map((byte, at) => (at === 0 ? byte ^ 1 : byte)));
    assert(!proofHolds(flipped(id), proof));
    assert(!proofHolds(id, { ...proof, index: proof.index ^ 1 }));
    assert(!proofHolds(id, { ...proof, leaf: flipped(proof.leaf) }));
    assert(!proofHolds(id, { ...proof, siblings: [flipped(proof.siblings[0]), ...proof.siblings.slice(1)] }));
    assert(!proofHolds(id, { ...proof, siblings: [...proof.siblings, id] }));
    assert(!proofHolds(id, { ...proof, siblings: proof.siblings.slice(1) }));
  });

  it('bundles', () => {
    const { members, manifest, root, id } = vectors.bundle;
    const bundle = Tensor.bundle(Object.fromEntries(members.map((member) => [member.name, member.id])));
    assert.deepEqual([u8aToHex(bundle.data), u8aToHex(bundle.root), bundle.id], [manifest, root, id]);
  });
});

describe('the tensor command', () => {
  const folder = mkdtempSync(join(tmpdir(), 'ensemble-tensor-'));
  const path = (name) => join(folder, name);
  const rows = 7;
  const cols = 64;
  const values = Array.from({ length: rows * cols }, (_, at) => Math.fround(Math.sin(at) * (1 + (at % 5))));
  /** @type {Tensor} */
  let converted;

  before(async () => {
    writeFileSync(path('table.npy'), npy('f4', rows, cols, values));
    await command(['tensor', 'convert', path('table.npy'), path('table.enst')]);
    converted = new Tensor(readFileSync(path('table.enst')));
  });
  after(() => rmSync(folder, { recursive: true, force: true }));

  it('converts floats to 8-bit blocks whose scale and quants are those of the formula', () => {
    assert.deepEqual([converted.kind, converted.rows, converted.cols], ['q8_0', rows, cols]);
    for (let block = 0; block < (rows * cols) / 32; block += 1) {
      const bytes = Buffer.from(converted.data.subarray(block * 34, (block + 1) * 34));
      const scale = fromHalf(bytes.readUInt16LE(0));
      const wanted = values.slice(block * 32, (block + 1) * 32);
      const largest = Math.max(...wanted.map(Math.abs));
      assert(
        Math.abs(scale - largest / 127) <= (largest / 127) * 2 ** -11,
        'the scale is the nearest half to max / 127',
      );
      wanted.forEach((value, at) => {
        assert(
          Math.abs(bytes.readInt8(2 + at) - value / scale) <= 0.5 + 1e-9 || Math.abs(bytes.readInt8(2 + at)) === 127,
        );
      });
    }
  });

  it('gives the id that the encoding has', async () => {
    const { stdout } = await command(['tensor', 'inspect', path('table.enst')]);
    assert(stdout.includes(converted.id), stdout);
    await command(['tensor', 'verify', path('table.enst'), `--id=${converted.id}`]);
    const { code } = await failing(['tensor', 'verify', path('table.enst'), `--id=${converted.altered().id}`]);
    assert.notEqual(code, 0);
  });

  it('proves and verifies a row, and refuses a changed one', async () => {
    const { stdout } = await command(['tensor', 'prove', path('table.enst'), '3']);
    const proof = JSON.parse(stdout);
    assert(proofHolds(converted.id, proof));
    writeFileSync(path('proof.json'), stdout);
    await command(['tensor', 'verify-proof', path('proof.json'), `--id=${converted.id}`]);
    writeFileSync(path('false.json'), JSON.stringify({ ...proof, index: 4 }));
    const { stderr } = await failing(['tensor', 'verify-proof', path('false.json'), `--id=${converted.id}`]);
    assert.match(stderr, /row|leaf|proof/);
  });

  it('says what is wrong with a file that is no tensor', async () => {
    writeFileSync(path('short.enst'), converted.encoded.subarray(0, converted.encoded.length - 1));
    const { stderr } = await failing(['tensor', 'verify', path('short.enst')]);
    assert.match(stderr, /byte/);
  });
});

/** The number that sixteen bits of a half-precision float mean. */
function fromHalf(bits) {
  const exponent = (bits >> 10) & 31;
  const fraction = bits & 1023;
  return exponent === 0 ? fraction * 2 ** -24 : (1024 + fraction) * 2 ** (exponent - 25);
}
