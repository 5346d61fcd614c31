//! Votes, of validators on rounds and of workers on traces, and what is heard of them.

use ensemble_core::{
    inference::MAX_REPLICAS,
    tasks::{Content, Phase, PurposeView},
    votes::{Failure, Sort, Turn, VoteEnd, VoteVoid, Voters, Votes, Voting},
    AttesterId,
};
use ensemble_tensor::{Header, Kind};
use frame_support::{
    assert_noop,
    pallet_prelude::{InvalidTransaction, TransactionSource, ValidTransaction},
    traits::{fungibles::Inspect as _, Authorize},
    weights::Weight,
};
use proptest::prelude::*;
use sp_runtime::{traits::Dispatchable, transaction_validity::TransactionValidityError};

use crate::{
    mock::*, Ballot, Ballots, Call, Contributions, Error, Event, NextTaskId, OpenVotes, Outcome, State, Step,
    VoidReason, VoteCounts,
};

fn refused(invalid: InvalidTransaction) -> Result<(), AttestError> {
    Err(AttestError::Refused(invalid.into()))
}

fn authorize(call: &RuntimeCall) -> Result<ValidTransaction, TransactionValidityError> {
    call.authorize(TransactionSource::External).unwrap().map(|(valid, _)| valid)
}

/// How the vote with this number ended, each time that this was told.
fn told(id: u32) -> Vec<VoteEnd> {
    let told = ToldSoFar::get().into_iter();
    told.filter_map(|told| match told {
        Told::Ended(matter, end) if matter == round(id) || matter == trace(id) => Some(end),
        _ => None,
    })
    .collect()
}

/// Who left the vote with this number, and how it failed, in the order of their keys.
fn left(id: u32) -> Vec<(AttesterId, Option<Failure>)> {
    let told = ToldSoFar::get().into_iter();
    let left = told.filter_map(|told| match told {
        Told::Left(matter, voter, failure) if matter == round(id) || matter == trace(id) => Some((voter, failure)),
        _ => None,
    });
    let mut left: Vec<_> = left.collect();
    left.sort_by(|a, b| a.0.cmp(&b.0));
    left
}

fn failures(id: u32) -> Vec<(AttesterId, Failure)> {
    let failed = events().into_iter().filter_map(|event| match event {
        Event::VoterFailed { task, voter, failure } if task == id => Some((voter, failure)),
        _ => None,
    });
    let mut failed: Vec<_> = failed.collect();
    failed.sort_by(|a, b| a.0.cmp(&b.0));
    failed
}

#[test]
fn a_round_is_agreed_on_attested_and_told_of_once() {
    ExtBuilder::default().build_and_execute(|| {
        let id = open_vote().unwrap();
        let opened = Event::VoteOpened { task: id, matter: round(id), voters: 3, commit_until: 6, reveal_until: 11 };
        assert_eq!(last_event(), opened);
        let voters = voters(id);
        vote(id, &[Some(1), Some(1), Some(1)]);
        for voter in &voters {
            assert!(events().contains(&Event::VoteCommitted { task: id, voter: voter.clone() }));
            let content = tensor(1).id();
            assert!(events().contains(&Event::VoteRevealed { task: id, voter: voter.clone(), content }));
        }
        assert_eq!(told(id), []);
        attest_all(id);
        assert!(matches!(outcome(id), Outcome::Won(leader) if leader.backers == 3 && leader.weight == 3));
        next_block();
        assert_eq!(told(id), [VoteEnd::Settled(tensor(1).id())]);
        assert_eq!(failures(id), []);
        assert_eq!(last_event(), Event::VoteClosed { task: id, matter: round(id) });
        run_to(60);
        assert_eq!(told(id).len(), 1);
        assert_all_settled();
        assert_eq!(OpenVotes::<Test>::get(), VoteCounts::default());
    });
}

#[test]
fn it_leaves_no_shares_no_contribution_and_moves_no_money() {
    ExtBuilder::default().build_and_execute(|| {
        let issued = Balances::total_issuance();
        let id = open_vote().unwrap();
        vote(id, &[Some(1), Some(1), Some(2)]);
        attest_all(id);
        next_block();
        assert_eq!(ToldSoFar::get().len(), 4, "three leave, the vote ends, and the exchange hears nothing");
        assert!(Contributions::<Test>::get(id).is_none());
        assert!(!Assets::asset_exists(ensemble_core::AssetId::Shares(id)));
        assert_eq!((Balances::total_issuance(), SlashedSoFar::get()), (issued, 0));
    });
}

