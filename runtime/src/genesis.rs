//! Genesis presets: `dev` (one node), `local` (four validators) and `production` (to be filled in; no sudo key).
//!
//! The presets differ in nothing but what genesis sets: one wasm serves them all.

use alloc::{vec, vec::Vec};

use ensemble_core::{tasks::Phases, AttesterId};
use frame_support::build_struct_json_patch;
use pallet_inference::Lengths;
use serde_json::Value;
use sp_authority_discovery::AuthorityId as AuthorityDiscoveryId;
use sp_consensus_babe::AuthorityId as BabeId;
use sp_consensus_grandpa::AuthorityId as GrandpaId;
use sp_genesis_builder::{PresetId, DEV_RUNTIME_PRESET, LOCAL_TESTNET_RUNTIME_PRESET};
use sp_keyring::{Ed25519Keyring, Sr25519Keyring};

use crate::{
    configs::BABE_GENESIS_EPOCH_CONFIG, AccountId, BabeConfig, Balance, BalancesConfig, BlockNumber, EmissionConfig,
    InferenceConfig, OriginsConfig, RuntimeGenesisConfig, SessionConfig, SessionKeys, SpacesConfig, StakeConfig,
    SudoConfig, ValidatorsConfig, MINUTES, TUNE,
};

/// Name of the preset for a public network.
pub const PRODUCTION_RUNTIME_PRESET: &str = "production";

/// What each well-known account owns on dev and local networks, in planck.
const DEV_ENDOWMENT: Balance = 1_000_000 * TUNE;
/// Slots in a session of a dev or local network: two minutes, so that rotations are seen.
const DEV_SESSION_LENGTH: u64 = 2 * MINUTES as u64;

/// Sessions in an era of a dev or local network: four minutes in all, so that elections are seen.
const DEV_SESSIONS_PER_ERA: u32 = 2;

/// Blocks between unstaking and withdrawing on a dev or local network: half a minute, so that withdrawals are seen.
const DEV_UNBONDING_PERIOD: BlockNumber = MINUTES / 2;

/// Blocks of an epoch of scores and emission on a dev or local network: 48 seconds, so that epochs are seen.
const DEV_EPOCH_LENGTH: BlockNumber = 16;

/// Phases of a round of a space on a dev or local network: a minute and a half in all. In the second a vote that gets lost
/// can be sent again some times.
const DEV_ROUND_PHASES: Phases<BlockNumber> = Phases { commit: 12, reveal: 8, attest: 8 };

/// Lengths of what happens in a session on a dev or local network: three minutes for an answer, a minute and a half for its
/// votes, a minute for disputes.
const DEV_LENGTHS: Lengths<BlockNumber> = Lengths {
    answer: 3 * MINUTES,
    votes: Phases { commit: 12, reveal: 8, attest: 8 },
    window: MINUTES,
    leave: 6 * MINUTES,
};

/// Blocks of a day of governance on a dev or local network: half a minute, so that a referendum of which all are in favour
/// passes within three.
const DEV_DAY: BlockNumber = MINUTES / 2;

/// Names of the presets.
pub fn preset_names() -> Vec<PresetId> {
    vec![DEV_RUNTIME_PRESET.into(), LOCAL_TESTNET_RUNTIME_PRESET.into(), PRODUCTION_RUNTIME_PRESET.into()]
}

/// The preset named `id` as JSON, if there is one.
pub fn preset(id: &PresetId) -> Option<Vec<u8>> {
    let patch = match id.as_ref() {
        DEV_RUNTIME_PRESET => dev(),
        LOCAL_TESTNET_RUNTIME_PRESET => local(),
        PRODUCTION_RUNTIME_PRESET => production(),
        _ => return None,
    };
    serde_json::to_vec(&patch).ok()
}

fn dev() -> Value {
    network_of(&[(Sr25519Keyring::Alice, Ed25519Keyring::Alice)])
}

fn local() -> Value {
    network_of(&[
        (Sr25519Keyring::Alice, Ed25519Keyring::Alice),
        (Sr25519Keyring::Bob, Ed25519Keyring::Bob),
        (Sr25519Keyring::Charlie, Ed25519Keyring::Charlie),
        (Sr25519Keyring::Dave, Ed25519Keyring::Dave),
    ])
}

/// A network of well-known keys: these validators, every well-known account funded, sudo held by Alice.
fn network_of(validators: &[(Sr25519Keyring, Ed25519Keyring)]) -> Value {
    let endowed = Sr25519Keyring::iter().map(|who| (who.to_account_id(), DEV_ENDOWMENT)).collect();
    let keys = validators.iter().map(|&(who, finality)| session_entry(who, finality)).collect();
    build_struct_json_patch!(RuntimeGenesisConfig {
        babe: BabeConfig { epoch_config: BABE_GENESIS_EPOCH_CONFIG },
        balances: BalancesConfig { balances: endowed },
        emission: EmissionConfig { epoch_length: Some(DEV_EPOCH_LENGTH) },
        inference: InferenceConfig { lengths: Some(DEV_LENGTHS) },
        origins: OriginsConfig { day: Some(DEV_DAY) },
        session: SessionConfig { keys },
        spaces: SpacesConfig { phases: Some(DEV_ROUND_PHASES) },
        stake: StakeConfig { unbonding_period: Some(DEV_UNBONDING_PERIOD) },
        sudo: SudoConfig { key: Some(Sr25519Keyring::Alice.to_account_id()) },
        validators: ValidatorsConfig {
            validators: validators.iter().map(|(who, _)| who.to_account_id()).collect(),
            session_length: Some(DEV_SESSION_LENGTH),
            sessions_per_era: Some(DEV_SESSIONS_PER_ERA),
        },
    })
}

/// A network whose founders fill in balances, validators and their session keys; nobody holds a sudo key.
fn production() -> Value {
    build_struct_json_patch!(RuntimeGenesisConfig {
        babe: BabeConfig { epoch_config: BABE_GENESIS_EPOCH_CONFIG },
        balances: BalancesConfig { balances: vec![] },
        session: SessionConfig { keys: vec![] },
        sudo: SudoConfig { key: None },
        validators: ValidatorsConfig { validators: vec![], session_length: None, sessions_per_era: None },
    })
}

fn session_entry(who: Sr25519Keyring, finality: Ed25519Keyring) -> (AccountId, AccountId, SessionKeys) {
    let keys = SessionKeys {
        babe: BabeId::from(who.public()),
        grandpa: GrandpaId::from(finality.public()),
        authority_discovery: AuthorityDiscoveryId::from(who.public()),
        attester: AttesterId::from(who.public()),
    };
    (who.to_account_id(), who.to_account_id(), keys)
}
