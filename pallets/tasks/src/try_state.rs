//! Recomputes every total from its parts and says which one is off.

use alloc::{collections::BTreeMap, vec::Vec};

use ensemble_core::{AssetId, AttesterId, TaskId};
use ensemble_tensor::TensorId;
use frame_support::{
    ensure,
    traits::{fungible::InspectHold, fungibles::Inspect, Get},
};
use sp_runtime::TryRuntimeError;

use crate::{
    reward, Agenda, Attestations, Balance, Ballot, Ballots, Committees, Config, Contributions, HoldReason, NextDue,
    NextTaskId, OpenVotes, OrderOf, Outcome, Pallet, PanelsOpened, Participation, Participations, Purpose, State,
    Tallies, Tally, TaskOf, Tasks, VoteCounts,
};

type Check = Result<(), TryRuntimeError>;

impl<T: Config> Pallet<T> {
    pub(crate) fn do_try_state() -> Check {
        Self::check_tasks()?;
        Self::check_orphans()?;
        Self::check_agenda()?;
        Self::check_holds()?;
        Self::check_shares()
    }

    fn check_tasks() -> Check {
        let tasks: Vec<_> = Tasks::<T>::iter().collect();
        ensure!(Tasks::<T>::count() as usize == tasks.len(), "the number of tasks is not the counter's");
        let orders = tasks.iter().filter(|(_, task)| task.order().is_some()).count();
        ensure!(orders <= T::MaxTasks::get() as usize, "there are more tasks than allowed");
        Self::check_votes(&tasks)?;
        for (id, task) in tasks {
            ensure!(id < NextTaskId::<T>::get(), "a task has a number that was not given out");
            match &task.purpose {
                Purpose::Contribution(order) => {
                    Self::check_participants(id, &task, order)?;
                    Self::check_escrow(&task, order)?;
                },
                Purpose::Vote(_) => Self::check_voters(id, &task)?,
            }
            Self::check_tallies(id, &task)?;
            Self::check_panel(id, &task)?;
            let leader_fits = task.leader().is_none_or(|leader| leader.content == leader.descriptor.id());
            ensure!(leader_fits, "a leader's id is not that of its header and root");
        }
        let opened = PanelsOpened::<T>::get();
        ensure!(opened <= T::MaxPanelsPerBlock::get(), "more panels began in a block than may");
        Ok(())
    }

    fn check_votes(tasks: &[(TaskId, TaskOf<T>)]) -> Check {
        let mut open = VoteCounts::default();
        for (_, task) in tasks {
            if let Purpose::Vote(matter) = &task.purpose {
                *open.of_mut(matter.sort()) += 1;
            }
        }
        ensure!(open == OpenVotes::<T>::get(), "the number of votes is off");
        ensure!(open.rounds <= T::MaxRounds::get(), "more rounds are voted on than may");
        ensure!(open.traces <= T::MaxTraces::get(), "more traces are voted on than may");
        Ok(())
    }

    fn check_participants(id: TaskId, task: &TaskOf<T>, order: &OrderOf<T>) -> Check {
        let parts: Vec<_> = Participations::<T>::iter_prefix_values(id).collect();
        let stored = u32::try_from(parts.len()).map_err(|_| "participants cannot be counted")?;
        let revealed = parts.iter().filter(|part| matches!(part, Participation::Revealed { .. })).count();
        ensure!(task.committed <= task.max_participants, "a task has more participants than it takes");
        if let State::Settling { unsettled, .. } = task.state {
            ensure!(stored == unsettled, "the number of unsettled participants is off");
            return Ok(());
        }
        ensure!(stored == task.committed, "the number of commitments is off");
        ensure!(revealed == task.revealed as usize, "the number of reveals is off");
        let weight: Balance = parts.iter().map(|part| order.weight_of(part.bond())).sum();
        ensure!(weight == task.committed_weight, "the committed weight is off");
        Ok(())
    }

    /// Every voter has a ballot until it is dismissed.
    fn check_voters(id: TaskId, task: &TaskOf<T>) -> Check {
        ensure!(Participations::<T>::iter_key_prefix(id).next().is_none(), "an account takes part in a vote");
        ensure!(!Committees::<T>::contains_key(id), "a vote has a committee of accounts");
        let ballots: Vec<_> = Ballots::<T>::iter_prefix_values(id).collect();
        if let State::Settling { unsettled, .. } = task.state {
            ensure!(ballots.len() == unsettled as usize, "the number of voters to dismiss is off");
            return Ok(());
        }
        ensure!(ballots.len() == task.max_participants as usize, "the number of ballots is off");
        let committed = ballots.iter().filter(|ballot| **ballot != Ballot::Awaited).count();
        let revealed = ballots.iter().filter(|ballot| matches!(ballot, Ballot::Revealed(_))).count();
        ensure!(committed == task.committed as usize, "the number of commitments is off");
        ensure!(task.committed_weight == Balance::from(task.committed), "the committed weight is off");
        ensure!(revealed == task.revealed as usize, "the number of reveals is off");
        Ok(())
    }

    /// What was revealed in a task and is not settled, each with its weight.
    fn reveals(id: TaskId, task: &TaskOf<T>) -> Vec<(TensorId, Balance)> {
        let of_accounts = task.order().into_iter().flat_map(|order| {
            let parts = Participations::<T>::iter_prefix_values(id);
            parts.filter_map(move |part| match part {
                Participation::Revealed { content, bond } => Some((content, order.weight_of(bond))),
                Participation::Committed { .. } => None,
            })
        });
        let of_voters = Ballots::<T>::iter_prefix_values(id).filter_map(|ballot| match ballot {
            Ballot::Revealed(content) => Some((content, 1)),
            Ballot::Awaited | Ballot::Committed(_) => None,
        });
        of_accounts.chain(of_voters).collect()
    }

