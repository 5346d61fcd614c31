//! The index: putting listings where a search finds them, and walking it.

use alloc::vec::Vec;

use ensemble_core::{market::ModuleNames, ModelType, ModuleId};
use frame_support::traits::Get;
use sp_runtime::SaturatedConversion;

use crate::{
    rank::Rank, words::Word, Config, CurrentTotals, Event, Index, ListingOf, Listings, Pallet, Place, RefreshQueue,
    Refreshes, Shelf, WordsOf,
};

/// The shelves on which a listing with these words stands.
pub(crate) fn shelves(model_type: ModelType, words: &[Word]) -> impl Iterator<Item = Shelf> + '_ {
    [Shelf::All, Shelf::Type(model_type)].into_iter().chain(words.iter().cloned().map(Shelf::Word))
}

impl<T: Config> Pallet<T> {
    /// Moves a listing to the place that it deserves now, with these words.
    pub(crate) fn put_in_place(module: ModuleId, listing: &mut ListingOf<T>, words: WordsOf<T>) {
        let (before, after) = (listing.place, Self::deserved_place(module, listing));
        if before == after && listing.words == words {
            return;
        }
        if let Some(place) = before {
            shelves(place.model_type, &listing.words).for_each(|shelf| Index::<T>::remove(shelf, place.rank));
        }
        if let Some(place) = after {
            shelves(place.model_type, &words).for_each(|shelf| Index::<T>::insert(shelf, place.rank, ()));
        }
        listing.words = words;
        listing.place = after;
        Self::note_appearance(module, before.is_some(), after.is_some());
    }

    /// Takes a listing out of the index.
    pub(crate) fn take_away(module: ModuleId, listing: &mut ListingOf<T>) {
        listing.serving = false;
        let words = listing.words.clone();
        Self::put_in_place(module, listing, words);
    }

    fn deserved_place(module: ModuleId, listing: &ListingOf<T>) -> Option<Place> {
        let score = listing.merit(T::MinScore::get())?;
        let model_type = T::Modules::model_type(module)?;
        Some(Place { rank: Rank::new(score, listing.usage.intensity, module), model_type })
    }

    fn note_appearance(module: ModuleId, before: bool, after: bool) {
        if before == after {
            return;
        }
        CurrentTotals::<T>::mutate(|totals| {
            totals.listed = if after { totals.listed.saturating_add(1) } else { totals.listed.saturating_sub(1) };
        });
        Self::deposit_event(if after { Event::Appeared { module } } else { Event::Disappeared { module } });
    }

    /// Has a listing looked at soon, unless it is going to be. The caller stores it.
    pub(crate) fn enqueue(module: ModuleId, listing: &mut ListingOf<T>) {
        if listing.queued {
            return;
        }
        listing.queued = true;
        RefreshQueue::<T>::mutate(|queue| {
            Refreshes::<T>::insert(queue.end, module);
            queue.end = queue.end.saturating_add(1);
        });
    }

    /// Brings a listing to its place if it was noted that it may not be there.
    pub(crate) fn refresh(module: ModuleId) {
        let Some(mut listing) = Listings::<T>::get(module).filter(|listing| listing.queued) else { return };
        listing.queued = false;
        let words = listing.words.clone();
        Self::put_in_place(module, &mut listing, words);
        Listings::<T>::insert(module, listing);
    }

    /// Walks down shelves at once and calls `visit` with every rank that is on all of them, from `from` on, until it
    /// says that this is enough or so many looks were taken. Returns where to go on; nothing at the end.
    ///
    /// All shelves are in the same order. So where one has a gap, the others jump over it (Veldhuizen, Leapfrog Triejoin,
    /// 2014, is the general case).
    pub(crate) fn walk(
        shelves: &[Shelf],
        from: Rank,
        mut looks: u32,
        mut visit: impl FnMut(Rank) -> bool,
    ) -> Option<Rank> {
        let cost: u32 = shelves.len().saturated_into();
        let mut at = from;
        while looks >= cost {
            looks = looks.saturating_sub(cost);
            let firsts: Option<Vec<_>> = shelves.iter().map(|shelf| Self::first_from(shelf, at)).collect();
            let (least, most) = firsts.and_then(|ranks| Some((*ranks.iter().min()?, *ranks.iter().max()?)))?;
            at = most;
            if least == most {
                at = most.behind();
                if !visit(most) {
                    break;
                }
            }
        }
        Some(at)
    }

    /// The first rank on a shelf that is not before `rank`.
    fn first_from(shelf: &Shelf, rank: Rank) -> Option<Rank> {
        let before = Index::<T>::hashed_key_for(shelf, rank.before());
        Index::<T>::iter_key_prefix_from(shelf, before).next()
    }
}
