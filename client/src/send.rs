//! Sending a transaction: what it will cost and do is shown before, what it did after.

use std::time::Duration;

use schemars::JsonSchema;
use serde::Serialize;
use subxt::{
    config::PolkadotExtrinsicParamsBuilder,
    error::DispatchError,
    extrinsics::ExtrinsicEvents,
    rpcs::rpc_params,
    transactions::{Payload, SubmittableTransaction, TransactionStatus, ValidationResult},
};
use tokio::time::timeout;

use crate::{
    amount::Amount,
    chain::{ensemble, hash_text, At, Config},
    connection::Connection,
    context::Context,
    error::Error,
    keys::Key,
    progress::waiting,
    views::balances::balance_of,
};

/// Blocks in which a transaction can be included, from the last final one on.
const LIFETIME: u64 = 256;

/// How long it may take until a transaction is in a block.
const PATIENCE: Duration = Duration::from_secs(120);

/// What became of a transaction.
#[derive(Clone, Debug, JsonSchema, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Receipt {
    /// Number of the block that it is in.
    pub block: u64,
    /// Hash of that block.
    pub block_hash: String,
    /// Hash of the transaction.
    pub transaction: String,
    /// Who signed it.
    pub signer: String,
    /// What it cost.
    pub fee: Amount,
}

/// A transaction that is in a block and did what it should.
pub struct Sent {
    /// What became of it.
    pub receipt: Receipt,
    /// What it did.
    pub events: ExtrinsicEvents<Config>,
}

impl Sent {
    /// The first event of a sort.
    ///
    /// # Errors
    ///
    /// If there is none, because the node's runtime is another.
    pub fn event<E: subxt::events::DecodeAsEvent>(&self) -> Result<E, Error> {
        match self.events.find_first::<E>() {
            Some(Ok(event)) => Ok(event),
            _ => Err(Error::OldMetadata("the transaction's event is missing".into())),
        }
    }
}

/// Sends a call: signs it, has the node try it, shows fee and effect, asks, and waits until it is in a block. What the
/// node's trial shows to fail is not sent.
///
/// # Errors
///
/// If it fails in the trial or in its block, nobody agrees, or it does not get into a block in time.
pub async fn send<C: Payload>(
    context: &Context,
    connection: &Connection,
    signer: &Key,
    call: &C,
    effect: &str,
) -> Result<Sent, Error> {
    let best = connection.best().await?;
    let transaction = sign(connection, signer, call).await?;
    let plan = rehearse(connection, &best, signer, &transaction, effect).await?;
    context.confirm(&plan)?;
    waiting("waiting for a block", follow(connection, signer, transaction)).await
}

/// Sends a call without asking, and waits until it is in a block: for programs that run by themselves.
///
/// # Errors
///
/// If it fails in its block, or does not get into one in time.
pub async fn submit<C: Payload>(connection: &Connection, signer: &Key, call: &C) -> Result<Sent, Error> {
    let transaction = sign(connection, signer, call).await?;
    follow(connection, signer, transaction).await
}

type Signed = SubmittableTransaction<Config, subxt::client::OnlineClientAtBlockImpl<Config>>;

/// Signs a call with the next number of the account, those in the pool counted.
async fn sign<C: Payload>(connection: &Connection, signer: &Key, call: &C) -> Result<Signed, Error> {
    let account = signer.account();
    let nonce: u64 = connection.request("system_accountNextIndex", rpc_params![account]).await?;
    // A final block is never undone, and the transaction with it.
    let last = connection.finalized().await?;
    let params = PolkadotExtrinsicParamsBuilder::<Config>::new().nonce(nonce).mortal(LIFETIME).build();
    let mut signable = last.transactions().create_signable(call, &account, params).await.map_err(Error::chain)?;
    signable.sign(signer).map_err(Error::chain)
}

