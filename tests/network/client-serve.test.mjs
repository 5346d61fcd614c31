/**
 * Services and those who judge them, run by the client alone: `ensemble module serve` puts a command and a service behind
 * endpoints that take tickets, `ensemble validator run` scores them, and the node is restarted in between.
 */

import assert from 'node:assert/strict';
import { writeFileSync } from 'node:fs';
import { createServer } from 'node:http';
import { after, before, describe, it } from 'node:test';

import { Client, commandsOf } from '../harness/client.mjs';
import {
  Network,
  ONE,
  TUNE,
  Ticket,
  blockReached,
  buy,
  clock,
  judging,
  minersOf,
  modelTypes,
  phaseReached,
  registerCall,
  registered,
  resultOf,
  send,
  until,
} from '../harness/index.mjs';
import { freePorts } from '../harness/ports.mjs';
import { casesOf } from '../programs/models.mjs';

/** Turns a sentence round, as the models of the tests that chat do. */
const TURN = `awk '{ for (i = NF; i > 0; i--) printf "%s%s", $i, (i > 1 ? " " : "?\\n") }'`;
/** Judges an answer by the words that are where they should be. */
const JUDGE = `
let text = '';
for await (const part of process.stdin) text += part;
const { case: { expect }, output } = JSON.parse(text);
const [right, given] = [expect, String(output)].map((line) => line.split(' '));
console.log(JSON.stringify({ score: right.filter((word, at) => given[at] === word).length / right.length }));
`;
const PRICE = 2n * TUNE;

