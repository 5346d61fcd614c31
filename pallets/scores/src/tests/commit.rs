//! Commitments.

use ensemble_core::epochs::EpochPhase::Reveal;
use frame_support::{assert_noop, assert_ok};
use sp_core::H256;
use sp_runtime::DispatchError;

use crate::{mock::*, Error, Event, Lists};

#[test]
fn are_kept_until_they_are_revealed() {
    on_chain(|| {
        assert_ok!(commit(ANN, 0, &[]));
        assert_ok!(commit(ANN, 2, &[(11, 50)]));
        assert_ok!(commit(BEN, 2, &[(11, 50)]));
        let hash = Scores::seal(&sealed(BEN, 2, &[(11, 50)]));
        assert_eq!(last_event(), Event::Committed { epoch: 0, validator: BEN, batch: 2, hash });
        let batches: Vec<_> = work(0, ANN).sealed.iter().map(|sealed| sealed.batch).collect();
        assert_eq!(batches, [0, 2]);
        assert_eq!(Lists::<Test>::get(0).workers, 2, "each validator is listed once");
    });
}

#[test]
fn differ_between_validators_that_say_the_same() {
    on_chain(|| {
        let mut copied = sealed(ANN, 0, &[(11, 50)]);
        let hash = Scores::seal(&copied);
        copied.validator = BEN;
        assert_ne!(Scores::seal(&copied), hash);
    });
}

#[test]
fn what_is_refused() {
    on_chain(|| {
        let commit_as = |who, module, batch| Scores::commit(RuntimeOrigin::signed(who), module, batch, H256::zero());
        assert_noop!(commit_as(owner_of(ANN), 99, 0), Error::<Test>::UnknownModule);
        assert_noop!(commit_as(owner_of(BEN), ANN, 0), Error::<Test>::NotOwner);
        assert_noop!(commit_as(owner_of(11), 11, 0), Error::<Test>::NotActive);
        assert_noop!(commit_as(owner_of(ANN), ANN, MAX_BATCHES), Error::<Test>::NoSuchBatch);
        assert_noop!(Scores::commit(RuntimeOrigin::root(), ANN, 0, H256::zero()), DispatchError::BadOrigin);
        assert_noop!(commit_as(owner_of(ANN), ANN, 0), Error::<Test>::NotDrawn);
        assert_ok!(commit(ANN, 0, &[]));
        assert_noop!(commit(ANN, 0, &[(11, 1)]), Error::<Test>::AlreadyCommitted);
        leave(BEN);
        assert_noop!(commit(BEN, 0, &[]), Error::<Test>::NotActive);
        to_reveal();
        assert_noop!(commit(ANN, 1, &[]), Error::<Test>::NotCommitPhase);
    });
}

#[test]
fn may_be_as_many_as_there_are_batches() {
    on_chain(|| {
        for batch in (0..MAX_BATCHES).rev() {
            assert_ok!(commit(ANN, batch, &[]));
        }
        enter(1, Reveal);
        assert_noop!(commit(ANN, 0, &[]), Error::<Test>::NotCommitPhase);
    });
}
