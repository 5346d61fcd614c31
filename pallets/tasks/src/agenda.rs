//! What time brings: which step is due when, and doing it within what a block or a call allows.

use ensemble_core::{spaces::Spaces, votes::VoteOutcome, TaskId};
use frame_support::{
    dispatch::{DispatchErrorWithPostInfo, WithPostDispatchInfo},
    pallet_prelude::*,
    weights::WeightMeter,
};
use frame_system::pallet_prelude::BlockNumberFor;
use sp_runtime::traits::Saturating;

use crate::{settle::Unsettled, Agenda, Config, Error, NextDue, Pallet, PanelsOpened, Step, TaskOf, Tasks, WeightInfo};

impl<T: Config> Pallet<T> {
    /// Moves a task in the agenda. The caller stores the task.
    pub(crate) fn reschedule(id: TaskId, task: &mut TaskOf<T>, due: BlockNumberFor<T>) {
        Agenda::<T>::remove(task.due, id);
        Agenda::<T>::insert(due, id, ());
        task.due = due;
    }

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
        // again. Nothing is added behind it, because every step that is taken here makes the next one due later.
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

    /// Does what is due for the task that stands under `due`. False if the weight did not suffice.
    fn work_on_entry(id: TaskId, due: BlockNumberFor<T>, now: BlockNumberFor<T>, meter: &mut WeightMeter) -> bool {
        if Tasks::<T>::get(id).is_none_or(|task| task.due != due) {
            Agenda::<T>::remove(due, id);
            return true;
        }
        Self::work_on(id, now, |task, step| meter.try_consume(Self::weight_of(task, step)).is_ok())
    }

    /// Takes the steps of a task that are due, each after asking `allowed`. False if it was not allowed one.
    fn work_on(id: TaskId, now: BlockNumberFor<T>, mut allowed: impl FnMut(&TaskOf<T>, Step) -> bool) -> bool {
        let mut unsettled = Unsettled::<T>::of(id);
        while let Some((task, step)) = Self::due_step(id, now) {
            if !Self::fits_block(&task, step) || !allowed(&task, step) {
                return false;
            }
            Self::take_step(id, task, step, now, &mut unsettled);
        }
        true
    }

    fn due_step(id: TaskId, now: BlockNumberFor<T>) -> Option<(TaskOf<T>, Step)> {
        let task = Tasks::<T>::get(id)?;
        let step = task.next_step(now)?;
        Some((task, step))
    }

    /// Whether this block can still take the step: it begins no more than so many panels.
    fn fits_block(task: &TaskOf<T>, step: Step) -> bool {
        let begins_panel = step == Step::CloseReveal && task.majority().is_ok();
        !begins_panel || PanelsOpened::<T>::get() < T::MaxPanelsPerBlock::get()
    }

    /// Weight of one step, with loading and storing the task.
    pub(crate) fn step_weight(step: Step) -> Weight {
        match step {
            Step::CloseReveal => <T as Config>::WeightInfo::close_reveal(),
            Step::CloseAttest => <T as Config>::WeightInfo::close_attest(),
            Step::Pay => <T as Config>::WeightInfo::pay_winner().max(<T as Config>::WeightInfo::pay_minority()),
            Step::Finish => <T as Config>::WeightInfo::finish(),
            Step::Dismiss => <T as Config>::WeightInfo::dismiss(),
            Step::Conclude => <T as Config>::WeightInfo::conclude_vote(),
        }
    }

    /// Weight of one step of a task, with what others do for it.
    fn weight_of(task: &TaskOf<T>, step: Step) -> Weight {
        let names_space = task.order().is_some_and(|order| order.space.is_some());
        Self::step_weight(step).saturating_add(match step {
            Step::Finish if names_space => T::Spaces::admit_weight(),
            Step::Dismiss => T::Outcomes::left_weight(),
            Step::Conclude => T::Outcomes::ended_weight(),
            _ => Weight::zero(),
        })
    }

    /// Weight of a call that settles `participants`: all that, and one of the other steps that may come before it. What
    /// is told of voters is charged for accounts as well.
    pub(crate) fn advance_weight(participants: u32) -> Weight {
        let close = Self::step_weight(Step::CloseReveal).max(Self::step_weight(Step::CloseAttest));
        let telling = T::Spaces::admit_weight().max(T::Outcomes::ended_weight());
        let leaving = T::Outcomes::left_weight().saturating_mul(participants.into());
        <T as Config>::WeightInfo::advance(participants)
            .saturating_add(close)
            .saturating_add(telling)
            .saturating_add(leaving)
    }

    pub(crate) fn do_advance(id: TaskId) -> DispatchResultWithPostInfo {
        let now = frame_system::Pallet::<T>::block_number();
        let task = Self::task(id).map_err(Self::in_vain)?;
        let step = task.next_step(now).ok_or_else(|| Self::in_vain(Error::NothingDue))?;
        ensure!(Self::fits_block(&task, step), Self::in_vain(Error::TooManyPanels));
        let mut paid = 0;
        Self::work_on(id, now, |_, step| {
            if !matches!(step, Step::Pay | Step::Dismiss) {
                return true;
            }
            let room = paid < T::SettlePerCall::get();
            paid = paid.saturating_add(room.into());
            room
        });
        Ok(Some(Self::advance_weight(paid)).into())
    }

    /// The error of a call that found nothing to do, with what looking took.
    fn in_vain(error: Error<T>) -> DispatchErrorWithPostInfo {
        error.with_weight(<T as Config>::WeightInfo::advance(0))
    }
}
