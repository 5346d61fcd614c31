//! The shapes of all answers, by the commands that give them: `stake-add` is that of `ensemble stake add`.
//!
//! `client/schemas` has them as files, against which tests check what commands print. A change of a shape is a change
//! of a file, so that nobody makes one by mistake.

use std::collections::BTreeMap;

use schemars::{generate::SchemaSettings, JsonSchema};
use serde_json::Value;

use crate::{
    commands::{
        ask, balance, governance, key, market, model, module, session, space, stake, standing, task, tools, worker,
    },
    miner, scoring, serve, views,
};

/// All schemas, by their names, as JSON.
pub fn all() -> Vec<(&'static str, String)> {
    let mut all = vec![
        ("key-create", of::<key::KeyView>()),
        ("key-import", of::<key::KeyView>()),
        ("key-list", of::<Vec<key::KeyView>>()),
        ("key-show", of::<key::KeyView>()),
        ("key-export", of::<key::KeyDone>()),
        ("key-remove", of::<key::KeyDone>()),
        ("balance-show", of::<views::balances::BalanceView>()),
        ("balance-list", of::<Vec<views::balances::BalanceView>>()),
        ("balance-transfer", of::<balance::Transferred>()),
        ("stake-add", of::<stake::StakeChanged>()),
        ("stake-remove", of::<stake::StakeChanged>()),
        ("stake-withdraw", of::<stake::StakeChanged>()),
        ("stake-move", of::<stake::StakeChanged>()),
        ("stake-list", of::<Vec<views::stake::StakeView>>()),
        ("stake-show", of::<views::stake::PoolView>()),
        ("stake-rewards", of::<Vec<views::stake::RewardView>>()),
        ("stake-set-fee", of::<stake::FeeSet>()),
        ("module-register", of::<module::Registered>()),
        ("module-info", of::<views::modules::ModuleView>()),
        ("module-list", of::<Vec<views::modules::ModuleLine>>()),
        ("module-search", of::<Vec<views::modules::ModuleLine>>()),
        ("module-pipeline", of::<views::modules::PipelineView>()),
        ("module-price", of::<views::modules::PriceView>()),
        ("module-types", of::<Vec<views::modules::ModelTypeView>>()),
        ("module-serve", of::<serve::events::Event>()),
        ("miner-status", of::<views::subnet::MinerView>()),
        ("miner-scores", of::<Vec<views::subnet::ScoreView>>()),
        ("validator-status", of::<views::subnet::ValidatorView>()),
        ("validator-scores", of::<Vec<views::subnet::ScoreView>>()),
        ("validator-run", of::<scoring::events::Event>()),
        ("task-create", of::<task::Created>()),
        ("task-list", of::<Vec<views::tasks::TaskLine>>()),
        ("task-show", of::<views::tasks::TaskView>()),
        ("task-commit", of::<task::Taken>()),
        ("task-reveal", of::<task::Taken>()),
        ("task-cancel", of::<task::Cancelled>()),
        ("task-watch", of::<views::tasks::OutcomeView>()),
        ("task-fetch", of::<task::FetchedView>()),
        ("space-list", of::<Vec<views::spaces::SpaceLine>>()),
        ("space-show", of::<views::spaces::SpaceView>()),
        ("space-members", of::<Vec<views::spaces::SpaceMemberView>>()),
        ("space-rounds", of::<Vec<views::spaces::RoundView>>()),
        ("space-nearest", of::<space::Nearest>()),
        ("space-create", of::<space::SpaceCreated>()),
        ("space-retire", of::<space::SpaceChanged>()),
        ("space-suspend", of::<space::SpaceChanged>()),
        ("space-readmit", of::<space::SpaceChanged>()),
        ("model-import", of::<model::Imported>()),
        ("model-register", of::<model::ModelChanged>()),
        ("model-retire", of::<model::ModelChanged>()),
        ("model-list", of::<Vec<views::inference::ModelView>>()),
        ("model-show", of::<views::inference::ModelView>()),
        ("model-worker", of::<views::inference::WorkerView>()),
        ("model-leave", of::<worker::WorkerChanged>()),
        ("model-withdraw", of::<worker::WorkerChanged>()),
        ("ask", of::<ask::Answer>()),
        ("miner-run", of::<miner::Event>()),
        ("session-list", of::<Vec<views::inference::SessionView>>()),
        ("session-show", of::<views::inference::SessionView>()),
        ("session-quote", of::<views::inference::QuoteView>()),
        ("session-credits", of::<session::CreditsView>()),
        ("market-list", of::<views::market::FoundView>()),
        ("market-show", of::<views::market::ListingView>()),
        ("market-offer", of::<market::Listed>()),
        ("market-update", of::<market::Listed>()),
        ("market-unlist", of::<market::Listed>()),
        ("market-price", of::<market::PricesView>()),
        ("market-buy", of::<market::Bought>()),
        ("market-tickets", of::<Vec<views::market::TicketView>>()),
        ("market-use", of::<market::TokenView>()),
        ("market-redeem", of::<market::Redeemed>()),
        ("market-stats", of::<views::market::StatsView>()),
        ("market-sale", of::<views::market::SaleView>()),
        ("market-sell", of::<market::Sold>()),
        ("market-access", of::<market::AccessBought>()),
        ("market-claim", of::<market::Claimed>()),
        ("governance-list", of::<Vec<views::governance::ReferendumLine>>()),
        ("governance-show", of::<views::governance::ReferendumView>()),
        ("governance-tracks", of::<Vec<views::governance::TrackView>>()),
        ("governance-vote", of::<governance::Voted>()),
        ("governance-votes", of::<views::governance::VotesView>()),
        ("governance-remove-vote", of::<governance::Voted>()),
        ("governance-delegate", of::<governance::Delegated>()),
        ("governance-undelegate", of::<governance::Delegated>()),
        ("governance-unlock", of::<governance::Delegated>()),
        ("validator-set-keys", of::<standing::KeysSet>()),
        ("network-status", of::<views::network::StatusView>()),
        ("network-params", of::<Vec<views::network::ParameterView>>()),
        ("network-epoch", of::<views::network::EpochView>()),
        ("network-validators", of::<views::network::EraView>()),
        ("network-supply", of::<views::network::SupplyView>()),
        ("network-apr", of::<Vec<views::network::AprView>>()),
        ("network-burn", of::<views::network::BurnView>()),
        ("completion", of::<tools::Script>()),
        ("man", of::<tools::Written>()),
    ];
    let changes = ["module-update", "module-transfer", "module-remove", "module-build-on"];
    let roles = ["miner-join", "miner-leave", "miner-pause", "miner-resume"];
    let judges = ["validator-join", "validator-leave", "validator-pause", "validator-resume"];
    let standing = ["validator-stand", "validator-chill"];
    for name in changes.into_iter().chain(roles).chain(judges).chain(standing) {
        all.push((name, of::<module::ModuleChanged>()));
    }
    all
}

