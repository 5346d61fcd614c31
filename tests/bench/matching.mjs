/**
 * Twenty thousand miners and 700 validators on a network of four block validators on this machine, each registered and
 * given its part by transactions of its own.
 *
 * - All are matched, and validators that judge the same type have as many miners as each other.
 * - For three epochs all validators score all of their miners, while transfers fill the blocks around the end of each.
 *   The block that closes an epoch takes no longer than those beside it.
 * - A validator with more than 100 miners leaves while transfers fill the blocks. In how many blocks all of them are
 *   matched anew at most is computed before, from the weight that the chain has charged for matching so far.
 */

import {
  Network,
  ONE,
  TUNE,
  allocations,
  clock,
  closedEpoch,
  commitCall,
  eachBlock,
  minerView,
  minersOf,
  modelTypes,
  phaseReached,
  revealCall,
  seal,
  until,
  validatorView,
} from '../harness/index.mjs';
import { EACH, MINERS, VALIDATORS, participant } from './crowd.mjs';
import { execution } from './execution.mjs';
import { POOL, endow, post, run, sign } from './load.mjs';
import { progress, report } from './report.mjs';
import { receivers, sender } from './senders.mjs';

const CROWD = MINERS + VALIDATORS;
/** Accounts of the crowd, and those among them that own validators. */
const OWNERS = CROWD / EACH;
const JUDGES = VALIDATORS / EACH;
/** The names of one account at the highest price, and as much again. */
const ENDOWMENT = 2_000n * TUNE;
/** Validators of a miner, as the chain's parameter has it. */
const WANTED = 2;
const MATCHES = MINERS * WANTED;

/**
 * Transactions that are sent ahead of finalised blocks: some full blocks of them. With many more, the channels by which
 * four nodes on two cores tell each other of them clog, and the nodes lose each other.
 */
const AHEAD = 4_000;
/**
 * Blocks of an epoch. All reveals have room in its last two fifths, before the transfers come: their 40,000 scores fill 14
 * blocks if each is charged 300 µs. And settling and paying everybody, 500 in a block, ends before the epoch does.
 */
const EPOCH = 60;
const EPOCHS = 3;
/** Accounts that load the chain, each by a transfer for each block. */
const LOADERS = 1_500;
/** Blocks before and after the end of an epoch that are loaded, and those of them that are measured. */
const LOADED = 5;
const MEASURED = 5;
/** Transfers of one loader: for each end of an epoch, and for the leaving. */
const ROUNDS = (EPOCHS + 1) * 2 * LOADED;
/** A validator that leaves has at least so many miners. */
const MANY = 100;
/** What closing an epoch may add to the time that a block takes before its first transaction, in milliseconds. */
const CLOSING = 2;
/** A block that closes an epoch may take so much longer than those beside it: what measuring is off by. */
const NO_SLOWER = 1.1;

progress('starting 4 validators');
const net = await Network.start({ validators: 4, args: POOL, genesis });
const { api } = net;
try {
  const ids = await enrol();
  const charged = await join(ids);
  const validators = ids.slice(0, VALIDATORS);
  await assertMatched(ids, validators);
  progress('signing transfers');
  const load = await sign(api, { kind: 'transfer', first: OWNERS, senders: LOADERS, count: LOADERS * ROUNDS });
  await score(validators, load);
  await leave(validators, charged, load);
} finally {
  await net.stop();
}
process.exit();

function genesis(chain) {
  endow(chain, OWNERS + LOADERS, ENDOWMENT);
  for (const receiver of receivers) chain.balances.balances.push([receiver, Number(TUNE)]);
  chain.emission = { ...chain.emission, epochLength: EPOCH };
}

