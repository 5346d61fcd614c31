//! Recomputes what can be recomputed and says what is off.

use alloc::{collections::BTreeMap, vec::Vec};

use ensemble_core::{
    spaces::{Activity, RoundIndex},
    SpaceId,
};
use frame_support::{
    ensure,
    traits::{fungible::InspectHold, Get},
};
use sp_runtime::TryRuntimeError;

use crate::{
    types::counting, Agenda, Balance, Closing, Config, History, HoldReason, Members, MembersOf, NextDue, NextSpaceId,
    Pallet, RosterOf, Rosters, SpaceOf, Spaces,
};

type Check = Result<(), TryRuntimeError>;

impl<T: Config> Pallet<T> {
    pub(crate) fn do_try_state() -> Check {
        Self::check_spaces()?;
        Self::check_orphans()?;
        Self::check_agenda()?;
        Self::check_closing()?;
        Self::check_holds()
    }

    fn check_spaces() -> Check {
        let spaces: Vec<_> = Spaces::<T>::iter().collect();
        ensure!(Spaces::<T>::count() as usize == spaces.len(), "the number of spaces is not the counter's");
        ensure!(Spaces::<T>::count() <= T::MaxSpaces::get(), "there are more spaces than allowed");
        for (id, space) in spaces {
            ensure!(id < NextSpaceId::<T>::get(), "a space has a number that was not given out");
            Self::check_members(&space, &Members::<T>::get(id))?;
            Self::check_rosters(id, &space)?;
            Self::check_history(id, &space)?;
            let wants_round = space.has_changed && space.counting >= space.spec.quorum;
            let is_due = matches!(space.activity, Activity::Due(_));
            let is_free = is_due || space.activity == Activity::Resting;
            ensure!(!is_free || is_due == wants_round, "a space is due without need, or needs a round and is not due");
        }
        Ok(())
    }

    fn check_members(space: &SpaceOf<T>, members: &MembersOf<T>) -> Check {
        let capacity = usize::try_from(space.spec.capacity).unwrap_or(usize::MAX);
        ensure!(members.len() <= capacity, "a space has more members than it takes");
        ensure!(counting(members) == space.counting, "the number of members that count is off");
        ensure!(members.is_sorted_by(|a, b| a.task < b.task), "members are not in the order of their tasks");
        let mut contents: Vec<_> = members.iter().map(|member| member.content).collect();
        contents.sort_unstable();
        ensure!(contents.is_sorted_by(|a, b| a < b), "two members have one content");
        let mut admitted: Vec<_> = members.iter().map(|member| member.admitted).collect();
        admitted.sort_unstable();
        let is_counted_up = admitted.is_sorted_by(|a, b| a < b) && admitted.last() < Some(&space.admitted);
        ensure!(is_counted_up, "members were not admitted one after the other");
        let weights = space.spec.least_weight..=space.spec.most_weight;
        ensure!(
            members.iter().all(|member| weights.contains(&member.weight)),
            "a member's weight is beyond the limits"
        );
        Ok(())
    }

    /// The round that runs and the one whose report is missing have rosters, and no other.
    fn check_rosters(id: SpaceId, space: &SpaceOf<T>) -> Check {
        let mut rosters: BTreeMap<RoundIndex, RosterOf<T>> = Rosters::<T>::iter_prefix(id).collect();
        let is_sorted = |roster: &RosterOf<T>| roster.is_sorted_by(|a, b| a.content < b.content);
        ensure!(rosters.values().all(is_sorted), "a roster is not in the order of contents");
        if let Activity::Running { round, entrants, .. } = space.activity {
            let roster = rosters.remove(&round).ok_or("a round that runs has no roster")?;
            ensure!(roster.len() == entrants as usize, "a round has not as many entrants as its roster");
            ensure!(round.checked_add(1) == Some(space.next_round), "the round that runs is not the last one");
        }
        if let Some(round) = space.unreported() {
            ensure!(rosters.remove(&round).is_some(), "a round whose report is missing has no roster");
        }
        ensure!(rosters.is_empty(), "a roster is of no use any more");
        Ok(())
    }

    /// The last rounds that are over are kept, without a gap, unless they are being removed.
    fn check_history(id: SpaceId, space: &SpaceOf<T>) -> Check {
        let mut kept: Vec<_> = History::<T>::iter_key_prefix(id).collect();
        kept.sort_unstable();
        let running = u32::from(matches!(space.activity, Activity::Running { .. }));
        let over = space.next_round.saturating_sub(running);
        let expected = over.saturating_sub(T::KeptRounds::get())..over;
        if space.activity == Activity::Closing {
            ensure!(kept.iter().all(|round| expected.contains(round)), "a round is kept that is not among the last");
        } else {
            ensure!(expected.eq(kept.iter().copied()), "the rounds that are kept are not the last");
        }
        let settled = space.state.map(|state| state.round);
        ensure!(settled.is_none_or(|round| round < over), "a state is of a round that is not over");
        Ok(())
    }

    /// Nothing may be left of spaces that are closed.
    fn check_orphans() -> Check {
        let known = |id: SpaceId| Spaces::<T>::contains_key(id);
        ensure!(Members::<T>::iter_keys().all(known), "members have no space");
        ensure!(Rosters::<T>::iter_keys().all(|(id, _)| known(id)), "a roster has no space");
        ensure!(History::<T>::iter_keys().all(|(id, _)| known(id)), "a round has no space");
        Ok(())
    }

    fn check_agenda() -> Check {
        for (due, id) in Agenda::<T>::iter_keys() {
            let is_due = Spaces::<T>::get(id).is_some_and(|space| space.activity == Activity::Due(due));
            ensure!(is_due, "the agenda names a space that is not due");
        }
        for (id, space) in Spaces::<T>::iter() {
            let Activity::Due(due) = space.activity else { continue };
            ensure!(Agenda::<T>::contains_key(due, id), "a space is due and not in the agenda");
            ensure!(due >= NextDue::<T>::get(), "the agenda's cursor has passed a space");
            ensure!(due >= space.rests_until, "a space is due before its cadence");
        }
        Ok(())
    }

    fn check_closing() -> Check {
        let mut closing: Vec<_> = Closing::<T>::iter_keys().collect();
        closing.sort_unstable();
        let retired = Spaces::<T>::iter().filter(|(_, space)| space.activity == Activity::Closing);
        let mut retired: Vec<_> = retired.map(|(id, _)| id).collect();
        retired.sort_unstable();
        ensure!(closing == retired, "the spaces that are being closed are not those that are to be");
        Ok(())
    }

    /// What is held is what the spaces say, account by account.
    fn check_holds() -> Check {
        let mut deposits = BTreeMap::<_, Balance>::new();
        for space in Spaces::<T>::iter_values() {
            let sum = deposits.entry(space.owner).or_default();
            *sum = sum.saturating_add(space.deposit);
        }
        let reason = HoldReason::SpaceDeposit.into();
        let is_held = deposits.iter().all(|(who, sum)| T::Currency::balance_on_hold(&reason, who) == *sum);
        ensure!(is_held, "an owner's deposits are not what is held");
        Ok(())
    }
}
