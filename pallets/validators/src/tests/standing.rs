//! Standing, and ceasing to.

use ensemble_core::{modules::Role, ModuleId};
use frame_support::{assert_noop, assert_ok};

use crate::{mock::*, CandidateOf, Candidates, ChillReason, Error, Event, Ranking, StandsWith};

const ANNA: AccountId = 11;
const BEN: AccountId = 12;
const MODULE: ModuleId = 11;

fn stands(module: ModuleId) -> bool {
    Candidates::<Test>::contains_key(module)
}

#[test]
fn stands_with_its_stake() {
    on_chain(|| {
        stand(ANNA, 500);
        assert_eq!(events(), [Event::Stood { module: MODULE, validator: ANNA, stake: 500 }]);
        let candidate = CandidateOf::<Test> { validator: ANNA, stake: 500, stood: 0 };
        assert_eq!(Candidates::<Test>::get(MODULE), Some(candidate));
        assert_eq!(StandsWith::<Test>::get(ANNA), Some(MODULE));
        assert_eq!(ranking(), [ANNA]);
    });
}

#[test]
fn only_an_owner_stands_with_a_module() {
    on_chain(|| {
        prepare(ANNA, 500);
        set_keys(BEN);
        assert_noop!(try_stand(BEN, MODULE), Error::<Test>::NotOwner);
        assert_noop!(try_stand(ANNA, 99), Error::<Test>::UnknownModule);
    });
}

#[test]
fn a_module_stands_once_and_an_account_with_one() {
    on_chain(|| {
        stand(ANNA, 500);
        assert_noop!(try_stand(ANNA, MODULE), Error::<Test>::StandsAlready);
        prepare(BEN, 500);
        transfer(12, ANNA);
        assert_noop!(try_stand(ANNA, 12), Error::<Test>::StandsElsewhere);
        assert_ok!(chill(ANNA, MODULE));
        assert_ok!(try_stand(ANNA, 12));
    });
}

#[test]
fn only_validators_with_keys_and_stake_stand() {
    on_chain(|| {
        prepare(ANNA, MIN_STAKE - 1);
        assert_noop!(try_stand(ANNA, MODULE), Error::<Test>::StakeTooLow);
        set_stake(MODULE, MIN_STAKE);
        for other in [Role::Idle, Role::Miner] {
            set_role(MODULE, other);
            assert_noop!(try_stand(ANNA, MODULE), Error::<Test>::NotValidator);
        }
        set_role(MODULE, validator());
        remove_keys(ANNA);
        assert_noop!(try_stand(ANNA, MODULE), Error::<Test>::NoSessionKeys);
        set_keys(ANNA);
        assert_ok!(try_stand(ANNA, MODULE));
    });
}

#[test]
fn as_many_stand_as_the_chain_allows() {
    on_chain(|| {
        for who in 0..u64::from(MAX_CANDIDATES) {
            stand(20 + who, 500);
        }
        prepare(ANNA, 500);
        assert_noop!(try_stand(ANNA, MODULE), Error::<Test>::TooManyCandidates);
        assert_ok!(chill(20, 20));
        assert_ok!(try_stand(ANNA, MODULE));
    });
}

#[test]
fn an_owner_chills_its_module() {
    on_chain(|| {
        assert_noop!(chill(ANNA, MODULE), Error::<Test>::NotStanding);
        stand(ANNA, 500);
        assert_noop!(chill(BEN, MODULE), Error::<Test>::NotOwner);
        events();
        assert_ok!(chill(ANNA, MODULE));
        let reason = ChillReason::Asked;
        assert_eq!(events(), [Event::Chilled { module: MODULE, validator: ANNA, reason }]);
        assert!(!stands(MODULE) && !StandsWith::<Test>::contains_key(ANNA));
        assert_eq!(Ranking::<Test>::iter().count(), 0);
        assert_ok!(try_stand(ANNA, MODULE));
    });
}

#[test]
fn what_is_removed_transferred_or_plays_another_part_is_chilled() {
    on_chain(|| {
        for who in [11, 12, 13, 14] {
            stand(who, 500);
        }
        events();
        remove_module(11);
        transfer(12, 4);
        set_role(13, Role::Miner);
        set_role(14, Role::Validator { types: vec![1, 2].try_into().unwrap(), capacity: 9 });
        let expected = [(11, ChillReason::Removed), (12, ChillReason::OwnerChanged), (13, ChillReason::RoleChanged)];
        assert_eq!(chilled(), expected);
        assert_eq!(ranking(), [14]);
        // Who does not stand is not chilled.
        remove_module(12);
        transfer(13, 4);
        set_role(13, Role::Idle);
        assert!(events().is_empty());
    });
}

#[test]
fn whose_stake_falls_too_low_is_chilled() {
    on_chain(|| {
        stand(ANNA, 500);
        set_stake(MODULE, MIN_STAKE);
        assert!(stands(MODULE));
        set_stake(MODULE, MIN_STAKE - 1);
        assert_eq!(chilled(), [(MODULE, ChillReason::StakeTooLow)]);
        set_stake(MODULE, 500);
        assert!(!stands(MODULE), "only its owner has it stand again");
    });
}