describe('services run by the client', () => {
  /** @type {Network} */
  let net;
  /** @type {Client} */
  let client;
  let accounts;
  /** Endpoints and their processes, modules by name, and the service that one endpoint passes calls on to. */
  const urls = {};
  const ids = {};
  const serving = {};
  const judges = {};
  let service;
  let node;

  before(async () => {
    const ports = await freePorts(4);
    net = await Network.start({ firstRpcPort: ports[3] });
    node = net.first;
    client = new Client(node.url);
    accounts = await net.accounts.funded('good', 'other', 'bad', 'one', 'two', 'ann', 'eve');
    ['good', 'other', 'bad'].forEach((name, at) => (urls[name] = `http://127.0.0.1:${ports[at]}`));
    const { chat } = await modelTypes(net.api);
    const join = async (name, role) => {
      const call = registerCall(net.api, nameOf(name), { endpoint: urls[name] ?? 'http://127.0.0.1:1' });
      [{ id: ids[name] }] = registered(await send(net.api, call, accounts[name]));
      await send(net.api, net.api.tx.modules.setRole(ids[name], role), accounts[name]);
    };
    await Promise.all([
      ...['good', 'other', 'bad'].map((name) => join(name, 'Miner')),
      ...['one', 'two'].map((name) => join(name, judging([chat]))),
    ]);
    for (const name of ['good', 'other'])
      await send(
        net.api,
        net.api.tx.market.list(ids[name], [{ Tune: { price: PRICE } }], 1_000, 'Turns sentences round.'),
        accounts[name],
      );
    service = await turningService();
  });
  after(async () => {
    for (const daemon of [...Object.values(serving), ...Object.values(judges)]) daemon.kill();
    service?.close();
    client?.remove();
    await net?.stop();
  });

  const nameOf = (name) => (urls[name] ? `gpt-${name}` : `judge-${name}`);

  /** Serves a module. */
  async function serve(name, ...how) {
    const { secret } = accounts[name];
    const more = [`--listen=${urls[name].slice('http://'.length)}`, ...how];
    serving[name] = client.start(`module serve ${nameOf(name)}`, { key: secret, more });
    return serving[name].tells('started');
  }

  /** Lets a validator score. */
  function judge(name, ...how) {
    const more = [`--cases=${client.path('cases.jsonl')}`, '--questions=3', '--timeout=3', '--allow-private', ...how];
    judges[name] = client.start(`validator run ${nameOf(name)}`, { key: accounts[name].secret, more });
    return judges[name].tells('started');
  }

  it('endpoints begin, each once', async () => {
    const started = await serve('good', `--command=${TURN}`, '--max-request=2000', '--redeem-every=6');
    assert.deepEqual([started.module, started.listening, started.publicUrl], [ids.good, urls.good, urls.good]);
    await serve('other', `--forward=${service.url}`);
    await serve('bad', '--command=cat');
    const twice = await client.fail('module serve gpt-good', { key: accounts.good.secret, more: ['--command=cat'] });
    assert.equal(twice.kind, 'key', twice.message);
    const health = await fetch(`${urls.good}/health`);
    assert.deepEqual([health.status, await health.json()], [200, { status: 'ok', module: ids.good }]);
  });

  it('what is no call with a ticket is refused by status, with a remedy', async () => {
    const post = async (body, headers) => {
      const response = await fetch(urls.good, { method: 'POST', body, headers });
      const { error, remedy } = await response.json();
      assert(error && remedy, `${response.status}: ${error}`);
      return response.status;
    };
    const visit = `validator=${ids.one}, time=${Math.floor(Date.now() / 1000)}, nonce=0x${'01'.repeat(16)}, signature=0x${'00'.repeat(64)}`;
    assert.equal(await post('{"input": "a red bird"}'), 402);
    assert.equal(await post('{}'), 400);
    assert.equal(await post(JSON.stringify({ input: 'x'.repeat(3_000) })), 413);
    assert.equal(await post('{"input": 1}', { 'ensemble-visit': 'me' }), 401);
    assert.equal(await post('{"input": 1}', { 'ensemble-visit': visit }), 401);
    assert.equal(await post('{"input": 1}', { 'ensemble-visit': visit.replace(ids.one, 4_000_000) }), 403);
    assert.equal((await fetch(urls.good)).status, 404);
  });

  it('validators learn their miners from the chain, and commit to what they find', async () => {
    const lines = casesOf('chat').map(({ input, output }) => JSON.stringify({ input, expect: output }));
    writeFileSync(client.path('cases.jsonl'), `${lines.join('\n')}\n`);
    writeFileSync(client.path('judge.mjs'), JUDGE);
    const mistake = await client.fail('validator run judge-one', {
      key: accounts.eve.secret,
      more: [`--cases=${client.path('cases.jsonl')}`],
    });
    assert.equal(mistake.kind, 'not-yours');
    await phaseReached(net.api, 'Commit', { room: 7 });
    await judge('one', `--score-command=${process.execPath} ${client.path('judge.mjs')}`);
    await judge('two');
    assert.deepEqual(
      await minersOf(net.api, ids.one),
      [ids.good, ids.other, ids.bad].sort((a, b) => a - b),
    );
    const commitments = await Promise.all(Object.values(judges).map((judge) => judge.tells('committed')));
    assert.equal(commitments[0].epoch, commitments[1].epoch);
    for (const judge of Object.values(judges)) {
      const { miners } = await judge.tells('measured', ({ epoch }) => epoch === commitments[0].epoch);
      const of = (name) => miners.find(({ miner }) => miner === ids[name]);
      for (const name of ['good', 'other', 'bad'])
        assert.deepEqual([of(name).asked, of(name).answered, of(name).isOwn], [3, 3, true], JSON.stringify(of(name)));
      assert.deepEqual([of('good').quality, of('other').quality], [1, 1]);
      assert(of('bad').score < 0.5, JSON.stringify(of('bad')));
    }
    await until('all visits to be told', () => serving.good.all('visited').length >= 6);
  });

  it('the node is restarted, and they reveal what they committed to', async () => {
    const { epoch } = judges.one.all('committed')[0];
    await judges.two.kill();
    await node.stop();
    await judges.one.tells('disconnected');
    await until('an endpoint to notice', async () => (await fetch(`${urls.good}/health`)).status === 503);
    await net.restart(node);
    await judge('two');
    await Promise.all(Object.values(judges).map((judge) => judge.tells('revealed', (event) => event.epoch === epoch)));
    await judges.one.tells('connected');
    const result = (name) => resultOf(net.api, epoch, ids[name]);
    const [good, bad] = await Promise.all(['good', 'bad'].map(result));
    assert.deepEqual(good.ratings.map(({ validator }) => validator).sort(), [ids.one, ids.two].sort());
    assert(good.score.score > 0.7 * ONE && bad.score.score < 0.5 * ONE, `${good.score.score} ${bad.score.score}`);
  });

  it('who has a ticket is served, and nobody else', async () => {
    await until(
      'both to be listed',
      async () => {
        const listings = await Promise.all(['good', 'other'].map((name) => net.api.call.marketApi.listing(ids[name])));
        return listings.every((listing) => listing.unwrap().listed.isTrue);
      },
      { within: 120_000 },
    );
    const { ann, eve } = accounts;
    const ticket = await buy(net, ann, ids.good, 4, 'Tune');
    assert.deepEqual(await ticket.call(urls.good, 'a red bird'), { status: 200, output: 'bird red a?', left: 3 });
    const refuse = async (ticket, options, status, reason) => {
      const answer = await ticket.call(urls.good, 'a red bird', options);
      assert.equal(answer.status, status, answer.error);
      assert.match(answer.error, reason);
      assert(answer.remedy);
    };
    await refuse(ticket, { calls: 1 }, 403, /^23007: .*answered already/);
    await refuse(ticket, { calls: 3 }, 409, /call 2 of ticket/);
    await refuse(ticket, { calls: 5 }, 402, /^23005: /);
    await refuse(ticket, { signer: eve }, 403, /^23008: /);
    await refuse(ticket, { signedFor: urls.other }, 403, /^23008: /);
    await refuse(new Ticket(net.api, ann, 1_000_000), {}, 402, /^23001: /);
    const [foreign, brief] = [
      await buy(net, ann, ids.other, 2, 'Tune'),
      await buy(net, ann, ids.good, 1, 'Tune', { validity: 1 }),
    ];
    await refuse(foreign, {}, 403, /^23002: /);
    assert.equal((await foreign.call(urls.other, 'snow on a roof')).output, 'roof a on snow?');
    await blockReached(net.api, (await brief.view()).until.toNumber() + 1);
    await refuse(brief, {}, 402, /^23003: /);

    // Of two calls with the same receipt, one is answered.
    const twins = await Promise.all([1, 2].map(() => ticket.call(urls.good, 'a slow train', { calls: 2 })));
    const [served, refused] = twins.sort((one, other) => one.status - other.status);
    assert.equal(served.output, 'train slow a?');
    assert([403, 409].includes(refused.status), refused.error);
    await refuse(ticket, { calls: 2 }, 403, /^23007: /);
  });

  it('an endpoint that was killed answers nothing twice, and redeems what it has served', async () => {
    const { ticket } = serving.good.all('served').at(-1);
    const again = new Ticket(net.api, accounts.ann, ticket);
    await serving.good.tells('redeemed');
    await serving.good.kill();
    await serve('good', `--command=${TURN}`, '--redeem-every=3600');
    const refused = await again.call(urls.good, 'a red bird', { calls: 2 });
    assert.deepEqual([refused.status, refused.code], [403, 23007]);
    assert.equal((await again.call(urls.good, 'a red bird', { calls: 3 })).left, 1);
    const daemon = serving.good;
    assert.equal(await daemon.stop(), 0);
    assert.deepEqual(daemon.all('redeemed').at(-1).receipts, [{ ticket, calls: 3 }]);
    assert.equal((await again.view()).redeemed.toNumber(), 3);
    assert.equal(daemon.events.at(-1).event, 'stopped');
  });

  it('validators end in good order, having gone on epoch after epoch', async () => {
    const { epoch } = await clock(net.api);
    assert(epoch > 0);
    await judges.two.tells('committed');
    for (const judge of Object.values(judges)) {
      assert.equal(await judge.stop(), 0);
      assert.equal(judge.events.at(-1).event, 'stopped');
      assert.deepEqual(judge.all('lost'), []);
    }
    for (const name of ['other', 'bad']) assert.equal(await serving[name].stop(), 0);
    assert.deepEqual(
      commandsOf('client-serve').filter((name) => !client.answered.has(name)),
      [],
    );
  });

  /** A service without any knowledge of the chain. */
  async function turningService() {
    const server = createServer(async (request, response) => {
      let body = '';
      for await (const part of request) body += part;
      const output = `${JSON.parse(body).input.split(' ').reverse().join(' ')}?`;
      response.end(JSON.stringify({ output }));
    });
    await new Promise((resolve) => server.listen(0, '127.0.0.1', resolve));
    return { url: `http://127.0.0.1:${server.address().port}`, close: () => server.close() };
  }
});
