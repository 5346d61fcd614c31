//! Referenda: from the preimage to the enactment, and what is refused on the way.

use ensemble_core::emission::Split;
use ensemble_runtime::{
    configs::{
        pallet_origins::{Day, Origin},
        Tracks,
    },
    ConvictionVoting, Emission, Exchange, Matching, Modules, Parameters, Referenda, Runtime, RuntimeCall,
    RuntimeOrigin, Scheduler, Stake, Sudo, System, DAYS, HOURS, TUNE,
};
use frame_support::{
    assert_noop, assert_ok,
    dispatch::GetDispatchInfo,
    traits::{schedule::DispatchTime, Get},
};
use pallet_conviction_voting::Conviction;
use pallet_referenda::{ReferendumInfo, ReferendumInfoFor, TracksInfo};
use sp_keyring::Sr25519Keyring::{self, Alice, Bob, Charlie};
use sp_runtime::{DispatchError, MultiAddress, Perbill, Permill};

use super::*;
use crate::merge;

fn all_to_treasury() -> RuntimeCall {
    let split = Split { miners: Permill::zero(), validators: Permill::zero(), treasury: Permill::one() };
    RuntimeCall::Emission(pallet_emission::Call::set_split { split })
}

/// What the last closed epoch brought the treasury.
fn to_treasury() -> Balance {
    let closed = Emission::epochs();
    closed.iter().max_by_key(|closed| closed.epoch).expect("an epoch is closed").treasury
}

#[test]
fn a_parameter_that_is_changed_alters_the_next_epochs_split() {
    on_dev(|| {
        run_to(Emission::epoch_view().ends);
        let before = to_treasury();
        let (_, done) = decide(Origin::Parameters.into(), &all_to_treasury());
        assert_ok!(done);
        assert_eq!(to_treasury(), before, "the epochs until then are split as before");
        run_to(Emission::epoch_view().ends);
        assert_eq!(to_treasury(), before * 10, "a tenth became all");
    });
}

#[test]
fn deposits_come_back() {
    on_dev(|| {
        let before = free(&account(Alice));
        let (index, _) = decide(Origin::Parameters.into(), &all_to_treasury());
        assert_ok!(Referenda::refund_decision_deposit(signed(Bob), index));
        assert_ok!(Referenda::refund_submission_deposit(signed(Bob), index));
        assert_ok!(Preimage::unnote_preimage(signed(Alice), hash_of(&codec::Encode::encode(&all_to_treasury()))));
        let held = held(&account(Alice));
        assert_eq!((free(&account(Alice)) + held, held), (before, STAKE), "but for what was voted with");
    });
}

#[test]
fn nothing_happens_before_it_is_enacted() {
    on_dev(|| {
        let index = propose(Origin::Parameters.into(), &all_to_treasury());
        all_say_aye(8, index);
        let split = pallet_emission::CurrentSplit::<Runtime>::get();
        let approved = loop {
            match ReferendumInfoFor::<Runtime>::get(index) {
                Some(ReferendumInfo::Approved(at, ..)) => break at,
                _ => skip(1),
            }
        };
        // A day is ten blocks here: one to prepare, one to confirm, and one to enact.
        assert_eq!(
            (approved, <Tracks as TracksInfo<_, _>>::info(1).expect("it exists").min_enactment_period),
            (21, 10)
        );
        run_to(approved + 9);
        assert_eq!(pallet_emission::CurrentSplit::<Runtime>::get(), split);
        skip(1);
        assert_ne!(pallet_emission::CurrentSplit::<Runtime>::get(), split);
    });
}

#[test]
fn nobody_executes_it_earlier() {
    on_dev(|| {
        let index = propose(Origin::Parameters.into(), &all_to_treasury());
        all_say_aye(8, index);
        let split = pallet_emission::CurrentSplit::<Runtime>::get();
        assert_noop!(Emission::set_split(signed(Alice), split), DispatchError::BadOrigin);
        let nudge = Referenda::nudge_referendum(signed(Alice), index).map_err(|failed| failed.error);
        assert_noop!(nudge, DispatchError::BadOrigin);
        let now = Scheduler::schedule(signed(Alice), 2, None, 0, Box::new(all_to_treasury()));
        assert_noop!(now, DispatchError::BadOrigin);
        assert_noop!(
            Referenda::refund_decision_deposit(signed(Alice), index),
            pallet_referenda::Error::<Runtime>::Unfinished
        );
        assert_noop!(
            Referenda::refund_submission_deposit(signed(Alice), index),
            pallet_referenda::Error::<Runtime>::BadStatus
        );
    });
}

