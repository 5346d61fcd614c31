//! `ensemble module`: the registry of modules.

use schemars::JsonSchema;
use serde::Serialize;
use subxt::transactions::Payload;

use crate::{
    amount::Amount,
    chain::{ensemble, text, types::ensemble_core::modules as chain, At, H256},
    connection::{ask, Connection},
    context::{hash, Context},
    error::Error,
    output::Output,
    send::{send, Receipt, Sent},
    serve::{args::Args, run::run},
    views::modules::{
        module_number, module_record, new_profile, ModuleLine, ModuleView, PipelineView, PriceView, Types,
    },
};

/// Most modules of a page of the runtime API.
const PAGE: u32 = 100;

/// What can be done with modules.
#[derive(Clone, Debug, clap::Subcommand)]
pub enum Command {
    /// Register a name for a service
    Register {
        /// Words of a-z and 0-9, joined by - or _ to labels, and those by . to names
        name: String,
        /// What it says of itself
        #[command(flatten)]
        profile: ProfileArgs,
        /// The most that it may cost; a tenth more than now if not given, as others may register before
        #[arg(long)]
        max_price: Option<Amount>,
    },

    /// Change where a module is served and what it says of itself; what is not given stays
    Update {
        /// The module, by number or name
        module: String,
        /// What it says of itself anew
        #[command(flatten)]
        profile: ProfileChanges,
    },

    /// Offer a module to somebody, who accepts; or cancel the offer
    Transfer {
        /// The module, by number or name
        module: String,
        /// An address or the name of a key
        #[arg(required_unless_present_any = ["cancel", "accept"])]
        to: Option<String>,
        /// Take the offer back
        #[arg(long, conflicts_with_all = ["to", "accept"])]
        cancel: bool,
        /// Accept the offer, and pay the deposit
        #[arg(long, conflicts_with = "to")]
        accept: bool,
    },

    /// Remove a module; its deposit returns
    Remove {
        /// The module, by number or name
        module: String,
    },

    /// Show a module
    Info {
        /// The module, by number or name
        module: String,
    },

    /// List the modules of an account
    List {
        /// An address or the name of a key; --key if not given
        owner: Option<String>,
    },

    /// Find modules by the beginning of their names, and their type
    Search {
        /// How their names begin
        #[arg(default_value = "")]
        prefix: String,
        /// Their type; `module types` names them
        #[arg(long)]
        r#type: Option<String>,
        /// Most modules
        #[arg(long, default_value_t = 100)]
        limit: usize,
    },

    /// Show all that a module is built on, in an order in which it can be built
    Pipeline {
        /// The module, by number or name
        module: String,
    },

    /// Say which modules a module is built on; none ends it
    BuildOn {
        /// The module, by number or name
        module: String,
        /// The modules that it is built on, by numbers or names
        on: Vec<String>,
    },

    /// Say what a name costs, and whether it is free
    Price {
        /// The name
        name: String,
    },

    /// Name the types of models
    Types,

    /// Serve calls to those who have tickets, by a command or a service of this machine
    Serve(Args),
}

/// What an owner says of a new module.
#[derive(Clone, Debug, clap::Args)]
pub struct ProfileArgs {
    /// Where it is served: a URL or a multiaddress
    #[arg(long)]
    pub endpoint: String,
    /// A short text for people
    #[arg(long, default_value = "")]
    pub description: String,
    /// Hash of a document about it
    #[arg(long, value_parser = hash, value_name = "HASH")]
    pub metadata: Option<H256>,
    /// Hash of the implementation that it runs
    #[arg(long, value_parser = hash, value_name = "HASH")]
    pub implementation: Option<H256>,
}

/// What an owner says anew of a module.
#[derive(Clone, Debug, clap::Args)]
#[group(required = true, multiple = true)]
pub struct ProfileChanges {
    /// Where it is served: a URL or a multiaddress
    #[arg(long)]
    pub endpoint: Option<String>,
    /// A short text for people
    #[arg(long)]
    pub description: Option<String>,
    /// Hash of a document about it
    #[arg(long, value_parser = hash, value_name = "HASH")]
    pub metadata: Option<H256>,
    /// Hash of the implementation that it runs
    #[arg(long, value_parser = hash, value_name = "HASH")]
    pub implementation: Option<H256>,
}

/// A module that was registered.
#[derive(Clone, Debug, JsonSchema, Serialize)]
pub struct Registered {
    /// Its number.
    pub module: u32,
    /// Its name.
    pub name: String,
    /// The kind of model that it is.
    pub r#type: String,
    /// What was burnt for it.
    pub burnt: Amount,
    /// What is held for it.
    pub deposit: Amount,
    /// The transaction.
    #[serde(flatten)]
    pub receipt: Receipt,
}

