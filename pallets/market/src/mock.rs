//! A runtime with the real balances and assets, and a tiny registry of modules, scores and contributions.

use std::{
    cell::RefCell,
    collections::{BTreeMap, BTreeSet},
};

use ensemble_core::{
    epochs::EpochIndex,
    exchange::{Audience, Contributions, Won},
    market::{ModuleNames, Offer, OnMiner, OnScored, Receipt, Serving, TicketId, Way},
    modules::{Modules, Role},
    scores::{Score, Scores},
    stake::OnModuleRemoved,
    AssetId, AttesterId, ModelType, ModuleId, TaskId,
};
use ensemble_tensor::TensorId;
use frame_support::{
    assert_ok, derive_impl, parameter_types,
    storage::unhashed,
    traits::{
        fungible::{Inspect, InspectHold},
        fungibles,
        tokens::Preservation,
        ConstU32, ConstU64, EnsureOriginWithArg, Hooks, Imbalance, OnUnbalanced,
    },
    weights::Weight,
    BoundedVec, PalletId,
};
use sp_core::H256;
use sp_io::TestExternalities;
use sp_runtime::{testing::TestSignature, BuildStorage, DispatchResult, FixedU128, Permill};

use crate::{Balance, CreditOf, Event, HoldReason, ListingOf, Listings, Pallet};

pub type AccountId = u64;
pub type BlockNumber = u64;
type Block = frame_system::mocking::MockBlock<Test>;

pub const ALICE: AccountId = 11;
pub const BOB: AccountId = 12;
pub const CHARLIE: AccountId = 13;
/// Owns the modules.
pub const OWNER: AccountId = 14;
pub const ACCOUNTS: [AccountId; 4] = [ALICE, BOB, CHARLIE, OWNER];
/// Makes the assets.
pub const ISSUER: AccountId = 15;

pub const ONE: ModuleId = 1;
pub const TWO: ModuleId = 2;
pub const THREE: ModuleId = 3;
pub const MODULES: [ModuleId; 3] = [ONE, TWO, THREE];
/// What a search finds that finds nothing.
pub const NOTHING: [ModuleId; 0] = [];
/// Types.
pub const OCR: ModelType = 5;
pub const CHAT: ModelType = 6;

pub const USDC: AssetId = AssetId::Asset(7);
/// Keeps no account alive, and one unit of it cannot be owned.
pub const POINTS: AssetId = AssetId::Asset(8);
/// A restricted contribution and a public one.
pub const SECRET: TaskId = 3;
pub const OPEN: TaskId = 4;

pub const ENDOWMENT: Balance = 1_000_000_000;
pub const EXISTENTIAL: Balance = 10;
pub const LISTING_DEPOSIT: Balance = 1_000;
pub const TICKET_DEPOSIT: Balance = 100;
pub const ACCESS_DEPOSIT: Balance = 50;
/// What a plain call burns of a module without merit.
pub const BASE: Balance = 1_000;
pub const MAX_VALIDITY: BlockNumber = 1_000;
pub const REDEEM_PERIOD: BlockNumber = 10;
pub const ACCESS_PERIOD: BlockNumber = 40;
pub const DAY: BlockNumber = 20;
pub const MAX_WORDS: u32 = 16;
pub const MAX_RECEIPTS: u32 = 8;

#[frame_support::runtime]
mod runtime {
    #[runtime::runtime]
    #[runtime::derive(
        RuntimeCall,
        RuntimeEvent,
        RuntimeError,
        RuntimeOrigin,
        RuntimeFreezeReason,
        RuntimeHoldReason,
        RuntimeSlashReason,
        RuntimeLockId,
        RuntimeTask
    )]
    pub struct Test;

    #[runtime::pallet_index(0)]
    pub type System = frame_system::Pallet<Test>;
    #[runtime::pallet_index(1)]
    pub type Balances = pallet_balances::Pallet<Test>;
    #[runtime::pallet_index(2)]
    pub type Assets = pallet_assets::Pallet<Test>;
    #[runtime::pallet_index(3)]
    pub type Market = crate::Pallet<Test>;
}

#[derive_impl(frame_system::config_preludes::TestDefaultConfig)]
impl frame_system::Config for Test {
    type AccountData = pallet_balances::AccountData<Balance>;
    type Block = Block;
}

#[derive_impl(pallet_balances::config_preludes::TestDefaultConfig)]
impl pallet_balances::Config for Test {
    type AccountStore = System;
    type Balance = Balance;
    type ExistentialDeposit = ExistentialDeposit;
}

