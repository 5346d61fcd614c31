/** Tensors on their way into a node and from node to node, with peers that lie, stall and vanish. */

import assert from 'node:assert/strict';
import { closeSync, openSync, writeSync } from 'node:fs';
import { after, before, describe, it } from 'node:test';

import { Hopeless, Network, Tensor, headerBytes, proofHolds, until } from '../harness/index.mjs';
import { Answer, MAX_ANSWER, Peer } from '../harness/peer.mjs';

const MIB = 1024 * 1024;
/** Long enough to be caught in the middle. */
const BIG = 128 * MIB;

describe('uploads', { concurrency: 32 }, () => {
  /** @type {Network} */
  let net;
  /** @type {import('../harness/store.mjs').Tensors} */
  let store;

  before(async () => {
    net = await Network.start({ args: ['--tensor-quota=4MiB'] });
    store = net.first.tensors;
  });
  after(() => net?.stop());

  it('one byte short: not held, and continued where it stopped', async () => {
    const tensor = Tensor.bytes(noise(10_000, 1));
    const answer = await store.putPart(tensor.id, 0, tensor.encoded.subarray(0, -1));
    assert.deepEqual(answer, { received: 10_015, total: 10_016, complete: false });
    assert.equal((await store.status(tensor.id)).status, 'absent');
    await store.putPart(tensor.id, 10_015, tensor.encoded.subarray(-1));
    assert.equal((await store.status(tensor.id)).status, 'held');
    assert((await store.putPart(tensor.id, 0, tensor.encoded)).complete, 'what is held is complete at once');
  });

  it('one byte too many', async () => {
    const tensor = Tensor.bytes(noise(5_000, 2));
    await refused(
      store.putPart(tensor.id, 0, Buffer.concat([tensor.encoded, Buffer.alloc(1)])),
      /header says .* bytes/,
    );
    assert.equal((await store.status(tensor.id)).status, 'absent');
  });

  it('bytes with another id than was named', async () => {
    const tensor = Tensor.i16(8, 8, [...noise(64, 3)]);
    const altered = tensor.altered(5);
    await refused(store.put(tensor.id, altered.encoded), new RegExp(`those of tensor ${altered.id}`));
    assert.equal((await store.status(tensor.id)).status, 'absent');
    assert.equal((await store.status(altered.id)).status, 'absent');
  });

  it('a scale that is no number', async () => {
    const block = Buffer.alloc(34);
    block.writeUInt16LE(0x7e00);
    const tensor = new Tensor(Buffer.concat([headerBytes('q8_0', 1, 32), block]));
    await refused(store.put(tensor.id, tensor.encoded), /no valid tensor/);
  });

  it('a header that nothing can have', async () => {
    const tensor = Tensor.bytes(noise(64, 4));
    await refused(store.putPart(tensor.id, 0, Buffer.from('no tensor at all')), /no valid tensor/);
    await refused(store.putPart(tensor.id, 0, headerBytes('q8_0', 1, 33)), /no valid tensor/);
  });

  it('a manifest out of order', async () => {
    const data = Buffer.concat(
      [[8], [4], Buffer.from('b'), Buffer.alloc(32), [4], Buffer.from('a'), Buffer.alloc(32)].map(Buffer.from),
    );
    const bundle = new Tensor(Buffer.concat([headerBytes('bundle', data.length, 1), data]));
    await refused(store.put(bundle.id, bundle.encoded), /no valid tensor/);
  });

  it('parts out of order, too long, or no base64', async () => {
    const tensor = Tensor.bytes(noise(50_000, 5));
    await store.putPart(tensor.id, 0, tensor.encoded.subarray(0, 1_000));
    await refused(store.putPart(tensor.id, 2_000, tensor.encoded.subarray(2_000)), /continues at offset 1000/);
    await refused(store.putPart(tensor.id, 1_000, Buffer.alloc(4 * MIB + 1)), /at most/);
    await refused(net.first.rpc('ensemble_putTensor', tensor.id, 0, 'not*base64'), /base64/);
    await refused(net.first.rpc('ensemble_putTensor', '0x1234', 0, ''), /./);
  });

  it('ranges and rows that are not there', async () => {
    const tensor = Tensor.i16(4, 4, [...noise(16, 6)]);
    await store.put(tensor.id, tensor.encoded);
    assert.deepEqual(await store.range(tensor.id, 16, 8), Buffer.from(tensor.data.subarray(0, 8)));
    await refused(store.range(tensor.id, 40, 9), /not all among them/);
    await refused(store.range(tensor.id, 0, 4 * MIB + 1), /several ranges/);
    await refused(store.proof(tensor.id, 4), /./);
    const absent = Tensor.bytes(noise(3, 7));
    await refused(store.range(absent.id, 0, 1), /has no tensor/);
    await refused(store.proof(absent.id, 0), /has no tensor/);
  });

  it('a full store keeps what is pinned, and lets go what is not', async () => {
    const [kept, first, second, third] = [8, 9, 10, 11].map((seed) => Tensor.bytes(noise(1.2 * MIB, seed)));
    await store.put(kept.id, kept.encoded);
    await store.pin(kept.id);
    await refused(store.remove(kept.id), /pinned/);
    for (const tensor of [first, second, third]) await store.put(tensor.id, tensor.encoded);
    assert.equal((await store.status(first.id)).status, 'absent', 'the one not used for longest made room');
    assert.equal((await store.status(kept.id)).status, 'held');
    const info = await store.info();
    assert(info.bytes <= info.quota && info.quota === 4 * MIB, JSON.stringify(info));
    const large = Tensor.bytes(noise(3.5 * MIB, 12));
    await refused(store.put(large.id, large.encoded), /store is full/);
    await store.unpin(kept.id);
    await store.put(large.id, large.encoded);
    assert.equal((await store.status(kept.id)).status, 'absent');
  });
});

