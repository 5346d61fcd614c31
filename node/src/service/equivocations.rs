//! Equivocations: who signs two blocks for one slot is reported to the chain, with both headers as it signed them.
//!
//! BABE's own block import looks for them as well, but sees headers whose seals the verifier has taken off. What it
//! reports proves nothing and fails on chain, so [`partial`](super::partial) has its reports rejected. And it takes
//! the proof of who owns the key from the parent's session, which is another one for the first block of a session.

use std::{
    collections::{btree_map::Entry, BTreeMap},
    sync::Arc,
};

use ensemble_runtime::{opaque::Block, Hash, Header};
use parking_lot::Mutex;
use sc_consensus::{BlockCheckParams, BlockImport, BlockImportParams, ImportResult};
use sc_consensus_babe::find_pre_digest;
use sc_transaction_pool_api::OffchainTransactionPoolFactory;
use sp_api::{ApiError, ApiExt, ProvideRuntimeApi};
use sp_blockchain::HeaderBackend;
use sp_consensus::BlockOrigin;
use sp_consensus_babe::{check_equivocation_proof, AuthorityIndex, BabeApi, EquivocationProof, Slot};

use super::partial::Client;

/// Target of these log lines: that of BABE.
const LOG_TARGET: &str = "babe";
/// Slots, up to the latest, whose headers are remembered: an hour.
const REMEMBERED_SLOTS: u64 = 1_200;

/// A block import that reports equivocations among the blocks that it imports.
#[derive(Clone)]
pub struct Watched<I> {
    inner: I,
    watch: Arc<Watch>,
}

impl<I> Watched<I> {
    /// Watches the blocks that `inner` imports; reports go to the pool.
    pub fn new(inner: I, client: Arc<Client>, pool: OffchainTransactionPoolFactory<Block>) -> Self {
        Self { inner, watch: Arc::new(Watch { client, pool, seen: Mutex::default() }) }
    }
}

#[async_trait::async_trait]
impl<I: BlockImport<Block> + Send + Sync> BlockImport<Block> for Watched<I> {
    type Error = I::Error;

    async fn check_block(&self, block: BlockCheckParams<Block>) -> Result<ImportResult, Self::Error> {
        self.inner.check_block(block).await
    }

    async fn import_block(&self, block: BlockImportParams<Block>) -> Result<ImportResult, Self::Error> {
        let news = is_news(&block).then(|| block.post_header());
        let result = self.inner.import_block(block).await?;
        if let (Some(header), ImportResult::Imported(_)) = (news, &result) {
            self.watch.look_at(&header);
        }
        Ok(result)
    }
}

/// Whether a block is one of these minutes, and is executed. What a node catches up with is reported long since.
fn is_news(block: &BlockImportParams<Block>) -> bool {
    let caught_up = matches!(block.origin, BlockOrigin::NetworkInitialSync | BlockOrigin::WarpSync);
    !caught_up && !block.with_state() && !block.post_digests.is_empty()
}

struct Watch {
    client: Arc<Client>,
    pool: OffchainTransactionPoolFactory<Block>,
    seen: Mutex<Seen>,
}

impl Watch {
    /// Looks at the header of a block that was just imported.
    fn look_at(&self, header: &Header) {
        let Some(found) = self.seen.lock().note(header) else { return };
        let slot = found.slot;
        match self.report(header.hash(), found, header.clone()) {
            Ok(true) => tracing::warn!(target: LOG_TARGET, "Reported two blocks of one author for slot {slot}"),
            Ok(false) => (),
            Err(error) => tracing::warn!(target: LOG_TARGET, "Cannot report an equivocation: {error}"),
        }
    }

