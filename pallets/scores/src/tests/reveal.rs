//! Reveals, and what they bring at once.

use frame_support::{assert_noop, assert_ok, BoundedVec};
use sp_runtime::{DispatchError, Permill};

use crate::{mock::*, Error, Event, Lists, Rated, Results, ResultsKept};

fn merit(percent: u32) -> Option<Permill> {
    Some(Permill::from_percent(percent))
}

#[test]
fn are_counted_at_once() {
    on_chain(|| {
        assign(11, &[ANN, BEN, CAT]);
        assign(12, &[ANN]);
        assert_ok!(commit(ANN, 0, &[(11, 80), (12, 60)]));
        assert_ok!(commit(BEN, 1, &[(11, 90)]));
        assert_ok!(commit(CAT, 0, &[(11, 10)]));
        to_reveal();
        assert_ok!(reveal(ANN, 0, &[(11, 80), (12, 60)]));
        assert_eq!(Earners::get()[&11], Permill::from_percent(80));
        assert_eq!(Earners::get()[&12], Permill::from_percent(60));
        let ignored = BoundedVec::new();
        let revealed =
            Event::Revealed { epoch: 0, validator: ANN, batch: 0, ignored, merit: Permill::from_percent(50) };
        assert_eq!(last_event(), revealed);

        assert_ok!(reveal(BEN, 1, &[(11, 90)]));
        assert_eq!(Earners::get()[&11], Permill::from_percent(85), "two with the same stake: the mean");
        next_block(frame_support::weights::Weight::zero());
        assert_ok!(reveal(CAT, 0, &[(11, 10)]));
        assert_eq!(Earners::get()[&11], Permill::from_percent(80), "the median of three");
        assert_eq!(result(11).at, System::block_number());
        assert_eq!(result(12).at, System::block_number() - 1);
        let said: Vec<_> = result(11).ratings.iter().map(|said| (said.validator, said.stake, said.check)).collect();
        assert_eq!(said, [ANN, BEN, CAT].map(|validator| (validator, STAKE + DEPOSIT, false)));
        let rated: Vec<_> = (0..Lists::<Test>::get(0).rated).filter_map(|n| Rated::<Test>::get(0, n)).collect();
        assert_eq!(rated, [11, 12]);
        assert_eq!(ResultsKept::<Test>::get(), 2);
    });
}

#[test]
fn count_by_stake() {
    on_chain(|| {
        assign(11, &[ANN, BEN, CAT]);
        Stakes::set([(CAT, 2 * STAKE + DEPOSIT + 1)].into());
        judge(&[(ANN, &[(11, 80)]), (BEN, &[(11, 90)]), (CAT, &[(11, 10)])]);
        assert_eq!(Earners::get()[&11], Permill::from_percent(10), "one planck more than the others have");
    });
}

#[test]
fn earn_by_reliability_and_the_part_that_was_scored() {
    on_chain(|| {
        for miner in [11, 12, 13, 14] {
            assign(miner, &[ANN]);
        }
        set_reliability(ANN, 80);
        assert_ok!(commit(ANN, 0, &[(11, 80)]));
        assert_ok!(commit(ANN, 1, &[(12, 80), (13, 0)]));
        assert_ok!(commit(ANN, 2, &[]));
        to_reveal();
        assert_eq!(Judges::get().get(&ANN), None, "who reveals nothing earns nothing");
        assert_ok!(reveal(ANN, 2, &[]));
        assert_eq!(Judges::get().get(&ANN).copied(), merit(0));
        assert_ok!(reveal(ANN, 0, &[(11, 80)]));
        assert_eq!(Judges::get().get(&ANN).copied(), merit(20));
        assert_ok!(reveal(ANN, 1, &[(12, 80), (13, 0)]));
        assert_eq!(Judges::get().get(&ANN).copied(), merit(60));
    });
}

