//! Recomputes what can be recomputed and says what is off.

use alloc::collections::{BTreeMap, BTreeSet};

use ensemble_core::{
    epochs::{EpochIndex, Epochs},
    ModuleId,
};
use frame_support::{ensure, traits::Get};
use sp_runtime::TryRuntimeError;

use crate::{
    Config, Cursor, Forgetting, Forgotten, LastScores, Lists, Pallet, Rated, Records, Results, ResultsKept, Settlement,
    Settling, Tally, Verdict, Work, Workers, Works,
};

type Check = Result<(), TryRuntimeError>;
type Places = BTreeMap<EpochIndex, BTreeMap<u32, ModuleId>>;

impl<T: Config> Pallet<T> {
    pub(crate) fn do_try_state() -> Check {
        Self::check_cursors()?;
        Self::check_lists()?;
        Self::check_results()?;
        Self::check_works()?;
        Self::check_last_scores()?;
        Self::check_records()
    }

    fn check_cursors() -> Check {
        let (settling, forgotten) = (Settling::<T>::get(), Forgotten::<T>::get());
        ensure!(settling.epoch <= T::Epochs::current(), "an epoch is settled that is not over");
        ensure!(forgotten.epoch <= settling.epoch, "an epoch is forgotten that is not settled");
        Ok(())
    }

    /// Lists are dense, as long as they say, and list exactly what there is.
    fn check_lists() -> Check {
        let (rated, workers) = (by_epoch(Rated::<T>::iter()), by_epoch(Workers::<T>::iter()));
        let has_lengths = |epoch| Lists::<T>::contains_key(epoch);
        ensure!(rated.keys().chain(workers.keys()).all(has_lengths), "an epoch has entries and no lists");
        for (epoch, lengths) in Lists::<T>::iter() {
            let [gone_miners, gone_workers] = Self::gone(epoch)?;
            let none = BTreeMap::new();
            let (miners, validators) = (rated.get(&epoch).unwrap_or(&none), workers.get(&epoch).unwrap_or(&none));
            ensure!(is_dense(miners, gone_miners, lengths.rated), "the list of rated miners is not dense");
            ensure!(is_dense(validators, gone_workers, lengths.workers), "the list of workers is not dense");
            let listed = miners.values().all(|miner| Results::<T>::contains_key(epoch, miner));
            ensure!(listed, "a miner is listed and has no result");
            let listed = validators.values().all(|validator| Works::<T>::contains_key(epoch, validator));
            ensure!(listed, "a validator is listed and has no work");
        }
        let results = Results::<T>::iter_keys().count();
        ensure!(results == entries(&rated), "a result is not listed");
        ensure!(u32::try_from(results) == Ok(ResultsKept::<T>::get()), "the number of results is not what it was");
        ensure!(Works::<T>::iter_keys().count() == entries(&workers), "work is not listed");
        Ok(())
    }

    /// How much of the lists of an epoch is forgotten.
    fn gone(epoch: EpochIndex) -> Result<[u32; 2], TryRuntimeError> {
        let forgotten = Forgotten::<T>::get();
        ensure!(forgotten.epoch <= epoch, "an epoch that was forgotten has lists");
        if forgotten.epoch < epoch {
            return Ok([0, 0]);
        }
        Ok(match forgotten.stage {
            Forgetting::Miners => [forgotten.next, 0],
            Forgetting::Validators => [Lists::<T>::get(epoch).rated, forgotten.next],
        })
    }

    fn check_results() -> Check {
        for (epoch, _, verdict) in Results::<T>::iter() {
            Self::check_verdict(&verdict)?;
            for rating in verdict.ratings {
                let revealed = Works::<T>::get(epoch, rating.validator).is_some_and(|work| work.revealed > 0);
                ensure!(revealed, "a rating is of a validator that revealed nothing");
            }
        }
        Ok(())
    }

