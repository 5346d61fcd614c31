//! Who works: blocks are counted, and who is silent is reported.

use alloc::{collections::BTreeMap, vec::Vec};

use frame_support::{traits::Get, BoundedVec};
use frame_system::pallet_prelude::BlockNumberFor;
use sp_staking::{offence::ReportOffence, SessionIndex};

use crate::{
    types::{Attendance, Silence},
    Attendances, Authored, Config, Event, Pallet, Validators, WeightInfo, LOG,
};

/// In how many parts a block is counted where it is shared.
const PARTS: u32 = 1_000;

impl<T: Config> pallet_authorship::EventHandler<T::AccountId, BlockNumberFor<T>> for Pallet<T> {
    fn note_author(author: T::AccountId) {
        Authored::<T>::mutate(author, |blocks| *blocks = blocks.saturating_add(1));
        Self::charge(<T as Config>::WeightInfo::note_author());
    }
}

impl<T: Config> Pallet<T> {
    /// Ends a session: finds who was silent in it, and reports who was for too long.
    pub(crate) fn take_attendance(session: SessionIndex) {
        let validators = pallet_session::Pallet::<T>::validators();
        let count = u32::try_from(validators.len()).unwrap_or(u32::MAX);
        Self::charge(<T as Config>::WeightInfo::end_session(count));
        let authored: Vec<_> = validators
            .into_iter()
            .map(|who| {
                let blocks = Authored::<T>::take(&who);
                (who, blocks)
            })
            .collect();
        let total = authored.iter().fold(0u32, |sum, (_, blocks)| sum.saturating_add(*blocks));
        let share = total.saturating_mul(PARTS).checked_div(count).unwrap_or(0);

        let mut attendances = Self::attendances_after(authored, share);
        let silent = Self::find_silent(&mut attendances, session);
        Attendances::<T>::put(BoundedVec::truncate_from(attendances));
        Self::report_silent(session, count, silent);
    }

    /// The attendances after a session of which each had this share, in thousandths of a block.
    fn attendances_after(authored: Vec<(T::AccountId, u32)>, share: u32) -> Vec<Attendance<T::AccountId>> {
        let before = Attendances::<T>::get().into_iter();
        let before: BTreeMap<_, _> =
            before.map(|entry| (entry.validator, (entry.silent_sessions, entry.share))).collect();
        let after = authored.into_iter().map(|(validator, blocks)| {
            let (sessions, shares) = match blocks {
                0 => before.get(&validator).copied().unwrap_or_default(),
                _ => return Attendance { validator, silent_sessions: 0, share: 0 },
            };
            Attendance { validator, silent_sessions: sessions.saturating_add(1), share: shares.saturating_add(share) }
        });
        after.collect()
    }

    /// Those of the sessions to come who were silent for too long. Their share begins anew.
    fn find_silent(attendances: &mut [Attendance<T::AccountId>], session: SessionIndex) -> Vec<T::AccountId> {
        let (sessions, share) = (T::SilentSessions::get(), T::SilentShare::get().saturating_mul(PARTS));
        let validators = Validators::<T>::get();
        let mut silent = Vec::new();
        for entry in attendances.iter_mut() {
            let guilty = entry.silent_sessions >= sessions && entry.share >= share;
            if guilty && validators.contains(&entry.validator) {
                entry.share = 0;
                let (validator, sessions) = (entry.validator.clone(), entry.silent_sessions);
                silent.push(validator.clone());
                Self::deposit_event(Event::Silent { validator, session, sessions });
            }
        }
        silent
    }

    fn report_silent(session: SessionIndex, validators: u32, silent: Vec<T::AccountId>) {
        if silent.is_empty() {
            return;
        }
        let offenders = silent.into_iter().map(|validator| (validator, ())).collect();
        let silence = Silence { session, validators, offenders };
        if T::ReportSilence::report_offence(Vec::new(), silence).is_err() {
            log::error!(target: LOG, "the silence in session {session} was reported before");
        }
    }
}
