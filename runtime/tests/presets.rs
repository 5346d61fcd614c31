//! The genesis presets build the chains that they promise.

use ensemble_core::AssetId;
use ensemble_runtime::{
    configs::ProxyType, genesis, AccountId, Assets, Balances, Runtime, RuntimeCall, RuntimeEvent, RuntimeGenesisConfig,
    RuntimeOrigin, Session, Sudo, System, EXISTENTIAL_DEPOSIT, TUNE,
};
use frame_support::{
    assert_noop, assert_ok,
    genesis_builder_helper::{build_state, get_preset},
    traits::{fungible::Inspect, Get, InstanceFilter},
};
use serde_json::{json, Value};
use sp_keyring::Sr25519Keyring::{self, Alice, Bob};

fn preset(name: &str) -> Value {
    let patch = genesis::preset(&name.into()).expect("the preset exists");
    serde_json::from_slice(&patch).expect("the preset is JSON")
}

fn merge(target: &mut Value, patch: Value) {
    match (target, patch) {
        (Value::Object(target), Value::Object(patch)) => {
            patch.into_iter().for_each(|(key, value)| merge(target.entry(key).or_insert(Value::Null), value));
        },
        (target, patch) => *target = patch,
    }
}

/// Runs `test` on the first block of a chain with this genesis.
fn on_chain(patch: Value, test: impl FnOnce()) {
    let mut externalities = sp_io::TestExternalities::new_empty();
    externalities.execute_with(|| {
        let defaults = get_preset::<RuntimeGenesisConfig>(&None, |_| None).expect("there is a default");
        let mut config = serde_json::from_slice(&defaults).expect("the default is JSON");
        merge(&mut config, patch);
        build_state::<RuntimeGenesisConfig>(serde_json::to_vec(&config).expect("JSON is written"))
            .expect("the genesis is valid");
        System::set_block_number(1);
        test();
    });
}

fn account(who: Sr25519Keyring) -> AccountId {
    who.to_account_id()
}

#[test]
fn dev_has_one_validator_and_local_has_four() {
    for (name, validators) in [("development", 1), ("local_testnet", 4)] {
        on_chain(preset(name), || {
            assert_eq!(pallet_validators::Validators::<Runtime>::get().len(), validators);
            assert_eq!(Session::validators().len(), validators);
            assert_eq!(pallet_tasks::Attesters::<Runtime>::get().len(), validators);
            assert_eq!(pallet_sudo::Key::<Runtime>::get(), Some(account(Alice)));
            assert_eq!(Balances::balance(&account(Bob)), 1_000_000 * TUNE);
            assert_eq!(<Runtime as pallet_babe::Config>::EpochDuration::get(), 40);
            assert!(System::events().is_empty());
        });
    }
}

#[test]
fn every_session_has_a_root_from_the_first_on() {
    on_chain(preset("local_testnet"), || {
        assert!(pallet_session::historical::HistoricalSessions::<Runtime>::contains_key(0));
        assert!(pallet_session::historical::HistoricalSessions::<Runtime>::contains_key(1));
    });
}

#[test]
fn production_has_no_sudo_key_and_no_account_until_its_founders_say_so() {
    let production = preset("production");
    assert_eq!(production["sudo"]["key"], Value::Null);
    assert_eq!(production["balances"]["balances"], json!([]));
    assert_eq!(production["validators"]["validators"], json!([]));

    let founders = preset("development");
    let mut filled = production;
    merge(&mut filled, json!({ "balances": founders["balances"], "session": founders["session"] }));
    merge(&mut filled, json!({ "validators": { "validators": founders["validators"]["validators"] } }));
    on_chain(filled, || {
        assert_eq!(pallet_sudo::Key::<Runtime>::get(), None);
        assert_eq!(<Runtime as pallet_babe::Config>::EpochDuration::get(), 1_200);
        let call = Box::new(RuntimeCall::System(frame_system::Call::set_storage { items: vec![] }));
        let refused = Sudo::sudo(RuntimeOrigin::signed(account(Alice)), call);
        assert_eq!(refused.map_err(|error| error.error), Err(pallet_sudo::Error::<Runtime>::RequireSudo.into()));
    });
}

#[test]
fn an_unknown_preset_is_none() {
    assert_eq!(genesis::preset(&"staging".into()), None);
}

#[test]
fn nobody_creates_a_class_that_passes_for_shares() {
    on_chain(preset("development"), || {
        let alice = RuntimeOrigin::signed(account(Alice));
        let create = |id| Assets::create(alice.clone(), id, account(Alice).into(), 1);
        assert_noop!(create(AssetId::Shares(0)), sp_runtime::DispatchError::BadOrigin);
        assert_ok!(create(AssetId::Asset(0)));
        let created = RuntimeEvent::Assets(pallet_assets::Event::Created {
            asset_id: AssetId::Asset(0),
            creator: account(Alice),
            owner: account(Alice),
        });
        assert!(System::events().iter().any(|record| record.event == created));
    });
}

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

#[test]
fn a_full_block_leaves_room_for_what_must_not_wait() {
    use frame_support::dispatch::DispatchClass;
    let weights = <Runtime as frame_system::Config>::BlockWeights::get();
    let normal = weights.get(DispatchClass::Normal).max_total.expect("normal transactions are limited");
    assert_eq!(normal.ref_time(), weights.max_block.ref_time() * 3 / 4);
    assert!(EXISTENTIAL_DEPOSIT > 0);
}
