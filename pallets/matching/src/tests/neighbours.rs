//! What other pallets ask, and do.

use ensemble_core::{
    epochs::EpochPhase,
    matching::{Assignment, FlagReason, Matching as _, Standing},
    modules::Role,
    ModuleId,
};
use frame_support::assert_ok;
use sp_runtime::Permill;

use crate::{mock::*, Event, Reliabilities};

type Asked = dyn Fn(ModuleId, ModuleId) -> Assignment;
const ASSIGNMENT: &Asked = &|validator, miner| Matching::assignment(validator, miner);

#[test]
fn a_match_is_known_and_for_the_rest_of_the_epoch_that_it_was() {
    on_chain(|| {
        let (one, two, served) = (validator(&[CHAT], 9), validator(&[AUDIO], 9), miner(CHAT));
        next_block();
        assert_eq!(ASSIGNMENT(one, served), Assignment::Matched);
        assert_eq!(ASSIGNMENT(two, served), Assignment::Changed);
        Epoch::set(1);
        assert_eq!(ASSIGNMENT(two, served), Assignment::Foreign);
        assert_ok!(switch_off(one));
        next_block();
        assert_eq!(ASSIGNMENT(one, served), Assignment::Changed);
        Epoch::set(2);
        assert_eq!(ASSIGNMENT(one, served), Assignment::Foreign);
        assert_ok!(set_role(served, Role::Idle));
        assert_eq!(ASSIGNMENT(one, served), Assignment::Changed);
        assert_eq!(ASSIGNMENT(one, 99), Assignment::Changed);
    });
}

#[test]
fn a_match_of_the_reveal_phase_counts_from_the_next_epoch_on() {
    on_chain(|| {
        Epoch::set(3);
        let (validator, early) = (validator(&[CHAT], 9), miner(CHAT));
        next_block();
        Phase::set(EpochPhase::Reveal);
        let late = miner(CHAT);
        next_block();
        assert_eq!(miners_of(validator), vec![early, late]);
        assert_eq!(ASSIGNMENT(validator, early), Assignment::Matched);
        assert_eq!(ASSIGNMENT(validator, late), Assignment::Changed);
        Epoch::set(4);
        Phase::set(EpochPhase::Commit);
        assert_eq!(ASSIGNMENT(validator, late), Assignment::Matched);
        Phase::set(EpochPhase::Reveal);
        assert_eq!(ASSIGNMENT(validator, late), Assignment::Matched);
    });
}

/// A deposit or a stake would count for both parts.
#[test]
fn nobody_is_scored_in_another_part_after_the_commit_phase() {
    on_chain(|| {
        let (one, two, other) = (validator(&[CHAT], 9), miner(CHAT), validator(&[CHAT], 9));
        next_block();
        Phase::set(EpochPhase::Reveal);
        assert_ok!(set_role(one, Role::Idle));
        assert_ok!(set_role(two, Role::Idle));
        next_block();
        assert_ok!(set_role(one, Role::Miner));
        next_block();
        assert_eq!(validators_of(one), vec![other]);
        assert_eq!(ASSIGNMENT(other, one), Assignment::Changed);
    });
}

#[test]
fn a_validator_serves_since_it_last_got_a_first_miner() {
    on_chain(|| {
        let id = validator(&[CHAT], 9);
        next_block();
        assert_eq!(Matching::serving_since(id), None);
        Epoch::set(2);
        let (first, second) = (miner(CHAT), miner(CHAT));
        next_block();
        Epoch::set(3);
        assert_ok!(set_role(first, Role::Idle));
        next_block();
        assert_eq!(Matching::serving_since(id), Some(2));
        assert_ok!(set_role(second, Role::Idle));
        next_block();
        assert_eq!(Matching::serving_since(id), None);
        Epoch::set(4);
        miner(CHAT);
        next_block();
        assert_eq!(Matching::serving_since(id), Some(4));
        // Who does not take part serves nobody, even before its matches are undone.
        assert_ok!(switch_off(id));
        assert_eq!((Matching::load(id), Matching::serving_since(id)), (1, None));
        Epoch::set(5);
        assert_ok!(switch_on(id));
        assert_eq!(Matching::serving_since(id), None);
        next_block();
        assert_eq!(Matching::serving_since(id), Some(5));
    });
}

#[test]
fn leaving_the_other_way_round_changes_it_too() {
    on_chain(|| {
        let (validator, served) = (validator(&[CHAT], 9), miner(CHAT));
        next_block();
        Epoch::set(1);
        assert_ok!(switch_off(served));
        assert_eq!(ASSIGNMENT(validator, served), Assignment::Matched);
        Epoch::set(2);
        next_block();
        assert_eq!(ASSIGNMENT(validator, served), Assignment::Changed);
        Epoch::set(3);
        assert_ok!(switch_on(served));
        assert_eq!(ASSIGNMENT(99, served), Assignment::Changed);
    });
}

