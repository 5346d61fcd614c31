//! Inference: what the off-chain worker asks its node about sessions in which it takes part, or that it watches.

use alloc::{string::String, vec::Vec};

use codec::{Decode, Encode};
use ensemble_core::{
    inference::{Closing, Evidence, RangeIndex, SessionId},
    tasks::Descriptor,
};
use ensemble_tensor::TensorId;
use scale_info::TypeInfo;
use sp_runtime_interface::{
    pass_by::{AllocateAndReturnByCodec, PassFatPointerAndDecode},
    runtime_interface,
};

/// What a node has to say of a range that it served.
#[derive(Clone, Debug, Decode, Encode, Eq, PartialEq, TypeInfo)]
pub enum TraceStatus {
    /// It did not serve it, or has forgotten.
    Absent,
    /// The gateway's trace is not here yet. The node fetches it.
    Waiting,
    /// The gateway says that it gave other inputs than it did, or other positions: nobody is to vote for that.
    Differs,
    /// The trace of what was served, which is in the node's store and pinned until the session is forgotten.
    Ready(Descriptor),
}

/// All that a check of a session depends on.
#[derive(Clone, Debug, Decode, Encode, Eq, PartialEq, TypeInfo)]
pub struct Check {
    /// The session.
    pub session: SessionId,
    /// The model's bundle.
    pub model: TensorId,
    /// BLAKE2b of 32 bytes over the SCALE encoding of the prompt's tokens, a `Vec<u32>`.
    pub prompt: [u8; 32],
    /// The number of the prompt's tokens.
    pub prompt_tokens: u32,
    /// What the gateway said.
    pub closing: Closing,
    /// The trace that won, for each range; nothing where none did.
    pub won: Vec<Option<TensorId>>,
    /// The places of those who revealed it, for each range, as bits.
    pub backers: Vec<u32>,
}

/// How far a check is.
#[derive(Clone, Debug, Decode, Encode, Eq, PartialEq, TypeInfo)]
pub enum CheckStatus {
    /// It waits for contents or for its turn, or is under way.
    Pending,
    /// The whole session was computed again, and everything is as it was said to be.
    Right,
    /// It cannot be checked, or something is wrong that cannot be shown. Asking again changes nothing for some minutes.
    Unable(String),
    /// The session went wrong. What shows it: at most one for each fault.
    Wrong(Vec<Evidence>),
}

/// The node's side of the interface.
#[cfg(feature = "std")]
pub trait InferenceAccess: Send + Sync {
    /// What this node has to say of a range, once the gateway has closed the session.
    fn trace(&self, session: SessionId, range: RangeIndex, closing: Closing) -> TraceStatus;
    /// What this node has to say as the gateway of a session, once the answer is complete. The tokens and the trace are
    /// in its store and pinned until the session is forgotten.
    fn closing(&self, session: SessionId) -> Option<Closing>;
    /// Begins to compute a session again in the background, if that was not begun, and says how far it is. The model has
    /// to be held, and the closing's contents and the traces too, which the worker has fetched.
    fn check(&self, check: Check) -> CheckStatus;
    /// Lets go all that is kept for a session: it is over.
    fn forget(&self, session: SessionId);
}

#[cfg(feature = "std")]
sp_externalities::decl_extension! {
    /// Gives an off-chain worker access to the sessions of its node.
    pub struct InferenceAccessExt(std::sync::Arc<dyn InferenceAccess>);
}

/// Inference functions for off-chain workers.
#[runtime_interface]
pub trait Inference {
    /// What this node has to say of a range that it served.
    fn trace(
        &mut self,
        session: u32,
        range: u32,
        closing: PassFatPointerAndDecode<Closing>,
    ) -> AllocateAndReturnByCodec<TraceStatus> {
        access(*self).trace(session, range, closing)
    }

    /// What this node has to say as the gateway of a session, once the answer is complete.
    fn closing(&mut self, session: u32) -> AllocateAndReturnByCodec<Option<Closing>> {
        access(*self).closing(session)
    }

    /// Begins to compute a session again in the background, if that was not begun, and says how far it is.
    fn check(&mut self, check: PassFatPointerAndDecode<Check>) -> AllocateAndReturnByCodec<CheckStatus> {
        access(*self).check(check)
    }

    /// Lets go all that is kept for a session.
    fn forget(&mut self, session: u32) {
        access(*self).forget(session);
    }
}

#[cfg(feature = "std")]
fn access(mut externalities: &mut dyn sp_externalities::Externalities) -> std::sync::Arc<dyn InferenceAccess> {
    use sp_externalities::ExternalitiesExt;
    externalities
        .extension::<InferenceAccessExt>()
        .expect("inference functions are called in off-chain workers, which the node gives this extension; qed")
        .0
        .clone()
}
