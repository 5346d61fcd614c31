//! What an account has in pools in all, and who hears when it comes out.

use ensemble_core::ModuleId;
use frame_support::{assert_noop, assert_ok, dispatch::GetDispatchInfo};

use crate::{mock::*, Balance, Call, Error, MAX_COUNTED};

fn owned(who: AccountId) -> Balance {
    Stake::owned_by(&who)
}

#[test]
fn stake_moves_and_unbonding_count_until_they_are_withdrawn() {
    on_chain(|| {
        assert_eq!(owned(ALICE), 0);
        assert_ok!(stake(ALICE, ONE, 1_000));
        assert_ok!(stake(BOB, ONE, 7_000));
        assert_ok!(move_stake(ALICE, ONE, TWO, 300));
        assert_ok!(unstake(ALICE, ONE, 400));
        assert_eq!(owned(ALICE), 1_000);
        assert_eq!(owned(BOB), 7_000);
        skip(UNBONDING);
        assert_eq!(owned(ALICE), 1_000);
        assert_ok!(withdraw(ALICE, ONE));
        assert_eq!(owned(ALICE), 600);
    });
}

#[test]
fn rewards_and_slashes_count_at_once() {
    on_chain(|| {
        assert_ok!(stake(ALICE, ONE, 1_000));
        assert_ok!(move_stake(ALICE, ONE, TWO, 400));
        assert_ok!(reward(BOB, ONE, 60));
        assert_eq!(owned(ALICE), 1_060);
        // Of what was moved away a slash takes its part too, though nobody has settled the move yet.
        assert_ok!(slash(ONE, 50));
        assert_about(owned(ALICE), 330 + 200);
    });
}

#[test]
fn so_many_modules_count_and_no_more() {
    on_chain(|| {
        let modules = 100..100 + MAX_COUNTED as ModuleId + 4;
        Owners::mutate(|owners| owners.extend(modules.clone().map(|module| (module, OWNER))));
        for module in modules {
            assert_ok!(stake(ALICE, module, 1_000));
        }
        assert_eq!(owned(ALICE), MAX_COUNTED as Balance * 1_000);
    });
}

#[test]
fn a_withdrawal_is_told_when_the_money_is_out() {
    on_chain(|| {
        assert_ok!(stake(ALICE, ONE, 1_000));
        assert_ok!(unstake(ALICE, ONE, 400));
        assert_noop!(withdraw(ALICE, ONE), Error::<Test>::NothingDue);
        skip(UNBONDING);
        assert_ok!(withdraw(ALICE, ONE));
        assert_eq!(Told::take(), [(ALICE, 600, ENDOWMENT - 600)]);
    });
}

#[test]
fn a_withdrawal_weighs_what_hearing_of_it_does() {
    let call = Call::<Test>::withdraw { who: ALICE, module: ONE };
    assert_eq!(call.get_dispatch_info().call_weight, LISTENING);
}
