//! The constants.

use frame_support::traits::Hooks;

use crate::mock::*;

#[test]
fn constants_fit() {
    <Validators as Hooks<BlockNumber>>::integrity_test();
}
