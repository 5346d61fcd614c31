//! How votes on traces end: what the pallet that holds them tells this one.

use ensemble_core::{
    inference::{Closing, RangeIndex, RangeVote},
    votes::{Failure, Matter, VoteEnd, VoteOutcome, VoteVoid},
    AttesterId, SessionId,
};
use frame_support::pallet_prelude::*;
use sp_runtime::traits::Saturating;

use crate::{
    types::bit, Config, CurrentLengths, Event, Faults, Notes, Pallet, Range, Ranges, SessionOf, Sessions, State,
    TeamOf, WeightInfo,
};

impl<T: Config> VoteOutcome for Pallet<T> {
    fn left(matter: Matter, voter: &AttesterId, failure: Option<Failure>) {
        if let Matter::Trace { session, range } = matter {
            Self::voter_left(session, range, voter, failure);
        }
    }

    fn left_weight() -> Weight {
        <T as Config>::WeightInfo::vote_left()
    }

    fn ended(matter: Matter, end: VoteEnd) {
        if let Matter::Trace { session, range } = matter {
            Self::vote_ended(session, range, end);
        }
    }

    fn ended_weight() -> Weight {
        <T as Config>::WeightInfo::vote_ended()
    }
}

impl<T: Config> Pallet<T> {
    /// A worker has left the vote on a range: `failure` is how it failed, if it did.
    fn voter_left(id: SessionId, range: RangeIndex, voter: &AttesterId, failure: Option<Failure>) {
        let Some(mut session) = Sessions::<T>::get(id) else { return };
        let Some(place) = place_of::<T>(&session, voter) else { return };
        let Some(record) = range_of::<T>(&mut session, range) else { return };
        match failure {
            None => record.backers |= bit(place),
            Some(Failure::Outvoted { .. }) => record.outvoted |= bit(place),
            Some(Failure::Absent | Failure::Silent) => return,
        }
        Sessions::<T>::insert(id, session);
    }

    /// The vote on a range is over.
    fn vote_ended(id: SessionId, range: RangeIndex, end: VoteEnd) {
        let Some(mut session) = Sessions::<T>::get(id) else { return };
        let Some(record) = range_of::<T>(&mut session, range) else { return };
        match end {
            VoteEnd::Settled(content) => (record.vote, record.agreed) = (RangeVote::Won(content), true),
            // Who revealed what did not win has not failed, and has won nothing.
            VoteEnd::Void(reason) => {
                let agreed = had_majority(reason);
                *record = Range { vote: RangeVote::Void, backers: 0, outvoted: 0, agreed, is_wrong: false };
            },
        }
        let Range { vote, backers, outvoted, .. } = record.clone();
        Self::deposit_event(Event::RangeDecided { session: id, range, vote, backers, outvoted });
        Self::close_votes(id, &mut session);
        Sessions::<T>::insert(id, session);
    }

    /// Opens the window if all votes are over, however they ended: what was done in ranges that won is paid for, and a
    /// gateway answers for what it did in any case. The caller stores the session.
    fn close_votes(id: SessionId, session: &mut SessionOf<T>) {
        let State::Voting { team, closing, ranges } = &session.state else { return };
        if ranges.iter().any(|range| matches!(range.vote, RangeVote::Open(_))) {
            return;
        }
        let (team, closing, ranges) = (team.clone(), *closing, ranges.clone());
        Self::open_window(id, session, team, closing, ranges);
    }

    /// Opens the window of a session whose ranges are decided. The caller stores the session.
    pub(crate) fn open_window(
        id: SessionId,
        session: &mut SessionOf<T>,
        team: TeamOf<T>,
        closing: Closing,
        ranges: Ranges,
    ) {
        let now = frame_system::Pallet::<T>::block_number();
        let until = now.saturating_add(CurrentLengths::<T>::get().window);
        session.state = State::Disputable {
            team,
            closing,
            ranges,
            faults: Faults::default(),
            false_keys: BoundedVec::new(),
            notes: Notes::default(),
            until,
        };
        Self::schedule(id, session, Some(Self::after(until)));
        Self::deposit_event(Event::WindowOpened { session: id, until });
    }
}

/// Whether most voters of a void vote revealed the same.
fn had_majority(reason: VoteVoid) -> bool {
    match reason {
        VoteVoid::NobodyCame | VoteVoid::QuorumMissed | VoteVoid::NoMajority => false,
        VoteVoid::NoAttesters | VoteVoid::Unavailable | VoteVoid::Unattested => true,
    }
}

fn place_of<T: Config>(session: &SessionOf<T>, voter: &AttesterId) -> Option<u32> {
    (0..).zip(session.state.team()).find(|(_, party)| party.key == *voter).map(|(place, _)| place)
}

/// A range that is being voted on.
fn range_of<T: Config>(session: &mut SessionOf<T>, range: RangeIndex) -> Option<&mut Range> {
    let State::Voting { ranges, .. } = &mut session.state else { return None };
    let record = ranges.get_mut(usize::try_from(range).ok()?)?;
    matches!(record.vote, RangeVote::Open(_)).then_some(record)
}
