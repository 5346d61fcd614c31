/** Modules from registration to removal: what they are built on, how they are sold, and what the registry refuses. */

import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import { encodeMultiAddress } from '@polkadot/util-crypto';

import {
  DispatchError,
  Network,
  PROFILE,
  TUNE,
  assertIssuanceIsTold,
  balance,
  modelTypes,
  moduleView,
  refused,
  register,
  registerCall,
  registered,
  search,
  send,
  sendAsRoot,
} from '../harness/index.mjs';

/** What every account of a story owns in the beginning. */
const ENDOWMENT = 1_000n * TUNE;
/** A number that no module will ever have here. */
const NONE = 4_000_000;

const TYPES = {
  'ssd-mobilenet': 'image-classification',
  'wav2vec2-base': 'audio-processing',
  'sentence-transformers': 'embedding',
  'sdxl-turbo': 'diffusion',
  'elevenlabs-v2': 'text-to-speech',
  'cogvideox-5b': 'video-generation',
  videollama: 'chat',
  'my-first-module': 'unknown',
};

describe('modules', () => {
  /** @type {Network} */
  let net;

  before(async () => {
    net = await Network.start();
  });
  after(() => net?.stop());

  // Alone on the chain, so that nobody else's demand is in the price.
  it('the first name costs what was quoted, to the planck, and makes others dearer', async () => {
    const { owner } = await net.accounts.funded('owner');
    const quotes = await Promise.all(['quiet-llama', '8-llamas', 'llama', 'l'].map((name) => price(net, name)));
    assert.deepEqual(quotes, [TUNE, TUNE, 8n * TUNE, 128n * TUNE]);
    const tooLittle = registerCall(net.api, 'quiet-llama', { maxPrice: TUNE - 1n });
    const wasted = await refused(net, owner, [[tooLittle, 'modules.PriceAboveMax']]);

    const receipt = await send(net.api, registerCall(net.api, 'quiet-llama', { maxPrice: TUNE }), owner);
    const [{ id, burnt, deposit }] = registered(receipt);
    assert.deepEqual([id, burnt, deposit], [0, TUNE / 2n, TUNE / 2n]);
    const total = ENDOWMENT - TUNE / 2n - wasted - receipt.fee;
    assert.deepEqual(await balance(net.api, owner), { free: total - deposit, held: deposit, total });

    // A thousandth more, of which a block or two take next to nothing.
    const next = await price(net, 'quiet-alpaca');
    assert(next > (TUNE * 10_009n) / 10_000n && next <= (TUNE * 1_001n) / 1_000n, `${next} planck`);
  });

  describe('lives', { concurrency: 32 }, () => {
    it('removed in the end: the deposit returns, the name waits, the number is never used again', async () => {
      const { owner, heir } = await net.accounts.funded('owner', 'heir');
      const { modules, cost } = await register(net.api, owner, 'atelier-llama');
      const [{ id, type, deposit }] = modules;
      const types = await modelTypes(net.api);
      assert.deepEqual(await facts(net, id), { owner: owner.address, version: 1, role: 'Idle', type: types.chat });
      assert.equal(type, types.chat);

      const endpoint = '/dns4/node.example.com/tcp/443/wss';
      const changed = { ...PROFILE, endpoint, implementation: `0x${'5a'.repeat(32)}` };
      const judging = { Validator: { types: [types.chat, types.embedding], capacity: 10 } };
      const { update, setRole, remove } = net.api.tx.modules;
      const changes = await sendAll(net, owner, [update(id, changed), setRole(id, judging)]);
      assert.equal(changes[0].event('modules', 'ModuleUpdated').data.version.toNumber(), 2);
      const view = await moduleView(net.api, id);
      assert.deepEqual([view.version.toNumber(), view.endpoint.toUtf8()], [2, endpoint]);
      assert.equal(view.implementation.unwrap().toHex(), changed.implementation);
      const { types: specialities, capacity } = view.role.asValidator;
      assert.deepEqual([specialities.toJSON(), capacity.toNumber()], [[types.chat, types.embedding], 10]);

      const [removal] = await sendAll(net, owner, [remove(id)]);
      const { freeAt, deposit: returned } = removal.event('modules', 'ModuleRemoved').data;
      assert.equal(returned.toBigInt(), deposit);
      const total = ENDOWMENT - cost - sum([...changes, removal].map(({ fee }) => fee));
      assert.deepEqual(await balance(net.api, owner), { free: total, held: 0n, total });

      const removedIn = (await net.api.rpc.chain.getHeader(removal.block)).number.toNumber();
      assert.equal(freeAt.toNumber(), removedIn + net.api.consts.modules.nameDelay.toNumber());
      const state = (await net.api.call.modulesApi.price('atelier-llama')).asOk.state.unwrap();
      assert.equal(state.asReserved.until.toNumber(), freeAt.toNumber());
      assert.equal(await moduleView(net.api, id), undefined);
      await refused(net, heir, [
        [registerCall(net.api, 'atelier-llama'), 'modules.NameReserved'],
        [registerCall(net.api, 'atelier_llama'), 'modules.NameReserved'],
      ]);
      const [alpaca] = (await register(net.api, owner, 'atelier-alpaca')).modules;
      assert(alpaca.id > id, 'numbers only rise');
      await refused(net, owner, [[update(id, PROFILE), 'modules.UnknownModule']]);
    });

    it('types follow from names', async () => {
      const { owner } = await net.accounts.funded('owner');
      const types = await modelTypes(net.api);
      const names = Object.keys(TYPES);
      const wanted = Object.values(TYPES).map((type) => types[type]);
      const foretold = await Promise.all(names.map((name) => net.api.call.modulesApi.typeOfName(name)));
      assert.deepEqual(
        foretold.map((type) => type.asOk.toNumber()),
        wanted,
      );
      const { modules } = await register(net.api, owner, ...names);
      assert.deepEqual(
        modules.map(({ type }) => type),
        wanted,
      );
      for (const [name, type] of Object.entries(TYPES)) {
        assert.deepEqual(await search(net.api, { modelType: types[type], owner: owner.address }), [[name]]);
      }
    });

    it('the chain and the owner of a namespace add types and patterns while it runs', async () => {
      const { owner, stranger } = await net.accounts.funded('owner', 'stranger');
      const { alice } = net.accounts;
      const { addType, addPattern, addNamespacePattern, refreshType } = net.api.tx.modules;
      const { modules, cost } = await register(net.api, owner, 'rosettafold-2', 'foundry');
      const [fold, foundry] = modules;
      const types = await modelTypes(net.api);
      assert.equal(fold.type, types.unknown);

      const added = await sendAsRoot(net.api, addType('protein-folding'), alice);
      const { modelType } = added.event('modules', 'TypeAdded').data;
      await sendAsRoot(net.api, addPattern('rosettafold', modelType), alice);
      const refresh = refreshType(fold.id);
      const { from, to } = (await send(net.api, refresh, stranger)).event('modules', 'TypeChanged').data;
      assert.deepEqual([from.toNumber(), to.toNumber()], [types.unknown, modelType.toNumber()]);
      assert.deepEqual(await search(net.api, { modelType: modelType.toNumber() }), [['rosettafold-2']]);
      await refused(net, stranger, [[refresh, 'modules.TypeUnchanged']]);

      const [pattern] = await sendAll(net, owner, [addNamespacePattern(foundry.id, 'llama', types.diffusion)]);
      const inside = await register(net.api, owner, 'foundry.llama-2', 'llama-2-of-foundry');
      assert.deepEqual(
        inside.modules.map(({ type }) => type),
        [types.diffusion, types.chat],
      );
      const parent = await moduleView(net.api, foundry.id);
      const child = await moduleView(net.api, inside.modules[0].id);
      assert.deepEqual([parent.children.toNumber(), child.parent.unwrap().toNumber()], [1, foundry.id]);
      const deposits = sum([...modules, ...inside.modules].map(({ deposit }) => deposit));
      const { held, total } = await balance(net.api, owner);
      assert.equal(held, deposits + net.api.consts.modules.patternDeposit.toBigInt());
      assert.equal(total, ENDOWMENT - cost - pattern.fee - inside.cost);
    });

    it('searched by prefix, type and owner, page by page', async () => {
      const { ann, ben } = await net.accounts.funded('ann', 'ben');
      const types = await modelTypes(net.api);
      await Promise.all([
        register(net.api, ann, 'zz9-whisper-2', 'zz9-gpt-3', 'zz9-gpt-1', 'zz9_gpt-2', 'zz9-whisper-1'),
        register(net.api, ben, 'zz9-whisper-3', 'zz9-gpt-4'),
      ]);
      const chats = ['zz9-gpt-1', 'zz9_gpt-2', 'zz9-gpt-3', 'zz9-gpt-4'];
      const whispers = ['zz9-whisper-1', 'zz9-whisper-2', 'zz9-whisper-3'];
      const all = [...chats, ...whispers];
      const find = (query, limit) => search(net.api, query, limit);
      assert.deepEqual(await find({ prefix: 'zz9-' }, 3), [all.slice(0, 3), all.slice(3, 6), all.slice(6)]);
      assert.deepEqual(await find({ prefix: 'zz9_' }), [all]);
      assert.deepEqual(await find({ prefix: 'zz9-gpt' }), [chats]);
      const typed = { prefix: 'zz9-', modelType: types.chat };
      assert.deepEqual(await find(typed, 2), [chats.slice(0, 2), chats.slice(2)]);
      assert.deepEqual(await find({ prefix: 'zz9-', modelType: types['audio-processing'] }), [whispers]);
      assert.deepEqual(await find({ owner: ben.address }), [['zz9-gpt-4', 'zz9-whisper-3']]);
      assert.deepEqual(await find({ owner: ann.address, modelType: types.chat }), [chats.slice(0, 3)]);
      assert.deepEqual(await find({ prefix: 'zz9-none' }), [[]]);
      assert.deepEqual(await find({ prefix: 'ZZ9' }), [[]]);
    });

    it('sold: the buyer pays in the transaction in which it takes the module, or keeps its money', async () => {
      const { seller, buyer, stranger } = await net.accounts.funded('seller', 'buyer', 'stranger');
      const { modules, cost } = await register(net.api, seller, 'sold-llama');
      const [{ id, deposit }] = modules;
      const { offerTransfer, acceptTransfer, update, remove } = net.api.tx.modules;
      const [offer] = await sendAll(net, seller, [offerTransfer(id, buyer.address)]);
      const frozen = await refused(net, seller, [
        [update(id, { ...PROFILE, endpoint: 'https://elsewhere.example.com' }), 'modules.Offered'],
        [remove(id), 'modules.Offered'],
      ]);
      await refused(net, stranger, [[acceptTransfer(id), 'modules.NotOffered']]);

      const purchase = (amount) =>
        net.api.tx.utility.batchAll([
          acceptTransfer(id),
          net.api.tx.balances.transferKeepAlive(seller.address, amount),
        ]);
      const failed = await refused(net, buyer, [[purchase(ENDOWMENT), 'token.FundsUnavailable']]);
      assert.equal((await facts(net, id)).owner, seller.address);

      const [{ fee }] = await sendAll(net, buyer, [purchase(100n * TUNE)]);
      assert.equal((await facts(net, id)).owner, buyer.address);
      const paid = ENDOWMENT - 100n * TUNE - failed - fee;
      assert.deepEqual(await balance(net.api, buyer), { free: paid - deposit, held: deposit, total: paid });
      const earned = ENDOWMENT + 100n * TUNE - cost - offer.fee - frozen;
      assert.deepEqual(await balance(net.api, seller), { free: earned, held: 0n, total: earned });
      assert.deepEqual(await search(net.api, { owner: buyer.address }), [['sold-llama']]);
      assert.deepEqual(await search(net.api, { owner: seller.address }), [[]]);
    });

    // An offer names no price, so that whoever accepts it decides alone whether to pay. Where neither trusts the other,
    // an account of both stands between them and does all of it at once.
    it('sold by two who do not trust each other, through an account of both', async () => {
      const { seller, buyer } = await net.accounts.funded('seller', 'buyer');
      const { modules, cost } = await register(net.api, seller, 'escrow-llama');
      const [{ id }] = modules;
      const { offerTransfer, acceptTransfer } = net.api.tx.modules;
      const { transferKeepAlive } = net.api.tx.balances;
      const escrow = encodeMultiAddress([seller.address, buyer.address], 2, 42);
      const [offer] = await Promise.all([
        send(net.api, offerTransfer(id, escrow), seller),
        // The price, and what the account of both needs for the module's deposit.
        send(net.api, transferKeepAlive(escrow, 102n * TUNE), buyer),
      ]);

      const deal = net.api.tx.utility.batchAll([
        acceptTransfer(id),
        transferKeepAlive(seller.address, 100n * TUNE),
        offerTransfer(id, buyer.address),
      ]);
      const { asMulti } = net.api.tx.multisig;
      const weight = { refTime: 100_000_000_000, proofSize: 1_000_000 };
      await send(net.api, asMulti(2, [seller.address], null, deal, weight), buyer);
      const { when } = (await net.api.query.multisig.multisigs(escrow, deal.method.hash)).unwrap();
      const signed = await send(net.api, asMulti(2, [buyer.address], when, deal, weight), seller);
      assert(signed.event('multisig', 'MultisigExecuted').data.result.isOk);
      const total = ENDOWMENT + 100n * TUNE - cost - offer.fee - signed.fee;
      assert.deepEqual(await balance(net.api, seller), { free: total, held: 0n, total });

      await send(net.api, acceptTransfer(id), buyer);
      assert.equal((await facts(net, id)).owner, buyer.address);
      assert.equal((await balance(net.api, { address: escrow })).held, 0n);
    });

    it('a pipeline of five has an order, and shows what was removed from it', async () => {
      const { ann, ben } = await net.accounts.funded('ann', 'ben');
      const [mine, foreign] = await Promise.all([
        register(net.api, ann, 'pipe-tokens', 'pipe-recall', 'pipe-rank', 'pipe-answer'),
        register(net.api, ben, 'pipe-encode'),
      ]);
      const [tokens, recall, rank, answer] = mine.modules.map(({ id }) => id);
      const encode = foreign.modules[0].id;
      const { setDependencies, remove } = net.api.tx.modules;
      await Promise.all([
        send(net.api, setDependencies(encode, [tokens]), ben),
        sendAll(net, ann, [
          setDependencies(answer, [recall, rank]),
          setDependencies(rank, [encode, tokens]),
          setDependencies(recall, [encode]),
        ]),
      ]);
      const resolved = async () => (await net.api.call.modulesApi.pipeline(answer)).asOk.toJSON();
      assert.deepEqual(await resolved(), { order: [tokens, encode, recall, rank, answer], missing: [] });
      assert.equal((await moduleView(net.api, encode)).dependents.toNumber(), 2);
      await refused(net, ann, [
        [setDependencies(tokens, [answer]), 'modules.DependencyCycle'],
        [remove(encode), 'modules.NotOwner'],
      ]);

      const removal = await send(net.api, remove(encode), ben);
      assert.equal(removal.event('modules', 'ModuleRemoved').data.dependents.toNumber(), 2);
      assert.deepEqual(await resolved(), { order: [recall, tokens, rank, answer], missing: [encode] });
      const missing = async (id) => (await moduleView(net.api, id)).missing.toJSON();
      assert.deepEqual([await missing(rank), await missing(recall), await missing(answer)], [[encode], [encode], []]);
      assert.equal((await moduleView(net.api, tokens)).dependents.toNumber(), 1, 'rank is left');
      await send(net.api, setDependencies(recall, [tokens]), ann);
      await send(net.api, setDependencies(rank, [tokens]), ann);
      assert.deepEqual(await resolved(), { order: [tokens, recall, rank, answer], missing: [] });
    });
  });

  // After all that changes the registry, so that all of it can be seen to stay as it is: numbers, names and prices.
  describe('bad input', { concurrency: 32 }, () => {
    const untouched = ['Modules'];
    let accounts;
    /** Modules of Ann by name; the others are Ben's. */
    let ids;

    before(async () => {
      accounts = await net.accounts.funded('names', 'prices', 'profiles', 'stranger', 'ann', 'ben', 'poor');
      const { ann, ben, poor } = accounts;
      const elsewhere = net.api.tx.balances.transferKeepAlive(ben.address, ENDOWMENT - TUNE / 2n);
      const [mine, other] = await Promise.all([
        register(net.api, ann, 'bad-llama', 'bad-llama.small', 'bad-alpaca', 'bad-vicuna', 'bad-offer'),
        register(net.api, ben, 'good-llama'),
        send(net.api, elsewhere, poor),
      ]);
      ids = Object.fromEntries([...mine.modules, ...other.modules].map(({ name, id }) => [name, id]));
      const { setDependencies, offerTransfer, addNamespacePattern } = net.api.tx.modules;
      await sendAll(net, ann, [
        setDependencies(ids['bad-alpaca'], [ids['bad-llama']]),
        setDependencies(ids['bad-vicuna'], [ids['bad-alpaca']]),
        offerTransfer(ids['bad-offer'], ben.address),
        addNamespacePattern(ids['bad-llama'], 'small', 1),
      ]);
    });

    it('names that are none, or somebody else’s', async () => {
      const names = {
        NameEmpty: [''],
        NameTooLong: ['a'.repeat(65), 'a'.repeat(10_000), hex(Buffer.alloc(10_000))],
        NameCharacter: [
          ...['b\u{430}d-llama', '\u{ff42}ad-llama', 'bad-ll\u{200b}ama', 'Bad-llama', 'bad llama'],
          ...[[0xff, 0xfe], [0x61, 0xc3, 0x28], [0x80], [0]].map(hex),
        ],
        NameSeparator: ['-bad', 'bad-', 'bad--llama', 'bad-_llama', 'bad.', '.'],
        NameTooManyLabels: ['a.b.c.d.e.f.g.h.i'],
        NameTooManyWords: [Array(17).fill('a').join('-')],
        NameTaken: ['bad-llama', 'bad_llama', 'good-llama'],
        UnknownParent: ['nobody-is-this.llama'],
        NotParentOwner: ['bad-llama.large', 'bad_llama.large'],
      };
      const cases = byError(names, (name) => registerCall(net.api, name));
      await refused(net, accounts.names, cases, { untouched });
    });

    it('prices that the caller does not want to pay, or cannot', async () => {
      const { prices, poor } = accounts;
      const cheap = (name, maxPrice) => [registerCall(net.api, name, { maxPrice }), 'modules.PriceAboveMax'];
      const cases = [cheap('never-cheaper', TUNE - 1n), cheap('x', 128n * TUNE - 1n), cheap('never-free', 0n)];
      await refused(net, prices, cases, { untouched });
      const dear = [registerCall(net.api, 'cannot-be-paid'), 'modules.CannotPay'];
      await refused(net, poor, [dear], { untouched });
    });

    it('profiles that say what is no endpoint, or no text', async () => {
      const endpoints = {
        EndpointScheme: ['', 'example.com', 'ftp://example.com', 'javascript:alert(1)', '/tcp/80', hex([0xff])],
        EndpointHost: ['http://', 'http://user@example.com', 'http://b\u{fc}cher.de', '/ip4/1.2.3/tcp/1'],
        EndpointPort: ['http://a:0', 'http://a:65536', '/ip4/1.2.3.4/tcp/x'],
        EndpointPath: ['http://a/#top', 'http://a/b c'],
        EndpointProtocol: ['/ip4/1.2.3.4', '/ip4/1.2.3.4/tcp/1/quic-v1'],
        EndpointPeer: ['/ip4/1.2.3.4/tcp/1/p2p/me'],
        EndpointTooLong: [`http://a/${'b'.repeat(120)}`],
      };
      const descriptions = {
        DescriptionTooLong: ['a'.repeat(257)],
        DescriptionNotUtf8: [hex([0xff, 0xfe])],
        DescriptionControl: ['turned \u{202e}round'],
      };
      const saying = (profile) => registerCall(net.api, 'bad-profile', profile);
      const cases = [
        ...byError(endpoints, (endpoint) => saying({ endpoint })),
        ...byError(descriptions, (description) => saying({ description })),
      ];
      await refused(net, accounts.profiles, cases, { untouched });
    });

    it('modules of others, and of nobody', async () => {
      const { update, remove, setRole, setDependencies, refreshType } = net.api.tx.modules;
      const { offerTransfer, acceptTransfer, cancelTransfer } = net.api.tx.modules;
      const { addNamespacePattern, addType, addPattern } = net.api.tx.modules;
      const forOwners = (id, error) =>
        [
          update(id, PROFILE),
          remove(id),
          setRole(id, 'Miner'),
          setDependencies(id, []),
          offerTransfer(id, accounts.ben.address),
          cancelTransfer(id),
          addNamespacePattern(id, 'mine', 1),
        ].map((call) => [call, `modules.${error}`]);
      const cases = [
        ...forOwners(ids['good-llama'], 'NotOwner'),
        ...forOwners(NONE, 'UnknownModule'),
        [acceptTransfer(NONE), 'modules.UnknownModule'],
        [acceptTransfer(ids['good-llama']), 'modules.NotOffered'],
        [acceptTransfer(ids['bad-offer']), 'modules.NotOffered'],
        [refreshType(NONE), 'modules.UnknownModule'],
        [addType('mine'), 'badOrigin'],
        [addPattern('mine', 1), 'badOrigin'],
      ];
      await refused(net, accounts.stranger, cases, { untouched });
    });

    it('cycles, transfers to oneself, parts that nobody can play, and the like', async () => {
      const { ann } = accounts;
      const [llama, alpaca, vicuna] = [ids['bad-llama'], ids['bad-alpaca'], ids['bad-vicuna']];
      const offered = ids['bad-offer'];
      const { update, remove, setRole, refreshType, setDependencies } = net.api.tx.modules;
      const { offerTransfer, cancelTransfer, addNamespacePattern, removeNamespacePattern } = net.api.tx.modules;
      const judging = (types, capacity = 1) => setRole(llama, { Validator: { types, capacity } });
      const many = Array.from({ length: 17 }, (_, at) => at);
      const cases = {
        TransferToOneself: [offerTransfer(llama, ann.address)],
        NoOffer: [cancelTransfer(llama)],
        DependencyCycle: [setDependencies(llama, [llama]), setDependencies(llama, [vicuna])],
        UnknownDependency: [setDependencies(vicuna, [NONE])],
        DuplicateDependency: [setDependencies(vicuna, [llama, llama])],
        TooManyDependencies: [setDependencies(vicuna, many)],
        EndpointScheme: [update(llama, { ...PROFILE, endpoint: 'nowhere' })],
        NothingToChange: [update(llama, PROFILE), setRole(llama, 'Idle'), setDependencies(vicuna, [alpaca])],
        HasChildren: [remove(llama)],
        Offered: [remove(offered), setRole(offered, 'Miner'), registerCall(net.api, 'bad-offer.child')],
        NoTypes: [judging([])],
        DuplicateType: [judging([1, 1])],
        UnknownType: [judging([0]), judging([9_999]), addNamespacePattern(llama, 'mine', 9_999)],
        NoCapacity: [judging([1], 0)],
        PatternTooShort: [addNamespacePattern(llama, 'a', 1)],
        PatternTooLong: [addNamespacePattern(llama, 'a'.repeat(33), 1)],
        PatternCharacter: ['b\u{430}d', hex([0xff, 0xff])].map((bytes) => addNamespacePattern(llama, bytes, 1)),
        PatternExists: [addNamespacePattern(llama, 'small', 2)],
        UnknownPattern: [removeNamespacePattern(llama, 'large')],
        TypeUnchanged: [refreshType(llama)],
      };
      await refused(net, ann, byError(cases), { untouched });
    });

    it('what the root may add, and not twice', async () => {
      const { addType, addPattern, removePattern } = net.api.tx.modules;
      const fails = (call, error) =>
        assert.rejects(sendAsRoot(net.api, call, net.accounts.alice), new DispatchError(`modules.${error}`));
      await Promise.all([
        fails(addType('chat'), 'TypeExists'),
        fails(addType('Chat'), 'InvalidTypeName'),
        fails(addPattern('llama', 1), 'PatternExists'),
        fails(addPattern('new-pattern', 9_999), 'UnknownType'),
        fails(removePattern('no-such-pattern'), 'UnknownPattern'),
      ]);
    });
  });

  it('afterwards the books are right, and every planck that is missing was burnt for a name', async () => {
    await net.isFinalised();
    await net.moneyAddsUp();
    await assertIssuanceIsTold(net.api);
  });
});

/** What a name costs in all, in planck. */
async function price(net, name) {
  const { deposit, burn } = (await net.api.call.modulesApi.price(name)).asOk.quote;
  return deposit.toBigInt() + burn.toBigInt();
}

/** What matters most of a module. */
async function facts(net, id) {
  const { owner, version, role, modelType } = await moduleView(net.api, id);
  return { owner: owner.toString(), version: version.toNumber(), role: role.type, type: modelType.toNumber() };
}

/** Bytes as polkadot.js takes them in place of text. */
const hex = (bytes) => `0x${Buffer.from(bytes).toString('hex')}`;

/** Calls with the errors that they must give, from lists by error of calls, or of what `callOf` makes calls of. */
const byError = (cases, callOf = (call) => call) =>
  Object.entries(cases).flatMap(([error, all]) => all.map((one) => [callOf(one), `modules.${error}`]));

/** Sends calls of one account, in this order, and waits for all of them. */
const sendAll = (net, account, calls) => Promise.all(calls.map((call) => send(net.api, call, account)));

const sum = (amounts) => amounts.reduce((total, amount) => total + amount, 0n);