#[test]
fn a_root_referendum_authorises_a_runtime() {
    on_dev(|| {
        let code = b"a runtime".to_vec();
        let code_hash = hash_of(&code);
        let call = RuntimeCall::System(frame_system::Call::authorize_upgrade { code_hash });
        assert_ok!(decide(root(), &call).1);
        assert_eq!(System::authorized_upgrade().map(|authorised| *authorised.code_hash()), Some(code_hash));
        let other = System::apply_authorized_upgrade(signed(Bob), b"another".to_vec()).map_err(|failed| failed.error);
        assert_noop!(other, frame_system::Error::<Runtime>::Unauthorized);
    });
}

#[test]
fn a_runtime_fits_into_a_block() {
    let limits = <Runtime as frame_system::Config>::BlockWeights::get();
    let lengths = <Runtime as frame_system::Config>::BlockLength::get();
    let call = RuntimeCall::System(frame_system::Call::apply_authorized_upgrade { code: vec![0; 2 << 20] });
    let info = call.get_dispatch_info();
    let most = limits.get(info.class).max_extrinsic.expect("it is limited");
    assert!(info.call_weight.all_lte(most));
    assert!(call.encode().len() <= *lengths.max.get(info.class) as usize);
}

#[test]
fn root_needs_half_of_all_tune_or_time() {
    on_dev(|| {
        let index = propose(root(), &remark());
        all_say_aye(5, index);
        skip(SOON);
        assert!(matches!(ReferendumInfoFor::<Runtime>::get(index), Some(ReferendumInfo::Ongoing(_))));
    });
}

#[test]
fn who_cannot_pay_the_deposit_cannot_ask() {
    on_dev(|| {
        let poor = AccountId::new([9; 32]);
        fund(&poor, TUNE);
        let proposal = note(Alice, &remark());
        let asked = Referenda::submit(
            RuntimeOrigin::signed(poor),
            Box::new(Origin::Registry.into()),
            proposal,
            DispatchTime::After(0),
        );
        assert_noop!(asked, pallet_balances::Error::<Runtime>::InsufficientBalance);
    });
}

#[test]
fn without_a_decision_deposit_it_is_never_decided() {
    on_dev(|| {
        assert_ok!(submit(Alice, Origin::Parameters.into(), &all_to_treasury()));
        all_say_aye(8, 0);
        run_to(1 + 140);
        assert!(matches!(ReferendumInfoFor::<Runtime>::get(0), Some(ReferendumInfo::TimedOut(141, ..))));
        assert_eq!(enacted(), []);
        let late = Referenda::place_decision_deposit(signed(Alice), 0).map_err(|failed| failed.error);
        assert_noop!(late, pallet_referenda::Error::<Runtime>::NotOngoing);
        let refund = Referenda::refund_submission_deposit(signed(Alice), 0);
        assert_noop!(refund, pallet_referenda::Error::<Runtime>::BadStatus);
    });
}

#[test]
fn one_decision_deposit_is_enough() {
    on_dev(|| {
        let index = propose(Origin::Registry.into(), &remark());
        let second = Referenda::place_decision_deposit(signed(Bob), index).map_err(|failed| failed.error);
        assert_noop!(second, pallet_referenda::Error::<Runtime>::HasDeposit);
    });
}

#[test]
fn a_second_vote_replaces_the_first() {
    on_dev(|| {
        let index = propose(Origin::Registry.into(), &remark());
        assert_ok!(vote(Bob, index, standard(true, Conviction::Locked2x, 1_000 * TUNE)));
        let first = tally(index);
        assert_eq!((first.ayes, first.nays, first.support), (2_000 * TUNE, 0, 1_000 * TUNE));
        assert_ok!(vote(Bob, index, standard(false, Conviction::Locked1x, 500 * TUNE)));
        let second = tally(index);
        assert_eq!((second.ayes, second.nays, second.support), (0, 500 * TUNE, 0));
    });
}