#[test]
fn more_than_half_of_all_that_may_vote_must_agree() {
    // Two of four agree, and nobody says otherwise.
    for (numbers, end) in [
        ([Some(1), Some(1), None, None], VoteVoid::QuorumMissed),
        ([Some(1), Some(1), Some(2), None], VoteVoid::NoMajority),
        ([None, None, None, None], VoteVoid::NobodyCame),
    ] {
        ExtBuilder::default().attesters(4).build_and_execute(|| {
            let id = open_vote().unwrap();
            vote(id, &numbers);
            next_block();
            assert_eq!(told(id), [VoteEnd::Void(end)]);
        });
    }
    ExtBuilder::default().attesters(4).build_and_execute(|| {
        let id = open_vote().unwrap();
        vote(id, &[Some(1), Some(1), Some(1), None]);
        next_block();
        assert!(matches!(task(id).state, State::Open { .. }), "a panel is drawn later");
    });
}

#[test]
fn who_failed_is_named() {
    ExtBuilder::default().attesters(5).build_and_execute(|| {
        let id = open_vote().unwrap();
        let voters = voters(id);
        for (voter, number) in voters[..4].iter().zip([1, 1, 1, 2]) {
            assert_eq!(let_in(commit_call(seal(id, voter, &tensor(number)))), Ok(()));
        }
        run_to(7);
        for (voter, number) in [(0, 1), (1, 1), (3, 2)] {
            assert_eq!(let_in(reveal_call(unseal(id, &voters[voter], &tensor(number)))), Ok(()));
        }
        run_to(12);
        next_block();
        // Two of five are no majority, so that nobody was outvoted.
        assert_eq!(told(id), [VoteEnd::Void(VoteVoid::NoMajority)]);
        assert_eq!(failures(id), [(voters[2].clone(), Failure::Silent), (voters[4].clone(), Failure::Absent)]);
    });
    ExtBuilder::default().build_and_execute(|| {
        let id = open_vote().unwrap();
        let voters = voters(id);
        vote(id, &[Some(1), Some(2), Some(1)]);
        attest_all(id);
        next_block();
        assert_eq!(failures(id), [(voters[1].clone(), Failure::Outvoted { content: tensor(2).id() })]);
    });
}

#[test]
fn a_result_that_is_not_attested_is_void() {
    for (given, end) in [(0, VoteVoid::Unavailable), (1, VoteVoid::Unattested)] {
        ExtBuilder::default().build_and_execute(|| {
            let id = open_vote().unwrap();
            vote(id, &[Some(1), Some(1), Some(1)]);
            next_block();
            for attester in drawn(id).into_iter().take(given) {
                assert_eq!(attest(crate::Attestation { task: id, content: tensor(1).id(), attester }), Ok(()));
            }
            run_to(task(id).attest_until() + 2);
            assert_eq!(told(id), [VoteEnd::Void(end)]);
            assert_eq!(failures(id), [], "it is not the voters' fault");
        });
    }
}

#[test]
fn a_round_begins_with_the_validators_of_its_session() {
    ExtBuilder::default().build_and_execute(|| {
        let id = open_vote().unwrap();
        let before = voters(id);
        let fresh = set_attesters(2);
        assert_eq!(voters(id), before);
        assert_eq!(let_in(commit_call(seal(id, &fresh[0], &tensor(1)))), refused(InvalidTransaction::BadSigner));
        assert_eq!(let_in(commit_call(seal(id, &before[0], &tensor(1)))), Ok(()));
    });
}

#[test]
fn a_key_that_stands_twice_in_the_session_votes_once() {
    ExtBuilder::default().build_and_execute(|| {
        crate::Attesters::<Test>::mutate(|keys| keys.try_push(keys[0].clone()).unwrap());
        let id = open_vote().unwrap();
        assert_eq!((voters(id).len(), task(id).max_participants), (3, 3));
    });
}

