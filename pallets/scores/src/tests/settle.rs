//! What becomes of an epoch that is over.

use ensemble_core::{
    epochs::EpochPhase,
    matching::{FlagReason, Matching},
    scores::{Scores as _, Settlement as _},
};
use frame_support::{assert_ok, weights::Weight};
use sp_runtime::Permill;

use crate::{mock::*, Event, Tally};

const HALF: Permill = Permill::from_percent(50);

#[test]
fn scores_are_the_last_ones_then() {
    on_chain(|| {
        assign(11, &[ANN, BEN]);
        judge(&[(ANN, &[(11, 80)]), (BEN, &[(11, 70)])]);
        assert_eq!(Scores::last_score(11), None);
        to_next_epoch();
        assert_eq!(Scores::last_score(11), Some((0, score(75))));
        assert!(events().contains(&Event::MinerSettled { epoch: 0, miner: 11, score: score(75) }));
        assert_eq!(last_event(), Event::EpochSettled { epoch: 0 });
        judge(&[(ANN, &[(11, 20)])]);
        assert_eq!(Scores::last_score(11), Some((0, score(75))));
        to_next_epoch();
        assert_eq!(Scores::last_score(11), Some((1, score(20))));
    });
}

#[test]
fn whoever_hears_of_scores_is_told_each_once_when_it_is_settled() {
    on_chain(|| {
        assign(11, &[ANN, BEN]);
        assign(12, &[ANN]);
        judge(&[(ANN, &[(11, 80), (12, 100)]), (BEN, &[(11, 70)])]);
        assert_eq!(Told::get(), []);
        to_next_epoch();
        let told = [(11, 0, Permill::from_percent(75)), (12, 0, Permill::one())];
        assert_eq!(Told::get(), told);
        next_block(Weight::MAX);
        assert_eq!(Told::get(), told);
        judge(&[(ANN, &[(11, 0)])]);
        to_next_epoch();
        assert_eq!(Told::get()[2..], [(11, 1, Permill::zero())]);
    });
}

#[test]
fn reliability_moves_towards_the_part_that_agreed() {
    on_chain(|| {
        for miner in [11, 12] {
            assign(miner, &[ANN, BEN, CAT]);
        }
        judge(&[(ANN, &[(11, 80), (12, 50)]), (BEN, &[(11, 90), (12, 50)]), (CAT, &[(11, 91), (12, 10)])]);
        to_next_epoch();
        assert_eq!(reliability(ANN), Permill::from_percent(55), "both agreed");
        assert_eq!(reliability(BEN), Permill::from_percent(55));
        assert_eq!(reliability(CAT), HALF, "one of two agreed");
        let settled = Event::ValidatorSettled {
            epoch: 0,
            validator: CAT,
            judged: 2,
            agreed: 1,
            unrevealed: 0,
            reliability: HALF,
        };
        assert!(events().contains(&settled));
        assert_eq!(record(CAT).tally, Tally { judged: 2, agreed: 1 });
    });
}

#[test]
fn nobody_is_judged_alone_or_without_a_majority() {
    on_chain(|| {
        assign(11, &[ANN]);
        assign(12, &[ANN, BEN]);
        judge(&[(ANN, &[(11, 100), (12, 90)]), (BEN, &[(12, 10)])]);
        to_next_epoch();
        assert_eq!((reliability(ANN), reliability(BEN)), (HALF, HALF));
        Stakes::set([(ANN, STAKE + 1)].into());
        must_check(ANN, &[]);
        must_check(BEN, &[]);
        judge(&[(ANN, &[(12, 90)]), (BEN, &[(12, 10)])]);
        to_next_epoch();
        assert_eq!(reliability(ANN), Permill::from_percent(55));
        assert_eq!(reliability(BEN), Permill::from_percent(45));
    });
}

#[test]
fn a_liar_loses_its_reliability_and_is_flagged() {
    on_chain(|| {
        assign_all_to_three();
        judge_while_ben_lies();
        to_next_epoch();
        assert_eq!(reliability(BEN), Permill::from_percent(45));
        assert_eq!(Flags::get(), [], "six judgements are too few");
        judge_while_ben_lies();
        assert!(Judges::get()[&BEN] < Judges::get()[&ANN]);
        to_next_epoch();
        assert_eq!(reliability(BEN), Permill::from_parts(405_000));
        assert_eq!(Flags::get(), [(BEN, FlagReason::Disagreement { agreement: Permill::zero() })]);
        assert_eq!(record(BEN).tally, Tally::default(), "a flag begins the count anew");
        assert_eq!(Net::types(BEN), None);
        assert_eq!(reliability(ANN), Permill::from_parts(595_000));
        assert_eq!(record(ANN).tally, Tally { judged: 12, agreed: 12 });
    });
}

#[test]
fn seven_of_ten_are_enough() {
    on_chain(|| {
        // Ten sources of truth, in two batches.
        for miner in 20..30 {
            serve(miner, owner_of(miner), CHAT);
            assign(miner, &[ANN, BEN]);
            set_truth(miner, 50);
        }
        let said = |wrong: u32| move |miner: u32| (miner, if miner < 20 + wrong { 100 } else { 50 });
        for (validator, wrong) in [(ANN, 3), (BEN, 4)] {
            let of: Vec<_> = (20..30).map(said(wrong)).collect();
            assert_ok!(commit(validator, 0, &of[..5]));
            assert_ok!(commit(validator, 1, &of[5..]));
        }
        to_reveal();
        for (validator, wrong) in [(ANN, 3), (BEN, 4)] {
            let of: Vec<_> = (20..30).map(said(wrong)).collect();
            assert_ok!(reveal(validator, 0, &of[..5]));
            assert_ok!(reveal(validator, 1, &of[5..]));
        }
        to_next_epoch();
        assert_eq!(Flags::get(), [(BEN, FlagReason::Disagreement { agreement: Permill::from_percent(60) })]);
        assert_eq!(reliability(ANN), Permill::from_percent(52));
    });
}

