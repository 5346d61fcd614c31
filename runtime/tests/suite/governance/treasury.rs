//! The treasury: what emission brings it is spent by referendum, within the limits of who spends.

use ensemble_runtime::{
    configs::{dynamic_params::treasury, pallet_origins::Origin},
    RuntimeCall, TUNE,
};
use frame_support::{assert_noop, assert_ok, traits::Get};
use sp_keyring::Sr25519Keyring::{Bob, Charlie};
use sp_runtime::DispatchError;

use super::*;

/// A call that spends so much on Bob.
fn spend(amount: Balance) -> RuntimeCall {
    RuntimeCall::Treasury(pallet_treasury::Call::spend {
        asset_kind: Box::new(()),
        amount,
        beneficiary: Box::new(account(Bob)),
        valid_from: None,
    })
}

fn spend_at_once(origin: RuntimeOrigin, amount: Balance, valid_from: Option<BlockNumber>) -> DispatchResult {
    Treasury::spend(origin, Box::new(()), amount, Box::new(account(Bob)), valid_from)
}

#[test]
fn what_emission_brought_is_spent_by_referendum() {
    on_dev(|| {
        run_to(64);
        assert_ok!(decide(Origin::SmallSpender.into(), &spend(1_000 * TUNE)).1);
        let (treasury, bob) = (free(&Treasury::account_id()), free(&account(Bob)));
        assert!(treasury > 1_000 * TUNE, "a tenth of four epochs and more: {treasury}");
        assert_ok!(Treasury::payout(signed(Charlie), 0));
        assert_eq!(free(&account(Bob)) - bob, 1_000 * TUNE);
        assert_eq!(treasury - free(&Treasury::account_id()), 1_000 * TUNE);
        let again = Treasury::payout(signed(Charlie), 0);
        assert_noop!(again, pallet_treasury::Error::<Runtime>::AlreadyAttempted);
    });
}

#[test]
fn who_decides_on_too_much_spends_nothing() {
    on_dev(|| {
        let (_, done) = decide(Origin::SmallSpender.into(), &spend(10_001 * TUNE));
        assert_eq!(done, Err(pallet_treasury::Error::<Runtime>::InsufficientPermission.into()));
        assert_noop!(Treasury::payout(signed(Charlie), 0), pallet_treasury::Error::<Runtime>::InvalidIndex);
    });
}

#[test]
fn spenders_have_limits_and_others_spend_nothing() {
    on_dev(|| {
        for (origin, limit) in
            [(Origin::SmallSpender, treasury::SmallSpend::get()), (Origin::BigSpender, treasury::BigSpend::get())]
        {
            assert_ok!(spend_at_once(granted(origin), limit, None));
            let above = spend_at_once(granted(origin), limit + 1, None);
            assert_noop!(above, pallet_treasury::Error::<Runtime>::InsufficientPermission);
        }
        assert_ok!(spend_at_once(RuntimeOrigin::root(), 2_000_000 * TUNE, None));
        for other in [granted(Origin::Parameters), signed(Bob)] {
            assert_noop!(spend_at_once(other, 1, None), DispatchError::BadOrigin);
        }
    });
}

#[test]
fn nothing_is_paid_too_early_or_from_an_empty_treasury() {
    on_dev(|| {
        assert_ok!(spend_at_once(granted(Origin::SmallSpender), TUNE, Some(50)));
        assert_noop!(Treasury::payout(signed(Bob), 0), pallet_treasury::Error::<Runtime>::EarlyPayout);
        assert_ok!(spend_at_once(granted(Origin::BigSpender), 100_000 * TUNE, None));
        assert_noop!(Treasury::payout(signed(Bob), 1), pallet_treasury::Error::<Runtime>::PayoutError);
        run_to(50);
        assert_ok!(Treasury::payout(signed(Bob), 0));
    });
}

#[test]
fn who_cancels_referenda_voids_spends() {
    on_dev(|| {
        assert_ok!(spend_at_once(granted(Origin::SmallSpender), TUNE, None));
        assert_noop!(Treasury::void_spend(granted(Origin::SmallSpender), 0), DispatchError::BadOrigin);
        assert_ok!(Treasury::void_spend(granted(Origin::Canceller), 0));
        assert_noop!(Treasury::payout(signed(Bob), 0), pallet_treasury::Error::<Runtime>::InvalidIndex);
    });
}
