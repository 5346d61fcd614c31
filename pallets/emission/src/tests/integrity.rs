//! The constants, and what genesis sets.

use frame_support::traits::Hooks;
use sp_runtime::BuildStorage;

use crate::{mock::*, EpochLength, GenesisConfig, GenesisIssuance};

fn check() {
    <Emission as Hooks<BlockNumber>>::integrity_test();
}

#[test]
fn constants_fit() {
    new_chain().execute_with(check);
}

#[test]
#[should_panic(expected = "CommitPart must be at least a quarter")]
fn the_first_phase_must_not_be_too_short() {
    CommitPart::set(percent(24));
    new_chain().execute_with(check);
}

#[test]
#[should_panic(expected = "CommitPart must be at most three quarters")]
fn the_second_phase_must_not_be_too_short() {
    CommitPart::set(percent(76));
    new_chain().execute_with(check);
}

#[test]
#[should_panic(expected = "HalvingPeriod must be positive")]
fn rewards_must_not_be_halved_all_the_time() {
    HalvingPeriod::set(0);
    new_chain().execute_with(check);
}

#[test]
#[should_panic(expected = "weights of all TUNE must be numbers")]
fn the_cap_must_not_be_too_high() {
    Cap::set(u128::MAX / 1_000_000);
    new_chain();
}

#[test]
fn genesis_sets_the_length_of_epochs() {
    new_chain().execute_with(|| assert_eq!(EpochLength::<Test>::get(), LENGTH));
    chain_with(Some(7)).execute_with(|| {
        assert_eq!(EpochLength::<Test>::get(), 7);
        check_state();
    });
}

#[test]
#[should_panic(expected = "an epoch must have at least four blocks")]
fn genesis_refuses_epochs_without_phases() {
    let _ = GenesisConfig::<Test> { epoch_length: Some(3) }.build_storage();
}

#[test]
fn genesis_takes_stock() {
    on_chain(|| {
        // The pots of stake and of emission and the treasury have the existential deposit.
        let all = ENDOWMENT * ENDOWED.len() as u128 + 3 * EXISTENTIAL;
        assert_eq!((GenesisIssuance::<Test>::get(), issuance()), (all, all));
        assert_eq!((free(Emission::account_id()), free(TREASURY)), (EXISTENTIAL, EXISTENTIAL));
    });
}
