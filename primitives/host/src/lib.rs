//! The host interface through which the off-chain worker reaches the node's tensor store, has it combine contents, and
//! asks it about sessions of inference.
//!
//! Policy stays in the runtime: the worker decides what to fetch, what to keep and what to combine. The node stores,
//! transfers, verifies and computes. The functions answer at once; fetching and computing go on in the background, and
//! their progress is asked for later. They exist in off-chain workers only.

#![cfg_attr(not(feature = "std"), no_std)]
#![expect(clippy::cast_possible_truncation, reason = "codec's derive numbers variants with `as u8`")]

extern crate alloc;

use alloc::vec::Vec;

mod combine;
mod sessions;

pub use combine::aggregation;
#[cfg(feature = "std")]
pub use combine::{AggregationAccess, AggregationAccessExt};
pub use sessions::{inference, Check, CheckStatus, TraceStatus};
#[cfg(feature = "std")]
pub use sessions::{InferenceAccess, InferenceAccessExt};

use codec::{Decode, Encode};
use ensemble_tensor::{Header, TensorId};
use scale_info::TypeInfo;
use sp_runtime_interface::{
    pass_by::{AllocateAndReturnByCodec, PassFatPointerAndDecode, PassPointerAndReadCopy},
    runtime_interface,
};

/// What the node has of a tensor.
#[derive(Clone, Debug, Decode, Encode, Eq, PartialEq, TypeInfo)]
pub enum TensorStatus {
    /// Nothing, and nobody asked for it.
    Absent,
    /// It is being fetched.
    Fetching {
        /// Verified bytes so far.
        received: u64,
        /// Bytes in all, once the header is known.
        total: Option<u64>,
    },
    /// All of it, every byte verified against the id. For a bundle: the manifest and every member.
    Held {
        /// Kind and shape.
        header: Header,
        /// Bytes held for it: data of the tensor, or of a bundle's manifest and members together.
        bytes: u64,
        /// Whether it, or a member of the bundle, is served to those alone who are entitled to what won some task.
        restricted: bool,
    },
    /// Fetching was given up. Asking again starts anew.
    Failed(FetchError),
}

/// Why a tensor could not be fetched.
#[derive(Clone, Copy, Debug, Decode, Encode, Eq, PartialEq, TypeInfo)]
pub enum FetchError {
    /// No peer that was asked has it.
    NotFound,
    /// It is larger than the caller allows.
    TooLarge,
    /// It does not fit into the store's quota.
    StoreFull,
    /// The bytes have the right hash but are no valid tensor or bundle.
    Invalid,
    /// The store could not read or write.
    Storage,
    /// Those who have it serve it to those alone who are entitled to it, and none of this node's keys is.
    Restricted,
}

/// As what a tensor came: as content of a task, and that content: the tensor itself, or the bundle that it belongs to.
pub type CameAs = (u32, TensorId);

/// What came of keeping a tensor from being collected.
#[derive(Clone, Copy, Debug, Decode, Encode, Eq, PartialEq, TypeInfo)]
pub enum Pinning {
    /// It is not held, or what is pinned would take too much of the store.
    Refused,
    /// It is pinned from now on.
    Begun,
    /// It was pinned before, by whomever.
    Known,
}

impl Pinning {
    /// Whether it is pinned.
    pub fn is_pinned(self) -> bool {
        self != Self::Refused
    }
}