#[test]
fn of_a_miner_that_left_since_do_not_count_against_the_validator() {
    on_chain(|| {
        assign(11, &[ANN]);
        assign(12, &[ANN]);
        assert_ok!(commit(ANN, 0, &[(11, 80)]));
        assert_ok!(commit(ANN, 1, &[(12, 80)]));
        to_reveal();
        assert_ok!(reveal(ANN, 0, &[(11, 80)]));
        leave(11);
        assert_ok!(reveal(ANN, 1, &[(12, 80)]));
        assert_eq!(Judges::get().get(&ANN).copied(), merit(50), "two scored, of one that is left");
    });
}

#[test]
fn miners_that_come_after_the_commitment_do_not_count() {
    on_chain(|| {
        assign(11, &[ANN]);
        assert_ok!(commit(ANN, 0, &[(11, 80)]));
        reassign(12, &[ANN]);
        assert_ok!(commit(BEN, 0, &[]));
        reassign(13, &[ANN]);
        to_reveal();
        reassign(14, &[ANN]);
        assert_ok!(reveal(ANN, 0, &[(11, 80)]));
        assert_eq!(Judges::get().get(&ANN).copied(), merit(50), "all that it had then");
    });
}

#[test]
fn the_last_commitment_counts() {
    on_chain(|| {
        assign(11, &[ANN]);
        assert_ok!(commit(ANN, 0, &[(11, 80)]));
        reassign(12, &[ANN]);
        assert_ok!(commit(ANN, 1, &[(12, 80)]));
        reassign(13, &[ANN]);
        assert_eq!(work(0, ANN).load, 2);
        to_reveal();
        assert_ok!(reveal(ANN, 0, &[(11, 80)]));
        assert_eq!(Judges::get().get(&ANN).copied(), merit(25));
        assert_ok!(reveal(ANN, 1, &[(12, 80)]));
        assert_eq!(Judges::get().get(&ANN).copied(), merit(50));
    });
}

#[test]
fn checks_alone_earn_nothing() {
    on_chain(|| {
        assign(11, &[CAT]);
        must_check(ANN, &[11]);
        must_check(BEN, &[11]);
        let of: &[(u32, u32)] = &[(11, 80)];
        assert_ok!(commit(CAT, 0, &[(11, 60)]));
        judge(&[(ANN, of), (BEN, of)]);
        assert_eq!(Earners::get().get(&11), None);
        assert_eq!(Scores::result_of(0, 11).map(|result| result.score), Some(score(80)), "it can be read");
        assert_ok!(reveal(CAT, 0, &[(11, 60)]));
        assert_eq!(Earners::get().get(&11).copied(), merit(80), "with the checks that came before");
    });
}

#[test]
fn need_what_was_committed() {
    on_chain(|| {
        assign(11, &[ANN, BEN]);
        let of = [(11, 80)];
        assert_ok!(commit(ANN, 0, &of));
        assert_noop!(reveal(ANN, 0, &of), Error::<Test>::NotRevealPhase);
        to_reveal();
        assert_noop!(reveal(BEN, 0, &of), Error::<Test>::NotCommitted);
        assert_noop!(reveal(ANN, 1, &of), Error::<Test>::NotCommitted);
        assert_noop!(reveal(ANN, 0, &[(11, 81)]), Error::<Test>::NotAsCommitted);
        assert_noop!(reveal(ANN, 0, &[]), Error::<Test>::NotAsCommitted);
        let scores = BoundedVec::truncate_from(scores(&of));
        let as_ann = RuntimeOrigin::signed(owner_of(ANN));
        assert_noop!(Scores::reveal(as_ann, ANN, 0, scores, [0; 32]), Error::<Test>::NotAsCommitted);
        assert_ok!(reveal(ANN, 0, &of));
        assert_noop!(reveal(ANN, 0, &of), Error::<Test>::NotCommitted);
        to_next_epoch();
        to_reveal();
        assert_noop!(reveal(ANN, 0, &of), Error::<Test>::NotCommitted);
    });
}

