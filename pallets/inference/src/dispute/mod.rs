//! Disputes: somebody shows that something in a session is wrong, and the chain computes it again.
//!
//! What can be seen of evidence without hashing anything comes first: numbers, sizes, and whether it is about something
//! that was not shown already. Evidence that fails there is refused, and costs no more than any transaction; from a worker,
//! who pays nothing, it does not come in. Then everything is hashed, and the step computed. What shows what it says is
//! right; all else is false, and costs.
//!
//! | evidence | against | what it shows | in |
//! |---|---|---|---|
//! | `Row` | who voted for a range's trace | an output is not the product of a row and the input | [`row`] |
//! | `Input` | who voted for a range's trace | the input is not the one that the gateway says it gave | [`row`] |
//! | `Signature` | a worker | it signed another row than it voted for | [`signature`] |
//! | `Short` | the gateway | it asked for more than it closed with | [`signature`] |
//! | `Glue` | the gateway | the prompt, or an input or state or token, does not follow | [`glue`] |
//!
//! A worker's key that was wrong once in a session shows nothing there any more: what it signed is public, and could be sent
//! again and again.
//!
//! Whoever is right first is paid. What was shown once is not shown again: each range, each worker's signature, and the
//! gateway. Glue is judged by what won of ranges that nobody has shown to be wrong. Of a range whose vote is void nothing can
//! be shown, nor by the outputs of all ranges where there is such a one. Where it rests on what workers
//! said, the gateway is excused if they had signed something else there: see [`notes`].

mod case;
mod glue;
pub(crate) mod notes;
mod row;
mod signature;

use alloc::vec::Vec;

use codec::Encode;
use ensemble_core::{
    attester::AttesterSignature,
    inference::{Evidence, GlueEvidence, Position, RangeIndex},
    AttesterId, SessionId,
};
use frame_support::{defensive, ensure, pallet_prelude::*, traits::Imbalance};
use sp_application_crypto::RuntimeAppPublic;
use sp_runtime::{
    traits::{SaturatedConversion, Saturating},
    transaction_validity::TransactionValidityWithRefund,
};

use crate::{
    closing::invalidity, price::part, types::bit, Balance, Config, CreditOf, Culprit, CurrentParameters, Error, Event,
    HoldReason, KeyOwners, Pallet, SessionOf, Sessions, State, WeightInfo,
};
use case::Case;

/// What a worker signs when it disputes, in front of everything else.
const DOMAIN: &[u8] = b"ensemble/dispute";

/// The bytes that a worker signs when it disputes: domain, hash of the chain's first block, and what it says.
pub fn signed_bytes<Hash: Encode>(
    genesis: &Hash,
    session: SessionId,
    evidence: &Evidence,
    key: &AttesterId,
) -> Vec<u8> {
    (DOMAIN, genesis, session, evidence, key).encode()
}

/// What looking at evidence takes: it grows with its size, and differs by kind.
pub(crate) fn weight_of<T: Config>(evidence: &Evidence) -> Weight {
    let bytes = u32::try_from(evidence.encoded_size()).unwrap_or(u32::MAX);
    match evidence {
        Evidence::Row { .. } => <T as Config>::WeightInfo::dispute_row(bytes),
        Evidence::Input { .. } => <T as Config>::WeightInfo::dispute_trace(bytes),
        Evidence::Signature { .. } | Evidence::Short { .. } => <T as Config>::WeightInfo::dispute_signature(bytes),
        Evidence::Glue(glue) => match glue {
            GlueEvidence::Prompt { .. } => <T as Config>::WeightInfo::dispute_prompt(bytes),
            GlueEvidence::Norm { .. } => <T as Config>::WeightInfo::dispute_norm(bytes),
            GlueEvidence::Sum { .. } | GlueEvidence::Activation { .. } => {
                <T as Config>::WeightInfo::dispute_outputs(bytes)
            },
            GlueEvidence::Embedding { .. } | GlueEvidence::Carry { .. } | GlueEvidence::Token { .. } => {
                <T as Config>::WeightInfo::dispute_trace(bytes)
            },
        },
    }
}