/// A module that was changed.
#[derive(Clone, Debug, JsonSchema, Serialize)]
pub struct ModuleChanged {
    /// Its number.
    pub module: u32,
    /// What became of it.
    pub done: String,
    /// The transaction.
    #[serde(flatten)]
    pub receipt: Receipt,
}

impl Command {
    /// Does what the command line says.
    ///
    /// # Errors
    ///
    /// If the node does not answer, or the chain refuses.
    pub async fn run(self, context: &Context) -> Result<Output, Error> {
        match self {
            Self::Register { name, profile, max_price } => register(context, name, profile, max_price).await,
            Self::Update { module, profile } => update(context, &module, profile).await,
            Self::Transfer { module, to, cancel, accept } => {
                transfer(context, &module, to.as_deref(), cancel, accept).await
            },
            Self::Remove { module } => remove(context, &module).await,
            Self::Info { module } => {
                let best = context.connect().await?.best().await?;
                let record = module_record(&best, &module).await?;
                Output::of(&ModuleView::new(record, &Types::of(&best).await?))
            },
            Self::List { owner } => {
                let owner = context.account(owner.as_deref())?;
                let best = context.connect().await?.best().await?;
                let query = chain::Query { prefix: Vec::new(), model_type: None, owner: Some(owner) };
                lines(&best, query, usize::MAX).await
            },
            Self::Search { prefix, r#type, limit } => {
                let best = context.connect().await?.best().await?;
                let types = Types::of(&best).await?;
                let model_type = r#type.map(|name| types.number(&name)).transpose()?;
                lines(&best, chain::Query { prefix: prefix.into_bytes(), model_type, owner: None }, limit).await
            },
            Self::Pipeline { module } => pipeline(context, &module).await,
            Self::BuildOn { module, on } => build_on(context, &module, &on).await,
            Self::Price { name } => {
                let best = context.connect().await?.best().await?;
                Output::of(&price(&best, &name).await?)
            },
            Self::Types => {
                let best = context.connect().await?.best().await?;
                Output::of(&Types::of(&best).await?.all())
            },
            Self::Serve(args) => run(context, &args).await,
        }
    }
}

async fn register(
    context: &Context,
    name: String,
    profile: ProfileArgs,
    max_price: Option<Amount>,
) -> Result<Output, Error> {
    let connection = context.connect().await?;
    let best = connection.best().await?;
    let price = price(&best, &name).await?;
    let most = max_price.unwrap_or_else(|| with_tolerance(price.total));
    let signer = context.signer(&connection)?;
    let ProfileArgs { endpoint, description, metadata, implementation } = profile;
    let profile = new_profile(endpoint, description, metadata, implementation);
    let call = ensemble::transactions().modules().register(name.clone().into_bytes(), profile, most.planck);
    let effect = format!(
        "registers `{name}`, of type {}: {} are burnt, {} held while it exists, or together {most} at most",
        price.r#type, price.burn, price.deposit
    );
    let sent = send(context, &connection, &signer, &call, &effect).await?;
    let event = sent.event::<ensemble::modules::events::ModuleRegistered>()?;
    Output::of(&Registered {
        module: event.module,
        name,
        r#type: Types::of(&best).await?.name(event.model_type),
        burnt: Amount::planck(event.burnt),
        deposit: Amount::planck(event.deposit),
        receipt: sent.receipt,
    })
}

/// What a name may cost that costs so much now: each registration before this one raises the price a little.
fn with_tolerance(price: Amount) -> Amount {
    Amount::planck(price.planck.saturating_add(price.planck / 10))
}

async fn update(context: &Context, module: &str, changes: ProfileChanges) -> Result<Output, Error> {
    let connection = context.connect().await?;
    let record = module_record(&connection.best().await?, module).await?;
    let profile = new_profile(
        changes.endpoint.unwrap_or_else(|| text(&record.endpoint)),
        changes.description.unwrap_or_else(|| text(&record.description)),
        Some(changes.metadata.unwrap_or(record.metadata)),
        changes.implementation.or(record.implementation),
    );
    let call = ensemble::transactions().modules().update(record.id, profile);
    change(context, &connection, &call, record.id, "updated", &format!("updates module {}", record.id)).await
}

async fn transfer(
    context: &Context,
    module: &str,
    to: Option<&str>,
    cancel: bool,
    accept: bool,
) -> Result<Output, Error> {
    let connection = context.connect().await?;
    let record = module_record(&connection.best().await?, module).await?;
    let (id, calls) = (record.id, ensemble::transactions().modules());
    if cancel {
        let effect = format!("takes back the offer of module {id}");
        return change(context, &connection, &calls.cancel_transfer(id), id, "offer cancelled", &effect).await;
    }
    if accept {
        let effect = format!("takes over module {id} and its deposit of {}", Amount::planck(record.deposit));
        return change(context, &connection, &calls.accept_transfer(id), id, "accepted", &effect).await;
    }
    let to = context.account(to)?;
    let effect = format!("offers module {id} to {to}, who becomes its owner by accepting");
    change(context, &connection, &calls.offer_transfer(id, to), id, "offered", &effect).await
}