#[test]
fn of_another_epoch_are_refused() {
    on_chain(|| {
        assign(11, &[ANN]);
        let old = sealed(ANN, 0, &[(11, 80)]);
        to_next_epoch();
        assert_ok!(draw(ANN));
        assert_ok!(Scores::commit(RuntimeOrigin::signed(owner_of(ANN)), ANN, 0, Scores::seal(&old)));
        to_reveal();
        assert_noop!(reveal(ANN, 0, &[(11, 80)]), Error::<Test>::NotAsCommitted);
    });
}

#[test]
fn a_copy_gains_nothing() {
    on_chain(|| {
        assign(11, &[ANN, BEN]);
        let hash = Scores::seal(&sealed(ANN, 0, &[(11, 80)]));
        assert_ok!(commit(ANN, 0, &[(11, 80)]));
        // The commitment can be copied, but not opened; what was revealed can be copied, but comes too late.
        assert_ok!(draw(BEN));
        assert_ok!(Scores::commit(RuntimeOrigin::signed(owner_of(BEN)), BEN, 0, hash));
        to_reveal();
        assert_ok!(reveal(ANN, 0, &[(11, 80)]));
        let copy = BoundedVec::truncate_from(scores(&[(11, 80)]));
        let as_ben = RuntimeOrigin::signed(owner_of(BEN));
        assert_noop!(Scores::reveal(as_ben, BEN, 0, copy, salt(ANN)), Error::<Test>::NotAsCommitted);
        assert_noop!(commit(BEN, 1, &[(11, 80)]), Error::<Test>::NotCommitPhase);
        assert_eq!(Judges::get().get(&BEN), None);
        to_next_epoch();
        assert_eq!(reliability(BEN), Permill::from_parts(375_000), "and it costs a quarter of the reliability");
        assert_eq!(reliability(ANN), Permill::from_percent(50));
    });
}

#[test]
fn what_is_refused() {
    on_chain(|| {
        assign(11, &[ANN]);
        assign(12, &[BEN]);
        let batches: [&[(u32, u32)]; 3] = [&[(11, 101)], &[(12, 50), (11, 50)], &[(11, 50), (12, 50)]];
        for (batch, of) in (0..).zip(batches) {
            assert_ok!(commit(ANN, batch, of));
        }
        to_reveal();
        assert_noop!(reveal(ANN, 0, batches[0]), Error::<Test>::ScoreAboveOne);
        assert_noop!(reveal(ANN, 1, batches[1]), Error::<Test>::NotInOrder);
        assert_noop!(reveal(ANN, 2, batches[2]), Error::<Test>::NotYourMiner);
        let none = BoundedVec::new();
        let reveal_as = |origin, module| Scores::reveal(origin, module, 0, none.clone(), [0; 32]);
        assert_noop!(reveal_as(RuntimeOrigin::root(), ANN), DispatchError::BadOrigin);
        assert_noop!(reveal_as(RuntimeOrigin::signed(1), ANN), Error::<Test>::NotOwner);
        assert_noop!(reveal_as(RuntimeOrigin::signed(1), 99), Error::<Test>::UnknownModule);
    });
}

#[test]
fn every_part_but_the_latency_is_at_most_one() {
    let spoilt: [fn(&mut ensemble_core::scores::Score); 3] =
        [|score| score.score += 1, |score| score.quality += 1, |score| score.availability += 1];
    for spoil in spoilt {
        let mut score = score(100);
        score.latency = u32::MAX;
        assert!(score.is_at_most_one());
        spoil(&mut score);
        assert!(!score.is_at_most_one());
    }
}

