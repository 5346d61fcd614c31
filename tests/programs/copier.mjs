/**
 * A validator that wants to be paid for another's work: it commits to the hash that the other committed to, waits until
 * the other has revealed what is behind it, and says the same. The chain does not let it: the validator is in the hash.
 *
 *   SECRET=//Eve node copier.mjs ws://127.0.0.1:9944 NAME VICTIM
 *
 * NAME is the name of its own module, VICTIM that of the other.
 */

import { pairOf } from '../harness/accounts.mjs';
import { clock, dutiesOf, eachBlock } from '../harness/subnet.mjs';
import { send } from '../harness/transactions.mjs';
import { connect, moduleNamed, say, serve } from './service.mjs';

const [url, name, victim] = process.argv.slice(2);
const owner = pairOf(process.env.SECRET);
serve(0, () => ({ name }));

const api = await connect(url);
const own = (await moduleNamed(api, name)).id;
const other = (await moduleNamed(api, victim)).id;
say({ id: own, copies: other });

/** Batches of the other that it committed to itself, by epoch; emptied when it has tried to open them. */
let copied = { epoch: -1, batches: [] };

await eachBlock(api, async () => {
  const { epoch, phase } = await clock(api);
  try {
    if (phase === 'Commit' && copied.epoch < epoch) await commit(epoch);
    const seen = await revealedByOther();
    for (const { batch, scores, salt } of seen) await reveal(epoch, batch, scores, salt);
  } catch (error) {
    say({ epoch, error: error.message });
  }
});

/** Commits to what the other committed to in this epoch, once it was drawn what to check. */
async function commit(epoch) {
  // Before it is a validator its owner's next transaction is the one that makes it one.
  const [mine, others] = [await dutiesOf(api, own), await dutiesOf(api, other)];
  if (mine === undefined || others?.epoch !== epoch || others.unrevealed.length === 0) return;
  if (mine.checks === undefined) return send(api, api.tx.scores.draw(own), owner);
  const { unrevealed } = others;
  await Promise.all(unrevealed.map(({ batch, hash }) => send(api, api.tx.scores.commit(own, batch, hash), owner)));
  copied = { epoch, batches: unrevealed.map(({ batch }) => batch) };
  say({ committed: epoch });
}

/** What the other reveals in the best block: everybody can read it. */
async function revealedByOther() {
  const { block } = await api.rpc.chain.getBlock();
  return block.extrinsics
    .map(({ method }) => method)
    .filter(({ section, method, args }) => section === 'scores' && method === 'reveal' && args[0].eq(other))
    .map(({ args: [, batch, scores, salt] }) => ({ batch: batch.toNumber(), scores, salt }));
}

async function reveal(epoch, batch, scores, salt) {
  if (!copied.batches.includes(batch)) return;
  copied.batches = copied.batches.filter((other) => other !== batch);
  const outcome = await send(api, api.tx.scores.reveal(own, batch, scores, salt), owner).then(
    () => ({ opened: epoch }),
    (error) => ({ refused: epoch, error: error.message }),
  );
  say(outcome);
}