/// What letting evidence in takes.
pub(crate) fn weight_of_authorize<T: Config>(evidence: &Evidence) -> Weight {
    let bytes = u32::try_from(evidence.encoded_size()).unwrap_or(u32::MAX);
    <T as Config>::WeightInfo::authorize_dispute(bytes)
}

/// Whom evidence is against.
pub fn culprit_of(evidence: &Evidence) -> Culprit {
    match evidence {
        Evidence::Row { range, .. } | Evidence::Input { range, .. } => Culprit::Range(*range),
        Evidence::Signature { place, .. } => Culprit::Worker(*place),
        Evidence::Short { .. } | Evidence::Glue(_) => Culprit::Gateway,
    }
}

/// What right evidence leads to.
enum Effect {
    /// Somebody is guilty.
    Guilty(Culprit),
    /// It counts against the gateway at the end.
    Noted { position: Position, ranges: u32 },
    /// A worker signed another row of a range than won, and is guilty if it voted for what won and was not found before.
    Signed { position: Position, range: RangeIndex, place: u32, is_guilty: bool },
}

impl Case {
    /// Whether evidence is about this session, and of the right sizes. Hashes nothing.
    fn admits(&self, evidence: &Evidence) -> bool {
        match evidence {
            Evidence::Row { range, stage, output, trace, input, chunk, matrix } => {
                row::admits(self, *range, *stage, *output, trace, input, chunk, matrix)
            },
            Evidence::Input { range, stage, trace, gateway } => row::admits_input(self, *range, *stage, trace, gateway),
            Evidence::Signature { range, place, trace, .. } => signature::admits(self, *range, *place, trace),
            Evidence::Short { position, .. } => signature::admits_short(self, *position),
            Evidence::Glue(evidence) => glue::admits(self, evidence),
        }
    }

    /// Whether evidence that is admitted shows what it says.
    fn is_shown_by(&self, evidence: &Evidence) -> bool {
        let shown = match evidence {
            Evidence::Row { range, stage, output, trace, input, chunk, matrix } => {
                row::shows(self, *range, *stage, *output, trace, input, chunk, matrix)
            },
            Evidence::Input { range, stage, trace, gateway } => row::shows_input(self, *range, *stage, trace, gateway),
            Evidence::Signature { range, place, signed, signature, trace } => {
                signature::shows(self, *range, *place, signed, signature, trace)
            },
            Evidence::Short { position, signature } => Some(signature::shows_short(self, *position, signature)),
            Evidence::Glue(evidence) => glue::shows(self, evidence),
        };
        shown.unwrap_or(false)
    }
}

impl<T: Config> Pallet<T> {
    /// Lets a worker's dispute into the pool or a block. What costs nothing is checked first, the signature last.
    pub(crate) fn authorize_dispute(
        _source: TransactionSource,
        id: &SessionId,
        evidence: &Evidence,
        key: &AttesterId,
        signature: &AttesterSignature,
    ) -> TransactionValidityWithRefund {
        let until = Self::disputable_by(*id, evidence, key).map_err(|error| invalidity(&error))?;
        let signed = key.verify(&signed_bytes(&Self::genesis(), *id, evidence, key), signature);
        ensure!(signed, InvalidTransaction::BadProof);

        let now = frame_system::Pallet::<T>::block_number();
        let left: u64 = Self::after(until).saturating_sub(now).saturated_into();
        // Closings and votes are short, and have less time. Of disputes the shortest come first, so that no long ones, which
        // may be false, keep others out.
        let bytes: u64 = evidence.encoded_size().saturated_into();
        let valid = ValidTransaction::with_tag_prefix("inference/dispute")
            .priority(T::ClosePriority::get().saturating_sub(bytes))
            // One at a time of each worker: its bond is there once.
            .and_provides(key)
            .longevity(left)
            .propagate(true)
            .build()?;
        Ok((valid, Weight::zero()))
    }

