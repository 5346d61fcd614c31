//! The constants.

use frame_support::traits::Hooks;

use crate::mock::*;

#[test]
fn constants_fit() {
    new_chain().execute_with(<Matching as Hooks<BlockNumber>>::integrity_test);
}

#[test]
#[should_panic(expected = "ValidatorsPerMiner must be positive")]
fn a_miner_needs_a_validator() {
    new_chain().execute_with(|| {
        ValidatorsPerMiner::set(0);
        <Matching as Hooks<BlockNumber>>::integrity_test();
    });
}

#[test]
#[should_panic(expected = "ValidatorsPerMiner must be at most 5")]
fn a_miner_has_no_more_validators_than_a_record_holds() {
    new_chain().execute_with(|| {
        ValidatorsPerMiner::set(6);
        <Matching as Hooks<BlockNumber>>::integrity_test();
    });
}

#[test]
#[should_panic(expected = "MaxSteps must be positive")]
fn a_block_takes_steps() {
    new_chain().execute_with(|| {
        MaxSteps::set(0);
        <Matching as Hooks<BlockNumber>>::integrity_test();
    });
}
