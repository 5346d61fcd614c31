//! Slashes.

use ensemble_core::stake::Stake as Ask;
use frame_support::{assert_noop, assert_ok};
use sp_runtime::{DispatchError, Perbill};

use crate::{mock::*, Balance, Error, Event};

#[test]
fn take_the_same_part_of_all() {
    on_chain(|| {
        assert_ok!(stake(ALICE, ONE, 1_000));
        assert_ok!(stake(BOB, ONE, 3_000));
        assert_ok!(unstake(BOB, ONE, 2_000));
        assert_ok!(stake(CHARLIE, TWO, 1_000));
        assert_ok!(slash(ONE, 25));
        let part = Perbill::from_percent(25);
        assert_eq!(last_event(), Event::Slashed { module: ONE, part, staked: 500, unbonding: 500, moved: 0 });
        assert_eq!((staked(ALICE, ONE), staked(BOB, ONE), unbonding(BOB, ONE)), (750, 750, 1_500));
        assert_eq!((staked(CHARLIE, TWO), SlashedSoFar::get()), (1_000, 1_000));
    });
}

#[test]
fn are_shared_by_a_hundred_stakers() {
    on_chain(|| {
        let stakers = || (1_000..1_100u64).map(|who| (who, 1_000 + u128::from(who)));
        for (who, amount) in stakers() {
            newcomer(who, ONE, amount);
            if who % 3 == 0 {
                assert_ok!(unstake(who, ONE, amount / 2));
            }
            if who % 5 == 0 {
                assert_ok!(move_stake(who, ONE, TWO, amount / 4));
            }
        }
        let at_stake: u128 = stakers().map(|(_, amount)| amount).sum();
        assert_eq!(held(), at_stake);
        assert_ok!(slash(ONE, 20));
        let mut left = 0;
        for (who, amount) in stakers() {
            let of_account = staked(who, ONE) + unbonding(who, ONE) + staked(who, TWO);
            assert!(of_account.abs_diff(amount * 4 / 5) <= 3, "{who} has {of_account} left of {amount}");
            left += of_account;
        }
        assert!(left.abs_diff(at_stake * 4 / 5) <= 300);

        skip(UNBONDING);
        for (who, _) in stakers() {
            let _ = withdraw(who, ONE);
            let _ = withdraw(who, TWO);
            for module in [ONE, TWO] {
                let amount = staked(who, module);
                if amount > 0 {
                    assert_ok!(unstake(who, module, amount));
                }
            }
        }
        skip(UNBONDING);
        let mut paid = 0;
        for (who, amount) in stakers() {
            let _ = withdraw(who, ONE);
            let _ = withdraw(who, TWO);
            let (got, exact) = (free(who) - EXISTENTIAL, amount * 4 / 5);
            assert!(got + 4 >= exact, "{who} got {got} of {exact}");
            // Who leaves late also has what rounding took from those before.
            assert!(got <= exact + 4 + 3 * (u128::from(who) - 1_000), "{who} got {got} of {exact}");
            paid += got;
        }
        assert_eq!(paid + SlashedSoFar::get(), at_stake, "nothing is lost");
        assert!(SlashedSoFar::get().abs_diff(at_stake / 5) <= 30, "each of 33 slashes is rounded up");
        assert_nothing_left();
    });
}

#[test]
fn of_everything_leave_a_pool_that_works() {
    on_chain(|| {
        assert_ok!(stake(ALICE, ONE, 1_000));
        assert_ok!(unstake(ALICE, ONE, 500));
        assert_ok!(slash(ONE, 100));
        assert_eq!((staked(ALICE, ONE), unbonding(ALICE, ONE), held()), (0, 0, 0));
        assert_noop!(slash(ONE, 100), Error::<Test>::NobodyStaked);

        assert_ok!(stake(BOB, ONE, 1_000));
        assert_ok!(reward(CHARLIE, ONE, 100));
        assert_eq!((staked(ALICE, ONE), staked(BOB, ONE)), (0, 1_100));
        assert_ok!(unstake(BOB, ONE, 1_100));
        skip(UNBONDING);
        assert_ok!(withdraw(BOB, ONE));
        assert_eq!(free(BOB), ENDOWMENT + 100);
        // The record stays as long as shares that are worth nothing could be mistaken for others.
        assert_ok!(withdraw(ALICE, ONE));
        assert_nothing_left();
    });
}

#[test]
fn take_at_least_a_planck() {
    on_chain(|| {
        assert_ok!(stake(ALICE, ONE, 1_000));
        assert_ok!(Stake::slash(RuntimeOrigin::root(), ONE, Perbill::from_parts(1)));
        assert_eq!(staked(ALICE, ONE), 999);
    });
}

#[test]
fn need_their_origin_and_something_to_slash() {
    on_chain(|| {
        assert_noop!(slash(ONE, 10), Error::<Test>::NobodyStaked);
        assert_ok!(stake(ALICE, ONE, 1_000));
        assert_noop!(slash(ONE, 0), Error::<Test>::ZeroAmount);
        let part = Perbill::from_percent(10);
        assert_noop!(Stake::slash(RuntimeOrigin::signed(OWNER), ONE, part), DispatchError::BadOrigin);
    });
}

#[test]
fn of_other_pallets_say_what_they_took() {
    on_chain(|| {
        let part = Perbill::from_percent(10);
        assert_eq!(<Stake as Ask<AccountId, Balance>>::slash(ONE, part), 0);
        assert_ok!(stake(ALICE, ONE, 1_000));
        assert_ok!(unstake(ALICE, ONE, 300));
        assert_eq!(<Stake as Ask<AccountId, Balance>>::slash(ONE, Perbill::zero()), 0);
        assert_eq!(<Stake as Ask<AccountId, Balance>>::slash(ONE, part), 100);
        assert_eq!(<Stake as Ask<AccountId, Balance>>::staked(ONE), 630);
        assert_eq!(<Stake as Ask<AccountId, Balance>>::staked_by(&ALICE, ONE), 630);
        assert_eq!(<Stake as Ask<AccountId, Balance>>::staked_by(&BOB, ONE), 0);
    });
}
