//! Checks the line and every book.

use alloc::collections::BTreeSet;

use ensemble_core::exchange::Contributions;
use frame_support::{ensure, traits::Get};
use sp_runtime::TryRuntimeError;

use crate::{Books, Config, CurrentParameters, Line, Pallet};

impl<T: Config> Pallet<T> {
    pub(crate) fn do_try_state() -> Result<(), TryRuntimeError> {
        Self::check_line()?;
        Self::check_books()
    }

    fn check_line() -> Result<(), TryRuntimeError> {
        let parameters = CurrentParameters::<T>::get();
        ensure!(parameters.recent <= T::MaxRecent::get(), "more contributions are recent than may be");
        ensure!(parameters.number <= T::MaxPerVictory::get(), "more is granted for a victory than may be");
        let line = Line::<T>::get();
        let tasks: BTreeSet<_> = line.iter().map(|entry| entry.task).collect();
        ensure!(tasks.len() == line.len(), "a contribution stands in the line twice");
        let creators: BTreeSet<_> = line.iter().map(|entry| &entry.creator).collect();
        ensure!(creators.len() == line.len(), "a creator stands in the line twice");
        for task in tasks {
            let won = T::Contributions::won(task).ok_or("what stands in the line did not win")?;
            ensure!(won.audience.is_granted(), "what is not to be granted stands in the line");
        }
        Ok(())
    }

    fn check_books() -> Result<(), TryRuntimeError> {
        let now = frame_system::Pallet::<T>::block_number();
        for (_, book) in Books::<T>::iter() {
            ensure!(!book.is_empty(), "an empty book is kept");
            let granted: BTreeSet<_> = book.grants.iter().map(|grant| grant.task).collect();
            ensure!(granted.len() == book.grants.len(), "an account was granted something twice");
            ensure!(!book.victories.iter().any(|won| granted.contains(&won.task)), "an account was granted its own");
            ensure!(book.grants.iter().all(|grant| grant.since <= now), "a grant was made in the future");
            ensure!(book.grants.iter().all(|grant| grant.since <= grant.until), "a grant ended before it was made");
            ensure!(granted.iter().all(|task| T::Contributions::won(*task).is_some()), "what was granted did not win");
        }
        Ok(())
    }
}
