//! What outsiders may ask: the answers of the runtime API `ValidatorsApi`. Never called while a block is made.

use alloc::{collections::BTreeMap, vec::Vec};

use ensemble_core::{
    validators::{CandidateView, EraView, SeatView},
    EraIndex, ModuleId,
};
use frame_support::traits::Get;

use crate::{
    types::{Candidate, Seat},
    Attendances, Authored, Balance, Bars, Candidates, Config, Pallet, Ranking, Seats, SessionLength, SessionsPerEra,
    Validators,
};

/// Most entries of an answer.
const MAX_ENTRIES: u32 = 100;

type CandidateViewOf<T> = CandidateView<<T as frame_system::Config>::AccountId, Balance>;
type EraViewOf<T> = EraView<<T as frame_system::Config>::AccountId, Balance>;
type SeatViewOf<T> = SeatView<<T as frame_system::Config>::AccountId>;

impl<T: Config> Pallet<T> {
    /// Those who stand, highest stake first, from the place `first` on, at most `limit` (and 100).
    pub fn candidate_views(first: u32, limit: u32) -> Vec<CandidateViewOf<T>> {
        let count = |number: u32| usize::try_from(number).unwrap_or(usize::MAX);
        let ranks = Ranking::<T>::iter_keys().skip(count(first)).take(count(limit.min(MAX_ENTRIES)));
        ranks.filter_map(|rank| Self::candidate_view(rank.tie())).collect()
    }

    /// One of those who stand.
    pub fn candidate_view(module: ModuleId) -> Option<CandidateViewOf<T>> {
        let Candidate { validator, stake, stood } = Candidates::<T>::get(module)?;
        let has_keys = Self::has_session_keys(&validator);
        let sits = Validators::<T>::get().contains(&validator);
        Some(CandidateView { module, validator, stake, stood, has_keys, sits })
    }

    /// The current era.
    pub fn era_view() -> EraViewOf<T> {
        let (era, sessions_per_era) = (Self::current_era(), SessionsPerEra::<T>::get());
        EraView {
            era,
            session: pallet_session::Pallet::<T>::current_index(),
            next_era_session: era.saturating_add(1).saturating_mul(sessions_per_era),
            sessions_per_era,
            session_length: SessionLength::<T>::get(),
            seats: Self::seat_views(era),
            validators: Validators::<T>::get().into_inner(),
            candidates: Candidates::<T>::count(),
            min_stake: T::MinStake::get(),
            min_validators: T::MinValidators::get(),
            max_validators: T::MaxValidators::get(),
        }
    }

    /// First era in which an offender may stand again, while that is to come.
    pub fn barred_until(who: &T::AccountId) -> Option<EraIndex> {
        Bars::<T>::get(who).filter(|until| *until > Self::current_era())
    }

    fn seat_views(era: EraIndex) -> Vec<SeatViewOf<T>> {
        let validators = Validators::<T>::get();
        let attendances = Attendances::<T>::get().into_iter();
        let silent: BTreeMap<_, _> = attendances.map(|entry| (entry.validator, entry.silent_sessions)).collect();
        let view = |Seat { validator, module, slashed, .. }| SeatView {
            module,
            sits: validators.contains(&validator),
            blocks: Authored::<T>::get(&validator),
            silent_sessions: silent.get(&validator).copied().unwrap_or(0),
            slashed,
            validator,
        };
        Seats::<T>::get(era).into_iter().map(view).collect()
    }
}
