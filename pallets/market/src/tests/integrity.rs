//! The constants of the mock fit each other.

use frame_support::traits::Hooks;

use crate::mock::*;

#[test]
fn constants_fit() {
    new_chain().execute_with(<Market as Hooks<BlockNumber>>::integrity_test);
}