/// Lets anybody create assets, but not shares.
pub struct OnlyAssets;
impl EnsureOriginWithArg<RuntimeOrigin, AssetId> for OnlyAssets {
    type Success = AccountId;

    fn try_origin(origin: RuntimeOrigin, id: &AssetId) -> Result<AccountId, RuntimeOrigin> {
        match id {
            AssetId::Asset(_) => frame_system::ensure_signed(origin.clone()).map_err(|_| origin),
            AssetId::Shares(_) | AssetId::Rows(_) => Err(origin),
        }
    }

    #[cfg(feature = "runtime-benchmarks")]
    fn try_successful_origin(_: &AssetId) -> Result<RuntimeOrigin, ()> {
        Ok(RuntimeOrigin::signed(ISSUER))
    }
}

#[cfg(feature = "runtime-benchmarks")]
pub struct AssetIds;
#[cfg(feature = "runtime-benchmarks")]
impl pallet_assets::BenchmarkHelper<AssetId, ()> for AssetIds {
    fn create_asset_id_parameter(id: u32) -> AssetId {
        AssetId::Asset(id)
    }

    fn create_reserve_id_parameter(_: u32) {}
}

#[derive_impl(pallet_assets::config_preludes::TestDefaultConfig)]
impl pallet_assets::Config for Test {
    type Balance = Balance;
    type AssetId = AssetId;
    type AssetIdParameter = AssetId;
    type Currency = Balances;
    type CreateOrigin = OnlyAssets;
    type ForceOrigin = frame_system::EnsureRoot<AccountId>;
    type Freezer = Market;
    #[cfg(feature = "runtime-benchmarks")]
    type BenchmarkHelper = AssetIds;
}

parameter_types! {
    pub const ExistentialDeposit: Balance = EXISTENTIAL;
    pub const MarketPalletId: PalletId = PalletId(*b"ens/mrkt");
    pub const BurnBase: Balance = BASE;
    pub const BurnFactor: FixedU128 = FixedU128::from_u32(2);
    pub const Toll: Permill = Permill::from_percent(1);
    pub const MinScore: Permill = Permill::from_percent(70);
    pub const ListingDeposit: Balance = LISTING_DEPOSIT;
    pub const TicketDeposit: Balance = TICKET_DEPOSIT;
    pub const AccessDeposit: Balance = ACCESS_DEPOSIT;
    /// What the steps of a block weigh: nothing, unless a test says so.
    pub static StepWeight: Weight = Weight::zero();
}

/// A module as the registry knows it.
#[derive(Clone)]
pub struct Registered {
    pub owner: AccountId,
    pub name: String,
    pub model_type: ModelType,
}

/// What neighbours would know.
#[derive(Clone, Default)]
pub struct World {
    pub modules: BTreeMap<ModuleId, Registered>,
    pub scores: BTreeMap<ModuleId, u32>,
    pub serving: BTreeSet<ModuleId>,
    pub won: BTreeMap<TaskId, Audience>,
}

thread_local! {
    static WORLD: RefCell<World> = RefCell::default();
}

/// Reads or changes what neighbours know.
pub fn world<R>(change: impl FnOnce(&mut World) -> R) -> R {
    WORLD.with(|world| change(&mut world.borrow_mut()))
}

/// What was burnt so far. It is in storage, so that what a failed call burnt is undone.
pub struct BurntSoFar;
impl BurntSoFar {
    const KEY: &[u8] = b"burnt so far";

    pub fn get() -> Balance {
        unhashed::get_or_default(Self::KEY)
    }
}

/// Burns, and keeps the sum.
pub struct Burn;
impl OnUnbalanced<CreditOf<Test>> for Burn {
    fn on_nonzero_unbalanced(credit: CreditOf<Test>) {
        unhashed::put(BurntSoFar::KEY, &(BurntSoFar::get() + credit.peek()));
    }
}

/// Neighbours that know what the test says.
pub struct Neighbours;

impl Modules<AccountId> for Neighbours {
    fn owner(module: ModuleId) -> Option<AccountId> {
        world(|world| world.modules.get(&module).map(|module| module.owner))
    }

    /// Nobody asks.
    fn deposit(_: ModuleId) -> u128 {
        0
    }

    fn role(module: ModuleId) -> Option<(ModelType, Role)> {
        world(|world| world.modules.get(&module).map(|module| (module.model_type, Role::Miner)))
    }

