//! Asking for a content.

use std::str::FromStr;

use ensemble_tensor::{Header, Kind};
use schemars::JsonSchema;
use serde::Serialize;

use crate::{
    amount::Amount,
    chain::{
        ensemble,
        types::{
            bounded_collections::bounded_vec::BoundedVec,
            ensemble_core::{exchange::Audience, tasks as chain},
            pallet_tasks::types::Access,
            sp_arithmetic::per_things::Permill,
        },
    },
    commands::stake::millionths,
    context::Context,
    error::Error,
    output::Output,
    send::{send, Receipt},
    tensors::chain_kind,
    views::tasks::asks_for,
};

/// What a new task is.
#[derive(Clone, Debug, clap::Args)]
pub struct CreateArgs {
    /// What it asks for: bytes:LENGTH, bundle:LENGTH, or a kind and a shape such as q8_0:32000x256
    pub content: ContentArg,
    /// Reward of a participant
    #[arg(long)]
    pub base: Amount,
    /// Bond of a participant
    #[arg(long)]
    pub bond: Amount,
    /// Growth of the reward for each further participant, from 0 to 1
    #[arg(long, default_value_t = 0.1)]
    pub growth: f64,
    /// Part of the reward that a minority gets, from 0 to 1
    #[arg(long, default_value_t = 0.5)]
    pub minority_share: f64,
    /// Part of the bond that a minority loses, from 0 to 1
    #[arg(long, default_value_t = 0.4)]
    pub minority_slash: f64,
    /// Number of valid reveals needed
    #[arg(long, default_value_t = 2)]
    pub quorum: u32,
    /// Most participants; a committee's number of members if there is one
    #[arg(long, default_value_t = 16)]
    pub participants: u32,
    /// The accounts that alone may take part: addresses or names of keys
    #[arg(long, value_delimiter = ',')]
    pub committee: Vec<String>,
    /// Count accounts by their bonds, up to this one
    #[arg(long, value_name = "AMOUNT")]
    pub bond_cap: Option<Amount>,
    /// Blocks in which commitments are taken
    #[arg(long, default_value_t = 20)]
    pub commit_blocks: u32,
    /// Blocks in which they are opened
    #[arg(long, default_value_t = 20)]
    pub reveal_blocks: u32,
    /// Blocks in which validators fetch and attest what leads
    #[arg(long, default_value_t = 40)]
    pub attest_blocks: u32,
    /// Who may read what wins
    #[arg(long, value_enum, default_value_t)]
    pub audience: AudienceArg,
    /// The space that is to admit what wins
    #[arg(long)]
    pub space: Option<u32>,
}

/// Who may read what wins.
#[derive(Clone, Copy, Debug, Default, clap::ValueEnum)]
pub enum AudienceArg {
    /// Everybody.
    #[default]
    Public,
    /// Shareholders, and winners of other tasks to whom it is granted.
    Exchanged,
    /// Shareholders.
    Private,
}

/// What a task asks for.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum ContentArg {
    /// Bytes, at most so many.
    Bytes(u32),
    /// A bundle of at most so many bytes.
    Bundle(u64),
    /// A tensor of this kind and shape.
    Tensor(Kind, u32, u32),
}

impl FromStr for ContentArg {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let wrong = || "expected bytes:LENGTH, bundle:LENGTH, or a kind and a shape such as q8_0:32000x256".to_owned();
        let (kind, size) = text.split_once(':').ok_or_else(wrong)?;
        match kind.parse::<Kind>().map_err(|error| error.to_string())? {
            Kind::Bytes => size.parse().map(Self::Bytes).map_err(|_| wrong()),
            Kind::Bundle => size.parse().map(Self::Bundle).map_err(|_| wrong()),
            kind => {
                let (rows, cols) = size.split_once('x').ok_or_else(wrong)?;
                let (rows, cols) = (rows.parse().map_err(|_| wrong())?, cols.parse().map_err(|_| wrong())?);
                Header::new(kind, rows, cols).map_err(|error| error.to_string())?;
                Ok(Self::Tensor(kind, rows, cols))
            },
        }
    }
}

