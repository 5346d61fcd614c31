//! `ensemble network`: the chain as a whole. Nothing here needs a key.

use serde::Deserialize;
use subxt::{dynamic::Value, rpcs::rpc_params};

use crate::{
    amount::Amount,
    chain::{
        ensemble, hash_text, text,
        types::ensemble_core::{epochs::EpochPhase, modules::Query},
        At, METADATA,
    },
    connection::{ask, Connection},
    context::Context,
    error::Error,
    output::Output,
    send::blake2_256,
    views::{
        fixed,
        modules::module_record,
        network::{
            AprView, BlockValidatorView, BurnView, CandidateView, EpochView, EraView, ParameterView, StatusView,
            SupplyView,
        },
        part,
    },
};

/// Most candidates that the runtime API tells at one time.
const CANDIDATES: u32 = 100;

/// What can be asked of the network.
#[derive(Clone, Debug, clap::Subcommand)]
pub enum Command {
    /// The network at a glance
    Status,

    /// The parameters of the chain
    Params {
        /// Those of one pallet alone, such as stake
        pallet: Option<String>,
    },

    /// The current epoch: when scores are committed and revealed
    Epoch,

    /// The validators of blocks in this session, and those who stand for election
    Validators,

    /// All TUNE: emitted, burnt, circulating
    Supply,

    /// What stake earns in a year
    Apr {
        /// Modules, by numbers or names; the first hundred if none is given
        modules: Vec<String>,
    },

    /// What was burnt, beside what was emitted
    Burn,
}

/// How a node is doing.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Health {
    peers: u32,
    is_syncing: bool,
}

impl Command {
    /// Does what the command line says.
    ///
    /// # Errors
    ///
    /// If the node does not answer.
    pub async fn run(self, context: &Context) -> Result<Output, Error> {
        let connection = context.connect().await?;
        let best = connection.best().await?;
        match self {
            Self::Status => status(&connection, &best).await,
            Self::Params { pallet } => Output::of(&parameters(&best, pallet.as_deref())?),
            Self::Epoch => epoch(&best).await,
            Self::Validators => validators(&best).await,
            Self::Supply => {
                let supply = ask(&best, ensemble::runtime_apis().emission_api().supply()).await?;
                Output::of(&SupplyView::from(supply))
            },
            Self::Apr { modules } => apr(&best, &modules).await,
            Self::Burn => {
                let supply = ask(&best, ensemble::runtime_apis().emission_api().supply()).await?;
                let ratio = (supply.emitted > 0).then(|| supply.burnt as f64 / supply.emitted as f64);
                let (burnt, emitted) = (Amount::planck(supply.burnt), Amount::planck(supply.emitted));
                Output::of(&BurnView { burnt, emitted, ratio })
            },
        }
    }
}

async fn status(connection: &Connection, best: &At) -> Result<Output, Error> {
    let finalized = async {
        let hash = connection.request::<String>("chain_getFinalizedHead", rpc_params![]).await?;
        connection.request::<serde_json::Value>("chain_getHeader", rpc_params![hash]).await
    };
    let health = connection.request::<Health>("system_health", rpc_params![]);
    let figures = ask(best, ensemble::runtime_apis().matching_api().status());
    let (finalized, health, figures) = tokio::try_join!(finalized, health, figures)?;
    let identity = connection.identity();
    let counts = figures.counts;
    Output::of(&StatusView {
        chain: identity.chain.clone(),
        url: connection.url().into(),
        genesis: hash_text(&identity.genesis),
        node: identity.node_version.clone(),
        runtime: identity.spec_version,
        client: env!("CARGO_PKG_VERSION").into(),
        same_metadata: same_metadata(best).await?,
        best: best.block_number(),
        finalized: block_number(&finalized),
        peers: health.peers,
        syncing: health.is_syncing,
        epoch: figures.epoch,
        miners: counts.miners,
        validators: counts.validators,
        active: counts.active,
        flagged: counts.flagged,
        matches: counts.matches,
        waiting: counts.waiting,
        results: figures.results,
        listings: figures.listings,
        supply: Amount::planck(figures.supply),
        burnt: Amount::planck(figures.burnt),
    })
}

/// The number in a header, which the node writes in hexadecimal.
fn block_number(header: &serde_json::Value) -> u64 {
    let digits = header["number"].as_str().unwrap_or_default().trim_start_matches("0x");
    u64::from_str_radix(digits, 16).unwrap_or_default()
}

