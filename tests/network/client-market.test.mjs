/** The client's commands of market, governance and election, on a real node. */

import assert from 'node:assert/strict';
import { writeFileSync } from 'node:fs';
import { after, before, describe, it } from 'node:test';

import { Client, commandsOf } from '../harness/client.mjs';
import {
  Network,
  Program,
  Referendum,
  TUNE,
  Task,
  Tensor,
  modelTypes,
  register,
  scored,
  send,
  judging,
  tensorContent,
  until,
  wellKnown,
} from '../harness/index.mjs';

/** A number that nothing has here. */
const NONE = 4_000_000;
const SELLER = '//Charlie';
const BUYER = '//Dave';
const VOTER = '//Bob';
const TEXT = 'Turns sentences round, politely.';
/** What access to a contribution costs. */
const PRICE = 9n * TUNE;

describe('the client', () => {
  /** @type {Network} */
  let net;
  /** @type {Client} */
  let client;
  let accounts;

  before(async () => {
    net = await Network.start();
    client = new Client(net.first.url);
    accounts = await net.accounts.funded('creator', 'zoe', 'max', 'giver', 'poor');
  });
  after(async () => {
    client?.remove();
    await net?.stop();
  });

  /** The kind of the error with which a command ends. */
  const kind = async (line, options) => (await client.fail(line, options)).kind;

  describe('stories', { concurrency: 4 }, () => {
    it('lists a module, sells its calls, signs for them and redeems them', async () => {
      const args = [net.first.url, 'gpt-shop', '--port=0', `--state=${client.path('shop')}`, '--batch=100'];
      const shop = await Program.start('shop', args, { secret: SELLER });
      try {
        await sellsCalls(shop);
      } finally {
        await shop.kill();
      }
    });

    async function sellsCalls(shop) {
      const [seller, buyer] = [{ key: SELLER }, { key: BUYER }];
      const { module } = await client.ask(`module register gpt-shop --endpoint ${shop.url}`, seller);
      await client.ask(`miner join ${module}`, seller);
      assert.equal(await kind('market show gpt-shop'), 'not-found');
      assert.equal(await kind(`market offer ${module} burn`, buyer), 'not-yours');
      assert.equal((await client.run(`market offer ${module} gold`, seller)).code, 2);
      await client.ask(`market offer ${module} burn tune=2 --intensity 0.5`, { ...seller, more: [`--text=${TEXT}`] });
      assert.equal((await client.ask('market show gpt-shop')).isListed, false);
      assert.equal(await kind(`market buy ${module} 1`, buyer), 'refused');

      await praised(module);
      const search = () => client.ask('market list politely sentences --type chat');
      await until('the listing', async () => (await search()).listings.length === 1);
      const [listing] = (await search()).listings;
      assert.deepEqual([listing.module, listing.text, listing.score], [module, TEXT, 0.9]);
      assert.deepEqual((await client.ask('market list no-such-word')).listings, []);
      const first = await client.ask('market list --limit 1');
      assert.equal(first.listings.length, 1);
      if (first.next) assert.deepEqual((await client.ask(`market list --after ${first.next}`)).listings, []);
      assert.equal((await client.run('market list --after next')).code, 2);

      await client.ask(`market update ${module} --intensity 1`, seller);
      const changed = await client.ask(`market show ${module}`);
      assert.deepEqual(
        [changed.text, changed.intensity, changed.costs.length],
        [TEXT, 1, 2],
        'what was not given stays',
      );
      const { costs } = await client.ask(`market price ${module} --calls 3`);
      assert.deepEqual(
        costs.map(({ way, price }) => [way, price.tune]),
        [
          ['burn', '84'],
          ['tune', '6'],
        ],
      );

      const bought = await client.ask(`market buy gpt-shop 3`, buyer);
      assert.deepEqual([bought.cost.way, bought.cost.price.tune, bought.calls], ['tune', '6', 3]);
      const burnt = await client.ask('market buy gpt-shop 1 --with burn --blocks 100', buyer);
      assert.deepEqual([burnt.cost.way, burnt.cost.price.tune], ['burn', '28']);
      await usesCalls(shop, module, bought.ticket);

      assert.match((await client.fail(`market buy ${module} 1 --with asset:9`, buyer)).message, /Market.WrongWay/);
      assert.match((await client.fail(`market buy ${module} 1`, seller)).message, /Market.OwnListing/);
      assert.match((await client.fail(`market buy ${module} 0`, buyer)).message, /Market.ZeroCalls/);
      assert.equal((await client.run(`market buy ${module} 1 --with nothing`, buyer)).code, 2);
      assert.equal(await kind(`market buy ${module} 1000`, { key: accounts.poor.secret }), 'no-funds');
      const stats = await client.ask('market stats');
      assert.deepEqual([stats.tickets, stats.sold, stats.calls], [2, 4, 2]);
      await client.ask(`market unlist ${module}`, seller);
      assert.equal(await kind(`market unlist ${module}`, seller), 'refused');
      assert.equal(await kind(`market update ${module} burn`, seller), 'not-found');
    }

    /** Has the shop answer two calls of a ticket of three, and redeems them. */
    async function usesCalls(shop, module, ticket) {
      const [seller, buyer] = [{ key: SELLER }, { key: BUYER }];
      const call = async (token) => {
        const response = await fetch(shop.url, {
          method: 'POST',
          body: JSON.stringify({ ...token, input: 'a red bird' }),
        });
        return { status: response.status, ...(await response.json()) };
      };
      await shop.said('which module it is', ({ id }) => id === module);
      const first = await client.ask(`market use ${ticket}`, buyer);
      assert.deepEqual([first.calls, first.left, first.endpoint], [1, 2, shop.url]);
      assert.deepEqual(await call(first), { status: 200, output: 'bird red a?', left: 2 });
      assert.equal((await call(first)).status, 403, 'no call is answered twice');
      const second = await client.ask(`market use ${ticket} --endpoint ${shop.url}`, buyer);
      assert.equal(second.calls, 2);
      assert.equal(
        (await call(await client.ask(`market use ${ticket} --endpoint http://127.0.0.1:1 --calls 2`, buyer))).status,
        403,
      );
      assert.equal((await call(second)).status, 200);

      assert.equal(await kind(`market use ${ticket}`, { key: SELLER }), 'not-yours');
      assert.equal(await kind(`market use ${NONE}`, buyer), 'not-found');
      const exhausted = await client.fail(`market use ${ticket} --calls 4`, buyer);
      assert.equal(exhausted.kind, 'node-refused');
      assert.match(exhausted.message, /23005/);

      const [mine] = await client.ask('market tickets', buyer);
      assert.deepEqual([mine.ticket, mine.signed, mine.redeemed], [ticket, 2, 0]);
      assert.equal((await client.ask(`market tickets --module ${module}`)).length, 2);
      const receipts = client.path('receipts');
      assert.equal(await kind(`market redeem ${receipts}`, seller), 'file');
      writeFileSync(receipts, 'no receipt\n');
      assert.equal(await kind(`market redeem ${receipts}`, seller), 'file');
      writeFileSync(receipts, `${JSON.stringify(first)}\n${JSON.stringify(second)}\n`);
      const { tickets } = await client.ask(`market redeem ${receipts}`, seller);
      assert.deepEqual(tickets, [{ ticket, module, calls: 2, redeemed: 2 }]);
      assert.equal(await kind(`market redeem ${receipts}`, seller), 'not-found');
      const forged = { ...second, calls: 3 };
      writeFileSync(receipts, `${JSON.stringify(forged)}\n`);
      assert.match((await client.fail(`market redeem ${receipts}`, seller)).message, /Market.BadSignature/);
    }

    /** Has a validator find a module good. */
    async function praised(module) {
      const { api } = net;
      const eve = wellKnown('eve');
      const [{ id: judge }] = (await register(api, eve, 'judge-of-shops')).modules;
      const { chat } = await modelTypes(api);
      await send(api, api.tx.modules.setRole(judge, judging([chat])), eve);
      await until('a match', async () => (await client.ask(`miner status ${module}`)).validators.includes(judge));
      await scored(net, eve, judge, { [module]: 900_000 });
    }

    it('sells access to what won a task', async () => {
      const { creator, zoe, max, poor } = accounts;
      const tensor = Tensor.i16(20, 8, [...Array(160).keys()]);
      const audience = { Restricted: { exchanged: false } };
      const content = tensorContent(tensor);
      const task = await Task.create(net, creator, { content, maxParticipants: 2, audience });
      await net.first.tensors.restrict(tensor.id, task.id);
      await net.first.tensors.put(tensor.id, tensor.encoded);
      await task.agree([zoe, max].map((who) => [who, tensor]));
      const { participants } = await task.settled();
      assert.equal(await kind(`market sale ${task.id}`), 'not-found');
      assert.equal(await kind(`market access ${task.id}`, { key: poor.secret }), 'not-found');

      for (const who of [zoe, max]) {
        const { shares } = participants[who.address];
        const sold = await client.ask(`market sell ${task.id} ${shares} --ask 9`, { key: who.secret });
        assert.equal(sold.shares, shares.toString());
      }
      assert.equal((await client.ask(`market sale ${task.id}`)).cost.price.planck, `${PRICE}`);
      assert.equal(await kind(`market sell ${task.id} 1 --ask 9`, { key: poor.secret }), 'refused');
      const access = await client.ask(`market access ${task.id}`, { key: poor.secret });
      assert.equal(access.price.planck, `${PRICE}`);
      const { mine } = await client.ask(`market sale ${task.id}`, { key: zoe.secret });
      const claimed = await client.ask(`market claim ${task.id}`, { key: zoe.secret });
      assert.deepEqual([claimed.amount, claimed.amount.tune], [mine.due, '4.5']);
      assert.equal(await kind(`market claim ${task.id}`, { key: zoe.secret }), 'refused');
    });

    it('tells of referenda, and votes on them', async () => {
      const [voter, giver] = [{ key: VOTER }, { key: accounts.giver.secret }];
      const referendum = await Referendum.propose(net.api, {
        origin: { Origins: 'Registry' },
        call: net.api.tx.modules.addType('governed'),
        by: wellKnown('ferdie'),
      });
      const number = referendum.index;
      const [line] = await client.ask('governance list');
      assert.deepEqual([line.referendum, line.call, line.track], [number, 'Modules.add_type', 'registry']);
      const shown = await client.ask(`governance show ${number}`);
      assert.match(shown.proposal, /add_type.*"governed"/);
      assert.equal(shown.submitter, wellKnown('ferdie').address);
      assert((await client.ask('governance tracks')).some(({ name }) => name === 'registry'));

      await client.ask(`governance vote ${number} aye 100 --conviction 2`, voter);
      assert.equal((await client.ask(`governance show ${number}`)).tally.ayes.tune, '200');
      const bob = wellKnown('bob').address;
      await client.ask(`governance delegate registry ${bob} 10 --conviction 0`, giver);
      assert.equal((await client.ask(`governance show ${number}`)).tally.ayes.tune, '201');
      const given = await client.ask('governance votes', giver);
      assert.deepEqual(
        given.delegations.map(({ to, amount, conviction }) => [to, amount.tune, conviction]),
        [[bob, '10', 0]],
      );
      assert.equal(await kind(`governance vote ${number} aye 1`, giver), 'refused');
      await client.ask('governance undelegate registry', giver);
      assert.equal(await kind('governance undelegate registry', giver), 'refused');
      await client.ask(`governance vote ${number} abstain 7`, giver);
      await client.ask(`governance vote ${number} nay 50 --conviction 1`, voter);
      const { tally } = await client.ask(`governance show ${number}`);
      assert.deepEqual([tally.ayes.tune, tally.nays.tune, tally.support.tune], ['0', '50', '7']);
      const { votes, locks } = await client.ask(`governance votes ${bob}`);
      assert.deepEqual(
        votes.map(({ referendum, vote, amount, conviction }) => [referendum, vote, amount.tune, conviction]),
        [[number, 'nay', '50', 1]],
      );
      assert.deepEqual([locks[0].track, locks[0].amount.tune], ['registry', '100']);

      await client.ask(`governance remove-vote ${number}`, voter);
      assert.equal(await kind(`governance remove-vote ${number}`, voter), 'not-found');
      await client.ask('governance unlock registry', voter);
      assert.deepEqual((await client.ask(`governance votes ${bob}`)).locks, []);

      assert.equal(await kind(`governance show ${NONE}`), 'not-found');
      assert.equal(await kind(`governance vote ${NONE} aye 1`, voter), 'not-found');
      assert.equal(await kind(`governance vote ${number} aye 5000`, giver), 'no-funds');
      assert.equal((await client.run(`governance vote ${number} aye 1 --conviction 7`, voter)).code, 2);
      assert.equal((await client.run(`governance vote ${number} maybe 1`, voter)).code, 2);
      const { message, remedy } = await client.fail('governance unlock nothing', voter);
      assert.equal(message, 'there is no track `nothing`');
      assert.match(remedy, /root, parameters, registry/);
    });

    it('stands for election as a validator of blocks', async () => {
      const one = { key: '//One' };
      const { module } = await client.ask('module register judge-of-one --endpoint https://one.example/v1', one);
      await client.ask(`validator join ${module} --types chat`, one);
      assert.match((await client.fail(`validator stand ${module}`, one)).remedy, /set-keys/);
      assert.equal(await kind(`validator stand ${module}`, { key: '//Two' }), 'not-yours');
      await client.ask('validator set-keys', one);
      assert.match((await client.fail(`validator stand ${module}`, one)).message, /Validators.StakeTooLow/);
      const { minStake, validators } = await client.ask('network validators');
      assert.equal(validators[0].account, wellKnown('alice').address);
      await client.ask(`stake add ${module} ${minStake.planck}planck`, one);
      await client.ask(`validator stand ${module}`, one);
      const { candidates } = await client.ask('network validators');
      assert.deepEqual(
        candidates.map(({ module, hasKeys, stake }) => [module, hasKeys, stake.planck]),
        [[module, true, minStake.planck]],
      );
      await client.ask(`validator chill ${module}`, one);
      assert.match((await client.fail(`validator chill ${module}`, one)).message, /Validators.NotStanding/);
      assert.equal((await client.ask('network validators')).standing, 0);
    });
  });

  it('was asked each command of these', () => {
    assert.deepEqual(
      commandsOf('client-market').filter((name) => !client.answered.has(name)),
      [],
    );
    assert(!client.printed.includes('panicked') && !client.printed.includes('stack backtrace'));
  });
});
