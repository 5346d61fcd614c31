//! What the chains have: a number of modules, stakes, miners and validators.
//!
//! An entry is an account, the module that it has registered, its stake there, and the part that the module plays
//! ([`part`]). All miners have been matched. All validators were drawn what to check, have committed to scores of the first
//! epoch, and every other one has revealed them.

use std::ops::Range;

use codec::Encode;
use ensemble_core::{
    modules::Role,
    scores::{Score, Sealed, ONE},
    ModuleId,
};
use ensemble_runtime::{AccountId, Balance, Matching, Modules, Runtime, RuntimeCall, RuntimeOrigin, System, TUNE};
use frame_support::{traits::Hooks, weights::Weight};
use pallet_matching::WeightInfo;
use pallet_modules::NewProfile;
use sp_core::{sr25519, Pair, H256};
use sp_io::hashing::blake2_256;

use crate::shared::{chain::dispatch, random};

/// What each account begins with: enough for any name, stakes and fees.
const ENDOWMENT: Balance = 1_000 * TUNE;
/// What each account stakes on its module.
const STAKE: Balance = 10 * TUNE;
/// Words that module names begin with: some of well-known types and one of none.
const FAMILIES: [&str; 5] = ["llama", "whisper", "sdxl", "bge", "acme"];
/// Most miners of a validator: all of them together have more room than all miners together need.
const CAPACITY: u32 = 10;
/// Miners in the batch of scores that every validator has committed to.
const BATCH: u32 = 4;
/// Number of a block in the first part of the first epoch, in which scores are committed.
pub const COMMITTING: u32 = 1;
/// Number of a block in the last part of the first epoch, in which they are revealed.
pub const REVEALING: u32 = 12;
/// Number of the first block of the second epoch, which closes the first.
pub const CLOSING: u32 = 16;

/// Writes entries, without their scores.
pub fn write_entries(entries: Range<u32>) {
    entries.for_each(write_entry);
    match_all();
}

/// Has validators commit to scores, and some reveal them.
pub fn write_all_scores(entries: Range<u32>) {
    entries.for_each(write_scores);
}

fn write_entry(entry: u32) {
    let who = AccountId::from(pair(entry).public());
    let endow = pallet_balances::Call::force_set_balance { who: who.clone().into(), new_free: ENDOWMENT };
    dispatch(RuntimeOrigin::root(), RuntimeCall::Balances(endow));
    assert_eq!(pallet_modules::NextModuleId::<Runtime>::get(), entry, "modules have the numbers of their owners");
    dispatch(RuntimeOrigin::signed(who.clone()), register(&name(entry), entry));
    dispatch(RuntimeOrigin::signed(who.clone()), stake(entry));
    let role = part(entry);
    if role != Role::Idle {
        dispatch(RuntimeOrigin::signed(who), set_role(entry, role));
    }
}

/// The part that an entry's module plays: one of five is a validator, one of ten has none, all others are miners.
pub fn part(entry: u32) -> Role {
    if is_validator(entry) {
        let family = FAMILIES[entry as usize / FAMILIES.len() % (FAMILIES.len() - 1)];
        let model_type = Modules::type_of_name(family.as_bytes()).expect("it is a name");
        let types = vec![model_type].try_into().expect("one type is not too many");
        return Role::Validator { types, capacity: CAPACITY };
    }
    match is_idle(entry) {
        true => Role::Idle,
        false => Role::Miner,
    }
}

/// Whether an entry's module is a validator.
pub fn is_validator(entry: u32) -> bool {
    entry % 5 == 4
}

/// Whether an entry's module has no part.
pub fn is_idle(entry: u32) -> bool {
    entry.is_multiple_of(10)
}

/// Whether an entry's module is a validator that has revealed its scores.
pub fn has_revealed(entry: u32) -> bool {
    is_validator(entry) && entry % 10 == 9
}

/// Gives all miners validators, as blocks that have the time do.
fn match_all() {
    let nothing_to_do = <Runtime as pallet_matching::Config>::WeightInfo::idle();
    while Matching::on_idle(0, Weight::MAX) != nothing_to_do {}
}

/// Has a validator drawn what it checks, and commit to its scores, and reveal them if it is one of those that do.
fn write_scores(entry: u32) {
    if !is_validator(entry) {
        return;
    }
    let who = AccountId::from(pair(entry).public());
    System::set_block_number(COMMITTING);
    let draw = pallet_scores::Call::draw { validator: entry };
    dispatch(RuntimeOrigin::signed(who.clone()), RuntimeCall::Scores(draw));
    dispatch(RuntimeOrigin::signed(who.clone()), commit(entry, 0));
    System::set_block_number(REVEALING);
    if has_revealed(entry) {
        dispatch(RuntimeOrigin::signed(who), reveal(entry));
    }
    System::set_block_number(0);
}

/// What a validator has found of some of its miners in the first epoch.
fn sealed(entry: u32, batch: u32) -> Sealed {
    let mut miners = Matching::miners_of(entry, 0, BATCH);
    miners.sort_unstable();
    let score = |miner| Score {
        score: random(("score", miner)) % ONE,
        quality: ONE,
        availability: ONE,
        latency: random(("latency", miner)) % 1_000,
    };
    let scores = miners.into_iter().map(|miner| (miner, score(miner))).collect();
    Sealed { epoch: 0, validator: entry, batch, scores, salt: blake2_256(&("salt", entry).encode()) }
}

/// Commits to the scores of a validator. Reads whom it is matched with.
pub fn commit(entry: u32, batch: u32) -> RuntimeCall {
    let hash = pallet_scores::Pallet::<Runtime>::seal(&sealed(entry, batch));
    RuntimeCall::Scores(pallet_scores::Call::commit { validator: entry, batch, hash })
}

/// Reveals the scores that a validator has committed to. Reads whom it is matched with.
pub fn reveal(entry: u32) -> RuntimeCall {
    let Sealed { validator, batch, scores, salt, .. } = sealed(entry, 0);
    let scores = scores.try_into().expect("a batch has room for them");
    RuntimeCall::Scores(pallet_scores::Call::reveal { validator, batch, scores, salt })
}

/// Has a module play a part.
pub fn set_role(module: ModuleId, role: Role) -> RuntimeCall {
    RuntimeCall::Modules(pallet_modules::Call::set_role { module, role })
}

/// The key pair of an account.
pub fn pair(entry: u32) -> sr25519::Pair {
    sr25519::Pair::from_seed(&blake2_256(&("subnet", entry).encode()))
}

/// The name of a module.
pub fn name(entry: u32) -> String {
    let family = FAMILIES[entry as usize % FAMILIES.len()];
    format!("{family}-{:x}-{entry}", random(("name", entry)))
}

/// Registers a module.
pub fn register(name: &str, entry: u32) -> RuntimeCall {
    let profile = profile("https://example.org", entry);
    RuntimeCall::Modules(pallet_modules::Call::register { name: name.into(), profile, max_price: Balance::MAX })
}

/// Stakes on a module.
pub fn stake(module: ModuleId) -> RuntimeCall {
    RuntimeCall::Stake(pallet_stake::Call::stake { module, amount: STAKE })
}

/// What the owner of a module says of it.
pub fn profile(host: &str, entry: u32) -> NewProfile {
    NewProfile {
        endpoint: format!("{host}/models/{entry}").into(),
        metadata: H256(blake2_256(&("metadata", entry).encode())),
        description: format!("Model {entry}, served by its owner.").into(),
        implementation: Some(H256(blake2_256(&("implementation", entry).encode()))),
    }
}
