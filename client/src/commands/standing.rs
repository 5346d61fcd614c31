//! Standing for election as a validator of blocks: `ensemble validator set-keys`, `stand` and `chill`.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use subxt::{ext::scale_decode::DecodeAsType, rpcs::rpc_params};

use crate::{
    chain::{ensemble, types::ensemble_runtime::SessionKeys, At},
    connection::Connection,
    context::Context,
    error::Error,
    output::Output,
    send::{send, Receipt},
    views::{hex_text, modules::module_number},
};

use super::module::change;

/// Session keys that an account has from now on.
#[derive(Clone, Debug, JsonSchema, Serialize)]
pub struct KeysSet {
    /// The account.
    pub account: String,
    /// The public keys, one after the other.
    pub keys: String,
    /// The transaction.
    #[serde(flatten)]
    pub receipt: Receipt,
}

/// Keys that a node made, and its proof that it has them.
#[derive(Deserialize)]
struct Rotated {
    keys: String,
    proof: String,
}

/// Has the node make session keys, and sets them for the account.
///
/// # Errors
///
/// If the node does not make keys for this caller, or the chain refuses them.
pub async fn set_keys(context: &Context) -> Result<Output, Error> {
    let connection = context.connect().await?;
    let best = connection.best().await?;
    let signer = context.signer(&connection)?;
    let account = signer.account();
    let Rotated { keys, proof } = rotate(&connection, &signer.public()).await?;
    let call = ensemble::transactions().session().set_keys(session_keys(&best, &keys)?, bytes(&proof)?);
    let effect = format!("has the node at {} author and finalise blocks for {account}, once it sits", connection.url());
    let sent = send(context, &connection, &signer, &call, &effect).await?;
    Output::of(&KeysSet { account: account.to_string(), keys, receipt: sent.receipt })
}

/// Stands for election with a module.
///
/// # Errors
///
/// If the chain refuses.
pub async fn stand(context: &Context, module: &str) -> Result<Output, Error> {
    let connection = context.connect().await?;
    let id = module_number(&connection.best().await?, module).await?;
    let call = ensemble::transactions().validators().stand(id);
    let effect = format!("stands for election with module {id}: its stake answers for what the account's node does");
    change(context, &connection, &call, id, "standing", &effect).await
}

/// Stands with a module no more.
///
/// # Errors
///
/// If the chain refuses.
pub async fn chill(context: &Context, module: &str) -> Result<Output, Error> {
    let connection = context.connect().await?;
    let id = module_number(&connection.best().await?, module).await?;
    let call = ensemble::transactions().validators().chill(id);
    let effect =
        format!("stands with module {id} no more; who sits stays to the end of the era, and its node must run");
    change(context, &connection, &call, id, "chilled", &effect).await
}

/// Has the node make keys that it keeps, for an account with this public key.
async fn rotate(connection: &Connection, owner: &[u8; 32]) -> Result<Rotated, Error> {
    let method = "author_rotateKeysWithOwner";
    connection.request(method, rpc_params![hex_text(owner)]).await.map_err(|error| match error {
        Error::NodeRefused { code: UNSAFE, .. } => Error::Usage {
            message: format!("the node at {} makes keys for callers on its own machine alone", connection.url()),
            remedy: "run the command there, with --url ws://127.0.0.1:9944".into(),
        },
        other => other,
    })
}

/// The code with which a node refuses an unsafe method.
const UNSAFE: i32 = -32_601;

/// Keys as the call takes them, out of those that the node wrote one after the other.
fn session_keys(at: &At, keys: &str) -> Result<SessionKeys, Error> {
    let metadata = at.metadata();
    let differ = || Error::OldMetadata("the session keys".into());
    let pallet = metadata.pallet_by_name("Session").ok_or_else(differ)?;
    let call = pallet.call_variant_by_name("set_keys").ok_or_else(differ)?;
    let field = call.fields.first().ok_or_else(differ)?;
    SessionKeys::decode_as_type(&mut bytes(keys)?.as_slice(), field.ty.id, metadata.types()).map_err(|_| differ())
}

fn bytes(text: &str) -> Result<Vec<u8>, Error> {
    let differ = |_| Error::OldMetadata("the node's session keys are not hexadecimal".into());
    hex::decode(text.trim_start_matches("0x")).map_err(differ)
}
