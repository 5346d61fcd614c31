//! The steps from the end of the reveals to the end of the task.

use ensemble_core::{exchange::Exchange, TaskId};
use frame_support::defensive;
use frame_system::pallet_prelude::BlockNumberFor;
use sp_runtime::traits::Saturating;

use crate::{
    Attestations, Balance, Config, Contribution, Contributions, Event, HoldReason, Leader, Outcome, Pallet,
    PanelsOpened, Participation, Participations, State, Step, Tallies, TaskOf, Tasks, VoidReason,
};

impl<T: Config> Pallet<T> {
    /// Takes a step that is due.
    ///
    /// `participants` gives those that are not settled, one for each [`Step::Pay`].
    pub(crate) fn take_step(
        id: TaskId,
        task: TaskOf<T>,
        step: Step,
        now: BlockNumberFor<T>,
        participants: &mut impl Iterator<Item = (T::AccountId, Participation)>,
    ) {
        match step {
            Step::CloseReveal => Self::close_reveal(id, task, now),
            Step::CloseAttest => Self::close_attest(id, task),
            Step::Pay => Self::settle_participant(id, task, participants.next()),
            Step::Finish => Self::finish(id, task, now),
        }
    }

    fn close_reveal(id: TaskId, mut task: TaskOf<T>, now: BlockNumberFor<T>) {
        let draw_from = Self::draw_from(&task);
        match task.majority() {
            // No reveal is taken any more; the panel is not known yet.
            Ok(_) if now < draw_from => Self::reschedule(id, &mut task, draw_from),
            Ok(leader) => Self::start_attesting(id, &mut task, leader, now),
            Err(reason) => Self::decide(id, &mut task, Outcome::Void(reason)),
        }
        Tasks::<T>::insert(id, task);
    }

    fn start_attesting(id: TaskId, task: &mut TaskOf<T>, leader: Leader, now: BlockNumberFor<T>) {
        let content = leader.content;
        let Some(panel) = Self::draw_panel(id, content) else {
            return Self::decide(id, task, Outcome::Void(VoidReason::NoAttesters));
        };
        let attesters = u32::try_from(panel.seats.len()).unwrap_or(u32::MAX);
        let until = now.saturating_add(task.attest_blocks);
        Attestations::<T>::insert(id, panel);
        PanelsOpened::<T>::mutate(|opened| opened.saturating_inc());
        Self::reschedule(id, task, until.saturating_add(1u32.into()));
        task.state = State::Attesting { leader, until };
        Self::deposit_event(Event::AttestStarted { task: id, content, attesters, until });
    }

    fn close_attest(id: TaskId, mut task: TaskOf<T>) {
        let served = Attestations::<T>::get(id).is_some_and(|panel| panel.was_served());
        let reason = match task.leader().map(|leader| leader.content) {
            Some(content) if served => VoidReason::Unattested { content },
            Some(content) => VoidReason::Unavailable { content },
            // A task in its attest phase has a leader. If ever one had none, it would have to end all the same.
            None => VoidReason::NoMajority,
        };
        Self::decide(id, &mut task, Outcome::Void(reason));
        Tasks::<T>::insert(id, task);
    }

    /// Ends the voting. The caller stores the task.
    pub(crate) fn decide(id: TaskId, task: &mut TaskOf<T>, outcome: Outcome) {
        Attestations::<T>::remove(id);
        Self::deposit_event(Event::TaskDecided { task: id, outcome: outcome.clone() });
        task.state = State::Settling { outcome, unsettled: task.committed };
    }

    fn settle_participant(id: TaskId, mut task: TaskOf<T>, next: Option<(T::AccountId, Participation)>) {
        let State::Settling { outcome, unsettled } = &mut task.state else {
            defensive!("participants are settled when the outcome is known");
            return;
        };
        let outcome = outcome.clone();
        match next {
            Some((who, participation)) => {
                unsettled.saturating_dec();
                Self::settle(id, &mut task, &outcome, who, participation);
            },
            None => {
                defensive!("as many participants are stored as are unsettled");
                *unsettled = 0;
            },
        }
        Tasks::<T>::insert(id, task);
    }

    fn settle(id: TaskId, task: &mut TaskOf<T>, outcome: &Outcome, who: T::AccountId, participation: Participation) {
        let dues = task.dues(outcome, &participation);
        Participations::<T>::remove(id, &who);
        if let Participation::Revealed { content, .. } = participation {
            Tallies::<T>::remove(id, content);
        }
        let slashed = Self::slash_held(HoldReason::Bond, &who, dues.slash);
        Self::give_back(id, HoldReason::Bond, &who, participation.bond().saturating_sub(dues.slash));
        let reward = Self::pay(id, task, &who, dues.reward);
        let shares = Self::mint_shares(id, &who, dues.shares);
        if participation.backs(outcome) {
            T::Exchange::on_winner(id, &who, task.audience);
        }
        Self::deposit_event(Event::ParticipantSettled { task: id, who, reward, slashed, shares });
    }

    fn finish(id: TaskId, task: TaskOf<T>, now: BlockNumberFor<T>) {
        Self::release_to_creator(id, &task);
        let rent = Self::settle_rent(id, &task);
        Self::forget(id, &task);
        let (creator, returned) = (task.creator.clone(), task.escrow);
        Self::deposit_event(Event::TaskSettled { task: id, creator, returned, rent });
        if let State::Settling { outcome: Outcome::Won(leader), .. } = task.state {
            let contribution = Contribution {
                creator: task.creator,
                content: leader.content,
                descriptor: leader.descriptor,
                audience: task.audience,
                winners: leader.backers,
                weight: leader.weight,
                committed: task.committed,
                committed_weight: task.committed_weight,
                settled_at: now,
            };
            Contributions::<T>::insert(id, contribution);
            T::Exchange::on_contribution(id, task.audience);
        }
    }

    /// Takes the rent if a content won, and gives it back otherwise. Returns what was taken.
    fn settle_rent(id: TaskId, task: &TaskOf<T>) -> Balance {
        if let State::Settling { outcome: Outcome::Won(_), .. } = task.state {
            return Self::slash_held(HoldReason::Rent, &task.creator, task.rent);
        }
        Self::give_back(id, HoldReason::Rent, &task.creator, task.rent);
        0
    }
}
