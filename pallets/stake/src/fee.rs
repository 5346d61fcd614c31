//! The owner's fee, and how fast it may rise.

use ensemble_core::{modules::Modules, ModuleId};
use frame_support::{ensure, pallet_prelude::*};
use sp_runtime::{traits::Saturating, Permill};

use crate::{Config, Error, Event, Pallet, PoolOf, Pools};

impl<T: Config> Pallet<T> {
    pub(crate) fn do_set_fee(who: T::AccountId, module: ModuleId, fee: Permill) -> DispatchResult {
        let owner = T::Modules::owner(module).ok_or(Error::<T>::UnknownModule)?;
        ensure!(owner == who, Error::<T>::NotOwner);
        ensure!(fee <= T::MaxFee::get(), Error::<T>::FeeTooHigh);
        let mut pool = Pools::<T>::get(module);
        if fee > pool.fee {
            Self::ensure_may_rise(&pool, fee)?;
            pool.fee_rise_from = Self::period_from_now();
        }

        pool.fee = fee;
        let rise_from = pool.fee_rise_from;
        Self::store(module, pool);
        Self::deposit_event(Event::FeeSet { module, fee, rise_from });
        Ok(())
    }

    /// Stakers can be out before the fee rises a second time. Where nobody has staked, nobody needs to be.
    fn ensure_may_rise(pool: &PoolOf<T>, fee: Permill) -> Result<(), Error<T>> {
        if pool.active.holders == 0 {
            return Ok(());
        }
        ensure!(fee <= pool.fee.saturating_add(T::MaxFeeRise::get()), Error::<T>::FeeRiseTooSteep);
        let now = frame_system::Pallet::<T>::block_number();
        ensure!(pool.fee_rise_from <= now, Error::<T>::FeeRiseTooSoon);
        Ok(())
    }
}