    #[cfg(feature = "runtime-benchmarks")]
    fn register_for_benchmark(owner: &AccountId) -> Result<ModuleId, sp_runtime::DispatchError> {
        let module = world(|world| world.modules.keys().max().map_or(0, |last| last + 1));
        register(module, *owner, &format!("module-{module}"), OCR);
        Ok(module)
    }
}

impl ModuleNames<AccountId> for Neighbours {
    fn name(module: ModuleId) -> Option<Vec<u8>> {
        world(|world| world.modules.get(&module).map(|module| module.name.clone().into_bytes()))
    }
}

impl Scores for Neighbours {
    fn last_score(miner: ModuleId) -> Option<(EpochIndex, Score)> {
        let score = world(|world| world.scores.get(&miner).copied())?;
        Some((1, Score { score, quality: 0, availability: 0, latency: 0 }))
    }
}

impl Serving for Neighbours {
    fn serving(module: ModuleId) -> bool {
        world(|world| world.serving.contains(&module))
    }

    #[cfg(feature = "runtime-benchmarks")]
    fn serve_for_benchmark(module: ModuleId) {
        world(|world| world.serving.insert(module));
    }
}

impl Contributions<AccountId> for Neighbours {
    fn won(task: TaskId) -> Option<Won> {
        let audience = world(|world| world.won.get(&task).copied())?;
        Some(Won { content: TensorId::default(), audience })
    }

    fn owns_shares(task: TaskId, account: &AccountId) -> bool {
        Assets::balance(AssetId::Shares(task), account) > 0
    }

    fn attests(_: TaskId, _: TensorId, _: &AttesterId) -> bool {
        false
    }
}

#[cfg(feature = "runtime-benchmarks")]
impl crate::benchmarking::BenchmarkHelper<AccountId, TestSignature> for Neighbours {
    fn signer(number: u32) -> AccountId {
        1_000 + AccountId::from(number)
    }

    fn sign(signer: &AccountId, message: &[u8]) -> TestSignature {
        TestSignature(*signer, message.to_vec())
    }

    fn asset(number: u32, owner: &AccountId, amount: Balance) -> Result<AssetId, sp_runtime::DispatchError> {
        let asset = AssetId::Asset(100 + number);
        create(asset, 1)?;
        <Assets as fungibles::Mutate<AccountId>>::mint_into(asset, owner, amount)?;
        Ok(asset)
    }

    fn contribution(owners: &[AccountId], shares: Balance) -> Result<TaskId, sp_runtime::DispatchError> {
        let task = 77;
        world(|world| world.won.insert(task, Audience::Restricted { exchanged: false }));
        create(AssetId::Shares(task), 1)?;
        for owner in owners {
            <Assets as fungibles::Mutate<AccountId>>::mint_into(AssetId::Shares(task), owner, shares)?;
        }
        Ok(task)
    }
}

impl crate::Config for Test {
    type RuntimeHoldReason = RuntimeHoldReason;
    type Currency = Balances;
    type Assets = Assets;
    type Modules = Neighbours;
    type Scores = Neighbours;
    type Serving = Neighbours;
    type Contributions = Neighbours;
    type Burnt = Burn;
    type Signature = TestSignature;
    type PalletId = MarketPalletId;
    type BurnBase = BurnBase;
    type BurnFactor = BurnFactor;
    type Toll = Toll;
    type MinScore = MinScore;
    type ListingDeposit = ListingDeposit;
    type TicketDeposit = TicketDeposit;
    type AccessDeposit = AccessDeposit;
    type MaxOffers = ConstU32<3>;
    type MaxTextBytes = ConstU32<256>;
    type MaxWords = ConstU32<MAX_WORDS>;
    type MaxReceipts = ConstU32<MAX_RECEIPTS>;
    type MaxValidity = ConstU64<MAX_VALIDITY>;
    type RedeemPeriod = ConstU64<REDEEM_PERIOD>;
    type AccessPeriod = ConstU64<ACCESS_PERIOD>;
    type DayLength = ConstU64<DAY>;
    type WeightInfo = ();
    #[cfg(feature = "runtime-benchmarks")]
    type BenchmarkHelper = Neighbours;
}

/// Calls weigh nothing, and steps of a block what the test says.
impl crate::WeightInfo for () {
    fn list() -> Weight {
        Weight::zero()
    }
    fn update_listing() -> Weight {
        Weight::zero()
    }
    fn unlist() -> Weight {
        Weight::zero()
    }
    fn buy() -> Weight {
        Weight::zero()
    }
    fn redeem(_: u32) -> Weight {
        Weight::zero()
    }
    fn offer_contribution() -> Weight {
        Weight::zero()
    }
    fn buy_contribution() -> Weight {
        Weight::zero()
    }
    fn claim_sales() -> Weight {
        Weight::zero()
    }
    fn idle_look() -> Weight {
        Weight::zero()
    }
    fn refresh() -> Weight {
        StepWeight::get()
    }
    fn end() -> Weight {
        StepWeight::get()
    }
}

