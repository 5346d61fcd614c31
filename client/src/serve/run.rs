//! The program: serves, redeems from time to time, and ends in good order.

use std::{sync::Arc, time::Duration};

use parking_lot::Mutex;
use tokio::{
    net::TcpListener,
    sync::{oneshot, Semaphore},
};

use super::{
    args::Args, chain::Chain, counter::Counter, events::Event, http, rates::Rates, receipts::Receipts, till::Till,
    visitors::Visitors,
};
use crate::{
    chain::text,
    commitments::chain_part,
    context::Context,
    error::Error,
    events::{asked_to_end, Teller},
    link::Link,
    lock::Lock,
    output::Output,
    views::modules::{module_record, Record},
    visit::seconds_now,
};

/// Serves a module until somebody ends it.
///
/// # Errors
///
/// If it cannot begin.
pub async fn run(context: &Context, args: &Args) -> Result<Output, Error> {
    let backend = args.backend()?;
    let connection = context.connect().await?;
    let record = module_record(&connection.best().await?, &args.module).await?;
    let key = context.signer(&connection)?;
    let link = Link::new(connection);
    let teller = Teller { as_json: context.options.json };
    let folder = context.commitments().folder()?.to_owned();
    let name = format!("{}-module-{}", chain_part(&link.genesis()), record.id);
    let _alone = Lock::take(&folder, &name, &format!("the endpoint of module {}", record.id))?;
    let receipts = Arc::new(Mutex::new(Receipts::open(folder.join(format!("{name}-receipts.jsonl")))?));
    let listener = listen(args).await?;
    teller.tell(&started(args, &record, &listener)?)?;
    let counter = Arc::new(Counter {
        module: record.id,
        chain: Chain::new(link.clone(), record.id, args.public_url.clone()),
        backend,
        receipts: receipts.clone(),
        rates: Mutex::new(Rates::new(args.ticket_rate)),
        visitors: Mutex::new(Visitors::new(args.validator_rate, seconds_now())),
        busy: Mutex::default(),
        hands: Semaphore::new(args.concurrency as usize),
        teller,
    });
    let till = Till { link, key, receipts, teller };
    let (end, ended) = oneshot::channel();
    let serving = http::serve(listener, counter, args.max_request as usize, args.timeout(), ended);
    let serving = tokio::spawn(serving);
    let every = Duration::from_secs(args.redeem_every);
    tokio::select! {
        failed = redeem_forever(&till, every) => failed?,
        asked = asked_to_end() => asked?,
    }
    // Nobody listens any more only if the server is over already.
    let _ = end.send(());
    serving.await.map_err(|error| Error::Other(format!("the server ended: {error}")))?;
    tokio::select! {
        redeemed = redeem(&till) => redeemed?,
        asked = asked_to_end() => asked?,
    }
    teller.tell(&Event::Stopped)?;
    Ok(Output::told())
}

async fn listen(args: &Args) -> Result<TcpListener, Error> {
    TcpListener::bind(args.listen).await.map_err(|error| Error::Usage {
        message: format!("cannot listen at {}: {error}", args.listen),
        remedy: "name another address with --listen".into(),
    })
}

fn started(args: &Args, record: &Record, listener: &TcpListener) -> Result<Event, Error> {
    let address = listener.local_addr().map_err(|error| Error::Other(error.to_string()))?;
    Ok(Event::Started {
        module: record.id,
        name: text(&record.name),
        listening: format!("http://{address}"),
        public_url: args.public_url.clone().unwrap_or_else(|| text(&record.endpoint)),
    })
}

async fn redeem_forever(till: &Till, every: Duration) -> Result<(), Error> {
    loop {
        tokio::time::sleep(every).await;
        redeem(till).await?;
    }
}

/// Redeems. What does not succeed is told, and tried again the next time.
async fn redeem(till: &Till) -> Result<(), Error> {
    match till.redeem().await {
        Ok(()) => Ok(()),
        Err(error) => till.teller.tell(&Event::failed("redeeming", &error)),
    }
}
