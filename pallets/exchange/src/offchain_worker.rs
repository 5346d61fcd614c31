//! The off-chain worker: has the node fetch what was granted to the accounts in its keystore.
//!
//! What an account was granted is fetched once. That it was is kept in the node's persistent storage, so that what the
//! store has to let go later is not fetched again and again. The worker never waits: the store fetches in the
//! background, and the worker of the next block looks again.

use alloc::vec::Vec;

use codec::{Decode, Encode};
use ensemble_core::{
    exchange::{ReaderId, Received},
    TaskId,
};
use ensemble_host::{tensors, TensorStatus};
use frame_system::pallet_prelude::BlockNumberFor;
use sp_application_crypto::RuntimeAppPublic;
use sp_runtime::{
    offchain::storage::StorageValueRef,
    traits::{SaturatedConversion, Zero},
};

use crate::{Config, Pallet, LOG};

/// Followed by an account: the tasks whose contents were fetched for it.
const FETCHED_PREFIX: &[u8] = b"ensemble/exchange/fetched/";
/// Accounts of a keystore for which a node fetches.
const MAX_READERS: usize = 16;
/// A fetch that failed is tried again in every block whose number this divides.
const RETRY_EVERY: u32 = 20;

impl<T: Config> Pallet<T> {
    pub(crate) fn run_offchain_worker(now: BlockNumberFor<T>) {
        for reader in ReaderId::all().into_iter().take(MAX_READERS) {
            match T::AccountId::decode(&mut &reader.to_raw_vec()[..]) {
                Ok(account) => Self::fetch_for(now, &account),
                Err(_) => log::warn!(target: LOG, "{reader:?} is the key of no account"),
            }
        }
    }

    fn fetch_for(now: BlockNumberFor<T>, account: &T::AccountId) {
        let key = account.using_encoded(|account| [FETCHED_PREFIX, account].concat());
        let stored = StorageValueRef::persistent(&key);
        let fetched: Vec<TaskId> = stored.get().ok().flatten().unwrap_or_default();
        let received = Self::received(account);
        let fetch = |grant: &&Received<_>| fetched.contains(&grant.task) || Self::has_arrived(now, grant);
        let there: Vec<_> = received.iter().filter(fetch).map(|grant| grant.task).collect();
        if there != fetched {
            stored.set(&there);
        }
    }

    /// Whether the node holds what was granted; has it fetched if not.
    fn has_arrived(now: BlockNumberFor<T>, grant: &Received<BlockNumberFor<T>>) -> bool {
        match tensors::status(grant.content.0) {
            TensorStatus::Held { .. } => {
                log::info!(target: LOG, "{}, granted as what won task {}, is here", grant.content, grant.task);
                return true;
            },
            TensorStatus::Failed(_) if !Self::retries(now) => return false,
            TensorStatus::Absent | TensorStatus::Fetching { .. } | TensorStatus::Failed(_) => {},
        }
        // If it cannot come so, it may still come as the rest of it did.
        let _ = tensors::restrict(grant.content.0, grant.task);
        // How much of its disk one content may take is the node's to say.
        tensors::fetch(grant.content.0, u64::MAX);
        false
    }

    fn retries(now: BlockNumberFor<T>) -> bool {
        (now % RETRY_EVERY.saturated_into()).is_zero()
    }
}
