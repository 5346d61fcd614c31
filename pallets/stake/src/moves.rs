//! Moving stake between modules, and settling what moved stake is liable for.

use ensemble_core::{modules::Modules, ModuleId};
use frame_support::{ensure, pallet_prelude::*};

use crate::{pool::Position, Balance, Config, Error, Event, Move, MoveOf, Moves, Pallet, PoolOf, Pools, Stakes};

impl<T: Config> Pallet<T> {
    /// The money stays in the pot; only positions change. Calls are transactional: what this does before it fails is
    /// undone.
    pub(crate) fn do_move_stake(who: T::AccountId, from: ModuleId, to: ModuleId, amount: Balance) -> DispatchResult {
        ensure!(amount > 0, Error::<T>::ZeroAmount);
        ensure!(from != to, Error::<T>::SameModule);
        ensure!(T::Modules::owner(to).is_some(), Error::<T>::UnknownModule);

        // Each settlement may change the other module's pool, so that one is stored before the other is read.
        let mut source = Pools::<T>::get(from);
        Self::settle_move(&who, from, &mut source);
        let (amount, left) = Self::take_from_stake(&who, from, &mut source, amount)?;
        Stakes::<T>::set(&who, from, left);
        Self::store(from, source);

        let mut pool = Pools::<T>::get(to);
        Self::settle_move(&who, to, &mut pool);
        let before = Self::worth_of(&who, to, &pool);
        ensure!(before.saturating_add(amount) >= T::MinStake::get(), Error::<T>::BelowMinimum);
        let moved = Self::add_to_move(&who, from, to, &mut pool, amount)?;
        let until = moved.until;
        Moves::<T>::insert(&who, to, moved);
        Self::store(to, pool);
        Self::deposit_event(Event::Moved { who, from, to, amount, until });
        Ok(())
    }

    /// What an account moved to a module with `amount` more, which is liable for `from` as all of it.
    fn add_to_move(
        who: &T::AccountId,
        from: ModuleId,
        to: ModuleId,
        pool: &mut PoolOf<T>,
        amount: Balance,
    ) -> Result<MoveOf<T>, Error<T>> {
        let mut source = Pools::<T>::get(from);
        let positions = match Moves::<T>::get(who, to) {
            Some(moved) => {
                ensure!(moved.from == from, Error::<T>::StillLiable);
                (pool.active.add(&moved.position, amount), source.moved.add(&moved.liability, amount))
            },
            None => (pool.active.open(amount), source.moved.open(amount)),
        };
        let (Some(position), Some(liability)) = positions else { return Err(Error::PoolFull) };
        let amount = source.moved.worth(&liability);
        Self::store(from, source);
        Ok(Move { position, from, liability, amount, until: Self::period_from_now() })
    }

    /// Takes from what an account moved to a module what was slashed where it came from. Joins it with the account's
    /// other stake if it is no longer liable. Says whether there was anything to do.
    ///
    /// `pool` is that of `module`; the caller stores it.
    pub(crate) fn settle_move(who: &T::AccountId, module: ModuleId, pool: &mut PoolOf<T>) -> bool {
        let Some(mut moved) = Moves::<T>::get(who, module) else { return false };
        let mut source = Pools::<T>::get(moved.from);
        let due = Self::slashed_at_source(&moved, &source);
        let over = moved.until <= frame_system::Pallet::<T>::block_number();
        if due == 0 && !over && pool.active.worth(&moved.position) > 0 {
            return false;
        }

        let (slashed, left) = pool.active.take(moved.position, due);
        let over = over || left.is_none();
        match left {
            Some(position) if !over => {
                moved.position = position;
                moved.amount = moved.amount.saturating_sub(due);
                Moves::<T>::insert(who, module, moved);
            },
            left => {
                source.moved.close(moved.liability);
                Self::store(moved.from, source);
                Moves::<T>::remove(who, module);
                Self::join_stake(who, module, pool, left);
            },
        }
        Self::forfeit(slashed);
        Self::deposit_event(Event::MoveSettled { who: who.clone(), module, from: moved.from, slashed, over });
        true
    }

    /// What slashes of where moved stake came from took, and was not yet taken from it.
    pub(crate) fn slashed_at_source(moved: &MoveOf<T>, source: &PoolOf<T>) -> Balance {
        moved.amount.saturating_sub(source.moved.worth(&moved.liability))
    }

    fn join_stake(who: &T::AccountId, module: ModuleId, pool: &mut PoolOf<T>, moved: Option<Position>) {
        let Some(moved) = moved else { return };
        let joined = match Stakes::<T>::get(who, module) {
            Some(position) => pool.active.join(position, moved),
            None => moved,
        };
        Stakes::<T>::insert(who, module, joined);
    }
}
