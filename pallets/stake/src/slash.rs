//! Slashes: three writes at most, for all who are liable.

use ensemble_core::ModuleId;
use frame_support::{ensure, pallet_prelude::*};
use sp_runtime::Perbill;

use crate::{Balance, Config, Error, Event, Pallet, PoolOf, Pools};

impl<T: Config> Pallet<T> {
    pub(crate) fn do_slash(module: ModuleId, part: Perbill) -> DispatchResult {
        ensure!(!part.is_zero(), Error::<T>::ZeroAmount);
        ensure!(Self::at_stake(&Pools::<T>::get(module)) > 0, Error::<T>::NobodyStaked);
        Self::slash_pools(module, part);
        Ok(())
    }

    /// Slashes all who are liable for a module, and returns what was taken now.
    pub(crate) fn slash_pools(module: ModuleId, part: Perbill) -> Balance {
        let mut pool = Pools::<T>::get(module);
        if part.is_zero() || Self::at_stake(&pool) == 0 {
            return 0;
        }
        let (staked, unbonding, moved) = (pool.active.cut(part), pool.unbonding.cut(part), pool.moved.cut(part));
        Self::store(module, pool);
        let taken = staked.saturating_add(unbonding);
        Self::forfeit(taken);
        Self::deposit_event(Event::Slashed { module, part, staked, unbonding, moved });
        taken
    }

    /// All that is liable for a module, wherever the money is.
    fn at_stake(pool: &PoolOf<T>) -> Balance {
        pool.value().saturating_add(pool.moved.value)
    }
}
