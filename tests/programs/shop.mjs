/**
 * A shop: serves a model over HTTP to whoever has bought calls of its module, and redeems them on the chain.
 *
 *   SECRET=//Charlie node shop.mjs ws://127.0.0.1:9944 NAME --state=FILE [--port=7000] [--batch=8]
 *
 * NAME is the name of its module, SECRET the phrase of the account that pays the fees of redemptions. The model follows
 * from the module's type.
 *
 * A client sends `{ ticket, calls, signature, input }` by POST. `signature` is the buyer's, of the text that the RPC method
 * `ensemble_ticketMessage(ticket, calls, challenge)` returns; `challenge` is the BLAKE2b-256 hash of the URL to which the
 * client speaks. So a client that knows where it is cannot be made to sign for another shop, and what it signs is of no use
 * there. `calls` is one more than in its last call that was answered.
 *
 * The highest receipt of each ticket is in FILE, on the disk, before the answer is sent: what was answered once is not
 * answered again, also after a restart. After `--batch` answers, and when it ends, the shop redeems what it has.
 */

import { closeSync, existsSync, fsyncSync, openSync, readFileSync, renameSync, writeSync } from 'node:fs';
import { parseArgs } from 'node:util';
import { WsProvider } from '@polkadot/api';
import { hexToU8a } from '@polkadot/util';
import { blake2AsHex } from '@polkadot/util-crypto';

import { pairOf } from '../harness/accounts.mjs';
import { send } from '../harness/transactions.mjs';
import { MODELS } from './models.mjs';
import { Refusal, connect, moduleNamed, say, serve } from './service.mjs';

/** What HTTP says to the errors of `ensemble_checkTicket`: buy another ticket, or do not try this again. */
const STATUS = {
  23000: 503, // the chain cannot be read
  23001: 402, // unknown
  23002: 403, // another module's
  23003: 402, // expired
  23004: 402, // no calls
  23005: 402, // exhausted
  23006: 403, // redeemed
  23007: 403, // replayed
  23008: 403, // not the buyer's signature
};

const { values: options, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    port: { type: 'string', default: '0' },
    state: { type: 'string' },
    batch: { type: 'string', default: '8' },
  },
});
const [url, name] = positionals;
const payer = pairOf(process.env.SECRET);

/** The highest receipt of each ticket: `{ ticket, calls, challenge, signature }`. */
const receipts = read(options.state);
const journal = openSync(options.state, 'a');
/** Up to which call each ticket was redeemed. */
const redeemed = new Map();
/** The last redemption: the next one waits for it. */
let redemption = Promise.resolve();
/** Tickets of which a call is being answered: a second one does not wait, it is refused. */
const busy = new Set();

/** What is known when the module is: until then nothing is served. */
let module;
const server = serve(Number(options.port), answer);
const challenge = blake2AsHex(await server.listening, 256);
const provider = new WsProvider(url);
const api = await connect(url, provider);
for (const { ticket, calls } of receipts.values()) {
  const known = (await api.call.marketApi.ticket(ticket)).unwrapOr(undefined);
  redeemed.set(ticket, known ? known.redeemed.toNumber() : calls);
}
module = await moduleNamed(api, name);
say(module);

for (const signal of ['SIGINT', 'SIGTERM']) {
  process.removeAllListeners(signal);
  process.once(signal, async () => {
    server.close();
    await redeem();
    process.exit(0);
  });
}

/** Answers a call that is paid for. */
async function answer({ ticket, calls, signature, input }) {
  if (!module) throw new Refusal(503, 'the module is not registered yet');
  if (busy.has(ticket))
    throw new Refusal(409, `a call of ticket ${ticket} is being answered; send one after the other`);
  busy.add(ticket);
  try {
    const left = await check({ ticket, calls, signature });
    const output = MODELS[module.type](input);
    keep({ ticket, calls, challenge, signature });
    return { output, left };
  } finally {
    busy.delete(ticket);
  }
}

/** How many calls a ticket is good for after this one; throws what is wrong with it. */
async function check({ ticket, calls, signature }) {
  const served = receipts.get(ticket)?.calls ?? 0;
  if (calls > served + 1) throw new Refusal(409, `call ${served + 1} of ticket ${ticket} comes before call ${calls}`);
  const params = [module.id, ticket, calls, signature, challenge, served];
  const { left } = await provider.send('ensemble_checkTicket', params).catch((error) => {
    throw new Refusal(STATUS[error.code] ?? 400, error.message);
  });
  return left;
}

/** Writes a receipt to the disk, and has those redeemed that make a batch. */
function keep(receipt) {
  writeSync(journal, `${JSON.stringify(receipt)}\n`);
  fsyncSync(journal);
  receipts.set(receipt.ticket, receipt);
  if (open().reduce((sum, { ticket, calls }) => sum + calls - done(ticket), 0) >= Number(options.batch)) void redeem();
}

/** Up to which call a ticket was redeemed. */
function done(ticket) {
  return redeemed.get(ticket) ?? 0;
}

/** The receipts that were not redeemed yet. */
function open() {
  return [...receipts.values()].filter(({ ticket, calls }) => calls > done(ticket));
}

/** Redeems what was not redeemed yet, after the redemption that is under way. */
function redeem() {
  redemption = redemption.then(redeemOpen);
  return redemption;
}

/** Redeems as many receipts at once as the chain allows. */
async function redeemOpen() {
  const batch = [];
  for (const receipt of open()) {
    // One that is over would have the chain refuse the others with it.
    if (await isOver(receipt)) redeemed.set(receipt.ticket, receipt.calls);
    else batch.push(receipt);
    if (batch.length === api.consts.market.maxReceipts.toNumber()) break;
  }
  if (batch.length === 0) return;
  const signed = batch.map(({ ticket, calls, challenge, signature }) => [
    { ticket, calls, challenge },
    scheme(signature),
  ]);
  try {
    await send(api, api.tx.market.redeem(signed), payer);
  } catch ({ message }) {
    say({ error: message });
    // Somebody else has redeemed them. Any other failure leaves them for the next time.
    if (message !== 'market.NothingNew') return;
  }
  batch.forEach(({ ticket, calls }) => redeemed.set(ticket, calls));
  say({ redeemed: batch.map(({ ticket, calls }) => ({ ticket, calls })) });
}

/** Whether nothing can be redeemed of a ticket any more. */
async function isOver({ ticket }) {
  const view = (await api.call.marketApi.ticket(ticket)).unwrapOr(undefined);
  return !view || view.redeemableUntil.toNumber() <= (await api.rpc.chain.getHeader()).number.toNumber();
}

/** A signature with the name of its scheme: as `ensemble_checkTicket` takes it, 64 bytes are of an sr25519 key. */
function scheme(signature) {
  const bytes = hexToU8a(signature);
  return bytes.length === 64 ? { Sr25519: bytes } : bytes;
}

/** The receipts in a file, of each ticket the last; and leaves these alone in it. */
function read(path) {
  const found = new Map();
  if (existsSync(path)) {
    // A last line that is not whole was being written when the machine stopped: its call was not answered.
    const lines = readFileSync(path, 'utf8').split('\n').slice(0, -1);
    for (const line of lines) found.set(JSON.parse(line).ticket, JSON.parse(line));
  }
  const file = openSync(`${path}.new`, 'w');
  for (const receipt of found.values()) writeSync(file, `${JSON.stringify(receipt)}\n`);
  fsyncSync(file);
  closeSync(file);
  renameSync(`${path}.new`, path);
  return found;
}
