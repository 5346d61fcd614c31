//! The parts that modules play.

use ensemble_core::modules::{Role, DEFAULT_CAPACITY, UNKNOWN};
use frame_support::{assert_noop, assert_ok};
use sp_runtime::DispatchError;

use crate::{defaults::*, mock::*, Error, Event};

#[test]
fn a_module_serves_as_miner_or_validator_or_neither() {
    with_chain(|| {
        let id = register(ALICE, "a-module");
        for role in [Role::Miner, validator(&[CHAT, DIFFUSION], DEFAULT_CAPACITY), validator(&[CHAT], 1), Role::Idle] {
            assert_ok!(Modules::set_role(signed(ALICE), id, role.clone()));
            assert_eq!(module(id).role, role);
            assert_eq!(last_event(), Event::RoleSet { module: id, role });
        }
    });
}

#[test]
fn others_hear_of_a_role_and_may_refuse_it() {
    with_chain(|| {
        let id = register(ALICE, "llama-3");
        assert_ok!(Modules::set_role(signed(ALICE), id, validator(&[CHAT], 1)));
        assert_eq!(RolesSet::take(), [(id, CHAT, Role::Idle, validator(&[CHAT], 1))]);

        RefuseMiners::set(true);
        assert_noop!(Modules::set_role(signed(ALICE), id, Role::Miner), DispatchError::Other("no miners"));
        assert_eq!(module(id).role, validator(&[CHAT], 1));
        RefuseMiners::set(false);
        assert_ok!(Modules::set_role(signed(ALICE), id, Role::Miner));
        assert_eq!(RolesSet::take(), [(id, CHAT, validator(&[CHAT], 1), Role::Miner)]);
    });
}

#[test]
fn what_is_refused() {
    with_chain(|| {
        let id = register(ALICE, "a-module");
        let refused = |role, error: Error<Test>| {
            assert_noop!(Modules::set_role(signed(ALICE), id, role), error);
        };
        refused(validator(&[], 1), Error::NoTypes);
        refused(validator(&[CHAT, DIFFUSION, CHAT], 1), Error::DuplicateType);
        refused(validator(&[CHAT, 99], 1), Error::UnknownType);
        refused(validator(&[UNKNOWN], 1), Error::UnknownType);
        refused(validator(&[CHAT], 0), Error::NoCapacity);
        refused(Role::Idle, Error::NothingToChange);
        assert_noop!(Modules::set_role(signed(ALICE), 7, Role::Miner), Error::<Test>::UnknownModule);
        assert_noop!(Modules::set_role(signed(BOB), id, Role::Miner), Error::<Test>::NotOwner);
        assert_ok!(Modules::offer_transfer(signed(ALICE), id, BOB));
        refused(Role::Miner, Error::Offered);
    });
}