#[test]
fn what_is_committed_and_not_revealed_costs_a_quarter() {
    on_chain(|| {
        assign(11, &[ANN]);
        set_truth(11, 50);
        assert_ok!(commit(ANN, 0, &[(11, 50)]));
        assert_ok!(commit(ANN, 1, &[]));
        assert_ok!(commit(ANN, 2, &[]));
        assert_ok!(commit(BEN, 0, &[]));
        to_reveal();
        assert_ok!(reveal(ANN, 0, &[(11, 50)]));
        to_next_epoch();
        assert_eq!(reliability(ANN), Permill::from_parts(412_500), "once, after a tenth up");
        assert_eq!(reliability(BEN), Permill::from_parts(375_000));
        let settled = events().into_iter().find_map(|event| match event {
            Event::ValidatorSettled { validator: ANN, unrevealed, .. } => Some(unrevealed),
            _ => None,
        });
        assert_eq!(settled, Some(2));
    });
}

#[test]
fn checks_left_out_count_as_wrong() {
    on_chain(|| {
        must_check(ANN, &[11, 12]);
        must_check(BEN, &[11, 12]);
        must_check(CAT, &[11, 12]);
        judge(&[(ANN, &[]), (CAT, &[(11, 50), (12, 50)])]);
        to_next_epoch();
        assert_eq!(reliability(ANN), Permill::from_percent(45));
        assert_eq!(record(ANN).tally, Tally { judged: 2, agreed: 0 });
        assert_eq!(reliability(BEN), HALF, "it revealed nothing, which is another matter");
        assert_eq!(reliability(CAT), HALF, "it was the only one to score them");
    });
}

#[test]
fn a_miner_that_its_own_validators_favour_is_flagged() {
    on_chain(|| {
        assign(11, &[ANN]);
        assign(12, &[ANN]);
        must_check(BEN, &[11, 12]);
        must_check(CAT, &[11, 12]);
        judge(&[(ANN, &[(11, 100), (12, 100)]), (BEN, &[(11, 60), (12, 70)]), (CAT, &[(11, 68), (12, 40)])]);
        to_next_epoch();
        assert_eq!(Flags::get(), [(11, FlagReason::CrossCheck { agreement: Permill::from_percent(64) })]);
    });
}

#[test]
fn a_single_checker_flags_nobody() {
    on_chain(|| {
        assign(11, &[ANN]);
        must_check(BEN, &[11]);
        Stakes::set([(BEN, 100 * STAKE)].into());
        judge(&[(ANN, &[(11, 100)]), (BEN, &[(11, 0)])]);
        to_next_epoch();
        assert_eq!(Flags::get(), [], "however rich it is");
    });
}

#[test]
fn a_fault_costs_the_epoch_that_shows_it() {
    on_chain(|| {
        assign_all_to_three();
        judge_while_ben_lies();
        to_next_epoch();
        assert_eq!(Forfeited::get(), [], "six judgements are too few");
        judge_while_ben_lies();
        // It is settled late.
        set_clock(2, EpochPhase::Commit);
        next_block(Weight::zero());
        assert_eq!(Forfeited::get(), []);
        enter(3, EpochPhase::Commit);
        assert_eq!(Forfeited::get(), [(1, BEN)], "not the epoch in which it is settled");
    });
}

#[test]
fn a_fault_costs_a_miner_the_epoch_that_shows_it() {
    on_chain(|| {
        enter(4, EpochPhase::Commit);
        assign(11, &[ANN]);
        must_check(BEN, &[11]);
        must_check(CAT, &[11]);
        judge(&[(ANN, &[(11, 100)]), (BEN, &[(11, 60)]), (CAT, &[(11, 60)])]);
        to_next_epoch();
        assert_eq!(Flags::get().len(), 1);
        assert_eq!(Forfeited::get(), [(4, 11)]);
    });
}

#[test]
fn removing_the_module_saves_nothing() {
    on_chain(|| {
        for miner in MINERS {
            assign(miner, &[ANN]);
            set_truth(miner, 90);
        }
        let lies = of_all(20);
        judge(&[(ANN, &lies)]);
        to_next_epoch();
        judge(&[(ANN, &lies)]);
        remove(ANN);
        to_next_epoch();
        assert_eq!(Flags::get(), [], "there is nobody to flag");
        assert_eq!(Forfeited::get(), [(1, ANN)]);
    });
}

#[test]
fn others_are_told_how_far_it_is() {
    on_chain(|| {
        assign(11, &[ANN, BEN]);
        assert_eq!(Scores::first_unsettled(), 0);
        judge(&[(ANN, &[(11, 80)]), (BEN, &[(11, 80)])]);
        set_clock(1, EpochPhase::Commit);
        let mut blocks = 0;
        while !events().contains(&Event::EpochSettled { epoch: 0 }) {
            assert_eq!(Scores::first_unsettled(), 0, "it is not before all of it is");
            next_block(Weight::from_parts(4 + STEP, 0));
            blocks += 1;
        }
        assert!(blocks > 4, "a step in a block");
        assert_eq!(Scores::first_unsettled(), 1);
    });
}

#[test]
fn a_removed_validator_is_settled_without_a_trace() {
    on_chain(|| {
        assert_ok!(commit(ANN, 0, &[]));
        remove(ANN);
        to_next_epoch();
        assert_eq!(reliability(ANN), HALF);
        assert!(!events().iter().any(|event| matches!(event, Event::ValidatorSettled { .. })));
    });
}
