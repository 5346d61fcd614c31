//! Drawing attesters and what they say.

use ensemble_core::attester::AttesterId;
use frame_support::{assert_noop, assert_ok, pallet_prelude::*, traits::Authorize};
use sp_application_crypto::RuntimeAppPublic;

use crate::{mock::*, Attestation, Attestations, Attesters, Call, Error, Event, Outcome, VoidReason};

/// A task in the second block of its attest phase.
fn attesting() -> u32 {
    let id = NewTask::default().id();
    contribute(id, &[(ALICE, 1), (BOB, 1)]);
    next_block();
    id
}

fn by(attester: AttesterId, task: u32) -> Attestation {
    Attestation { task, content: tensor(1).id(), attester }
}

fn refused(invalid: InvalidTransaction) -> Result<(), AttestError> {
    Err(AttestError::Refused(invalid.into()))
}

#[test]
fn all_attest_where_they_are_few() {
    ExtBuilder::default().attesters(2).build_and_execute(|| {
        let id = attesting();
        let panel = Attestations::<Test>::get(id).unwrap();
        assert_eq!(panel.content, tensor(1).id());
        assert_eq!((panel.seats.len(), panel.given(), panel.needed()), (2, 0, 2));
        let started = Event::AttestStarted { task: id, content: tensor(1).id(), attesters: 2, until: 17 };
        assert_eq!(last_event(), started);
    });
}

#[test]
fn a_panel_is_drawn_where_there_are_many() {
    ExtBuilder::default().attesters(8).build_and_execute(|| {
        let keys = Attesters::<Test>::get();
        let mut chosen = std::collections::BTreeMap::<_, u32>::new();
        for seed in 0..200 {
            Seed::set(seed);
            Tasks::mix_entropy();
            let panel = Tasks::draw_panel(0, tensor(1).id()).unwrap();
            let mut drawn: Vec<_> = panel.seats.iter().map(|seat| seat.attester.clone()).collect();
            drawn.sort();
            drawn.dedup();
            assert_eq!(drawn.len(), 3, "nobody sits twice");
            assert!(drawn.iter().all(|key| keys.contains(key)));
            drawn.into_iter().for_each(|key| *chosen.entry(key).or_default() += 1);
        }
        // Each is expected 75 times, with a standard deviation of 7.
        assert_eq!(chosen.len(), 8);
        assert!(chosen.values().all(|times| (40..110).contains(times)), "{chosen:?}");
    });
}

#[test]
fn the_draw_does_not_depend_on_the_content() {
    ExtBuilder::default().attesters(8).build_and_execute(|| {
        let seats = |task, content| Tasks::draw_panel(task, content).unwrap().seats;
        assert_eq!(seats(0, tensor(1).id()), seats(0, tensor(2).id()));
        assert_ne!(seats(0, tensor(1).id()), seats(1, tensor(1).id()));
    });
}

/// The panel of a task that is created in block 1, revealed until block 11 and drawn for after that. Only in block
/// `differing`, if in any, the randomness is another.
fn panel_where(differing: Option<BlockNumber>) -> Vec<AttesterId> {
    let mut panel = Vec::new();
    ExtBuilder::default().attesters(0).build_and_execute(|| {
        let keys = (1..=8).map(|key| sp_core::sr25519::Public::from_raw([key; 32]).into());
        Attesters::<Test>::put(BoundedVec::truncate_from(keys.collect()));
        let id = NewTask::default().id();
        for who in [ALICE, BOB] {
            assert_ok!(commit(who, id, &tensor(1), BOND));
        }
        while !Attestations::<Test>::contains_key(id) {
            let next = System::block_number() + 1;
            Seed::set(u8::from(differing == Some(next)));
            next_block();
            if next == 7 {
                assert_ok!(reveal(ALICE, id, &tensor(1)));
                assert_ok!(reveal(BOB, id, &tensor(1)));
            }
        }
        panel = drawn(id);
    });
    panel
}

#[test]
fn every_block_up_to_the_draw_has_its_part_in_it() {
    let panel = panel_where(None);
    assert_eq!(panel_where(None), panel);
    // The draw is at the end of block 16, four blocks after it would be without delay.
    let without_influence: Vec<_> = (2..20).filter(|block| panel_where(Some(*block)) == panel).collect();
    assert_eq!(without_influence, [17, 18, 19]);
}

