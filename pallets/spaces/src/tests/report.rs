//! Reports, and what follows from them.

use codec::{Encode, MaxEncodedLen};
use ensemble_core::{
    spaces::{
        Activity, Finding, Rejection, Report, SpaceSpec, Standing, MAX_MEMBERS as MOST, MAX_REPORT_BYTES, REPORT, STATE,
    },
    votes::{VoteEnd, VoteVoid},
};
use ensemble_tensor::{Bundle, Header, Tensor, TensorId};
use frame_support::{assert_noop, assert_ok};
use proptest::prelude::*;
use sp_runtime::{
    transaction_validity::{InvalidTransaction, TransactionValidityError},
    DispatchError,
};

use crate::{mock::*, report::findings_in, Error, Event, Rosters};

/// A space with three members whose first round has this result.
fn settled(result: &RoundResult) -> u32 {
    let id = new_space(spec());
    admit(id, 1..4);
    run_to(4);
    settle(id, result);
    id
}

fn refuses(result: &RoundResult, space: u32, round: u32, invalid: InvalidTransaction, error: Error<Test>) {
    let refused = result.authorize(space, round).map(drop);
    assert_eq!(refused, Err(TransactionValidityError::Invalid(invalid)));
    assert_noop!(result.dispatch(space, round), error);
}

#[test]
fn a_report_says_how_members_stand() {
    on_chain(|| {
        let findings = [ACCEPTED, OUTVOTED, Finding { rejection: Some(Rejection::AllZero), distance: 0 }];
        let result = RoundResult::of(&findings);
        let id = settled(&result);
        let order = entrants(id, 0);
        result.submit(id, 0);
        assert_eq!(last_event(), Event::Reported { space: id, round: 0, accepted: 1, rejected: 2 });
        for (task, finding) in order.into_iter().zip(findings) {
            assert_eq!(member(id, task).last, Some((0, finding)));
            let rejections = u32::from(finding.rejection.is_some());
            assert_eq!(member(id, task).standing, Standing::Counting { rejections });
        }
        assert!(space(id).state.unwrap().reported);
        assert_eq!(Rosters::<Test>::get(id, 0), None);
        assert_eq!(activity(id), Activity::Resting, "that is no change");
    });
}

#[test]
fn a_report_comes_in_for_nothing_and_once() {
    on_chain(|| {
        let result = RoundResult::of(&[ACCEPTED; 3]);
        let id = settled(&result);
        let valid = result.authorize(id, 0).unwrap();
        assert_eq!((valid.priority, valid.provides.len(), valid.propagate), (77, 1, true));
        assert!(valid.provides[0].ends_with(&(id, 0).encode()));
        assert_noop!(
            Spaces::submit_report(
                RuntimeOrigin::signed(OWNER),
                id,
                0,
                result.manifest.clone().try_into().unwrap(),
                result.report.clone().try_into().unwrap(),
            ),
            DispatchError::BadOrigin
        );
        result.submit(id, 0);
        refuses(&result, id, 0, InvalidTransaction::Stale, Error::NoReportDue);
    });
}

#[test]
fn nothing_but_the_round_that_settled_last_can_be_reported() {
    on_chain(|| {
        let first = RoundResult::of(&[ACCEPTED; 3]);
        let id = settled(&first);
        for (space, round) in [(id, 1), (id, u32::MAX)] {
            refuses(&first, space, round, InvalidTransaction::Stale, Error::NoReportDue);
        }
        refuses(&first, id + 1, 0, InvalidTransaction::Stale, Error::UnknownSpace);
        admit(id, [4]);
        run_to(20);
        assert!(first.authorize(id, 0).is_ok(), "while the next round runs");
        let second = RoundResult::of(&[ACCEPTED; 4]);
        settle(id, &second);
        refuses(&first, id, 0, InvalidTransaction::Stale, Error::NoReportDue);
        assert_eq!(Rosters::<Test>::get(id, 0), None);
        second.submit(id, 1);
        assert_eq!(member(id, 1).last, Some((1, ACCEPTED)));
    });
}

