//! Members: admitting, suspending, readmitting.

use ensemble_core::{
    spaces::{Admission, Member, Standing},
    SpaceId, TaskId,
};
use frame_support::{ensure, pallet_prelude::*};
use sp_runtime::traits::Saturating;

use crate::{types::counting, Config, Error, Event, Members, MembersOf, Pallet, Refusal, SpaceOf, Spaces};

impl<T: Config> Pallet<T> {
    /// Takes what won a task, or says why not.
    pub(crate) fn do_admit(id: SpaceId, admission: Admission) {
        let Admission { task, content, .. } = admission;
        let refused = |refusal| Event::MemberRefused { space: id, task, content, refusal };
        Self::deposit_event(Self::try_admit(id, admission).unwrap_or_else(refused));
    }

    /// Returns what happened.
    fn try_admit(id: SpaceId, admission: Admission) -> Result<Event<T>, Refusal> {
        let mut space = Spaces::<T>::get(id).ok_or(Refusal::UnknownSpace)?;
        ensure!(!space.is_retired(), Refusal::Retired);
        let Admission { task, content, weight } = admission;
        ensure!(weight >= space.spec.least_weight, Refusal::TooLight);
        let weight = weight.min(space.spec.most_weight);
        let mut members = Members::<T>::get(id);
        ensure!(members.iter().all(|member| member.task != task), Refusal::AlreadyMember);
        if let Some(member) = members.iter_mut().find(|member| member.content == content) {
            // Else whoever wins a task of its own with what others are about to win would choose what it weighs.
            ensure!(member.standing.counts() && member.weight < weight, Refusal::AlreadyMember);
            member.weight = weight;
            let raised = Event::MemberRaised { space: id, task: member.task, by: task, content, weight };
            // It counts from the next round on, and has none begin: anybody may raise a weight, planck by planck, and
            // the space's owner pays for rounds.
            Self::store(id, space, members);
            return Ok(raised);
        }

        let replaced = Self::make_room(&space, &mut members)?;
        let place = members.iter().position(|member| member.task > task).unwrap_or(members.len());
        let member = Member { task, admitted: space.admitted, content, weight, standing: Standing::FRESH, last: None };
        members.try_insert(place, member).map_err(|_| Refusal::Full)?;
        space.admitted.saturating_inc();
        Self::hasten(id, &mut space);
        Self::store_changed(id, space, members);
        Ok(Event::MemberAdmitted { space: id, task, content, weight, replaced })
    }

    /// Removes the member that has been suspended longest if there is no room for another. Returns its task.
    fn make_room(space: &SpaceOf<T>, members: &mut MembersOf<T>) -> Result<Option<TaskId>, Refusal> {
        if u32::try_from(members.len()).is_ok_and(|len| len < space.spec.capacity) {
            return Ok(None);
        }
        let suspended = members.iter().enumerate().filter_map(|(place, member)| match member.standing {
            Standing::Suspended { since } => Some((since, place)),
            Standing::Counting { .. } => None,
        });
        let (_, place) = suspended.min().ok_or(Refusal::Full)?;
        Ok(Some(members.remove(place).task))
    }

    pub(crate) fn do_suspend(who: &T::AccountId, id: SpaceId, task: TaskId) -> DispatchResult {
        let space = Self::own_space(id, who)?;
        let mut members = Members::<T>::get(id);
        let member = member_mut::<T>(&mut members, task)?;
        ensure!(member.standing.counts(), Error::<T>::AlreadySuspended);

        member.standing = Standing::Suspended { since: space.next_round };
        Self::store_changed(id, space, members);
        Self::deposit_event(Event::MemberSuspended { space: id, task, report: None });
        Ok(())
    }

    pub(crate) fn do_readmit(who: &T::AccountId, id: SpaceId, task: TaskId) -> DispatchResult {
        let space = Self::own_space(id, who)?;
        let mut members = Members::<T>::get(id);
        let member = member_mut::<T>(&mut members, task)?;
        ensure!(!member.standing.counts(), Error::<T>::NotSuspended);

        member.standing = Standing::FRESH;
        Self::store_changed(id, space, members);
        Self::deposit_event(Event::MemberReadmitted { space: id, task });
        Ok(())
    }

    /// Stores members other than those that took part in the last round.
    fn store_changed(id: SpaceId, mut space: SpaceOf<T>, members: MembersOf<T>) {
        space.has_changed = true;
        Self::store(id, space, members);
    }

    /// Stores a space with its members, and has a round begin if one can.
    pub(crate) fn store(id: SpaceId, mut space: SpaceOf<T>, members: MembersOf<T>) {
        space.counting = counting(&members);
        Self::schedule(id, &mut space);
        Members::<T>::insert(id, members);
        Spaces::<T>::insert(id, space);
    }
}

/// The member that won a task.
fn member_mut<T: Config>(members: &mut MembersOf<T>, task: TaskId) -> Result<&mut Member, Error<T>> {
    let place = members.binary_search_by_key(&task, |member| member.task).map_err(|_| Error::UnknownMember)?;
    members.get_mut(place).ok_or(Error::UnknownMember)
}