fn create(asset: AssetId, least: Balance) -> DispatchResult {
    <Assets as fungibles::Create<AccountId>>::create(asset, ISSUER, matches!(asset, AssetId::Shares(_)), least)
}

pub fn register(module: ModuleId, owner: AccountId, name: &str, model_type: ModelType) {
    let registered = Registered { owner, name: name.into(), model_type };
    world(|world| world.modules.insert(module, registered));
}

/// A chain on which the owner has three modules that serve well, everybody has money and two assets, and Alice, Bob and
/// Charlie won a contribution: 500, 300 and 200 shares.
pub fn new_chain() -> TestExternalities {
    let endowed = ACCOUNTS.into_iter().chain([ISSUER]).map(|who| (who, ENDOWMENT));
    let config = RuntimeGenesisConfig {
        balances: pallet_balances::GenesisConfig { balances: endowed.collect(), ..Default::default() },
        ..Default::default()
    };
    let mut ext = TestExternalities::new(config.build_storage().unwrap());
    world(|world| *world = World::default());
    StepWeight::set(Weight::zero());
    ext.execute_with(|| {
        System::set_block_number(1);
        register(ONE, OWNER, "acme.vision.ocr-small", OCR);
        register(TWO, OWNER, "acme.chat", CHAT);
        register(THREE, OWNER, "other_ocr", OCR);
        world(|world| {
            world.scores = [(ONE, 800_000), (TWO, 900_000), (THREE, 700_000)].into();
            world.serving = MODULES.into();
            world.won = [(SECRET, Audience::Restricted { exchanged: true }), (OPEN, Audience::Public)].into();
        });
        for (asset, least) in [(USDC, 1), (POINTS, 5), (AssetId::Shares(SECRET), 1), (AssetId::Shares(OPEN), 1)] {
            assert_ok!(create(asset, least));
        }
        for who in ACCOUNTS {
            mint(USDC, who, ENDOWMENT);
        }
        for (who, shares) in [(ALICE, 500), (BOB, 300), (CHARLIE, 200)] {
            mint(AssetId::Shares(SECRET), who, shares);
            mint(AssetId::Shares(OPEN), who, shares);
        }
    });
    ext
}

/// Runs a test on a new chain and checks the state after it.
pub fn on_chain(test: impl FnOnce()) {
    new_chain().execute_with(|| {
        test();
        check_state();
    });
}

pub fn mint(asset: AssetId, who: AccountId, amount: Balance) {
    assert_ok!(<Assets as fungibles::Mutate<AccountId>>::mint_into(asset, &who, amount));
}

/// The state is sound, and no money has come or gone but what was burnt.
pub fn check_state() {
    assert_eq!(Pallet::<Test>::do_try_state(), Ok(()));
    #[cfg(feature = "try-runtime")]
    assert_eq!(<Market as Hooks<BlockNumber>>::try_state(System::block_number()), Ok(()));
    let issued = ENDOWMENT * (ACCOUNTS.len() as Balance + 1);
    assert_eq!(Balances::total_issuance() + BurntSoFar::get(), issued);
    assert_eq!(crate::CurrentTotals::<Test>::get().burnt, BurntSoFar::get());
}

/// Ends the block with all its weight to spare, and begins another one.
pub fn next_block() {
    Market::on_idle(System::block_number(), Weight::MAX);
    check_state();
    System::set_block_number(System::block_number() + 1);
}

pub fn skip(blocks: BlockNumber) {
    for _ in 0..blocks {
        next_block();
    }
}

/// The registry removes a module.
pub fn remove_module(module: ModuleId) {
    world(|world| world.modules.remove(&module));
    Market::on_module_removed(module);
}

pub fn transfer_module(module: ModuleId, to: AccountId) {
    world(|world| world.modules.get_mut(&module).unwrap().owner = to);
}

/// Validators find this of a module, in parts of a million.
pub fn score(module: ModuleId, score: u32) {
    world(|world| world.scores.insert(module, score));
    Market::on_scored(module, 2, Permill::from_parts(score));
}

pub fn serve(module: ModuleId, serving: bool) {
    world(|world| if serving { world.serving.insert(module) } else { world.serving.remove(&module) });
    Market::on_miner_changed(module, serving);
}