/// Has the node try a transaction. Returns what to show before it is sent.
async fn rehearse(
    connection: &Connection,
    best: &At,
    signer: &Key,
    transaction: &Signed,
    effect: &str,
) -> Result<Vec<String>, Error> {
    let transaction = best.transactions().from_bytes(transaction.encoded().to_vec());
    if let ValidationResult::Invalid(reason) = transaction.validate().await.map_err(Error::chain)? {
        return Err(match reason {
            subxt::transactions::TransactionInvalid::Payment => Error::cannot_pay_fee(),
            other => Error::NotTaken(format!("{other:?}")),
        });
    }
    try_it(connection, best, transaction.encoded()).await?;
    let fee = transaction.partial_fee_estimate().await.map_err(Error::chain)?;
    let balance = balance_of(best, &signer.account()).await?;
    Ok(vec![
        format!("effect   {effect}"),
        format!("account  {}", signer.account()),
        format!("has      {}, of which {} can be spent", balance.total, balance.spendable),
        format!("fee      {}", Amount::planck(fee)),
    ])
}

/// Runs a transaction on the node's state without keeping what it does, where the node offers that to this caller.
async fn try_it(connection: &Connection, best: &At, transaction: &[u8]) -> Result<(), Error> {
    let encoded = format!("0x{}", hex::encode(transaction));
    let answer = connection.request::<String>("system_dryRun", rpc_params![encoded, best.block_hash()]).await;
    let Ok(answer) = answer else { return Ok(()) };
    let bytes = hex::decode(answer.trim_start_matches("0x")).unwrap_or_default();
    // `Ok(Err(error))`: it would be in a block, and fail there.
    let Some(error) = bytes.strip_prefix(&[0, 1]) else { return Ok(()) };
    match DispatchError::decode_from(error, best.metadata()) {
        Ok(error) => Err(Error::dispatch(&error)),
        Err(_) => Ok(()),
    }
}

/// Submits a transaction and waits until it is in a block.
async fn follow(connection: &Connection, signer: &Key, transaction: Signed) -> Result<Sent, Error> {
    let included = async {
        let mut progress = transaction.submit_and_watch().await.map_err(Error::chain)?;
        while let Some(status) = progress.next().await {
            match status.map_err(Error::chain)? {
                TransactionStatus::InBestBlock(block) | TransactionStatus::InFinalizedBlock(block) => {
                    return Ok(block);
                },
                TransactionStatus::Error { message }
                | TransactionStatus::Invalid { message }
                | TransactionStatus::Dropped { message } => return Err(Error::NotTaken(message)),
                _ => {},
            }
        }
        Err(Error::Disconnected("it ended while the transaction was on its way".into()))
    };
    let late = |_| Error::Timeout { what: "the transaction's block".into(), seconds: PATIENCE.as_secs() };
    let block = timeout(PATIENCE, included).await.map_err(late)??;
    let events = block.wait_for_success().await.map_err(Error::chain)?;
    let at = connection.at(block.block_hash()).await?;
    let receipt = Receipt {
        block: at.block_number(),
        block_hash: hash_text(&block.block_hash()),
        transaction: hash_text(&block.extrinsic_hash()),
        signer: signer.account().to_string(),
        fee: Amount::planck(fee_paid(&events)),
    };
    Ok(Sent { receipt, events })
}

fn fee_paid(events: &ExtrinsicEvents<Config>) -> u128 {
    let paid = events.find_first::<ensemble::transaction_payment::events::TransactionFeePaid>();
    paid.and_then(Result::ok).map_or(0, |paid| paid.actual_fee)
}

/// A hash of SCALE-encoded parts, as the chain makes them: BLAKE2b of 32 bytes.
pub fn blake2_256(parts: &[&[u8]]) -> [u8; 32] {
    let mut state = blake2b_simd::Params::new().hash_length(32).to_state();
    for part in parts {
        state.update(part);
    }
    let mut hash = [0; 32];
    hash.copy_from_slice(state.finalize().as_bytes());
    hash
}