#[test]
fn a_retired_space_takes_no_report() {
    on_chain(|| {
        let result = RoundResult::of(&[ACCEPTED; 3]);
        let id = settled(&result);
        assert_ok!(retire(id));
        refuses(&result, id, 0, InvalidTransaction::Stale, Error::SpaceRetired);
    });
}

#[test]
fn other_bytes_are_refused() {
    on_chain(|| {
        let result = RoundResult::of(&[ACCEPTED; 3]);
        let id = settled(&result);
        let other = RoundResult::of(&[ACCEPTED, ACCEPTED, OUTVOTED]);
        refuses(&other, id, 0, InvalidTransaction::BadProof, Error::NotTheResult);
        let manifest = result.manifest.clone();
        let mixed = RoundResult { manifest: manifest.clone(), report: other.report };
        refuses(&mixed, id, 0, InvalidTransaction::BadProof, Error::NotTheReport);
        for report in [vec![], vec![0; MAX_REPORT_BYTES as usize]] {
            let mixed = RoundResult { manifest: manifest.clone(), report };
            refuses(&mixed, id, 0, InvalidTransaction::BadProof, Error::NotTheReport);
        }
        for manifest in [vec![], vec![0], vec![255; 961]] {
            let mixed = RoundResult { manifest, report: result.report.clone() };
            refuses(&mixed, id, 0, InvalidTransaction::BadProof, Error::NotTheResult);
        }
        result.submit(id, 0);
    });
}

#[test]
fn a_bundle_without_a_report_has_none() {
    on_chain(|| {
        let manifest = Bundle::encode([(STATE, TensorId([1; 32]))]).unwrap();
        let result = RoundResult { manifest, report: Report::default().encode() };
        let id = settled(&result);
        refuses(&result, id, 0, InvalidTransaction::BadProof, Error::NotTheReport);
    });
}

#[test]
fn a_report_of_another_kind_is_none() {
    on_chain(|| {
        // The same bytes as a manifest of a bundle: another tensor.
        let report = Report::truncate_from(vec![ACCEPTED; 3]).encode();
        let header = Header::new(ensemble_tensor::Kind::Bundle, report.len() as u32, 1).unwrap();
        let id = Tensor::new(header, &report).unwrap().id().unwrap();
        let result = RoundResult { manifest: Bundle::encode([(REPORT, id)]).unwrap(), report };
        let id = settled(&result);
        refuses(&result, id, 0, InvalidTransaction::BadProof, Error::NotTheReport);
    });
}

#[test]
fn a_report_is_of_those_who_took_part() {
    on_chain(|| {
        let findings = |count: usize| Report::truncate_from(vec![ACCEPTED; count]).encode();
        let longer = [findings(3), vec![0]].concat();
        for report in [findings(2), findings(4), findings(0), longer, vec![12, 7], vec![1; 30]] {
            let result = RoundResult::new(1, report);
            let id = settled(&result);
            refuses(&result, id, 0, InvalidTransaction::Call, Error::MalformedReport);
            assert_ok!(retire(id));
            next_block();
            System::set_block_number(1);
            crate::NextDue::<Test>::put(1);
        }
    });
}

#[test]
fn who_is_rejected_again_and_again_is_suspended() {
    on_chain(|| {
        let id = new_space(spec());
        admit(id, 1..4);
        let finding = |task| if task == 2 { OUTVOTED } else { ACCEPTED };
        for rejections in 1..MAX_REJECTIONS {
            whole_round(id, finding);
            assert_eq!(member(id, 2).standing, Standing::Counting { rejections });
            // Has another round begin.
            assert_ok!(suspend(id, 3));
            assert_ok!(readmit(id, 3));
        }
        let round = whole_round(id, finding);
        assert_eq!(member(id, 2).standing, Standing::Suspended { since: round });
        assert!(events().contains(&Event::MemberSuspended { space: id, task: 2, report: Some(round) }));
        assert_eq!(space(id).counting, 2);
        assert_eq!(activity(id), Activity::Resting, "it did not contribute before either");
        assert_ok!(readmit(id, 2));
        let round = whole_round(id, finding);
        assert_eq!(member(id, 2).standing, Standing::Counting { rejections: 1 });
        assert_eq!(member(id, 2).last, Some((round, OUTVOTED)));
    });
}