    /// Reports two headers, of which `second_header` is that of the block `at`. Does not if they prove nothing.
    fn report(&self, at: Hash, found: Found, second_header: Header) -> Result<bool, ApiError> {
        let Found { slot, author, header: first_header } = found;
        let api = || self.client.runtime_api();
        let authorities = api().current_epoch(at)?.authorities;
        let place = usize::try_from(author).unwrap_or(usize::MAX);
        let Some((offender, _)) = authorities.into_iter().nth(place) else { return Ok(false) };
        let proof = EquivocationProof { offender: offender.clone(), slot, first_header, second_header };
        // On another fork this place may be somebody else's.
        if !check_equivocation_proof(proof.clone()) {
            return Ok(false);
        }
        let Some(owner) = api().generate_key_ownership_proof(at, slot, offender)? else { return Ok(false) };

        let best = self.client.info().best_hash;
        let mut api = api();
        api.register_extension(self.pool.offchain_transaction_pool(best));
        Ok(api.submit_report_equivocation_unsigned_extrinsic(best, proof, owner)?.is_some())
    }
}

/// An earlier header of the same author for the same slot.
#[derive(Debug, Eq, PartialEq)]
struct Found {
    slot: Slot,
    author: AuthorityIndex,
    header: Header,
}

/// The first headers of authors, named by their places among the authorities, for the latest slots.
///
/// Blocks are verified before they are imported, so that for a slot there are no more of them than authorities.
#[derive(Default)]
struct Seen(BTreeMap<(u64, AuthorityIndex), Header>);

impl Seen {
    /// Remembers a header with its seal, unless there is another one of its author and slot, which is returned.
    fn note(&mut self, header: &Header) -> Option<Found> {
        let digest = find_pre_digest::<Block>(header).ok()?;
        let (slot, author) = (digest.slot(), digest.authority_index());
        let first = match self.0.entry((*slot, author)) {
            Entry::Occupied(first) => Some(first.get().clone()),
            Entry::Vacant(place) => {
                place.insert(header.clone());
                None
            },
        };
        self.forget();
        first.filter(|first| first != header).map(|header| Found { slot, author, header })
    }

    /// Forgets all but the latest slots.
    fn forget(&mut self) {
        if let Some(((latest, _), _)) = self.0.last_key_value() {
            let oldest = latest.saturating_sub(REMEMBERED_SLOTS);
            self.0 = self.0.split_off(&(oldest, AuthorityIndex::MIN));
        }
    }
}

#[cfg(test)]
mod tests {
    use sp_consensus_babe::digests::{CompatibleDigestItem, PreDigest, SecondaryPlainPreDigest};
    use sp_runtime::{traits::Header as _, Digest, DigestItem};

    use super::*;

    /// The header of a block with this state, as the authority at a place signs it for a slot.
    fn header(slot: u64, authority_index: AuthorityIndex, state: u8) -> Header {
        let claim = SecondaryPlainPreDigest { slot: slot.into(), authority_index };
        let digest = Digest { logs: vec![DigestItem::babe_pre_digest(PreDigest::SecondaryPlain(claim))] };
        Header::new(7, Hash::zero(), Hash::repeat_byte(state), Hash::zero(), digest)
    }

    #[test]
    fn the_second_header_of_an_author_for_a_slot_finds_the_first() {
        let mut seen = Seen::default();
        assert_eq!(seen.note(&header(5, 2, 1)), None);
        let found = Found { slot: 5.into(), author: 2, header: header(5, 2, 1) };
        assert_eq!(seen.note(&header(5, 2, 9)), Some(found));
    }

    #[test]
    fn the_same_header_again_another_slot_and_another_author_are_nothing() {
        let mut seen = Seen::default();
        for header in [header(5, 2, 1), header(5, 2, 1), header(6, 2, 2), header(5, 3, 3)] {
            assert_eq!(seen.note(&header), None);
        }
    }

    #[test]
    fn only_the_latest_slots_are_remembered() {
        let mut seen = Seen::default();
        seen.note(&header(5, 0, 1));
        seen.note(&header(5 + REMEMBERED_SLOTS, 0, 1));
        assert!(seen.note(&header(5, 0, 2)).is_some(), "the oldest that counts");
        seen.note(&header(6 + REMEMBERED_SLOTS, 0, 1));
        assert_eq!(seen.note(&header(5, 0, 2)), None);
        assert_eq!(seen.0.len(), 2);
    }

    #[test]
    fn a_header_without_a_slot_is_passed_over() {
        let header = Header::new(7, Hash::zero(), Hash::zero(), Hash::zero(), Digest::default());
        assert_eq!(Seen::default().note(&header), None);
    }
}
