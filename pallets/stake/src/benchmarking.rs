//! Benchmarks: each call at its worst. None has a component: nothing depends on the number of modules or stakers.

use ensemble_core::stake::OnStakeChanged;
use frame_benchmarking::v2::*;
use frame_support::traits::{
    fungible::{Balanced, Mutate},
    EnsureOrigin,
};
use frame_system::RawOrigin;
use sp_runtime::traits::{One, Saturating};

use super::*;

type Benched<R = ()> = Result<R, BenchmarkError>;

/// An amount that stays above the minimum after the slashes of these benchmarks.
fn amount<T: Config>() -> Balance {
    T::MinStake::get().saturating_mul(16)
}

fn funded<T: Config>(name: &'static str) -> Benched<T::AccountId> {
    let who = account(name, 0, 0);
    T::Currency::mint_into(&who, amount::<T>().saturating_mul(1_000))?;
    Ok(who)
}

fn module<T: Config>() -> Benched<ModuleId> {
    Ok(T::Modules::register_for_benchmark(&funded::<T>("owner")?)?)
}

/// A module with a fee and with an odd share price, on which somebody else has staked as well.
fn busy_module<T: Config>() -> Benched<ModuleId> {
    let module = module::<T>()?;
    Pallet::<T>::do_set_fee(account("owner", 0, 0), module, T::MaxFee::get())?;
    let other = funded::<T>("other")?;
    Pallet::<T>::do_stake(other.clone(), module, amount::<T>())?;
    Pallet::<T>::do_reward(other, module, T::MinStake::get())?;
    Ok(module)
}

fn skip_period<T: Config>() {
    let now = frame_system::Pallet::<T>::block_number();
    frame_system::Pallet::<T>::set_block_number(now.saturating_add(UnbondingPeriod::<T>::get()));
}

fn next_block<T: Config>() {
    let now = frame_system::Pallet::<T>::block_number();
    frame_system::Pallet::<T>::set_block_number(now.saturating_add(One::one()));
}

/// Stake of `who` on `to` that came from a new module, on which it was slashed since.
fn moved_stake<T: Config>(who: &T::AccountId, to: ModuleId) -> Benched<ModuleId> {
    let from = busy_module::<T>()?;
    Pallet::<T>::do_stake(who.clone(), from, amount::<T>().saturating_mul(2))?;
    Pallet::<T>::do_move_stake(who.clone(), from, to, amount::<T>())?;
    Pallet::<T>::slash_pools(from, Perbill::from_percent(10));
    Ok(from)
}

/// Unbondings of `who` from a module, in blocks one after the other.
fn fill_unbondings<T: Config>(who: &T::AccountId, module: ModuleId, count: u32) -> Benched {
    for _ in 0..count {
        Pallet::<T>::do_stake(who.clone(), module, amount::<T>())?;
        Pallet::<T>::do_unstake(who.clone(), module, T::MinStake::get())?;
        next_block::<T>();
    }
    Ok(())
}

#[benchmarks]
mod benchmarks {
    use super::*;

    /// To a stake that is there, some of which was moved.
    #[benchmark]
    fn stake() -> Result<(), BenchmarkError> {
        let (who, module) = (funded::<T>("who")?, busy_module::<T>()?);
        Pallet::<T>::do_stake(who.clone(), module, amount::<T>())?;
        moved_stake::<T>(&who, module)?;
        T::OnChanged::prepare_stake_change_for_benchmark(module);

        #[extrinsic_call]
        _(RawOrigin::Signed(who.clone()), module, amount::<T>());

        assert!(Stakes::<T>::contains_key(who, module));
        Ok(())
    }

    /// The last unbonding that there is room for; what was moved here is slashed and joined before.
    #[benchmark]
    fn unstake() -> Result<(), BenchmarkError> {
        let (who, module) = (funded::<T>("who")?, busy_module::<T>()?);
        fill_unbondings::<T>(&who, module, T::MaxUnbondings::get().saturating_sub(1))?;
        moved_stake::<T>(&who, module)?;
        skip_period::<T>();
        T::OnChanged::prepare_stake_change_for_benchmark(module);

        #[extrinsic_call]
        _(RawOrigin::Signed(who.clone()), module, T::MinStake::get());

        assert_eq!(Unbondings::<T>::get(&who, module).len(), T::MaxUnbondings::get() as usize);
        assert!(!Moves::<T>::contains_key(who, module));
        Ok(())
    }

