//! The dense list of each model's workers, and the draw from it.
//!
//! A draw is by rejection: a place is taken at random, and its worker with the probability that its weight has of the
//! largest weight there can be. That needs no sums that change with every bond, and one look for each try. The number of
//! tries is bounded; should they not do, which with the smallest bonds at a tenth of the cap comes up about once in some
//! hundred sessions, the places after a random one are taken in their order, whatever their weights.

use alloc::{collections::BTreeSet, vec::Vec};

use codec::Encode;
use ensemble_core::{ModelId, SessionId};
use frame_support::pallet_prelude::*;
use sp_core::H256;
use sp_runtime::traits::SaturatedConversion;

use crate::{Balance, Config, Event, Pallet, Seat, SeatCounts, Seats, WorkerOf, Workers, LOG};

/// Context of the draw of a session's workers.
const DRAW: &[u8] = b"ensemble/inference/draw";
/// Tries of a draw for each worker that is wanted.
const TRIES: u32 = 16;

impl<T: Config> Pallet<T> {
    /// Whether one more worker of a model can be drawn.
    pub(crate) fn has_seat_left(model: ModelId) -> bool {
        SeatCounts::<T>::get(model) < T::MaxWorkers::get()
    }

    /// Puts a worker at the end of its model's list. The caller stores it.
    pub(crate) fn seat(who: &T::AccountId, worker: &mut WorkerOf<T>) {
        let place = SeatCounts::<T>::get(worker.model);
        SeatCounts::<T>::insert(worker.model, place.saturating_add(1));
        Seats::<T>::insert(worker.model, place, Seat { account: who.clone(), weight: Self::draw_weight(worker.bond) });
        worker.place = Some(place);
        Self::deposit_event(Event::Seated { who: who.clone(), model: worker.model });
    }

    /// Takes a worker out of its model's list, and puts the last one in its place. The caller stores it.
    pub(crate) fn unseat(who: &T::AccountId, worker: &mut WorkerOf<T>) {
        let Some(place) = worker.place.take() else { return };
        let last = SeatCounts::<T>::get(worker.model).saturating_sub(1);
        SeatCounts::<T>::insert(worker.model, last);
        let Some(moved) = Seats::<T>::take(worker.model, last) else {
            return log::error!(target: LOG, "model {} has no worker at place {last}", worker.model);
        };
        if place != last {
            Workers::<T>::mutate(&moved.account, |moved| {
                if let Some(moved) = moved {
                    moved.place = Some(place);
                }
            });
            Seats::<T>::insert(worker.model, place, moved);
        }
        Self::deposit_event(Event::Unseated { who: who.clone(), model: worker.model });
    }

    /// Has a worker count as its bond says, if it is drawn.
    pub(crate) fn reweigh(who: &T::AccountId, worker: &WorkerOf<T>) {
        if let Some(place) = worker.place {
            let weight = Self::draw_weight(worker.bond);
            Seats::<T>::insert(worker.model, place, Seat { account: who.clone(), weight });
        }
    }

    fn draw_weight(bond: Balance) -> Balance {
        bond.min(T::BondCap::get())
    }

    /// Draws so many workers of a model, in the order of their places in the session; nothing if there are too few beside
    /// the gateway.
    pub(crate) fn draw(
        session: SessionId,
        model: ModelId,
        gateway: &T::AccountId,
        wanted: u32,
    ) -> Option<Vec<T::AccountId>> {
        let seats = SeatCounts::<T>::get(model);
        let serves = Workers::<T>::get(gateway).is_some_and(|worker| worker.model == model && worker.place.is_some());
        if seats.saturating_sub(serves.into()) < wanted {
            return None;
        }
        let seed = H256(sp_io::hashing::blake2_256(&(DRAW, session, T::Entropy::get()).encode()));
        let mut drawn = Draw::new(gateway, wanted);
        for number in 0..wanted.saturating_mul(TRIES) {
            if drawn.is_complete() {
                break;
            }
            let (place, chance) = Self::lot(&seed, number, seats);
            drawn.offer(Seats::<T>::get(model, place).filter(|seat| chance < seat.weight));
        }
        // All that were drawn so far, and the gateway, may stand in the way.
        let (start, _) = Self::lot(&seed, u32::MAX, seats);
        for step in 0..seats.min(wanted.saturating_add(1)) {
            if drawn.is_complete() {
                break;
            }
            drawn.offer(Seats::<T>::get(model, start.saturating_add(step).checked_rem(seats).unwrap_or(0)));
        }
        Some(drawn.accounts)
    }

    /// A place below `seats`, which is not zero, and a number below the largest weight, both from enough bits that none is
    /// noticeably likelier than another.
    fn lot(seed: &H256, number: u32, seats: u32) -> (u32, Balance) {
        let hash = sp_io::hashing::blake2_256(&(seed, number).encode());
        let (place, chance) = hash.split_at(16);
        let number = |bytes: &[u8]| u128::from_le_bytes(bytes.try_into().unwrap_or_default());
        let place = number(place).checked_rem(seats.into()).unwrap_or(0);
        (place.saturated_into(), number(chance).checked_rem(T::BondCap::get()).unwrap_or(0))
    }
}

/// Workers that were drawn so far.
struct Draw<AccountId> {
    wanted: usize,
    accounts: Vec<AccountId>,
    taken: BTreeSet<AccountId>,
}

impl<AccountId: Clone + Ord> Draw<AccountId> {
    fn new(gateway: &AccountId, wanted: u32) -> Self {
        Self { wanted: wanted.saturated_into(), accounts: Vec::new(), taken: [gateway.clone()].into() }
    }

    fn is_complete(&self) -> bool {
        self.accounts.len() >= self.wanted
    }

    fn offer(&mut self, seat: Option<Seat<AccountId>>) {
        if let Some(Seat { account, .. }) = seat.filter(|seat| self.taken.insert(seat.account.clone())) {
            self.accounts.push(account);
        }
    }
}