#[test]
fn answers_are_of_those_who_take_part() {
    on_chain(|| {
        Epoch::set(5);
        let (validator, served) = (validator(&[CHAT, VIDEO], 9), miner(CHAT));
        next_block();
        assert_eq!(Matching::types(validator), Some(vec![CHAT, VIDEO]));
        assert_eq!((Matching::load(validator), Matching::load(served)), (1, 0));
        assert_eq!(Matching::serving_since(validator), Some(5));
        assert_eq!((Matching::miner_type(served), Matching::miner_type(validator)), (Some(CHAT), None));
        assert_ok!(switch_off(validator));
        assert_ok!(switch_off(served));
        assert_eq!((Matching::types(validator), Matching::miner_type(served)), (None, None));
        assert_eq!((Matching::serving_since(validator), Matching::serving_since(served)), (None, None));
    });
}

#[test]
fn every_active_miner_can_be_picked() {
    on_chain(|| {
        assert_eq!(Matching::pick_miner(CHAT, 0), None);
        let mut miners: Vec<_> = (0..4).map(|_| miner(CHAT)).collect();
        miner(AUDIO);
        assert_ok!(switch_off(miners.remove(1)));
        let mut picked: Vec<_> = (0..3).filter_map(|random| Matching::pick_miner(CHAT, random)).collect();
        picked.sort_unstable();
        assert_eq!(picked, miners);
        assert_eq!(Matching::pick_miner(CHAT, 7), Matching::pick_miner(CHAT, 1));
        assert_eq!(Matching::pick_miner(VIDEO, 1), None);
    });
}

#[test]
fn reliability_outlasts_absence_and_not_removal() {
    on_chain(|| {
        let id = validator(&[CHAT], 9);
        assert_eq!(Matching::reliability(id), Permill::from_percent(50));
        rely(id, 75);
        let (from, to) = (Permill::from_percent(50), Permill::from_percent(75));
        assert_eq!(last_event(), Event::ReliabilityChanged { validator: id, from, to });
        let count = events().len();
        rely(id, 75);
        assert_eq!(events().len(), count);
        assert_ok!(set_role(id, Role::Idle));
        rely(id, 80);
        assert_ok!(set_role(id, validator_role(&[CHAT], 9)));
        assert_eq!(Matching::reliability(id), Permill::from_percent(80));
        remove(id);
        rely(id, 90);
        assert_eq!(Reliabilities::<Test>::iter().count(), 0);
    });
}

#[test]
fn others_flag_once_and_not_what_is_gone() {
    on_chain(|| {
        let id = validator(&[CHAT], 9);
        let reason = |percent| FlagReason::Disagreement { agreement: Permill::from_percent(percent) };
        <Matching as ensemble_core::matching::Matching>::flag(id, reason(60));
        <Matching as ensemble_core::matching::Matching>::flag(id, reason(50));
        assert_eq!(validator_view(id).standing, Standing::Flagged(reason(60)));
        assert_eq!(Forfeited::get(), vec![id]);
        remove(id);
        <Matching as ensemble_core::matching::Matching>::flag(id, reason(50));
    });
}

#[test]
fn others_switch_off_and_the_owner_on() {
    on_chain(|| {
        let id = validator(&[CHAT], 9);
        let off = <Matching as ensemble_core::matching::Matching>::switch_off;
        off(id);
        off(id);
        off(99);
        assert_eq!(events().iter().filter(|event| matches!(event, Event::SwitchedOff { .. })).count(), 1);
        assert_ok!(switch_on(id));
        assert_eq!(validator_view(id).standing, Standing::Active);
    });
}

#[cfg(feature = "runtime-benchmarks")]
mod benchmarks {
    use ensemble_core::modules::OnRoleChanged;

    use super::*;

    #[test]
    fn pairs_are_made_for_benchmarks_of_others() {
        chain_to_measure().execute_with(|| {
            let (validator, miners) = Matching::match_for_benchmark(3).unwrap();
            assert_eq!(miners.len(), 4);
            assert!(miners.iter().all(|id| ASSIGNMENT(validator, *id) == Assignment::Matched));
            assert_eq!(Matching::load(validator), 4);
            assert!(Matching::serving_since(validator).is_some());
        });
    }

    /// What the registry does after such a preparation is taken.
    #[test]
    fn parts_are_prepared() {
        let parts = [Role::Miner, validator_role(&[CHAT, AUDIO], 5), Role::Idle];
        for (from, to) in parts.iter().flat_map(|from| parts.iter().map(move |to| (from, to))) {
            chain_to_measure().execute_with(|| {
                let id = register(ALICE, CHAT);
                Matching::prepare_role_for_benchmark(id, from);
                let matched = *from == Role::Miner && matches!(to, Role::Validator { .. });
                assert_eq!(Matching::on_role_set(id, CHAT, from, to).is_ok(), !matched);
            });
        }
    }

    #[test]
    fn removals_are_prepared() {
        use ensemble_core::stake::OnModuleRemoved;
        chain_to_measure().execute_with(|| {
            let id = register(ALICE, CHAT);
            Matching::prepare_removal_for_benchmark(id);
            assert_eq!(Matching::load(id), 1);
            remove(id);
            assert_eq!(Matching::serving_since(id), None);
            Matching::on_module_removed(id);
        });
    }
}