    /// As many unbondings as there can be; what was moved here is slashed and joined before.
    #[benchmark]
    fn withdraw() -> Result<(), BenchmarkError> {
        let (who, module) = (funded::<T>("who")?, busy_module::<T>()?);
        fill_unbondings::<T>(&who, module, T::MaxUnbondings::get())?;
        moved_stake::<T>(&who, module)?;
        skip_period::<T>();
        let caller = funded::<T>("caller")?;
        T::OnChanged::prepare_stake_change_for_benchmark(module);

        #[extrinsic_call]
        _(RawOrigin::Signed(caller), who.clone(), module);

        assert!(!Unbondings::<T>::contains_key(&who, module));
        assert!(!Moves::<T>::contains_key(who, module));
        Ok(())
    }

    /// On both sides something was moved before and is slashed; at the source it is joined.
    #[benchmark]
    fn move_stake() -> Result<(), BenchmarkError> {
        let (who, to) = (funded::<T>("who")?, busy_module::<T>()?);
        let from = moved_stake::<T>(&who, to)?;
        skip_period::<T>();
        let third = moved_stake::<T>(&who, from)?;
        Pallet::<T>::do_withdraw(who.clone(), to)?;
        Pallet::<T>::do_move_stake(who.clone(), from, to, T::MinStake::get())?;
        skip_period::<T>();
        Pallet::<T>::slash_pools(from, Perbill::from_percent(10));
        Pallet::<T>::slash_pools(third, Perbill::from_percent(10));
        T::OnChanged::prepare_stake_change_for_benchmark(from);
        T::OnChanged::prepare_stake_change_for_benchmark(to);

        #[extrinsic_call]
        _(RawOrigin::Signed(who.clone()), from, to, T::MinStake::get());

        assert!(!Moves::<T>::contains_key(&who, from));
        assert!(Moves::<T>::contains_key(who, to));
        Ok(())
    }

    /// A rise.
    #[benchmark]
    fn set_fee() -> Result<(), BenchmarkError> {
        let (module, fee) = (busy_module::<T>()?, T::MaxFee::get());
        let owner: T::AccountId = account("owner", 0, 0);
        Pools::<T>::mutate(module, |pool| pool.fee = fee.saturating_sub(T::MaxFeeRise::get()));
        skip_period::<T>();

        #[extrinsic_call]
        _(RawOrigin::Signed(owner), module, fee);

        assert_eq!(Pools::<T>::get(module).fee, fee);
        Ok(())
    }

    /// With a fee for an owner who has staked.
    #[benchmark]
    fn reward() -> Result<(), BenchmarkError> {
        let (payer, module) = (funded::<T>("payer")?, busy_module::<T>()?);
        Pallet::<T>::do_stake(account("owner", 0, 0), module, amount::<T>())?;
        let before = Pools::<T>::get(module).active.value;
        T::OnChanged::prepare_stake_change_for_benchmark(module);

        #[extrinsic_call]
        _(RawOrigin::Signed(payer), module, amount::<T>());

        assert!(Pools::<T>::get(module).active.value > before);
        Ok(())
    }

    /// What another pallet pays, with a fee for an owner who has staked.
    #[benchmark]
    fn reward_credit() -> Result<(), BenchmarkError> {
        let module = busy_module::<T>()?;
        Pallet::<T>::do_stake(account("owner", 0, 0), module, amount::<T>())?;
        let before = Pools::<T>::get(module).active.value;
        let credit = T::Currency::issue(amount::<T>());
        T::OnChanged::prepare_stake_change_for_benchmark(module);

        #[block]
        {
            Pallet::<T>::do_reward_credit(module, credit).map_err(|_| "the credit came back")?;
        }

        assert!(Pools::<T>::get(module).active.value > before);
        Ok(())
    }

    /// Of what is staked, unbonding, and moved away.
    #[benchmark]
    fn slash() -> Result<(), BenchmarkError> {
        let (who, to) = (funded::<T>("who")?, busy_module::<T>()?);
        let module = moved_stake::<T>(&who, to)?;
        fill_unbondings::<T>(&who, module, 1)?;
        let origin = T::SlashOrigin::try_successful_origin().map_err(|_| BenchmarkError::Weightless)?;
        let before = Pools::<T>::get(module);
        T::OnChanged::prepare_stake_change_for_benchmark(module);

        #[extrinsic_call]
        _(origin as T::RuntimeOrigin, module, Perbill::from_percent(10));

        let after = Pools::<T>::get(module);
        assert!(after.value() < before.value());
        assert!(after.moved.value < before.moved.value);
        Ok(())
    }

    impl_benchmark_test_suite!(Pallet, crate::mock::new_chain(), crate::mock::Test);
}
