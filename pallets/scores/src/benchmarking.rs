//! Benchmarks: each call and each step at its worst. The number of miners and validators is no component of any.

use alloc::{vec, vec::Vec};

use ensemble_core::{
    emission::Side,
    epochs::EpochPhase,
    scores::{Rating, Sealed},
};
use frame_benchmarking::v2::*;
use frame_support::weights::WeightMeter;
use frame_system::RawOrigin;

use super::*;

type Benched<R = ()> = Result<R, BenchmarkError>;

/// The epoch that is over.
const LAST: EpochIndex = 2;
/// The epoch in which it is settled.
const NOW: EpochIndex = LAST + 1;
/// Modules that exist only as numbers.
const OTHERS: ModuleId = 1 << 30;

/// A validator, its owner, and so many miners of it.
fn matched<T: Config>(miners: u32) -> Benched<(T::AccountId, ModuleId, Vec<ModuleId>)> {
    let (validator, miners) = T::Matching::match_for_benchmark(miners.saturating_sub(1))?;
    let owner = T::Modules::owner(validator).ok_or("the validator has no owner")?;
    Ok((owner, validator, miners))
}

/// Others were at work in this epoch as well.
fn crowd<T: Config>(epoch: EpochIndex) {
    Lists::<T>::insert(epoch, Lengths { rated: 1_000, workers: 1_000 });
}

fn move_to<T: Config>(epoch: EpochIndex, phase: EpochPhase) {
    T::Epochs::move_to_for_benchmark(epoch, phase);
    Pallet::<T>::sow();
    crowd::<T>(epoch);
}

fn score(part: u32) -> Score {
    Score { score: part, quality: part, availability: part, latency: part }
}

fn checks_of(miners: impl Iterator<Item = ModuleId>) -> ChecksOf {
    let checks: Vec<_> = miners.map(|miner| Check { miner, done: false }).collect();
    ChecksOf::truncate_from(checks)
}

/// As much work as a validator can have.
fn full_work<T: Config>() -> Work<T> {
    let sealed = (0..T::MaxBatches::get()).map(|batch| Commitment { batch, hash: H256::repeat_byte(1) });
    Work {
        sealed: BoundedVec::truncate_from(sealed.collect()),
        revealed: 1,
        load: 1,
        checks: checks_of(OTHERS..OTHERS.saturating_add(MAX_CHECKS)),
        scored: 1,
        tally: Tally { judged: T::JudgementsKept::get(), agreed: 0 },
    }
}

/// A miner that so many rated in the last epoch: most of them were drawn to check it and gave it nothing.
fn rated<T: Config>(miner: ModuleId, ratings: u32) {
    let rating = |n: u32| Rating {
        validator: OTHERS.saturating_add(n),
        stake: Balance::from(n).saturating_add(1 << 60),
        check: n > 0,
        score: score(if n == 0 { 1_000_000 } else { n }),
    };
    let ratings: Vec<_> = (0..ratings).map(rating).collect();
    for rating in &ratings {
        Works::<T>::insert(LAST, rating.validator, full_work::<T>());
    }
    let ratings = BoundedVec::truncate_from(ratings);
    Results::<T>::insert(LAST, miner, Verdict { ratings, truth: None, at: Default::default() });
    Rated::<T>::insert(LAST, 0, miner);
    crowd::<T>(LAST);
}

/// A validator that worked in the last epoch.
fn worked<T: Config>(validator: ModuleId, work: Work<T>) {
    Works::<T>::insert(LAST, validator, work);
    Workers::<T>::insert(LAST, 0, validator);
    crowd::<T>(LAST);
}

/// Moves to the epoch in which the last one is settled. A module has earned in both.
fn earned<T: Config>(module: ModuleId, side: Side) {
    for epoch in [LAST, NOW] {
        move_to::<T>(epoch, EpochPhase::Commit);
        T::Earnings::set_merit(module, side, Permill::one());
    }
}

