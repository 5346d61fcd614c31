//! Who hears of what is staked. That every change is heard of, and nothing else, the mock checks in all tests.

use frame_support::{assert_noop, assert_ok};

use crate::{mock::*, Error};

/// How often it was heard that the stake on the modules changed.
fn heard() -> [u32; 3] {
    MODULES.map(|module| Changes::heard(module).0)
}

#[test]
fn are_heard_once_each() {
    on_chain(|| {
        assert_ok!(stake(ALICE, ONE, 1_000));
        assert_ok!(stake(BOB, ONE, 1_000));
        assert_eq!(heard(), [2, 0, 0]);
        assert_ok!(unstake(BOB, ONE, 300));
        assert_eq!(heard(), [3, 0, 0]);
        assert_ok!(move_stake(ALICE, ONE, TWO, 500));
        assert_eq!(heard(), [4, 1, 0]);
        assert_ok!(reward(CHARLIE, TWO, 100));
        assert_ok!(reward_credit(TWO, 100));
        assert_eq!(heard(), [4, 3, 0]);
        assert_ok!(slash(ONE, 10));
        assert_eq!((heard(), Changes::heard(ONE).1), ([5, 3, 0], 1_080));
        // What moved away pays its part when it is touched.
        assert_ok!(withdraw(ALICE, TWO));
        assert_eq!((heard(), Changes::heard(TWO).1), ([5, 4, 0], 650));
    });
}

#[test]
fn are_none_where_only_what_unbonds_pays() {
    on_chain(|| {
        assert_ok!(stake(ALICE, ONE, 1_000));
        assert_ok!(unstake(ALICE, ONE, 1_000));
        assert_eq!(heard(), [2, 0, 0]);
        assert_ok!(slash(ONE, 50));
        skip(UNBONDING);
        assert_ok!(withdraw(ALICE, ONE));
        assert_ok!(set_fee(OWNER, ONE, 10));
        remove_module(ONE);
        assert_noop!(stake(ALICE, ONE, 1_000), Error::<Test>::UnknownModule);
        assert_eq!((heard(), Changes::heard(ONE).1), ([2, 0, 0], 0));
    });
}
