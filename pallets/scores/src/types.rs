//! Records of the pallet, and the rules that follow from a record alone.

use alloc::vec::Vec;

use codec::{Decode, Encode, MaxEncodedLen};
use ensemble_core::{
    epochs::EpochIndex,
    scores::{Rating, Score},
    ModuleId,
};
use frame_support::{
    traits::ConstU32, BoundedVec, CloneNoBound, DebugNoBound, DefaultNoBound, EqNoBound, PartialEqNoBound,
};
use frame_system::pallet_prelude::BlockNumberFor;
use scale_info::TypeInfo;
use sp_core::H256;
use sp_runtime::Permill;

use crate::{ratings, Config};

/// An amount of the native token, in planck.
pub type Balance = u128;

/// Most miners that a validator is drawn to check in an epoch, sources of truth included.
pub const MAX_CHECKS: u32 = 8;

/// Miners and what was found of them, as they are revealed.
pub type ScoresOf<T> = BoundedVec<(ModuleId, Score), <T as Config>::MaxScores>;
/// The miners that a validator was drawn to check.
pub type ChecksOf = BoundedVec<Check, ConstU32<MAX_CHECKS>>;

/// A batch that a validator committed to and did not reveal yet.
#[derive(Clone, Copy, Debug, Decode, Encode, Eq, MaxEncodedLen, PartialEq, TypeInfo)]
pub struct Commitment {
    /// Its number among the validator's batches.
    pub batch: u32,
    /// Hash of what is sealed.
    pub hash: H256,
}

/// A miner that a validator was drawn to check.
#[derive(Clone, Copy, Debug, Decode, Encode, Eq, MaxEncodedLen, PartialEq, TypeInfo)]
pub struct Check {
    /// The miner.
    pub miner: ModuleId,
    /// Whether the validator revealed a score of it.
    pub done: bool,
}

/// Scores that were compared with what they should have been.
#[derive(Clone, Copy, Debug, Decode, Default, Encode, Eq, MaxEncodedLen, PartialEq, TypeInfo)]
pub struct Tally {
    /// So many were.
    pub judged: u32,
    /// So many of them agreed.
    pub agreed: u32,
}

impl Tally {
    /// Counts one more.
    pub fn count(&mut self, agrees: bool) {
        self.judged = self.judged.saturating_add(1);
        self.agreed = self.agreed.saturating_add(agrees.into());
    }

    /// Counts so many that did not agree.
    pub fn count_against(&mut self, missing: u32) {
        self.judged = self.judged.saturating_add(missing);
    }

    /// The part that agreed, rounded down; none if nothing was judged.
    pub fn part(&self) -> Option<Permill> {
        (self.judged > 0).then(|| Permill::from_rational(self.agreed, self.judged))
    }

    /// Both together. The more there is, the more of the older is forgotten: it counts as `most` judgements at most.
    pub fn join(self, newer: Self, most: u32) -> Self {
        let judged = self.judged.saturating_add(newer.judged);
        let agreed = self.agreed.saturating_add(newer.agreed);
        if judged <= most {
            return Self { judged, agreed };
        }
        // Not more than `most`, because what agreed is not more than what was judged.
        let part = u64::from(agreed).saturating_mul(most.into()).checked_div(judged.into()).unwrap_or_default();
        Self { judged: most, agreed: u32::try_from(part).unwrap_or(most) }
    }
}

/// What a validator does in an epoch, from when it is drawn what to check.
#[derive(
    CloneNoBound, DebugNoBound, Decode, DefaultNoBound, Encode, EqNoBound, MaxEncodedLen, PartialEqNoBound, TypeInfo,
)]
#[scale_info(skip_type_params(T))]
#[codec(mel_bound(T: Config))]
pub struct Work<T: Config> {
    /// What it committed to and did not reveal yet.
    pub sealed: BoundedVec<Commitment, T::MaxBatches>,
    /// The number of batches that it revealed.
    pub revealed: u32,
    /// The number of miners that it had when it committed last.
    pub load: u32,
    /// What it was drawn to check.
    pub checks: ChecksOf,
    /// The number of its own miners that it scored.
    pub scored: u32,
    /// How its scores compare with those of others and with sources of truth, as far as they were compared.
    pub tally: Tally,
}

impl<T: Config> Work<T> {
    /// Whether it committed to anything.
    pub fn has_committed(&self) -> bool {
        !self.sealed.is_empty() || self.revealed > 0
    }

    /// Whether it has not revealed all that it committed to.
    pub fn has_sealed(&self) -> bool {
        !self.sealed.is_empty()
    }

    /// Whether it was drawn to check a miner.
    pub fn checks(&self, miner: ModuleId) -> bool {
        self.checks.iter().any(|check| check.miner == miner)
    }

