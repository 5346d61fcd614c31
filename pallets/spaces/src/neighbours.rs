//! What other pallets ask of this one, and tell it.

use ensemble_core::{
    spaces::{Admission, RoundEnd, RoundIndex, RoundOutcome, Spaces},
    tasks::Content,
    SpaceId,
};
use frame_support::{ensure, pallet_prelude::*};

use crate::{Config, Error, Pallet, WeightInfo};

impl<T: Config> Spaces for Pallet<T> {
    fn accepts(space: SpaceId, content: &Content) -> DispatchResult {
        let space = Self::live_space(space)?;
        ensure!(space.spec.admits(content), Error::<T>::WrongContent);
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

impl<T: Config> RoundOutcome for Pallet<T> {
    fn ended(space: SpaceId, round: RoundIndex, end: RoundEnd) {
        Self::end_round(space, round, end);
    }

    fn ended_weight() -> Weight {
        <T as Config>::WeightInfo::end_round()
    }
}
