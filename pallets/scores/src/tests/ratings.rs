//! What ratings say together.

use ensemble_core::scores::{Rating, Score};
use proptest::prelude::*;
use sp_runtime::Permill;

use crate::{mock::score, ratings::*, Balance};

const TOLERANCE: Permill = Permill::from_percent(10);
const LEAST: Permill = Permill::from_percent(70);

fn rating(validator: u32, stake: Balance, check: bool, percent: u32) -> Rating<Balance> {
    Rating { validator, stake, check, score: score(percent) }
}

fn own(validator: u32, percent: u32) -> Rating<Balance> {
    rating(validator, 100, false, percent)
}

fn check(validator: u32, percent: u32) -> Rating<Balance> {
    rating(validator, 100, true, percent)
}

#[test]
fn each_part_has_its_own_median() {
    let said = |validator, score, quality, availability, latency| Rating {
        validator,
        stake: 1,
        check: false,
        score: Score { score, quality, availability, latency },
    };
    let ratings = [said(1, 1, 8, 6, 20), said(2, 2, 7, 4, 30), said(3, 3, 9, 5, 10)];
    assert_eq!(score_of(&ratings), Score { score: 2, quality: 8, availability: 5, latency: 20 });
}

#[test]
fn the_tolerance_is_in_both_directions_and_itself_within() {
    for (score, agree) in [(400_000, true), (399_999, false), (600_000, true), (600_001, false)] {
        assert_eq!(agrees(score, 500_000, TOLERANCE), agree, "{score}");
    }
}

#[test]
fn judges_by_the_majority() {
    assert_eq!(judge(&[], TOLERANCE), []);
    assert_eq!(judge(&[own(1, 50)], TOLERANCE), []);
    assert_eq!(judge(&[own(1, 50), own(2, 70)], TOLERANCE), [(1, true), (2, true)]);
    assert_eq!(judge(&[own(1, 50), own(2, 71)], TOLERANCE), [], "both are away from the mean");
    assert_eq!(judge(&[own(1, 50), check(2, 55), own(3, 90)], TOLERANCE), [(1, true), (2, true), (3, false)]);
    assert_eq!(judge(&[own(1, 10), own(2, 50), own(3, 90)], TOLERANCE), [], "one in the middle is no majority");
}

#[test]
fn cross_checks_need_two_checkers_who_outweigh_the_others() {
    let flagged = |ratings: &[Rating<Balance>]| cross_check(ratings, LEAST).map(|part| part * 100u32);
    assert_eq!(flagged(&[own(1, 100)]), None);
    assert_eq!(flagged(&[check(1, 0), check(2, 0)]), None, "nobody favours it");
    assert_eq!(flagged(&[own(1, 100), check(2, 0)]), None);
    assert_eq!(flagged(&[own(1, 100), rating(2, 101, true, 69)]), None, "one is not enough, however rich it is");
    assert_eq!(flagged(&[own(1, 100), rating(2, 101, true, 69), rating(3, 1, true, 70)]), None, "nor with one above");
    assert_eq!(flagged(&[own(1, 100), rating(2, 100, true, 69), rating(3, 1, true, 69)]), Some(69));
    assert_eq!(flagged(&[own(1, 100), rating(2, 99, true, 69), rating(3, 1, true, 69)]), None, "half of the weight");
    assert_eq!(flagged(&[own(1, 100), check(2, 70), check(3, 70)]), None, "the bar itself is enough");
    assert_eq!(flagged(&[own(1, 100), check(2, 20), check(3, 40)]), Some(30));
    assert_eq!(flagged(&[own(1, 100), check(2, 0), check(3, 90)]), None, "one liar among them");
    assert_eq!(flagged(&[own(1, 0), check(2, 0), check(3, 0)]), None, "all agree that it is bad");
    let quarrel = [own(1, 100), rating(2, 60, false, 100), own(3, 0), check(4, 0)];
    assert_eq!(flagged(&quarrel), None, "its own validators disagree, and the checkers alone do not outweigh them");
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(1_000))]

    /// Who is judged not to agree has less than half of the weight, and the others are near to the score.
    #[test]
    fn a_minority_disagrees(said in prop::collection::vec((0u32..=100, 1u128..1_000), 0..16)) {
        let ratings: Vec<_> =
            (0..).zip(&said).map(|(validator, (percent, stake))| rating(validator, *stake, false, *percent)).collect();
        let score = score_of(&ratings).score;
        let weight = |agrees: bool| -> u128 {
            let judged = judge(&ratings, TOLERANCE);
            judged.into_iter().filter(|judged| judged.1 == agrees).map(|judged| said[judged.0 as usize].1).sum()
        };
        prop_assert!(weight(false) < weight(true) || (weight(true) == 0 && weight(false) == 0));
        for (validator, agree) in judge(&ratings, TOLERANCE) {
            let away = ratings[validator as usize].score.score.abs_diff(score);
            prop_assert_eq!(agree, away <= 100_000);
        }
    }

    /// One checker alone flags nobody, whatever it has at stake.
    #[test]
    fn a_single_checker_flags_nobody(
        own in prop::collection::vec((0u32..=100, 1u128..1_000), 0..6),
        check in (0u32..=100, 1u128..1_000_000),
    ) {
        let said = (0..).zip(own).map(|(validator, (percent, stake))| rating(validator, stake, false, percent));
        let said: Vec<_> = said.chain([rating(100, check.1, true, check.0)]).collect();
        prop_assert_eq!(cross_check(&said, LEAST), None);
    }

    /// Where honest checkers and honest own validators have the most at stake, nobody flags a miner, whatever the rest say.
    #[test]
    fn liars_in_the_minority_flag_nobody(
        honest in prop::collection::vec(any::<bool>(), 1..8),
        lies in prop::collection::vec((any::<bool>(), 0u32..=100), 0..7),
    ) {
        prop_assume!(lies.len() <= honest.len());
        // Own validators are bribed to praise it, or checkers to speak ill of it, but not both.
        prop_assume!(honest.iter().any(|is_check| !is_check));
        let good = (0..).zip(honest).map(|(validator, is_check)| rating(validator, 100, is_check, 80));
        let bad = (100..).zip(lies).filter(|(_, (is_check, _))| *is_check);
        let bad = bad.map(|(validator, (_, percent))| rating(validator, 100, true, percent));
        prop_assert_eq!(cross_check(&good.chain(bad).collect::<Vec<_>>(), LEAST), None);
    }
}
