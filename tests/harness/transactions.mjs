/** Sending transactions and learning what became of them. */

import { inTime } from './wait.mjs';

/** A transaction that a block took in and that failed there. Its message is the error's name, `tasks.NotCommitting`. */
export class DispatchError extends Error {
  /**
   * @param {string} name
   * @param {bigint} [fee] what the transaction cost all the same, in planck
   */
  constructor(name, fee) {
    super(name);
    if (fee !== undefined) this.fee = fee;
  }
}

const WITHIN = 90_000;

/**
 * Per connection and account, the end of the line of those who wait for a nonce, and the nonce after the last one sent.
 *
 * @type {WeakMap<import('@polkadot/api').ApiPromise, Map<string, { last: Promise<void>, next: number }>>}
 */
const lines = new WeakMap();

/**
 * Signs and sends a call, and waits until it is in a block.
 *
 * @param {import('@polkadot/api').ApiPromise} api
 * @param {import('@polkadot/api/types').SubmittableExtrinsic<'promise'>} call
 * @param {import('@polkadot/keyring/types').KeyringPair} signer
 * @param {{ until?: 'inBlock' | 'finalized', within?: number }} [options]
 * @returns {Promise<Receipt>}
 * @throws {DispatchError} if the call failed in the block
 * @throws {Error} if the node did not take the transaction
 *
 * @typedef {object} Receipt
 * @property {string} block   hash of the block
 * @property {import('@polkadot/types/interfaces').Event[]} events  what the transaction did
 * @property {bigint} fee     what it cost, in planck
 * @property {(section: string, method: string) => import('@polkadot/types/interfaces').Event} event  one of the events
 */
export async function send(api, call, signer, { until = 'inBlock', within = WITHIN } = {}) {
  const line = lineOf(api, signer.address);
  let accepted;
  const turn = line.last;
  line.last = new Promise((resolve) => (accepted = resolve));
  await turn;
  const what = `${call.method.section}.${call.method.method} to be ${until === 'finalized' ? 'finalised' : 'in a block'}`;
  try {
    // The node does not count at once what it has just taken into its pool.
    const known = (await api.rpc.system.accountNextIndex(signer.address)).toNumber();
    const nonce = Math.max(known, line.next);
    const sent = () => {
      line.next = Math.max(nonce + 1, line.next);
      accepted();
    };
    return await inTime(what, follow(api, call, signer, { nonce, until, sent }), within);
  } finally {
    accepted();
  }
}

function lineOf(api, address) {
  if (!lines.has(api)) lines.set(api, new Map());
  const own = lines.get(api);
  if (!own.has(address)) own.set(address, { last: Promise.resolve(), next: 0 });
  return own.get(address);
}

function follow(api, call, signer, { nonce, until, sent }) {
  return new Promise((resolve, reject) => {
    let unsubscribe;
    const settle = (outcome) => {
      unsubscribe?.();
      outcome();
    };
    const watch = ({ status, events, dispatchError }) => {
      if (status.isReady || status.isBroadcast || status.isInBlock) sent();
      const reached = status.isFinalized || (status.isInBlock && until === 'inBlock');
      if (reached && dispatchError) {
        settle(() => reject(new DispatchError(nameOf(api, dispatchError), receipt(status, events).fee)));
      } else if (reached) settle(() => resolve(receipt(status, events)));
      else if (status.isInvalid || status.isUsurped || status.isDropped || status.isFinalityTimeout) {
        settle(() => reject(new Error(`the pool gave the transaction up: ${status.type}`)));
      }
    };
    call.signAndSend(signer, { nonce }, watch).then(
      (stop) => (unsubscribe = stop),
      (error) => settle(() => reject(error)),
    );
  });
}

function receipt(status, records) {
  const events = records.map(({ event }) => event);
  const event = (section, method) => {
    const found = events.find((event) => event.section === section && event.method === method);
    if (!found) throw new Error(`no ${section}.${method} among ${events.map(({ method }) => method).join(', ')}`);
    return found;
  };
  const paid = events.find(({ method }) => method === 'TransactionFeePaid');
  return {
    block: (status.isFinalized ? status.asFinalized : status.asInBlock).toHex(),
    events,
    fee: paid ? paid.data.actualFee.toBigInt() : 0n,
    event,
  };
}

/**
 * Signs and sends a call with the rights of the root, as Alice may on dev and local networks, and waits like `send`.
 *
 * @throws {DispatchError} if the call failed
 */
export async function sendAsRoot(api, call, alice, options) {
  const receipt = await send(api, api.tx.sudo.sudo(call), alice, options);
  const { sudoResult } = receipt.event('sudo', 'Sudid').data;
  if (sudoResult.isErr) throw new DispatchError(nameOf(api, sudoResult.asErr), receipt.fee);
  return receipt;
}

/** The name of an error: `tasks.NotCommitting` for a pallet's own, `token.FundsUnavailable` for one of the runtime. */
export function nameOf(api, error) {
  if (error.isModule) {
    const { section, name } = api.registry.findMetaError(error.asModule);
    return `${section}.${name}`;
  }
  const detail = error.value?.type ?? '';
  return `${error.type[0].toLowerCase()}${error.type.slice(1)}${detail && `.${detail}`}`;
}

/** Waits for a block with at least this number. */
export async function blockReached(api, number, within = 120_000) {
  let stop;
  const reached = new Promise((resolve, reject) => {
    api.rpc.chain
      .subscribeNewHeads((header) => header.number.toNumber() >= number && resolve())
      .then((unsubscribe) => (stop = unsubscribe), reject);
  });
  try {
    await inTime(`block ${number}`, reached, within);
  } finally {
    stop?.();
  }
}
