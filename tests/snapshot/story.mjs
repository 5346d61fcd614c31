/** A story that leaves much under way: what an upgrade of the runtime must not lose. */

import { blake2AsHex } from '@polkadot/util-crypto';

import {
  ONE,
  Space,
  TUNE,
  Task,
  Tensor,
  commitCall,
  dutiesOf,
  epochClosed,
  judging,
  modelTypes,
  phaseReached,
  register,
  revealCall,
  seal,
  send,
  sendAsRoot,
  tensorContent,
  until,
} from '../harness/index.mjs';
import { Scene } from '../harness/scene.mjs';

const SHAPE = { rows: 16, cols: 4, anchors: 8 };
const EXCHANGED = { Restricted: { exchanged: true } };
const SCORE = { score: (9 * ONE) / 10, quality: ONE, availability: ONE, latency: 120 };
/** An asset that somebody makes, as a stable coin would be. */
const ASSET = { Asset: 1 };

/**
 * Plays the story. When it is over, and finalised, there are
 * - modules with parts, deposits, a pattern and a truth; stake, some of it moved and some unbonding; a flagged miner,
 * - an epoch that was scored and paid, and one that is committed to,
 * - tasks that are committed to, revealed and attested, contributions with shares, one of them restricted and granted,
 * - a space that has settled on a state and votes on the next,
 * - a model with workers, a session that waits for its answer and one that is voted on,
 * - an asset, a proxy, and a multisig that waits for its second signature.
 *
 * @param {import('../harness/index.mjs').Network} net
 * @param {(text: string) => void} progress
 */
export async function play(net, progress) {
  progress('Modules, stake and scores; tasks and a space; a model');
  const [subnet, space, scene] = await Promise.all([enlist(net), assemble(net), Scene.on(net, 1)]);
  progress('What is left under way');
  await Promise.all([leaveSessions(scene), leaveTasks(net), leaveRound(net, space), leaveConvenience(net)]);
  await leaveStakeAndScores(net, subnet);
  await net.isFinalised();
  await assertUnderWay(net);
}

/** Modules that are staked on, matched, and scored for one epoch. */
async function enlist(net) {
  const { api } = net;
  const { alice } = net.accounts;
  const { keeper, judge, ann, ben, cleo } = await net.accounts.funded('keeper', 'judge', 'ann', 'ben', 'cleo');
  const types = await modelTypes(api);
  const { modules } = await register(api, keeper, 'llama-3', 'llama-4', 'acme-tool');
  const [miner, other, tool] = modules.map(({ id }) => id);
  const [validator] = (await register(api, judge, 'chat-verification')).modules.map(({ id }) => id);
  const { modules: calls, stake, matching, utility } = api.tx;
  await send(api, calls.setRole(validator, judging([types.chat])), judge);
  await send(api, utility.batchAll([miner, other].map((id) => calls.setRole(id, 'Miner'))), keeper);
  const known = { inputs: blake2AsHex('question'), outputs: blake2AsHex('answer'), tolerance: 0 };
  const rules = [
    calls.addPattern('acme', types.diffusion),
    matching.addTestCase(types.chat, known),
    matching.setTruth(other, ONE / 2),
    matching.flag(other, 'answers nothing'),
  ];
  await sendAsRoot(api, utility.batchAll(rules), alice);
  // Before anybody stakes: from then on a fee rises slowly.
  await send(api, utility.batchAll([stake.setFee(miner, 100_000), stake.stake(tool, 5n * TUNE)]), keeper);
  await Promise.all([
    send(api, stake.stake(miner, 100n * TUNE), ann),
    send(api, utility.batchAll([stake.stake(validator, 80n * TUNE), stake.stake(miner, 7n * TUNE)]), ben),
    send(api, stake.stake(miner, 60n * TUNE), cleo),
  ]);

  const subnet = { miner, validator, judge, ann, ben };
  const sealed = await commit(net, subnet);
  await phaseReached(api, 'Reveal', { epoch: sealed.epoch });
  await send(api, revealCall(api, sealed), judge);
  await epochClosed(api, sealed.epoch);
  return subnet;
}

/** The validator commits to what it found of the miner in an epoch. */
async function commit({ api }, { miner, validator, judge }) {
  const { epoch } = await phaseReached(api, 'Commit', { room: 5 });
  const duties = await dutiesOf(api, validator);
  if (duties.checks === undefined) await send(api, api.tx.scores.draw(validator), judge);
  const sealed = seal(api, { epoch, validator, scores: [[miner, SCORE]] });
  await send(api, commitCall(api, sealed), judge);
  return sealed;
}

/** A space that has settled on a state, and restricted contributions that winners were granted. */
async function assemble(net) {
  const { owner, ann, ben, cleo } = await net.accounts.funded('owner', 'ann', 'ben', 'cleo');
  const space = await Space.create(net, owner, { ...SHAPE, quorum: 3 });
  const { tensors } = net.first;
  const tables = [1, 2, 3].map((seed) => table(seed));
  for (const { id, encoded } of tables) await tensors.put(id, encoded);
  await Promise.all([
    space.admit(
      owner,
      [ann, ben, cleo].map((account, at) => [account, tables[at]]),
    ),
    grant(net, owner, [ann, ben]),
  ]);
  await space.settled(0);
  return { space, owner };
}