#[test]
fn a_panel_is_drawn_some_blocks_after_the_last_reveal() {
    ExtBuilder::default().attesters(8).build_and_execute(|| {
        let id = NewTask::default().id();
        contribute(id, &[(ALICE, 1), (BOB, 1)]);
        for block in 12..12 + DRAW_DELAY {
            assert_eq!(System::block_number(), block);
            next_block();
            assert!(matches!(task(id).state, crate::State::Open { .. }));
            let advanced = Tasks::advance(RuntimeOrigin::signed(DAVE), id);
            if block < 11 + DRAW_DELAY {
                assert_eq!(advanced.unwrap_err().error, Error::<Test>::NothingDue.into());
                assert_noop!(reveal(ALICE, id, &tensor(1)), Error::<Test>::NotRevealing);
            }
        }
        // Now it is due, and was done when asked for.
        assert_eq!(drawn(id).len(), 3);
        assert_eq!(task(id).attest_until(), 12 + DRAW_DELAY + 5);
    });
}

#[test]
fn nothing_that_is_void_waits_for_a_draw() {
    ExtBuilder::default().attesters(8).build_and_execute(|| {
        let id = NewTask { quorum: 3, ..Default::default() }.id();
        contribute(id, &[(ALICE, 1), (BOB, 1)]);
        next_block();
        assert_eq!(void(id), Some(VoidReason::QuorumMissed));
        assert_all_settled();
    });
}

#[test]
fn two_thirds_decide_at_once() {
    ExtBuilder::default().build_and_execute(|| {
        let id = attesting();
        let drawn = drawn(id);
        assert_eq!(attest(by(drawn[0].clone(), id)), Ok(()));
        let said = Event::Attested { task: id, content: tensor(1).id(), attester: drawn[0].clone() };
        assert_eq!(last_event(), said);
        assert!(Attestations::<Test>::contains_key(id));
        assert_eq!(attest(by(drawn[1].clone(), id)), Ok(()));
        assert!(matches!(outcome(id), Outcome::Won(leader) if leader.descriptor == tensor(1)));
        assert!(!Attestations::<Test>::contains_key(id));
        assert_eq!(attest(by(drawn[2].clone(), id)), refused(InvalidTransaction::Stale));
        next_block();
        assert_all_settled();
    });
}

#[test]
fn counts_once_per_key() {
    ExtBuilder::default().build_and_execute(|| {
        let id = attesting();
        let attestation = by(drawn(id)[0].clone(), id);
        assert_eq!(attest(attestation.clone()), Ok(()));
        assert_eq!(attest(attestation.clone()), refused(InvalidTransaction::Stale));
        let dispatched =
            Tasks::attest(frame_system::RawOrigin::Authorized.into(), attestation.clone(), sign(&attestation));
        assert_noop!(dispatched, Error::<Test>::AlreadyAttested);
    });
}

#[test]
fn is_refused_from_whoever_was_not_drawn() {
    ExtBuilder::default().build_and_execute(|| {
        let id = attesting();
        let stranger = AttesterId::generate_pair(None);
        assert_eq!(attest(by(stranger, id)), refused(InvalidTransaction::BadSigner));
    });
}

#[test]
fn is_refused_for_other_content_and_other_tasks() {
    ExtBuilder::default().build_and_execute(|| {
        let id = attesting();
        let key = drawn(id)[0].clone();
        let other = Attestation { content: tensor(2).id(), ..by(key.clone(), id) };
        assert_eq!(attest(other), refused(InvalidTransaction::Call));
        assert_eq!(attest(by(key.clone(), id + 1)), refused(InvalidTransaction::Stale));
        let open = NewTask::default().id();
        assert_eq!(attest(by(key, open)), refused(InvalidTransaction::Stale));
    });
}

#[test]
fn the_signature_must_be_the_keys_over_this_and_nothing_else() {
    ExtBuilder::default().build_and_execute(|| {
        let id = attesting();
        let drawn = drawn(id);
        let attestation = by(drawn[0].clone(), id);
        let forged = |signature| attest_signed(attestation.clone(), signature);
        let bad = || refused(InvalidTransaction::BadProof);
        assert_eq!(forged(drawn[1].sign(&attestation.signed_bytes(&System::block_hash(0))).unwrap()), bad());
        assert_eq!(forged(drawn[0].sign(&attestation.encode()).unwrap()), bad());
        let other_chain = attestation.signed_bytes(&sp_core::H256::repeat_byte(9));
        assert_eq!(forged(drawn[0].sign(&other_chain).unwrap()), bad());
        assert_eq!(forged(sign(&by(drawn[0].clone(), id + 1))), bad());
        assert_eq!(forged(sign(&attestation)), Ok(()));
    });
}