#[test]
fn what_cannot_begin_leaves_nothing() {
    let open = |content| open(round(0), content, Voters::Session);
    ExtBuilder::default().attesters(0).build_and_execute(|| {
        assert_noop!(open_vote(), Error::<Test>::NoVoters);
    });
    ExtBuilder::default().build_and_execute(|| {
        let large = Content::Bundle { max_bytes: MAX_CONTENT_BYTES + 1 };
        assert_noop!(open(large), Error::<Test>::ContentTooLarge);
        assert_noop!(open(Content::Bytes { max_len: 0 }), Error::<Test>::InvalidContent);
        for _ in 0..MAX_ROUNDS {
            open_vote().unwrap();
        }
        assert_noop!(open_vote(), Error::<Test>::TooManyVotes);
        // They take no place of tasks that somebody pays for.
        for _ in 0..3 {
            NewTask::default().id();
        }
        run_to(14);
        assert_eq!(OpenVotes::<Test>::get(), VoteCounts::default());
        assert!(open_vote().is_ok());
    });
    ExtBuilder::default().build_and_execute(|| {
        NextTaskId::<Test>::put(u32::MAX);
        assert_noop!(open(NewTask::default().content), sp_runtime::ArithmeticError::Overflow);
    });
}

#[test]
fn full_tasks_do_not_keep_rounds_out() {
    ExtBuilder::default().build_and_execute(|| {
        for _ in 0..5 {
            NewTask::default().id();
        }
        assert_noop!(NewTask::default().create(), Error::<Test>::TooManyTasks);
        assert!(open_vote().is_ok());
    });
}

#[test]
fn rounds_neither_keep_tasks_out_nor_make_them_dearer() {
    let deposits = || -> Vec<_> { (0..5).map(|_| order(NewTask::default().id()).deposit).collect() };
    let without = ExtBuilder::default().build().execute_with(deposits);
    ExtBuilder::default().build_and_execute(|| {
        open_vote().unwrap();
        assert_eq!(deposits(), without);
        assert_noop!(NewTask::default().create(), Error::<Test>::TooManyTasks);
    });
}

#[test]
fn a_commitment_counts_once_and_in_its_phase() {
    ExtBuilder::default().build_and_execute(|| {
        let id = open_vote().unwrap();
        let voter = voters(id)[0].clone();
        let call = commit_call(seal(id, &voter, &tensor(1)));
        let valid = authorize(&call).unwrap();
        assert_eq!((valid.priority, valid.longevity, valid.propagate), (1_000, 6, true));
        let another = authorize(&commit_call(seal(id, &voter, &tensor(2)))).unwrap();
        assert_eq!(valid.provides, another.provides, "the pool holds one commitment of a key");
        let other_voter = authorize(&commit_call(seal(id, &voters(id)[1], &tensor(1)))).unwrap();
        assert_ne!(valid.provides, other_voter.provides);

        assert_eq!(let_in(call.clone()), Ok(()));
        assert_eq!(let_in(call.clone()), refused(InvalidTransaction::Stale));
        assert_eq!(let_in(commit_call(seal(id, &voter, &tensor(2)))), refused(InvalidTransaction::Stale));
        run_to(7);
        let late = commit_call(seal(id, &voters(id)[1], &tensor(1)));
        assert_eq!(let_in(late), refused(InvalidTransaction::Stale));
        assert_eq!(let_in(commit_call(seal(id + 1, &voter, &tensor(1)))), refused(InvalidTransaction::Stale));
    });
}

#[test]
fn a_reveal_counts_once_in_its_phase_and_opens_what_was_committed() {
    ExtBuilder::default().build_and_execute(|| {
        let id = open_vote().unwrap();
        let (voter, absent) = (voters(id)[0].clone(), voters(id)[1].clone());
        assert_eq!(let_in(commit_call(seal(id, &voter, &tensor(1)))), Ok(()));
        let call = reveal_call(unseal(id, &voter, &tensor(1)));
        assert_eq!(let_in(call.clone()), refused(InvalidTransaction::Stale));
        run_to(7);
        let valid = authorize(&call).unwrap();
        assert_eq!((valid.priority, valid.longevity, valid.propagate), (1_000, 5, true));
        assert_eq!(let_in(reveal_call(unseal(id, &absent, &tensor(1)))), refused(InvalidTransaction::Call));
        assert_eq!(let_in(reveal_call(unseal(id, &voter, &tensor(2)))), refused(InvalidTransaction::BadProof));
        let other_salt = crate::Opened { salt: [1; 32], ..unseal(id, &voter, &tensor(1)) };
        assert_eq!(let_in(reveal_call(other_salt)), refused(InvalidTransaction::BadProof));
        assert_eq!(let_in(call.clone()), Ok(()));
        assert_eq!(Ballots::<Test>::get(id, &voter), Some(Ballot::Revealed(tensor(1).id())));
        assert_eq!(let_in(call), refused(InvalidTransaction::Stale));
    });
}

