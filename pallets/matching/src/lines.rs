//! Lines: first come, first served. Whoever leaves a line leaves an empty place, which is skipped when its turn comes.

use ensemble_core::{ModelType, ModuleId};

use crate::{
    types::{Kind, Line, Miner, Ring, Waiting},
    Config, Counters, Desks, Pallet, Places, ToDo,
};

/// What stands first in a line.
pub(crate) enum Head {
    /// The line is empty.
    Nobody,
    /// Somebody who left.
    Left,
    /// The number of a module, or of a type.
    Number(u32),
}

impl<T: Config> Pallet<T> {
    /// Adds to the end of a line, and gives the place. The ring is the caller's to store.
    pub(crate) fn add(line: Line, ring: &mut Ring, number: u32) -> u64 {
        let place = ring.end;
        Places::<T>::insert(line, place, number);
        ring.end = place.saturating_add(1);
        place
    }

    /// What stands first.
    pub(crate) fn head(line: Line, ring: &Ring) -> Head {
        if ring.is_empty() {
            return Head::Nobody;
        }
        Places::<T>::get(line, ring.first).map_or(Head::Left, Head::Number)
    }

    /// Takes away what stands first. The ring is the caller's to store.
    pub(crate) fn drop_head(line: Line, ring: &mut Ring) {
        Places::<T>::remove(line, ring.first);
        ring.first = ring.first.saturating_add(1).min(ring.end);
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
            if let Head::Number(model_type) = Self::head(line, ring) {
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
            let ring = desk.waiting.get_mut(kind);
            match ring.first == place {
                true => Self::drop_head(line, ring),
                false => Places::<T>::remove(line, place),
            }
        });
        if kind == Kind::First {
            Counters::<T>::mutate(|counts| counts.waiting = counts.waiting.saturating_sub(1));
        }
    }

    /// Takes an empty place away from the beginning of a line of miners.
    pub(crate) fn skip_waiting(kind: Kind, model_type: ModelType) {
        Desks::<T>::mutate(model_type, |desk| {
            Self::drop_head(Line::Waiting(kind, model_type), desk.waiting.get_mut(kind));
        });
    }
}