    /// Whether it was drawn to check a miner, and did.
    pub fn has_checked(&self, miner: ModuleId) -> bool {
        self.checks.iter().any(|check| check.miner == miner && check.done)
    }

    /// It revealed a score of a miner.
    pub fn tick_off(&mut self, miner: ModuleId) {
        for check in self.checks.iter_mut().filter(|check| check.miner == miner) {
            check.done = true;
        }
    }

    /// The number of checks that it left out of what it revealed. Where it revealed nothing that is another fault.
    pub fn left_out(&self) -> u32 {
        if self.revealed == 0 {
            return 0;
        }
        self.checks.iter().filter(|check| !check.done).fold(0, |sum: u32, _| sum.saturating_add(1))
    }
}

/// What an epoch's validators say of a miner.
#[derive(CloneNoBound, DebugNoBound, Decode, Encode, EqNoBound, MaxEncodedLen, PartialEqNoBound, TypeInfo)]
#[scale_info(skip_type_params(T))]
#[codec(mel_bound(T: Config))]
pub struct Verdict<T: Config> {
    /// What was said, in the order in which it was revealed.
    pub ratings: BoundedVec<Rating<Balance>, T::MaxRatings>,
    /// What the miner deserves, if it was a source of truth when it was first rated in this epoch.
    pub truth: Option<Permill>,
    /// Block in which the last of it was revealed.
    pub at: BlockNumberFor<T>,
}

impl<T: Config> Verdict<T> {
    /// The stake-weighted median of each part of what was said.
    pub fn score(&self) -> Score {
        ratings::score_of(&self.ratings)
    }

    /// Whether a validator has rated the miner.
    pub fn is_rated_by(&self, validator: ModuleId) -> bool {
        self.ratings.iter().any(|rating| rating.validator == validator)
    }

    /// Whether one of the miner's own validators has rated it.
    pub fn is_rated_by_own(&self) -> bool {
        self.ratings.iter().any(|rating| !rating.check)
    }

    /// The validators that agree with the others and those that do not. Sources of truth are compared at once when they
    /// are rated, not here.
    pub fn judge(&self, tolerance: Permill) -> Vec<(ModuleId, bool)> {
        match self.truth {
            Some(_) => Vec::new(),
            None => ratings::judge(&self.ratings, tolerance),
        }
    }
}

/// How well a validator agreed in the last epochs.
#[derive(Clone, Copy, Debug, Decode, Default, Encode, Eq, MaxEncodedLen, PartialEq, TypeInfo)]
pub struct Record {
    /// Its last judgements.
    pub tally: Tally,
    /// The last epoch that was settled for it. The record is forgotten with that epoch.
    pub last: EpochIndex,
}

/// The lengths of an epoch's lists.
#[derive(Clone, Copy, Debug, Decode, Default, Encode, Eq, MaxEncodedLen, PartialEq, TypeInfo)]
pub struct Lengths {
    /// Miners that were rated.
    pub rated: u32,
    /// Validators that committed or were drawn checks.
    pub workers: u32,
}

/// How far a walk through the lists of epochs has come.
#[derive(Clone, Copy, Debug, Decode, Default, Encode, Eq, MaxEncodedLen, PartialEq, TypeInfo)]
pub struct Cursor<Stage> {
    /// The epoch.
    pub epoch: EpochIndex,
    /// What is done with it.
    pub stage: Stage,
    /// Place in the list of that stage that comes next.
    pub next: u32,
}

impl<Stage: Default> Cursor<Stage> {
    /// The next place.
    pub fn onward(self) -> Self {
        Self { next: self.next.saturating_add(1), ..self }
    }

    /// The beginning of another stage.
    pub fn at_stage(self, stage: Stage) -> Self {
        Self { stage, next: 0, ..self }
    }

    /// The beginning of the next epoch.
    pub fn at_next_epoch(self) -> Self {
        Self { epoch: self.epoch.saturating_add(1), ..Self::default() }
    }
}

/// What is done when an epoch is over.
#[derive(Clone, Copy, Debug, Decode, Default, Encode, Eq, MaxEncodedLen, PartialEq, TypeInfo)]
pub enum Settlement {
    /// Those who took part are drawn what they check in the epoch that has begun.
    #[default]
    Draw,
    /// What was said of each miner is compared.
    Miners,
    /// The reliability of each validator moves.
    Validators,
}

/// What is done when an epoch is so long over that it is forgotten.
#[derive(Clone, Copy, Debug, Decode, Default, Encode, Eq, MaxEncodedLen, PartialEq, TypeInfo)]
pub enum Forgetting {
    /// The results of its miners go.
    #[default]
    Miners,
    /// The work of its validators goes.
    Validators,
}