#[test]
fn is_let_in_only_by_authorisation() {
    ExtBuilder::default().build_and_execute(|| {
        let id = attesting();
        let attestation = by(drawn(id)[0].clone(), id);
        for origin in [RuntimeOrigin::signed(ALICE), RuntimeOrigin::none(), RuntimeOrigin::root()] {
            let called = Tasks::attest(origin, attestation.clone(), sign(&attestation));
            assert_noop!(called, DispatchError::BadOrigin);
        }
    });
}

#[test]
fn is_valid_until_the_phase_ends_and_tagged_by_task_and_key() {
    ExtBuilder::default().build_and_execute(|| {
        let id = attesting();
        let validity = |attester: AttesterId| {
            let attestation = by(attester, id);
            let call = RuntimeCall::from(Call::<Test>::attest { signature: sign(&attestation), attestation });
            call.authorize(TransactionSource::Local).unwrap().unwrap().0
        };
        let (first, second) = (validity(drawn(id)[0].clone()), validity(drawn(id)[1].clone()));
        // Blocks 13 to 17.
        assert_eq!((first.longevity, first.priority, first.propagate), (5, 1_000, true));
        assert!(first.requires.is_empty());
        assert_eq!(first.provides.len(), 1);
        assert_ne!(first.provides, second.provides);
    });
}

#[test]
fn comes_in_time_or_not_at_all() {
    ExtBuilder::default().build_and_execute(|| {
        let id = attesting();
        let drawn = drawn(id);
        run_to(17);
        assert_eq!(attest(by(drawn[0].clone(), id)), Ok(()));
        run_to(18);
        assert_eq!(attest(by(drawn[1].clone(), id)), refused(InvalidTransaction::Stale));
        run_to(19);
        assert_eq!(void(id), Some(VoidReason::Unattested { content: tensor(1).id() }));
    });
}

#[test]
fn a_third_of_the_panel_shows_that_the_content_was_served() {
    use crate::{Panel, Seat};
    let key = AttesterId::from(sp_core::sr25519::Public::from_raw([1; 32]));
    let served = |drawn: usize, given: usize| {
        let seats: Vec<_> = (0..drawn).map(|at| Seat { attester: key.clone(), attested: at < given }).collect();
        Panel::<ConstU32<16>> { content: tensor(1).id(), seats: seats.try_into().unwrap() }.was_served()
    };
    for (drawn, third) in [(1, 1), (2, 1), (3, 1), (4, 2), (5, 2), (6, 2), (7, 3), (16, 6)] {
        assert!(!served(drawn, third - 1) && served(drawn, third), "{third} of {drawn}");
    }
}

#[test]
fn a_session_change_leaves_a_panel_as_it_is() {
    ExtBuilder::default().build_and_execute(|| {
        let id = attesting();
        let before = drawn(id);
        set_attesters(3);
        assert_eq!(drawn(id), before);
        assert_eq!(attest(by(before[0].clone(), id)), Ok(()));
        assert_eq!(attest(by(Attesters::<Test>::get()[0].clone(), id)), refused(InvalidTransaction::BadSigner));
    });
}

#[test]
fn attesters_beyond_the_limit_are_left_out() {
    ExtBuilder::default().build_and_execute(|| {
        let keys = set_attesters(12);
        assert_eq!(Attesters::<Test>::get().into_inner(), keys[..8]);
    });
}

#[test]
fn without_attesters_the_task_is_void_and_nobody_pays() {
    ExtBuilder::default().attesters(0).build_and_execute(|| {
        let id = NewTask::default().id();
        contribute(id, &[(ALICE, 1), (BOB, 1)]);
        next_block();
        assert_eq!(void(id), Some(VoidReason::NoAttesters));
        assert!(ACCOUNTS.iter().all(|who| free(*who) == ENDOWMENT));
        assert_all_settled();
    });
}

#[test]
fn a_full_chain_shortens_nobodys_time() {
    ExtBuilder::default().build_and_execute(|| {
        let id = NewTask::default().id();
        contribute(id, &[(ALICE, 1), (BOB, 1)]);
        for _ in 0..20 {
            next_block_with(Weight::zero());
        }
        next_block();
        assert_eq!(task(id).attest_until(), System::block_number() - 1 + 5);
        assert_ok!(Tasks::do_attest(by(drawn(id)[0].clone(), id)));
    });
}
