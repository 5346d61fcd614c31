/** Models that four validators serve: honest answers, lies that are outvoted, and lies that are shown on the chain. */

import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';

import { DispatchError, Network, TUNE, Tensor, refused, send, sendAsRoot } from '../harness/index.mjs';
import { tokensTensor, withShortSessions } from '../harness/inference.mjs';
import { BOND, Scene } from '../harness/scene.mjs';

/** Of many positions, so that a row that is wrong at all of them is found whichever is looked at. */
const LONG = 24;
/** A row in the first of three ranges. */
const LIE = ['blk.0.ffn_gate.weight', 5];
/** The stage in which that row is multiplied. */
const GATE = 2;

/** What gateways say that their workers did not: other tokens than were computed with. */
const LIES = {
  'ends with another token': (tokens) => [...tokens.slice(0, -1), (tokens.at(-1) + 1) % 100],
  'answers another prompt': ([first, ...rest]) => [first + 7, ...rest],
};

const sum = (amounts) => amounts.reduce((total, amount) => total + amount, 0n);

describe('inference on four validators', { concurrency: true }, () => {
  /** @type {Network} */
  let net;

  before(async () => {
    net = await Network.start({ validators: 4, genesis: withShortSessions, args: ['--gateway-replicas=1'] });
    // It generates, and leaves closing to others: it has no off-chain worker.
    await net.add({ name: 'eve' });
    // So that credits of a few sessions pay for another one.
    const { rates, split, slashes, owners } = await net.api.query.inference.currentParameters();
    const dear = { rates: { position: TUNE / 10n, billion: rates.billion }, split, slashes, owners };
    await sendAsRoot(net.api, net.api.tx.inference.setParameters(dear), net.accounts.alice, { until: 'finalized' });
  });
  after(async () => {
    try {
      await net?.moneyAddsUp();
    } finally {
      await net?.stop();
    }
  });

  it('one replica and three answer what a machine alone answers, and everybody is paid', async () => {
    const scene = await Scene.on(net, 1);
    const before = await scene.owned();
    const sessions = await Promise.all([1, 3].map((replicas) => scene.asks({ maxTokens: LONG, replicas })));
    const expected = await scene.alone(LONG);
    const dues = [];
    for (const session of sessions) {
      const { items, end } = await session.generate();
      assert.deepEqual(end.tokens.slice(0, expected.length), expected);
      assert.deepEqual([...session.tokens, ...items.map(({ token }) => token)], end.tokens);
      assert.equal(end.positions, end.tokens.length - 1);
      assert.deepEqual([end.disagreements, end.dropped], [[], []]);
      const facts = await session.facts();
      assert.equal(facts.price, String(scene.prices.price(scene.model.shape, session.question)));
      assert.deepEqual(
        facts.workers.map(({ account }) => account),
        session.places.map(({ account }) => account.address),
      );
      dues.push([session, end.positions]);
    }
    const changes = Object.fromEntries(scene.crew.map(({ account }) => [account.address, 0n]));
    let [toGateway, fromAsker] = [0n, 0n];
    for (const [session, positions] of dues) {
      const { replicas } = session.question;
      const votes = await session.voted();
      for (const { backers, outvoted } of votes) assert.deepEqual([backers.length, outvoted], [replicas, []]);
      const settled = await session.settled();
      const pieces = scene.pieces(session, positions);
      const due = scene.due(session, positions);
      assert.deepEqual(settled.paid, due);
      // Nobody has locked shares, so that what would become credits is burnt.
      assert.deepEqual([settled.gateway, settled.credits], [pieces.gateway, 0n]);
      assert.equal(settled.burnt, pieces.burnt + pieces.credits);
      assert.deepEqual([settled.refund, settled.slashed], [undefined, {}]);
      const spent = sum(Object.values(due)) + pieces.gateway + pieces.burnt + pieces.credits;
      assert.equal(settled.returned, session.price - scene.prices.fee(session.question) - spent);
      for (const [who, amount] of Object.entries(due)) changes[who] += amount;
      toGateway += pieces.gateway;
      fromAsker += session.price - settled.returned + session.fee;
    }
    const paid = scene.crew.map(({ node, account }) => [`on ${node.name}`, changes[account.address]]);
    assert.deepEqual(await scene.changes(before), {
      asker: -fromAsker,
      gateway: toGateway,
      ...Object.fromEntries(paid),
    });
  });

  it('a false dispute costs the challenger, and changes nothing else', async () => {
    const scene = await Scene.on(net, 2, { others: ['challenger'] });
    const session = await scene.asks({ workers: 2, maxTokens: 4 });
    const { end } = await session.generate();
    await session.voted();
    // Before the stage after it the state is the same, and the evidence says that it is not.
    const proof = await scene.gateway.node.tensors.proof(end.trace, 0);
    const carry = { Glue: { Carry: { stage: 1, trace: asRowProof(proof) } } };
    const { challenger } = scene.accounts;
    const before = await scene.owned();
    const call = net.api.tx.inference.dispute(session.id, carry);
    const receipt = await send(net.api, call, challenger, { until: 'finalized' });
    const rejected = receipt.event('inference', 'Rejected').data;
    const deposit = net.api.consts.inference.disputeDeposit.toBigInt();
    assert.deepEqual([rejected.lost.toBigInt(), rejected.culprit.isGateway], [deposit, true]);
    assert.deepEqual(await scene.changes(before), { challenger: -deposit - receipt.fee });
    // Evidence that cannot be any is not looked at, and costs a fee only.
    const other = { Glue: { Carry: { stage: 2, trace: asRowProof(proof) } } };
    const malformed = send(net.api, net.api.tx.inference.dispute(session.id, other), challenger);
    await assert.rejects(malformed, new DispatchError('inference.MalformedEvidence'));
    const { paid, refund } = await session.settled();
    assert.deepEqual([paid, refund], [scene.due(session, end.positions), undefined]);
  });

  it('a worker that lies in one row is outvoted and slashed', async () => {
    const scene = await Scene.on(net, 3);
    const liar = scene.on('dave');
    await scene.model.alterRow(liar.node, ...LIE);
    const before = await scene.owned();
    const session = await scene.asks({ maxTokens: LONG, replicas: 3 });
    const place = session.places.indexOf(liar);
    const { end } = await session.generate();
    const expected = await scene.alone(LONG);
    assert.deepEqual(end.tokens.slice(0, expected.length), expected, 'the answer is right all the same');
    assert.equal(end.disagreements.length, end.positions);
    for (const found of end.disagreements) assert.deepEqual([found.place, found.range, found.stage], [place, 0, GATE]);

    const honest = [0, 1, 2].filter((other) => other !== place);
    const [first, ...others] = await session.voted();
    assert.deepEqual(first, { backers: honest, outvoted: [place] });
    for (const vote of others) assert.deepEqual(vote, { backers: [0, 1, 2], outvoted: [] });
    const settled = await session.settled();
    const served = (at) => scene.ranges(session, at).filter((range) => at !== place || range !== 0);
    const due = scene.due(session, end.positions, served);
    const lost = scene.prices.outvoted(BOND);
    assert.deepEqual(settled.paid, due);
    assert.deepEqual([settled.slashed, settled.refund], [{ [liar.account.address]: lost }, undefined]);
    const changes = await scene.changes(before);
    assert.equal(changes['on dave'], due[liar.account.address] - lost);
    assert.equal(changes.asker, settled.returned - session.price - session.fee);
  });

  it('a majority that lies wins the vote, and loses when an honest worker has the chain compute the row', async () => {
    const scene = await Scene.on(net, 4);
    const liars = [scene.on('bob'), scene.on('charlie')];
    for (const { node } of liars) await scene.model.alterRow(node, ...LIE);
    const before = await scene.owned();
    const session = await scene.asks({ maxTokens: LONG, replicas: 3 });
    const { end } = await session.generate();
    const honest = session.places.indexOf(scene.on('dave'));
    assert.equal(end.disagreements.length, end.positions);
    for (const found of end.disagreements) assert.deepEqual([found.place, found.range, found.stage], [honest, 0, GATE]);

    const [first] = await session.voted();
    const places = liars.map((liar) => session.places.indexOf(liar)).sort();
    assert.deepEqual(first.backers, places);
    const upheld = await session.upheld();
    assert.deepEqual(upheld.culprit, { range: 0 });
    const slashed = 2n * scene.prices.wrong(BOND);
    assert.deepEqual([upheld.slashed, upheld.reward], [slashed, scene.prices.reward(slashed)]);
    assert(['alice', 'dave'].includes(Scene.nodeOf(upheld.challenger)), 'who has the right rows disputes');

    const settled = await session.settled();
    assert.equal(settled.refund, 'Wrong');
    const guilty = (place) => places.includes(place);
    // The honest one is paid out of what the liars lost, also for the range in which it was outvoted.
    const due = scene.due(session, end.positions, (place) => (guilty(place) ? [] : scene.ranges(session, place)));
    assert.deepEqual(settled.paid, due);
    const fee = scene.prices.fee(session.question);
    assert.deepEqual(
      [settled.returned, settled.gateway],
      [session.price - fee, scene.pieces(session, end.positions).gateway],
    );
    const changes = await scene.changes(before);
    assert.equal(changes.asker, -session.fee, 'the requester has lost the fee of its transaction and nothing else');
    for (const name of ['on bob', 'on charlie']) assert.equal(changes[name], -scene.prices.wrong(BOND));
    const rewarded = (account) => (account.address === upheld.challenger ? upheld.reward : 0n);
    const { account } = scene.on('dave');
    assert.equal(changes['on dave'], due[account.address] + rewarded(account));
    assert.equal(changes.gateway, settled.gateway + rewarded(scene.gateway.account));
  });

  it('a gateway with a false norm is found by watchers, and pays for the session', async () => {
    const scene = await Scene.on(net, 5);
    await scene.model.alterRow(scene.gateway.node, 'blk.1.ffn_norm.weight', 0);
    const before = await scene.owned();
    const session = await scene.asks({ maxTokens: 6, workers: 3 });
    const { end } = await session.generate();
    await gatewayPays(scene, session, end.positions, before);
  });

  for (const [number, [what, lie]] of Object.entries(LIES).entries()) {
    it(`a gateway that ${what} is found by watchers too`, async () => {
      const scene = await Scene.on(net, 6 + number, { gateway: 'eve' });
      const { tensors } = scene.gateway.node;
      const before = await scene.owned();
      const session = await scene.asks({ maxTokens: 6 });
      const { end } = await session.generate();
      const tokens = tokensTensor(lie(end.tokens));
      await tensors.put(tokens.id, tokens.encoded);
      const trace = await tensors.download(end.trace);
      await session.close({ tokens: tokens.descriptor, trace: trace.descriptor, contested: null });
      await gatewayPays(scene, session, end.positions, before);
    });
  }

  it('a gateway that closes with less than it had computed is found by its workers, and pays for the session', async () => {
    const scene = await Scene.on(net, 24, { gateway: 'eve' });
    const { tensors } = scene.gateway.node;
    const before = await scene.owned();
    const session = await scene.asks({ maxTokens: 8 });
    const { end } = await session.generate();
    // One position less could be an answer that broke off.
    const positions = end.positions - 2;
    const tokens = tokensTensor(end.tokens.slice(0, positions + 1));
    const trace = firstRows(await tensors.download(end.trace), positions);
    for (const each of [tokens, trace]) await tensors.put(each.id, each.encoded);
    await session.close({ tokens: tokens.descriptor, trace: trace.descriptor, contested: null });
    for (const { backers } of await session.voted()) assert.equal(backers.length, 1, 'its worker votes for so much');
    const { slashed } = await session.upheld();
    assert(slashed >= session.price, 'it has not saved anything');
    await gatewayPays(scene, session, positions, before);
  });

  it('a gateway that asks itself and does not close, or closes with what nobody gets, loses the price', async () => {
    const scene = await Scene.on(net, 26, { gateway: 'eve' });
    const { tensors } = scene.gateway.node;
    const asker = scene.accounts.gateway;
    const before = await scene.owned();
    const sessions = await Promise.all([4, 5].map((maxTokens) => scene.asks({ asker, maxTokens, consent: null })));
    const ends = [];
    for (const session of sessions) ends.push((await session.generate()).end);
    const [, hollow] = sessions;
    const trace = (await tensors.download(ends[1].trace)).altered();
    await hollow.close({ tokens: tokensTensor(ends[1].tokens).descriptor, trace: trace.descriptor, contested: null });
    for (const [at, session] of sessions.entries()) {
      assert.deepEqual(ends[at].tokens, (await scene.alone(5)).slice(0, ends[at].tokens.length), 'it has an answer');
      const settled = await session.settled();
      assert.deepEqual([settled.refund, settled.gateway], [['NotClosed', 'NobodyAgreed'][at], 0n]);
      assert.deepEqual(settled.slashed, { [asker.address]: session.price });
      assert.deepEqual(Object.values(settled.paid), [0n, 0n, 0n], 'and nobody has gained by that');
    }
    for (const { vote } of hollow.events('RangeDecided'))
      assert(vote.isVoid, 'nobody votes for what it did not compute');
    const lost = sum(sessions.map(({ price, fee }) => price + fee));
    assert.deepEqual(await scene.changes(before), { gateway: -lost });
  });

  it('a gateway that has agreed answers by itself, whether anybody listens or not', async () => {
    const scene = await Scene.on(net, 23, {
      workers: ['alice', 'charlie', 'dave'],
      gateway: 'bob',
      others: ['stranger'],
    });
    const { asker, stranger } = scene.accounts;
    const { model, gateway } = scene;
    const terms = { tokens: await scene.tokens('the end'), maxTokens: 6, workers: 3, replicas: 1 };
    const before = await scene.owned();
    const consent = await model.ask(asker, gateway, terms);
    assert.equal(consent.gateway, gateway.account.address);
    const session = await scene.opens({ ...terms, consent });
    assert.equal(consent.price, String(session.price));
    const fees = await opensNothingElse(scene, consent, terms);
    await session.assigned();
    const { closing } = (await session.event('SessionClosed')).data;
    const { tokens, positions, dropped } = (await session.generate()).end;
    assert.deepEqual(dropped, [], 'who asks afterwards is told all of it');
    assert.equal(closing.tokens.root.toHex(), tokensTensor(tokens).descriptor.root);
    const settled = await session.settled();
    const due = scene.due(session, positions);
    assert.deepEqual([settled.paid, settled.refund], [due, undefined]);
    const paid = scene.crew.map(({ node, account }) => [`on ${node.name}`, due[account.address]]);
    assert.deepEqual(await scene.changes(before), {
      asker: settled.returned - session.price - session.fee,
      stranger: -fees,
      gateway: scene.pieces(session, positions).gateway,
      ...Object.fromEntries(paid),
    });

    // A node does not give its word for what could not be opened.
    const { pauper } = net.accounts.fresh('pauper');
    await assert.rejects(model.ask(pauper, gateway, terms), /cannot pay/);
    const elsewhere = { ...gateway, account: scene.on('alice').account };
    await assert.rejects(model.ask(stranger, elsewhere, terms), /key/);
  });

  it('credits that shares have earned pay sessions until they run out', async () => {
    const scene = await Scene.on(net, 9);
    const { ann, asker } = scene.accounts;
    const { model } = scene;
    const shares = 1_000_000_000_000n;
    const lock = net.api.tx.inference.lock(model.id, 'Contribution', shares);
    await send(net.api, lock, ann, { until: 'finalized' });
    assert.equal(await model.credits(ann), 0n);

    const paying = await scene.asks({ maxTokens: LONG, workers: 1 });
    const { end } = await paying.generate();
    const { credits } = await paying.settled();
    assert.equal(credits, scene.pieces(paying, end.positions).credits);
    assert.equal(await model.credits(ann), credits);
    assert.equal(await model.credits(asker), 0n, 'who pays earns none');

    const terms = { prompt: 'the', maxTokens: 6, workers: 1, payment: 'Credits' };
    await assert.rejects(scene.asks(terms), new DispatchError('inference.TooFewCredits'));
    const free = await scene.owned();
    let left = credits;
    let spent = 0;
    for (; ; spent += 1) {
      const { tokens } = await model.prompt(net.first, 'the');
      const question = { ...terms, promptTokens: tokens.length, replicas: 1 };
      if (left < scene.prices.price(model.shape, question)) break;
      const session = await scene.asks({ ...terms, asker: ann });
      left -= session.price;
      assert.equal(await model.credits(ann), left);
      const { end } = await session.generate();
      const settled = await session.settled();
      assert.deepEqual(settled.paid, scene.due(session, end.positions));
      left += settled.returned + settled.credits;
      assert.equal(await model.credits(ann), left);
    }
    assert(spent > 0, 'credits paid for a session');
    await assert.rejects(scene.asks({ ...terms, asker: ann }), new DispatchError('inference.TooFewCredits'));
    const changes = await scene.changes(free);
    assert(changes.ann < 0n && changes.ann > -TUNE / 10n, 'Ann has paid the fees of transactions only');

    const unlock = net.api.tx.inference.unlock(model.id, 'Contribution', shares);
    await send(net.api, unlock, ann, { until: 'finalized' });
    assert.equal(await model.credits(ann), left, 'credits stay when shares are unlocked');
  });

  /** A stranger opens nothing with a consent that was used, nor with one that is not for this. Returns what it paid for. */
  async function opensNothingElse({ model, gateway, crew, accounts }, used, terms) {
    const { asker, stranger } = accounts;
    const best = await net.first.best();
    const late = best + 2 * net.api.consts.inference.consentLength.toNumber();
    const agreed = (options) => model.consent(stranger, gateway, terms, options);
    const open = (consent, other = {}) => model.openCall(gateway, { ...terms, ...other }, consent);
    const another = 'inference.NotWhatWasAgreed';
    return refused(net, stranger, [
      [open(null), 'inference.NoConsent'],
      [open(await agreed({ number: used.number })), 'inference.ConsentUsed'],
      [open(await agreed({ until: best - 1 })), 'inference.ConsentExpired'],
      [open(await agreed({ until: late })), 'inference.ConsentTooLong'],
      [open(await agreed(), { maxTokens: 7 }), another],
      [open(await agreed(), { payment: 'Credits' }), another],
      [open(await model.consent(asker, gateway, terms)), another],
      [open(await model.consent(stranger, crew[0], terms)), another],
    ]);
  }

  /** The gateway of a session is shown to be wrong: it pays the workers and the challenger. */
  async function gatewayPays(scene, session, positions, before) {
    const upheld = await session.upheld();
    const slashed = scene.prices.wrong(BOND);
    assert.deepEqual(upheld.culprit, { gateway: null });
    assert.deepEqual([upheld.slashed, upheld.reward], [slashed, scene.prices.reward(slashed)]);
    const challenger = scene.crew.find(({ account }) => account.address === upheld.challenger);
    const settled = await session.settled();
    const due = scene.due(session, positions);
    assert.deepEqual([settled.refund, settled.gateway, settled.paid], ['Wrong', 0n, due]);
    const changes = await scene.changes(before);
    assert.deepEqual([changes.asker, changes.gateway], [-session.fee, -slashed]);
    for (const { node, account } of scene.crew) {
      const rewarded = account === challenger?.account ? upheld.reward : 0n;
      assert.equal(changes[`on ${node.name}`], due[account.address] + rewarded, node.name);
    }
  }
});

/** A table of the first rows of another. */
const firstRows = ({ kind, cols, data, leafLength }, rows) =>
  Tensor.of(kind, rows, cols, data.subarray(0, rows * leafLength));

/** A proof of a row as evidence has it. */
function asRowProof({ header, index, leaf, siblings }) {
  const kind = header.kind.toUpperCase();
  return { header: { ...header, kind }, index, leaf, siblings };
}
