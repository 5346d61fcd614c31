//! The gateways that may open substreams to this node.

use std::collections::HashSet;

use ensemble_core::inference::SessionPhase;
use ensemble_runtime::Hash;
use parking_lot::Mutex;
use sc_network_types::PeerId;

use crate::rows::{
    chain::{self, Session, Unavailable},
    Context,
};

/// The gateways of the sessions in which keys of this node take part, or somebody to whom it hands messages on, or may be
/// about to.
#[derive(Default)]
pub struct Gateways(Mutex<Option<Known>>);

/// The gateways by the state of a block.
struct Known {
    block: Hash,
    peers: HashSet<PeerId>,
}

impl Gateways {
    /// Whether a peer is among them. Whoever asks first after a block looks through all sessions, and others wait, so
    /// that strangers who knock have nothing computed.
    pub fn has(&self, context: &Context, peer: &PeerId) -> bool {
        let (mut known, best) = (self.0.lock(), context.chain.best());
        if known.as_ref().is_none_or(|known| known.block != best) {
            let Ok(peers) = find(context) else { return false };
            *known = Some(Known { block: best, peers });
        }
        known.as_ref().is_some_and(|known| known.peers.contains(peer))
    }
}

fn find(context: &Context) -> Result<HashSet<PeerId>, Unavailable> {
    let sessions = context.chain.sessions()?;
    let calling = sessions.iter().filter(|session| may_call(context, session));
    Ok(calling.filter_map(|session| chain::peer(&session.gateway)).collect())
}

fn may_call(context: &Context, session: &Session) -> bool {
    match &session.phase {
        // This node may know a block less than the gateway.
        SessionPhase::Open { .. } => true,
        SessionPhase::Assigned { workers, .. } => {
            workers.iter().any(|worker| context.keyring.has(&worker.key) || context.relays_for(worker))
        },
        SessionPhase::Voting { .. } | SessionPhase::Disputable { .. } => false,
    }
}
