//! Reveals: what was sealed is opened, checked as a whole, and counted at once.

use alloc::vec::Vec;

use codec::Encode;
use ensemble_core::{
    emission::{Earnings, Side},
    epochs::{EpochIndex, EpochPhase, Epochs},
    matching::{Assignment, Matching, MAX_VALIDATORS_PER_MINER},
    modules::Modules,
    scores::{Rating, Score, Sealed},
    stake::Stake,
    ModuleId,
};
use frame_support::pallet_prelude::*;
use sp_core::H256;
use sp_runtime::Permill;

use crate::{
    ratings, reliability, Balance, Config, Error, Event, Lists, Pallet, Rated, Results, ResultsKept, ScoresOf, Verdict,
    Work, Works,
};

/// Who reveals, and when.
struct Rater<'a, T: Config> {
    epoch: EpochIndex,
    validator: ModuleId,
    stake: Balance,
    work: &'a Work<T>,
}

/// What comes of one score of a batch.
struct Finding<T: Config> {
    miner: ModuleId,
    /// Whether the miner is one of the validator's.
    is_own: bool,
    /// Whether it agrees with what the miner deserves, if that is known. A check is compared even where there is no room
    /// to keep it.
    agrees: Option<bool>,
    /// What is said of the miner with it; none if it is ignored.
    verdict: Option<Verdict<T>>,
}

impl<T: Config> Pallet<T> {
    pub(crate) fn do_reveal(
        who: T::AccountId,
        validator: ModuleId,
        batch: u32,
        scores: ScoresOf<T>,
        salt: [u8; 32],
    ) -> DispatchResult {
        Self::ensure_owner(&who, validator)?;
        ensure!(T::Epochs::phase() == EpochPhase::Reveal, Error::<T>::NotRevealPhase);
        Self::types_of(validator)?;
        let epoch = T::Epochs::current();
        let mut work = Works::<T>::get(epoch, validator).ok_or(Error::<T>::NotCommitted)?;
        let place = work.sealed.iter().position(|sealed| sealed.batch == batch).ok_or(Error::<T>::NotCommitted)?;
        let committed = work.sealed.remove(place);
        let sealed = Sealed { epoch, validator, batch, scores: scores.into_inner(), salt };
        ensure!(Self::seal(&sealed) == committed.hash, Error::<T>::NotAsCommitted);
        Self::ensure_plausible(&sealed.scores)?;
        let rater = Rater { epoch, validator, stake: Self::weight_of(validator), work: &work };
        let findings = sealed.scores.iter().map(|(miner, score)| Self::examine(&rater, *miner, *score));
        let findings = findings.collect::<Result<Vec<_>, Error<T>>>()?;
        Self::count(epoch, validator, batch, work, findings);
        Ok(())
    }

    /// The hash that commits a validator to scores.
    pub fn seal(sealed: &Sealed) -> H256 {
        H256(sp_io::hashing::blake2_256(&sealed.encode()))
    }

    /// What can be said of scores without looking at the chain.
    fn ensure_plausible(scores: &[(ModuleId, Score)]) -> DispatchResult {
        let in_order = scores.iter().zip(scores.iter().skip(1)).all(|(one, next)| one.0 < next.0);
        ensure!(in_order, Error::<T>::NotInOrder);
        ensure!(scores.iter().all(|(_, score)| score.is_at_most_one()), Error::<T>::ScoreAboveOne);
        Ok(())
    }

    /// What a validator has at stake: the weight of what it says, in planck.
    fn weight_of(validator: ModuleId) -> Balance {
        T::Stake::steady(validator).saturating_add(T::Modules::deposit(validator))
    }

