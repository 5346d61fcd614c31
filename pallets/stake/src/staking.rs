//! Staking, and what all changes of a pool have in common.

use ensemble_core::{epochs::Epochs, modules::Modules, stake::OnStakeChanged, ModuleId};
use frame_support::{ensure, pallet_prelude::*};

use crate::{pool::Position, Balance, Config, Error, Event, Pallet, PoolOf, Pools, Stakes};

impl<T: Config> Pallet<T> {
    pub(crate) fn do_stake(who: T::AccountId, module: ModuleId, amount: Balance) -> DispatchResult {
        ensure!(amount > 0, Error::<T>::ZeroAmount);
        ensure!(T::Modules::owner(module).is_some(), Error::<T>::UnknownModule);
        let mut pool = Pools::<T>::get(module);
        let before = Self::worth_of(&who, module, &pool);
        ensure!(before.saturating_add(amount) >= T::MinStake::get(), Error::<T>::BelowMinimum);

        let position = Self::add_to_stake(&who, module, &mut pool, amount)?;
        Self::take_in(&who, amount)?;
        Stakes::<T>::insert(&who, module, position);
        Self::store(module, pool);
        Self::deposit_event(Event::Staked { who, module, amount });
        Ok(())
    }

    /// An account's stake in a pool with `amount` more in it.
    pub(crate) fn add_to_stake(
        who: &T::AccountId,
        module: ModuleId,
        pool: &mut PoolOf<T>,
        amount: Balance,
    ) -> Result<Position, Error<T>> {
        let position = match Stakes::<T>::get(who, module) {
            Some(position) => pool.active.add(&position, amount),
            None => pool.active.open(amount),
        };
        position.ok_or(Error::PoolFull)
    }

    /// Stores a pool, or forgets it if nobody has anything to do with it and it has no fee to remember. Says so if
    /// another amount is staked than when it was last stored.
    pub(crate) fn store(module: ModuleId, mut pool: PoolOf<T>) {
        let changed = pool.steady.last != pool.active.value;
        let has_fee = || !pool.fee.is_zero() && T::Modules::owner(module).is_some();
        if pool.is_unused() && !has_fee() {
            Pools::<T>::remove(module);
        } else {
            pool.steady.note(T::Epochs::current(), pool.active.value);
            Pools::<T>::insert(module, pool);
        }
        if changed {
            T::OnChanged::on_stake_changed(module);
        }
    }
}
