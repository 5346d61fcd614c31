/** A worker thread that signs transfers: for each of its senders, all nonces from 0 on. */

import { parentPort, workerData } from 'node:worker_threads';
import { Metadata, TypeRegistry } from '@polkadot/types';
import { expandMetadata } from '@polkadot/types';

import { receiver, sender } from './senders.mjs';

const { chain, first, last, perSender, receivers } = workerData;
const registry = new TypeRegistry();
const metadata = new Metadata(registry, chain.metadata);
// polkadot.js does not know this extension, which adds nothing to a signed transaction.
registry.setMetadata(metadata, undefined, { AuthorizeCall: { extrinsic: {}, payload: {} } });
const { tx } = expandMetadata(registry, metadata);
const destinations = Array.from({ length: receivers }, (_, index) => ({ Id: receiver(index) }));

const signed = [];
for (let index = first; index < last; index += 1) {
  const pair = sender(index);
  signed.push(
    Array.from({ length: perSender }, (_, nonce) => transfer(pair, nonce, destinations[(index + nonce) % receivers])),
  );
}
parentPort.postMessage(signed);

function transfer(pair, nonce, destination) {
  const extrinsic = registry.createType('Extrinsic', tx.balances.transferKeepAlive(destination, 1));
  extrinsic.sign(pair, {
    blockHash: chain.genesis,
    genesisHash: chain.genesis,
    nonce,
    runtimeVersion: chain.version,
    tip: 0,
  });
  return extrinsic.toHex();
}