#[test]
fn whose_table_another_has_too_is_not_suspended_for_it() {
    on_chain(|| {
        let id = new_space(spec());
        admit(id, 1..4);
        for (finding, rejections) in [(OUTVOTED, 1), (DUPLICATE, 1), (DUPLICATE, 1), (DUPLICATE, 1), (ACCEPTED, 0)] {
            whole_round(id, |task| if task == 2 { finding } else { ACCEPTED });
            assert_eq!(member(id, 2).standing, Standing::Counting { rejections });
            assert_ok!(suspend(id, 3));
            assert_ok!(readmit(id, 3));
        }
    });
}

#[test]
fn a_duplicate_takes_the_place_of_the_suspended() {
    on_chain(|| {
        let id = new_space(spec());
        admit(id, 1..5);
        let finding = |task| match task {
            2 => OUTVOTED,
            3 => DUPLICATE,
            _ => ACCEPTED,
        };
        for _ in 1..MAX_REJECTIONS {
            whole_round(id, finding);
            assert_eq!(activity(id), Activity::Resting);
            assert_ok!(suspend(id, 4));
            assert_ok!(readmit(id, 4));
        }
        whole_round(id, finding);
        assert!(!member(id, 2).standing.counts());
        assert!(matches!(activity(id), Activity::Due(_)), "the next round has what this one left out");
    });
}

#[test]
fn who_is_accepted_once_begins_anew() {
    on_chain(|| {
        let id = new_space(spec());
        admit(id, 1..4);
        for turn in 0..3 * MAX_REJECTIONS {
            let accepted = turn % MAX_REJECTIONS == MAX_REJECTIONS - 1;
            whole_round(id, |task| if task == 2 && !accepted { OUTVOTED } else { ACCEPTED });
            assert!(member(id, 2).standing.counts());
            assert_ok!(suspend(id, 3));
            assert_ok!(readmit(id, 3));
        }
        assert_eq!(member(id, 2).standing, Standing::FRESH);
    });
}

#[test]
fn a_round_that_is_not_reported_does_not_count() {
    on_chain(|| {
        let id = new_space(spec());
        admit(id, 1..4);
        for _ in 0..2 * MAX_REJECTIONS {
            run_to_round(id);
            settle(id, &RoundResult::of(&[OUTVOTED; 3]));
            assert_ok!(suspend(id, 3));
            assert_ok!(readmit(id, 3));
        }
        assert_eq!((member(id, 1).standing, member(id, 1).last), (Standing::FRESH, None));
    });
}

#[test]
fn who_left_or_was_suspended_meanwhile_stays_so() {
    on_chain(|| {
        let result = RoundResult::of(&[OUTVOTED; 3]);
        let id = settled(&result);
        assert_ok!(suspend(id, 1));
        assert_ok!(suspend(id, 2));
        admit(id, [7, 8]);
        assert_eq!(tasks_of(id), [2, 3, 7, 8], "the first made room");
        result.submit(id, 0);
        assert_eq!(member(id, 2).standing, Standing::Suspended { since: 1 });
        assert_eq!(member(id, 2).last, Some((0, OUTVOTED)));
        assert_eq!(member(id, 3).standing, Standing::Counting { rejections: 1 });
        assert_eq!((member(id, 7).standing, member(id, 7).last), (Standing::FRESH, None));
    });
}