/// Whether the node's runtime is, to the byte, the one that this client was built for.
async fn same_metadata(at: &At) -> Result<bool, Error> {
    let version = METADATA.get(4).copied().unwrap_or_default();
    let asked = u32::from(version).to_le_bytes();
    let answer =
        at.runtime_apis().call_raw("Metadata_metadata_at_version", Some(&asked)).await.map_err(Error::chain)?;
    // In front of the metadata stand the byte that says that there is some, and its length.
    let theirs = answer.get(answer.len().saturating_sub(METADATA.len())..).unwrap_or_default();
    Ok(blake2_256(&[theirs]) == blake2_256(&[METADATA]))
}

async fn epoch(best: &At) -> Result<Output, Error> {
    let view = ask(best, ensemble::runtime_apis().emission_api().epoch()).await?;
    let phase = match view.phase {
        EpochPhase::Commit => "commit",
        EpochPhase::Reveal => "reveal",
    };
    let block = u32::try_from(best.block_number()).unwrap_or(u32::MAX);
    Output::of(&EpochView::new(&view, phase, block))
}

async fn validators(best: &At) -> Result<Output, Error> {
    let storage = best.storage();
    let entry = storage.fetch(ensemble::storage().session().validators(), ()).await.map_err(Error::chain)?;
    let accounts = entry.decode().map_err(Error::chain)?;
    let entry = storage.fetch(ensemble::storage().session().disabled_validators(), ()).await.map_err(Error::chain)?;
    let disabled = entry.decode().map_err(Error::chain)?;
    let api = ensemble::runtime_apis().validators_api();
    let era = ask(best, api.era()).await?;
    let candidates = ask(best, api.candidates(0, CANDIDATES)).await?;
    let views = accounts.iter().enumerate().map(|(place, account)| {
        let is_disabled = disabled.iter().any(|(number, _)| *number as usize == place);
        let seat = era.seats.iter().find(|seat| seat.validator == *account);
        BlockValidatorView::new(account.to_string(), place, is_disabled, seat)
    });
    Output::of(&EraView {
        era: era.era,
        session: era.session,
        next_era_session: era.next_era_session,
        min_stake: Amount::planck(era.min_stake),
        min_validators: era.min_validators,
        max_validators: era.max_validators,
        standing: era.candidates,
        validators: views.collect(),
        candidates: candidates.into_iter().map(CandidateView::from).collect(),
    })
}

async fn apr(best: &At, named: &[String]) -> Result<Output, Error> {
    let mut records = Vec::new();
    for name in named {
        records.push(module_record(best, name).await?);
    }
    if named.is_empty() {
        let query = Query { prefix: Vec::new(), model_type: None, owner: None };
        records = ask(best, ensemble::runtime_apis().modules_api().search(query, None, 100)).await?.modules;
    }
    let mut views = Vec::new();
    for record in records {
        let pool = ask(best, ensemble::runtime_apis().stake_api().pool(record.id)).await?;
        let apr = ask(best, ensemble::runtime_apis().emission_api().apr(record.id)).await?;
        let (staked, fee) = pool.map_or((0, 0), |pool| (pool.staked, pool.fee.0));
        views.push(AprView {
            module: record.id,
            name: text(&record.name),
            staked: Amount::planck(staked),
            fee: part(fee),
            apr: apr.map(|apr| fixed(apr.0)),
        });
    }
    Output::of(&views)
}

/// The constants that the metadata names, of one pallet or all.
fn parameters(at: &At, wanted: Option<&str>) -> Result<Vec<ParameterView>, Error> {
    let metadata = at.metadata();
    let mut views = Vec::new();
    for pallet in metadata.pallets() {
        if wanted.is_some_and(|wanted| !wanted.eq_ignore_ascii_case(pallet.name())) {
            continue;
        }
        for constant in pallet.constants() {
            let address = subxt::dynamic::constant::<Value>(pallet.name(), constant.name());
            let value = at.constants().entry(address).map_err(Error::chain)?;
            views.push(ParameterView {
                pallet: pallet.name().into(),
                name: constant.name().into(),
                value: value.to_string(),
                about: constant.docs().join(" ").trim().into(),
            });
        }
    }
    if views.is_empty() {
        let names: Vec<&str> = metadata.pallets().map(|pallet| pallet.name()).collect();
        let what = format!("parameter of `{}`", wanted.unwrap_or_default());
        return Err(Error::not_found(what, format!("choose among {}", names.join(", "))));
    }
    Ok(views)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_of_blocks_are_hexadecimal() {
        assert_eq!(block_number(&serde_json::json!({ "number": "0x1f" })), 31);
        assert_eq!(block_number(&serde_json::json!({})), 0);
    }
}
