//! What blocks do with the weight that calls leave: undoing matches first, then making them.

use ensemble_core::{ModelType, ModuleId};
use frame_support::{pallet_prelude::*, weights::WeightMeter};

use crate::{
    ranking,
    seats::PagesOf,
    types::{Agenda, Departure, Desk, Kind, Line, Miner, Validator},
    Config, Desks, Event, Miners, Pallet, ToDo, Validators, WeightInfo,
};

/// What is to be done next.
#[derive(Clone, Copy)]
pub(crate) enum Task {
    /// Undo a match of the module that stands first.
    Part(ModuleId),
    /// Find a validator for the miner that stands first in a type.
    Find(Kind, ModelType),
}

/// What was done.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum Done {
    /// A type or an offer is done.
    Looked,
    /// There was no validator for a miner.
    InVain,
    /// A miner was matched.
    Matched,
    /// A match was undone.
    Parted,
    /// All matches of a module are undone.
    Departed,
}

impl Done {
    fn weight<T: Config>(self) -> Weight {
        match self {
            Self::Looked => <T as Config>::WeightInfo::look(),
            Self::InVain => <T as Config>::WeightInfo::find_in_vain(),
            Self::Matched => <T as Config>::WeightInfo::find(),
            Self::Parted => <T as Config>::WeightInfo::part_miner().max(<T as Config>::WeightInfo::part_validator()),
            Self::Departed => <T as Config>::WeightInfo::depart().max(<T as Config>::WeightInfo::depart_miner()),
        }
    }
}

impl Task {
    /// The most that it can take.
    pub(crate) fn most<T: Config>(self) -> Weight {
        let outcomes: &[Done] = match self {
            Self::Part(_) => &[Done::Looked, Done::Parted, Done::Departed],
            Self::Find(..) => &[Done::Looked, Done::InVain, Done::Matched],
        };
        outcomes.iter().fold(Weight::zero(), |most, done| most.max(done.weight::<T>()))
    }
}

impl<T: Config> Pallet<T> {
    /// Does what is to be done as far as `limit` and [`Config::MaxSteps`] reach, and gives the weight used.
    pub(crate) fn work(limit: Weight) -> Weight {
        let mut meter = WeightMeter::with_limit(limit);
        if meter.try_consume(<T as Config>::WeightInfo::idle()).is_err() {
            return meter.consumed();
        }
        let mut steps = T::MaxSteps::get();
        while let Some(task) = Self::next_task() {
            if steps == 0 || !meter.can_consume(task.most::<T>()) {
                if let Task::Find(kind, _) = task {
                    Self::pass_turn(kind);
                }
                break;
            }
            steps = steps.saturating_sub(1);
            meter.consume(Self::perform(task).weight::<T>());
        }
        meter.consumed()
    }

    pub(crate) fn next_task() -> Option<Task> {
        let Agenda { departures, turns } = ToDo::<T>::get();
        if let Some(module) = Self::head(Line::Departures, &departures) {
            return Some(Task::Part(module));
        }
        Kind::ALL.into_iter().find_map(|kind| {
            let model_type = Self::head(Line::Turns(kind), turns.get(kind))?;
            Some(Task::Find(kind, ModelType::try_from(model_type).ok()?))
        })
    }

    pub(crate) fn perform(task: Task) -> Done {
        match task {
            Task::Part(module) => Self::part(module),
            Task::Find(Kind::Blocked, model_type) => Self::make_offer(model_type),
            Task::Find(kind, model_type) => Self::find(kind, model_type),
        }
    }

    /// Undoes one match of the module that stands first. Where there is none left, its departure is over.
    fn part(id: ModuleId) -> Done {
        if let Some(miner) = Miners::<T>::get(id) {
            return Self::part_as_miner(id, miner);
        }
        if let Some(validator) = Validators::<T>::get(id) {
            return Self::part_as_validator(id, validator);
        }
        // Nobody departs without a record.
        Self::drop_departure();
        Done::Looked
    }

    fn part_as_miner(id: ModuleId, mut miner: Miner) -> Done {
        if !miner.matches.is_empty() {
            Self::part_miner(id, &mut miner);
            Miners::<T>::insert(id, miner);
            return Done::Parted;
        }
        Self::end_departure(id);
        if miner.departure == Departure::Leaving {
            Miners::<T>::remove(id);
            return Done::Departed;
        }
        miner.departure = Departure::Staying;
        Self::resume_miner(id, &mut miner);
        Self::tell_resumed(id, miner.is_active());
        Miners::<T>::insert(id, miner);
        Done::Departed
    }

