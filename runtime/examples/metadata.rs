//! Prints the runtime's metadata, of the newest version, as it lies in `client/metadata.scale`: as a development chain
//! has it, because some constants follow from the genesis.

use std::io::{self, Write};

use ensemble_runtime::{genesis, Runtime, RuntimeGenesisConfig};
use frame_support::genesis_builder_helper::{build_state, get_preset};
use serde_json::Value;

fn main() -> io::Result<()> {
    io::stdout().write_all(&metadata().map_err(io::Error::other)?)
}

/// The metadata.
///
/// # Errors
///
/// If there is no development chain, or no metadata.
pub fn metadata() -> Result<Vec<u8>, String> {
    let genesis = development().ok_or("there is no development chain")?;
    sp_io::TestExternalities::new_empty().execute_with(|| {
        build_state::<RuntimeGenesisConfig>(genesis)?;
        let newest = Runtime::metadata_versions().into_iter().filter(|version| *version != u32::MAX).max();
        let metadata = newest.and_then(Runtime::metadata_at_version).ok_or("there is no metadata")?;
        Ok(metadata.to_vec())
    })
}

/// The genesis of a development chain, as JSON.
fn development() -> Option<Vec<u8>> {
    let defaults = get_preset::<RuntimeGenesisConfig>(&None, |_| None)?;
    let mut config = serde_json::from_slice(&defaults).ok()?;
    let patch = genesis::preset(&sp_genesis_builder::DEV_RUNTIME_PRESET.into())?;
    merge(&mut config, serde_json::from_slice(&patch).ok()?);
    serde_json::to_vec(&config).ok()
}

fn merge(target: &mut Value, patch: Value) {
    match (target, patch) {
        (Value::Object(target), Value::Object(patch)) => {
            patch.into_iter().for_each(|(key, value)| merge(target.entry(key).or_insert(Value::Null), value));
        },
        (target, patch) => *target = patch,
    }
}