async fn remove(context: &Context, module: &str) -> Result<Output, Error> {
    let connection = context.connect().await?;
    let record = module_record(&connection.best().await?, module).await?;
    let effect = format!(
        "removes module {} ({}); {} return, and nobody can take the name for a while",
        record.id,
        text(&record.name),
        Amount::planck(record.deposit)
    );
    let call = ensemble::transactions().modules().remove(record.id);
    change(context, &connection, &call, record.id, "removed", &effect).await
}

async fn build_on(context: &Context, module: &str, on: &[String]) -> Result<Output, Error> {
    let connection = context.connect().await?;
    let best = connection.best().await?;
    let id = module_number(&best, module).await?;
    let mut dependencies = Vec::new();
    for named in on {
        dependencies.push(module_number(&best, named).await?);
    }
    let effect = format!("module {id} is built on {} others", dependencies.len());
    let call = ensemble::transactions().modules().set_dependencies(id, dependencies);
    change(context, &connection, &call, id, "dependencies set", &effect).await
}

/// Sends a call about a module.
///
/// # Errors
///
/// If the chain refuses it.
pub async fn change<C: Payload>(
    context: &Context,
    connection: &Connection,
    call: &C,
    module: u32,
    done: &str,
    effect: &str,
) -> Result<Output, Error> {
    let signer = context.signer(connection)?;
    let Sent { receipt, .. } = send(context, connection, &signer, call, effect).await?;
    Output::of(&ModuleChanged { module, done: done.into(), receipt })
}

/// Modules that a query finds, as far as `limit`.
async fn lines(at: &At, query: chain::Query<crate::chain::AccountId32>, limit: usize) -> Result<Output, Error> {
    let types = Types::of(at).await?;
    let mut found: Vec<ModuleLine> = Vec::new();
    let mut after = None;
    loop {
        let query = chain::Query { prefix: query.prefix.clone(), ..query };
        let page = ask(at, ensemble::runtime_apis().modules_api().search(query, after, PAGE)).await?;
        found.extend(page.modules.into_iter().map(|record| ModuleView::new(record, &types).into()));
        after = page.next;
        if after.is_none() || found.len() >= limit {
            found.truncate(limit);
            return Output::of(&found);
        }
    }
}

async fn pipeline(context: &Context, module: &str) -> Result<Output, Error> {
    let best = context.connect().await?.best().await?;
    let id = module_number(&best, module).await?;
    let resolved = ask(&best, ensemble::runtime_apis().modules_api().pipeline(id)).await?;
    let resolved =
        resolved.map_err(|error| Error::Other(format!("the pipeline of module {id} cannot be resolved: {error:?}")))?;
    let types = Types::of(&best).await?;
    let mut modules = Vec::new();
    for number in resolved.order {
        modules.push(ModuleView::new(module_record(&best, &number.to_string()).await?, &types).into());
    }
    Output::of(&PipelineView { modules, missing: resolved.missing })
}

/// What a name costs.
async fn price(at: &At, name: &str) -> Result<PriceView, Error> {
    let api = ensemble::runtime_apis().modules_api();
    let no_name = |error: chain::NameError| Error::Usage {
        message: format!("`{name}` is no name: {}", why_no_name(&error)),
        remedy: "choose words of a-z and 0-9, joined by - or _, and labels joined by .".into(),
    };
    let price = ask(at, api.price(name.as_bytes().to_vec())).await?.map_err(no_name)?;
    let model_type = ask(at, api.type_of_name(name.as_bytes().to_vec())).await?.map_err(no_name)?;
    let (module, free_at) = match price.state {
        None => (None, None),
        Some(chain::NameState::Taken(module)) => (Some(module), None),
        Some(chain::NameState::Reserved { until }) => (None, Some(until)),
    };
    Ok(PriceView {
        name: name.into(),
        r#type: Types::of(at).await?.name(model_type),
        is_free: module.is_none() && free_at.is_none(),
        module,
        free_at,
        burn: Amount::planck(price.quote.burn),
        deposit: Amount::planck(price.quote.deposit),
        total: Amount::planck(price.quote.burn.saturating_add(price.quote.deposit)),
    })
}

fn why_no_name(error: &chain::NameError) -> &'static str {
    match error {
        chain::NameError::Empty => "it is empty",
        chain::NameError::TooLong => "it is longer than 64 bytes",
        chain::NameError::Character => "it has a character that no name has",
        chain::NameError::Separator => "a separator does not stand between two words",
        chain::NameError::TooManyLabels => "it has too many labels",
        chain::NameError::TooManyWords => "it has too many words",
    }
}