#[test]
fn name_each_miner_once_in_an_epoch() {
    on_chain(|| {
        assign(11, &[ANN]);
        assign(12, &[ANN]);
        assert_ok!(commit(ANN, 0, &[(11, 50), (11, 60)]));
        assert_ok!(commit(ANN, 1, &[(11, 50)]));
        assert_ok!(commit(ANN, 2, &[(11, 60), (12, 60)]));
        to_reveal();
        assert_noop!(reveal(ANN, 0, &[(11, 50), (11, 60)]), Error::<Test>::NotInOrder);
        assert_ok!(reveal(ANN, 1, &[(11, 50)]));
        assert_noop!(reveal(ANN, 2, &[(11, 60), (12, 60)]), Error::<Test>::AlreadyScored);
        assert!(!Results::<Test>::contains_key(0, 12), "all of it or nothing");
    });
}

#[test]
fn ignore_who_came_or_went_in_this_epoch() {
    on_chain(|| {
        for miner in [11, 12, 13, 14] {
            assign(miner, &[ANN]);
        }
        let of = [(11, 50), (12, 50), (13, 50), (14, 50)];
        assert_ok!(commit(ANN, 0, &of));
        reassign(11, &[BEN]);
        leave(12);
        remove(13);
        to_reveal();
        assert_ok!(reveal(ANN, 0, &of));
        let ignored = BoundedVec::truncate_from(vec![11, 12, 13]);
        let merit = Permill::from_percent(50);
        assert_eq!(last_event(), Event::Revealed { epoch: 0, validator: ANN, batch: 0, ignored, merit });
        assert_eq!(Results::<Test>::iter_keys().collect::<Vec<_>>(), [(0, 14)]);
        assert_eq!(Earners::get().len(), 1);
    });
}

/// A miner that is not active is nobody's, whatever matching still knows of it.
#[test]
fn ignore_who_is_not_active() {
    on_chain(|| {
        assign(11, &[ANN]);
        assign(12, &[ANN]);
        must_check(ANN, &[13]);
        let of = [(11, 50), (12, 50), (13, 50), (14, 50)];
        assert_ok!(commit(ANN, 0, &of));
        change_miner(11, |miner| miner.is_active = false);
        Net::mutate(|net| net.miners.retain(|miner, _| *miner == 11 || *miner == 12));
        to_reveal();
        assert_ok!(reveal(ANN, 0, &of));
        let ignored = BoundedVec::truncate_from(vec![11, 13, 14]);
        let merit = Permill::from_percent(25);
        assert_eq!(last_event(), Event::Revealed { epoch: 0, validator: ANN, batch: 0, ignored, merit });
        assert_eq!(work(0, ANN).left_out(), 0, "a check of a miner that left is done");
    });
}

#[test]
fn are_not_for_who_left_in_the_middle() {
    on_chain(|| {
        assign(11, &[ANN]);
        assert_ok!(commit(ANN, 0, &[(11, 50)]));
        leave(ANN);
        to_reveal();
        assert_noop!(reveal(ANN, 0, &[(11, 50)]), Error::<Test>::NotActive);
        to_next_epoch();
        assert_eq!(reliability(ANN), Permill::from_parts(375_000));
    });
}

#[test]
fn checks_count_as_checks() {
    on_chain(|| {
        assign(11, &[BEN]);
        assign(12, &[ANN]);
        must_check(ANN, &[11, 13]);
        judge(&[(BEN, &[(11, 80)]), (ANN, &[(11, 70), (12, 90)])]);
        let said: Vec<_> = result(11).ratings.iter().map(|said| (said.validator, said.check)).collect();
        assert_eq!(said, [(BEN, false), (ANN, true)]);
        assert_eq!(Earners::get()[&11], Permill::from_percent(75));
        assert_eq!(work(0, ANN).scored, 1, "checks are not own miners");
        assert_eq!(work(0, ANN).left_out(), 1);
    });
}

