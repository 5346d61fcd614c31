/** Networks that stand still: starting the nodes again is all it takes, and nothing is lost. */

import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';

import { Network, TUNE, balance, blockReached, send, until, wellKnown } from '../harness/index.mjs';

/** Slots of a session: 24 seconds. */
const SESSION_LENGTH = 8;
/** Milliseconds of a slot. */
const SLOT = 3_000;
/** How long a session may take to begin, in milliseconds: where many slots stay empty, its first block may be late. */
const SESSION = 3 * SESSION_LENGTH * SLOT;

describe('a network that stands still', () => {
  /** @type {Network} */
  let net;
  let ann;
  let ben;

  before(async () => {
    const genesis = ({ validators }) => (validators.sessionLength = SESSION_LENGTH);
    net = await Network.start({ validators: 4, genesis });
    ({ ann, ben } = net.accounts.fresh('ann', 'ben'));
  });
  after(() => net?.stop());

  it('goes on with two of four validators, and finalises all of it when they are back', async () => {
    const [alice, bob, ...others] = net.nodes;
    await Promise.all(others.map((node) => node.kill()));
    // What the two said before their end may still finalise a block or two.
    await blockReached(alice.api, (await alice.best()) + 3);
    const stalled = await alice.finalized();
    await send(alice.api, alice.api.tx.balances.transferKeepAlive(ann.address, TUNE), wellKnown('alice'));
    await sessionBegins(alice.api);
    await blockReached(alice.api, stalled + 10);
    assert.deepEqual([await alice.finalized(), await bob.finalized()], [stalled, stalled]);

    await Promise.all(others.map((node) => net.restart(node)));
    await net.agreesOn(await alice.best());
    assert.equal((await balance(await finalizedState(net.node('dave')), ann)).free, TUNE);
  });

  it('goes on after a power cut that outlasts a whole epoch', async () => {
    const transfer = net.api.tx.balances.transferKeepAlive(ben.address, 2n * TUNE);
    const { block } = await send(net.api, transfer, wellKnown('bob'), { until: 'finalized' });
    const number = (await net.api.rpc.chain.getHeader(block)).number.toNumber();
    const validators = (await net.api.query.session.validators()).toJSON();
    const genesisSlot = (await net.api.query.babe.genesisSlot()).toNumber();
    // Near its beginning, so that no other begins before the nodes are killed.
    const session = await sessionBegins(net.api);
    const epoch = (await net.api.query.babe.epochIndex()).toNumber();
    await blockReached(net.api, (await net.first.best()) + 2);
    await Promise.all(net.nodes.map((node) => node.kill()));

    const lost = genesisSlot + (epoch + 2) * SESSION_LENGTH;
    await until('a whole epoch to pass without a node', () => Date.now() / SLOT >= lost, { within: 2 * SESSION });
    const [first, ...others] = net.nodes;
    await net.restart(first);
    await Promise.all(others.map((node) => net.restart(node)));
    await net.isFinalising();

    // What is finalised first may be blocks from before the cut.
    const last = async () => (await first.api.query.babe.skippedEpochs()).at(-1);
    const skipped = (await until('a block after the cut', last)).map((index) => index.toNumber());
    const now = (await first.api.query.babe.epochIndex()).toNumber();
    assert(skipped[0] >= epoch + 2 && skipped[0] <= now, `the chain went from epoch ${epoch} to ${skipped[0]}`);
    assert.equal(skipped[1], session + 1, 'of sessions none is skipped');
    assert.deepEqual((await first.api.query.session.validators()).toJSON(), validators);
    assert.equal((await first.api.rpc.chain.getBlockHash(number)).toHex(), block);
    assert.equal((await balance(await finalizedState(first), ben)).free, 2n * TUNE);

    await sessionBegins(first.api);
    await net.agreesOn(await first.best());
    await net.moneyAddsUp();
  });
});

/** Waits for the next session, and returns its number. */
async function sessionBegins(api) {
  const current = async () => (await api.query.session.currentIndex()).toNumber();
  const session = await current();
  return until(`session ${session + 1} to begin`, async () => (await current()) > session && current(), {
    within: SESSION,
  });
}

/** The chain as of the last block that a node knows to be final. */
async function finalizedState({ api }) {
  return api.at(await api.rpc.chain.getFinalizedHead());
}