/** Registers everybody, and returns the numbers of their modules. */
async function enrol() {
  progress(`signing ${CROWD} registrations`);
  const signed = await sign(api, { kind: 'enrol', senders: OWNERS, count: CROWD });
  progress('registering');
  await run(net, signed, AHEAD);
  const numbers = new Map(Array.from({ length: CROWD }, (_, number) => [participant(number).name, number]));
  const ids = Array(CROWD);
  let after = null;
  do {
    const page = await api.call.modulesApi.search({ prefix: '', modelType: null, owner: null }, after, 100);
    for (const { id, name } of page.modules) ids[numbers.get(name.toUtf8())] = id.toNumber();
    after = page.next.unwrapOr(null);
  } while (after);
  const found = ids.filter((id) => id !== undefined).length;
  if (found < CROWD) throw new Error(`${found} of ${CROWD} modules were registered`);
  return ids;
}

/** Gives everybody its part, validators first, waits until all are matched, and returns the weight of a match. */
async function join(ids) {
  const data = { ids, types: await modelTypes(api) };
  progress(`signing ${CROWD} parts`);
  const parts = { kind: 'join', nonce: EACH, data };
  const judges = await sign(api, { ...parts, senders: JUDGES, count: VALIDATORS });
  const miners = await sign(api, { ...parts, first: JUDGES, senders: OWNERS - JUDGES, count: MINERS });
  const quiet = await mandatoryWeight((await api.rpc.chain.getBlockHash()).toHex());
  progress('giving parts to validators');
  await run(net, judges, AHEAD);
  progress('giving parts to miners');
  const first = await net.first.best();
  const blocks = await run(net, miners, AHEAD);
  const given = (await api.rpc.chain.getHeader(blocks.at(-1).hash)).number.toNumber();
  await until('all miners to be matched', async () => (await matched()) === MATCHES, { within: 600_000, every: 500 });
  const last = await net.first.best();
  return measureMatching({ first, given, last, quiet });
}

/** Reports how fast miners were matched, and returns the weight that was charged for a match, at most. */
async function measureMatching({ first, given, last, quiet }) {
  let [done, fullest, weight] = [first, 0, 0];
  const counts = [];
  for (let number = first; number <= last; number += 1) {
    const hash = (await api.rpc.chain.getBlockHash(number)).toHex();
    const events = (await (await api.at(hash)).query.system.events()).map(({ event }) => event);
    const matches = events.filter(({ section, method }) => section === 'matching' && method === 'Matched').length;
    counts.push(matches);
    if (matches === 0) continue;
    done = number;
    fullest = Math.max(fullest, matches);
    weight = Math.max(weight, ((await mandatoryWeight(hash)) - quiet) / matches);
  }
  progress(`matches in each block: ${counts.join(' ')}`);
  report('matching.matches', await matched(), 'pairs of a miner and a validator', { atLeast: MATCHES });
  report('matching.lag', Math.max(0, done - given), 'blocks from the last miner to the last match');
  report('matching.block', fullest, 'matches in the fullest block');
  report('matching.weight', weight / 1e6, 'µs for each match, as charged at most');
  return { weight, quiet };
}

async function matched() {
  return (await api.call.matchingApi.status()).counts.matches.toNumber();
}

/** What hooks took of a block. */
async function mandatoryWeight(hash) {
  return (await (await api.at(hash)).query.system.blockWeight()).mandatory.refTime.toNumber();
}

/** Every miner has all the validators that it wants, and those of a type that came together have as many miners. */
async function assertMatched(ids, validators) {
  const { waiting } = (await api.call.matchingApi.status()).counts;
  report('matching.waiting', waiting.toNumber(), 'miners without a validator', { atMost: 0 });
  const loads = new Map();
  for (const [number, validator] of validators.entries()) {
    const { judges } = participant(number);
    const { load, capacity } = await validatorView(api, validator);
    if (load > capacity) throw new Error(`validator ${validator} has ${load} miners, and room for ${capacity}`);
    loads.set(judges, [...(loads.get(judges) ?? []), load]);
  }
  const spread = Math.max(...[...loads.values()].map((all) => Math.max(...all) - Math.min(...all)));
  report('matching.spread', spread, 'miners between validators of a type', { atMost: 1 });
}