    /// The last block for a worker's dispute, if it counts.
    fn disputable_by(
        id: SessionId,
        evidence: &Evidence,
        key: &AttesterId,
    ) -> Result<frame_system::pallet_prelude::BlockNumberFor<T>, Error<T>> {
        let owner = KeyOwners::<T>::get(key).ok_or(Error::NotAWorker)?;
        let bond = Self::worker(&owner)?.bond;
        ensure!(bond >= T::DisputeDeposit::get(), Error::<T>::BondTooSmall);
        let (session, ..) = Self::examined(id, evidence)?;
        match session.state {
            State::Disputable { until, false_keys, .. } => {
                ensure!(!false_keys.contains(key), Error::<T>::DisputedBefore);
                Ok(until)
            },
            _ => Err(Error::NotDisputable),
        }
    }

    /// The session, what evidence is judged by, and what it leads to, if it is admitted.
    fn examined(id: SessionId, evidence: &Evidence) -> Result<(SessionOf<T>, Case, Effect), Error<T>> {
        let session = Self::session(id)?;
        let now = frame_system::Pallet::<T>::block_number();
        let State::Disputable { until, .. } = &session.state else { return Err(Error::NotDisputable) };
        ensure!(now <= *until, Error::<T>::NotDisputable);
        let case = Case::of::<T>(id, &session).ok_or(Error::NotDisputable)?;
        let effect = Self::effect_of(&session, &case, evidence)?;
        ensure!(case.admits(evidence), Error::<T>::MalformedEvidence);
        Ok((session, case, effect))
    }

    /// What evidence leads to if it is right, unless that is known.
    fn effect_of(session: &SessionOf<T>, case: &Case, evidence: &Evidence) -> Result<Effect, Error<T>> {
        let State::Disputable { ranges, faults, notes, until, .. } = &session.state else {
            return Err(Error::NotDisputable);
        };
        match evidence {
            Evidence::Row { range, .. } | Evidence::Input { range, .. } => {
                let record = usize::try_from(*range).ok().and_then(|range| ranges.get(range));
                ensure!(!record.ok_or(Error::MalformedEvidence)?.is_wrong, Error::AlreadyShown);
                Ok(Effect::Guilty(Culprit::Range(*range)))
            },
            Evidence::Signature { range, place, trace, .. } => {
                let (range, place, position) = (*range, *place, trace.index);
                let voted = case.backers(range) & bit(place) != 0;
                let is_known = faults.signers & bit(place) != 0;
                // Who did not vote for what won has lost by that what it has to lose, but the gateway may need its word.
                if !voted || is_known {
                    let error = if voted { Error::AlreadyShown } else { Error::MalformedEvidence };
                    ensure!(notes.need_excuse(position, range), error);
                }
                Ok(Effect::Signed { position, range, place, is_guilty: voted && !is_known })
            },
            Evidence::Short { .. } => {
                ensure!(!faults.gateway, Error::AlreadyShown);
                Ok(Effect::Guilty(Culprit::Gateway))
            },
            Evidence::Glue(evidence) => {
                ensure!(!faults.gateway, Error::AlreadyShown);
                let basis = notes::basis(evidence, case.ranges(), case.llama.vocabulary);
                let Some((position, ranges)) = basis else { return Ok(Effect::Guilty(Culprit::Gateway)) };
                Self::ensure_notable(notes, *until, position, ranges)?;
                Ok(Effect::Noted { position, ranges })
            },
        }
    }

    pub(crate) fn do_dispute(who: T::AccountId, id: SessionId, evidence: &Evidence) -> DispatchResult {
        let (session, case, effect) = Self::examined(id, evidence)?;
        let deposit = T::DisputeDeposit::get();
        Self::hold(HoldReason::Dispute, &who, deposit)?;
        if case.is_shown_by(evidence) {
            Self::give_back(Some(id), HoldReason::Dispute, &who, deposit);
            Self::carry_out(id, session, effect, who);
        } else {
            let lost = Self::take_held(HoldReason::Dispute, &who, deposit);
            Self::reject(id, culprit_of(evidence), who, lost);
        }
        Ok(())
    }

