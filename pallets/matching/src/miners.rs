//! The life of a miner.

use ensemble_core::{epochs::Epochs, market::OnMiner, ModelType, ModuleId};

use crate::{
    types::{Departure, Kind, Miner},
    ActiveMiners, Config, Counters, Desks, Event, Miners, Pallet,
};

impl<T: Config> Pallet<T> {
    pub(crate) fn join_miner(id: ModuleId, model_type: ModelType) {
        let mut miner = Miner { model_type, changed: T::Epochs::current(), ..Default::default() };
        Self::count_joined(id, |counts| &mut counts.miners);
        Self::resume_miner(id, &mut miner);
        Miners::<T>::insert(id, miner);
        Self::deposit_event(Event::MinerJoined { module: id, model_type });
    }

    /// Takes a miner in, unless something is against it. The record is the caller's to store.
    pub(crate) fn resume_miner(id: ModuleId, miner: &mut Miner) {
        if miner.is_active() || !Self::may_take_part(id, miner.off, miner.departure) {
            return;
        }
        miner.place = Some(Self::add_active(id, miner.model_type));
        miner.changed = T::Epochs::current();
        Counters::<T>::mutate(|counts| counts.active = counts.active.saturating_add(1));
        Self::wait(id, miner, Kind::First);
        T::OnMiner::on_miner_changed(id, true);
    }

    /// Takes a miner out, and has its matches undone. The record is the caller's to store.
    pub(crate) fn pause_miner(id: ModuleId, miner: &mut Miner) {
        let Some(place) = miner.place.take() else { return };
        Self::remove_active(miner.model_type, place);
        Self::stop_waiting(miner);
        miner.changed = T::Epochs::current();
        Counters::<T>::mutate(|counts| counts.active = counts.active.saturating_sub(1));
        if !miner.matches.is_empty() {
            miner.departure = Departure::Pausing;
            Self::let_depart(id);
        }
        T::OnMiner::on_miner_changed(id, false);
    }

    pub(crate) fn leave_miner(id: ModuleId, mut miner: Miner) {
        if miner.departure == Departure::Leaving {
            return;
        }
        Self::pause_miner(id, &mut miner);
        Self::drop_truth(id, &mut miner);
        Self::count_left(id, |counts| &mut counts.miners);
        match miner.departure {
            Departure::Staying => Miners::<T>::remove(id),
            Departure::Pausing | Departure::Leaving => {
                miner.departure = Departure::Leaving;
                Miners::<T>::insert(id, miner);
            },
        }
        Self::deposit_event(Event::Left { module: id });
    }

    /// Another type is like leaving and coming again, but for what a source of truth deserves: it deserved that for what
    /// it served before.
    pub(crate) fn change_miner_type(id: ModuleId, mut miner: Miner, to: ModelType) {
        if miner.departure == Departure::Leaving {
            return;
        }
        Self::pause_miner(id, &mut miner);
        Self::drop_truth(id, &mut miner);
        miner.model_type = to;
        Self::resume_miner(id, &mut miner);
        Miners::<T>::insert(id, miner);
    }

    /// Adds to the active miners of a type, and gives the place among them.
    fn add_active(id: ModuleId, model_type: ModelType) -> u32 {
        Desks::<T>::mutate(model_type, |desk| {
            let place = desk.miners;
            ActiveMiners::<T>::insert((model_type, place), id);
            desk.miners = place.saturating_add(1);
            place
        })
    }

    /// Takes away from the active miners of a type. The last of them moves to the place that becomes free.
    fn remove_active(model_type: ModelType, place: u32) {
        let last = Desks::<T>::mutate(model_type, |desk| {
            desk.miners = desk.miners.saturating_sub(1);
            desk.miners
        });
        let Some(moved) = ActiveMiners::<T>::take((model_type, last)) else { return };
        if last != place {
            ActiveMiners::<T>::insert((model_type, place), moved);
            Miners::<T>::mutate_extant(moved, |miner| miner.place = Some(place));
        }
    }
}