/** Has all validators score all of their miners for some epochs, and measures the blocks around the end of each. */
async function score(validators, load) {
  progress('asking who scores whom');
  const duties = [];
  for (const [number, module] of validators.entries()) {
    duties.push({ number, module, miners: await minersOf(api, module) });
  }
  const first = (await clock(api)).epoch + 2;
  progress(`signing commitments and reveals for ${EPOCHS} epochs`);
  const draws = signAll(duties, 2 * EACH, ({ module }) => api.tx.scores.draw(module));
  const epochs = Array.from({ length: EPOCHS }, (_, at) => batchesOf(duties, first + at, at));
  const ends = [];
  for (const { epoch, commits, reveals } of epochs) {
    progress(`epoch ${epoch}`);
    await phaseReached(api, 'Commit', { epoch, within: 600_000 });
    // Afterwards the chain draws for those who took part.
    if (epoch === first) await post(net.first, draws);
    await until('everybody to be drawn checks', async () => (await drawn(epoch)) === VALIDATORS, { every: 500 });
    await post(net.first, commits);
    const now = await phaseReached(api, 'Reveal', { epoch });
    await post(net.first, reveals);
    await loaded(load, now.ends);
    ends.push(now.ends);
  }
  for (const { epoch } of epochs) await assertPaid(epoch);
  const blocks = [];
  for (const end of ends) blocks.push(await around(end));
  const middle = (of) => median(blocks.map(of));
  report(
    'matching.close',
    middle(({ closing }) => closing.whole),
    'ms for a block that closes an epoch',
  );
  // What blocks take follows how many transactions are in them, which differs.
  const usual = line(blocks.flatMap(({ beside }) => beside));
  const ratio = middle(({ closing }) => closing.whole / usual(closing.transactions));
  report('matching.slower', ratio, 'times as long as blocks beside it with as many transactions', {
    atMost: NO_SLOWER,
  });
  const before = (all) => median(all.map(({ before }) => before));
  const extra = middle(({ closing, beside }) => closing.before - before(beside));
  report('matching.closing', extra, 'ms that closing an epoch takes', { atMost: CLOSING });
}

/** How long a block takes by its number of transactions: the line nearest to these blocks, by least squares. */
function line(blocks) {
  const mean = (of) => blocks.reduce((sum, block) => sum + of(block), 0) / blocks.length;
  const [transactions, whole] = [mean((block) => block.transactions), mean((block) => block.whole)];
  const together = mean((block) => (block.transactions - transactions) * (block.whole - whole));
  const slope = together / mean((block) => (block.transactions - transactions) ** 2);
  return (count) => whole + slope * (count - transactions);
}

/** The signed commitments and reveals of all validators for an epoch, the `at`-th that they score in. */
function batchesOf(duties, epoch, at) {
  const found = { score: ONE, quality: ONE, availability: ONE, latency: 20 };
  const nonce = (3 + 2 * at) * EACH;
  const batches = new Map(
    duties.map(({ number, module, miners }) => [
      number,
      seal(api, { epoch, validator: module, scores: miners.map((miner) => [miner, found]) }),
    ]),
  );
  return {
    epoch,
    commits: signAll(duties, nonce, ({ number }) => commitCall(api, batches.get(number))),
    reveals: signAll(duties, nonce + EACH, ({ number }) => revealCall(api, batches.get(number))),
  };
}

/** A call of each validator, signed by its owner, who has signed so many before. */
function signAll(duties, nonce, callOf) {
  return duties.map((duty) => {
    const owner = sender(Math.floor(duty.number / EACH));
    return callOf(duty)
      .sign(owner, signing(nonce + (duty.number % EACH)))
      .toHex();
  });
}

/** How many validators were drawn what to check in an epoch. */
async function drawn(epoch) {
  return (await api.query.scores.lists(epoch)).workers.toNumber();
}

