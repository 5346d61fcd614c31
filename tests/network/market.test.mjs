/** The market on a real node: calls are bought in three ways and served by a shop, and access to a contribution is sold. */

import assert from 'node:assert/strict';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';

import {
  Network,
  ONE,
  Program,
  TUNE,
  Task,
  Tensor,
  Ticket,
  balance,
  blockReached,
  buy,
  buyCall,
  found,
  inAsset,
  judging,
  modelTypes,
  refused,
  registerCall,
  registered,
  scored,
  send,
  tensorContent,
  until,
} from '../harness/index.mjs';

/** A stable asset of the tests: six digits behind the point. */
const USD = 7;
const DOLLAR = 1_000_000n;
/** What a call of the shop costs. */
const PRICES = { tune: 2n * TUNE, usd: DOLLAR / 2n };
const OFFERS = ['Burn', { Tune: { price: PRICES.tune } }, { Asset: { asset: { Asset: USD }, price: PRICES.usd } }];
/** Intensity of the shop's calls, in thousandths. */
const INTENSITY = 500;
const SCORE = 900_000;
const TEXT = 'Turns sentences round, politely.';

describe('the market', { concurrency: 2 }, () => {
  /** @type {Network} */
  let net;
  /** @type {import('@polkadot/api').ApiPromise} */
  let api;

  before(async () => {
    net = await Network.start();
    api = net.api;
  });
  after(() => net?.stop());

  describe('of calls', { concurrency: 1 }, () => {
    let accounts;
    let types;
    /** @type {Program} */
    let shop;
    /** The shop's module, another one of the same type, and the validator that judges both. */
    let module;
    let rival;
    let judge;
    /** Tickets of the shop by how they were paid. */
    const tickets = {};

    before(async () => {
      types = await modelTypes(api);
      accounts = await net.accounts.funded('seller', 'rival', 'judge', 'ann', 'ben', 'eve', 'issuer');
      shop = await openShop();
      [module, rival] = await Promise.all([
        miner(accounts.seller, 'gpt-shop', shop.url),
        miner(accounts.rival, 'gpt-rival', 'https://rival.example.com'),
      ]);
      const [validator] = registered(await send(api, registerCall(api, 'judge-of-chat'), accounts.judge));
      judge = validator.id;
      await send(api, api.tx.modules.setRole(judge, judging([types.chat])), accounts.judge);
      await createAsset();
    });
    after(() => shop?.kill());

    it('a module is listed by itself once it was found good, and not before', async () => {
      await send(api, api.tx.market.list(module, OFFERS, INTENSITY, TEXT), accounts.seller);
      await send(api, api.tx.market.list(rival, ['Burn'], 1_000, 'Chats.'), accounts.rival);
      assert.deepEqual(await found(api), [[]]);
      await refused(net, accounts.ann, [[buyCall(api, module, 1, 'Burn'), 'market.NotListed']]);
      assert.equal((await api.call.matchingApi.status()).listings.toNumber(), 0);

      await scored(net, accounts.judge, judge, { [module]: SCORE, [rival]: SCORE });
      await until('both to be listed', async () => (await found(api)).flat().length === 2);
      assert.equal((await api.call.matchingApi.status()).listings.toNumber(), 2);
      const listing = (await api.call.marketApi.listing(module)).unwrap();
      assert.deepEqual(
        [listing.name.toUtf8(), listing.text.toUtf8(), listing.score.unwrap().toNumber(), listing.listed.isTrue],
        ['gpt-shop', TEXT, SCORE, true],
      );
    });

    it('it is found by its type and by words of its name and text', async () => {
      for (const query of [{ text: 'sentences' }, { text: 'GPT shop' }, { type: types.chat, text: 'round turns' }])
        assert.deepEqual(await found(api, query), [[module]], JSON.stringify(query));
      for (const query of [{ text: 'sentences chats' }, { type: types.diffusion }, { text: 'sentence' }])
        assert.deepEqual(await found(api, query), [[]], JSON.stringify(query));
      // Of equal score, the one that was registered first; in pages of one as well.
      const both = [module, rival].sort((one, other) => one - other);
      assert.deepEqual(await found(api, { type: types.chat }), [both]);
      assert.deepEqual(
        (await found(api, {}, 1)).filter((page) => page.length > 0),
        both.map((id) => [id]),
      );
    });

    it('calls are bought by burning TUNE: the better the module, the more', async () => {
      const { ann } = accounts;
      const before = await balance(api, ann);
      tickets.burn = await buy(net, ann, module, 4, 'Burn');
      // 10 TUNE x (1 + 2 x score) x intensity, for each call.
      const each = (10n * TUNE * (1_000_000n + 2n * BigInt(SCORE)) * BigInt(INTENSITY)) / (1_000_000n * 1_000n);
      assert.deepEqual([tickets.burn.price, tickets.burn.toll], [4n * each, 0n]);
      assert.equal(tickets.burn.bought.event('emission', 'Burnt').data.amount.toBigInt(), 4n * each);
      const { total } = await balance(api, ann);
      assert.equal(total, before.total - 4n * each - tickets.burn.fee);
    });

    it('they are bought with TUNE and with an asset: all of the price goes to the owner, in the same call', async () => {
      const { ann, seller } = accounts;
      const before = { seller: await balance(api, seller), dollars: await dollars(seller) };
      tickets.tune = await buy(net, ann, module, 3, 'Tune');
      assert.equal(tickets.tune.price, 3n * PRICES.tune);
      assert.equal((await balance(api, seller)).total, before.seller.total + 3n * PRICES.tune);
      assert(tickets.tune.toll > 0n);
      tickets.usd = await buy(net, ann, module, 1, inAsset(USD));
      assert.equal(tickets.usd.price, PRICES.usd);
      assert.equal(await dollars(seller), before.dollars + PRICES.usd);
      assert.equal((await balance(api, seller)).total, before.seller.total + 3n * PRICES.tune);
    });

    it('what is not offered, too dear or bought by its owner is refused by name, and costs the fee alone', async () => {
      const { ann, seller, eve } = accounts;
      const buying = (...args) => buyCall(api, ...args);
      await refused(net, ann, [
        [buying(module, 1, inAsset(USD + 1)), 'market.WrongWay'],
        [buying(rival, 1, 'Tune'), 'market.WrongWay'],
        [buying(module, 1, 'Tune', { maxPrice: PRICES.tune - 1n }), 'market.Underpaid'],
        [buying(module, 1, 'Tune', { maxToll: 0 }), 'market.TollAboveMax'],
        [buying(judge, 1, 'Burn'), 'market.NotListed'],
        [buying(module, 0, 'Burn'), 'market.ZeroCalls'],
      ]);
      await refused(net, seller, [[buying(module, 1, 'Burn'), 'market.OwnListing']]);
      await refused(net, eve, [[api.tx.market.list(module, OFFERS, INTENSITY, TEXT), 'market.NotOwner']]);
    });

    it('the shop serves who has paid, and says how many calls are left', async () => {
      const answer = await tickets.burn.call(shop.url, 'a red bird');
      assert.deepEqual(answer, { status: 200, output: 'bird red a?', left: 3 });
      assert.equal((await tickets.tune.call(shop.url, 'snow on a roof')).left, 2);
      assert.equal((await tickets.usd.call(shop.url, 'a slow train')).left, 0);
    });

    it('it refuses a replayed, exhausted, foreign, unknown and expired ticket, and signatures for something else', async () => {
      const { ann, eve } = accounts;
      const { burn, usd } = tickets;
      const refuse = async (ticket, options, status, reason) => {
        const answer = await ticket.call(shop.url, 'a red bird', options);
        assert.equal(answer.status, status, answer.error);
        assert.match(answer.error, reason);
      };
      await refuse(burn, { calls: 1 }, 403, /23007.*answered already/);
      await refuse(burn, { calls: 3 }, 409, /call 2 of ticket/);
      await refuse(usd, {}, 402, /23005.*good for 1 calls.*buy another/);
      await refuse(burn, { signer: eve }, 403, /23008.*not that of/);
      await refuse(burn, { signedFor: 'http://127.0.0.1:1' }, 403, /23008/);
      await refuse(new Ticket(api, ann, 1_000_000), {}, 402, /23001.*no ticket 1000000/);

      const foreign = await buy(net, ann, rival, 1, 'Burn');
      await refuse(foreign, {}, 403, new RegExp(`23002.*for module ${rival}, not for module ${module}`));
      const brief = await buy(net, ann, module, 1, 'Burn', { validity: 1 });
      const last = (await brief.view()).until.toNumber();
      await blockReached(api, last + 1);
      await refuse(brief, {}, 402, /23003.*could be used until block/);
      // And who has paid is served all the same.
      assert.equal((await burn.call(shop.url, 'a red bird')).left, 2);
    });

    it('the node says the same to whoever asks it', async () => {
      const { burn } = tickets;
      const { calls, challenge, signature } = burn.receipt(shop.url, 3);
      assert.equal(
        await net.first.rpc('ensemble_ticketMessage', burn.id, calls, challenge),
        `ensemble/ticket/v1\nTicket ${burn.id}\ncalls used 3\non chain ${api.genesisHash.toHex()}\nchallenge ${challenge}`,
      );
      const check = (...rest) => net.first.rpc('ensemble_checkTicket', module, burn.id, calls, signature, ...rest);
      const reply = await check(challenge, 2);
      assert.deepEqual([reply.ticket, reply.module, reply.left], [burn.id, module, 1]);
      assert.equal(reply.buyer, accounts.ann.address);
      await assert.rejects(check(challenge, 3), /23007:/);
      await assert.rejects(check(), /23008:/);
    });

    it('a shop that was killed and comes back answers nothing twice', async () => {
      const { burn } = tickets;
      await shop.kill();
      const port = new URL(shop.url).port;
      shop = await openShop(port);
      await shop.said('which module it is', ({ id }) => id === module);
      const again = await burn.call(shop.url, 'a red bird', { calls: 2 });
      assert.deepEqual([again.status, /23007/.test(again.error)], [403, true]);
      assert.equal((await burn.call(shop.url, 'a red bird')).left, 1);
    });

    it('it redeems what it served, in a batch, and the module with more usage is found first', async () => {
      const before = (await found(api)).flat();
      assert.deepEqual(
        before,
        [module, rival].sort((one, other) => one - other),
      );
      // Three of `burn`, one of `tune`, one of `usd`: the next one makes a batch of six.
      assert.equal((await tickets.tune.call(shop.url, 'the last lamp')).status, 200);
      const { redeemed } = await shop.said('what it redeemed', ({ redeemed }) => redeemed);
      assert.equal(redeemed.length, 3);
      assert.equal((await tickets.burn.view()).redeemed.toNumber(), 3);
      assert.deepEqual((await found(api)).flat(), [module, rival]);
      const { calls, usage } = (await api.call.marketApi.listing(module)).unwrap();
      assert.deepEqual([calls.toNumber(), usage.toNumber()], [6, 6 * INTENSITY]);

      const receipt = tickets.burn.receipt(shop.url, 3);
      const { ticket, calls: used, challenge, signature } = receipt;
      const again = api.tx.market.redeem([[{ ticket, calls: used, challenge }, { Sr25519: signature }]]);
      await refused(net, accounts.eve, [[again, 'market.NothingNew']]);
      const stats = await api.call.marketApi.stats();
      assert.equal(stats.calls.toNumber(), 6);
      assert((await api.call.emissionApi.supply()).burnt.toBigInt() >= stats.burnt.toBigInt());
    });

    it('it disappears when its score falls, and its buyers are served all the same', async () => {
      await scored(net, accounts.judge, judge, { [module]: 600_000, [rival]: ONE });
      await until('the shop to be delisted', async () => !(await found(api)).flat().includes(module));
      assert.deepEqual((await found(api)).flat(), [rival]);
      await refused(net, accounts.ben, [[buyCall(api, module, 1, 'Burn'), 'market.NotListed']]);
      assert.equal((await tickets.burn.call(shop.url, 'a red bird')).left, 0);
    });

    it('who is switched off is not listed, and is again when it is switched on', async () => {
      await send(api, api.tx.matching.switchOff(rival), accounts.rival);
      assert.deepEqual((await found(api)).flat(), []);
      await send(api, api.tx.matching.switchOn(rival), accounts.rival);
      await until('the rival to be listed again', async () => (await found(api)).flat().includes(rival));
    });

    it('the shop ends in good order, with everything redeemed, and the books are right', async () => {
      assert.equal(await shop.stop(), 0);
      assert.equal((await tickets.burn.view()).redeemed.toNumber(), 4);
      await net.isFinalised();
      await net.moneyAddsUp();
    });

    /** Starts the shop, on any port or where it was. */
    function openShop(port = 0) {
      const args = [net.first.url, 'gpt-shop', `--port=${port}`, `--state=${join(net.folder, 'shop')}`, '--batch=6'];
      return Program.start('shop', args, accounts.seller);
    }

    /** Registers a miner with something at stake, and returns its number. */
    async function miner(owner, name, endpoint) {
      const [{ id }] = registered(await send(api, registerCall(api, name, { endpoint }), owner));
      await send(api, api.tx.modules.setRole(id, 'Miner'), owner);
      return id;
    }

    /** A stable asset of which Ann has ten, and of which an account may have as little as one unit. */
    async function createAsset() {
      const { issuer, ann, seller } = accounts;
      const id = { Asset: USD };
      const calls = [
        api.tx.assets.create(id, issuer.address, 1),
        api.tx.assets.mint(id, ann.address, 10n * DOLLAR),
        api.tx.assets.mint(id, seller.address, DOLLAR),
      ];
      await send(api, api.tx.utility.batchAll(calls), issuer);
    }

    async function dollars(who) {
      return (await api.query.assets.account({ Asset: USD }, who.address)).unwrap().balance.toBigInt();
    }
  });

  describe('of contributions', { concurrency: 1 }, () => {
    const tensor = Tensor.i16(20, 8, [...Array(160).keys()]);
    /** What access costs. */
    const PRICE = 9n * TUNE;
    /** @type {Task} */
    let task;
    let accounts;

    before(async () => {
      accounts = await net.accounts.funded('creator', 'zoe', 'max', 'reader', 'stranger');
    });

    it('two shareholders of a restricted contribution offer access', async () => {
      const { creator, zoe, max } = accounts;
      const audience = { Restricted: { exchanged: false } };
      task = await Task.create(net, creator, { content: tensorContent(tensor), maxParticipants: 2, audience });
      const { tensors } = net.first;
      await tensors.restrict(tensor.id, task.id);
      await tensors.put(tensor.id, tensor.encoded);
      await task.agree([
        [zoe, tensor],
        [max, tensor],
      ]);
      const { participants } = await task.settled();
      for (const who of [zoe, max]) {
        const { shares } = participants[who.address];
        await send(api, api.tx.market.offerContribution(task.id, shares, PRICE), who);
      }
      const ways = (await api.call.exchangeApi.ways(task.id)).unwrap();
      assert.equal(ways.sold.isTrue, true);
      assert.equal((await api.call.marketApi.sale(task.id)).unwrap().holders.toNumber(), 2);
    });

    it('a buyer pays once, fetches the content, and a stranger is told where to buy', async () => {
      const { reader, stranger } = accounts;
      const { tensors } = net.first;
      await assert.rejects(tensors.unlock(tensor.id, reader), /20007:.*market.buyContribution/);
      await refused(net, reader, [[api.tx.market.buyContribution(task.id, PRICE - 1n), 'market.Underpaid']]);
      await send(api, api.tx.market.buyContribution(task.id, 2n * PRICE), reader);
      await until('the node to know of it', async () => (await tensors.unlock(tensor.id, reader)).title === 'buyer');
      assert.deepEqual(await tensors.getFor(tensor.id, reader), Buffer.from(tensor.encoded));
      await assert.rejects(tensors.unlock(tensor.id, stranger), /20007:/);
      const title = await api.call.exchangeApi.entitlement({ Account: reader.address }, task.id, tensor.id);
      assert(title.asOk.isBuyer);
    });

    it('each shareholder claims its part of what the one write paid', async () => {
      const { zoe, max } = accounts;
      const paid = [];
      for (const who of [zoe, max]) {
        const before = await balance(api, who);
        const { due } = (await api.call.marketApi.stakeInSale(task.id, who.address)).unwrap();
        const { fee } = await send(api, api.tx.market.claimSales(task.id), who);
        assert.equal((await balance(api, who)).total, before.total + due.toBigInt() - fee);
        paid.push(due.toBigInt());
      }
      assert.equal(paid[0], paid[1]);
      assert(paid[0] + paid[1] <= PRICE && paid[0] + paid[1] >= PRICE - 2n, `${paid}`);
      await refused(net, zoe, [[api.tx.market.claimSales(task.id), 'market.NothingDue']]);
    });
  });
});
