//! Taking stake back: into the unbonding pool, and out of it when it is time.

use ensemble_core::{stake::OnStakeWithdrawn, ModuleId};
use frame_support::{ensure, pallet_prelude::*, storage::with_storage_layer};
use frame_system::pallet_prelude::BlockNumberFor;
use sp_runtime::traits::Saturating;

use crate::{
    pool::Position, Balance, Config, Error, Event, Moves, Pallet, PoolOf, Pools, Stakes, Unbonding, UnbondingPeriod,
    Unbondings, UnbondingsOf,
};

impl<T: Config> Pallet<T> {
    /// Calls are transactional: what this settles before it fails is undone.
    pub(crate) fn do_unstake(who: T::AccountId, module: ModuleId, amount: Balance) -> DispatchResult {
        ensure!(amount > 0, Error::<T>::ZeroAmount);
        let mut pool = Pools::<T>::get(module);
        Self::settle_move(&who, module, &mut pool);
        let (amount, left) = Self::take_from_stake(&who, module, &mut pool, amount)?;
        let ready_at = Self::period_from_now();
        let unbondings = Self::add_unbonding(Unbondings::<T>::get(&who, module), &mut pool, amount, ready_at)?;

        Stakes::<T>::set(&who, module, left);
        Unbondings::<T>::insert(&who, module, unbondings);
        Self::store(module, pool);
        Self::deposit_event(Event::Unstaked { who, module, amount, ready_at });
        Ok(())
    }

    /// Takes from an account's stake in a pool, all of it if too little would remain. Gives the amount and what is
    /// left.
    pub(crate) fn take_from_stake(
        who: &T::AccountId,
        module: ModuleId,
        pool: &mut PoolOf<T>,
        amount: Balance,
    ) -> Result<(Balance, Option<Position>), Error<T>> {
        let position = Stakes::<T>::get(who, module);
        let free = position.map_or(0, |position| pool.active.worth(&position));
        if amount > free {
            let liable = Moves::<T>::get(who, module).map_or(0, |moved| pool.active.worth(&moved.position));
            ensure!(free.saturating_add(liable) > 0, Error::<T>::NothingStaked);
            ensure!(amount > free.saturating_add(liable), Error::<T>::StillLiable);
            return Err(Error::MoreThanStaked);
        }
        let position = position.ok_or(Error::<T>::NothingStaked)?;
        let rest_is_too_small = free.saturating_sub(amount) < T::MinStake::get();
        Ok(pool.active.take(position, if rest_is_too_small { free } else { amount }))
    }

    /// The unbondings with `amount` more. What is unstaked within one block is one of them.
    fn add_unbonding(
        mut unbondings: UnbondingsOf<T>,
        pool: &mut PoolOf<T>,
        amount: Balance,
        ready_at: BlockNumberFor<T>,
    ) -> Result<UnbondingsOf<T>, Error<T>> {
        match unbondings.last_mut().filter(|last| last.ready_at == ready_at) {
            Some(last) => last.position = pool.unbonding.add(&last.position, amount).ok_or(Error::<T>::PoolFull)?,
            None => {
                let position = pool.unbonding.open(amount).ok_or(Error::<T>::PoolFull)?;
                let added = unbondings.try_push(Unbonding { position, ready_at });
                added.map_err(|_| Error::<T>::TooManyUnbondings)?;
            },
        }
        Ok(unbondings)
    }

    /// Whoever cannot receive money must not escape a slash by it: a move is settled even if nothing can be paid out.
    pub(crate) fn do_withdraw(who: T::AccountId, module: ModuleId) -> DispatchResult {
        let mut pool = Pools::<T>::get(module);
        let settled = Self::settle_move(&who, module, &mut pool);
        if settled {
            Self::store(module, pool);
            pool = Pools::<T>::get(module);
        }
        match with_storage_layer(|| Self::pay_due(who, module, pool)) {
            Err(_) if settled => Ok(()),
            paid => paid,
        }
    }

    fn pay_due(who: T::AccountId, module: ModuleId, mut pool: PoolOf<T>) -> DispatchResult {
        let cleared = Self::clear_worthless(&who, module, &mut pool);
        let unbonded = Self::close_unbondings(&who, module, &mut pool);
        ensure!(cleared.is_some() || unbonded.is_some(), Error::<T>::NothingDue);

        Self::store(module, pool);
        let amount = cleared.unwrap_or(0).saturating_add(unbonded.unwrap_or(0));
        if unbonded.is_some() || amount > 0 {
            Self::pay_out(&who, amount)?;
            T::OnWithdrawn::on_stake_withdrawn(&who);
            Self::deposit_event(Event::Withdrawn { who, module, amount });
        }
        Ok(())
    }

    /// Forgets an account's stake if it is worth nothing. Gives what it receives as the last in the pool, which is what
    /// rounding left there; nothing if there was nothing to forget.
    fn clear_worthless(who: &T::AccountId, module: ModuleId, pool: &mut PoolOf<T>) -> Option<Balance> {
        let position = Stakes::<T>::get(who, module).filter(|position| pool.active.worth(position) == 0)?;
        let rest = pool.active.close(position);
        Stakes::<T>::remove(who, module);
        Self::deposit_event(Event::WorthlessCleared { who: who.clone(), module });
        Some(rest)
    }

    /// Takes out what is ready, and what is worth nothing. Gives the sum; nothing if there is neither.
    ///
    /// Many are taken out as one, so that all of them lose less than a planck.
    fn close_unbondings(who: &T::AccountId, module: ModuleId, pool: &mut PoolOf<T>) -> Option<Balance> {
        let now = frame_system::Pallet::<T>::block_number();
        let mut unbondings = Unbondings::<T>::get(who, module);
        let mut due = None::<Position>;
        unbondings.retain(|entry| {
            let stays = entry.ready_at > now && pool.unbonding.worth(&entry.position) > 0;
            if !stays {
                due = Some(due.map_or(entry.position, |due| pool.unbonding.join(due, entry.position)));
            }
            stays
        });
        let paid = pool.unbonding.close(due?);
        if unbondings.is_empty() {
            Unbondings::<T>::remove(who, module);
        } else {
            Unbondings::<T>::insert(who, module, unbondings);
        }
        Some(paid)
    }

    /// The first block after an unbonding period that begins now.
    pub(crate) fn period_from_now() -> BlockNumberFor<T> {
        frame_system::Pallet::<T>::block_number().saturating_add(UnbondingPeriod::<T>::get())
    }
}
