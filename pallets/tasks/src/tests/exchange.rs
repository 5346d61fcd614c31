//! What tasks tell the exchange, and what it may ask of them.

use ensemble_core::{
    exchange::{Audience, Contributions as _, Won},
    AssetId,
};
use ensemble_tensor::TensorId;
use frame_support::assert_ok;

use crate::{mock::*, Contributions};

const RESTRICTED: Audience = Audience::Restricted { exchanged: true };

/// Two of three win a restricted task.
fn restricted() -> u32 {
    let id = NewTask { quorum: 2, audience: RESTRICTED, ..Default::default() }.id();
    contribute(id, &[(ALICE, 1), (BOB, 1), (CHARLIE, 2)]);
    id
}

#[test]
fn it_is_told_of_every_winner_and_then_of_the_contribution() {
    ExtBuilder::default().build_and_execute(|| {
        let id = restricted();
        assert_eq!(task(id).audience(), RESTRICTED);
        attest_all(id);
        assert_eq!(ToldSoFar::get(), []);
        next_block();
        let mut told = ToldSoFar::get();
        assert_eq!(told.pop(), Some(Told::Contribution(id, CREATOR, RESTRICTED)));
        told.sort_by_key(|told| matches!(told, Told::Winner(_, BOB, _)));
        assert_eq!(told, [Told::Winner(id, ALICE, RESTRICTED), Told::Winner(id, BOB, RESTRICTED)]);
        assert_eq!(Contributions::<Test>::get(id).unwrap().audience, RESTRICTED);
    });
}

#[test]
fn it_is_told_of_nobody_when_nothing_won() {
    ExtBuilder::default().build_and_execute(|| {
        let id = NewTask { quorum: 2, audience: RESTRICTED, ..Default::default() }.id();
        contribute(id, &[(ALICE, 1), (BOB, 2)]);
        next_block();
        next_block();
        assert!(void(id).is_some());
        assert_eq!(ToldSoFar::get(), []);
        assert_eq!(Tasks::won(id), None);
    });
}

#[test]
fn what_won_is_known_from_the_decision_on() {
    ExtBuilder::default().build_and_execute(|| {
        let id = restricted();
        next_block();
        assert_eq!(Tasks::won(id), None);
        let content = tensor(1).id();
        for attester in drawn(id) {
            assert!(Tasks::attests(id, content, &attester));
            assert!(!Tasks::attests(id, tensor(2).id(), &attester));
            assert!(!Tasks::attests(id + 1, content, &attester));
        }
        let attesters = drawn(id);
        for attester in &attesters[..2] {
            assert_eq!(attest(crate::Attestation { task: id, content, attester: attester.clone() }), Ok(()));
        }
        assert_eq!(Tasks::won(id), Some(Won { content, audience: RESTRICTED }));
        assert!(!Tasks::attests(id, content, &attesters[2]), "the panel has decided");
        next_block();
        assert_eq!(Tasks::won(id), Some(Won { content, audience: RESTRICTED }));
        assert_eq!(Tasks::won(id + 1), None);
        assert_ne!(content, TensorId::default());
    });
}

#[test]
fn who_owns_shares_is_known_now() {
    ExtBuilder::default().build_and_execute(|| {
        let id = restricted();
        attest_all(id);
        next_block();
        let owns = |who| Tasks::owns_shares(id, &who);
        assert_eq!([owns(ALICE), owns(BOB), owns(CHARLIE), owns(DAVE)], [true, true, false, false]);
        let all = shares(id, ALICE);
        assert_ok!(Assets::transfer(RuntimeOrigin::signed(ALICE), AssetId::Shares(id), DAVE, all));
        assert_eq!([owns(ALICE), owns(DAVE)], [false, true]);
        assert!(!Tasks::owns_shares(id + 1, &BOB));
    });
}
