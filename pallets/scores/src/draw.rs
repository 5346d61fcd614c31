//! Draws: which miners of others, and which source of truth, a validator scores in an epoch.

use alloc::vec::Vec;

use codec::Encode;
use ensemble_core::{
    epochs::{EpochIndex, EpochPhase, Epochs},
    matching::{Assignment, Matching},
    ModelType, ModuleId,
};
use frame_support::{pallet_prelude::*, traits::Randomness};
use sp_core::H256;

use crate::{Check, ChecksOf, Config, Error, Event, Lists, Pallet, Seed, Work, Workers, Works};

/// Keeps these draws apart from whatever else follows from the same randomness.
const SUBJECT: &[u8] = b"ensemble/scores/checks";

/// So often a miner is drawn for each check, until it is one that can be checked.
const TRIES_PER_CHECK: u32 = 4;

/// Numbers drawn for a validator in an epoch.
struct Lots {
    seed: H256,
    drawn: u32,
}

impl Lots {
    /// Two numbers.
    fn next(&mut self) -> (u64, u64) {
        let hash = sp_io::hashing::blake2_128(&(self.seed, self.drawn).encode());
        self.drawn = self.drawn.saturating_add(1);
        let number = u128::from_le_bytes(hash);
        (lower(number), lower(number >> 64))
    }
}

/// The lower half.
fn lower(number: u128) -> u64 {
    u64::try_from(number & u128::from(u64::MAX)).unwrap_or(u64::MAX)
}

impl<T: Config> Pallet<T> {
    /// Takes what the draws of an epoch follow from, in its first block.
    pub(crate) fn sow() {
        let epoch = T::Epochs::current();
        let last = Seed::<T>::get();
        if last.is_some_and(|(sown, _)| sown == epoch) {
            return;
        }
        let (fresh, _) = T::Randomness::random(SUBJECT);
        let seed = H256(sp_io::hashing::blake2_256(&(last, fresh).encode()));
        Seed::<T>::put((epoch, seed));
    }

    pub(crate) fn do_draw(who: T::AccountId, validator: ModuleId) -> DispatchResult {
        Self::ensure_owner(&who, validator)?;
        ensure!(T::Epochs::phase() == EpochPhase::Commit, Error::<T>::NotCommitPhase);
        let types = Self::types_of(validator)?;
        Self::draw_checks(T::Epochs::current(), validator, &types)
    }

    /// Draws what a validator checks, with which its work in the epoch begins.
    pub(crate) fn draw_checks(epoch: EpochIndex, validator: ModuleId, types: &[ModelType]) -> DispatchResult {
        ensure!(!Works::<T>::contains_key(epoch, validator), Error::<T>::AlreadyDrawn);
        // All fit: `check_constants` sees to it.
        let miners = BoundedVec::truncate_from(Self::choose(epoch, validator, types));
        let checks = miners.iter().map(|miner| Check { miner: *miner, done: false });
        Self::begin_work(epoch, validator, ChecksOf::truncate_from(checks.collect()));
        Self::deposit_event(Event::ChecksDrawn { epoch, validator, miners });
        Ok(())
    }

    /// Lists a validator with what it checks in an epoch.
    pub(crate) fn begin_work(epoch: EpochIndex, validator: ModuleId, checks: ChecksOf) {
        Lists::<T>::mutate(epoch, |lists| {
            Workers::<T>::insert(epoch, lists.workers, validator);
            lists.workers = lists.workers.saturating_add(1);
        });
        Works::<T>::insert(epoch, validator, Work { checks, ..Default::default() });
    }

    /// Miners that are not the validator's, and a source of truth, which may be.
    fn choose(epoch: EpochIndex, validator: ModuleId, types: &[ModelType]) -> Vec<ModuleId> {
        let sown = Seed::<T>::get().map(|(_, seed)| seed);
        let seed = H256(sp_io::hashing::blake2_256(&(SUBJECT, sown, epoch, validator).encode()));
        let mut lots = Lots { seed, drawn: 0 };
        let mut chosen = Vec::new();
        let wanted = usize::try_from(T::ChecksPerEpoch::get()).unwrap_or_default();
        for _ in 0..T::ChecksPerEpoch::get().saturating_mul(TRIES_PER_CHECK) {
            if chosen.len() >= wanted {
                break;
            }
            let (which, number) = lots.next();
            let miner = turned(types, which).next().and_then(|kind| T::Matching::pick_miner(kind, number));
            let fresh = miner.filter(|miner| !chosen.contains(miner));
            chosen.extend(fresh.filter(|miner| T::Matching::assignment(validator, *miner) != Assignment::Matched));
        }
        let (which, number) = lots.next();
        let truth = turned(types, which).find_map(|kind| T::Matching::pick_truth(kind, number));
        chosen.extend(truth.filter(|truth| !chosen.contains(truth)));
        chosen
    }
}

/// All types, each once, beginning at the one that a number stands for.
fn turned(types: &[ModelType], number: u64) -> impl Iterator<Item = ModelType> + '_ {
    let count = u64::try_from(types.len()).unwrap_or(u64::MAX);
    let start = number.checked_rem(count).and_then(|start| usize::try_from(start).ok()).unwrap_or_default();
    types.iter().copied().cycle().skip(start).take(types.len())
}