impl From<ContentArg> for chain::Content {
    fn from(content: ContentArg) -> Self {
        match content {
            ContentArg::Bytes(max_len) => Self::Bytes { max_len },
            ContentArg::Bundle(max_bytes) => Self::Bundle { max_bytes },
            ContentArg::Tensor(kind, rows, cols) => Self::Tensor { kind: chain_kind(kind), rows, cols },
        }
    }
}

/// A task that was created.
#[derive(Clone, Debug, JsonSchema, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Created {
    /// Its number.
    pub task: u32,
    /// Last block in which commitments are taken.
    pub commit_until: u32,
    /// Last block in which they are opened.
    pub reveal_until: u32,
    /// What is held until it is settled, beside the rewards.
    pub deposit: Amount,
    /// What is held for the rewards, in the worst case.
    pub escrow: Amount,
    /// What is held for what validators keep, and burnt if a content wins.
    pub rent: Amount,
    /// What was burnt for attestations.
    pub attestations: Amount,
    /// The transaction.
    #[serde(flatten)]
    pub receipt: Receipt,
}

/// Creates a task.
///
/// # Errors
///
/// If the chain refuses.
pub async fn run(context: &Context, args: CreateArgs) -> Result<Output, Error> {
    let connection = context.connect().await?;
    let signer = context.signer(&connection)?;
    let members = args.committee.iter().map(|name| context.account(Some(name))).collect::<Result<Vec<_>, _>>()?;
    let participants =
        if members.is_empty() { args.participants } else { u32::try_from(members.len()).unwrap_or(u32::MAX) };
    let access = if members.is_empty() { Access::Open } else { Access::Committee(BoundedVec(members)) };
    let weighting = match args.bond_cap {
        None => chain::Weighting::Account,
        Some(cap) => chain::Weighting::Bond { cap: cap.planck },
    };
    let terms = chain::Terms {
        base: args.base.planck,
        growth: Permill(millionths(args.growth)?),
        minority_share: Permill(millionths(args.minority_share)?),
        bond: args.bond.planck,
        minority_slash: Permill(millionths(args.minority_slash)?),
    };
    let audience = match args.audience {
        AudienceArg::Public => Audience::Public,
        AudienceArg::Exchanged => Audience::Restricted { exchanged: true },
        AudienceArg::Private => Audience::Restricted { exchanged: false },
    };
    let phases = chain::Phases { commit: args.commit_blocks, reveal: args.reveal_blocks, attest: args.attest_blocks };
    let content = chain::Content::from(args.content);
    let effect = format!(
        "asks for {} by up to {participants} participants, for {} each; the worst case is held until it is settled",
        asks_for(&content),
        args.base
    );
    let call = ensemble::transactions().tasks().create(
        content,
        access,
        weighting,
        phases,
        args.quorum,
        participants,
        terms,
        audience,
        args.space,
    );
    let sent = send(context, &connection, &signer, &call, &effect).await?;
    let event = sent.event::<ensemble::tasks::events::TaskCreated>()?;
    Output::of(&Created {
        task: event.task,
        commit_until: event.commit_until,
        reveal_until: event.reveal_until,
        deposit: Amount::planck(event.deposit),
        escrow: Amount::planck(event.escrow),
        rent: Amount::planck(event.rent),
        attestations: Amount::planck(event.fee),
        receipt: sent.receipt,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_task_asks_for_is_understood() {
        let cases = [
            ("bytes:1000", ContentArg::Bytes(1_000)),
            ("bundle:5000000000", ContentArg::Bundle(5_000_000_000)),
            ("q8_0:32000x256", ContentArg::Tensor(Kind::Q8_0, 32_000, 256)),
        ];
        for (text, expected) in cases {
            assert_eq!(text.parse(), Ok(expected), "{text}");
        }
        for text in ["", "bytes", "bytes:-1", "q8_0:32000", "q8_0:3x7", "f32:1x1", "i16:0x1"] {
            assert!(text.parse::<ContentArg>().is_err(), "{text}");
        }
    }
}
