//! Sources of truth and test cases.

use ensemble_core::{
    matching::{Matching as _, TestCase},
    modules::Role,
    ModuleId,
};
use frame_support::{assert_noop, assert_ok};
use sp_core::H256;
use sp_runtime::{traits::BadOrigin, DispatchResult, Permill};

use crate::{mock::*, Error, Event, TestCases, Truths};

const DESERVED: Option<Permill> = Some(Permill::from_percent(90));

fn set_truth(id: ModuleId, deserves: Option<Permill>) -> DispatchResult {
    Matching::set_truth(RuntimeOrigin::signed(ORACLE), id, deserves)
}

fn case(number: u8) -> TestCase {
    TestCase {
        inputs: H256::repeat_byte(number),
        outputs: H256::repeat_byte(!number),
        tolerance: Permill::from_percent(1),
    }
}

fn add(who: AccountId, number: u8) -> DispatchResult {
    Matching::add_test_case(RuntimeOrigin::signed(who), CHAT, case(number))
}

fn remove_case(who: AccountId, number: u8) -> DispatchResult {
    Matching::remove_test_case(RuntimeOrigin::signed(who), CHAT, case(number).inputs)
}

#[test]
fn a_miner_becomes_a_source_of_truth_and_stops() {
    on_chain(|| {
        let id = miner(CHAT);
        assert_eq!(Matching::truth_of(id), None);
        assert_ok!(set_truth(id, DESERVED));
        assert_eq!(last_event(), Event::TruthSet { module: id, deserves: DESERVED });
        assert_eq!(Matching::truth_of(id), DESERVED);
        assert_noop!(set_truth(id, DESERVED), Error::<Test>::NothingToChange);
        let other = Some(Permill::from_percent(10));
        assert_ok!(set_truth(id, other));
        assert_eq!(Matching::truths(CHAT), vec![(id, Permill::from_percent(10))]);
        assert_ok!(set_truth(id, None));
        assert_eq!((Matching::truth_of(id), Truths::<Test>::iter().count()), (None, 0));
    });
}

#[test]
fn only_miners_are_sources_of_truth_and_only_so_many() {
    on_chain(|| {
        let (judge, leaving) = (validator(&[CHAT], 9), miner(CHAT));
        next_block();
        assert_ok!(set_role(leaving, Role::Idle));
        for id in [judge, leaving, register(ALICE, CHAT), 99] {
            assert_noop!(set_truth(id, DESERVED), Error::<Test>::NotMiner);
        }
        for _ in 0..3 {
            assert_ok!(set_truth(miner(CHAT), DESERVED));
        }
        let fourth = miner(CHAT);
        assert_noop!(set_truth(fourth, DESERVED), Error::<Test>::TooManyTruths);
        assert_ok!(set_truth(miner(AUDIO), DESERVED));
        assert_noop!(Matching::set_truth(RuntimeOrigin::root(), fourth, DESERVED), BadOrigin);
    });
}

#[test]
fn leaving_and_another_type_end_it() {
    on_chain(|| {
        let (one, two) = (miner(CHAT), miner(CHAT));
        assert_ok!(set_truth(one, DESERVED));
        assert_ok!(set_truth(two, DESERVED));
        set_type(one, AUDIO);
        assert_eq!(last_event(), Event::TruthSet { module: one, deserves: None });
        assert_ok!(set_role(two, Role::Idle));
        assert_eq!(Truths::<Test>::iter().count(), 0);
        assert_eq!((Matching::truth_of(one), Matching::truth_of(two)), (None, None));
    });
}

#[test]
fn an_active_source_of_truth_is_picked() {
    on_chain(|| {
        assert_eq!(Matching::pick_truth(CHAT, 7), None);
        let truths = [miner(CHAT), miner(CHAT), miner(CHAT)];
        for id in truths {
            assert_ok!(set_truth(id, DESERVED));
        }
        let picked = |random| Matching::pick_truth(CHAT, random).unwrap();
        assert_eq!([picked(0), picked(1), picked(2), picked(u64::MAX)], [truths[0], truths[1], truths[2], truths[0]]);
        assert_ok!(switch_off(truths[2]));
        assert_eq!([picked(1), picked(2)], [truths[1], truths[0]]);
        assert_ok!(flag(truths[0]));
        assert_ok!(switch_off(truths[1]));
        assert_eq!(Matching::pick_truth(CHAT, 0), None);
    });
}

#[test]
fn test_cases_come_and_go() {
    on_chain(|| {
        assert_ok!(add(ORACLE, 1));
        assert_eq!(last_event(), Event::TestCaseAdded { model_type: CHAT, case: case(1) });
        assert_noop!(add(ORACLE, 1), Error::<Test>::TestCaseExists);
        assert_ok!(add(ORACLE, 2));
        assert_ok!(add(ORACLE, 3));
        assert_noop!(add(ORACLE, 4), Error::<Test>::TooManyTestCases);
        assert_ok!(remove_case(ORACLE, 1));
        assert_eq!(last_event(), Event::TestCaseRemoved { model_type: CHAT, inputs: case(1).inputs });
        assert_noop!(remove_case(ORACLE, 1), Error::<Test>::UnknownTestCase);
        assert_eq!(Matching::test_cases(CHAT), vec![case(2), case(3)]);
        assert_ok!(remove_case(ORACLE, 2));
        assert_ok!(remove_case(ORACLE, 3));
        assert_eq!(TestCases::<Test>::iter().count(), 0);
    });
}

#[test]
fn owners_of_sources_of_truth_add_and_remove_test_cases() {
    on_chain(|| {
        assert_noop!(add(ALICE, 1), Error::<Test>::NotTruthOwner);
        assert_noop!(remove_case(ALICE, 1), Error::<Test>::NotTruthOwner);
        let id = miner(CHAT);
        assert_noop!(add(ALICE, 1), Error::<Test>::NotTruthOwner);
        assert_ok!(set_truth(id, DESERVED));
        assert_ok!(add(ALICE, 1));
        assert_noop!(add(BOB, 2), Error::<Test>::NotTruthOwner);
        assert_noop!(
            Matching::add_test_case(RuntimeOrigin::signed(ALICE), AUDIO, case(1)),
            Error::<Test>::NotTruthOwner
        );
        assert_noop!(Matching::add_test_case(RuntimeOrigin::none(), CHAT, case(1)), BadOrigin);
        assert_ok!(remove_case(ALICE, 1));
    });
}