    fn check_works() -> Check {
        let mut rated_own = BTreeMap::<_, u32>::new();
        for (epoch, _, verdict) in Results::<T>::iter() {
            for rating in verdict.ratings.iter().filter(|rating| !rating.check) {
                let count = rated_own.entry((epoch, rating.validator)).or_default();
                *count = count.saturating_add(1);
            }
        }
        let forgotten = Forgotten::<T>::get();
        for (epoch, validator, work) in Works::<T>::iter() {
            Self::check_work(&work)?;
            let rated = rated_own.get(&(epoch, validator)).copied().unwrap_or_default();
            // Where forgetting stands some of the results are gone.
            let is_whole = forgotten.epoch != epoch || forgotten == Cursor { epoch, ..Default::default() };
            let fits = if is_whole { rated == work.scored } else { rated <= work.scored };
            ensure!(fits, "a validator was not counted for the miners that it rated");
        }
        Ok(())
    }

    fn check_work(work: &Work<T>) -> Check {
        let batches: BTreeSet<_> = work.sealed.iter().map(|sealed| sealed.batch).collect();
        ensure!(batches.len() == work.sealed.len(), "a batch was committed to twice");
        ensure!(batches.iter().all(|batch| *batch < T::MaxBatches::get()), "a batch has too high a number");
        let miners: BTreeSet<_> = work.checks.iter().map(|check| check.miner).collect();
        ensure!(miners.len() == work.checks.len(), "a validator checks a miner twice");
        ensure!(work.revealed > 0 || *work == unrevealed(work), "a validator scored what it did not reveal");
        ensure!(work.has_committed() || work.load == 0, "a validator that did not commit has the load of when it did");
        ensure!(is_sound(work.tally), "more agreed than was judged");
        Ok(())
    }

    fn check_verdict(verdict: &Verdict<T>) -> Check {
        ensure!(!verdict.ratings.is_empty(), "a result has no ratings");
        let raters: BTreeSet<_> = verdict.ratings.iter().map(|rating| rating.validator).collect();
        ensure!(raters.len() == verdict.ratings.len(), "a validator rated a miner twice");
        ensure!(verdict.ratings.iter().all(|rating| rating.score.is_at_most_one()), "a rating is above one");
        Ok(())
    }

    /// The last score of a miner is that of its last epoch that was settled.
    fn check_last_scores() -> Check {
        for (miner, (epoch, score)) in LastScores::<T>::iter() {
            let result = Results::<T>::get(epoch, miner).map(|verdict| verdict.score());
            ensure!(result == Some(score), "a last score is not that of its epoch");
        }
        let settling = Settling::<T>::get();
        for (epoch, miner) in Results::<T>::iter_keys().filter(|(epoch, _)| *epoch < settling.epoch) {
            let last = LastScores::<T>::get(miner).map(|(last, _)| last);
            ensure!(last >= Some(epoch), "a settled result is not the last score and nothing came after it");
        }
        Ok(())
    }

    /// What is remembered of a validator goes with the last epoch in which it was at work.
    fn check_records() -> Check {
        let settling = Settling::<T>::get();
        for (validator, record) in Records::<T>::iter() {
            ensure!(is_sound(record.tally), "more agreed than was judged");
            ensure!(record.tally.judged <= T::JudgementsKept::get(), "more judgements are kept than the chain allows");
            ensure!(Works::<T>::contains_key(record.last, validator), "a record outlived its validator's work");
            let is_settled = record.last < settling.epoch || settling.stage == Settlement::Validators;
            ensure!(is_settled, "a record is newer than what is settled");
        }
        Ok(())
    }
}

fn by_epoch(list: impl Iterator<Item = (EpochIndex, u32, ModuleId)>) -> Places {
    let mut places = Places::new();
    for (epoch, place, module) in list {
        places.entry(epoch).or_default().insert(place, module);
    }
    places
}

fn entries(places: &Places) -> usize {
    places.values().map(BTreeMap::len).sum()
}

fn is_sound(tally: Tally) -> bool {
    tally.agreed <= tally.judged
}

/// Work in which nothing was revealed.
fn unrevealed<T: Config>(work: &Work<T>) -> Work<T> {
    let mut work = work.clone();
    work.scored = 0;
    work.tally = Tally::default();
    for check in work.checks.iter_mut() {
        check.done = false;
    }
    work
}

/// Whether these are all places from `first` up to `end`, and nobody stands in two of them.
fn is_dense(places: &BTreeMap<u32, ModuleId>, first: u32, end: u32) -> bool {
    let modules: BTreeSet<_> = places.values().collect();
    places.keys().copied().eq(first..end) && modules.len() == places.len()
}