fn of<T: JsonSchema>() -> String {
    let schema = SchemaSettings::draft07().for_serialize().into_generator().into_root_schema_for::<T>();
    format!("{:#}\n", sorted(schema.to_value()))
}

/// The same with all keys in order, so that moving a field changes no file.
fn sorted(value: Value) -> Value {
    match value {
        Value::Object(fields) => {
            let fields: BTreeMap<String, Value> = fields.into_iter().collect();
            fields.into_iter().map(|(key, value)| (key, sorted(value))).collect()
        },
        Value::Array(values) => values.into_iter().map(sorted).collect(),
        other => other,
    }
}

#[cfg(test)]
mod tests {
    use std::{collections::BTreeSet, fs, path::Path};

    use clap::CommandFactory;

    use super::*;
    use crate::cli::Cli;

    fn folder() -> &'static Path {
        Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/schemas"))
    }

    #[test]
    fn shapes_are_those_of_the_files() {
        for (name, schema) in all() {
            let path = folder().join(format!("{name}.json"));
            let file = fs::read_to_string(&path).unwrap_or_default();
            let remedy = "if the change is meant, `ensemble schemas client/schemas` writes the files anew";
            assert!(file == schema, "the shape of `{name}` is not that of {}: {remedy}", path.display());
        }
    }

    #[test]
    fn each_file_is_of_a_command() {
        let names: BTreeSet<String> = all().into_iter().map(|(name, _)| format!("{name}.json")).collect();
        for entry in fs::read_dir(folder()).expect("is there") {
            let name = entry.expect("is read").file_name().into_string().expect("is a name");
            assert!(names.contains(&name), "no command answers in the shape of {name}");
        }
    }

    #[test]
    fn each_command_has_a_shape() {
        let names: BTreeSet<&str> = all().into_iter().map(|(name, _)| name).collect();
        let root = Cli::command();
        for group in root.get_subcommands().filter(|group| !group.is_hide_set()) {
            let commands: Vec<_> = group.get_subcommands().map(|command| command.get_name()).collect();
            let expected = match commands.as_slice() {
                [] => vec![group.get_name().to_owned()],
                commands => commands.iter().map(|command| format!("{}-{command}", group.get_name())).collect(),
            };
            for name in expected {
                assert!(names.contains(name.as_str()), "`{name}` has no shape in schemas.rs");
            }
        }
    }
}