/** Each account wins a restricted task, and is granted what another has won. */
async function grant(net, creator, accounts) {
  const { tensors } = net.first;
  for (const [number, account] of accounts.entries()) {
    const tensor = Tensor.i16(2, 3, [number, 1, 2, 3, 4, 5]);
    const options = { content: tensorContent(tensor), maxParticipants: 1, audience: EXCHANGED };
    const task = await Task.create(net, creator, options);
    await tensors.restrict(tensor.id, task.id);
    await tensors.put(tensor.id, tensor.encoded);
    await task.agree([[account, tensor]]);
    await task.settled();
  }
  const received = () => net.api.call.exchangeApi.received(accounts.at(-1).address);
  await until('a grant to be recorded', async () => (await received()).length > 0);
}

/** One session that waits for its answer, and one that is answered and voted on. */
async function leaveSessions(scene) {
  const [answered] = await Promise.all([scene.asks({ replicas: 3 }), scene.asks({ replicas: 1 })]);
  await answered.generate();
  await answered.event('SessionClosed');
}

/** Tasks in each of their phases, and one that is attested by nobody, because nobody has what won. */
async function leaveTasks(net) {
  const { creator, ann, ben } = await net.accounts.funded('creator', 'ann', 'ben');
  const phases = [
    { commit: 100, reveal: 10, attest: 10 },
    { commit: 6, reveal: 100, attest: 10 },
    { commit: 6, reveal: 6, attest: 100 },
  ];
  const tensor = Tensor.i16(4, 4, Array(16).fill(77));
  const create = (phases) => Task.create(net, creator, { content: tensorContent(tensor), phases });
  const [committing, revealing, attesting] = await Promise.all(phases.map(create));
  await Promise.all([
    committing.commit(ann, tensor),
    revealing.agree([[ann, tensor]]),
    attesting.agree([
      [ann, tensor],
      [ben, tensor],
    ]),
  ]);
  await attesting.event('AttestStarted');
}

/** A new member, and the round that it brings about. */
async function leaveRound(net, { space, owner }) {
  const { late } = await net.accounts.funded('late');
  const tensor = table(4);
  await net.first.tensors.put(tensor.id, tensor.encoded);
  await space.admit(owner, [[late, tensor]]);
  await space.opened(1);
}

/** An asset in two hands, a proxy, and a call that one of two accounts has approved. */
async function leaveConvenience({ api, accounts }) {
  const { ann, ben } = await accounts.funded('ann', 'ben');
  const { assets, proxy, multisig, system, utility } = api.tx;
  const coins = [assets.create(ASSET, ann.address, 1n), assets.mint(ASSET, ben.address, 1_000_000n)];
  await send(api, utility.batchAll([...coins, proxy.addProxy(ben.address, 'Any', 0)]), ann);
  const hash = system.remark('0x01').method.hash;
  await send(api, multisig.approveAsMulti(2, [ben.address], null, hash, { refTime: 0, proofSize: 0 }), ann);
}

/** Stake on its way from one module to another and out, and scores that are not opened yet. */
async function leaveStakeAndScores(net, subnet) {
  const { api } = net;
  const { miner, validator, ann, ben } = subnet;
  const { stake } = api.tx;
  await commit(net, subnet);
  await Promise.all([
    send(api, stake.unstake(miner, 30n * TUNE), ann),
    send(api, stake.moveStake(validator, miner, 40n * TUNE), ben, { until: 'finalized' }),
  ]);
}

/** Everything that the story is to leave is in the last finalised block. */
async function assertUnderWay({ api }) {
  const { query } = await api.at(await api.rpc.chain.getFinalizedHead());
  const kinds = {
    tasks: query.tasks.tasks,
    ballots: query.tasks.ballots,
    'sessions of inference': query.inference.sessions,
    rosters: query.spaces.rosters,
    'commitments to scores': query.scores.works,
    'stake on its way out': query.stake.unbondings,
    'stake that moved': query.stake.moves,
    grants: query.exchange.books,
    multisigs: query.multisig.multisigs,
  };
  for (const [what, map] of Object.entries(kinds)) {
    if ((await map.keys()).length === 0) throw new Error(`the story has left nothing of this under way: ${what}`);
  }
}

/** A table with a small error of its own, so that all of them can be aligned. */
function table(seed) {
  const { rows, cols } = SHAPE;
  const numbers = Array.from({ length: rows * cols }, (_, at) => Math.round(9_000 * Math.sin(7 * at + at * at)));
  return Tensor.i16(
    rows,
    cols,
    numbers.map((number, at) => number + ((at * seed) % 97)),
  );
}