#[test]
fn checks_leave_room_for_own_validators() {
    on_chain(|| {
        let crowd: Vec<_> = (20..30).collect();
        for validator in &crowd {
            join(*validator, owner_of(*validator), &[CHAT]);
        }
        let (checkers, own) = crowd.split_at(5);
        assign(11, own);
        for validator in checkers {
            must_check(*validator, &[11]);
        }
        let of: &[(u32, u32)] = &[(11, 50)];
        let all: Vec<_> = crowd.iter().map(|validator| (*validator, of)).collect();
        judge(&all);
        assert_eq!(result(11).ratings.len() as u32, MAX_RATINGS);
        let checks: Vec<_> = result(11).ratings.iter().filter(|said| said.check).map(|said| said.validator).collect();
        assert_eq!(checks, [20, 21, 22]);
        let ignored = events().into_iter().filter_map(|event| match event {
            Event::Revealed { validator, ignored, .. } if !ignored.is_empty() => Some(validator),
            _ => None,
        });
        assert_eq!(ignored.collect::<Vec<_>>(), [23, 24]);
        assert_eq!(work(0, 24).left_out(), 0, "what finds no room is done all the same");
    });
}

#[test]
fn sources_of_truth_are_judged_at_once() {
    on_chain(|| {
        set_truth(11, 90);
        assign(11, &[ANN]);
        must_check(BEN, &[11]);
        judge(&[(ANN, &[(11, 80)]), (BEN, &[(11, 79)])]);
        assert_eq!(result(11).truth, Some(Permill::from_percent(90)));
        let tally = |validator| (work(0, validator).tally.judged, work(0, validator).tally.agreed);
        assert_eq!((tally(ANN), tally(BEN)), ((1, 1), (1, 0)));
        to_next_epoch();
        assert_eq!((tally(ANN), tally(BEN)), ((1, 1), (1, 0)), "and not again");
    });
}

#[test]
fn a_check_for_which_there_is_no_room_is_judged_once() {
    on_chain(|| {
        set_truth(11, 90);
        let of: &[(u32, u32)] = &[(11, 90)];
        for validator in 20..23 {
            join(validator, owner_of(validator), &[CHAT]);
            must_check(validator, &[11]);
        }
        must_check(ANN, &[11]);
        assert_ok!(commit(ANN, 1, of));
        judge(&[(20, of), (21, of), (22, of), (ANN, of)]);
        assert!(!result(11).is_rated_by(ANN));
        assert_eq!(work(0, ANN).tally.judged, 1);
        assert_noop!(reveal(ANN, 1, of), Error::<Test>::AlreadyScored);
    });
}

#[test]
fn own_miners_for_which_there_is_no_room_are_ignored() {
    on_chain(|| {
        set_truth(11, 90);
        let crowd: Vec<_> = (20..29).collect();
        for validator in &crowd {
            join(*validator, owner_of(*validator), &[CHAT]);
        }
        assign(11, &crowd);
        let of: &[(u32, u32)] = &[(11, 90)];
        judge(&crowd.iter().map(|validator| (*validator, of)).collect::<Vec<_>>());
        assert_eq!(work(0, 27).scored, 1);
        assert_eq!((work(0, 28).scored, work(0, 28).tally.judged), (0, 0));
        let ignored = BoundedVec::truncate_from(vec![11]);
        let merit = Permill::zero();
        assert_eq!(last_event(), Event::Revealed { epoch: 0, validator: 28, batch: 0, ignored, merit });
    });
}

#[test]
fn a_source_of_truth_stays_one_for_the_epoch() {
    on_chain(|| {
        set_truth(11, 90);
        assign(11, &[ANN, BEN]);
        assert_ok!(commit(ANN, 0, &[(11, 90)]));
        assert_ok!(commit(BEN, 0, &[(11, 50)]));
        to_reveal();
        assert_ok!(reveal(ANN, 0, &[(11, 90)]));
        change_miner(11, |miner| miner.truth = None);
        assert_ok!(reveal(BEN, 0, &[(11, 50)]));
        assert_eq!(work(0, BEN).tally.judged, 1);
    });
}
