/**
 * A peer of real nodes that is none itself, and answers for tensors as its script says: for lies that no node tells.
 *
 * It speaks three of a node's protocols. By `block-announces` it becomes a peer that nodes sync with, of which they also
 * ask tensors; by `ensemble/tensors` it answers them, and by `ensemble/rows` those who take it for a worker. What else a
 * node wants of it, the node is refused.
 */

import './node18.mjs';

import { noise } from '@chainsafe/libp2p-noise';
import { yamux } from '@chainsafe/libp2p-yamux';
import { tcp } from '@libp2p/tcp';
import { multiaddr } from '@multiformats/multiaddr';
import { compactToU8a, u8aConcat, u8aToHex } from '@polkadot/util';
import { lpStream } from 'it-length-prefixed-stream';
import { createLibp2p } from 'libp2p';

import { KINDS } from './tensor.mjs';
import { inTime, until } from './wait.mjs';

/** Longest answer that a node's network lets through, of which a piece is at most 1 MiB. */
export const MAX_ANSWER = (1 << 20) + 64;

/** Longest message of who multiplies rows. */
export const MAX_ROW_MESSAGE = 16 << 20;

const FULL_NODE = 1;
const ROWS_HANDSHAKE = Uint8Array.of(1);
/** This peer writes messages that are longer than a node reads. */
const LARGE = { maxDataLength: 2 * MAX_ROW_MESSAGE };
/**
 * The requests in the order of their numbers on the wire, and what follows the tensor's id. As content of which task it
 * is asked for, which comes last, is of no interest here.
 */
const REQUESTS = [
  ['have', () => undefined],
  ['outline', (rest) => rest.readUInt16LE()],
  ['piece', (rest) => rest.readUInt32LE()],
];

/** Answers as they are on the wire. */
export const Answer = {
  absent: Uint8Array.of(0),
  present: Uint8Array.of(2),

  /** Header and piece hashes of a tensor, of which one page has to be enough. */
  outline({ kind, rows, cols }, hashes) {
    const shape = new Uint8Array(Uint32Array.of(rows, cols).buffer);
    return u8aConcat([3, KINDS[kind].number], shape, compactToU8a(hashes.length), ...hashes);
  },

  piece: (bytes) => u8aConcat([4], compactToU8a(bytes.length), bytes),

  /** What a node says that holds `tensor`. */
  honest(tensor, { kind, id, index }) {
    if (id !== tensor.id) return Answer.absent;
    if (kind === 'have') return Answer.present;
    return kind === 'outline' ? Answer.outline(tensor, tensor.pieceHashes()) : Answer.piece(tensor.piece(index));
  },
};

/**
 * @typedef {object} Request
 * @property {'have' | 'outline' | 'piece'} kind
 * @property {string} id       of the tensor
 * @property {number} [index]  which page of the outline, or which piece
 */

/**
 * What a gateway's call says; nothing of another message. What it gives to multiply is of no interest here.
 *
 * @typedef {{ session: number, place: number, number: number }} RowCall
 */
function rowCall(message) {
  if (message[0] !== 0) return undefined;
  const [session, place, number] = [1, 5, 9].map((at) => message.readUInt32LE(at));
  return { session, place, number };
}

/** A worker's answer to a call, of one range with these outputs and no signatures. */
export function rowReply({ session, place, number }, outputs) {
  const numbers = new Uint8Array(Uint32Array.of(session, place, number).buffer);
  const values = new Uint8Array(BigInt64Array.from(outputs).buffer);
  return u8aConcat([2], numbers, compactToU8a(1), compactToU8a(outputs.length), values, compactToU8a(0));
}

export class Peer {
  #libp2p;
  #genesis;
  #script;

  /** @type {Request[]} what it was asked, in order */
  asked = [];
  /** @type {RowCall[]} what it was to multiply, in order */
  calls = [];

  constructor(libp2p, genesis, script) {
    this.#libp2p = libp2p;
    this.#genesis = genesis;
    this.#script = script;
  }

