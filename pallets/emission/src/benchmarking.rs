//! Benchmarks: each call and each step of a block at its worst. None has a component: nothing depends on the number of
//! modules or stakers.

use ensemble_core::{
    emission::{Earnings, Side},
    epochs::{EpochPhase, Epochs},
    scores::Settlement,
};
use frame_benchmarking::v2::*;
use frame_support::traits::{
    fungible::{Inspect, Mutate},
    EnsureOrigin, Hooks,
};
use frame_system::RawOrigin;

use super::*;

type Benched<R = ()> = Result<R, BenchmarkError>;

fn amount<T: Config>() -> Balance {
    existential_deposit::<T>().saturating_mul(1_000_000)
}

fn funded<T: Config>(name: &'static str) -> Benched<T::AccountId> {
    let who = account(name, 0, 0);
    T::Currency::mint_into(&who, amount::<T>().saturating_mul(10))?;
    Ok(who)
}

fn next_epoch<T: Config>() {
    Pallet::<T>::move_to_for_benchmark(Open::<T>::get().epoch.saturating_add(1), EpochPhase::Commit);
}

/// A module on which somebody has staked since the epoch before, and whose owner takes a fee.
fn module<T: Config>() -> Benched<ModuleId> {
    let module = T::Modules::register_for_benchmark(&funded::<T>("owner")?)?;
    T::Stake::stake_for_benchmark(&funded::<T>("staker")?, module, amount::<T>())?;
    T::Reward::prepare_reward_for_benchmark(module);
    next_epoch::<T>();
    Ok(module)
}

/// A module that has earned in the open epoch.
fn earner<T: Config>() -> Benched<ModuleId> {
    let module = module::<T>()?;
    Pallet::<T>::set_merit(module, Side::Miner, Permill::one());
    Ok(module)
}

/// What a module earned in an epoch that is over. Half of it is for its deposit, so that its owner can take it.
fn owed<T: Config>() -> Benched<(EpochIndex, ModuleId)> {
    let (module, epoch) = (earner::<T>()?, Open::<T>::get().epoch);
    let mut earner = Earned::<T>::get(epoch, module).ok_or("it earned")?;
    earner.deposit = earner.staked;
    Open::<T>::mutate(|open| open.weights = earner.weights());
    Earned::<T>::insert(epoch, module, earner);
    next_epoch::<T>();
    Ok((epoch, module))
}

#[benchmarks]
mod benchmarks {
    use super::*;

    #[benchmark]
    fn set_split() -> Result<(), BenchmarkError> {
        let origin = T::ParametersOrigin::try_successful_origin().map_err(|_| BenchmarkError::Weightless)?;
        let all = Split { miners: Permill::zero(), validators: Permill::zero(), treasury: Permill::one() };

        #[extrinsic_call]
        _(origin as T::RuntimeOrigin, all);

        assert_eq!(CurrentSplit::<T>::get(), all);
        Ok(())
    }

    /// To stakers, an owner's fee, and an owner.
    #[benchmark]
    fn claim() -> Result<(), BenchmarkError> {
        let (epoch, module) = owed::<T>()?;
        T::Settlement::settle_before_for_benchmark(epoch.saturating_add(1));

        #[extrinsic_call]
        _(RawOrigin::Signed(account("anyone", 0, 0)), epoch, module);

        assert_eq!(Earned::<T>::get(epoch, module).map(|earner| earner.payout), Some(Payout::Done));
        Ok(())
    }

    #[benchmark]
    fn burn() -> Result<(), BenchmarkError> {
        let who = funded::<T>("who")?;

        #[extrinsic_call]
        _(RawOrigin::Signed(who), amount::<T>());

        assert_eq!(TotalBurnt::<T>::get(), amount::<T>());
        Ok(())
    }

    /// Of a module that is new in the epoch.
    #[benchmark]
    fn set_merit() -> Result<(), BenchmarkError> {
        earner::<T>()?;
        let module = module::<T>()?;

        #[block]
        {
            Pallet::<T>::set_merit(module, Side::Miner, Permill::one());
        }

        assert!(Earned::<T>::contains_key(Open::<T>::get().epoch, module));
        Ok(())
    }

    /// Of a module that is new in the epoch.
    #[benchmark]
    fn forfeit() -> Result<(), BenchmarkError> {
        earner::<T>()?;
        let module = module::<T>()?;

        #[block]
        {
            Pallet::<T>::forfeit(module);
        }

        assert!(Earned::<T>::contains_key(Open::<T>::get().epoch, module));
        Ok(())
    }

    /// A block that closes no epoch.
    #[benchmark]
    fn check_epoch() -> Result<(), BenchmarkError> {
        earner::<T>()?;
        let (epoch, now) = (Open::<T>::get().epoch, frame_system::Pallet::<T>::block_number());

        #[block]
        {
            Pallet::<T>::on_initialize(now);
        }

        assert_eq!(Open::<T>::get().epoch, epoch);
        Ok(())
    }

    /// A block that closes an epoch in which somebody earned on each side.
    #[benchmark]
    fn close_epoch() -> Result<(), BenchmarkError> {
        let (miner, validator) = (module::<T>()?, module::<T>()?);
        Pallet::<T>::set_merit(miner, Side::Miner, Permill::one());
        Pallet::<T>::set_merit(validator, Side::Validator, Permill::one());
        let now = Pallet::<T>::epoch_view().ends;
        frame_system::Pallet::<T>::set_block_number(now);
        let issuance = T::Currency::total_issuance();

        #[block]
        {
            Pallet::<T>::on_initialize(now);
        }

        assert!(T::Currency::total_issuance() > issuance);
        Ok(())
    }

    /// A block in which there is nothing to do but to store where both cursors are.
    #[benchmark]
    fn idle() -> Result<(), BenchmarkError> {
        let cursor = Cursor { epoch: Open::<T>::get().epoch, place: 0 };

        #[block]
        {
            Pallet::<T>::pay_and_forget(T::WeightInfo::idle());
            Paying::<T>::put(cursor);
            Forgetting::<T>::put(cursor);
        }

        assert_eq!(Paying::<T>::get(), Forgetting::<T>::get());
        Ok(())
    }

    /// Of stakers, an owner's fee, and an owner.
    #[benchmark]
    fn pay() -> Result<(), BenchmarkError> {
        let (epoch, module) = owed::<T>()?;
        let mut cursor = Cursor { epoch, place: 0 };

        #[block]
        {
            Pallet::<T>::pay_next(&mut cursor);
        }

        assert_eq!(Earned::<T>::get(epoch, module).map(|earner| earner.payout), Some(Payout::Done));
        Ok(())
    }

    #[benchmark]
    fn forget_earner() -> Result<(), BenchmarkError> {
        let (epoch, module) = owed::<T>()?;
        let mut cursor = Cursor { epoch, place: 0 };

        #[block]
        {
            Pallet::<T>::forget_next(&mut cursor);
        }

        assert!(!Earned::<T>::contains_key(epoch, module));
        Ok(())
    }

    /// Of which much was not paid.
    #[benchmark]
    fn forget_epoch() -> Result<(), BenchmarkError> {
        let (epoch, _) = owed::<T>()?;
        let mut cursor = Cursor { epoch, place: 1 };

        #[block]
        {
            Pallet::<T>::forget_next(&mut cursor);
        }

        assert!(!Periods::<T>::contains_key(epoch));
        Ok(())
    }

    impl_benchmark_test_suite!(Pallet, crate::mock::new_chain(), crate::mock::Test);
}