fn at<Stage>(stage: Stage) -> Cursor<Stage> {
    Cursor { epoch: LAST, stage, next: 0 }
}

#[benchmarks]
mod benchmarks {
    use super::*;

    /// The last batch of a validator that can commit to no more.
    #[benchmark]
    fn commit() -> Result<(), BenchmarkError> {
        let (owner, validator, _) = matched::<T>(1)?;
        move_to::<T>(NOW, EpochPhase::Commit);
        let mut work = full_work::<T>();
        let batch = work.sealed.pop().map(|sealed| sealed.batch).ok_or("there are batches")?;
        Works::<T>::insert(NOW, validator, work);

        #[extrinsic_call]
        _(RawOrigin::Signed(owner), validator, batch, H256::zero());

        let sealed = Works::<T>::get(NOW, validator).map(|work| work.sealed.len());
        assert_eq!(sealed, Some(T::MaxBatches::get() as usize));
        Ok(())
    }

    /// Of miners that nobody has rated before, so that each is listed.
    #[benchmark]
    fn reveal(n: Linear<0, { T::MaxScores::get() }>) -> Result<(), BenchmarkError> {
        let (owner, validator, mut miners) = matched::<T>(n)?;
        miners.sort_unstable();
        let of: Vec<_> = miners.iter().take(n as usize).map(|miner| (*miner, score(*miner % 1_000))).collect();
        let sealed = Sealed { epoch: NOW, validator, batch: 0, scores: of.clone(), salt: [1; 32] };
        move_to::<T>(NOW, EpochPhase::Reveal);
        let mut work = full_work::<T>();
        work.sealed = BoundedVec::truncate_from(vec![Commitment { batch: 0, hash: Pallet::<T>::seal(&sealed) }]);
        Works::<T>::insert(NOW, validator, work);

        #[extrinsic_call]
        _(RawOrigin::Signed(owner), validator, 0, BoundedVec::truncate_from(of), sealed.salt);

        assert_eq!(ResultsKept::<T>::get(), n);
        Ok(())
    }

    /// For one that is not listed.
    #[benchmark]
    fn draw() -> Result<(), BenchmarkError> {
        let (owner, validator, _) = matched::<T>(1)?;
        move_to::<T>(NOW, EpochPhase::Commit);

        #[extrinsic_call]
        _(RawOrigin::Signed(owner), validator);

        assert!(Works::<T>::contains_key(NOW, validator));
        Ok(())
    }

    /// One that was drawn checks in both epochs and did nothing.
    #[benchmark]
    fn report_silent() -> Result<(), BenchmarkError> {
        T::Epochs::move_to_for_benchmark(0, EpochPhase::Commit);
        let (_, validator, _) = matched::<T>(1)?;
        move_to::<T>(NOW, EpochPhase::Commit);
        let mut work = full_work::<T>();
        (work.sealed, work.revealed, work.load) = (Default::default(), 0, 0);
        Works::<T>::insert(LAST, validator, work.clone());
        Works::<T>::insert(NOW, validator, work);

        #[extrinsic_call]
        _(RawOrigin::Signed(account("reporter", 0, 0)), validator);

        assert!(T::Matching::types(validator).is_none());
        Ok(())
    }

    /// The first block of an epoch.
    #[benchmark]
    fn on_initialize() {
        move_to::<T>(LAST, EpochPhase::Commit);
        T::Epochs::move_to_for_benchmark(NOW, EpochPhase::Commit);

        #[block]
        {
            Pallet::<T>::sow();
        }

        assert_eq!(Seed::<T>::get().map(|(epoch, _)| epoch), Some(NOW));
    }

    /// What every block does that has weight left: the clock, and both cursors read and written.
    #[benchmark]
    fn on_idle() {
        Settling::<T>::put(at(Settlement::Miners));
        Forgotten::<T>::put(at(Forgetting::Miners));

        #[block]
        {
            let epoch = T::Epochs::current();
            Settling::<T>::mutate(|cursor| cursor.next = epoch);
            Forgotten::<T>::mutate(|cursor| cursor.next = epoch);
        }
    }