describe('the exchange', () => {
  /** @type {Network} */
  let net;
  /** @type {import('../harness/node.mjs').Node} */
  let mirror;
  /** @type {Peer[]} */
  const liars = [];
  const big = Tensor.bytes(noise(BIG, 20));

  before(async () => {
    net = await Network.start({ metrics: true });
    mirror = net.first;
    await mirror.tensors.put(big.id, big.encoded);
  });
  after(async () => {
    await Promise.all(liars.map((liar) => liar.stop()));
    await net?.stop();
  });

  const join = (name, args = []) => net.add({ name, args });
  const served = (node) => node.metric('ensemble_tensors_served_bytes_total');
  /** Waits until a fetch is under way in which `source` takes part. */
  const caughtInTheMiddle = (reader, source = mirror) =>
    until(
      `${source.name} to serve ${reader.name}`,
      async () => {
        const { status, received } = await reader.tensors.status(big.id);
        if (status === 'held') throw new Hopeless('the fetch was over before it could be disturbed');
        return status === 'fetching' && received > 2 * MIB && (await served(source)) > 0;
      },
      { within: 30_000, every: 1 },
    );

  it('an empty node fetches a tensor and a bundle with its members, and proves rows of them', async () => {
    const reader = await join('empty');
    const member = Tensor.i16(500, 60, [...noise(30_000, 21)]);
    const bundle = Tensor.bundle({ only: member.id });
    await mirror.tensors.put(member.id, member.encoded);
    await mirror.tensors.put(bundle.id, bundle.encoded);
    await reader.tensors.fetch(bundle.id);
    await reader.tensors.reaches(bundle.id, 'held');
    const proof = await reader.tensors.proof(member.id, 499);
    assert(proofHolds(member.id, proof));
    assert.deepEqual(await reader.tensors.get(member.id), Buffer.from(member.encoded));
    assert((await served(mirror)) >= member.data.length);
    assert((await reader.metric('ensemble_tensors_fetched_bytes_total')) >= member.data.length);
  });

  it('a node whose disk spoils a tensor does not serve it, and the rest comes from another', async () => {
    const spoilt = await join('spoilt');
    const tensor = Tensor.bytes(noise(3 * MIB, 22));
    await spoilt.tensors.put(tensor.id, tensor.encoded);
    corrupt(spoilt.tensors.file(tensor.id), MIB + 100);
    const reader = await join('patron');

    await reader.tensors.fetch(tensor.id);
    await assert.rejects(reader.tensors.reaches(tensor.id, 'held'), /could not fetch/);
    assert.equal(await reader.metric('ensemble_tensors_rejected_bytes_total'), 0);
    assert.equal((await spoilt.tensors.status(tensor.id)).status, 'absent');

    await mirror.tensors.put(tensor.id, tensor.encoded);
    await reader.tensors.fetch(tensor.id);
    await reader.tensors.reaches(tensor.id, 'held');
    assert.deepEqual(await reader.tensors.get(tensor.id), Buffer.from(tensor.encoded));
  });

  /**
   * Has a new node fetch a tensor that only a liar claims to hold, in vain, and once more when an honest node holds it
   * too. The liar is honest until it is asked for a piece.
   *
   * @param {string} name of the node
   * @param {number} seed of the tensor
   * @param {(tensor: Tensor, index: number) => Uint8Array} lie the answer to whoever asks for a piece
   */
  async function liedTo(name, seed, lie) {
    const tensor = Tensor.bytes(noise(2.5 * MIB, seed));
    const reader = await net.add({ name, tcp: true });
    const liar = await Peer.start(reader.api.genesisHash, (request) =>
      request.kind === 'piece' ? lie(tensor, request.index) : Answer.honest(tensor, request),
    );
    liars.push(liar);
    await liar.join(reader);
    await reader.tensors.fetch(tensor.id);
    await assert.rejects(reader.tensors.reaches(tensor.id, 'held'), /could not fetch .*: no reachable peer/);
    assert.equal(await reader.metric('ensemble_tensors_fetched_bytes_total'), 0);

    await mirror.tensors.put(tensor.id, tensor.encoded);
    await reader.tensors.fetch(tensor.id);
    await reader.tensors.reaches(tensor.id, 'held');
    assert.deepEqual(await reader.tensors.get(tensor.id), Buffer.from(tensor.encoded));
    const lies = liar.asked.filter(({ kind }) => kind === 'piece').length;
    return { reader, liar, lies, rejected: await reader.metric('ensemble_tensors_rejected_bytes_total') };
  }

  /** The first lie was the last: the node has dropped the liar for `reason`, and does not take it back. */
  async function isBanned({ reader, liar, lies, rejected }, length, reason) {
    assert.deepEqual({ lies, rejected }, { lies: 1, rejected: length });
    await until('the liar to be dropped', async () => !(await liar.isPeerOf(reader)));
    assert.match(reader.output(), new RegExp(`Report ${liar.id}: .* Reason: ${reason}\\. Banned`));
    await assert.rejects(liar.join(reader));
    assert(!(await liar.isPeerOf(reader)));
  }

  it('a peer that serves wrong bytes is banned, and the tensor comes from another', async () => {
    const outcome = await liedTo('deceived', 25, (tensor, index) => {
      const piece = Uint8Array.from(tensor.piece(index));
      piece[1_000] ^= 1;
      return Answer.piece(piece);
    });
    await isBanned(outcome, MIB, 'Tensor bytes do not match their hash');
  });

  it('so is a peer whose answer is no message', async () => {
    const answer = Buffer.from('no message at all');
    const outcome = await liedTo('puzzled', 26, () => answer);
    await isBanned(outcome, answer.length, 'Malformed tensor response');
  });

  it('so is a peer that sends more bytes than a piece may have', async () => {
    const answer = Answer.piece(new Uint8Array(MIB + 1));
    const outcome = await liedTo('stuffed', 27, () => answer);
    await isBanned(outcome, answer.length, 'Malformed tensor response');
  });

  it('an answer that is longer than any is not read, and the tensor comes from another', async () => {
    const answer = new Uint8Array(MAX_ANSWER + 1);
    const { reader, liar, lies, rejected } = await liedTo('flooded', 28, () => answer);
    assert(lies > 1, 'like whoever is out of reach, it was asked again');
    assert.equal(rejected, 0);
    assert(await liar.isPeerOf(reader));
  });

  it('a peer that stalls does not stop a fetch that another can serve', async () => {
    const staller = await join('staller');
    await staller.tensors.put(big.id, big.encoded);
    const reader = await join('patient');
    await reader.tensors.fetch(big.id);
    await caughtInTheMiddle(reader, staller);
    staller.freeze();
    await reader.tensors.reaches(big.id, 'held');
    staller.thaw();
    await staller.stop();
  });

  it('a peer that vanishes in the middle does not stop it either', async () => {
    const leaver = await join('leaver');
    await leaver.tensors.put(big.id, big.encoded);
    const reader = await join('left');
    await reader.tensors.fetch(big.id);
    await caughtInTheMiddle(reader, leaver);
    await leaver.kill();
    await reader.tensors.reaches(big.id, 'held');
    assert(proofHolds(big.id, await reader.tensors.proof(big.id, 30_000)));
  });

  it('killed in the middle of a fetch, a node takes up what it had', async () => {
    const reader = await join('killed');
    await reader.tensors.fetch(big.id);
    await caughtInTheMiddle(reader);
    await reader.kill();
    await net.restart(reader);
    assert.notEqual((await reader.tensors.status(big.id)).status, 'held');
    await reader.tensors.fetch(big.id);
    await reader.tensors.reaches(big.id, 'held');
    const fetched = await reader.metric('ensemble_tensors_fetched_bytes_total');
    assert(fetched > 0 && fetched < BIG, `${fetched} bytes were fetched the second time, of ${BIG}`);
    const row = await reader.tensors.proof(big.id, 0);
    assert(proofHolds(big.id, row));
  });

  it('killed with tensors in its store, a node has them again', async () => {
    const keeper = await join('keeper');
    const tensor = Tensor.i16(100, 100, [...noise(10_000, 23)]);
    await keeper.tensors.put(tensor.id, tensor.encoded);
    await keeper.tensors.pin(tensor.id);
    await keeper.kill();
    await net.restart(keeper);
    const status = await keeper.tensors.reaches(tensor.id, 'held');
    assert.equal(status.pinned, true);
    assert.deepEqual(await keeper.tensors.get(tensor.id), Buffer.from(tensor.encoded));
  });

  it('what does not fit into the store, or is larger than was allowed, is not fetched', async () => {
    const small = await join('small', ['--tensor-quota=1MiB']);
    await small.tensors.fetch(big.id);
    await assert.rejects(small.tensors.reaches(big.id, 'held'), /does not fit into the store/);
    await small.tensors.fetch(big.id, 1_000);
    await assert.rejects(small.tensors.reaches(big.id, 'held'), /larger than was allowed/);
    assert((await small.tensors.info()).bytes < MIB);
  });

  it('what nobody has is not found', async () => {
    const reader = net.node('empty');
    const nowhere = Tensor.bytes(noise(100, 24));
    await reader.tensors.fetch(nowhere.id);
    await assert.rejects(reader.tensors.reaches(nowhere.id, 'held', { within: 120_000 }), /no reachable peer/);
  });
});

/** The node refuses a call with a message that matches. */
async function refused(call, message) {
  await assert.rejects(call, (error) => {
    assert.match(error.message, message);
    return true;
  });
}

/** Bytes that look random and are the same in every run. */
function noise(length, seed) {
  const bytes = new Uint8Array(Math.floor(length));
  let state = (seed * 2_654_435_761) >>> 0 || 1;
  for (let at = 0; at < bytes.length; at += 1) {
    state ^= state << 13;
    state ^= state >>> 17;
    state ^= state << 5;
    bytes[at] = state;
  }
  return bytes;
}

/** Flips a bit of a file where it lies. */
function corrupt(path, offset) {
  const file = openSync(path, 'r+');
  writeSync(file, Buffer.from([0xff, 0x00, 0xff]), 0, 3, offset);
  closeSync(file);
}
