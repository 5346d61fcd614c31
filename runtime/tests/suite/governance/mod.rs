//! Governance in the real runtime: whole stories, and everything that is refused.

mod parameters;
mod referenda;
mod treasury;
mod voters;

use codec::Encode;
use ensemble_runtime::{
    configs::{
        pallet_origins::{self, Origin},
        pallet_voters, TrackId,
    },
    AccountId, Balance, Balances, BlockNumber, ConvictionVoting, Emission, OriginCaller, Preimage, Referenda, Runtime,
    RuntimeCall, RuntimeEvent, RuntimeOrigin, Scheduler, Scores, System, Treasury, TUNE,
};
use frame_support::{
    assert_ok,
    traits::{
        fungible::{Inspect, InspectHold, Mutate},
        schedule::DispatchTime,
        tokens::Preservation,
        Bounded, Hooks,
    },
    weights::Weight,
};
use frame_system::RawOrigin;
use pallet_conviction_voting::{AccountVote, Conviction, TallyOf, Vote};
use pallet_referenda::{ReferendumInfo, ReferendumInfoFor};
use sp_core::H256;
use sp_keyring::Sr25519Keyring::{self, Alice};
use sp_runtime::{
    traits::{BlakeTwo256, Hash},
    DispatchResult,
};

use crate::{account, on_chain, preset, signed, subnet::assert_books};

/// Blocks in which a referendum passes of which enough are in favour from the beginning: three minutes.
const SOON: BlockNumber = 60;
/// What each of many well-known accounts votes with.
const STAKE: Balance = 900_000 * TUNE;

/// Runs a test on a development chain and checks governance's state and the books after it.
fn on_dev(test: impl FnOnce()) {
    on_chain(preset("development"), || {
        test();
        assert_eq!(pallet_voters::do_try_state(), Ok(()));
        assert_eq!(pallet_origins::Pallet::<Runtime>::do_try_state(), Ok(()));
        assert_books();
    });
}

/// Makes empty blocks up to this one.
fn run_to(number: BlockNumber) {
    while System::block_number() < number {
        Emission::on_idle(System::block_number(), Weight::MAX);
        System::set_block_number(System::block_number() + 1);
        let now = System::block_number();
        Emission::on_initialize(now);
        Scores::on_initialize(now);
        Scheduler::on_initialize(now);
        Treasury::on_initialize(now);
    }
}

fn skip(blocks: BlockNumber) {
    run_to(System::block_number() + blocks);
}

fn root() -> OriginCaller {
    OriginCaller::system(RawOrigin::Root)
}

/// Notes a call's preimage, unless it is there, and gives how referenda name it.
fn note(who: Sr25519Keyring, call: &RuntimeCall) -> Bounded<RuntimeCall, BlakeTwo256> {
    let bytes = call.encode();
    let (hash, len) = (BlakeTwo256::hash(&bytes), u32::try_from(bytes.len()).expect("calls are short"));
    if !pallet_preimage::RequestStatusFor::<Runtime>::contains_key(hash) {
        assert_ok!(Preimage::note_preimage(signed(who), bytes).map_err(|failed| failed.error));
    }
    Bounded::Lookup { hash, len }
}

fn submit(who: Sr25519Keyring, origin: OriginCaller, call: &RuntimeCall) -> DispatchResult {
    let proposal = note(Alice, call);
    Referenda::submit(signed(who), Box::new(origin), proposal, DispatchTime::After(0))
}

/// Submits a referendum with both deposits, and gives its number.
fn propose(origin: OriginCaller, call: &RuntimeCall) -> u32 {
    let index = pallet_referenda::ReferendumCount::<Runtime>::get();
    assert_ok!(submit(Alice, origin, call));
    assert_ok!(Referenda::place_decision_deposit(signed(Alice), index).map_err(|failed| failed.error));
    index
}

fn standard(aye: bool, conviction: Conviction, balance: Balance) -> AccountVote<Balance> {
    AccountVote::Standard { vote: Vote { aye, conviction }, balance }
}

fn vote(who: Sr25519Keyring, index: u32, vote: AccountVote<Balance>) -> DispatchResult {
    ConvictionVoting::vote(signed(who), index, vote)
}

/// A number of well-known accounts say aye.
fn all_say_aye(voters: usize, index: u32) {
    for who in Sr25519Keyring::iter().take(voters) {
        assert_ok!(vote(who, index, standard(true, Conviction::Locked1x, STAKE)));
    }
}

/// Decides on a referendum in favour, runs until it is enacted, and gives what became of the proposal.
fn decide(origin: OriginCaller, call: &RuntimeCall) -> (u32, DispatchResult) {
    let (begun, before) = (System::block_number(), enacted().len());
    let index = propose(origin, call);
    all_say_aye(8, index);
    while enacted().len() == before {
        assert!(System::block_number() < begun + SOON, "it takes too long");
        skip(1);
    }
    assert!(matches!(ReferendumInfoFor::<Runtime>::get(index), Some(ReferendumInfo::Approved(..))));
    (index, enacted().remove(before))
}

/// What became of the proposals that were enacted. Only those are scheduled by name.
fn enacted() -> Vec<DispatchResult> {
    let records = System::events().into_iter();
    records
        .filter_map(|record| match record.event {
            RuntimeEvent::Scheduler(pallet_scheduler::Event::Dispatched { id: Some(_), result, .. }) => Some(result),
            _ => None,
        })
        .collect()
}

fn tally(index: u32) -> TallyOf<Runtime> {
    match ReferendumInfoFor::<Runtime>::get(index) {
        Some(ReferendumInfo::Ongoing(status)) => status.tally,
        other => panic!("it is not ongoing: {other:?}"),
    }
}

fn track_of(index: u32) -> TrackId {
    match ReferendumInfoFor::<Runtime>::get(index) {
        Some(ReferendumInfo::Ongoing(status)) => status.track,
        other => panic!("it is not ongoing: {other:?}"),
    }
}

/// A call that everybody may make and that changes nothing.
fn remark() -> RuntimeCall {
    RuntimeCall::System(frame_system::Call::remark { remark: vec![7] })
}

fn granted(origin: Origin) -> RuntimeOrigin {
    origin.into()
}

fn hash_of(text: &[u8]) -> H256 {
    BlakeTwo256::hash(text)
}

/// What is held of an account because it voted with it.
fn held(who: &AccountId) -> Balance {
    Balances::balance_on_hold(&pallet_voters::HoldReason::Votes.into(), who)
}

fn free(who: &AccountId) -> Balance {
    Balances::balance(who)
}

/// Gives money of Ferdie to somebody new.
fn fund(who: &AccountId, amount: Balance) {
    let ferdie = account(Sr25519Keyring::Ferdie);
    assert_ok!(<Balances as Mutate<_>>::transfer(&ferdie, who, amount, Preservation::Preserve));
}