#[test]
fn a_reveal_must_be_what_the_round_results_in() {
    ExtBuilder::default().build_and_execute(|| {
        let id = open_vote().unwrap();
        let voter = voters(id)[0].clone();
        let odd = ensemble_core::tasks::Descriptor { header: Header::new(Kind::I16, 4, 9).unwrap(), root: [1; 32] };
        assert_eq!(let_in(commit_call(seal(id, &voter, &odd))), Ok(()));
        run_to(7);
        assert_eq!(let_in(reveal_call(unseal(id, &voter, &odd))), refused(InvalidTransaction::Call));
    });
}

#[test]
fn a_signature_is_good_for_one_key_task_call_and_chain() {
    ExtBuilder::default().build_and_execute(|| {
        let (id, other) = (open_vote().unwrap(), open_vote().unwrap());
        let voter = voters(id)[0].clone();
        let sealed = seal(id, &voter, &tensor(1));
        let with = |sealed: &crate::Sealed, bytes: &[u8]| -> RuntimeCall {
            Call::<Test>::commit_as_attester { sealed: sealed.clone(), signature: signed_by(&voter, bytes) }.into()
        };
        let genesis = System::block_hash(0);
        let bytes = sealed.signed_bytes(&genesis);
        let bad = refused(InvalidTransaction::BadProof);
        // For another task, of another chain, by another key, and for another call.
        let elsewhere = crate::Sealed { task: other, ..sealed.clone() };
        assert_eq!(let_in(with(&elsewhere, &bytes)), bad);
        assert_eq!(let_in(with(&sealed, &sealed.signed_bytes(&sp_core::H256([1; 32])))), bad);
        let foreign = crate::Sealed { voter: voters(id)[1].clone(), ..sealed.clone() };
        assert_eq!(let_in(with(&foreign, &foreign.signed_bytes(&genesis))), bad);
        let attestation = crate::Attestation { task: id, content: tensor(1).id(), attester: voter.clone() };
        assert_eq!(let_in(with(&sealed, &attestation.signed_bytes(&genesis))), bad);
        assert_eq!(let_in(with(&sealed, &bytes)), Ok(()));

        run_to(7);
        let opened = unseal(id, &voter, &tensor(1));
        let reveal: RuntimeCall =
            Call::<Test>::reveal_as_attester { opened, signature: signed_by(&voter, &bytes) }.into();
        assert_eq!(let_in(reveal), bad);
    });
}

#[test]
fn accounts_do_not_vote_and_validators_do_not_commit_to_tasks() {
    ExtBuilder::default().build_and_execute(|| {
        let (vote, id) = (open_vote().unwrap(), NewTask::default().id());
        assert_noop!(commit(ALICE, vote, &tensor(1), BOND), Error::<Test>::ForVoters);
        assert_noop!(reveal(ALICE, vote, &tensor(1)), Error::<Test>::ForVoters);
        assert_noop!(Tasks::cancel(RuntimeOrigin::signed(CREATOR), vote), Error::<Test>::NotCreator);
        let voter = voters(vote)[0].clone();
        assert_eq!(let_in(commit_call(seal(id, &voter, &tensor(1)))), refused(InvalidTransaction::Call));
        assert_eq!(let_in(reveal_call(unseal(id, &voter, &tensor(1)))), refused(InvalidTransaction::Call));
        // Whoever signs such a call as an account pays for a failure.
        let dispatched = commit_call(seal(vote, &voter, &tensor(1))).dispatch(RuntimeOrigin::signed(ALICE));
        assert_eq!(dispatched.unwrap_err().error, sp_runtime::DispatchError::BadOrigin);
    });
}

