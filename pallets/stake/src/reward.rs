//! Rewards: one write for all who have staked, and one for the owner's fee.

use ensemble_core::{modules::Modules, ModuleId};
use frame_support::{ensure, pallet_prelude::*, traits::Imbalance};

use crate::{pool::Position, Balance, Config, CreditOf, Error, Event, Pallet, PoolOf, Pools, Stakes};

/// What a reward changes.
struct Shared<T: Config> {
    module: ModuleId,
    amount: Balance,
    fee: Balance,
    owner: Option<T::AccountId>,
    /// The owner's stake with the fee in it.
    stake: Option<Position>,
    pool: PoolOf<T>,
}

impl<T: Config> Pallet<T> {
    pub(crate) fn do_reward(payer: T::AccountId, module: ModuleId, amount: Balance) -> DispatchResult {
        ensure!(amount > 0, Error::<T>::ZeroAmount);
        let shared = Self::share_out(module, amount)?;
        Self::take_in(&payer, amount)?;
        Self::apply(shared);
        Ok(())
    }

    pub(crate) fn do_reward_credit(module: ModuleId, credit: CreditOf<T>) -> Result<(), CreditOf<T>> {
        let Ok(shared) = Self::share_out(module, credit.peek()) else { return Err(credit) };
        Self::take_in_credit(credit)?;
        Self::apply(shared);
        Ok(())
    }

    /// Works out what a reward changes, and changes nothing.
    ///
    /// The fee buys shares after the stakers' part has made them dearer, so that it takes nothing of that part.
    fn share_out(module: ModuleId, amount: Balance) -> Result<Shared<T>, Error<T>> {
        let mut pool = Pools::<T>::get(module);
        ensure!(pool.active.holders > 0, Error::<T>::NobodyStaked);
        ensure!(pool.active.has_room(amount), Error::<T>::PoolFull);
        let owner = T::Modules::owner(module);
        let fee = owner.as_ref().map_or(0, |_| pool.fee.mul_floor(amount));
        pool.active.grow(amount.saturating_sub(fee)).ok_or(Error::<T>::PoolFull)?;
        let stake = match &owner {
            Some(owner) if fee > 0 => Some(Self::add_to_stake(owner, module, &mut pool, fee)?),
            _ => None,
        };
        Ok(Shared { module, amount, fee, owner, stake, pool })
    }

    fn apply(shared: Shared<T>) {
        let Shared { module, amount, fee, owner, stake, pool } = shared;
        if let (Some(owner), Some(stake)) = (&owner, stake) {
            Stakes::<T>::insert(owner, module, stake);
        }
        Self::store(module, pool);
        Self::deposit_event(Event::Rewarded { module, amount, fee, owner });
    }
}
