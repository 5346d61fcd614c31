//! The constants, and what genesis sets.

use frame_support::traits::Hooks;
use sp_runtime::BuildStorage;

use crate::{mock::*, GenesisConfig, UnbondingPeriod};

#[test]
fn constants_fit() {
    <Stake as Hooks<BlockNumber>>::integrity_test();
}

#[test]
fn genesis_sets_the_unbonding_period() {
    new_chain().execute_with(|| assert_eq!(UnbondingPeriod::<Test>::get(), UNBONDING));
    let storage = GenesisConfig::<Test> { unbonding_period: Some(3) }.build_storage().unwrap();
    sp_io::TestExternalities::new(storage).execute_with(|| assert_eq!(UnbondingPeriod::<Test>::get(), 3));
}

#[test]
#[should_panic(expected = "unbonding must take at least one block")]
fn genesis_refuses_no_period() {
    let _ = GenesisConfig::<Test> { unbonding_period: Some(0) }.build_storage();
}

#[test]
fn genesis_endows_the_pot_once() {
    on_chain(|| {
        assert_eq!(free(Stake::account_id()), EXISTENTIAL);
        frame_support::assert_ok!(Stake::endow_pot());
        assert_eq!(free(Stake::account_id()), EXISTENTIAL);
    });
}
