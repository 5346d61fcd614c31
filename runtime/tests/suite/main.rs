//! The pallets put together, on chains that the genesis presets build.

mod accounts;
mod election;
mod fees;
mod governance;
mod inference;
mod market;
mod modules;
mod presets;
mod spaces;
mod subnet;
mod upgrade;

use ensemble_core::ModuleId;
use ensemble_runtime::{genesis, AccountId, Modules, RuntimeGenesisConfig, RuntimeOrigin, System, TUNE};
use frame_support::{
    assert_ok,
    genesis_builder_helper::{build_state, get_preset},
};
use pallet_modules::NewProfile;
use serde_json::Value;
use sp_core::H256;
use sp_keyring::Sr25519Keyring;

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

fn signed(who: Sr25519Keyring) -> RuntimeOrigin {
    RuntimeOrigin::signed(account(who))
}

/// Registers a module for an account.
fn register(who: Sr25519Keyring, name: &str) -> ModuleId {
    let profile = NewProfile {
        endpoint: b"https://example.org".to_vec(),
        metadata: H256::zero(),
        description: Vec::new(),
        implementation: None,
    };
    assert_ok!(Modules::register(signed(who), name.into(), profile, 1_000 * TUNE));
    Modules::module_by_name(name.as_bytes()).expect("it was registered").id
}