    /// At the next entry of a list, and at a result with as many ratings as there can be.
    #[benchmark]
    fn look() {
        let ratings = T::MaxRatings::get();
        rated::<T>(OTHERS, ratings);
        let found;

        #[block]
        {
            found = Rated::<T>::get(LAST, 0).and_then(|miner| Results::<T>::get(LAST, miner));
        }

        assert_eq!(found.map(|verdict| verdict.ratings.len()), Some(ratings as usize));
    }

    /// The end of an epoch's last list.
    #[benchmark]
    fn turn() {
        crowd::<T>(LAST);
        let next;

        #[block]
        {
            next = Pallet::<T>::forget_step(&at(Forgetting::Validators), NOW, &mut WeightMeter::new());
        }

        assert_eq!(next.map(|cursor| cursor.epoch), Some(NOW));
    }

    #[benchmark]
    fn draw_next() -> Result<(), BenchmarkError> {
        let (_, validator, _) = matched::<T>(1)?;
        move_to::<T>(NOW, EpochPhase::Commit);
        worked::<T>(validator, full_work());

        #[block]
        {
            Pallet::<T>::settle_step(&at(Settlement::Draw), NOW, &mut WeightMeter::new());
        }

        assert!(Works::<T>::contains_key(NOW, validator));
        Ok(())
    }

    /// A miner that is flagged, if there are enough checks, and loses what it earned. Whoever hears of its score has as
    /// much to do as can be.
    #[benchmark]
    fn settle_miner(r: Linear<1, { T::MaxRatings::get() }>) -> Result<(), BenchmarkError> {
        let (_, _, miners) = matched::<T>(1)?;
        let miner = *miners.first().ok_or("there is no miner")?;
        earned::<T>(miner, Side::Miner);
        rated::<T>(miner, r);
        T::OnScored::prepare_scored_for_benchmark(miner);

        #[block]
        {
            Pallet::<T>::settle_step(&at(Settlement::Miners), NOW, &mut WeightMeter::new());
        }

        assert!(LastScores::<T>::contains_key(miner));
        assert_eq!(T::Matching::miner_type(miner).is_none(), r > 2);
        Ok(())
    }

    /// A validator that is flagged, loses what it earned, and whose reliability falls.
    #[benchmark]
    fn settle_validator() -> Result<(), BenchmarkError> {
        let (_, validator, _) = matched::<T>(1)?;
        earned::<T>(validator, Side::Validator);
        worked::<T>(validator, full_work());
        let before = T::Matching::reliability(validator);

        #[block]
        {
            Pallet::<T>::settle_step(&at(Settlement::Validators), NOW, &mut WeightMeter::new());
        }

        assert!(T::Matching::reliability(validator) < before);
        assert!(T::Matching::types(validator).is_none());
        Ok(())
    }

    /// With the miner's last score.
    #[benchmark]
    fn forget_miner() {
        rated::<T>(OTHERS, T::MaxRatings::get());
        LastScores::<T>::insert(OTHERS, (LAST, score(1)));

        #[block]
        {
            Pallet::<T>::forget_step(&at(Forgetting::Miners), NOW, &mut WeightMeter::new());
        }

        assert!(!Results::<T>::contains_key(LAST, OTHERS) && !LastScores::<T>::contains_key(OTHERS));
    }

    /// With all that is remembered of the validator.
    #[benchmark]
    fn forget_validator() {
        worked::<T>(OTHERS, full_work());
        Records::<T>::insert(OTHERS, Record { tally: Tally { judged: 1, agreed: 1 }, last: LAST });

        #[block]
        {
            Pallet::<T>::forget_step(&at(Forgetting::Validators), NOW, &mut WeightMeter::new());
        }

        assert!(!Works::<T>::contains_key(LAST, OTHERS) && !Records::<T>::contains_key(OTHERS));
    }

    impl_benchmark_test_suite!(Pallet, crate::mock::new_chain(), crate::mock::Test);
}