    fn check_tallies(id: TaskId, task: &TaskOf<T>) -> Check {
        let mut expected = BTreeMap::<TensorId, Tally>::new();
        for (content, weight) in Self::reveals(id, task) {
            let tally = expected.entry(content).or_default();
            tally.weight += weight;
            tally.backers += 1;
        }
        let stored: BTreeMap<_, _> = Tallies::<T>::iter_prefix(id).collect();
        if let State::Settling { .. } = task.state {
            // A tally goes with the first of its backers: what is there is whole.
            let whole = stored.iter().all(|(content, tally)| expected.get(content) == Some(tally));
            ensure!(whole, "a tally of a task being settled is off");
            return Ok(());
        }
        ensure!(stored == expected, "the tallies are not those of the reveals");
        let heaviest = expected.values().map(|tally| tally.weight).max();
        ensure!(task.leader().map(|leader| leader.weight) == heaviest, "the leader has not the most weight");
        let matches = task.leader().is_none_or(|leader| {
            expected.get(&leader.content) == Some(&Tally { weight: leader.weight, backers: leader.backers })
        });
        ensure!(matches, "the leader's numbers are not its tally's");
        Ok(())
    }

    fn check_panel(id: TaskId, task: &TaskOf<T>) -> Check {
        let panel = Attestations::<T>::get(id);
        let State::Attesting { leader, .. } = &task.state else {
            ensure!(panel.is_none(), "a task outside its attest phase has a panel");
            return Ok(());
        };
        let panel = panel.ok_or("a task in its attest phase has no panel")?;
        ensure!(panel.content == leader.content, "a panel attests another content than the leader");
        ensure!(panel.given() < panel.needed(), "a panel has decided and its task goes on");
        Ok(())
    }

    /// Until it is paid from, the escrow is what the task can cost.
    fn check_escrow(task: &TaskOf<T>, order: &OrderOf<T>) -> Check {
        let worst = reward::worst_case(&order.terms, task.max_participants).ok_or("a task has no worst case")?;
        ensure!(order.escrow <= worst, "an escrow is more than the worst case of the rewards");
        let paying = matches!(task.state, State::Settling { outcome: Outcome::Won(_), .. });
        ensure!(paying || order.escrow == worst, "an escrow was touched before there is a winner");
        Ok(())
    }

    /// Nothing may be left of tasks that are over.
    fn check_orphans() -> Check {
        let known = |id: TaskId| Tasks::<T>::contains_key(id);
        ensure!(Participations::<T>::iter_keys().all(|(id, _)| known(id)), "a participant has no task");
        let is_vote = |id: TaskId| Tasks::<T>::get(id).is_some_and(|task| task.order().is_none());
        ensure!(Ballots::<T>::iter_keys().all(|(id, _): (_, AttesterId)| is_vote(id)), "a ballot has no vote");
        ensure!(Tallies::<T>::iter_keys().all(|(id, _)| known(id)), "a tally has no task");
        ensure!(Attestations::<T>::iter_keys().all(known), "a panel has no task");
        ensure!(Committees::<T>::iter_keys().all(known), "a committee has no task");
        ensure!(Contributions::<T>::iter_keys().all(|id| !known(id)), "a settled task is still open");
        Ok(())
    }

    fn check_agenda() -> Check {
        let entries = Agenda::<T>::iter_keys().count();
        ensure!(entries == Tasks::<T>::count() as usize, "the agenda has not one entry per task");
        for (id, task) in Tasks::<T>::iter() {
            ensure!(Agenda::<T>::contains_key(task.due, id), "a task is not in the agenda");
            ensure!(task.due >= NextDue::<T>::get(), "the agenda's cursor has passed a task");
        }
        Ok(())
    }

    /// What is held is what tasks and participants say, account by account.
    fn check_holds() -> Check {
        let (mut deposits, mut escrows, mut bonds) = (BTreeMap::new(), BTreeMap::new(), BTreeMap::new());
        let mut rents = BTreeMap::new();
        for task in Tasks::<T>::iter_values() {
            let Some(order) = task.order() else { continue };
            *deposits.entry(order.creator.clone()).or_insert(0) += order.deposit;
            *rents.entry(order.creator.clone()).or_insert(0) += order.rent;
            *escrows.entry(order.creator.clone()).or_insert(0) += order.escrow;
        }
        for (_, who, part) in Participations::<T>::iter() {
            *bonds.entry(who).or_insert(0) += part.bond();
        }
        let held = |reason: HoldReason, sums: BTreeMap<T::AccountId, Balance>| {
            let reason = reason.into();
            sums.iter().all(|(who, sum)| T::Currency::balance_on_hold(&reason, who) == *sum)
        };
        ensure!(held(HoldReason::TaskDeposit, deposits), "a creator's deposits are not what is held");
        ensure!(held(HoldReason::Reward, escrows), "a creator's escrows are not what is held");
        ensure!(held(HoldReason::Rent, rents), "a creator's rents are not what is held");
        ensure!(held(HoldReason::Bond, bonds), "an account's bonds are not what is held");
        Ok(())
    }

    fn check_shares() -> Check {
        for id in Contributions::<T>::iter_keys() {
            let issued = T::Shares::total_issuance(AssetId::Shares(id));
            ensure!(issued <= reward::TOTAL_SHARES, "a contribution has too many shares");
        }
        Ok(())
    }
}
