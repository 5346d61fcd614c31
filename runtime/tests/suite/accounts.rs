//! What accounts may do for each other.

use ensemble_runtime::{configs::ProxyType, RuntimeCall};
use frame_support::traits::InstanceFilter;
use sp_keyring::Sr25519Keyring::Bob;

use crate::account;

#[test]
fn proxies_do_what_they_are_named_for() {
    let transfer =
        RuntimeCall::Balances(pallet_balances::Call::transfer_all { dest: account(Bob).into(), keep_alive: false });
    let cancel = RuntimeCall::Tasks(pallet_tasks::Call::cancel { task: 0 });
    let keys = RuntimeCall::Session(pallet_session::Call::purge_keys {});
    let allowed = |proxy: ProxyType| [&transfer, &cancel, &keys].map(|call| proxy.filter(call));
    assert_eq!(allowed(ProxyType::Any), [true, true, true]);
    assert_eq!(allowed(ProxyType::NonTransfer), [false, true, true]);
    assert_eq!(allowed(ProxyType::Tasks), [false, true, false]);
    assert_eq!(allowed(ProxyType::SessionKeys), [false, false, true]);
    assert!(ProxyType::Any.is_superset(&ProxyType::Tasks));
    assert!(!ProxyType::Tasks.is_superset(&ProxyType::NonTransfer));
}
