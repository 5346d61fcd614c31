//! The registry and the stake on what it lists.

use ensemble_runtime::{Modules, Runtime, RuntimeOrigin, Stake, TUNE};
use frame_support::assert_ok;
use pallet_modules::NewProfile;
use sp_core::H256;
use sp_keyring::Sr25519Keyring::{Alice, Bob};
use sp_runtime::Permill;

use crate::{account, on_chain, preset};

fn register(name: &str) -> u32 {
    let profile = NewProfile {
        endpoint: b"https://example.org".to_vec(),
        metadata: H256::zero(),
        description: Vec::new(),
        implementation: None,
    };
    let alice = RuntimeOrigin::signed(account(Alice));
    assert_ok!(Modules::register(alice, name.into(), profile, 1_000 * TUNE));
    Modules::module_by_name(name.as_bytes()).expect("it was registered").id
}

#[test]
fn what_is_staked_on_a_module_outlives_it_and_its_fee_does_not() {
    on_chain(preset("development"), || {
        let (alice, bob) = (RuntimeOrigin::signed(account(Alice)), RuntimeOrigin::signed(account(Bob)));
        let [staked_on, quiet] = ["staked-on", "quiet-one"].map(register);
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
