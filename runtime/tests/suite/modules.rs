//! The registry and the stake on what it lists.

use ensemble_runtime::{Modules, Runtime, Stake, TUNE};
use frame_support::assert_ok;
use sp_keyring::Sr25519Keyring::{Alice, Bob};
use sp_runtime::Permill;

use crate::{on_chain, preset, register, signed};

#[test]
fn what_is_staked_on_a_module_outlives_it_and_its_fee_does_not() {
    on_chain(preset("development"), || {
        let (alice, bob) = (signed(Alice), signed(Bob));
        let [staked_on, quiet] = ["staked-on", "quiet-one"].map(|name| register(Alice, name));
        for module in [staked_on, quiet] {
            assert_ok!(Stake::set_fee(alice.clone(), module, Permill::from_percent(10)));
        }
        assert_ok!(Stake::stake(bob, staked_on, 5 * TUNE));
        for module in [staked_on, quiet] {
            assert_ok!(Modules::remove(alice.clone(), module));
        }
        let pool = Stake::pool_view(staked_on).expect("it has stake");
        assert_eq!((pool.staked, pool.fee), (5 * TUNE, Permill::zero()));
        assert!(!pallet_stake::Pools::<Runtime>::contains_key(quiet));
    });
}
