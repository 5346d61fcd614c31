//! Being a worker: joining a model, and announcing the node by which gateways reach this one.

use subxt::rpcs::rpc_params;

use super::{attester::Attester, Service};
use crate::{
    amount::Amount,
    chain::{
        ensemble,
        types::{
            bounded_collections::bounded_vec::BoundedVec,
            ensemble_core::attester::app::{Public, Signature},
        },
        AccountId32, At,
    },
    commands::model::no_model,
    connection::{ask, Connection},
    error::Error,
    miner::{Event, Miner},
    send::submit,
    views::hex_text,
};

/// Most bytes of a peer id.
const MAX_PEER: usize = 64;

/// What it takes to be reached as a worker.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum Step {
    /// To become one, with this bond.
    Join(Amount),
    /// To announce another node or key.
    Announce,
    /// Nothing.
    None,
}

/// A node, as the chain names it.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Peer {
    /// Its peer id.
    pub bytes: Vec<u8>,
    /// The same as a text.
    pub text: String,
}

impl Peer {
    /// That of the node at the other end.
    ///
    /// # Errors
    ///
    /// If the node says none.
    pub async fn of(connection: &Connection) -> Result<Self, Error> {
        Self::parse(connection.request("system_localPeerId", rpc_params![]).await?)
    }

    fn parse(text: String) -> Result<Self, Error> {
        let bytes = bs58::decode(&text).into_vec().ok().filter(|bytes| (1..=MAX_PEER).contains(&bytes.len()));
        let bytes = bytes.ok_or_else(|| Error::OldMetadata("the node's peer id is none".into()))?;
        Ok(Self { bytes, text })
    }
}

/// What an account has to do so that gateways reach it by a node.
///
/// # Errors
///
/// If there is no such model, or the account serves another one.
pub async fn step(
    best: &At,
    account: &AccountId32,
    service: &Service,
    attester: &Attester,
    peer: &Peer,
) -> Result<Step, Error> {
    let api = || ensemble::runtime_apis().inference_api();
    if ask(best, api().model(service.model)).await?.is_none() {
        return Err(no_model(service.model));
    }
    let Some(worker) = ask(best, api().worker(*account)).await? else {
        let least = ensemble::constants().inference().min_bond();
        let least = best.constants().entry(least).map_err(Error::chain)?;
        return Ok(Step::Join(service.bond.unwrap_or(Amount::planck(least))));
    };
    if worker.model != service.model {
        return Err(Error::Usage {
            message: format!("{account} serves model {}, and an account serves one", worker.model),
            remedy: "name that one with --model, or end it with `ensemble model leave`".into(),
        });
    }
    let is_known = worker.party.peer.0 == peer.bytes && worker.party.key.0 == attester.public();
    Ok(if is_known { Step::None } else { Step::Announce })
}

/// Does what there is to do. Only where it `may_join` does an account become a worker that is none.
///
/// # Errors
///
/// If the account is no worker and may not join, or the chain refuses.
pub async fn take(
    miner: &Miner<'_>,
    connection: &Connection,
    service: &Service,
    attester: &Attester,
    peer: &Peer,
    may_join: bool,
) -> Result<(), Error> {
    let step = step(&connection.best().await?, &miner.account, service, attester, peer).await?;
    if !may_join && matches!(step, Step::Join(_)) {
        return Err(Error::Usage {
            message: format!("{} has left model {}", miner.account, service.model),
            remedy: "start the miner without --model, or once more to join again".into(),
        });
    }
    let calls = ensemble::transactions().inference();
    let (id, key) = (BoundedVec(peer.bytes.clone()), Public(attester.public()));
    let proof = Signature(attester.proof(&miner.account));
    let _turn = miner.sending.lock().await;
    match step {
        Step::None => Ok(()),
        Step::Join(bond) => {
            let call = calls.join(service.model, id, key, proof, bond.planck);
            let block = submit(connection, &miner.key, &call).await?.receipt.block;
            miner.tell(&Event::WorkerJoined { model: service.model, bond, block })
        },
        Step::Announce => {
            let block = submit(connection, &miner.key, &calls.announce(id, key, proof)).await?.receipt.block;
            let key = hex_text(&attester.public());
            miner.tell(&Event::Announced { model: service.model, peer: peer.text.clone(), key, block })
        },
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_peer_id_is_the_bytes_of_its_text() {
        let text = "12D3KooWEyoppNCUx8Yx66oV9fJnriXwCcXwDDUA2kj6vnc6iDEp";
        let peer = Peer::parse(text.into()).expect("is a peer id");
        assert_eq!((peer.bytes.len(), &peer.bytes[..6]), (38, [0, 0x24, 8, 1, 0x12, 0x20].as_slice()));
        for bad in ["", "0OIl", &"1".repeat(65)] {
            assert!(Peer::parse(bad.into()).is_err(), "{bad}");
        }
    }
}
