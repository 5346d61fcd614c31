/**
 * Four validators agree on word embeddings, then on a language model, which three of them serve: it answers, and lies are
 * found out.
 *
 * Ends with exit code 0 only if every check held. Run by scripts/demo.
 */

import { Network } from '../harness/index.mjs';
import { withShortSessions } from '../harness/inference.mjs';
import { agreement } from './agreement.mjs';
import { inference } from './inference.mjs';
import { Steps } from './steps.mjs';

const steps = new Steps();
let net;

try {
  net = await steps.step('Start four validators', startNetwork);
  await agreement(net, steps);
  await inference(net, steps);
  await steps.step('Money: issuance, holds and shares add up', addUp);
  steps.table();
  console.log('\nEvery check held.');
} catch (error) {
  steps.table();
  console.error(`\nThe demo failed: ${error.stack}`);
  if (net) console.error(`The logs of the nodes are in ${net.folder}.`);
  process.exitCode = 1;
} finally {
  await net?.stop({ keep: process.exitCode === 1 });
}
process.exit();

async function startNetwork(show) {
  show('waiting for finality');
  const network = await Network.start({ validators: 4, genesis: withShortSessions, args: ['--row-threads=1'] });
  return { shown: `${network.nodes.map(({ name }) => name).join(', ')} finalise blocks`, result: network };
}

async function addUp() {
  await net.moneyAddsUp();
  return { shown: 'nothing lost, nothing held without a reason' };
}
