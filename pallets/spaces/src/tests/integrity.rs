//! Constants.

use frame_support::traits::Hooks;

use crate::mock::*;

#[test]
fn these_constants_fit() {
    <Spaces as Hooks<BlockNumber>>::integrity_test();
}
