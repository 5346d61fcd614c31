//! Reports: what a round found of its members, and what follows for them.

use codec::DecodeAll;
use ensemble_core::{
    spaces::{Finding, Member, Rejection, Report, RoundIndex, Standing, MAX_MEMBERS, REPORT},
    SpaceId,
};
use ensemble_tensor::{Bundle, Header, Tensor, TensorId};
use frame_support::{ensure, pallet_prelude::*};
use sp_runtime::transaction_validity::{TransactionValidityError, TransactionValidityWithRefund};

use crate::{Config, Error, Event, Manifest, Members, Pallet, ReportBytes, RosterOf, Rosters, SpaceOf};

/// Fewest bytes of a finding.
const MIN_FINDING_BYTES: usize = 9;
/// For how many blocks a report stays in the pool.
const LONGEVITY: TransactionLongevity = 64;

/// Most findings that so many bytes of a report can hold.
pub(crate) fn findings_in(bytes: usize) -> u32 {
    let findings = bytes.checked_div(MIN_FINDING_BYTES).unwrap_or(0);
    u32::try_from(findings).unwrap_or(u32::MAX).min(MAX_MEMBERS)
}

/// A report that is the one of its round, and what it belongs to.
pub(crate) struct Checked<T: Config> {
    space: SpaceOf<T>,
    roster: RosterOf<T>,
    report: Report,
}

impl<T: Config> Pallet<T> {
    /// Lets a report into the pool or a block.
    pub(crate) fn authorize_report(
        _source: TransactionSource,
        space: &SpaceId,
        round: &RoundIndex,
        manifest: &Manifest,
        report: &ReportBytes,
    ) -> TransactionValidityWithRefund {
        Self::check_report(*space, *round, manifest, report).map_err(invalidity)?;
        let valid = ValidTransaction::with_tag_prefix("spaces/report")
            .priority(T::ReportPriority::get())
            .and_provides((space, round))
            .longevity(LONGEVITY)
            .propagate(true)
            .build()?;
        Ok((valid, Weight::zero()))
    }

    pub(crate) fn do_submit_report(id: SpaceId, round: RoundIndex, manifest: &[u8], report: &[u8]) -> DispatchResult {
        let Checked { mut space, roster, report } = Self::check_report(id, round, manifest, report)?;
        if let Some(state) = &mut space.state {
            state.reported = true;
        }
        Rosters::<T>::remove(id, round);
        let mut members = Members::<T>::get(id);
        let mut is_anyone_suspended = false;
        for (entrant, finding) in roster.iter().zip(&report) {
            let place = members.binary_search_by_key(&entrant.task, |member| member.task);
            // It may have made room for another one meanwhile.
            let Some(member) = place.ok().and_then(|place| members.get_mut(place)) else { continue };
            if Self::move_standing(member, round, *finding) {
                is_anyone_suspended = true;
                Self::deposit_event(Event::MemberSuspended { space: id, task: entrant.task, report: Some(round) });
            }
        }
        // Who is suspended was left out already; but a duplicate of its takes its place in the next round.
        let has_duplicates = report.iter().any(|finding| finding.rejection == Some(Rejection::Duplicate));
        space.has_changed |= is_anyone_suspended && has_duplicates;
        Self::store(id, space, members);
        let count = |rejected: bool| report.iter().filter(|finding| finding.rejection.is_some() == rejected).count();
        let [accepted, rejected] = [false, true].map(|rejected| u32::try_from(count(rejected)).unwrap_or(u32::MAX));
        Self::deposit_event(Event::Reported { space: id, round, accepted, rejected });
        Ok(())
    }

    /// Has a member stand as a finding says. Returns whether that suspends it.
    fn move_standing(member: &mut Member, round: RoundIndex, finding: Finding) -> bool {
        member.last = Some((round, finding));
        let Standing::Counting { rejections } = &mut member.standing else { return false };
        match finding.rejection {
            None => *rejections = 0,
            // It has no part in the state while the other counts, and has to take over when that is gone.
            Some(Rejection::Duplicate) => (),
            Some(_) => *rejections = rejections.saturating_add(1),
        }
        let is_one_too_many = *rejections >= T::MaxRejections::get();
        if is_one_too_many {
            member.standing = Standing::Suspended { since: round };
        }
        is_one_too_many
    }

    /// Whether these bytes are the report of the last round that settled. What costs nothing is checked first.
    pub(crate) fn check_report(
        id: SpaceId,
        round: RoundIndex,
        manifest: &[u8],
        report: &[u8],
    ) -> Result<Checked<T>, Error<T>> {
        let space = Self::live_space(id)?;
        let state = space.state.filter(|state| state.round == round && !state.reported);
        let state = state.ok_or(Error::<T>::NoReportDue)?;
        let bundle = Bundle::parse(manifest).map_err(|_| Error::<T>::NotTheResult)?;
        let is_result = id_of(Bundle::header(manifest), manifest) == Some(state.content);
        ensure!(is_result, Error::<T>::NotTheResult);
        let reported = bundle.get(REPORT).filter(|named| id_of(header_of(report), report) == Some(*named));
        ensure!(reported.is_some(), Error::<T>::NotTheReport);
        let report = Report::decode_all(&mut &*report).map_err(|_| Error::<T>::MalformedReport)?;
        let roster = Rosters::<T>::get(id, round).ok_or(Error::<T>::NoReportDue)?;
        ensure!(roster.len() == report.len(), Error::<T>::MalformedReport);
        Ok(Checked { space, roster, report })
    }
}

fn header_of(bytes: &[u8]) -> Result<Header, ensemble_tensor::Error> {
    Header::bytes(u64::try_from(bytes.len()).unwrap_or(u64::MAX))
}

fn id_of(header: Result<Header, ensemble_tensor::Error>, data: &[u8]) -> Option<TensorId> {
    Tensor::new(header.ok()?, data).and_then(|tensor| tensor.id()).ok()
}

fn invalidity<T>(error: Error<T>) -> TransactionValidityError {
    match error {
        // The space has not come so far, or is past it.
        Error::UnknownSpace | Error::SpaceRetired | Error::NoReportDue => InvalidTransaction::Stale.into(),
        Error::NotTheResult | Error::NotTheReport => InvalidTransaction::BadProof.into(),
        _ => InvalidTransaction::Call.into(),
    }
}
