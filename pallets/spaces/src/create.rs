//! Creating spaces.

use ensemble_core::{
    deposits::{deposit, mebibytes},
    spaces::{Activity, SpaceSpec, REPORT, STATE},
    SpaceId,
};
use ensemble_tensor::{Bundle, TensorId};
use frame_support::{ensure, pallet_prelude::*};
use sp_runtime::{traits::Zero, ArithmeticError, Permill};

use crate::{Balance, Config, Error, Event, NextSpaceId, Pallet, Space, SpaceOf, Spaces, SpecOf};

impl<T: Config> Pallet<T> {
    pub(crate) fn do_create(owner: T::AccountId, spec: SpecOf<T>) -> DispatchResult {
        Self::validate(&spec)?;
        ensure!(Spaces::<T>::count() < T::MaxSpaces::get(), Error::<T>::TooManySpaces);
        let deposit = Self::deposit(&spec, Spaces::<T>::count());

        let id = Self::take_space_id()?;
        Self::hold(&owner, deposit)?;
        let space = Space {
            owner: owner.clone(),
            deposit,
            spec: spec.clone(),
            admitted: 0,
            counting: 0,
            has_changed: false,
            rests_until: Zero::zero(),
            failures: 0,
            next_round: 0,
            activity: Activity::Resting,
            state: None,
        };
        Spaces::<T>::insert(id, space);
        let fee = Self::round_fee(&spec);
        Self::deposit_event(Event::SpaceCreated { space: id, owner, spec, deposit, fee });
        Ok(())
    }

    /// Whether a space may be as this says.
    fn validate(spec: &SpecOf<T>) -> Result<(), Error<T>> {
        ensure!(spec.has_tables(), Error::<T>::InvalidTable);
        ensure!((spec.cols..=spec.rows).contains(&spec.anchors), Error::<T>::InvalidAnchors);
        ensure!(spec.matrices.iter().all(|matrix| matrix.fits(spec.cols)), Error::<T>::InvalidMatrix);
        ensure!(has_names(spec), Error::<T>::InvalidMatrixName);
        // Of a larger part nobody could say who cheats.
        ensure!(spec.tolerated < Permill::from_percent(50), Error::<T>::TooManyTolerated);
        ensure!((1..=T::MaxMembers::get()).contains(&spec.capacity), Error::<T>::InvalidCapacity);
        ensure!((1..=spec.capacity).contains(&spec.quorum), Error::<T>::InvalidQuorum);
        ensure!((1..=spec.most_weight).contains(&spec.least_weight), Error::<T>::InvalidWeights);
        let cadences = T::MinCadence::get()..=T::MaxCadence::get();
        ensure!(cadences.contains(&spec.cadence), Error::<T>::InvalidCadence);
        Self::validate_sizes(spec)
    }

    fn validate_sizes(spec: &SpecOf<T>) -> Result<(), Error<T>> {
        ensure!(spec.result().max_bytes() <= T::MaxResultBytes::get(), Error::<T>::ResultTooLarge);
        let all = spec.contribution().max_bytes().saturating_mul(spec.capacity.into());
        ensure!(all <= T::MaxRoundBytes::get(), Error::<T>::RoundTooLarge);
        ensure!(spec.work() <= T::MaxRoundWork::get(), Error::<T>::TooMuchWork);
        Ok(())
    }

    /// What is held for a space when there are so many others, in planck.
    fn deposit(spec: &SpecOf<T>, others: u32) -> Balance {
        let size = mebibytes(spec.result().max_bytes());
        let for_state = T::StateDepositPerMib::get().saturating_mul(size.into());
        deposit(T::SpaceDeposit::get().saturating_add(for_state), others, T::MaxSpaces::get())
    }

    fn take_space_id() -> Result<SpaceId, DispatchError> {
        NextSpaceId::<T>::try_mutate(|next| {
            let id = *next;
            *next = id.checked_add(1).ok_or(ArithmeticError::Overflow)?;
            Ok(id)
        })
    }

    /// A space.
    pub(crate) fn space(id: SpaceId) -> Result<SpaceOf<T>, Error<T>> {
        Spaces::<T>::get(id).ok_or(Error::UnknownSpace)
    }

    /// A space that is not retired.
    pub(crate) fn live_space(id: SpaceId) -> Result<SpaceOf<T>, Error<T>> {
        let space = Self::space(id)?;
        ensure!(!space.is_retired(), Error::<T>::SpaceRetired);
        Ok(space)
    }

    /// A space that is not retired, if it belongs to `who`.
    pub(crate) fn own_space(id: SpaceId, who: &T::AccountId) -> Result<SpaceOf<T>, Error<T>> {
        let space = Self::live_space(id)?;
        ensure!(space.owner == *who, Error::<T>::NotOwner);
        Ok(space)
    }
}

/// Whether a round's bundle can have a member of each name.
fn has_names<BlockNumber>(spec: &SpaceSpec<BlockNumber>) -> bool {
    let matrices = spec.matrices.iter().map(|matrix| core::str::from_utf8(&matrix.name).unwrap_or_default());
    let names = matrices.chain([STATE, REPORT]);
    Bundle::encode(names.map(|name| (name, TensorId::default()))).is_ok()
}
