//! What other pallets ask of this one, and tell it.

use ensemble_core::{
    spaces::{Admission, Contributors, Spaces},
    tasks::Content,
    votes::{Failure, Matter, VoteEnd, VoteOutcome},
    AttesterId, SpaceId,
};
use frame_support::{ensure, pallet_prelude::*};

use crate::{Config, Error, Pallet, WeightInfo};

impl<T: Config> Spaces<T::AccountId> for Pallet<T> {
    fn accepts(space: SpaceId, creator: &T::AccountId, content: &Content) -> DispatchResult {
        let space = Self::live_space(space)?;
        ensure!(space.spec.admits(content), Error::<T>::WrongContent);
        let is_open = space.spec.contributors == Contributors::Anyone;
        ensure!(is_open || space.owner == *creator, Error::<T>::NotOwner);
        Ok(())
    }

    fn accepts_weight() -> Weight {
        <T as Config>::WeightInfo::accepts()
    }

    fn admit(space: SpaceId, admission: Admission) {
        Self::do_admit(space, admission);
    }

    fn admit_weight() -> Weight {
        <T as Config>::WeightInfo::admit()
    }
}

/// Of votes on rounds. No others are this pallet's matter.
impl<T: Config> VoteOutcome for Pallet<T> {
    fn left(_: Matter, _: &AttesterId, _: Option<Failure>) {
        // Who failed is in an event. It costs nobody anything yet.
    }

    fn left_weight() -> Weight {
        Weight::zero()
    }

    fn ended(matter: Matter, end: VoteEnd) {
        if let Matter::Round { space, round } = matter {
            Self::end_round(space, round, end);
        }
    }

    fn ended_weight() -> Weight {
        <T as Config>::WeightInfo::end_round()
    }
}
