//! What time brings: which step is due when, and doing it within what a block or a call allows.

use ensemble_core::SessionId;
use frame_support::{
    dispatch::{DispatchErrorWithPostInfo, WithPostDispatchInfo},
    pallet_prelude::*,
    weights::WeightMeter,
};
use frame_system::pallet_prelude::BlockNumberFor;
use sp_runtime::traits::Saturating;

use crate::{waiting::Turn, Agenda, Config, Error, NextDue, Pallet, SessionOf, Sessions, Step, WeightInfo};

impl<T: Config> Pallet<T> {
    /// Does what is due up to block `now`, oldest first, as far as `limit` reaches; returns what it took.
    pub(crate) fn work_through_agenda(now: BlockNumberFor<T>, limit: Weight) -> Weight {
        let mut meter = WeightMeter::with_limit(limit);
        // Every look at the agenda is charged before it is taken; the first one with reading and writing the cursor.
        let look = <T as Config>::WeightInfo::agenda_look();
        if meter.try_consume(look).is_err() {
            return meter.consumed();
        }
        let start = NextDue::<T>::get();
        let mut cursor = start;
        // One iterator for each block of the agenda: a new one would step over all that was removed before, again and
        // again. Nothing is left behind it, because a session's steps are taken until none is due in this block.
        let mut entries = Agenda::<T>::iter_key_prefix(cursor);
        while cursor <= now {
            match entries.next() {
                Some(id) if !Self::work_on_entry(id, cursor, now, &mut meter) => break,
                Some(_) => (),
                None => {
                    cursor.saturating_inc();
                    entries = Agenda::<T>::iter_key_prefix(cursor);
                },
            }
            if cursor > now || meter.try_consume(look).is_err() {
                break;
            }
        }
        if cursor != start {
            NextDue::<T>::put(cursor);
        }
        meter.consumed()
    }

    /// Does what is due for the session that stands under `due`. False if the weight did not suffice.
    fn work_on_entry(id: SessionId, due: BlockNumberFor<T>, now: BlockNumberFor<T>, meter: &mut WeightMeter) -> bool {
        if Sessions::<T>::get(id).is_none_or(|session| session.due != Some(due)) {
            Agenda::<T>::remove(due, id);
            return true;
        }
        Self::work_on(id, now, |session, step| meter.try_consume(Self::step_weight(id, session, step, now)).is_ok())
    }

    /// Takes the steps of a session that are due, each after asking `allowed`. False if it was not allowed one.
    fn work_on(id: SessionId, now: BlockNumberFor<T>, mut allowed: impl FnMut(&SessionOf<T>, Step) -> bool) -> bool {
        while let Some((session, step)) = Self::due_step(id, now) {
            if !allowed(&session, step) {
                return false;
            }
            Self::take_step(id, session, step, now);
        }
        true
    }

    fn due_step(id: SessionId, now: BlockNumberFor<T>) -> Option<(SessionOf<T>, Step)> {
        let session = Sessions::<T>::get(id)?;
        let is_due = session.due.is_some_and(|due| due <= now);
        let step = session.state.next_step().filter(|_| is_due)?;
        Some((session, step))
    }

    fn take_step(id: SessionId, session: SessionOf<T>, step: Step, now: BlockNumberFor<T>) {
        match step {
            Step::Assign => Self::assign(id, session, now),
            Step::TimeOut => Self::time_out(id, session, now),
            Step::OpenVotes => Self::begin_votes(id, session, now),
            Step::EndWindow => Self::end_window(id, session, now),
            Step::Settle => Self::settle_worker(id, session),
            Step::Finish => Self::finish(id, session),
        }
    }

    /// Weight of one step of a session, with loading and storing it.
    fn step_weight(id: SessionId, session: &SessionOf<T>, step: Step, now: BlockNumberFor<T>) -> Weight {
        match step {
            Step::Assign => <T as Config>::WeightInfo::assign(session.question.workers),
            Step::TimeOut => <T as Config>::WeightInfo::time_out(),
            Step::EndWindow => <T as Config>::WeightInfo::end_session(),
            Step::OpenVotes => match Self::turn_of(id, session, now) {
                Some(Turn::Begin) => <T as Config>::WeightInfo::open_votes(session.question.workers),
                Some(Turn::GiveUp) => <T as Config>::WeightInfo::end_session(),
                Some(Turn::Wait { .. }) | None => <T as Config>::WeightInfo::postpone_votes(),
            },
            Step::Settle => <T as Config>::WeightInfo::settle_worker(),
            Step::Finish => <T as Config>::WeightInfo::finish(),
        }
    }

    /// The most that a step takes that is not settling a worker.
    pub(crate) fn largest_step() -> Weight {
        let most = ensemble_core::inference::MAX_SESSION_WORKERS;
        <T as Config>::WeightInfo::assign(most)
            .max(<T as Config>::WeightInfo::time_out())
            .max(<T as Config>::WeightInfo::end_session())
            .max(<T as Config>::WeightInfo::open_votes(most))
    }

    /// Weight of a call that settles `workers`: all that, one of the other steps that may come before it, and the last.
    pub(crate) fn advance_weight(workers: u32) -> Weight {
        <T as Config>::WeightInfo::settle_worker()
            .saturating_mul(workers.into())
            .saturating_add(Self::largest_step())
            .saturating_add(<T as Config>::WeightInfo::finish())
    }

    pub(crate) fn do_advance(id: SessionId) -> DispatchResultWithPostInfo {
        let now = frame_system::Pallet::<T>::block_number();
        let session = Self::session(id).map_err(Self::in_vain)?;
        let is_due = session.due.is_some_and(|due| due <= now);
        let has_step = is_due && session.state.next_step().is_some();
        ensure!(has_step, Self::in_vain(Error::NothingDue));
        let waits = matches!(Self::turn_of(id, &session, now), Some(Turn::Wait { .. }));
        ensure!(!waits, Self::in_vain(Error::NoRoomForVotes));
        let mut settled = 0u32;
        Self::work_on(id, now, |_, step| {
            if step != Step::Settle {
                return true;
            }
            let room = settled < T::SettlePerCall::get();
            settled = settled.saturating_add(room.into());
            room
        });
        Ok(Some(Self::advance_weight(settled)).into())
    }

    /// The error of a call that found nothing to do, with what looking took.
    fn in_vain(error: Error<T>) -> DispatchErrorWithPostInfo {
        error.with_weight(<T as Config>::WeightInfo::agenda_look())
    }
}
