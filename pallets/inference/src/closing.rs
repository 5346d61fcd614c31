//! Closing: what a gateway says of an answer. Nobody signs the transaction and nobody pays for it: the gateway's key lets it
//! in, once, while the session waits for it.

use alloc::vec::Vec;

use ensemble_compute::inference::{Architecture, Trace};
use ensemble_core::{
    attester::AttesterSignature,
    inference::{closing_bytes, places_of, Closing, RangeIndex},
    tasks::Content,
    votes::{Matter, VoteSpec, Voters, Votes},
    SessionId, TaskId,
};
use ensemble_tensor::{Header, Kind};
use frame_support::{ensure, pallet_prelude::*, storage::with_storage_layer};
use frame_system::pallet_prelude::BlockNumberFor;
use sp_application_crypto::RuntimeAppPublic;
use sp_runtime::{
    traits::{SaturatedConversion, Saturating, Zero},
    transaction_validity::{TransactionValidityError, TransactionValidityWithRefund},
};

use crate::{Config, CurrentLengths, Error, Event, Models, Pallet, Range, SessionOf, Sessions, State, TeamOf, LOG};

/// The header that traces of so many positions have.
pub fn trace_header(architecture: &Architecture, positions: u32) -> Option<Header> {
    let Architecture::Llama(llama) = architecture;
    Trace::header_of(llama, positions).ok()
}

impl<T: Config> Pallet<T> {
    /// Lets a closing into the pool or a block. What costs nothing is checked first, the signature last.
    pub(crate) fn authorize_close(
        _source: TransactionSource,
        id: &SessionId,
        closing: &Closing,
        signature: &AttesterSignature,
    ) -> TransactionValidityWithRefund {
        let (session, until) = Self::closable(*id, closing).map_err(|error| invalidity(&error))?;
        let signed = session.gateway.key.verify(&closing_bytes(&Self::genesis(), *id, closing), signature);
        ensure!(signed, InvalidTransaction::BadProof);

        let now = frame_system::Pallet::<T>::block_number();
        let left: u64 = Self::after(until).saturating_sub(now).saturated_into();
        let valid = ValidTransaction::with_tag_prefix("inference/close")
            .priority(T::ClosePriority::get())
            .and_provides(id)
            .longevity(left)
            .propagate(true)
            .build()?;
        Ok((valid, Weight::zero()))
    }

    /// Hash of the chain's first block, to which every signature is bound.
    pub(crate) fn genesis() -> T::Hash {
        frame_system::Pallet::<T>::block_hash(BlockNumberFor::<T>::zero())
    }

    /// The session that this closes and the last block for it, if it counts.
    fn closable(id: SessionId, closing: &Closing) -> Result<(SessionOf<T>, BlockNumberFor<T>), Error<T>> {
        let session = Self::session(id)?;
        let State::Assigned { until, .. } = session.state else { return Err(Error::NotAssigned) };
        ensure!(frame_system::Pallet::<T>::block_number() <= until, Error::<T>::NotAssigned);
        let model = Self::model(session.model)?;
        let (question, positions) = (&session.question, closing.positions());
        let allowed = question.prompt_tokens..=question.most_positions();
        let tokens = Header::new(Kind::I32, positions.saturating_add(1), 1).ok();
        let fits = allowed.contains(&positions)
            && trace_header(&model.architecture, positions) == Some(closing.trace.header)
            && tokens == Some(closing.tokens.header);
        ensure!(fits, Error::<T>::InvalidClosing);
        Ok((session, until))
    }

    pub(crate) fn do_close(id: SessionId, closing: Closing) -> DispatchResult {
        let (mut session, _) = Self::closable(id, &closing)?;
        let team = BoundedVec::truncate_from(session.state.team().to_vec());
        let now = frame_system::Pallet::<T>::block_number();
        session.state = State::Closed { team, closing, until: Self::waits_until(now) };
        Self::schedule(id, &mut session, Some(now));
        Sessions::<T>::insert(id, session);
        Self::deposit_event(Event::SessionClosed { session: id, closing });
        Ok(())
    }

    /// Has the workers of each range vote, and takes what that costs: all or nothing. False if they cannot. The caller stores
    /// the session.
    pub(crate) fn open_votes(id: SessionId, session: &mut SessionOf<T>) -> bool {
        let State::Closed { team, closing, .. } = &session.state else { return false };
        let (team, closing) = (team.clone(), *closing);
        let begun = with_storage_layer(|| {
            let ranges = 0..session.question.workers;
            ranges.map(|range| Self::open_vote(id, range, session, &team, &closing)).collect::<Result<Vec<_>, _>>()
        });
        let tasks: Vec<TaskId> = match begun {
            Ok(tasks) => tasks,
            Err(error) => {
                log::error!(target: LOG, "session {id}: no votes can begin: {error:?}");
                return false;
            },
        };
        let fee = session.fee;
        let taken = Self::take_price(session, fee);
        Self::burn(taken);
        let ranges = BoundedVec::truncate_from(tasks.iter().copied().map(Range::voted_on).collect());
        session.state = State::Voting { team, closing, ranges };
        Self::schedule(id, session, None);
        Self::deposit_event(Event::VotesOpened { session: id, tasks, fee });
        true
    }

    fn open_vote(
        id: SessionId,
        range: RangeIndex,
        session: &SessionOf<T>,
        team: &TeamOf<T>,
        closing: &Closing,
    ) -> Result<TaskId, DispatchError> {
        let places = places_of(range, session.question.workers, session.question.replicas);
        let party = |place: u32| team.get(usize::try_from(place).ok()?);
        let voters: Vec<_> = places.filter_map(|place| party(place).map(|party| party.key.clone())).collect();
        let header = closing.trace.header;
        let content = Content::Tensor { kind: header.kind(), rows: header.rows(), cols: header.cols() };
        T::Votes::open(VoteSpec {
            matter: Matter::Trace { session: id, range },
            content,
            phases: CurrentLengths::<T>::get().votes,
            voters: Voters::Named(BoundedVec::truncate_from(voters)),
        })
    }

    /// The architecture of a session's model. Models stay while they have sessions.
    pub(crate) fn architecture_of(session: &SessionOf<T>) -> Option<Architecture> {
        Models::<T>::get(session.model).map(|model| model.architecture)
    }
}

pub(crate) fn invalidity<T>(error: &Error<T>) -> TransactionValidityError {
    match error {
        // The session has not come so far, or is past it, or this was said before.
        Error::UnknownSession
        | Error::NotAssigned
        | Error::NotDisputable
        | Error::AlreadyShown
        | Error::DisputedBefore => InvalidTransaction::Stale.into(),
        Error::NotAWorker | Error::BondTooSmall => InvalidTransaction::BadSigner.into(),
        _ => InvalidTransaction::Call.into(),
    }
}
