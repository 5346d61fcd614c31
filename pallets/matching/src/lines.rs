//! Lines: first come, first served. They are doubly linked lists, so that whoever leaves one leaves no gap.

use ensemble_core::{ModelType, ModuleId};

use crate::{
    types::{Entry, Kind, Line, Miner, Ring, Waiting},
    Config, Counters, Desks, Pallet, Places, ToDo,
};

impl<T: Config> Pallet<T> {
    /// Adds to the end of a line, and gives the place. The ring is the caller's to store.
    pub(crate) fn add(line: Line, ring: &mut Ring, number: u32) -> u64 {
        let place = ring.next;
        Places::<T>::insert(line, place, Entry { number, before: ring.last, after: None });
        Self::link(line, ring, ring.last, Some(place));
        ring.last = Some(place);
        ring.next = place.saturating_add(1);
        place
    }

    /// What stands first: the number of a module, or of a type.
    pub(crate) fn head(line: Line, ring: &Ring) -> Option<u32> {
        Some(Places::<T>::get(line, ring.first?)?.number)
    }

    /// Takes a place out of a line. The ring is the caller's to store.
    pub(crate) fn remove(line: Line, ring: &mut Ring, place: u64) {
        let Some(Entry { before, after, .. }) = Places::<T>::take(line, place) else { return };
        Self::link(line, ring, before, after);
        match after {
            Some(after) => Self::change(line, after, |entry| entry.before = before),
            None => ring.last = before,
        }
    }

    /// Takes away what stands first. The ring is the caller's to store.
    pub(crate) fn drop_head(line: Line, ring: &mut Ring) {
        if let Some(first) = ring.first {
            Self::remove(line, ring, first);
        }
    }

    /// Lets `after` come after `before`, or first.
    fn link(line: Line, ring: &mut Ring, before: Option<u64>, after: Option<u64>) {
        match before {
            Some(before) => Self::change(line, before, |entry| entry.after = after),
            None => ring.first = after,
        }
    }

    fn change(line: Line, place: u64, change: impl FnOnce(&mut Entry)) {
        Places::<T>::mutate(line, place, |entry| {
            if let Some(entry) = entry {
                change(entry);
            }
        });
    }

    /// Has a module's matches undone.
    pub(crate) fn let_depart(module: ModuleId) {
        ToDo::<T>::mutate(|agenda| Self::add(Line::Departures, &mut agenda.departures, module));
    }

    /// Has a type looked at for those who wait so.
    pub(crate) fn take_turn(kind: Kind, model_type: ModelType) {
        let listed = Desks::<T>::mutate(model_type, |desk| core::mem::replace(desk.turns.get_mut(kind), true));
        if !listed {
            ToDo::<T>::mutate(|agenda| {
                Self::add(Line::Turns(kind), agenda.turns.get_mut(kind), model_type.into());
            });
        }
    }

    /// The type that stands first is done.
    pub(crate) fn end_turn(kind: Kind, model_type: ModelType) {
        Desks::<T>::mutate(model_type, |desk| *desk.turns.get_mut(kind) = false);
        ToDo::<T>::mutate(|agenda| Self::drop_head(Line::Turns(kind), agenda.turns.get_mut(kind)));
    }

    /// Sends the type that stands first to the end, so that the next block begins with another.
    pub(crate) fn pass_turn(kind: Kind) {
        ToDo::<T>::mutate(|agenda| {
            let (line, ring) = (Line::Turns(kind), agenda.turns.get_mut(kind));
            if let Some(model_type) = Self::head(line, ring) {
                Self::drop_head(line, ring);
                Self::add(line, ring, model_type);
            }
        });
    }

    /// Puts a miner that waits nowhere in line.
    pub(crate) fn wait(id: ModuleId, miner: &mut Miner, kind: Kind) {
        let model_type = miner.model_type;
        let place = Desks::<T>::mutate(model_type, |desk| {
            Self::add(Line::Waiting(kind, model_type), desk.waiting.get_mut(kind), id)
        });
        miner.waiting = Some(Waiting { kind, place });
        match kind {
            Kind::First => Counters::<T>::mutate(|counts| counts.waiting = counts.waiting.saturating_add(1)),
            Kind::Further => (),
            // Nobody to be tried for until a validator gets room.
            Kind::Blocked => return,
        }
        Self::take_turn(kind, model_type);
    }

    /// Takes a miner out of its line.
    pub(crate) fn stop_waiting(miner: &mut Miner) {
        let Some(Waiting { kind, place }) = miner.waiting.take() else { return };
        let line = Line::Waiting(kind, miner.model_type);
        Desks::<T>::mutate(miner.model_type, |desk| {
            Self::remove(line, desk.waiting.get_mut(kind), place);
        });
        if kind == Kind::First {
            Counters::<T>::mutate(|counts| counts.waiting = counts.waiting.saturating_sub(1));
        }
    }

    /// Takes an offer of a validator back. If it was the one that is being made, the next one is made to all.
    pub(crate) fn withdraw(model_type: ModelType, place: u64) {
        Desks::<T>::mutate(model_type, |desk| {
            if desk.offers.first == Some(place) {
                desk.until = desk.waiting.blocked.next;
            }
            Self::remove(Line::Offers(model_type), &mut desk.offers, place);
        });
    }
}