#[test]
fn validators_are_dismissed_as_far_as_there_is_room() {
    ExtBuilder::default().build_and_execute(|| {
        let id = open_vote().unwrap();
        run_to(12);
        let look = <<Test as crate::Config>::WeightInfo as crate::WeightInfo>::agenda_look();
        next_block_with(look + Tasks::step_weight(Step::CloseReveal));
        // The outcome is told when the last is dismissed, and only if there is room for that as well.
        let one = look + Tasks::step_weight(Step::Dismiss) + Weight::from_parts(17, 1);
        assert_eq!(
            next_block_with(one - Weight::from_parts(1, 0)),
            look,
            "who is told of the voter takes time as well"
        );
        for _ in 0..3 {
            assert_eq!(next_block_with(one), one);
            assert_eq!(told(id), []);
        }
        let conclude = look + Tasks::step_weight(Step::Conclude);
        next_block_with(conclude);
        assert_eq!(told(id), []);
        let all = conclude + Weight::from_parts(13, 1);
        assert_eq!(next_block_with(all), all);
        assert_eq!(told(id), [VoteEnd::Void(VoteVoid::NobodyCame)]);
    });
}

#[test]
fn on_a_full_chain_anybody_may_pay_for_the_end_of_a_round() {
    ExtBuilder::default().build_and_execute(|| {
        let id = open_vote().unwrap();
        while System::block_number() < 12 {
            next_block_with(Weight::zero());
        }
        let advance = || Tasks::advance(RuntimeOrigin::signed(DAVE), id);
        // The call, closing the reveals, telling how the vote ended, and telling of two voters.
        let call = <<Test as crate::Config>::WeightInfo as crate::WeightInfo>::advance(2);
        let telling = Weight::from_parts(13, 1) + Weight::from_parts(17, 1) * 2;
        assert_eq!(advance().unwrap().actual_weight, Some(call + Tasks::step_weight(Step::CloseReveal) + telling));
        assert_eq!(Ballots::<Test>::iter_prefix(id).count(), 1, "two are dismissed by a call");
        assert!(advance().is_ok());
        assert_eq!(told(id), [VoteEnd::Void(VoteVoid::NobodyCame)]);
        assert_eq!(advance().unwrap_err().error, Error::<Test>::TaskOver.into());
    });
}

#[test]
fn a_vote_is_shown_with_its_voters() {
    ExtBuilder::default().build_and_execute(|| {
        let id = open_vote().unwrap();
        let view = Tasks::task_view(id).unwrap();
        let purpose = PurposeView::Vote { matter: round(id), voters: voters(id) };
        assert_eq!((view.purpose, view.phase, view.quorum, view.max_participants), (purpose, Phase::Commit, 2, 3));
        assert_eq!(Tasks::obligations(ALICE, 0, 100), []);
    });
}

#[test]
fn a_worker_learns_whose_turn_it_is_in_the_next_block() {
    ExtBuilder::default().build_and_execute(|| {
        let id = open_vote().unwrap();
        let voters = voters(id);
        let (voter, absent) = (&voters[0], &voters[1]);
        let turn = |voter: &AttesterId| Tasks::turn(id, voter);
        assert_eq!((turn(voter), Tasks::turn(id + 1, voter)), (Some(Turn::Commit), None));
        assert_eq!(turn(&set_attesters(1)[0]), None);
        run_to(5);
        assert_eq!(turn(voter), Some(Turn::Commit));
        assert_eq!(let_in(commit_call(seal(id, voter, &tensor(1)))), Ok(()));
        assert_eq!(turn(voter), Some(Turn::Wait));
        run_to(6);
        assert_eq!((turn(voter), turn(absent)), (Some(Turn::Reveal), Some(Turn::Over)));
        run_to(7);
        assert_eq!(let_in(reveal_call(unseal(id, voter, &tensor(1)))), Ok(()));
        assert_eq!(turn(voter), Some(Turn::Over));
        run_to(30);
        assert_eq!(turn(voter), None);
    });
}