    fn part_as_validator(id: ModuleId, mut validator: Validator) -> Done {
        if validator.load > 0 {
            Self::part_validator(id, &mut validator);
            Validators::<T>::insert(id, validator);
            return Done::Parted;
        }
        Self::end_departure(id);
        if validator.departure == Departure::Leaving {
            Validators::<T>::remove(id);
            return Done::Departed;
        }
        validator.departure = Departure::Staying;
        Self::resume_validator(id, &mut validator);
        Self::tell_resumed(id, validator.is_active());
        Validators::<T>::insert(id, validator);
        Done::Departed
    }

    fn end_departure(module: ModuleId) {
        Self::drop_departure();
        Self::deposit_event(Event::Departed { module });
    }

    fn drop_departure() {
        ToDo::<T>::mutate(|agenda| Self::drop_head(Line::Departures, &mut agenda.departures));
    }

    fn tell_resumed(module: ModuleId, resumed: bool) {
        if resumed {
            Self::deposit_event(Event::Resumed { module });
        }
    }

    /// Finds a validator for the miner that stands first. If the type has nobody waiting, or no room, it is done.
    fn find(kind: Kind, model_type: ModelType) -> Done {
        let desk = Desks::<T>::get(model_type);
        match Self::head(Line::Waiting(kind, model_type), desk.waiting.get(kind)) {
            Some(id) if ranking::best(&PagesOf::<T>::new(model_type)).is_some() => Self::find_for(id, kind, model_type),
            Some(_) | None => {
                Self::end_turn(kind, model_type);
                Done::Looked
            },
        }
    }

    /// Gives the miner that stands first the best validator with room that is not its own; if there is none, it is
    /// blocked.
    fn find_for(id: ModuleId, kind: Kind, model_type: ModelType) -> Done {
        let Some(mut miner) = Miners::<T>::get(id) else {
            // Nobody waits without a record.
            Desks::<T>::mutate(model_type, |desk| {
                Self::drop_head(Line::Waiting(kind, model_type), desk.waiting.get_mut(kind));
            });
            return Done::Looked;
        };
        Self::stop_waiting(&mut miner);
        let best = ranking::best_except(&PagesOf::<T>::new(model_type), &miner.validators());
        match best {
            Some(rank) => Self::connect(id, &mut miner, rank.module),
            None => Self::wait(id, &mut miner, Kind::Blocked),
        }
        Miners::<T>::insert(id, miner);
        best.map_or(Done::InVain, |_| Done::Matched)
    }

    /// Offers the validator that stands first to the blocked miner that stands first, until it has no room, or was
    /// offered to all.
    fn make_offer(model_type: ModelType) -> Done {
        let desk = Desks::<T>::get(model_type);
        let Some(validator) = Self::head(Line::Offers(model_type), &desk.offers) else {
            Self::end_turn(Kind::Blocked, model_type);
            return Done::Looked;
        };
        match Self::next_wanting(model_type, &desk, validator) {
            Some(miner) => Self::find_for(miner, Kind::Blocked, model_type),
            None => {
                Self::end_offer(model_type, &desk, validator);
                Done::Looked
            },
        }
    }

    /// The miner that a validator is offered to next; none if it has no room, or was offered to all.
    fn next_wanting(model_type: ModelType, desk: &Desk, validator: ModuleId) -> Option<ModuleId> {
        let blocked = &desk.waiting.blocked;
        let more = blocked.first.is_some_and(|first| first < desk.until);
        let open = more && Validators::<T>::get(validator).is_some_and(|validator| validator.open);
        Self::head(Line::Waiting(Kind::Blocked, model_type), blocked).filter(|_| open)
    }

    fn end_offer(model_type: ModelType, desk: &Desk, validator: ModuleId) {
        if let Some(place) = desk.offers.first {
            Self::withdraw(model_type, place);
        }
        Validators::<T>::mutate_extant(validator, |validator| {
            if let Some(seat) = validator.seats.iter_mut().find(|seat| seat.model_type == model_type) {
                seat.offer = None;
            }
        });
    }
}
