//! Modules.

use schemars::JsonSchema;
use serde::Serialize;

use crate::{
    amount::Amount,
    chain::{
        ensemble, hash_text, text,
        types::{ensemble_core::modules as chain, pallet_modules},
        AccountId32, At,
    },
    connection::ask,
    error::Error,
};

/// The chain's record of a module.
pub type Record = chain::ModuleView<AccountId32, u128, u32>;

/// The types of models and their names.
#[derive(Clone, Debug)]
pub struct Types(Vec<(u16, String)>);

impl Types {
    /// Those of the chain.
    ///
    /// # Errors
    ///
    /// If the node does not answer.
    pub async fn of(at: &At) -> Result<Self, Error> {
        let types = ask(at, ensemble::runtime_apis().modules_api().model_types()).await?;
        Ok(Self(types.into_iter().map(|(number, name)| (number, text(&name))).collect()))
    }

    /// The name of a type.
    pub fn name(&self, number: u16) -> String {
        let found = self.0.iter().find(|(other, _)| *other == number);
        found.map_or_else(|| number.to_string(), |(_, name)| name.clone())
    }

    /// The type of a name, or of a number.
    ///
    /// # Errors
    ///
    /// If there is none.
    pub fn number(&self, name: &str) -> Result<u16, Error> {
        let is_meant = |(number, other): &&(u16, String)| other == name || number.to_string() == name;
        self.0.iter().find(is_meant).map(|(number, _)| *number).ok_or_else(|| {
            let names: Vec<&str> = self.0.iter().map(|(_, name)| name.as_str()).collect();
            Error::not_found(format!("type `{name}`"), format!("choose among {}", names.join(", ")))
        })
    }

    /// All of them, in the order of their numbers.
    pub fn all(&self) -> Vec<ModelTypeView> {
        self.0.iter().map(|(number, name)| ModelTypeView { number: *number, name: name.clone() }).collect()
    }
}

/// A type of models.
#[derive(Clone, Debug, JsonSchema, Serialize)]
pub struct ModelTypeView {
    /// Its number.
    pub number: u16,
    /// Its name.
    pub name: String,
}

/// The part that a module plays in the subnet.
#[derive(Clone, Copy, Debug, Eq, JsonSchema, PartialEq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum RoleName {
    /// None.
    Idle,
    /// It serves a model and is scored.
    Miner,
    /// It scores miners.
    Validator,
}

/// A module.
#[derive(Clone, Debug, JsonSchema, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct ModuleView {
    /// Its number.
    pub id: u32,
    /// Its name.
    pub name: String,
    /// The kind of model that it is.
    pub r#type: String,
    /// Who owns it.
    pub owner: String,
    /// To whom the owner offers it.
    pub offered_to: Option<String>,
    /// Where it is served.
    pub endpoint: String,
    /// A short text for people.
    pub description: String,
    /// Hash of a document about it.
    pub metadata: String,
    /// Hash of the implementation that it runs.
    pub implementation: Option<String>,
    /// 1 at registration, one more with each update.
    pub version: u32,
    /// The part it plays.
    pub role: RoleName,
    /// The types that a validator judges.
    pub judges: Vec<String>,
    /// Most miners of a validator.
    pub capacity: Option<u32>,
    /// The module in whose namespace it is.
    pub parent: Option<u32>,
    /// Number of modules in its namespace.
    pub children: u32,
    /// The modules that it is built on.
    pub dependencies: Vec<u32>,
    /// Those of them that were removed.
    pub missing: Vec<u32>,
    /// Number of modules that are built on it.
    pub dependents: u32,
    /// What is held from the owner.
    pub deposit: Amount,
    /// Block in which it was registered.
    pub registered_at: u32,
    /// Block in which it was last updated.
    pub updated_at: u32,
}

impl ModuleView {
    /// What the chain says of it.
    pub fn new(record: Record, types: &Types) -> Self {
        let (role, judges, capacity) = match &record.role {
            chain::Role::Idle => (RoleName::Idle, Vec::new(), None),
            chain::Role::Miner => (RoleName::Miner, Vec::new(), None),
            chain::Role::Validator { types: judged, capacity } => {
                (RoleName::Validator, judged.0.iter().map(|number| types.name(*number)).collect(), Some(*capacity))
            },
        };
        Self {
            id: record.id,
            name: text(&record.name),
            r#type: types.name(record.model_type),
            owner: record.owner.to_string(),
            offered_to: record.offered_to.map(|account| account.to_string()),
            endpoint: text(&record.endpoint),
            description: text(&record.description),
            metadata: hash_text(&record.metadata),
            implementation: record.implementation.as_ref().map(hash_text),
            version: record.version,
            role,
            judges,
            capacity,
            parent: record.parent,
            children: record.children,
            dependencies: record.dependencies,
            missing: record.missing,
            dependents: record.dependents,
            deposit: Amount::planck(record.deposit),
            registered_at: record.registered_at,
            updated_at: record.updated_at,
        }
    }
}

/// A module in a list.
#[derive(Clone, Debug, JsonSchema, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct ModuleLine {
    /// Its number.
    pub id: u32,
    /// Its name.
    pub name: String,
    /// The kind of model that it is.
    pub r#type: String,
    /// The part it plays.
    pub role: RoleName,
    /// Who owns it.
    pub owner: String,
    /// Where it is served.
    pub endpoint: String,
}

impl From<ModuleView> for ModuleLine {
    fn from(view: ModuleView) -> Self {
        let ModuleView { id, name, r#type, role, owner, endpoint, .. } = view;
        Self { id, name, r#type, role, owner, endpoint }
    }
}

/// What a name costs.
#[derive(Clone, Debug, JsonSchema, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct PriceView {
    /// The name.
    pub name: String,
    /// The type that a module of this name has.
    pub r#type: String,
    /// Whether it can be registered.
    pub is_free: bool,
    /// The module that has it.
    pub module: Option<u32>,
    /// First block in which it is free again.
    pub free_at: Option<u32>,
    /// Burnt at registration.
    pub burn: Amount,
    /// Held while the module exists.
    pub deposit: Amount,
    /// Both together.
    pub total: Amount,
}

/// A module with all that it is built on.
#[derive(Clone, Debug, JsonSchema, Serialize)]
pub struct PipelineView {
    /// The modules, each after all that it is built on.
    pub modules: Vec<ModuleLine>,
    /// Numbers of modules that something is built on and that were removed.
    pub missing: Vec<u32>,
}

/// A profile as the chain takes it.
pub fn new_profile(
    endpoint: String,
    description: String,
    metadata: Option<crate::chain::H256>,
    implementation: Option<crate::chain::H256>,
) -> pallet_modules::types::NewProfile {
    pallet_modules::types::NewProfile {
        endpoint: endpoint.into_bytes(),
        metadata: metadata.unwrap_or_default(),
        description: description.into_bytes(),
        implementation,
    }
}

/// The number of a module, given by number or name.
///
/// # Errors
///
/// If there is no such module.
pub async fn module_number(at: &At, named: &str) -> Result<u32, Error> {
    Ok(module_record(at, named).await?.id)
}

/// The record of a module, given by number or name.
///
/// # Errors
///
/// If there is no such module.
pub async fn module_record(at: &At, named: &str) -> Result<Record, Error> {
    let api = ensemble::runtime_apis().modules_api();
    let found = match named.parse::<u32>() {
        Ok(number) => ask(at, api.module(number)).await?,
        Err(_) => ask(at, api.module_by_name(named.as_bytes().to_vec())).await?,
    };
    found.ok_or_else(|| Error::not_found(format!("module `{named}`"), "`ensemble module search` finds modules"))
}