  /**
   * A peer on the chain with this genesis, as yet without connections.
   *
   * @param {Uint8Array} genesis hash
   * @param {(request: Request) => Uint8Array} script
   * @param {(call: RowCall) => Uint8Array[]} [rows] what it sends, message by message, to who wants rows multiplied
   */
  static async start(genesis, script, rows) {
    const libp2p = await createLibp2p({
      transports: [tcp()],
      connectionEncrypters: [noise()],
      streamMuxers: [yamux()],
      // It would end connections to whoever does not answer its pings.
      connectionMonitor: { enabled: false },
    });
    const peer = new Peer(libp2p, genesis, script);
    await libp2p.handle(peer.#protocol('block-announces/1'), peer.#serving(peer.#listen));
    await libp2p.handle(peer.#protocol('ensemble/tensors/1'), peer.#serving(peer.#answer));
    if (rows) await libp2p.handle(peer.#protocol('ensemble/rows/1'), peer.#multiplying(rows));
    return peer;
  }

  /** Its id, as nodes write it. */
  get id() {
    return this.#libp2p.peerId.toString();
  }

  #protocol = (name) => `/${u8aToHex(this.#genesis, -1, false)}/${name}`;

  /**
   * Connects to a node, and waits until the node counts it among its peers. A node that is no validator needs
   * the option `tcp`.
   *
   * @param {import('./node.mjs').Node} node
   */
  async join(node) {
    const [address] = await node.addresses();
    if (!address) throw new Error(`${node.name} does not listen for TCP`);
    const announces = this.#protocol('block-announces/1');
    const stream = await this.#libp2p.dialProtocol(multiaddr(address), announces);
    // Notifications go one way, so the node opens a stream of its own when it has accepted this one.
    const wire = lpStream(stream);
    await wire.write(this.#handshake());
    await inTime(`${node.name} to accept the peer`, wire.read(), 20_000);
    await until(`${node.name} to list the peer`, () => this.isPeerOf(node));
  }

  /** Asks a node for a tensor, in bytes of its protocol, and returns the answer. */
  async ask(node, message) {
    const [address] = await node.addresses();
    const stream = await this.#libp2p.dialProtocol(multiaddr(address), this.#protocol('ensemble/tensors/1'));
    const wire = lpStream(stream);
    await wire.write(message);
    const answer = await inTime(`${node.name} to answer the peer`, wire.read(), 20_000);
    await stream.close();
    return Buffer.from(answer.subarray());
  }

  /** Whether a node counts it among its peers. */
  async isPeerOf(node) {
    const peers = await node.rpc('system_peers');
    return peers.some(({ peerId }) => peerId === this.id);
  }

  /** Ends its connections. */
  async stop() {
    await this.#libp2p.stop();
  }

  /** A node at genesis, of which there is nothing to sync. */
  #handshake() {
    return u8aConcat([FULL_NODE], new Uint8Array(4), this.#genesis, this.#genesis);
  }

  /** A handler of streams. That a node breaks one off is none of the peer's business. */
  #serving(serve) {
    return async ({ stream }) => {
      try {
        await serve.call(this, lpStream(stream));
        await stream.close();
      } catch (error) {
        stream.abort(error);
      }
    };
  }

  /** A handler of streams on which a gateway sends calls. Answers go over a stream that this peer opens. */
  #multiplying(script) {
    return async ({ stream, connection }) => {
      try {
        const inbound = lpStream(stream);
        await inbound.read();
        await inbound.write(ROWS_HANDSHAKE);
        const outbound = lpStream(await connection.newStream(this.#protocol('ensemble/rows/1')), LARGE);
        await outbound.write(ROWS_HANDSHAKE);
        await outbound.read();
        for (;;) {
          const call = rowCall(Buffer.from((await inbound.read()).subarray()));
          if (!call) continue;
          this.calls.push(call);
          for (const message of script(call)) await outbound.write(message);
        }
      } catch (error) {
        stream.abort(error);
      }
    };
  }

  async #listen(wire) {
    await wire.read();
    await wire.write(this.#handshake());
    for (;;) await wire.read();
  }

  async #answer(wire) {
    const message = Buffer.from((await wire.read()).subarray());
    const [kind, indexIn] = REQUESTS[message[0]];
    const request = { kind, id: u8aToHex(message.subarray(1, 33)), index: indexIn(message.subarray(33)) };
    this.asked.push(request);
    await wire.write(this.#script(request));
  }
}
