/**
 * Ten thousand modules registered on a network of four validators on this machine, each by a transaction of its own:
 * blocks, time, and weight.
 *
 * A thousand accounts register ten modules each. Demand raises the price of a name to its hundredfold, the highest
 * there is, so that all names together cost about 640,000 TUNE.
 */

import { Network, TUNE } from '../harness/index.mjs';
import { POOL, endow, run, sign } from './load.mjs';
import { progress, report } from './report.mjs';
import { CALLS, moduleName, sender } from './senders.mjs';

const SENDERS = 1_000;
const EACH = 10;
const MODULES = SENDERS * EACH;
/** The names of one account at the highest price, and as much again. */
const ENDOWMENT = 2_000n * TUNE;
/** Modules of one answer. */
const PAGE = 100;
const PS_PER_US = 1_000_000;

progress('starting 4 validators');
const net = await Network.start({ validators: 4, args: POOL, genesis: (chain) => endow(chain, SENDERS, ENDOWMENT) });
try {
  progress(`signing ${MODULES} registrations`);
  const signed = await sign(net.api, { kind: 'register', senders: SENDERS, count: MODULES });
  progress('sending');
  const [before, ...blocks] = await run(net, signed, MODULES);
  const counts = blocks.map(({ transactions }) => transactions);
  progress(`modules in each block: ${counts.join(' ')}`);
  report('modules.blocks', blocks.length, 'blocks');
  report('modules.seconds', (blocks.at(-1).time - before.time) / 1000, 's');
  report('modules.block', Math.max(...counts), 'modules in the fullest block');
  report('modules.weight', await weightForeseen(net.api), 'µs for each call, as foreseen');
  report('modules.charged', await weightCharged(net.api, blocks), 'µs for each call, as blocks were filled');
  report('modules.found', await found(net.api), 'modules in the answers of the runtime', { atLeast: MODULES });
} finally {
  await net.stop();
}
process.exit();

/** Weight of a registration, by `TransactionPaymentApi`. */
async function weightForeseen(api) {
  const { weight } = await CALLS.register(api.tx, 0, EACH).paymentInfo(sender(0).address);
  return weight.refTime.toNumber() / PS_PER_US;
}

/** What ordinary transactions took of the blocks, for each of them. */
async function weightCharged(api, blocks) {
  const weights = await Promise.all(
    blocks.map(async ({ hash }) => (await (await api.at(hash)).query.system.blockWeight()).normal.refTime.toNumber()),
  );
  const transactions = blocks.reduce((sum, block) => sum + block.transactions, 0);
  return weights.reduce((sum, weight) => sum + weight, 0) / transactions / PS_PER_US;
}

/** Number of the modules that were registered and that a search of all modules finds, with their owners. */
async function found(api) {
  const owners = new Map();
  for (let index = 0; index < SENDERS; index += 1) {
    const { address } = sender(index);
    for (let nonce = 0; nonce < EACH; nonce += 1) owners.set(moduleName(index, nonce), address);
  }
  let right = 0;
  let after = null;
  do {
    const page = await api.call.modulesApi.search({ prefix: '', modelType: null, owner: null }, after, PAGE);
    right += page.modules.filter(({ name, owner }) => owners.get(name.toUtf8()) === owner.toString()).length;
    after = page.next.unwrapOr(null);
  } while (after);
  return right;
}
