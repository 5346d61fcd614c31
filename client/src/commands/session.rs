//! `ensemble session`: questions that are being answered, and what they cost.

use schemars::JsonSchema;
use serde::Serialize;

use crate::{
    amount::Amount,
    chain::ensemble,
    commands::model::no_model,
    connection::ask,
    context::Context,
    error::Error,
    output::Output,
    views::inference::{QuoteView, SessionView},
};

/// Most sessions of a page of the runtime API.
const PAGE: u32 = 100;

/// What can be asked of sessions.
#[derive(Clone, Debug, clap::Subcommand)]
pub enum Command {
    /// List the sessions that are not over
    List {
        /// Only those of an account: an address or the name of a key
        #[arg(long)]
        of: Option<String>,
    },

    /// Show a session that is not over
    Show {
        /// Its number
        session: u32,
    },

    /// Say what a session would cost
    Quote {
        /// The number of the model
        model: u32,
        /// All tokens, those of the prompt and of the answer
        #[arg(long, default_value_t = 200)]
        tokens: u32,
        /// Number of workers
        #[arg(long, default_value_t = 1)]
        workers: u32,
        /// Workers that do the same, an odd number
        #[arg(long, default_value_t = 1)]
        replicas: u32,
    },

    /// Show the credits that an account can spend on a model
    Credits {
        /// The number of the model
        model: u32,
        /// An address or the name of a key; --key if not given
        account: Option<String>,
    },
}

/// Credits of an account.
#[derive(Clone, Debug, JsonSchema, Serialize)]
pub struct CreditsView {
    /// The account.
    pub account: String,
    /// The model.
    pub model: u32,
    /// What it can spend on it; a credit is worth a planck.
    pub credits: Amount,
    /// The TUNE that it could have held for a session.
    pub funds: Amount,
}

impl Command {
    /// Does what the command line says.
    ///
    /// # Errors
    ///
    /// If the node does not answer, or there is no such model or session.
    pub async fn run(self, context: &Context) -> Result<Output, Error> {
        match self {
            Self::List { of } => list(context, of.as_deref()).await,
            Self::Show { session } => {
                let best = context.connect().await?.best().await?;
                let found = ask(&best, ensemble::runtime_apis().inference_api().session(session)).await?;
                let none = || {
                    let remedy = "`ensemble session list` names those that are not over";
                    Error::not_found(format!("session {session}, or it is over"), remedy)
                };
                Output::of(&SessionView::from(found.ok_or_else(none)?))
            },
            Self::Quote { model, tokens, workers, replicas } => {
                let best = context.connect().await?.best().await?;
                // The last token is not computed with.
                let positions = tokens.saturating_sub(1);
                let call = ensemble::runtime_apis().inference_api().quote(model, positions, workers, replicas);
                let Some(quote) = ask(&best, call).await? else {
                    ask(&best, ensemble::runtime_apis().inference_api().model(model))
                        .await?
                        .ok_or_else(|| no_model(model))?;
                    return Err(Error::Usage {
                        message: format!(
                            "there can be no session of model {model} with so many tokens, workers and replicas"
                        ),
                        remedy: "give fewer tokens, and an odd number of replicas that is no more than that of workers"
                            .into(),
                    });
                };
                Output::of(&QuoteView::new(model, &quote))
            },
            Self::Credits { model, account } => {
                let account = context.account(account.as_deref())?;
                let best = context.connect().await?.best().await?;
                let api = ensemble::runtime_apis().inference_api();
                let credits = Amount::planck(ask(&best, api.credits(account, model)).await?);
                let funds = Amount::planck(ask(&best, api.funds(account)).await?);
                Output::of(&CreditsView { account: account.to_string(), model, credits, funds })
            },
        }
    }
}

async fn list(context: &Context, of: Option<&str>) -> Result<Output, Error> {
    let account = of.map(|name| context.account(Some(name))).transpose()?.map(|account| account.to_string());
    let best = context.connect().await?.best().await?;
    let mut views: Vec<SessionView> = Vec::new();
    let mut first = 0;
    loop {
        let page = ask(&best, ensemble::runtime_apis().inference_api().sessions(first, PAGE)).await?;
        let is_last = page.len() < PAGE as usize;
        first = page.last().map_or(first, |session| session.id.saturating_add(1));
        views.extend(page.into_iter().map(SessionView::from));
        if is_last {
            views.retain(|view| account.as_ref().is_none_or(|account| *account == view.requester));
            return Output::of(&views);
        }
    }
}