/// The node's side of the interface.
#[cfg(feature = "std")]
pub trait TensorAccess: Send + Sync {
    /// What the node has of `id`.
    fn status(&self, id: TensorId) -> TensorStatus;
    /// Starts to fetch `id` in the background, if it is neither held nor being fetched. `max_bytes` bounds the data, for
    /// a bundle of the manifest and all members together.
    fn fetch(&self, id: TensorId, max_bytes: u64);
    /// The data, without header, of a tensor that is held, if it has at most `max_bytes`.
    fn read(&self, id: TensorId, max_bytes: u32) -> Option<Vec<u8>>;
    /// Keeps what is held under `id` (for a bundle also its members) from being collected.
    fn pin(&self, id: TensorId) -> Pinning;
    /// Ends the effect of `pin`.
    fn unpin(&self, id: TensorId);
    /// Lets what is to be fetched under `id`, for a bundle with its members, also come from those who restrict it to whom
    /// the chain entitles to what won `task`. If it does, so does this node; what comes openly is open, and what is held
    /// stays as it is. Returns whether those are served it: of what is held, whether all of it is open or restricted to
    /// them; of what is not, whether it may come so.
    fn restrict(&self, id: TensorId, task: u32) -> bool;
    /// As what those parts of `id` came, the tensor or a bundle's members, that are restricted by how they came. Nothing
    /// if it is not held, if the operator restricted any of them, or if that is not known.
    fn came_as(&self, id: TensorId) -> Option<Vec<CameAs>>;
    /// Looks in the background for others who serve openly what of `id` came as these alone. What they give, every byte
    /// of it, is open from then on. `max_bytes` as for `fetch`.
    fn reopen(&self, id: TensorId, max_bytes: u64, came_as: Vec<CameAs>);
}

#[cfg(feature = "std")]
sp_externalities::decl_extension! {
    /// Gives an off-chain worker access to the tensor store.
    pub struct TensorAccessExt(std::sync::Arc<dyn TensorAccess>);
}

/// Tensor store functions for off-chain workers.
#[runtime_interface]
pub trait Tensors {
    /// What the node has of the tensor `id`.
    fn status(&mut self, id: PassPointerAndReadCopy<[u8; 32], 32>) -> AllocateAndReturnByCodec<TensorStatus> {
        access(*self).status(TensorId(id))
    }

    /// Starts to fetch the tensor `id` in the background.
    fn fetch(&mut self, id: PassPointerAndReadCopy<[u8; 32], 32>, max_bytes: u64) {
        access(*self).fetch(TensorId(id), max_bytes);
    }

    /// The data of the tensor `id`, if it is held and has at most `max_bytes`: for what is small, like a manifest.
    fn read(
        &mut self,
        id: PassPointerAndReadCopy<[u8; 32], 32>,
        max_bytes: u32,
    ) -> AllocateAndReturnByCodec<Option<Vec<u8>>> {
        access(*self).read(TensorId(id), max_bytes)
    }

    /// Keeps the tensor `id` from being collected; says whether it was not before.
    fn pin(&mut self, id: PassPointerAndReadCopy<[u8; 32], 32>) -> AllocateAndReturnByCodec<Pinning> {
        access(*self).pin(TensorId(id))
    }

    /// Ends the effect of `pin`.
    fn unpin(&mut self, id: PassPointerAndReadCopy<[u8; 32], 32>) {
        access(*self).unpin(TensorId(id));
    }

    /// Lets the tensor `id`, if it is to be fetched, come as restricted content of `task`; says whether it is, or can be,
    /// served as that.
    fn restrict(&mut self, id: PassPointerAndReadCopy<[u8; 32], 32>, task: u32) -> bool {
        access(*self).restrict(TensorId(id), task)
    }

    /// As what the restricted parts of `id` came.
    fn came_as(&mut self, id: PassPointerAndReadCopy<[u8; 32], 32>) -> AllocateAndReturnByCodec<Option<Vec<CameAs>>> {
        access(*self).came_as(TensorId(id))
    }

    /// Looks for others who serve openly what of `id` came as these alone.
    fn reopen(
        &mut self,
        id: PassPointerAndReadCopy<[u8; 32], 32>,
        max_bytes: u64,
        came_as: PassFatPointerAndDecode<Vec<CameAs>>,
    ) {
        access(*self).reopen(TensorId(id), max_bytes, came_as);
    }
}

#[cfg(feature = "std")]
fn access(mut externalities: &mut dyn sp_externalities::Externalities) -> std::sync::Arc<dyn TensorAccess> {
    use sp_externalities::ExternalitiesExt;
    externalities
        .extension::<TensorAccessExt>()
        .expect("tensor functions are called in off-chain workers, which the node gives this extension; qed")
        .0
        .clone()
}
