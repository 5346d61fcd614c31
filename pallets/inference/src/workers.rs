//! Workers: joining, leaving, and their bonds.

use codec::Encode;
use ensemble_core::{
    attester::AttesterSignature,
    inference::{Party, Peer},
    AttesterId, ModelId, SessionId,
};
use frame_support::{ensure, pallet_prelude::*};
use sp_application_crypto::RuntimeAppPublic;
use sp_core::proof_of_possession::statement_of_ownership;
use sp_runtime::{traits::Saturating, Permill};

use crate::{
    price::part, Balance, Config, CreditOf, CurrentLengths, CurrentParameters, Error, Event, HoldReason, KeyOwners,
    Models, Pallet, PartyOf, Worker, WorkerOf, Workers, LOG,
};

/// What the peer id of an Ed25519 key begins with: the multihash that is the key itself, of 36 bytes, in which a protobuf
/// message says that it is such a key, of 32 bytes.
const KEY_ITSELF: [u8; 6] = [0x00, 0x24, 0x08, 0x01, 0x12, 0x20];
/// What the peer id of a longer key begins with: the multihash by SHA2-256, of 32 bytes.
const KEY_HASHED: [u8; 2] = [0x12, 0x20];

/// Whether these are the bytes of a peer id, as libp2p's specification of peer ids says. Others could not be reached, and
/// whoever reads one would have to guess whom it means.
fn is_peer_id(bytes: &[u8]) -> bool {
    let rest = bytes.strip_prefix(&KEY_ITSELF).or_else(|| bytes.strip_prefix(&KEY_HASHED));
    rest.is_some_and(|rest| rest.len() == 32)
}

impl<T: Config> Pallet<T> {
    pub(crate) fn do_join(
        who: T::AccountId,
        model: ModelId,
        peer: Peer,
        key: AttesterId,
        proof: &AttesterSignature,
        bond: Balance,
    ) -> DispatchResult {
        ensure!(Models::<T>::contains_key(model), Error::<T>::UnknownModel);
        ensure!(!Workers::<T>::contains_key(&who), Error::<T>::AlreadyAWorker);
        ensure!(bond >= T::MinBond::get(), Error::<T>::BondTooLow);
        Self::ensure_announced(&who, &peer, &key, proof)?;
        ensure!(Self::has_seat_left(model), Error::<T>::TooManyWorkers);

        Self::hold(HoldReason::Bond, &who, bond)?;
        KeyOwners::<T>::insert(&key, &who);
        let mut worker = Worker {
            model,
            key: key.clone(),
            peer: peer.clone(),
            bond,
            pledged: 0,
            consents: BoundedVec::new(),
            sessions: 0,
            place: None,
            leaves_at: None,
        };
        Self::deposit_event(Event::Joined { who: who.clone(), model, peer, key, bond });
        Self::seat(&who, &mut worker);
        Workers::<T>::insert(&who, worker);
        Ok(())
    }

    /// Whether an account may announce this.
    fn ensure_announced(
        who: &T::AccountId,
        peer: &Peer,
        key: &AttesterId,
        proof: &AttesterSignature,
    ) -> Result<(), Error<T>> {
        ensure!(is_peer_id(peer), Error::<T>::InvalidPeer);
        ensure!(KeyOwners::<T>::get(key).is_none_or(|owner| owner == *who), Error::<T>::KeyTaken);
        ensure!(key.verify(&statement_of_ownership(&who.encode()), proof), Error::<T>::NotYourKey);
        Ok(())
    }

    pub(crate) fn do_announce(
        who: T::AccountId,
        peer: Peer,
        key: AttesterId,
        proof: &AttesterSignature,
    ) -> DispatchResult {
        let mut worker = Self::worker(&who)?;
        Self::ensure_announced(&who, &peer, &key, proof)?;

        KeyOwners::<T>::remove(&worker.key);
        KeyOwners::<T>::insert(&key, &who);
        worker.key = key.clone();
        worker.peer = peer.clone();
        Workers::<T>::insert(&who, worker);
        Self::deposit_event(Event::Announced { who, peer, key });
        Ok(())
    }

    pub(crate) fn do_bond_extra(who: T::AccountId, amount: Balance) -> DispatchResult {
        let mut worker = Self::worker(&who)?;
        ensure!(worker.leaves_at.is_none(), Error::<T>::AlreadyLeaving);
        ensure!(Models::<T>::contains_key(worker.model), Error::<T>::UnknownModel);
        let bond = worker.bond.saturating_add(amount);
        let returns = worker.place.is_none() && bond >= T::MinBond::get();
        ensure!(!returns || Self::has_seat_left(worker.model), Error::<T>::TooManyWorkers);

        Self::hold(HoldReason::Bond, &who, amount)?;
        worker.bond = bond;
        if returns {
            Self::seat(&who, &mut worker);
        } else {
            Self::reweigh(&who, &worker);
        }
        Workers::<T>::insert(&who, worker);
        Self::deposit_event(Event::BondRaised { who, bond });
        Ok(())
    }

