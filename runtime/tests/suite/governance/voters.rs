//! What votes: free and staked TUNE, each planck once.

use ensemble_core::ModuleId;
use ensemble_runtime::{
    configs::{
        pallet_origins::{Day, Origin},
        pallet_voters::{self, owned, Error, Event},
        ProxyType,
    },
    ConvictionVoting, Modules, Proxy, RuntimeCall, RuntimeHoldReason, Stake, Voters, EXISTENTIAL_DEPOSIT, TUNE,
};
use frame_support::{
    assert_noop, assert_ok,
    dispatch::{GetDispatchInfo, Pays},
    traits::{fungible::MutateHold, tokens::Precision, InstanceFilter},
};
use pallet_conviction_voting::{Conviction, Voting, VotingFor};
use pallet_modules::NewProfile;
use sp_keyring::Sr25519Keyring::{self, Bob, Charlie, Dave, Eve};
use sp_runtime::{DispatchError, MultiAddress, Perbill, TokenError};

use super::*;
use crate::register;

/// Blocks between unstaking and withdrawing on a development chain, and one more.
const UNBONDING: BlockNumber = 11;

/// A referendum on which nobody has voted yet.
fn poll() -> u32 {
    propose(Origin::Registry.into(), &remark())
}

fn staked(who: Sr25519Keyring, amount: Balance) -> ModuleId {
    let module = register(Dave, "a-module");
    assert_ok!(Stake::stake(signed(who), module, amount));
    module
}

fn withdraw(who: Sr25519Keyring, module: ModuleId, amount: Balance) {
    assert_ok!(Stake::unstake(signed(who), module, amount));
    skip(UNBONDING);
    assert_ok!(Stake::withdraw(signed(Dave), account(who), module));
}

fn give(from: Sr25519Keyring, to: Sr25519Keyring, amount: Balance) -> DispatchResult {
    Balances::transfer_keep_alive(signed(from), account(to).into(), amount)
}

/// Leaves an account with this much free balance.
fn leave(who: Sr25519Keyring, amount: Balance) {
    assert_ok!(give(who, Dave, free(&account(who)) - amount));
}

fn recount(who: Sr25519Keyring, track: TrackId) -> Result<Pays, DispatchError> {
    let done = Voters::recount(signed(Charlie), account(who), track);
    done.map(|info| info.pays_fee).map_err(|failed| failed.error)
}

fn unlock(who: Sr25519Keyring, track: TrackId) {
    assert_ok!(ConvictionVoting::unlock(signed(Charlie), track, MultiAddress::Id(account(who))));
}

#[test]
fn staked_tune_votes() {
    on_dev(|| {
        staked(Bob, 800_000 * TUNE);
        let index = poll();
        let all = owned(&account(Bob));
        assert_eq!(all, 1_000_000 * TUNE - EXISTENTIAL_DEPOSIT);
        let above = vote(Bob, index, standard(true, Conviction::None, all + 1));
        assert_noop!(above, pallet_conviction_voting::Error::<Runtime>::InsufficientFunds);
        assert_ok!(vote(Bob, index, standard(true, Conviction::Locked1x, 900_000 * TUNE)));
        assert_eq!(tally(index).ayes, 900_000 * TUNE);
        assert_eq!(held(&account(Bob)), 100_000 * TUNE, "what the stake does not cover");
        assert_eq!(owned(&account(Bob)), all, "what votes here may vote elsewhere");
    });
}

#[test]
fn a_vote_that_stake_covers_leaves_balance_free() {
    on_dev(|| {
        staked(Bob, 800_000 * TUNE);
        let before = free(&account(Bob));
        assert_ok!(vote(Bob, poll(), standard(true, Conviction::Locked6x, 800_000 * TUNE)));
        assert_eq!((free(&account(Bob)), held(&account(Bob))), (before, 0));
    });
}

#[test]
fn rewards_vote_and_what_is_unbonding_still_does() {
    on_dev(|| {
        let module = staked(Bob, 1_000 * TUNE);
        let before = owned(&account(Bob));
        assert_ok!(Stake::reward(signed(Charlie), module, 50 * TUNE));
        assert_eq!(owned(&account(Bob)), before + 50 * TUNE);
        assert_ok!(Stake::unstake(signed(Bob), module, 500 * TUNE));
        assert_eq!(owned(&account(Bob)), before + 50 * TUNE);
    });
}

#[test]
fn stake_that_voted_cannot_be_sent_on_and_vote_again() {
    on_dev(|| {
        leave(Eve, 10_000 * TUNE);
        let module = staked(Eve, 9_000 * TUNE);
        let index = poll();
        let voted = 9_900 * TUNE;
        assert_ok!(vote(Eve, index, standard(true, Conviction::Locked1x, voted)));
        assert_eq!(held(&account(Eve)), 900 * TUNE);

        withdraw(Eve, module, 9_000 * TUNE);
        assert_eq!((held(&account(Eve)), free(&account(Eve))), (voted, 100 * TUNE));
        assert_noop!(give(Eve, Bob, 101 * TUNE), TokenError::FundsUnavailable);
        assert_noop!(Stake::stake(signed(Eve), module, 101 * TUNE), pallet_stake::Error::<Runtime>::CannotPay);

        // Who takes its vote back does not count any more.
        assert_ok!(ConvictionVoting::remove_vote(signed(Eve), None, index));
        assert_eq!(tally(index).ayes, 0);
        unlock(Eve, 2);
        assert_eq!(held(&account(Eve)), 0);
        assert_ok!(give(Eve, Bob, 9_000 * TUNE));
    });
}

