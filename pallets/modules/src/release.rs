//! Reserving the names of removed modules, and freeing them.
//!
//! A reservation that is over does not keep anybody from the name; that it is also cleared away keeps the state from
//! growing. Every reservation lasts equally long, so that the queue is in the order in which they end.

use ensemble_core::modules::NameState;
use frame_support::pallet_prelude::*;
use frame_system::pallet_prelude::BlockNumberFor;
use sp_runtime::traits::Saturating;

use crate::{names::NameKey, Config, Names, Pallet, Queue, Release, ReleaseQueue, Releases, WeightInfo};

impl<T: Config> Pallet<T> {
    /// Reserves a name and gives the block from which it is free.
    pub(crate) fn reserve(name: NameKey) -> BlockNumberFor<T> {
        let due = frame_system::Pallet::<T>::block_number().saturating_add(T::NameDelay::get());
        Names::<T>::insert(name, NameState::Reserved { until: due });
        ReleaseQueue::<T>::mutate(|queue| {
            Releases::<T>::insert(queue.end, Release { name, due });
            queue.end = queue.end.saturating_add(1);
        });
        due
    }

    /// Frees names whose time has come, as many as there is weight for, and gives the weight used.
    pub(crate) fn free_names(now: BlockNumberFor<T>, remaining: Weight) -> Weight {
        let affordable = Self::affordable_releases(remaining);
        if affordable == 0 {
            return Weight::zero();
        }
        let mut queue = ReleaseQueue::<T>::get();
        let mut freed = 0u32;
        while freed < affordable && Self::free_first(now, &mut queue) {
            freed = freed.saturating_add(1);
        }
        if freed > 0 {
            ReleaseQueue::<T>::put(queue);
        }
        // The look at the entry that was not due, too.
        <T as Config>::WeightInfo::free_names(freed.saturating_add(1).min(affordable))
    }

    fn affordable_releases(remaining: Weight) -> u32 {
        let fits = |count: &u32| <T as Config>::WeightInfo::free_names(*count).all_lte(remaining);
        (1..=T::MaxReleases::get()).take_while(fits).last().unwrap_or_default()
    }

    /// Frees the first name of the queue if it is due, and says whether it was.
    fn free_first(now: BlockNumberFor<T>, queue: &mut Queue) -> bool {
        let Some(Release { name, due }) = Releases::<T>::get(queue.first) else { return false };
        if due > now {
            return false;
        }
        // Since then somebody may have registered the name, and even removed it again.
        if matches!(Names::<T>::get(name), Some(NameState::Reserved { until }) if until <= now) {
            Names::<T>::remove(name);
        }
        Releases::<T>::remove(queue.first);
        queue.first = queue.first.saturating_add(1);
        true
    }
}
