//! Settling: what an epoch's scores make of reliability, and who is flagged.

use ensemble_core::{
    emission::Earnings,
    epochs::{EpochIndex, EpochPhase, Epochs},
    market::OnScored,
    matching::{FlagReason, Matching},
    modules::Modules,
    ModuleId,
};
use frame_support::{traits::Get, weights::WeightMeter};
use sp_runtime::Permill;

use crate::{
    ratings, reliability, Config, Cursor, Event, LastScores, Pallet, Rated, Record, Records, Results, Settlement,
    Tally, Verdict, WeightInfo, Work, Workers, Works,
};

type Place = Cursor<Settlement>;

impl<T: Config> Pallet<T> {
    /// Takes the next step, if one is due and its weight suffices; returns where it leads.
    pub(crate) fn settle_step(place: &Place, current: EpochIndex, meter: &mut WeightMeter) -> Option<Place> {
        if place.epoch >= current {
            return None;
        }
        meter.try_consume(<T as Config>::WeightInfo::look()).ok()?;
        match place.stage {
            Settlement::Draw => Self::draw_next(place, current, meter),
            Settlement::Miners => Self::settle_next_miner(place, meter),
            Settlement::Validators => Self::settle_next_validator(place, meter),
        }
    }

    /// Draws the checks of the current epoch as long as there is time to do them.
    fn draw_next(place: &Place, current: EpochIndex, meter: &mut WeightMeter) -> Option<Place> {
        let in_time = T::Epochs::phase() == EpochPhase::Commit;
        let Some(validator) = Workers::<T>::get(place.epoch, place.next).filter(|_| in_time) else {
            meter.try_consume(<T as Config>::WeightInfo::turn()).ok()?;
            return Some(place.at_stage(Settlement::Miners));
        };
        meter.try_consume(<T as Config>::WeightInfo::draw_next()).ok()?;
        let took_part = Works::<T>::get(place.epoch, validator).is_some_and(|work| work.has_committed());
        if let Some(types) = T::Matching::types(validator).filter(|_| took_part) {
            // Where it cannot be drawn it is left alone.
            let _ = Self::draw_checks(current, validator, &types);
        }
        Some(place.onward())
    }

    fn settle_next_miner(place: &Place, meter: &mut WeightMeter) -> Option<Place> {
        let Some(miner) = Rated::<T>::get(place.epoch, place.next) else {
            meter.try_consume(<T as Config>::WeightInfo::turn()).ok()?;
            return Some(place.at_stage(Settlement::Validators));
        };
        let verdict = Results::<T>::get(place.epoch, miner);
        let ratings = verdict.as_ref().map_or(0, |verdict| verdict.ratings.len());
        let ratings = u32::try_from(ratings).unwrap_or(u32::MAX);
        meter.try_consume(<T as Config>::WeightInfo::settle_miner(ratings)).ok()?;
        if let Some(verdict) = verdict {
            Self::settle_miner(place.epoch, miner, &verdict);
        }
        Some(place.onward())
    }

    fn settle_next_validator(place: &Place, meter: &mut WeightMeter) -> Option<Place> {
        let Some(validator) = Workers::<T>::get(place.epoch, place.next) else {
            meter.try_consume(<T as Config>::WeightInfo::turn()).ok()?;
            Self::deposit_event(Event::EpochSettled { epoch: place.epoch });
            return Some(place.at_next_epoch());
        };
        meter.try_consume(<T as Config>::WeightInfo::settle_validator()).ok()?;
        if let Some(work) = Works::<T>::get(place.epoch, validator) {
            Self::settle_validator(place.epoch, validator, work);
        }
        Some(place.onward())
    }

    /// Compares what was said of a miner.
    fn settle_miner(epoch: EpochIndex, miner: ModuleId, verdict: &Verdict<T>) {
        for (validator, agrees) in verdict.judge(T::Tolerance::get()) {
            Works::<T>::mutate(epoch, validator, |work| {
                if let Some(work) = work {
                    work.tally.count(agrees);
                }
            });
        }
        if let Some(agreement) = ratings::cross_check(&verdict.ratings, T::LeastAgreement::get()) {
            T::Matching::flag(miner, FlagReason::CrossCheck { agreement });
            T::Earnings::forfeit_closed(epoch, miner);
        }
        let score = verdict.score();
        LastScores::<T>::insert(miner, (epoch, score));
        T::OnScored::on_scored(miner, epoch, Permill::from_parts(score.score));
        Self::deposit_event(Event::MinerSettled { epoch, miner, score });
    }

    /// Moves the reliability of a validator by what it did.
    fn settle_validator(epoch: EpochIndex, validator: ModuleId, mut work: Work<T>) {
        work.tally.count_against(work.left_out());
        let record = Records::<T>::get(validator);
        let kept = record.tally.join(work.tally, T::JudgementsKept::get());
        let fault = Self::fault(kept);
        let tally = if fault.is_some() { Tally::default() } else { kept };
        Records::<T>::insert(validator, Record { tally, last: epoch });
        // Removing the module in time must not save what it earned.
        if fault.is_some() {
            T::Earnings::forfeit_closed(epoch, validator);
        }
        // Of a module that was removed nothing else is kept.
        if T::Modules::owner(validator).is_none() {
            return;
        }
        let reliability = Self::move_reliability(validator, &work);
        if let Some(agreement) = fault {
            T::Matching::flag(validator, FlagReason::Disagreement { agreement });
        }
        let Tally { judged, agreed } = work.tally;
        let unrevealed = u32::try_from(work.sealed.len()).unwrap_or(u32::MAX);
        Self::deposit_event(Event::ValidatorSettled { epoch, validator, judged, agreed, unrevealed, reliability });
    }

    /// The part that agreed, if it is too little.
    fn fault(tally: Tally) -> Option<Permill> {
        let enough = tally.judged >= T::MinJudged::get();
        tally.part().filter(|part| enough && *part < T::LeastAgreement::get())
    }

    /// Returns what it is now.
    fn move_reliability(validator: ModuleId, work: &Work<T>) -> Permill {
        let before = T::Matching::reliability(validator);
        let moved = reliability::moved(before, work.tally);
        let after = if work.has_sealed() { reliability::fallen(moved) } else { moved };
        if after != before {
            T::Matching::set_reliability(validator, after);
        }
        after
    }
}