/** What a transaction that is valid for ever is signed with. */
function signing(nonce) {
  const { genesisHash, runtimeVersion } = api;
  return { nonce, blockHash: genesisHash, genesisHash, runtimeVersion, tip: 0 };
}

/** Fills the blocks around one with transfers: one of each loader for each. */
async function loaded(load, middle) {
  await eachBlock(api, async () => {
    const { block } = await clock(api);
    if (block >= middle - LOADED && load.length > 0) await post(net.first, load.splice(0, LOADERS));
    return block > middle + LOADED;
  });
}

/** All miners were scored in an epoch that is over, and everybody was paid. */
async function assertPaid(epoch) {
  const { miners, validators } = await closedEpoch(api, epoch);
  const paid = async () => {
    const all = await allocations(api, epoch);
    return all.every(({ paid }) => paid) && all;
  };
  const all = await until('everybody to be paid', paid, { within: 300_000, every: 3_000 });
  report('matching.scored', all.filter(({ miner }) => miner > 0n).length, 'miners that were paid', { atLeast: MINERS });
  const rest = all.reduce((rest, { miner, validator }) => rest - miner - validator, miners + validators);
  report('matching.rest', Number(rest), 'planck that rounding left', { atMost: 2 * CROWD });
}

/** How long the block takes that closes an epoch, and those before and after it. */
async function around(ends) {
  const blocks = [];
  for (let number = ends - MEASURED; number <= ends + MEASURED; number += 1) blocks.push(await execution(net, number));
  const shown = blocks.map(({ whole, transactions }) => `${whole.toFixed(0)} (${transactions})`);
  progress(`ms and transactions of the blocks around ${ends}: ${shown.join(', ')}`);
  const [closing] = blocks.splice(MEASURED, 1);
  return { closing, beside: blocks };
}

/** Has a validator leave that has many miners, and counts the blocks until all of them are matched anew. */
async function leave(validators, { weight, quiet }, load) {
  const [leaver] = validators;
  const miners = await minersOf(api, leaver);
  report('matching.left', miners.length, 'miners of the validator that leaves', { atLeast: MANY });
  // Each miner is unmatched and matched, and the validator forgotten. Transactions leave this part of every block.
  const { maxBlock, perClass } = api.consts.system.blockWeights;
  const room = maxBlock.refTime.toNumber() - perClass.normal.maxTotal.unwrap().refTime.toNumber() - quiet;
  const steps = Math.min(Math.floor(room / weight), api.consts.matching.maxSteps.toNumber());
  const bound = Math.ceil((2 * miners.length + 1) / steps) + 1;
  const nonce = (await api.rpc.system.accountNextIndex(sender(0).address)).toNumber();
  const { block: start } = await clock(api);
  const filled = loaded(load, start + LOADED);
  await until('the blocks to fill', async () => (await net.first.best()) >= start + 1);
  const call = api.tx.modules.setRole(leaver, 'Idle').sign(sender(0), signing(nonce));
  const left = await new Promise((resolve, reject) => {
    call.send(({ status }) => status.isInBlock && resolve(status.asInBlock)).catch(reject);
  });
  const number = (await api.rpc.chain.getHeader(left)).number.toNumber();
  await filled;
  let blocks = 1;
  while (blocks <= bound && !(await allHave(miners, leaver, number + blocks - 1))) blocks += 1;
  report('matching.rematch', blocks, 'blocks until all of them were matched anew', { atMost: bound });
}

/** Whether all miners had as many validators as they want after a block, and none of them this one. */
async function allHave(miners, leaver, number) {
  const at = await api.at(await api.rpc.chain.getBlockHash(number));
  for (const miner of miners) {
    const { validators } = await minerView(at, miner);
    if (validators.length < WANTED || validators.includes(leaver)) return false;
  }
  return true;
}

function median(numbers) {
  const ordered = [...numbers].sort((one, other) => one - other);
  return ordered[Math.floor(ordered.length / 2)];
}