#[test]
fn what_a_worker_sends_is_let_in() {
    use codec::Decode;
    ExtBuilder::default().build_and_execute(|| {
        let id = open_vote().unwrap();
        let voter = &voters(id)[0];
        let take = || Extrinsic::decode(&mut &node().pool.write().transactions.remove(0)[..]).unwrap().function;
        assert!(<Tasks as Voting>::commit(id, voter, tensor(1).id(), &SALT));
        assert_eq!(let_in(take()), Ok(()));
        run_to(7);
        assert!(<Tasks as Voting>::reveal(id, voter, tensor(1), SALT));
        assert_eq!(let_in(take()), Ok(()));
        assert_eq!(Ballots::<Test>::get(id, voter), Some(Ballot::Revealed(tensor(1).id())));
        let stranger = sp_core::sr25519::Public::from_raw([9; 32]).into();
        assert!(!<Tasks as Voting>::commit(id, &stranger, tensor(1).id(), &SALT), "its key is not in the keystore");
    });
}

#[test]
fn the_end_of_a_vote_says_why_there_is_no_result() {
    let content = tensor(1).id();
    for (reason, end) in [
        (VoidReason::NoAttesters, VoteVoid::NoAttesters),
        (VoidReason::Unavailable { content }, VoteVoid::Unavailable),
        (VoidReason::Unattested { content }, VoteVoid::Unattested),
    ] {
        assert_eq!(Outcome::Void(reason).vote_end(), VoteEnd::Void(end));
    }
}

#[test]
fn of_three_replicas_two_agree_and_the_third_is_outvoted() {
    ExtBuilder::default().build_and_execute(|| {
        let workers = workers(3);
        let id = open_trace(&workers).unwrap();
        let opened = Event::VoteOpened { task: id, matter: trace(id), voters: 3, commit_until: 6, reveal_until: 11 };
        assert_eq!(last_event(), opened);
        assert_eq!((voters(id), task(id).quorum), (workers.clone(), 2));
        let view = Tasks::task_view(id).unwrap().purpose;
        assert_eq!(view, PurposeView::Vote { matter: trace(id), voters: workers.clone() });

        vote(id, &[Some(1), Some(2), Some(1)]);
        attest_all(id);
        next_block();
        let outvoted = Failure::Outvoted { content: tensor(2).id() };
        let [a, b, c] = workers.try_into().unwrap();
        assert_eq!(left(id), [(a, None), (b.clone(), Some(outvoted)), (c, None)]);
        assert_eq!(told(id), [VoteEnd::Settled(tensor(1).id())]);
        assert_eq!(ToldSoFar::get().last(), Some(&Told::Ended(trace(id), told(id)[0])), "all leave before the end");
        assert_eq!(failures(id), [(b, outvoted)]);
        assert_eq!(last_event(), Event::VoteClosed { task: id, matter: trace(id) });
        run_to(60);
        assert_eq!((told(id).len(), left(id).len()), (1, 3));
        assert_eq!(OpenVotes::<Test>::get(), VoteCounts::default());
        assert_all_settled();
    });
}

#[test]
fn silence_is_told_whatever_the_outcome_and_nobody_is_outvoted_by_nothing() {
    let leave = |numbers: [Option<u8>; 3]| {
        let mut end = None;
        ExtBuilder::default().build_and_execute(|| {
            let workers = workers(3);
            let id = open_trace(&workers).unwrap();
            // The last does not come. Of the others, who does not reveal has committed.
            for (worker, number) in workers.iter().zip(numbers).take(2) {
                assert_eq!(let_in(commit_call(seal(id, worker, &tensor(number.unwrap_or(1))))), Ok(()));
            }
            run_to(7);
            for (worker, number) in workers.iter().zip(numbers).take(2) {
                let Some(number) = number else { continue };
                assert_eq!(let_in(reveal_call(unseal(id, worker, &tensor(number)))), Ok(()));
            }
            run_to(13);
            if let Some(panel) = crate::Attestations::<Test>::get(id) {
                let content = panel.content;
                for attester in drawn(id).into_iter().take(2) {
                    assert_eq!(attest(crate::Attestation { task: id, content, attester }), Ok(()));
                }
                next_block();
            }
            let failures: Vec<_> = left(id).into_iter().map(|(_, failure)| failure).collect();
            end = Some((failures, told(id)));
        });
        end.unwrap()
    };
    let (silent, absent) = (Some(Failure::Silent), Some(Failure::Absent));
    let void = |reason| vec![VoteEnd::Void(reason)];
    let settled = vec![VoteEnd::Settled(tensor(1).id())];
    assert_eq!(leave([Some(1), Some(1), None]), (vec![None, None, absent], settled));
    assert_eq!(leave([Some(1), Some(2), None]), (vec![None, None, absent], void(VoteVoid::NoMajority)));
    assert_eq!(leave([Some(1), None, None]), (vec![None, silent, absent], void(VoteVoid::QuorumMissed)));
    assert_eq!(leave([None, None, None]), (vec![silent, silent, absent], void(VoteVoid::QuorumMissed)));
}