#[test]
fn a_conviction_binds_stake_that_comes_out_when_all_is_decided() {
    on_dev(|| {
        leave(Eve, 10_000 * TUNE);
        let module = staked(Eve, 9_000 * TUNE);
        let index = poll();
        assert_ok!(vote(Eve, index, standard(true, Conviction::Locked1x, 9_000 * TUNE)));
        all_say_aye(4, index);
        while !matches!(ReferendumInfoFor::<Runtime>::get(index), Some(ReferendumInfo::Approved(..))) {
            skip(1);
        }
        let approved = System::block_number();
        assert_ok!(ConvictionVoting::remove_vote(signed(Eve), Some(2), index));
        withdraw(Eve, module, 9_000 * TUNE);
        unlock(Eve, 2);
        assert_eq!(held(&account(Eve)), 9_000 * TUNE);
        assert_noop!(give(Eve, Bob, 1_001 * TUNE), TokenError::FundsUnavailable);
        // A week of ten blocks a day.
        run_to(approved + 70);
        unlock(Eve, 2);
        assert_eq!(held(&account(Eve)), 0);
    });
}

#[test]
fn what_voted_cannot_be_held_for_something_else_and_paid_to_another() {
    on_dev(|| {
        leave(Eve, 1_000 * TUNE);
        assert_ok!(vote(Eve, poll(), standard(true, Conviction::None, 999 * TUNE)));
        let reward = RuntimeHoldReason::Tasks(pallet_tasks::HoldReason::Reward);
        assert_noop!(Balances::hold(&reward, &account(Eve), 2 * TUNE), TokenError::FundsUnavailable);
        let profile = NewProfile {
            endpoint: b"https://example.org".to_vec(),
            metadata: H256::zero(),
            description: Vec::new(),
            implementation: None,
        };
        let registered = Modules::register(signed(Eve), b"x".to_vec(), profile, 1_000 * TUNE);
        assert_noop!(registered, pallet_modules::Error::<Runtime>::CannotPay);
    });
}

#[test]
fn what_is_held_for_something_else_does_not_vote() {
    on_dev(|| {
        let before = owned(&account(Eve));
        let reward = RuntimeHoldReason::Tasks(pallet_tasks::HoldReason::Reward);
        assert_ok!(Balances::hold(&reward, &account(Eve), 400 * TUNE));
        assert_eq!(owned(&account(Eve)), before - 400 * TUNE);
        assert_ok!(Balances::release(&reward, &account(Eve), 400 * TUNE, Precision::Exact));
    });
}

#[test]
fn slashed_votes_are_lessened_by_anyone() {
    on_dev(|| {
        leave(Eve, 10_000 * TUNE);
        let module = staked(Eve, 9_000 * TUNE);
        let index = poll();
        assert_ok!(vote(Eve, index, standard(true, Conviction::Locked1x, 9_900 * TUNE)));
        assert_eq!(recount(Eve, 2), Err(Error::<Runtime>::NothingToRecount.into()));

        assert_ok!(Stake::slash(granted(Origin::Slasher), module, Perbill::from_percent(50)));
        let left = owned(&account(Eve));
        assert_eq!(left, 5_500 * TUNE - EXISTENTIAL_DEPOSIT);
        assert_eq!(tally(index).ayes, 9_900 * TUNE, "a slash knows no accounts");
        assert_eq!(recount(Eve, 2), Ok(Pays::No));
        assert_eq!((tally(index).ayes, tally(index).support), (left, left));
        System::assert_last_event(Event::<Runtime>::Recounted { who: account(Eve), track: 2, owned: left }.into());
        assert_eq!(recount(Eve, 2), Err(Error::<Runtime>::NothingToRecount.into()));
    });
}

#[test]
fn a_split_vote_stays_split_when_it_is_lessened() {
    on_dev(|| {
        leave(Eve, 10_000 * TUNE);
        let module = staked(Eve, 9_000 * TUNE);
        let index = poll();
        let split = AccountVote::SplitAbstain { aye: 4_000 * TUNE, nay: 1_000 * TUNE, abstain: 4_900 * TUNE };
        assert_ok!(vote(Eve, index, split));
        assert_ok!(Stake::slash(granted(Origin::Slasher), module, Perbill::from_percent(100)));
        let left = owned(&account(Eve));
        assert_ok!(recount(Eve, 2));
        let expected = |part: Balance| left / 99 * part / 100;
        let Voting::Casting(casting) = VotingFor::<Runtime>::get(account(Eve), 2) else { panic!("it votes itself") };
        let AccountVote::SplitAbstain { aye, nay, abstain } = casting.votes[0].1 else { panic!("it is split") };
        for (part, hundredths) in [(aye, 4_000), (nay, 1_000), (abstain, 4_900)] {
            assert!(part.abs_diff(expected(hundredths)) < TUNE / 1_000, "{part} of {left}");
        }
        assert!(aye + nay + abstain <= left);
    });
}

