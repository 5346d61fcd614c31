//! Chain specifications: the built-in presets, or a file.

use ensemble_runtime::{genesis::PRODUCTION_RUNTIME_PRESET, WASM_BINARY};
use sc_chain_spec::{ChainSpecExtension, ChainType};
use sc_service::Properties;
use serde::{Deserialize, Serialize};
use sp_genesis_builder::{DEV_RUNTIME_PRESET, LOCAL_TESTNET_RUNTIME_PRESET};

/// What a specification may say beside the genesis.
#[derive(ChainSpecExtension, Clone, Default, Deserialize, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Extensions {
    /// A finalised checkpoint from which a light client starts.
    pub light_sync_state: sc_sync_state_rpc::LightSyncStateExtension,
}

/// A specification of an Ensemble chain.
pub type ChainSpec = sc_service::GenericChainSpec<Extensions>;

/// The specification named `id`: `dev`, `local`, `production`, or the path of a JSON file.
pub fn load(id: &str) -> Result<ChainSpec, String> {
    match id {
        "" | "dev" => preset("Ensemble Development", "ensemble_dev", ChainType::Development, DEV_RUNTIME_PRESET),
        "local" => preset("Ensemble Local", "ensemble_local", ChainType::Local, LOCAL_TESTNET_RUNTIME_PRESET),
        "production" => preset("Ensemble", "ensemble", ChainType::Live, PRODUCTION_RUNTIME_PRESET),
        path => ChainSpec::from_json_file(path.into()).map_err(|error| {
            format!(
                "`{path}` is no built-in chain (dev, local, production) and no readable chain specification: {error}"
            )
        }),
    }
}

fn preset(name: &str, id: &str, chain_type: ChainType, preset: &str) -> Result<ChainSpec, String> {
    let wasm = WASM_BINARY.ok_or("this node was built without a runtime; build it without SKIP_WASM_BUILD")?;
    Ok(ChainSpec::builder(wasm, Extensions::default())
        .with_name(name)
        .with_id(id)
        .with_chain_type(chain_type)
        .with_protocol_id(id)
        .with_properties(token())
        .with_genesis_config_preset_name(preset)
        .build())
}

/// How wallets show the native token.
fn token() -> Properties {
    let mut properties = Properties::new();
    properties.insert("tokenSymbol".into(), "TUNE".into());
    properties.insert("tokenDecimals".into(), 12.into());
    properties.insert("ss58Format".into(), 42.into());
    properties
}
