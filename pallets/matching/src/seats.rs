//! The seats of validators in the rankings of their types.

use ensemble_core::{ModelType, ModuleId};
use frame_support::ensure;

use crate::{
    ranking::{self, Page, Pages, Rank, SeatNumber},
    types::{Kind, Line, Seat, Seats, Validator},
    Config, Desks, Error, FreeSeats, Pallet, RankingPages, Reliabilities,
};

/// The pages of a type's ranking.
pub(crate) struct PagesOf<T>(pub ModelType, core::marker::PhantomData<T>);

impl<T> PagesOf<T> {
    pub fn new(model_type: ModelType) -> Self {
        Self(model_type, core::marker::PhantomData)
    }
}

impl<T: Config> Pages for PagesOf<T> {
    fn load(&self, level: u8, number: u32) -> Page {
        RankingPages::<T>::get((self.0, level, number))
    }

    fn store(&mut self, level: u8, number: u32, page: Page) {
        match page.best() {
            Some(_) => RankingPages::<T>::insert((self.0, level, number), page),
            None => RankingPages::<T>::remove((self.0, level, number)),
        }
    }
}

impl<T: Config> Pallet<T> {
    /// Whether there is a seat in the ranking of each type.
    pub(crate) fn check_seats(types: &[ModelType]) -> Result<(), Error<T>> {
        ensure!(types.iter().all(|model_type| Desks::<T>::get(model_type).has_seat()), Error::<T>::TooManyValidators);
        Ok(())
    }

    /// Takes a seat in the ranking of each type.
    pub(crate) fn take_seats(types: &[ModelType]) -> Seats {
        let take = |model_type: &ModelType| Seat {
            model_type: *model_type,
            number: Self::take_seat(*model_type),
            offer: None,
        };
        Seats::truncate_from(types.iter().map(take).collect())
    }

    fn take_seat(model_type: ModelType) -> SeatNumber {
        Desks::<T>::mutate(model_type, |desk| match desk.free_seats.checked_sub(1) {
            Some(last) => {
                desk.free_seats = last;
                FreeSeats::<T>::take((model_type, last)).unwrap_or_default()
            },
            None => {
                let number = desk.seats;
                desk.seats = number.saturating_add(1);
                number
            },
        })
    }

    /// Gives the seats of a validator that does not stand in the rankings back.
    pub(crate) fn free_seats(validator: &mut Validator) {
        for Seat { model_type, number, offer } in core::mem::take(&mut validator.seats) {
            Desks::<T>::mutate(model_type, |desk| {
                FreeSeats::<T>::insert((model_type, desk.free_seats), number);
                desk.free_seats = desk.free_seats.saturating_add(1);
            });
            if let Some(place) = offer {
                Self::withdraw(model_type, place);
            }
        }
    }

    /// Puts a validator where its load, its reliability and whether it takes part want it. The record is the caller's to
    /// store.
    pub(crate) fn rank(id: ModuleId, validator: &mut Validator) {
        let open = validator.has_room();
        let rank = open.then(|| Rank::new(validator.load, Reliabilities::<T>::get(id), id));
        let came = open && !validator.open;
        if open || validator.open {
            for seat in validator.seats.iter_mut() {
                ranking::set(&mut PagesOf::<T>::new(seat.model_type), seat.number, rank);
                if came {
                    Self::announce(id, seat);
                }
            }
        }
        validator.open = open;
    }

    /// Tells those who wait in a type that a validator has room again.
    fn announce(id: ModuleId, seat: &mut Seat) {
        let model_type = seat.model_type;
        let desk = Desks::<T>::get(model_type);
        for kind in [Kind::First, Kind::Further] {
            if !desk.waiting.get(kind).is_empty() {
                Self::take_turn(kind, model_type);
            }
        }
        if !desk.waiting.blocked.is_empty() {
            Self::offer(id, seat);
        }
    }

    /// Offers a validator to the blocked miners of a type, to all of them, even if it is being offered already.
    fn offer(id: ModuleId, seat: &mut Seat) {
        let model_type = seat.model_type;
        Desks::<T>::mutate(model_type, |desk| {
            desk.until = desk.waiting.blocked.next;
            let place = seat.offer.unwrap_or_else(|| Self::add(Line::Offers(model_type), &mut desk.offers, id));
            seat.offer = Some(place);
        });
        Self::take_turn(Kind::Blocked, model_type);
    }
}
