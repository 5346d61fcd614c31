//! Handing contributions on to winners.

use ensemble_core::{
    exchange::{Audience, Exchange},
    TaskId,
};
use frame_support::{ensure, pallet_prelude::*};
use sp_runtime::traits::Saturating;

use crate::{
    rule, BookOf, Books, Config, CurrentParameters, Entry, Error, Event, Grant, Line, LineOf, Pallet, Parameters,
    ParametersOf,
};

impl<T: Config> Exchange<T::AccountId> for Pallet<T> {
    fn on_winner(task: TaskId, winner: &T::AccountId, audience: Audience) {
        if !audience.is_exchanged() {
            return;
        }
        let now = frame_system::Pallet::<T>::block_number();
        let mut line = Line::<T>::get();
        let mut book = Books::<T>::get(winner).unwrap_or_default();
        book.clear(now, T::SettlingTime::get(), &line);
        book.add_victory(task, now);
        Self::grant_for(task, winner, &mut book, &mut line);
        Line::<T>::put(line);
        Books::<T>::insert(winner, book);
    }

    fn on_contribution(task: TaskId, creator: &T::AccountId, audience: Audience) {
        if !audience.is_granted() {
            return;
        }
        let recent = CurrentParameters::<T>::get().recent;
        let mut line = Line::<T>::get();
        let older = line.iter().position(|entry| entry.creator == *creator).map(|place| line.remove(place));
        let surplus = Self::make_room(&mut line, recent.saturating_sub(1));
        let left = older.as_ref().map(|older| older.task).or(surplus);
        let handed = older.map_or(0, |older| older.handed);
        if recent == 0 || line.try_push(Entry { task, creator: creator.clone(), handed }).is_err() {
            return Line::<T>::put(line);
        }
        Line::<T>::put(line);
        Self::deposit_event(Event::Joined { task, left });
    }

    #[cfg(feature = "runtime-benchmarks")]
    fn prepare_for_benchmark(winner: &T::AccountId) {
        Self::fill_for_benchmark(winner);
    }
}

impl<T: Config> Pallet<T> {
    /// Grants a winner of task `victory` as many contributions as the parameters say, as far as there are any for it.
    fn grant_for(victory: TaskId, winner: &T::AccountId, book: &mut BookOf<T>, line: &mut LineOf<T>) {
        let Parameters { rule, number, lifetime, .. } = CurrentParameters::<T>::get();
        let since = frame_system::Pallet::<T>::block_number();
        let until = since.saturating_add(lifetime);
        for _ in 0..number.min(T::MaxPerVictory::get()) {
            let eligible = |task| task != victory && !book.won(task) && book.grant(task).is_none();
            let next = rule::next(rule, line, eligible);
            let Some(entry) = next.and_then(|place| line.get_mut(place)) else { return };
            entry.handed.saturating_inc();
            let task = entry.task;
            let ended = book.add_grant(Grant { task, since, until });
            Self::deposit_event(Event::Granted { who: winner.clone(), task, victory, until, ended });
        }
    }

    /// Removes the oldest entries of the line until at most `keep` are left; returns the last one removed.
    ///
    /// More than one goes only after the parameters were changed.
    fn make_room(line: &mut LineOf<T>, keep: u32) -> Option<TaskId> {
        let keep = usize::try_from(keep).unwrap_or(usize::MAX);
        let surplus = line.len().saturating_sub(keep);
        line.drain(..surplus).last().map(|entry| entry.task)
    }

    pub(crate) fn do_set_parameters(parameters: ParametersOf<T>) -> DispatchResult {
        ensure!(parameters.recent <= T::MaxRecent::get(), Error::<T>::TooManyRecent);
        ensure!(parameters.number <= T::MaxPerVictory::get(), Error::<T>::TooManyPerVictory);
        ensure!(parameters.lifetime > 0u32.into(), Error::<T>::NoLifetime);
        CurrentParameters::<T>::put(parameters);
        Self::deposit_event(Event::ParametersSet { parameters });
        Ok(())
    }

    pub(crate) fn do_clear(who: T::AccountId) -> DispatchResult {
        let now = frame_system::Pallet::<T>::block_number();
        let mut book = Books::<T>::get(&who).ok_or(Error::<T>::NothingToClear)?;
        let (grants, victories) = book.clear(now, T::SettlingTime::get(), &Line::<T>::get());
        ensure!(grants > 0 || victories > 0, Error::<T>::NothingToClear);
        Books::<T>::set(&who, Some(book).filter(|book| !book.is_empty()));
        Self::deposit_event(Event::Cleared { who, grants, victories });
        Ok(())
    }
}
