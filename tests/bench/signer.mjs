/** A worker thread that signs transactions: for each of its senders, all nonces from the first on. */

import { parentPort, workerData } from 'node:worker_threads';
import { Metadata, TypeRegistry } from '@polkadot/types';
import { expandMetadata } from '@polkadot/types';

import { CALLS, sender } from './senders.mjs';

const { chain, kind, first, last, nonce, perSender, data } = workerData;
const registry = new TypeRegistry();
const metadata = new Metadata(registry, chain.metadata);
// polkadot.js does not know this extension, which adds nothing to a signed transaction.
registry.setMetadata(metadata, undefined, { AuthorizeCall: { extrinsic: {}, payload: {} } });
const { tx } = expandMetadata(registry, metadata);

const signed = [];
for (let index = first; index < last; index += 1) {
  const pair = sender(index);
  const nonces = Array.from({ length: perSender }, (_, at) => nonce + at);
  signed.push(nonces.map((nonce) => sign(pair, nonce, CALLS[kind](tx, index, nonce, data))));
}
parentPort.postMessage(signed);

function sign(pair, nonce, call) {
  const extrinsic = registry.createType('Extrinsic', call);
  extrinsic.sign(pair, {
    blockHash: chain.genesis,
    genesisHash: chain.genesis,
    nonce,
    runtimeVersion: chain.version,
    tip: 0,
  });
  return extrinsic.toHex();
}
