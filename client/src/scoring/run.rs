//! The program: follows the chain, and goes on through restarts of the node.

use std::time::Duration;

use super::{args::Args, caller::Caller, cases, events::Event, measure::Examiner, quality::Judge, rounds::Rounds};
use crate::{
    chain::text,
    commitments::chain_part,
    connection::Connection,
    context::Context,
    error::{Error, Kind},
    events::{asked_to_end, Teller},
    link::Link,
    lock::Lock,
    output::Output,
    views::modules::{module_record, Record},
};

/// From one look at the chain to the next: a third of a block.
const LOOK: Duration = Duration::from_secs(1);

/// Scores miners until somebody ends it.
///
/// # Errors
///
/// If it cannot begin, or something is wrong that waiting does not mend.
pub async fn run(context: &Context, args: &Args) -> Result<Output, Error> {
    args.check()?;
    let cases = cases::read(&args.cases, matches!(args.judge(), Judge::Comparison))?;
    let connection = context.connect().await?;
    let record = module_record(&connection.best().await?, &args.module).await?;
    let key = context.signer(&connection)?;
    check_owner(&record, &key.account().to_string())?;
    let link = Link::new(connection.clone());
    let commitments = context.commitments();
    let lock = format!("{}-validator-{}", chain_part(&link.genesis()), record.id);
    let _alone = Lock::take(commitments.folder()?, &lock, &format!("validator {}", record.id))?;
    let teller = Teller { as_json: context.options.json };
    teller.tell(&Event::Started {
        module: record.id,
        name: text(&record.name),
        account: key.account().to_string(),
        cases: cases.len(),
    })?;
    let examiner = Examiner {
        caller: Caller::new(Duration::from_secs(args.timeout), args.max_answer as usize, args.allow_private)?,
        judge: args.judge(),
        weights: args.weights(),
        cases,
        questions: args.questions as usize,
        concurrency: args.concurrency as usize,
        validator: record.id,
        key,
        genesis: link.genesis(),
    };
    let mut rounds = Rounds::new(examiner, commitments, teller);
    tokio::select! {
        failed = follow(&link, &mut rounds) => failed?,
        asked = asked_to_end() => asked?,
    }
    teller.tell(&Event::Stopped)?;
    Ok(Output::told())
}

/// Takes step after step, and returns only when something is wrong that waiting does not mend.
async fn follow(link: &Link, rounds: &mut Rounds) -> Result<(), Error> {
    let mut is_lost = false;
    loop {
        match step(link, rounds, is_lost).await {
            Ok(()) => is_lost = false,
            Err(error) if passes(&error) => {
                let error = link.note(error).await;
                if !is_lost {
                    rounds.teller.tell(&Event::Disconnected { error: error.to_string() })?;
                }
                is_lost = true;
                link.pause().await;
            },
            Err(error) => return Err(error),
        }
        tokio::time::sleep(LOOK).await;
    }
}

/// Whether it is a matter of time until it works again.
fn passes(error: &Error) -> bool {
    matches!(error.kind(), Kind::NoNode | Kind::Timeout | Kind::NodeRefused | Kind::Failed)
}

async fn step(link: &Link, rounds: &mut Rounds, was_lost: bool) -> Result<(), Error> {
    let connection: Connection = link.get().await?;
    if was_lost {
        rounds.teller.tell(&Event::Connected)?;
    }
    rounds.step(&connection).await
}

/// Refuses a key that is not the owner's, whose commitments the chain would refuse.
fn check_owner(record: &Record, account: &str) -> Result<(), Error> {
    if record.owner.to_string() == account {
        return Ok(());
    }
    Err(Error::NotYours {
        message: format!("module {} is of {}, not of {account}", record.id, record.owner),
        remedy: "sign with the owner's key, by --key".into(),
    })
}