#[test]
fn only_those_who_are_named_vote() {
    ExtBuilder::default().build_and_execute(|| {
        let validators = crate::Attesters::<Test>::get();
        let workers = workers(1);
        let id = open_trace(&workers).unwrap();
        let stranger = commit_call(seal(id, &validators[0], &tensor(1)));
        assert_eq!(let_in(stranger), refused(InvalidTransaction::BadSigner));
        assert_eq!((Tasks::turn(id, &validators[0]), Tasks::turn(id, &workers[0])), (None, Some(Turn::Commit)));
        // One of one is more than half. That a validator may be named as well is not the vote's to say.
        let both = open_trace(&[workers[0].clone(), validators[0].clone()]).unwrap();
        assert_eq!(let_in(commit_call(seal(both, &validators[0], &tensor(1)))), Ok(()));
        assert_eq!(let_in(commit_call(seal(id, &workers[0], &tensor(1)))), Ok(()));
        run_to(7);
        assert_eq!(let_in(reveal_call(unseal(id, &workers[0], &tensor(1)))), Ok(()));
        run_to(12);
        attest_all(id);
        next_block();
        assert_eq!(told(id), [VoteEnd::Settled(tensor(1).id())]);
    });
}

#[test]
fn voters_are_named_once_and_there_is_at_least_one() {
    ExtBuilder::default().build_and_execute(|| {
        let workers = workers(MAX_REPLICAS);
        let twice = [workers[0].clone(), workers[1].clone(), workers[0].clone()];
        assert_noop!(open_trace(&twice), Error::<Test>::DuplicateVoter);
        assert_noop!(open_trace(&[]), Error::<Test>::NoVoters);
        let id = open_trace(&workers).unwrap();
        assert_eq!((voters(id), task(id).quorum), (workers, 4));
    });
    ExtBuilder::default().attesters(0).build_and_execute(|| {
        assert!(open_trace(&workers(3)).is_ok(), "nobody of the session need be there to vote");
    });
}

#[test]
fn without_validators_nobody_attests_a_trace() {
    ExtBuilder::default().attesters(0).build_and_execute(|| {
        let id = open_trace(&workers(3)).unwrap();
        vote(id, &[Some(1), Some(1), Some(2)]);
        next_block();
        assert_eq!(told(id), [VoteEnd::Void(VoteVoid::NoAttesters)]);
        assert!(left(id).into_iter().all(|(_, failure)| failure.is_none()), "who revealed did what it could");
    });
}

#[test]
fn rounds_and_traces_do_not_keep_each_other_out() {
    ExtBuilder::default().build_and_execute(|| {
        let room = || (Tasks::room(Sort::Round), Tasks::room(Sort::Trace));
        assert_eq!(room(), (MAX_ROUNDS, MAX_TRACES));
        for _ in 0..MAX_TRACES {
            open_trace(&workers(1)).unwrap();
        }
        assert_eq!(room(), (MAX_ROUNDS, 0));
        assert_noop!(open_trace(&workers(1)), Error::<Test>::TooManyVotes);
        for _ in 0..MAX_ROUNDS {
            open_vote().unwrap();
        }
        assert_eq!(room(), (0, 0));
        assert_noop!(open_vote(), Error::<Test>::TooManyVotes);
        assert_eq!(OpenVotes::<Test>::get(), VoteCounts { rounds: MAX_ROUNDS, traces: MAX_TRACES });
        // Nor do they take places of tasks that somebody pays for.
        for _ in 0..5 {
            NewTask::default().id();
        }
        run_to(14);
        assert_eq!(room(), (MAX_ROUNDS, MAX_TRACES));
    });
    ExtBuilder::default().build_and_execute(|| {
        for _ in 0..MAX_ROUNDS {
            open_vote().unwrap();
        }
        assert_noop!(open_vote(), Error::<Test>::TooManyVotes);
        assert!(open_trace(&workers(1)).is_ok());
    });
}

