//! The steps from the end of the reveals to the end of the task.

use ensemble_core::{
    exchange::Exchange,
    spaces::{Admission, Spaces},
    AttesterId, TaskId,
};
use frame_support::{defensive, storage::PrefixIterator};
use frame_system::pallet_prelude::BlockNumberFor;
use sp_runtime::traits::Saturating;

use crate::{
    Attestations, Balance, Ballot, Ballots, Config, Contribution, Contributions, Event, HoldReason, Leader, OrderOf,
    Outcome, Pallet, PanelsOpened, Participation, Participations, Purpose, State, Step, Tallies, TaskOf, Tasks,
    VoidReason,
};

/// Those of a task that are not settled, one for each [`Step::Pay`] or [`Step::Dismiss`].
///
/// One iterator for all of them: a new one would step over all that was removed before, again and again.
pub(crate) struct Unsettled<T: Config> {
    participants: PrefixIterator<(T::AccountId, Participation)>,
    voters: PrefixIterator<(AttesterId, Ballot)>,
}

impl<T: Config> Unsettled<T> {
    /// Those of this task.
    pub(crate) fn of(id: TaskId) -> Self {
        Self { participants: Participations::<T>::iter_prefix(id), voters: Ballots::<T>::iter_prefix(id) }
    }
}

impl<T: Config> Pallet<T> {
    /// Takes a step that is due. `unsettled` are those of the task.
    pub(crate) fn take_step(
        id: TaskId,
        task: TaskOf<T>,
        step: Step,
        now: BlockNumberFor<T>,
        unsettled: &mut Unsettled<T>,
    ) {
        match step {
            Step::CloseReveal => Self::close_reveal(id, task, now),
            Step::CloseAttest => Self::close_attest(id, task),
            Step::Pay => Self::settle_participant(id, task, unsettled.participants.next()),
            Step::Finish => Self::finish(id, task, now),
            Step::Dismiss => Self::dismiss(id, task, unsettled.voters.next()),
            Step::Conclude => Self::conclude_vote(id, task),
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
        let unsettled = match task.purpose {
            Purpose::Contribution(_) => task.committed,
            Purpose::Vote(_) => task.max_participants,
        };
        task.state = State::Settling { outcome, unsettled };
    }

    fn settle_participant(id: TaskId, mut task: TaskOf<T>, next: Option<(T::AccountId, Participation)>) {
        let (Purpose::Contribution(order), State::Settling { outcome, unsettled }) =
            (&mut task.purpose, &mut task.state)
        else {
            defensive!("participants are settled when the outcome of a task is known");
            return;
        };
        match next {
            Some((who, participation)) => {
                unsettled.saturating_dec();
                Self::settle(id, task.committed, order, outcome, who, participation);
            },
            None => {
                defensive!("as many participants are stored as are unsettled");
                *unsettled = 0;
            },
        }
        Tasks::<T>::insert(id, task);
    }

    fn settle(
        id: TaskId,
        committed: u32,
        order: &mut OrderOf<T>,
        outcome: &Outcome,
        who: T::AccountId,
        participation: Participation,
    ) {
        let dues = order.dues(committed, outcome, &participation);
        Participations::<T>::remove(id, &who);
        if let Participation::Revealed { content, .. } = participation {
            Tallies::<T>::remove(id, content);
        }
        let slashed = Self::slash_held(HoldReason::Bond, &who, dues.slash);
        Self::give_back(id, HoldReason::Bond, &who, participation.bond().saturating_sub(dues.slash));
        let reward = Self::pay(id, order, &who, dues.reward);
        let shares = Self::mint_shares(id, &who, dues.shares);
        if participation.backs(outcome) {
            T::Exchange::on_winner(id, &who, order.audience);
        }
        Self::deposit_event(Event::ParticipantSettled { task: id, who, reward, slashed, shares });
    }

    fn finish(id: TaskId, task: TaskOf<T>, now: BlockNumberFor<T>) {
        let (Some(order), State::Settling { outcome, .. }) = (task.order(), &task.state) else {
            defensive!("a task is finished when its participants are settled");
            return;
        };
        Self::release_to_creator(id, order);
        let rent = Self::settle_rent(id, order, outcome);
        Self::forget(id, &task);
        let (creator, returned) = (order.creator.clone(), order.escrow);
        Self::deposit_event(Event::TaskSettled { task: id, creator: creator.clone(), returned, rent });
        let Outcome::Won(leader) = outcome else { return };
        let Leader { content, descriptor, weight, backers } = leader.clone();
        let contribution = Contribution {
            creator: creator.clone(),
            content,
            descriptor,
            audience: order.audience,
            winners: backers,
            weight,
            committed: task.committed,
            committed_weight: task.committed_weight,
            settled_at: now,
        };
        Contributions::<T>::insert(id, contribution);
        T::Exchange::on_contribution(id, &creator, order.audience);
        if let Some(space) = order.space {
            T::Spaces::admit(space, Admission { task: id, content, weight });
        }
    }

    /// Takes the rent if a content won, and gives it back otherwise. Returns what was taken.
    fn settle_rent(id: TaskId, order: &OrderOf<T>, outcome: &Outcome) -> Balance {
        if let Outcome::Won(_) = outcome {
            return Self::slash_held(HoldReason::Rent, &order.creator, order.rent);
        }
        Self::give_back(id, HoldReason::Rent, &order.creator, order.rent);
        0
    }
}
