/**
 * Sustained transfers per second, counted in finalised blocks: of one node, then of four validators on this machine.
 *
 * Every transfer is signed before the clock starts, by accounts that genesis has funded. What counts is what receivers
 * own in the end, so that a transfer that failed counts for nothing.
 */

import { Network, TUNE } from '../harness/index.mjs';
import { POOL, endow, run, sign } from './load.mjs';
import { progress, report } from './report.mjs';
import { receivers } from './senders.mjs';

const SENDERS = 2_000;
const BAR = 1_000;

// `ahead`: two full blocks wait to be finalised, and one or two in the pool. A larger pool costs each of four nodes more.
const one = await load({ validators: 1, transfers: 60_000, ahead: 14_000 });
report('chain.transfers', one.rate, 'transfers/s', { atLeast: BAR });
report('chain.block', one.fullest, 'transfers in the fullest block');
const four = await load({ validators: 4, transfers: 20_000, ahead: 10_000 });
report('chain.four.transfers', four.rate, 'transfers/s');
report('chain.four.lag', four.lag, 'finalised blocks between first and last node', { atMost: 3 });
process.exit();

/** Starts a network, loads its first node with transfers until all are finalised, and measures. */
async function load({ validators, transfers, ahead }) {
  progress(`starting ${validators} validator${validators > 1 ? 's' : ''}`);
  const net = await Network.start({ validators, args: POOL, genesis });
  try {
    progress(`signing ${transfers} transfers`);
    const signed = await sign(net.api, { kind: 'transfer', senders: SENDERS, count: transfers });
    progress('sending');
    const watch = watchFinality(net);
    const blocks = await run(net, signed, ahead);
    const lag = watch.stop();
    await assertReceived(net.api, transfers);
    return { ...measure(blocks), lag };
  } finally {
    await net.stop();
  }
}

function genesis(chain) {
  endow(chain, SENDERS, 1_000n * TUNE);
  for (const receiver of receivers) chain.balances.balances.push([receiver, Number(TUNE)]);
}

/** The rate from the first block with transfers to the last but one: the last is filled by what is left. */
function measure([before, ...blocks]) {
  const loaded = blocks.slice(0, -1);
  const transfers = loaded.reduce((sum, { transactions }) => sum + transactions, 0);
  const elapsed = (loaded.at(-1).time - before.time) / 1000;
  const counts = loaded.map(({ transactions }) => transactions);
  progress(`${transfers} transfers in ${loaded.length} blocks and ${elapsed} s: ${counts.join(' ')}`);
  return { rate: transfers / elapsed, fullest: Math.max(...counts) };
}

/** Watches how far the nodes' finalised heights are apart. */
function watchFinality(net) {
  let worst = 0;
  const timer = setInterval(async () => {
    const heights = await Promise.all(net.nodes.map((node) => node.finalized())).catch(() => []);
    if (heights.length > 0) worst = Math.max(worst, Math.max(...heights) - Math.min(...heights));
  }, 500);
  return {
    stop() {
      clearInterval(timer);
      return worst;
    },
  };
}

/** Every transfer has arrived: receivers own one planck more for each. */
async function assertReceived(api, transfers) {
  const accounts = await api.query.system.account.multi(receivers);
  const received = accounts.reduce((sum, { data }) => sum + data.free.toBigInt() - TUNE, 0n);
  if (received !== BigInt(transfers)) throw new Error(`${received} of ${transfers} transfers arrived`);
}