    pub(crate) fn do_dispute_as_worker(id: SessionId, evidence: &Evidence, key: &AttesterId) -> DispatchResult {
        Self::disputable_by(id, evidence, key)?;
        let (session, case, effect) = Self::examined(id, evidence)?;
        let who = KeyOwners::<T>::get(key).ok_or(Error::<T>::NotAWorker)?;
        if case.is_shown_by(evidence) {
            Self::carry_out(id, session, effect, who);
        } else {
            let lost = Self::slash_bond(id, &who, T::DisputeDeposit::get());
            Self::refuse_from_now_on(id, session, key);
            Self::reject(id, culprit_of(evidence), who, lost);
        }
        Ok(())
    }

    /// Lets no dispute of a key into a session any more. Anybody could send the same one again, at its owner's cost.
    ///
    /// Of more keys than are remembered the first goes: whoever wants it gone has lost as much with each of the others.
    fn refuse_from_now_on(id: SessionId, mut session: SessionOf<T>, key: &AttesterId) {
        if let State::Disputable { false_keys, .. } = &mut session.state {
            if false_keys.is_full() {
                false_keys.remove(0);
            }
            if false_keys.try_push(key.clone()).is_err() {
                defensive!("there is room for a key");
            }
        }
        Sessions::<T>::insert(id, session);
    }

    fn reject(id: SessionId, culprit: Culprit, challenger: T::AccountId, lost: CreditOf<T>) {
        let amount = lost.peek();
        Self::burn(lost);
        Self::deposit_event(Event::Rejected { session: id, culprit, challenger, lost: amount });
    }

    /// Does what right evidence leads to.
    fn carry_out(id: SessionId, mut session: SessionOf<T>, effect: Effect, challenger: T::AccountId) {
        match effect {
            Effect::Guilty(culprit) => Self::punish(id, &mut session, culprit, challenger),
            Effect::Noted { position, ranges } => Self::note(id, &mut session, position, ranges, challenger),
            Effect::Signed { position, range, place, is_guilty } => {
                Self::excuse(id, &mut session, position, range);
                if is_guilty {
                    Self::punish(id, &mut session, Culprit::Worker(place), challenger);
                }
            },
        }
        Sessions::<T>::insert(id, session);
    }

    /// Takes from the guilty, pays the challenger, and puts the rest into the session's purse. The caller stores the session.
    ///
    /// A gateway loses at least the price, and no challenger gets any of that: it may be the gateway's friend, which shows
    /// what it did on purpose.
    fn punish(id: SessionId, session: &mut SessionOf<T>, culprit: Culprit, challenger: T::AccountId) {
        let least = if culprit == Culprit::Gateway { session.price } else { 0 };
        let mut taken = Self::nothing();
        for who in Self::convict(session, culprit) {
            taken = taken.merge(Self::slash_wrong(id, &who, least));
        }
        let slashed: Balance = taken.peek();
        let reward = part(CurrentParameters::<T>::get().slashes.challenger, slashed);
        let (reward, rest) = taken.split(reward.min(slashed.saturating_sub(least)));
        let reward = Self::pay_credit(id, &challenger, reward);
        session.purse = session.purse.saturating_add(Self::put_in(session.model, rest));
        Self::deposit_event(Event::Upheld { session: id, culprit, challenger, slashed, reward });
    }

    /// Writes down who is guilty, and gives their accounts. The caller stores the session.
    fn convict(session: &mut SessionOf<T>, culprit: Culprit) -> Vec<T::AccountId> {
        let State::Disputable { team, ranges, faults, .. } = &mut session.state else { return Vec::new() };
        let guilty = match culprit {
            Culprit::Gateway => {
                faults.gateway = true;
                return alloc::vec![session.gateway.account.clone()];
            },
            Culprit::Worker(place) => {
                faults.signers |= bit(place);
                bit(place)
            },
            Culprit::Range(range) => {
                let Some(range) = usize::try_from(range).ok().and_then(|range| ranges.get_mut(range)) else {
                    return Vec::new();
                };
                range.is_wrong = true;
                range.backers
            },
        };
        let places = (0..).zip(team.iter()).filter(|(place, _)| guilty & bit(*place) != 0);
        places.map(|(_, party)| party.account.clone()).collect()
    }
}
