//! Chains with a number of candidates for the election of block validators, and a block that begins with one.
//!
//! An entry is an account with session keys and a module that plays the part of a validator, has stake of its own amount,
//! and stands. Before the block, as many of those with least stake sit as there are seats, so that as many newcomers come
//! as may.

use std::ops::Range;

use ensemble_core::{modules::Role, AttesterId};
use ensemble_runtime::{AccountId, Balance, Runtime, RuntimeCall, RuntimeEvent, RuntimeOrigin, SessionKeys, TUNE};
use frame_support::{traits::Get, BoundedVec};
use sp_authority_discovery::AuthorityId as AuthorityDiscoveryId;
use sp_consensus_babe::{AuthorityId as BabeId, Slot};
use sp_consensus_grandpa::AuthorityId as GrandpaId;
use sp_core::{ed25519, Pair};
use sp_io::hashing::blake2_256;

use crate::{
    chain::{account, pair, profile},
    shared::{block::SLOT, chain::dispatch, random, transaction::Record},
};

/// Numbers of candidates.
pub const SIZES: [u32; 2] = [1_000, 10_000];
/// Number of the block. In the first one no session begins.
pub const BLOCK: u32 = 2;
/// What each account begins with: enough for a name and its stake.
const ENDOWMENT: Balance = 1_000_000 * TUNE;
/// Least that is staked on a module.
const STAKE: Balance = 1_000 * TUNE;

/// Writes entries.
pub fn write_candidates(entries: Range<u32>) {
    entries.for_each(write_candidate);
}

fn write_candidate(entry: u32) {
    let who = account(entry);
    let endow = pallet_balances::Call::force_set_balance { who: who.clone().into(), new_free: ENDOWMENT };
    dispatch(RuntimeOrigin::root(), RuntimeCall::Balances(endow));
    let register = pallet_modules::Call::register {
        name: format!("judge-{entry}").into(),
        profile: profile(),
        max_price: Balance::MAX,
    };
    let types = vec![pallet_modules::defaults::CHAT].try_into().expect("one type is not too many");
    let role = Role::Validator { types, capacity: 1 };
    let amount = STAKE + Balance::from(random(("stake", entry)) % 1_000_000) * TUNE / 10;
    // As if its node had shown that it has them.
    pallet_session::NextKeys::<Runtime>::insert(&who, keys(entry));
    for call in [
        RuntimeCall::Modules(register),
        RuntimeCall::Modules(pallet_modules::Call::set_role { module: entry, role }),
        RuntimeCall::Stake(pallet_stake::Call::stake { module: entry, amount }),
        RuntimeCall::Validators(pallet_validators::Call::stand { module: entry }),
    ] {
        dispatch(RuntimeOrigin::signed(who.clone()), call);
    }
}

fn keys(entry: u32) -> SessionKeys {
    let key = pair(entry).public();
    SessionKeys {
        babe: BabeId::from(key),
        grandpa: GrandpaId::from(ed25519::Pair::from_seed(&blake2_256(&entry.to_le_bytes())).public()),
        authority_discovery: AuthorityDiscoveryId::from(key),
        attester: AttesterId::from(key),
    }
}

/// Has those with least stake sit, all of whom have authored a block, and the next block begin the session before a new
/// era.
pub fn prepare() {
    let most: u32 = <Runtime as pallet_validators::Config>::MaxValidators::get();
    let mut candidates: Vec<(Balance, AccountId)> =
        pallet_validators::Candidates::<Runtime>::iter_values().map(|one| (one.stake, one.validator)).collect();
    candidates.sort_unstable();
    let sitting: Vec<AccountId> = candidates.into_iter().take(most as usize).map(|(_, who)| who).collect();
    for who in &sitting {
        pallet_validators::Authored::<Runtime>::insert(who, 1);
    }
    pallet_session::Validators::<Runtime>::put(&sitting);
    pallet_validators::Validators::<Runtime>::put(BoundedVec::truncate_from(sitting));
    let length = pallet_validators::SessionLength::<Runtime>::get();
    pallet_babe::GenesisSlot::<Runtime>::put(Slot::from(SLOT.saturating_sub(length)));
}

/// Whether validators were elected who did not sit before.
pub fn happened(record: &Record) -> bool {
    use pallet_validators::Event::Elected;
    matches!(record.event, RuntimeEvent::Validators(Elected { newcomers, .. }) if newcomers > 0)
}