#[test]
fn nobody_votes_with_more_than_it_has_or_on_nothing() {
    on_dev(|| {
        let index = propose(Origin::Registry.into(), &remark());
        let too_much = vote(Bob, index, standard(true, Conviction::None, 1_000_001 * TUNE));
        assert_noop!(too_much, pallet_conviction_voting::Error::<Runtime>::InsufficientFunds);
        let nothing = vote(Bob, index + 1, standard(true, Conviction::None, TUNE));
        assert_noop!(nothing, pallet_conviction_voting::Error::<Runtime>::NotOngoing);
    });
}

#[test]
fn a_proposal_needs_a_track() {
    on_dev(|| {
        let origin = frame_system::RawOrigin::Signed(account(Bob)).into();
        let asked = Referenda::submit(signed(Bob), Box::new(origin), note(Alice, &remark()), DispatchTime::After(0));
        assert_noop!(asked, pallet_referenda::Error::<Runtime>::NoTrack);
    });
}

#[test]
fn cancelled_is_refunded_and_killed_is_not() {
    on_dev(|| {
        let treasury = || free(&Treasury::account_id());
        let (cancelled, killed) = (propose(root(), &remark()), propose(root(), &remark()));
        let refused = Referenda::cancel(granted(Origin::Killer), cancelled);
        assert_noop!(refused, DispatchError::BadOrigin);
        assert_ok!(Referenda::cancel(granted(Origin::Canceller), cancelled));
        assert_ok!(Referenda::refund_decision_deposit(signed(Bob), cancelled));
        let before = treasury();
        assert_noop!(Referenda::kill(granted(Origin::Canceller), killed), DispatchError::BadOrigin);
        assert_ok!(Referenda::kill(granted(Origin::Killer), killed));
        assert_eq!(treasury() - before, 10_010 * TUNE, "both deposits");
    });
}

#[test]
fn an_origin_does_what_its_track_is_for() {
    on_dev(|| {
        let all = [
            Origin::Parameters,
            Origin::Registry,
            Origin::Slasher,
            Origin::BigSpender,
            Origin::SmallSpender,
            Origin::Canceller,
            Origin::Killer,
        ];
        let module = crate::register(Alice, "a-module");
        assert_ok!(Stake::stake(signed(Bob), module, 1_000 * TUNE));
        let exchange = pallet_exchange::CurrentParameters::<Runtime>::get();
        let inference = pallet_inference::CurrentParameters::<Runtime>::get();
        for origin in all {
            let by = || granted(origin);
            let expected = |wanted: Origin| if origin == wanted { Ok(()) } else { Err(DispatchError::BadOrigin) };
            let split = pallet_emission::CurrentSplit::<Runtime>::get();
            assert_eq!(Emission::set_split(by(), split), expected(Origin::Parameters));
            assert_eq!(Exchange::set_parameters(by(), exchange.clone()), expected(Origin::Parameters));
            let set = ensemble_runtime::Inference::set_parameters(by(), inference.clone());
            assert_eq!(set, expected(Origin::Parameters));
            let base = ensemble_runtime::configs::dynamic_params::names::Base;
            let names = ensemble_runtime::configs::dynamic_params::names::Parameters::Base(base, None);
            let set = Parameters::set_parameter(by(), ensemble_runtime::configs::RuntimeParameters::Names(names));
            assert_eq!(set, expected(Origin::Parameters));
            assert_eq!(Modules::add_type(by(), b"governed".to_vec()), expected(Origin::Registry));
            let bad = Some(DispatchError::BadOrigin);
            assert_eq!(Matching::set_truth(by(), 77, None).err() == bad, origin != Origin::Registry);
            assert_eq!(Matching::flag(by(), 77, b"why".to_vec()).err() == bad, origin != Origin::Registry);
            assert_eq!(Stake::slash(by(), module, Perbill::from_percent(1)), expected(Origin::Slasher));
            let set = System::set_heap_pages(by(), 1).map_err(|failed| failed.error);
            assert_eq!(set, Err(DispatchError::BadOrigin));
        }
    });
}