/// All ways in which modules are paid in tests.
pub fn offers() -> Vec<Offer<Balance>> {
    vec![Offer::Burn, Offer::Tune { price: 500 }, Offer::Asset { asset: USDC, price: 30 }]
}

pub fn list(module: ModuleId, text: &str) -> DispatchResult {
    list_for(OWNER, module, offers(), 1_000, text.as_bytes())
}

pub fn list_for(
    who: AccountId,
    module: ModuleId,
    offers: Vec<Offer<Balance>>,
    intensity: u32,
    text: &[u8],
) -> DispatchResult {
    Market::list(RuntimeOrigin::signed(who), module, offers, intensity, text.to_vec())
}

pub fn update(
    who: AccountId,
    module: ModuleId,
    offers: Vec<Offer<Balance>>,
    intensity: u32,
    text: &str,
) -> DispatchResult {
    Market::update_listing(RuntimeOrigin::signed(who), module, offers, intensity, text.as_bytes().to_vec())
}

pub fn unlist(who: AccountId, module: ModuleId) -> DispatchResult {
    Market::unlist(RuntimeOrigin::signed(who), module)
}

/// Whatever it costs, for ten blocks.
pub fn buy(who: AccountId, module: ModuleId, calls: u32, way: Way) -> DispatchResult {
    buy_for(who, module, calls, way, 10)
}

pub fn buy_for(who: AccountId, module: ModuleId, calls: u32, way: Way, validity: BlockNumber) -> DispatchResult {
    Market::buy(RuntimeOrigin::signed(who), module, calls, way, Balance::MAX, Balance::MAX, validity)
}

pub fn receipt(ticket: TicketId, calls: u32) -> Receipt {
    Receipt { ticket, calls, challenge: H256::zero() }
}

/// A receipt with the signature of `who`.
pub fn signed(who: AccountId, receipt: Receipt) -> (Receipt, TestSignature) {
    (receipt, TestSignature(who, receipt.message(genesis()).into_bytes()))
}

pub fn genesis() -> H256 {
    System::block_hash(0)
}

/// Somebody without any part in it redeems.
pub fn redeem(receipts: Vec<(Receipt, TestSignature)>) -> DispatchResult {
    Market::redeem(RuntimeOrigin::signed(ISSUER), BoundedVec::try_from(receipts).unwrap())
}

pub fn redeem_one(who: AccountId, ticket: TicketId, calls: u32) -> DispatchResult {
    redeem(vec![signed(who, receipt(ticket, calls))])
}

pub fn offer(who: AccountId, task: TaskId, shares: Balance, ask: Balance) -> DispatchResult {
    Market::offer_contribution(RuntimeOrigin::signed(who), task, shares, ask)
}

pub fn buy_contribution(who: AccountId, task: TaskId) -> DispatchResult {
    Market::buy_contribution(RuntimeOrigin::signed(who), task, Balance::MAX)
}

pub fn claim(who: AccountId, task: TaskId) -> DispatchResult {
    Market::claim_sales(RuntimeOrigin::signed(who), task)
}

pub fn give_shares(from: AccountId, to: AccountId, task: TaskId, shares: Balance) -> DispatchResult {
    let class = AssetId::Shares(task);
    <Assets as fungibles::Mutate<AccountId>>::transfer(class, &from, &to, shares, Preservation::Expendable).map(drop)
}

pub fn free(who: AccountId) -> Balance {
    Balances::balance(&who)
}

pub fn held(reason: HoldReason, who: AccountId) -> Balance {
    Balances::balance_on_hold(&reason.into(), &who)
}

pub fn asset(asset: AssetId, who: AccountId) -> Balance {
    Assets::balance(asset, who)
}

pub fn listing(module: ModuleId) -> ListingOf<Test> {
    Listings::<Test>::get(module).unwrap()
}

/// What a search finds.
pub fn found(model_type: Option<ModelType>, text: &str) -> Vec<ModuleId> {
    let page = Market::search(model_type, text.as_bytes(), None, 50);
    page.listings.into_iter().map(|listing| listing.module).collect()
}

/// This pallet's events of all blocks so far.
pub fn events() -> Vec<Event<Test>> {
    let records = System::events().into_iter();
    records
        .filter_map(|record| match record.event {
            RuntimeEvent::Market(event) => Some(event),
            _ => None,
        })
        .collect()
}

pub fn last_event() -> Event<Test> {
    events().pop().unwrap()
}
