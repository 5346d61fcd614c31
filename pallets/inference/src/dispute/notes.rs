//! Notes: what was shown of a gateway by the outputs of ranges.
//!
//! Workers vote on their traces after the answer. What won may therefore be something else than what they gave the gateway,
//! and a gateway that did right with what it was given must have the time to say so. So such evidence is written down, and
//! counts when the window is over, unless a worker of one of its ranges is shown to have signed another row at its
//! position, or one of its ranges to be wrong. The first one makes the window longer, once.
//!
//! Everything else that a gateway does depends on no worker, and is not excused by any.

use ensemble_core::{
    inference::{GlueEvidence, Position, RangeIndex},
    SessionId,
};
use ensemble_tensor::RowProof;
use frame_support::{defensive, ensure};
use frame_system::pallet_prelude::BlockNumberFor;
use sp_runtime::{
    traits::{CheckedDiv, One, Saturating},
    SaturatedConversion,
};

use super::case::token;
use crate::{
    types::bit, Config, Culprit, CurrentLengths, Error, Event, Excuse, Note, Notes, NotesOf, Pallet, Ranges, SessionOf,
    State,
};

/// The window is longer by this part of it.
const EXTENSION: u64 = 4;

/// What evidence rests on: a position, and the ranges of whose outputs it is made, as bits. Nothing if no worker has a part
/// in it. Of `ranges` in all, and tokens below `vocabulary`.
pub(crate) fn basis(evidence: &GlueEvidence, ranges: u32, vocabulary: u32) -> Option<(Position, u32)> {
    let of_all = |trace: &RowProof| (trace.index, (0..ranges).fold(0, |bits, range| bits | bit(range)));
    match evidence {
        GlueEvidence::Sum { trace, .. } | GlueEvidence::Activation { trace, .. } => Some(of_all(trace)),
        GlueEvidence::Token { token: next, trace, taken, better, .. } => {
            let exists = token(next).is_none_or(|value| value < vocabulary);
            exists.then(|| (trace.index, bit(taken.0) | bit(better.0)))
        },
        GlueEvidence::Prompt { .. }
        | GlueEvidence::Embedding { .. }
        | GlueEvidence::Norm { .. }
        | GlueEvidence::Carry { .. } => None,
    }
}

impl<AccountId> Note<AccountId> {
    /// Whether a worker of this range excuses it by what it signed at this position.
    fn rests_on(&self, position: Position, range: RangeIndex) -> bool {
        self.position == position && self.ranges & bit(range) != 0
    }
}

impl<AccountId> Notes<AccountId> {
    /// Whether a signature on another row would excuse something.
    pub(crate) fn need_excuse(&self, position: Position, range: RangeIndex) -> bool {
        self.notes.iter().any(|note| !note.is_excused && note.rests_on(position, range))
    }

    /// Whether something that rests on these outputs was noted before, or is excused already.
    pub(crate) fn know(&self, position: Position, ranges: u32) -> bool {
        let is_noted = self.notes.iter().any(|note| (note.position, note.ranges) == (position, ranges));
        let excuses = |excuse: &Excuse| excuse.position == position && ranges & bit(excuse.range) != 0;
        is_noted || self.excuses.iter().any(excuses)
    }

    /// Whether nothing more is noted.
    pub(crate) fn are_full(&self) -> bool {
        self.notes.is_full()
    }

    /// A worker signed another row of this range than won.
    fn excuse(&mut self, position: Position, range: RangeIndex) {
        for note in self.notes.iter_mut().filter(|note| note.rests_on(position, range)) {
            note.is_excused = true;
        }
        let excuse = Excuse { position, range };
        // More of them than workers are there only where notes needed them, and these are marked.
        if !self.excuses.contains(&excuse) && !self.excuses.is_full() && self.excuses.try_push(excuse).is_err() {
            defensive!("there is room for an excuse");
        }
    }

    /// The first note that counts.
    fn standing(&self, ranges: &Ranges) -> Option<&Note<AccountId>> {
        let wrong = (0..).zip(ranges).filter(|(_, range)| range.is_wrong).fold(0, |bits, (range, _)| bits | bit(range));
        self.notes.iter().find(|note| !note.is_excused && note.ranges & wrong == 0)
    }
}

impl<T: Config> Pallet<T> {
    /// By how much the first note makes a window longer.
    fn extension() -> BlockNumberFor<T> {
        let window = CurrentLengths::<T>::get().window;
        let part: BlockNumberFor<T> = EXTENSION.saturated_into();
        window.checked_div(&part).unwrap_or_default().max(One::one())
    }

    /// Whether something may be noted that rests on these outputs. It may not while only excuses have time.
    pub(super) fn ensure_notable(
        notes: &NotesOf<T>,
        until: BlockNumberFor<T>,
        position: Position,
        ranges: u32,
    ) -> Result<(), Error<T>> {
        ensure!(!notes.know(position, ranges) && !notes.are_full(), Error::AlreadyShown);
        let last = if notes.notes.is_empty() { until } else { until.saturating_sub(Self::extension()) };
        ensure!(frame_system::Pallet::<T>::block_number() <= last, Error::NotDisputable);
        Ok(())
    }

    /// Writes down what somebody has shown. The caller stores the session.
    pub(super) fn note(
        id: SessionId,
        session: &mut SessionOf<T>,
        position: Position,
        ranges: u32,
        challenger: T::AccountId,
    ) {
        let State::Disputable { notes, until, .. } = &mut session.state else { return };
        let is_first = notes.notes.is_empty();
        let note = Note { position, ranges, challenger: challenger.clone(), is_excused: false };
        if notes.notes.try_push(note).is_err() {
            defensive!("there is room for a note");
            return;
        }
        if is_first {
            *until = until.saturating_add(Self::extension());
        }
        let until = *until;
        Self::schedule(id, session, Some(Self::after(until)));
        Self::deposit_event(Event::Noted { session: id, challenger, position, until });
    }

    /// A worker has signed another row of a range than won. The caller stores the session.
    pub(super) fn excuse(id: SessionId, session: &mut SessionOf<T>, position: Position, range: RangeIndex) {
        let State::Disputable { notes, .. } = &mut session.state else { return };
        if notes.need_excuse(position, range) {
            Self::deposit_event(Event::Excused { session: id, position, range });
        }
        notes.excuse(position, range);
    }

    /// Has the gateway pay for what was noted and not excused. The caller stores the session.
    pub(crate) fn carry_out_notes(id: SessionId, session: &mut SessionOf<T>) {
        let State::Disputable { ranges, faults, notes, .. } = &mut session.state else { return };
        if faults.gateway || notes.notes.is_empty() {
            return;
        }
        match notes.standing(ranges).map(|note| note.challenger.clone()) {
            Some(challenger) => Self::punish(id, session, Culprit::Gateway, challenger),
            None => faults.is_excused = true,
        }
    }
}
