//! Waiting: which closed session's votes begin next.
//!
//! The votes on all ranges of a session begin together, and there is room for so many votes at one time. If there is too
//! little, the session that was closed first gets what becomes free: no other votes begin while it waits, however few they
//! are. The others look again now and then, and the first of them takes its place.
//!
//! If votes cannot begin in time the session goes on without them: all its ranges are void. Its gateway has closed in time,
//! and loses nothing, unless it is shown to be wrong by what depends on no worker. Its workers are not paid, because nobody
//! knows who served. What was computed is burnt, and only the rest returns to the requester: it has the answer, and could
//! have filled the room itself.

use ensemble_core::{
    votes::{Sort, Votes},
    SessionId,
};
use frame_support::pallet_prelude::*;
use frame_system::pallet_prelude::BlockNumberFor;
use sp_runtime::traits::Saturating;

use crate::{Config, CurrentLengths, Event, FirstWaiting, Pallet, Range, SessionOf, Sessions, State};

/// Blocks after which a session looks again that others are before.
const LOOK_AGAIN: u32 = 4;

/// What a closed session may do.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum Turn {
    /// Have its votes begin.
    Begin,
    /// Look again later. If it was closed before all others that wait, what becomes free is its.
    Wait {
        /// Whether it was.
        is_first: bool,
    },
    /// Nothing more: its time is over.
    GiveUp,
}

impl<T: Config> Pallet<T> {
    /// The last block in which the votes of a session may begin that is closed now: as long as it had for its answer, and as
    /// long as the votes of others last.
    pub(crate) fn waits_until(now: BlockNumberFor<T>) -> BlockNumberFor<T> {
        let lengths = CurrentLengths::<T>::get();
        let votes = &lengths.votes;
        let parts = [lengths.answer, votes.commit, votes.reveal, votes.attest];
        parts.into_iter().fold(now, |sum, part| sum.saturating_add(part))
    }

    /// What a session that is closed may do in this block; nothing if it is not closed.
    pub(crate) fn turn_of(id: SessionId, session: &SessionOf<T>, now: BlockNumberFor<T>) -> Option<Turn> {
        let State::Closed { until, .. } = session.state else { return None };
        if now > until {
            return Some(Turn::GiveUp);
        }
        // One whose time is over keeps nobody out, though a full block may not have come to it.
        let first = FirstWaiting::<T>::get().filter(|(last, _)| *last >= now);
        let is_first = first.is_none_or(|first| (until, id) <= first);
        let has_room = T::Votes::room(Sort::Trace) >= session.question.workers;
        Some(if is_first && has_room { Turn::Begin } else { Turn::Wait { is_first } })
    }

    /// Begins the votes of a session, has them wait, or gives them up.
    pub(crate) fn begin_votes(id: SessionId, mut session: SessionOf<T>, now: BlockNumberFor<T>) {
        match Self::turn_of(id, &session, now) {
            Some(Turn::Begin) => {
                Self::wait_no_more(id);
                if Self::open_votes(id, &mut session) {
                    Sessions::<T>::insert(id, session);
                } else {
                    // What keeps votes from beginning though there is room does not go by waiting.
                    Self::give_up(id, session);
                }
            },
            Some(Turn::Wait { is_first }) => Self::wait(id, session, is_first, now),
            Some(Turn::GiveUp) => {
                Self::wait_no_more(id);
                Self::give_up(id, session);
            },
            None => (),
        }
    }

    /// Has a session look again later.
    pub(crate) fn wait(id: SessionId, mut session: SessionOf<T>, is_first: bool, now: BlockNumberFor<T>) {
        let State::Closed { until, .. } = session.state else { return };
        let next = if is_first {
            FirstWaiting::<T>::put((until, id));
            Self::after(now)
        } else {
            now.saturating_add(LOOK_AGAIN.into()).min(Self::after(until))
        };
        Self::schedule(id, &mut session, Some(next));
        Sessions::<T>::insert(id, session);
    }

    /// Leaves what becomes free to the next one.
    fn wait_no_more(id: SessionId) {
        if FirstWaiting::<T>::get().is_some_and(|(_, first)| first == id) {
            FirstWaiting::<T>::kill();
        }
    }

    /// Opens the window of a session on which nobody votes, and which pays nothing for that. The caller has seen to it that
    /// it does not wait.
    fn give_up(id: SessionId, mut session: SessionOf<T>) {
        let State::Closed { team, closing, .. } = &session.state else { return };
        let (team, closing) = (team.clone(), *closing);
        let ranges = (0..session.question.workers).map(|_| Range::not_voted_on()).collect();
        session.fee = 0;
        Self::deposit_event(Event::VotesGivenUp { session: id });
        Self::open_window(id, &mut session, team, closing, BoundedVec::truncate_from(ranges));
        Sessions::<T>::insert(id, session);
    }
}