#[test]
fn a_slashed_delegation_goes_on_with_what_is_left() {
    on_dev(|| {
        leave(Eve, 10_000 * TUNE);
        let module = staked(Eve, 9_000 * TUNE);
        let index = poll();
        let to = MultiAddress::Id(account(Bob));
        assert_ok!(ConvictionVoting::delegate(signed(Eve), 2, to, Conviction::Locked2x, 9_900 * TUNE)
            .map_err(|failed| failed.error));
        assert_ok!(vote(Bob, index, standard(true, Conviction::Locked1x, 100 * TUNE)));
        assert_eq!(tally(index).ayes, 19_900 * TUNE);

        assert_ok!(Stake::slash(granted(Origin::Slasher), module, Perbill::from_percent(50)));
        let left = owned(&account(Eve));
        assert_ok!(recount(Eve, 2));
        assert_eq!(tally(index).ayes, 100 * TUNE + 2 * left);
        assert_eq!(recount(Eve, 2), Err(Error::<Runtime>::NothingToRecount.into()));
        // No lock of the conviction began: the votes want no more locked than there is.
        let wanted = pallet_conviction_voting::ClassLocksFor::<Runtime>::get(account(Eve));
        assert_eq!(wanted.to_vec(), [(2, left)]);
    });
}

#[test]
fn votes_on_what_is_over_are_not_recounted() {
    on_dev(|| {
        leave(Eve, 10_000 * TUNE);
        let module = staked(Eve, 9_000 * TUNE);
        let index = poll();
        assert_ok!(vote(Eve, index, standard(true, Conviction::Locked1x, 9_900 * TUNE)));
        assert_ok!(Referenda::cancel(granted(Origin::Canceller), index));
        assert_ok!(Stake::slash(granted(Origin::Slasher), module, Perbill::from_percent(50)));
        assert_eq!(recount(Eve, 2), Err(Error::<Runtime>::NothingToRecount.into()));
    });
}

#[test]
fn the_state_is_checked() {
    on_chain(preset("development"), || {
        let votes = RuntimeHoldReason::Voters(pallet_voters::HoldReason::Votes);
        assert_ok!(Balances::hold(&votes, &account(Bob), 1));
        let complaint = "more is held for votes than was voted with";
        assert_eq!(pallet_voters::do_try_state(), Err(complaint.into()));
        Day::<Runtime>::put(0);
        let complaint = "a day of governance has no blocks";
        assert_eq!(pallet_origins::Pallet::<Runtime>::do_try_state(), Err(complaint.into()));
    });
}

#[test]
fn votes_weigh_what_reading_stake_does() {
    on_dev(|| {
        let reads = pallet_voters::settle_weight();
        let withdraw = RuntimeCall::Stake(pallet_stake::Call::withdraw { who: account(Bob), module: 0 });
        let cast = standard(true, Conviction::None, 1);
        let vote = RuntimeCall::ConvictionVoting(pallet_conviction_voting::Call::vote { poll_index: 0, vote: cast });
        let recount = RuntimeCall::Voters(pallet_voters::Call::recount { who: account(Bob), track: 0 });
        for call in [withdraw, vote, recount] {
            assert!(call.get_dispatch_info().call_weight.ref_time() > reads.ref_time());
        }
    });
}

#[test]
fn a_proxy_for_governance_votes_and_moves_nothing() {
    on_dev(|| {
        let index = poll();
        assert_ok!(Proxy::add_proxy(signed(Bob), account(Charlie).into(), ProxyType::Governance, 0));
        let cast = standard(true, Conviction::Locked1x, 70 * TUNE);
        let call =
            RuntimeCall::ConvictionVoting(pallet_conviction_voting::Call::vote { poll_index: index, vote: cast });
        assert_ok!(Proxy::proxy(signed(Charlie), account(Bob).into(), None, Box::new(call)));
        assert_eq!(tally(index).ayes, 70 * TUNE);
        let dest = MultiAddress::Id(account(Charlie));
        let transfer = RuntimeCall::Balances(pallet_balances::Call::transfer_allow_death { dest, value: TUNE });
        assert!(!ProxyType::Governance.filter(&transfer));
        let submit = RuntimeCall::Referenda(pallet_referenda::Call::place_decision_deposit { index });
        assert!(ProxyType::Governance.filter(&submit));
        assert!(ProxyType::NonTransfer.is_superset(&ProxyType::Governance));
        assert_eq!(ProxyType::Governance.encode(), [8], "it is the last, so that no stored proxy means another");
    });
}