/// What a voter does in a vote.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
enum Part {
    Absent,
    Silent,
    Reveals(u8),
}

fn any_part() -> impl Strategy<Value = Part> {
    prop_oneof![1 => Just(Part::Absent), 1 => Just(Part::Silent), 6 => (1..=3u8).prop_map(Part::Reveals)]
}

/// How a vote ends whose result is attested by all, worked out by counting.
fn expected_end(parts: &[Part]) -> VoteEnd {
    let count = |wanted: &dyn Fn(Part) -> bool| parts.iter().filter(|part| wanted(**part)).count();
    let is_more_than_half = |number: usize| number * 2 > parts.len();
    if count(&|part| part != Part::Absent) == 0 {
        return VoteEnd::Void(VoteVoid::NobodyCame);
    }
    if !is_more_than_half(count(&|part| matches!(part, Part::Reveals(_)))) {
        return VoteEnd::Void(VoteVoid::QuorumMissed);
    }
    let winner = (1..=3).find(|number| is_more_than_half(count(&|part| part == Part::Reveals(*number))));
    winner.map_or(VoteEnd::Void(VoteVoid::NoMajority), |number| VoteEnd::Settled(tensor(number).id()))
}

fn expected_failure(part: Part, end: VoteEnd) -> Option<Failure> {
    match (part, end) {
        (Part::Absent, _) => Some(Failure::Absent),
        (Part::Silent, _) => Some(Failure::Silent),
        (Part::Reveals(number), VoteEnd::Settled(winner)) if tensor(number).id() != winner => {
            Some(Failure::Outvoted { content: tensor(number).id() })
        },
        (Part::Reveals(_), _) => None,
    }
}

fn cast_votes(id: u32, parts: &[(AttesterId, Part)]) {
    for (voter, part) in parts {
        let number = match part {
            Part::Absent => continue,
            Part::Silent => 1,
            Part::Reveals(number) => *number,
        };
        assert_eq!(let_in(commit_call(seal(id, voter, &tensor(number)))), Ok(()));
    }
    run_to(task(id).commit_until + 1);
    for (voter, part) in parts {
        let Part::Reveals(number) = part else { continue };
        assert_eq!(let_in(reveal_call(unseal(id, voter, &tensor(*number)))), Ok(()));
    }
    run_to(task(id).reveal_until + 1);
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    /// Whatever voters do, it is told once how each left and then how the vote ended, and each that failed is named.
    #[test]
    fn the_end_and_the_failures_are_those_of_the_ballots(
        parts in prop::collection::vec(any_part(), 1..=7),
        are_named in any::<bool>(),
    ) {
        let count = u32::try_from(parts.len()).unwrap();
        ExtBuilder::default().attesters(count).build_and_execute(|| {
            let id = if are_named { open_trace(&workers(count)).unwrap() } else { open_vote().unwrap() };
            let matter = if are_named { trace(id) } else { round(id) };
            let parts: Vec<_> = voters(id).into_iter().zip(parts).collect();
            cast_votes(id, &parts);
            for _ in 0..=DRAW_DELAY {
                next_block();
            }
            if crate::Attestations::<Test>::contains_key(id) {
                let content = task(id).leader().unwrap().content;
                for attester in drawn(id) {
                    // The last are not needed any more.
                    let _ = attest(crate::Attestation { task: id, content, attester });
                }
                next_block();
            }
            let end = expected_end(&parts.iter().map(|(_, part)| *part).collect::<Vec<_>>());
            assert_eq!(told(id), [end]);
            let failed = parts.iter().filter_map(|(voter, part)| Some((voter.clone(), expected_failure(*part, end)?)));
            assert_eq!(failures(id), failed.collect::<Vec<_>>());
            let all = parts.iter().map(|(voter, part)| (voter.clone(), expected_failure(*part, end)));
            assert_eq!(left(id), all.collect::<Vec<_>>());
            assert_eq!(ToldSoFar::get().last(), Some(&Told::Ended(matter, end)), "all leave before the end");
            assert_all_settled();
        });
    }
}