    pub(crate) fn do_leave(who: T::AccountId) -> DispatchResult {
        let mut worker = Self::worker(&who)?;
        ensure!(worker.leaves_at.is_none(), Error::<T>::AlreadyLeaving);

        let at = frame_system::Pallet::<T>::block_number().saturating_add(CurrentLengths::<T>::get().leave);
        Self::unseat(&who, &mut worker);
        worker.leaves_at = Some(at);
        Workers::<T>::insert(&who, worker);
        Self::deposit_event(Event::Leaving { who, at });
        Ok(())
    }

    pub(crate) fn do_withdraw(who: T::AccountId) -> DispatchResult {
        let worker = Self::worker(&who)?;
        let at = worker.leaves_at.ok_or(Error::<T>::NotLeaving)?;
        ensure!(frame_system::Pallet::<T>::block_number() >= at, Error::<T>::TooEarly);
        ensure!(worker.sessions == 0, Error::<T>::InSessions);

        Workers::<T>::remove(&who);
        KeyOwners::<T>::remove(&worker.key);
        Self::give_back(None, HoldReason::Bond, &who, worker.bond);
        Self::deposit_event(Event::Withdrawn { who, bond: worker.bond });
        Ok(())
    }

    /// A worker.
    pub(crate) fn worker(who: &T::AccountId) -> Result<WorkerOf<T>, Error<T>> {
        Workers::<T>::get(who).ok_or(Error::NotAWorker)
    }

    /// A worker as it takes part in a session from now on.
    pub(crate) fn engage(who: T::AccountId) -> Option<PartyOf<T>> {
        Workers::<T>::mutate(&who, |worker| {
            let worker = worker.as_mut()?;
            worker.sessions.saturating_inc();
            Some((worker.key.clone(), worker.peer.clone()))
        })
        .map(|(key, peer)| Party { account: who, key, peer })
    }

    /// Has a gateway drive a session from now on, with its bond at stake for the price. Stores the worker.
    pub(crate) fn pledge(who: T::AccountId, mut worker: WorkerOf<T>, price: Balance) -> PartyOf<T> {
        worker.sessions.saturating_inc();
        worker.pledged = worker.pledged.saturating_add(price);
        let (key, peer) = (worker.key.clone(), worker.peer.clone());
        Workers::<T>::insert(&who, worker);
        Party { account: who, key, peer }
    }

    /// A worker takes part in a session no longer, of which it had pledged so much: a gateway the price, all others nothing.
    pub(crate) fn disengage(who: &T::AccountId, pledged: Balance) {
        Workers::<T>::mutate(who, |worker| match worker {
            Some(worker) => {
                worker.sessions.saturating_dec();
                worker.pledged = worker.pledged.saturating_sub(pledged);
            },
            None => log::error!(target: LOG, "{who:?} was in a session and is no worker"),
        });
    }

    /// A part of a worker's bond, as far as it counts: up to `most`.
    fn part_of_bond(who: &T::AccountId, ratio: Permill, most: Balance) -> Balance {
        part(ratio, Workers::<T>::get(who).map_or(0, |worker| worker.bond).min(most))
    }

    /// Takes what being wrong costs, but at least `least`, or what there is. No more of a bond is at stake than what counts
    /// in a draw, because nobody gets work for more, and what a gateway has pledged.
    pub(crate) fn slash_wrong(session: SessionId, who: &T::AccountId, least: Balance) -> CreditOf<T> {
        let wrong = Self::part_of_bond(who, CurrentParameters::<T>::get().slashes.wrong, T::BondCap::get());
        Self::slash_bond(session, who, wrong.max(least))
    }

    /// Takes what being outvoted costs: of the least bond, whatever there is. Who was outvoted may have been right, by a
    /// majority that lied in a way that nobody can show.
    pub(crate) fn slash_outvoted(session: SessionId, who: &T::AccountId) -> CreditOf<T> {
        let outvoted = Self::part_of_bond(who, CurrentParameters::<T>::get().slashes.outvoted, T::MinBond::get());
        Self::slash_bond(session, who, outvoted)
    }

    /// Takes so much of a worker's bond, or what there is. Whoever has too little left is not drawn any more.
    pub(crate) fn slash_bond(session: SessionId, who: &T::AccountId, amount: Balance) -> CreditOf<T> {
        let Some(mut worker) = Workers::<T>::get(who) else {
            log::error!(target: LOG, "{who:?} is to be slashed and is no worker");
            return Self::nothing();
        };
        let credit = Self::take_held(HoldReason::Bond, who, amount.min(worker.bond));
        let taken = frame_support::traits::Imbalance::peek(&credit);
        worker.bond = worker.bond.saturating_sub(taken);
        if worker.bond < T::MinBond::get() {
            Self::unseat(who, &mut worker);
        } else {
            Self::reweigh(who, &worker);
        }
        Workers::<T>::insert(who, worker);
        Self::deposit_event(Event::Slashed { session, who: who.clone(), amount: taken });
        credit
    }
}