    /// What comes of one score. Changes nothing.
    fn examine(rater: &Rater<T>, miner: ModuleId, score: Score) -> Result<Finding<T>, Error<T>> {
        let ignored = Finding { miner, is_own: false, agrees: None, verdict: None };
        if T::Matching::miner_type(miner).is_none() {
            return Ok(ignored);
        }
        let is_own = match T::Matching::assignment(rater.validator, miner) {
            Assignment::Matched => true,
            _ if rater.work.checks(miner) => false,
            Assignment::Changed => return Ok(ignored),
            Assignment::Foreign => return Err(Error::NotYourMiner),
        };
        let verdict = Self::verdict(rater.epoch, miner);
        let is_scored = verdict.is_rated_by(rater.validator) || rater.work.has_checked(miner);
        ensure!(!is_scored, Error::<T>::AlreadyScored);
        let agrees = verdict.truth.map(|truth| ratings::agrees(score.score, truth.deconstruct(), T::Tolerance::get()));
        let rating = Rating { validator: rater.validator, stake: rater.stake, check: !is_own, score };
        let verdict = Self::with_rating(verdict, rating);
        // A miner has as many validators only if they change all the time.
        if is_own && verdict.is_none() {
            return Ok(ignored);
        }
        Ok(Finding { miner, is_own, agrees, verdict })
    }

    /// What was said of a miner in an epoch so far.
    fn verdict(epoch: EpochIndex, miner: ModuleId) -> Verdict<T> {
        Results::<T>::get(epoch, miner).unwrap_or_else(|| Verdict {
            ratings: Default::default(),
            truth: T::Matching::truth_of(miner),
            at: Default::default(),
        })
    }

    /// With one more rating; none if there is no room. Checks leave room for the miner's own validators.
    fn with_rating(mut verdict: Verdict<T>, rating: Rating<Balance>) -> Option<Verdict<T>> {
        let checks = verdict.ratings.iter().filter(|rating| rating.check).fold(0u32, |sum, _| sum.saturating_add(1));
        let room = T::MaxRatings::get().saturating_sub(MAX_VALIDATORS_PER_MINER);
        if rating.check && checks >= room {
            return None;
        }
        verdict.at = frame_system::Pallet::<T>::block_number();
        verdict.ratings.try_push(rating).ok().map(|()| verdict)
    }

    /// Writes what came of a batch. A check that is ignored, because the miner left or has been rated so often, is done
    /// all the same.
    fn count(epoch: EpochIndex, validator: ModuleId, batch: u32, mut work: Work<T>, findings: Vec<Finding<T>>) {
        let ignored = findings.iter().filter(|finding| finding.verdict.is_none()).map(|finding| finding.miner);
        // There is room, because it is bounded as the batch is.
        let ignored = BoundedVec::truncate_from(ignored.collect());
        for finding in findings {
            work.tick_off(finding.miner);
            work.scored = work.scored.saturating_add(finding.is_own.into());
            if let Some(agrees) = finding.agrees {
                work.tally.count(agrees);
            }
            if let Some(verdict) = finding.verdict {
                Self::store_verdict(epoch, finding.miner, verdict);
            }
        }
        work.revealed = work.revealed.saturating_add(1);
        let merit = Self::merit(validator, &work);
        T::Earnings::set_merit(validator, Side::Validator, merit);
        Works::<T>::insert(epoch, validator, work);
        Self::deposit_event(Event::Revealed { epoch, validator, batch, ignored, merit });
    }

    /// Writes what is said of a miner, lists the miner if that is the first thing, and lets it earn by it once one of its
    /// own validators has scored it. Who is only checked was assessed by nobody whose task that is.
    fn store_verdict(epoch: EpochIndex, miner: ModuleId, verdict: Verdict<T>) {
        if verdict.ratings.len() == 1 {
            Lists::<T>::mutate(epoch, |lists| {
                Rated::<T>::insert(epoch, lists.rated, miner);
                lists.rated = lists.rated.saturating_add(1);
            });
            ResultsKept::<T>::mutate(|kept| *kept = kept.saturating_add(1));
        }
        if verdict.is_rated_by_own() {
            T::Earnings::set_merit(miner, Side::Miner, Permill::from_parts(verdict.score().score));
        }
        Results::<T>::insert(epoch, miner, verdict);
    }

    /// What a validator earns by. Miners that it got after it committed do not count: it could not score them, and anybody
    /// can register some. Nor do those that it lost.
    fn merit(validator: ModuleId, work: &Work<T>) -> Permill {
        let reliability = T::Matching::reliability(validator);
        let load = T::Matching::load(validator).min(work.load);
        reliability::merit(reliability, work.scored, load)
    }
}
