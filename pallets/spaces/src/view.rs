//! What outsiders may ask: the answers of the runtime API `SpacesApi`. Never called while a block is made.

use alloc::vec::Vec;

use ensemble_core::{
    spaces::{Member, PastRound, RoundIndex, RoundView, Settled, SpaceView},
    SpaceId,
};
use frame_system::pallet_prelude::BlockNumberFor;

use crate::{Balance, Config, History, Members, Pallet, RosterOf, Rosters, Space, Spaces};

/// Most entries of an answer.
const MAX_ENTRIES: u32 = 100;

type ViewOf<T> = SpaceView<<T as frame_system::Config>::AccountId, Balance, BlockNumberFor<T>>;

impl<T: Config> Pallet<T> {
    /// One space.
    pub fn space_view(id: SpaceId) -> Option<ViewOf<T>> {
        let Space { owner, deposit, spec, counting, activity, state, .. } = Spaces::<T>::get(id)?;
        let members = Members::<T>::decode_len(id).unwrap_or(0);
        let members = u32::try_from(members).unwrap_or(u32::MAX);
        Some(SpaceView { id, owner, deposit, spec, members, counting, activity, state })
    }

    /// Spaces in the order of their numbers, from `first` on, at most `limit` (and 100).
    pub fn space_views(first: SpaceId, limit: u32) -> Vec<ViewOf<T>> {
        let mut ids: Vec<_> = Spaces::<T>::iter_keys().filter(|id| *id >= first).collect();
        ids.sort_unstable();
        ids.into_iter().take(entries(limit)).filter_map(Self::space_view).collect()
    }

    /// The members of a space in the order of their tasks.
    pub fn members_of(id: SpaceId) -> Vec<Member> {
        Members::<T>::get(id).into_inner()
    }

    /// What went into the rounds of a space that run, or whose reports the chain has not read; oldest first.
    pub fn rounds_of(id: SpaceId) -> Vec<RoundView> {
        let Some(state) = Spaces::<T>::get(id).map(|space| space.state) else { return Vec::new() };
        let view = |(round, roster): (RoundIndex, RosterOf<T>)| {
            let settled = state.filter(|state| state.round == round);
            RoundView { round, entrants: roster.into_inner(), result: settled.map(|state| state.content) }
        };
        let mut rounds: Vec<_> = Rosters::<T>::iter_prefix(id).map(view).collect();
        rounds.sort_unstable_by_key(|round| round.round);
        rounds
    }

    /// The rounds of a space that are over and kept, from `first` on, at most `limit` (and 100).
    pub fn history_of(id: SpaceId, first: RoundIndex, limit: u32) -> Vec<(RoundIndex, PastRound<BlockNumberFor<T>>)> {
        let mut rounds: Vec<_> = History::<T>::iter_prefix(id).filter(|(round, _)| *round >= first).collect();
        rounds.sort_unstable_by_key(|(round, _)| *round);
        rounds.truncate(entries(limit));
        rounds
    }

    /// What a space has settled on.
    pub fn state_of(id: SpaceId) -> Option<Settled<BlockNumberFor<T>>> {
        Spaces::<T>::get(id)?.state
    }
}

fn entries(limit: u32) -> usize {
    usize::try_from(limit.min(MAX_ENTRIES)).unwrap_or(usize::MAX)
}
