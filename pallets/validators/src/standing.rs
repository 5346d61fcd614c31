//! Standing for election, and ceasing to.

use ensemble_core::{
    modules::{Modules, Role},
    order::GreatestFirst,
    stake::Stake,
    ModuleId,
};
use frame_support::{ensure, pallet_prelude::*, traits::ValidatorRegistration};

use crate::{
    types::{Candidate, CandidateOf, ChillReason},
    Bars, Candidates, Config, Error, Event, Pallet, Ranking, StandsWith,
};

impl<T: Config> Pallet<T> {
    pub(crate) fn do_stand(who: T::AccountId, module: ModuleId) -> DispatchResult {
        let owner = T::Modules::owner(module).ok_or(Error::<T>::UnknownModule)?;
        ensure!(owner == who, Error::<T>::NotOwner);
        ensure!(!Candidates::<T>::contains_key(module), Error::<T>::StandsAlready);
        ensure!(!StandsWith::<T>::contains_key(&who), Error::<T>::StandsElsewhere);
        ensure!(Self::is_validator(module), Error::<T>::NotValidator);
        ensure!(Self::has_session_keys(&who), Error::<T>::NoSessionKeys);
        let era = Self::current_era();
        ensure!(Bars::<T>::get(&who).is_none_or(|until| until <= era), Error::<T>::Barred);
        ensure!(Candidates::<T>::count() < T::MaxCandidates::get(), Error::<T>::TooManyCandidates);
        let stake = T::Stake::staked(module);
        ensure!(stake >= T::MinStake::get(), Error::<T>::StakeTooLow);

        Self::add_candidate(module, Candidate { validator: who.clone(), stake, stood: era });
        Self::deposit_event(Event::Stood { module, validator: who, stake });
        Ok(())
    }

    pub(crate) fn do_chill(who: &T::AccountId, module: ModuleId) -> DispatchResult {
        let candidate = Candidates::<T>::get(module).ok_or(Error::<T>::NotStanding)?;
        ensure!(candidate.validator == *who, Error::<T>::NotOwner);

        Self::remove_candidate(module, candidate, ChillReason::Asked);
        Ok(())
    }

    /// Chills a module, if it stands.
    pub(crate) fn chill_module(module: ModuleId, reason: ChillReason) {
        if let Some(candidate) = Candidates::<T>::get(module) {
            Self::remove_candidate(module, candidate, reason);
        }
    }

    /// Puts a candidate where its stake belongs, or chills it if that is too low.
    pub(crate) fn rank_anew(module: ModuleId) {
        let Some(candidate) = Candidates::<T>::get(module) else { return };
        let stake = T::Stake::staked(module);
        if stake < T::MinStake::get() {
            return Self::remove_candidate(module, candidate, ChillReason::StakeTooLow);
        }
        if stake != candidate.stake {
            Ranking::<T>::remove(GreatestFirst::new(candidate.stake, module));
            Self::add_candidate(module, Candidate { stake, ..candidate });
        }
    }

    pub(crate) fn add_candidate(module: ModuleId, candidate: CandidateOf<T>) {
        StandsWith::<T>::insert(&candidate.validator, module);
        Ranking::<T>::insert(GreatestFirst::new(candidate.stake, module), &candidate.validator);
        Candidates::<T>::insert(module, candidate);
    }

    fn remove_candidate(module: ModuleId, candidate: CandidateOf<T>, reason: ChillReason) {
        let Candidate { validator, stake, .. } = candidate;
        Candidates::<T>::remove(module);
        StandsWith::<T>::remove(&validator);
        Ranking::<T>::remove(GreatestFirst::new(stake, module));
        Self::deposit_event(Event::Chilled { module, validator, reason });
    }

    pub(crate) fn is_validator(module: ModuleId) -> bool {
        matches!(T::Modules::role(module), Some((_, Role::Validator { .. })))
    }

    pub(crate) fn has_session_keys(who: &T::AccountId) -> bool {
        <pallet_session::Pallet<T> as ValidatorRegistration<_>>::is_registered(who)
    }
}
