/** The market as its users see it: listings found, calls bought, receipts signed and shown to those who serve. */

import { u8aToHex } from '@polkadot/util';
import { blake2AsHex } from '@polkadot/util-crypto';

import {
  checksDrawn,
  clock,
  commitCall,
  dutiesOf,
  epochClosed,
  ONE,
  phaseReached,
  revealCall,
  seal,
} from './subnet.mjs';
import { send } from './transactions.mjs';
import { until } from './wait.mjs';

/** More than anything costs. */
const ANY_PRICE = 2n ** 100n;

/** What a buyer pays with, as calls and events name it. */
export const inAsset = (number) => ({ Asset: { Asset: number } });

/**
 * Has a validator score its miners in one epoch, the next that leaves time for it, and waits until that is settled.
 *
 * @param {import('./network.mjs').Network} network
 * @param {import('@polkadot/keyring/types').KeyringPair} owner of the validator
 * @param {number} validator
 * @param {Record<number, number>} scores of its miners, in millionths
 * @returns {Promise<number>} the epoch
 */
export async function scored({ api }, owner, validator, scores) {
  const { epoch } = await phaseReached(api, 'Commit', { room: 5 });
  // Whoever took part in the epoch before is drawn by the chain, in the epoch's first blocks.
  const duties = await dutiesOf(api, validator);
  if (duties.epoch !== epoch || duties.checks === undefined) {
    const drawn = await send(api, api.tx.scores.draw(validator), owner).catch(({ message }) => message);
    if (typeof drawn === 'string' && drawn !== 'scores.AlreadyDrawn') throw new Error(drawn);
  }
  await checksDrawn(api, validator, epoch);
  const of = (score) => ({ score, quality: score, availability: ONE, latency: 20 });
  const entries = Object.entries(scores).map(([miner, score]) => [Number(miner), of(score)]);
  const sealed = seal(api, { epoch, validator, scores: entries });
  await send(api, commitCall(api, sealed), owner);
  await phaseReached(api, 'Reveal', { epoch });
  await send(api, revealCall(api, sealed), owner);
  await epochClosed(api, epoch);
  await until(`epoch ${epoch} to be settled`, async () => {
    const results = await Promise.all(
      entries.map(async ([miner]) => (await api.query.scores.lastScores(miner)).unwrapOr([])[0]),
    );
    return results.every((last) => last?.toNumber() >= epoch);
  });
  return (await clock(api)).epoch;
}

/**
 * Searches to the end.
 *
 * @param {import('@polkadot/api').ApiPromise} api
 * @param {{ type?: number, text?: string }} query
 * @param {number} [limit] most listings of a page
 * @returns {Promise<number[][]>} the modules found, page by page
 */
export async function found(api, { type = null, text = '' } = {}, limit = 50) {
  const pages = [];
  let cursor = null;
  do {
    const { listings, next } = await api.call.marketApi.search(type, text, cursor, limit);
    pages.push(listings.map(({ module }) => module.toNumber()));
    cursor = next.isSome ? next.unwrap().toHex() : null;
  } while (cursor !== null);
  return pages;
}

/** The call that buys calls of a module. */
export function buyCall(api, module, calls, way, { maxPrice = ANY_PRICE, maxToll = ANY_PRICE, validity = 200 } = {}) {
  return api.tx.market.buy(module, calls, way, maxPrice, maxToll, validity);
}

/**
 * Buys calls of a module.
 *
 * @returns {Promise<Ticket>} the ticket, and what the chain says that it cost
 */
export async function buy({ api }, buyer, module, calls, way, options) {
  const receipt = await send(api, buyCall(api, module, calls, way, options), buyer);
  const { ticket, price, toll } = receipt.event('market', 'TicketBought').data;
  return Object.assign(new Ticket(api, buyer, ticket.toNumber()), {
    module,
    bought: receipt,
    fee: receipt.fee,
    price: price.toBigInt(),
    toll: toll.toBigInt(),
  });
}

/** A ticket in the hands of its buyer, who counts the calls that were answered. */
export class Ticket {
  #api;
  /** Calls that were answered. */
  used = 0;

  constructor(api, buyer, id) {
    this.#api = api;
    this.buyer = buyer;
    this.id = id;
  }

  /** What the chain says of it; nothing if it is gone. */
  async view() {
    return (await this.#api.call.marketApi.ticket(this.id)).unwrapOr(undefined);
  }

  /** A receipt for so many calls at the endpoint with this URL, signed by whoever is `signer`. */
  receipt(url, calls, signer = this.buyer) {
    const challenge = blake2AsHex(url, 256);
    const message = [
      'ensemble/ticket/v1',
      `Ticket ${this.id}`,
      `calls used ${calls}`,
      `on chain ${this.#api.genesisHash.toHex()}`,
      `challenge ${challenge}`,
    ].join('\n');
    return { ticket: this.id, calls, challenge, signature: u8aToHex(signer.sign(message)) };
  }

  /**
   * Asks a shop, and counts the call if it is answered.
   *
   * @param {string} url where it listens
   * @param {string} input
   * @param {object} [options] `calls`, `signer` and `signedFor` to show a shop what is wrong
   * @returns {Promise<{ status: number, output?: any, left?: number, error?: string }>}
   */
  async call(url, input, { calls = this.used + 1, signer, signedFor = url } = {}) {
    const { ticket, signature } = this.receipt(signedFor, calls, signer);
    const response = await fetch(url, { method: 'POST', body: JSON.stringify({ ticket, calls, signature, input }) });
    if (response.ok) this.used = calls;
    return { status: response.status, ...(await response.json()) };
  }
}
