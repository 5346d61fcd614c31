//! `ensemble validator`: scoring miners.

use crate::{
    chain::{
        ensemble, text,
        types::{bounded_collections::bounded_vec::BoundedVec, ensemble_core::modules::Role},
        At,
    },
    connection::ask,
    context::Context,
    error::Error,
    output::Output,
    scoring::{args::Args, run::run},
    views::{
        modules::{module_record, Types},
        subnet::{ScoreView, ValidatorView},
    },
};

use super::{
    miner::{set_role, switch},
    standing,
};

/// Most miners of a page of the runtime API.
const PAGE: u32 = 1_000;

/// What a validator can do.
#[derive(Clone, Debug, clap::Subcommand)]
pub enum Command {
    /// Take part as a validator, or change what is judged
    Join {
        /// The module, by number or name
        module: String,
        /// The types that it judges; `module types` names them
        #[arg(long, required = true, value_delimiter = ',')]
        types: Vec<String>,
        /// Most miners that it serves at one time
        #[arg(long, default_value_t = 10)]
        capacity: u32,
    },

    /// Take part no more
    Leave {
        /// The module, by number or name
        module: String,
    },

    /// End all matches for a while
    Pause {
        /// The module, by number or name
        module: String,
    },

    /// Take part again after a pause
    Resume {
        /// The module, by number or name
        module: String,
    },

    /// Show miners, duties, reliability and earnings
    Status {
        /// The module, by number or name
        module: String,
    },

    /// List the scores of its miners in the epochs that are kept, and what it said itself
    Scores {
        /// The module, by number or name
        module: String,
    },

    /// Score miners by itself, epoch after epoch, until it is ended
    Run(Args),

    /// Have the node make session keys for validating blocks, and set them
    SetKeys,

    /// Stand for election as a validator of blocks
    Stand {
        /// The module whose stake answers for it, by number or name
        module: String,
    },

    /// Stand no more
    Chill {
        /// The module, by number or name
        module: String,
    },
}

impl Command {
    /// Does what the command line says.
    ///
    /// # Errors
    ///
    /// If the node does not answer, or the chain refuses.
    pub async fn run(self, context: &Context) -> Result<Output, Error> {
        match self {
            Self::Join { module, types, capacity } => {
                let best = context.connect().await?.best().await?;
                let known = Types::of(&best).await?;
                let types = types.iter().map(|name| known.number(name)).collect::<Result<Vec<u16>, _>>()?;
                set_role(context, &module, Role::Validator { types: BoundedVec(types), capacity }, "joined").await
            },
            Self::Leave { module } => set_role(context, &module, Role::Idle, "left").await,
            Self::Pause { module } => switch(context, &module, false).await,
            Self::Resume { module } => switch(context, &module, true).await,
            Self::Status { module } => status(context, &module).await,
            Self::Scores { module } => scores(context, &module).await,
            Self::Run(args) => run(context, &args).await,
            Self::SetKeys => standing::set_keys(context).await,
            Self::Stand { module } => standing::stand(context, &module).await,
            Self::Chill { module } => standing::chill(context, &module).await,
        }
    }
}

async fn status(context: &Context, module: &str) -> Result<Output, Error> {
    let best = context.connect().await?.best().await?;
    let record = module_record(&best, module).await?;
    let validator = ask(&best, ensemble::runtime_apis().matching_api().validator(record.id)).await?;
    let none = || {
        let remedy = format!("`ensemble validator join {module} --types TYPE` makes it one");
        Error::not_found(format!("validator `{module}`: the module plays another part"), remedy)
    };
    let validator = validator.ok_or_else(none)?;
    let miners = miners_of(&best, record.id).await?;
    let duties = ask(&best, ensemble::runtime_apis().scores_api().duties(record.id)).await?;
    let prospect = ask(&best, ensemble::runtime_apis().emission_api().prospect(record.id)).await?;
    let types = Types::of(&best).await?;
    Output::of(&ValidatorView::new(validator, text(&record.name), &types, miners, duties, &prospect))
}

async fn scores(context: &Context, module: &str) -> Result<Output, Error> {
    let best = context.connect().await?.best().await?;
    let record = module_record(&best, module).await?;
    let mut views = Vec::new();
    for miner in miners_of(&best, record.id).await? {
        let results = ask(&best, ensemble::runtime_apis().scores_api().results(miner)).await?;
        views.extend(results.into_iter().map(|result| ScoreView::new(result, Some(record.id))));
    }
    views.sort_by_key(|view| (view.epoch, view.miner));
    Output::of(&views)
}

/// All miners of a validator.
///
/// # Errors
///
/// If the node does not answer.
pub async fn miners_of(at: &At, validator: u32) -> Result<Vec<u32>, Error> {
    let mut miners = Vec::new();
    loop {
        let first = u32::try_from(miners.len()).unwrap_or(u32::MAX);
        let page = ask(at, ensemble::runtime_apis().matching_api().miners_of(validator, first, PAGE)).await?;
        let is_last = page.len() < PAGE as usize;
        miners.extend(page);
        if is_last {
            return Ok(miners);
        }
    }
}