#[test]
fn a_day_is_a_day_in_production_and_half_a_minute_here() {
    let periods = |id| {
        let track = <Tracks as TracksInfo<_, _>>::info(id).expect("it exists");
        [track.prepare_period, track.decision_period, track.confirm_period, track.min_enactment_period]
    };
    on_chain(preset("production"), || {
        assert_eq!(Day::<Runtime>::get(), DAYS);
        assert_eq!(periods(0), [DAYS, 14 * DAYS, 2 * DAYS, 2 * DAYS]);
        assert_eq!(periods(7), [2 * HOURS, 14 * DAYS, 3 * HOURS, HOURS]);
        assert_eq!(<Runtime as pallet_conviction_voting::Config>::VoteLockingPeriod::get(), 7 * DAYS);
    });
    on_dev(|| {
        assert_eq!(periods(0), [10, 140, 20, 20]);
        assert_eq!(periods(7), [1, 140, 1, 1], "nothing takes no time");
    });
}

#[test]
fn every_track_has_a_number_and_a_name_of_its_own() {
    on_dev(|| {
        assert_eq!(<Tracks as TracksInfo<_, _>>::check_integrity(), Ok(()));
        let tracks: Vec<_> = <Tracks as TracksInfo<_, _>>::tracks().collect();
        let ids: Vec<_> = <Tracks as TracksInfo<_, _>>::track_ids().collect();
        assert_eq!(tracks.iter().map(|track| track.id).collect::<Vec<_>>(), ids);
        let names: std::collections::BTreeSet<_> = tracks.iter().map(|track| track.info.name).collect();
        assert_eq!(names.len(), ids.len());
        for track in tracks {
            assert_eq!(<Tracks as TracksInfo<_, _>>::info(track.id).as_deref(), Some(&track.info));
        }
        assert_eq!(<Tracks as TracksInfo<_, _>>::info(99), None);
    });
}

#[test]
fn delegated_tune_votes_with_whom_it_was_given_to() {
    on_dev(|| {
        let index = propose(Origin::Registry.into(), &remark());
        let track = track_of(index);
        let delegate = |class| {
            let to = MultiAddress::Id(account(Charlie));
            ConvictionVoting::delegate(signed(Bob), class, to, Conviction::Locked2x, 500 * TUNE)
                .map(drop)
                .map_err(|failed| failed.error)
        };
        assert_noop!(delegate(77), pallet_conviction_voting::Error::<Runtime>::BadClass);
        assert_ok!(delegate(track));
        assert_noop!(delegate(track), pallet_conviction_voting::Error::<Runtime>::AlreadyDelegating);
        let own = vote(Bob, index, standard(false, Conviction::None, TUNE));
        assert_noop!(own, pallet_conviction_voting::Error::<Runtime>::AlreadyDelegating);

        assert_ok!(vote(Charlie, index, standard(true, Conviction::Locked1x, 100 * TUNE)));
        assert_eq!((tally(index).ayes, tally(index).support), (1_100 * TUNE, 600 * TUNE));
        assert_ok!(ConvictionVoting::undelegate(signed(Bob), track).map_err(|failed| failed.error));
        assert_eq!((tally(index).ayes, tally(index).support), (100 * TUNE, 100 * TUNE));
    });
}

#[test]
fn in_production_nobody_is_sudo() {
    let founders = preset("development");
    let mut filled = preset("production");
    let validators = &founders["validators"]["validators"];
    merge(&mut filled, serde_json::json!({ "balances": founders["balances"], "session": founders["session"] }));
    merge(&mut filled, serde_json::json!({ "validators": { "validators": validators } }));
    on_chain(filled, || {
        let call = || Box::new(remark());
        let refused = Err(pallet_sudo::Error::<Runtime>::RequireSudo.into());
        for who in Sr25519Keyring::iter() {
            let everybody = || MultiAddress::Id(account(who));
            assert_eq!(Sudo::sudo(signed(who), call()).map(drop).map_err(|failed| failed.error), refused);
            let unchecked = Sudo::sudo_unchecked_weight(signed(who), call(), Weight::zero());
            assert_eq!(unchecked.map(drop).map_err(|failed| failed.error), refused);
            let acting = Sudo::sudo_as(signed(who), everybody(), call());
            assert_eq!(acting.map(drop).map_err(|failed| failed.error), refused);
            let taken = Sudo::set_key(signed(who), everybody());
            assert_eq!(taken.map(drop).map_err(|failed| failed.error), refused);
        }
    });
}
