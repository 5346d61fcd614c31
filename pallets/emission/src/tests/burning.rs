//! Burning.

use frame_support::{
    assert_noop, assert_ok,
    traits::{Imbalance, OnUnbalanced},
};
use sp_runtime::DispatchError;

use crate::{mock::*, Burn, CreditOf, Error, Event, TotalBurnt};

#[test]
fn anybody_may_burn_what_is_theirs() {
    on_chain(|| {
        let before = issuance();
        assert_ok!(burn(ALICE, 1_000));
        assert_eq!(last_event(), Event::Burnt { who: Some(ALICE), amount: 1_000 });
        assert_eq!((free(ALICE), issuance(), TotalBurnt::<Test>::get()), (ENDOWMENT - 1_000, before - 1_000, 1_000));
        assert_ok!(burn(ALICE, ENDOWMENT - 1_000 - EXISTENTIAL));
        assert_eq!(free(ALICE), EXISTENTIAL);
    });
}

#[test]
fn nobody_may_burn_more() {
    on_chain(|| {
        assert_noop!(burn(ALICE, 0), Error::<Test>::ZeroAmount);
        assert_noop!(burn(ALICE, ENDOWMENT), Error::<Test>::CannotPay);
        assert_noop!(burn(PAUPER, 1), Error::<Test>::CannotPay);
        assert_noop!(Emission::burn(RuntimeOrigin::root(), 1), DispatchError::BadOrigin);
        // What is staked is not free.
        stake(ALICE, ONE, ENDOWMENT - 500);
        assert_noop!(burn(ALICE, 500), Error::<Test>::CannotPay);
    });
}

#[test]
fn other_pallets_burn_through_it() {
    on_chain(|| {
        let before = issuance();
        burn_credit(BOB, 70);
        assert_eq!(last_event(), Event::Burnt { who: None, amount: 70 });
        stake(ALICE, ONE, 1_000);
        assert_ok!(Stake::slash(RuntimeOrigin::root(), ONE, sp_runtime::Perbill::from_percent(10)));
        assert_eq!((issuance(), TotalBurnt::<Test>::get()), (before - 170, 170));
        // Nothing is no burn.
        let count = events().len();
        Burn::<Test>::on_unbalanced(CreditOf::<Test>::zero());
        assert_eq!(events().len(), count);
    });
}

#[test]
fn dust_is_counted() {
    on_chain(|| {
        let all = RuntimeOrigin::signed(BOB);
        assert_ok!(Balances::transfer_allow_death(all, ALICE, ENDOWMENT - EXISTENTIAL + 1));
        assert_eq!((free(BOB), TotalBurnt::<Test>::get()), (0, EXISTENTIAL - 1));
    });
}