#[test]
fn a_report_that_leaves_too_few_puts_the_next_round_off() {
    on_chain(|| {
        let id = new_space(SpaceSpec { capacity: 6, quorum: 4, ..spec() });
        admit(id, 1..5);
        for newcomer in [5, 6] {
            whole_round(id, |_| OUTVOTED);
            admit(id, [newcomer]);
        }
        run_to_round(id);
        let result = RoundResult::of(&[OUTVOTED; 6]);
        let round = settle(id, &result);
        assert_ok!(suspend(id, 6));
        assert_ok!(readmit(id, 6));
        assert!(matches!(activity(id), Activity::Due(_)));
        result.submit(id, round);
        assert_eq!((space(id).counting, activity(id)), (2, Activity::Resting));
        next_block();
    });
}

/// The example of docs/numerics.md.
#[test]
fn a_report_is_encoded_in_one_way() {
    let report = Report::truncate_from(vec![ACCEPTED, OUTVOTED]).encode();
    let [accepted, outvoted] = [vec![0, 5, 0, 0, 0, 0, 0, 0, 0], vec![1, 5, 0xf4, 1, 0, 0, 0, 0, 0, 0]];
    assert_eq!(report, [vec![8], accepted, outvoted].concat());
    let reasons = [
        Rejection::WrongShape,
        Rejection::AllZero,
        Rejection::Saturated,
        Rejection::IllConditioned,
        Rejection::Duplicate,
        Rejection::Outvoted,
        Rejection::RowTooLong,
    ];
    assert_eq!(reasons.map(|reason| reason.encode()), [[0], [1], [2], [3], [4], [5], [6]]);
}

#[test]
fn a_report_fits() {
    let worst = Finding { rejection: Some(Rejection::Outvoted), distance: u64::MAX };
    let report = Report::truncate_from(vec![worst; MOST as usize]).encode();
    assert_eq!((report.len(), Report::max_encoded_len()), (MAX_REPORT_BYTES as usize, MAX_REPORT_BYTES as usize));
    // As many names as there can be, each as long as can be.
    let names: Vec<_> = (0..8).map(|name| name.to_string().repeat(63)).collect();
    let names = names.iter().map(String::as_str).chain([STATE, REPORT]);
    let manifest = Bundle::encode(names.map(|name| (name, TensorId::default()))).unwrap();
    assert!(manifest.len() <= ensemble_core::spaces::MAX_MANIFEST_BYTES as usize);
}

proptest! {
    /// A report is charged for at least as many findings as it has.
    #[test]
    fn reports_are_charged_by_their_length(rejected in prop::collection::vec(any::<bool>(), 0..=MOST as usize)) {
        let findings = rejected.iter().map(|rejected| if *rejected { OUTVOTED } else { ACCEPTED });
        let report = Report::truncate_from(findings.collect());
        let charged = findings_in(report.encode().len()) as usize;
        prop_assert!(charged >= report.len() && charged <= MOST as usize);
        prop_assert!(charged <= report.len() + report.len() / 9 + 1);
    }

    /// Whatever is submitted, nothing but the report comes in.
    #[test]
    fn no_other_bytes_come_in(at in any::<prop::sample::Index>(), bit in 0u32..8, in_report: bool) {
        new_chain().execute_with(|| {
            let result = RoundResult::of(&[ACCEPTED, OUTVOTED, ACCEPTED]);
            let id = settled(&result);
            let mut other = result.clone();
            let bytes = if in_report { &mut other.report } else { &mut other.manifest };
            let at = at.index(bytes.len());
            bytes[at] ^= 1 << bit;
            assert!(other.authorize(id, 0).is_err());
            assert!(other.dispatch(id, 0).is_err());
            result.submit(id, 0);
        });
    }
}

#[test]
fn void_rounds_have_no_report() {
    on_chain(|| {
        let id = new_space(spec());
        admit(id, 1..3);
        run_to(4);
        end(id, VoteEnd::Void(VoteVoid::NoMajority));
        refuses(&RoundResult::of(&[ACCEPTED; 2]), id, 0, InvalidTransaction::Stale, Error::NoReportDue);
    });
}
