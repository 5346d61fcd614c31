//! Recomputes every index and figure from the miners and validators, and says which one is off.

use alloc::{
    collections::{BTreeMap, BTreeSet},
    vec::Vec,
};

use ensemble_core::{
    epochs::Epochs,
    matching::Counts,
    modules::{Modules, Role},
    ModelType, ModuleId,
};
use frame_support::{ensure, traits::Get};
use sp_runtime::TryRuntimeError;

use crate::{
    ranking::{self, Page, Pages, Rank},
    types::{Departure, Desk, Entry, Kind, Line, Miner, Ring, Validator},
    ActiveMiners, Config, Counters, Desks, Flags, FreeSeats, Miners, Pallet, Places, RankingPages, Reliabilities,
    Served, TestCases, ToDo, Truths, Validators,
};

type Check = Result<(), TryRuntimeError>;
type LineEntries = BTreeMap<Vec<u8>, BTreeMap<u64, Entry>>;

/// Everything, read once.
struct State {
    miners: BTreeMap<ModuleId, Miner>,
    validators: BTreeMap<ModuleId, Validator>,
    desks: BTreeMap<ModelType, Desk>,
    lines: LineEntries,
}

impl State {
    fn read<T: Config>() -> Self {
        let mut lines = LineEntries::new();
        for (line, place, entry) in Places::<T>::iter() {
            lines.entry(codec::Encode::encode(&line)).or_default().insert(place, entry);
        }
        Self {
            miners: Miners::<T>::iter().collect(),
            validators: Validators::<T>::iter().collect(),
            desks: Desks::<T>::iter().collect(),
            lines,
        }
    }

    fn desk(&self, model_type: ModelType) -> Desk {
        self.desks.get(&model_type).copied().unwrap_or_default()
    }

    /// Takes out who stands in a line, if it is linked in the order of its places, both ways and from end to end.
    fn take_line(&mut self, line: Line, ring: &Ring) -> Result<BTreeMap<u64, u32>, TryRuntimeError> {
        let entries = self.lines.remove(&codec::Encode::encode(&line)).unwrap_or_default();
        let mut before = None;
        for (place, entry) in &entries {
            ensure!(entry.before == before, "a place in a line is not linked to the one before");
            before = Some(*place);
        }
        let mut after = None;
        for (place, entry) in entries.iter().rev() {
            ensure!(entry.after == after, "a place in a line is not linked to the one after");
            after = Some(*place);
        }
        ensure!((ring.first, ring.last) == (after, before), "the ends of a line are off");
        ensure!(before.is_none_or(|last| last < ring.next), "a place in a line will be taken twice");
        Ok(entries.into_iter().map(|(place, entry)| (place, entry.number)).collect())
    }

    /// The open validators of a type.
    fn open(&self, model_type: ModelType) -> impl Iterator<Item = (ModuleId, &Validator)> {
        let judges = move |validator: &Validator| validator.seats.iter().any(|seat| seat.model_type == model_type);
        self.validators
            .iter()
            .filter(move |(_, validator)| validator.open && judges(validator))
            .map(|(id, validator)| (*id, validator))
    }
}

impl<T: Config> Pallet<T> {
    pub(crate) fn do_try_state() -> Check {
        let mut state = State::read::<T>();
        Self::check_participants(&state)?;
        Self::check_matches(&state)?;
        Self::check_active_miners(&state)?;
        Self::check_all_seats(&state)?;
        Self::check_rankings(&state)?;
        Self::check_waiting(&mut state)?;
        Self::check_turns(&mut state)?;
        ensure!(state.lines.is_empty(), "there is a line for nothing");
        Self::check_truths(&state)?;
        Self::check_memory()?;
        Self::check_counts(&state)
    }

    /// Everybody takes part who should, and is what the registry says.
    fn check_participants(state: &State) -> Check {
        for (id, miner) in &state.miners {
            ensure!(!state.validators.contains_key(id), "a module is miner and validator");
            let active = Self::may_take_part(*id, miner.off, miner.departure);
            ensure!(miner.is_active() == active, "a miner takes part and should not, or should and does not");
            let role = Some((miner.model_type, Role::Miner));
            let known = miner.departure == Departure::Leaving || T::Modules::role(*id) == role;
            ensure!(known, "a miner is not what the registry says");
        }
        for (id, validator) in &state.validators {
            let active = Self::may_take_part(*id, validator.off, validator.departure);
            ensure!(validator.is_active() == active, "a validator takes part and should not, or should and does not");
            ensure!(validator.open == validator.has_room(), "a validator is open without room, or has room unseen");
            let serving = validator.serving.is_some_and(|since| since <= T::Epochs::current());
            ensure!(serving == (validator.load > 0), "a validator does not know since when it has miners");
            ensure!(validator.load <= validator.capacity, "a validator has more miners than its capacity");
            let leaving = validator.departure == Departure::Leaving;
            ensure!(leaving == validator.seats.is_empty(), "a validator has no seats, or keeps them when leaving");
            ensure!(leaving || Self::is_registered(*id, validator), "a validator is not what the registry says");
        }
        Ok(())
    }

    fn is_registered(id: ModuleId, validator: &Validator) -> bool {
        let Some((_, Role::Validator { types, capacity })) = T::Modules::role(id) else { return false };
        let judged: BTreeSet<_> = validator.types().into_iter().collect();
        capacity == validator.capacity && judged == types.into_iter().collect()
    }

    /// What miners say of their validators is what validators say of their miners.
    fn check_matches(state: &State) -> Check {
        let mut loads = BTreeMap::<ModuleId, u32>::new();
        let mut total = 0usize;
        for (id, miner) in &state.miners {
            let validators: BTreeSet<_> = miner.validators().into_iter().collect();
            ensure!(validators.len() == miner.matches.len(), "a miner has a validator twice");
            total = total.saturating_add(miner.matches.len());
            for matched in &miner.matches {
                let validator = state.validators.get(&matched.validator).ok_or("a match has no validator")?;
                let served = Served::<T>::get((matched.validator, matched.slot)) == Some(*id);
                ensure!(served && matched.slot < validator.load, "a miner is not among its validator's");
                let latest = T::Epochs::current().saturating_add(1);
                ensure!(matched.from <= latest, "a match counts too late");
                let judges = validator.types().contains(&miner.model_type);
                let stay = miner.departure == Departure::Staying && validator.departure == Departure::Staying;
                ensure!(judges || !stay, "a validator has a miner whose type it does not judge");
                let load = loads.entry(matched.validator).or_default();
                *load = load.saturating_add(1);
            }
        }
        let counted =
            |(id, validator): (&ModuleId, &Validator)| validator.load == loads.get(id).copied().unwrap_or_default();
        ensure!(state.validators.iter().all(counted), "a validator's load is not the number of its miners");
        ensure!(Served::<T>::iter_keys().count() == total, "a validator has a miner that does not know it");
        Ok(())
    }

    fn check_active_miners(state: &State) -> Check {
        let mut places = BTreeMap::<ModelType, BTreeMap<u32, ModuleId>>::new();
        for (id, miner) in &state.miners {
            if let Some(place) = miner.place {
                places.entry(miner.model_type).or_default().insert(place, *id);
            }
        }
        let mut stored = BTreeMap::<ModelType, BTreeMap<u32, ModuleId>>::new();
        for ((model_type, place), id) in ActiveMiners::<T>::iter() {
            stored.entry(model_type).or_default().insert(place, id);
        }
        ensure!(places == stored, "the list of a type's active miners is off");
        let dense = |(model_type, places): (&ModelType, &BTreeMap<u32, ModuleId>)| {
            places.keys().copied().eq(0..state.desk(*model_type).miners)
        };
        ensure!(places.iter().all(dense), "the list of a type's active miners has gaps");
        let none = |(model_type, desk): (&ModelType, &Desk)| desk.miners == 0 || places.contains_key(model_type);
        ensure!(state.desks.iter().all(none), "a type counts active miners and has none");
        Ok(())
    }

    /// Every seat that was ever used is somebody's, once, or free.
    fn check_all_seats(state: &State) -> Check {
        let mut used = BTreeMap::<ModelType, Vec<u32>>::new();
        let seats = state.validators.values().flat_map(|validator| validator.seats.iter());
        for seat in seats {
            used.entry(seat.model_type).or_default().push(seat.number);
        }
        let mut free = BTreeMap::<ModelType, BTreeSet<u32>>::new();
        for ((model_type, number), seat) in FreeSeats::<T>::iter() {
            used.entry(model_type).or_default().push(seat);
            free.entry(model_type).or_default().insert(number);
        }
        ensure!(used.keys().all(|model_type| state.desks.contains_key(model_type)), "a seat has no ranking");
        for (model_type, desk) in &state.desks {
            let mut used = used.remove(model_type).unwrap_or_default();
            used.sort_unstable();
            ensure!(used.into_iter().eq(0..desk.seats), "a seat is nobody's, or somebody's twice");
            let free = free.remove(model_type).unwrap_or_default();
            ensure!(free.into_iter().eq(0..desk.free_seats), "the list of free seats is off");
        }
        Ok(())
    }

    /// The rankings are those of new ones into which all open validators are put.
    fn check_rankings(state: &State) -> Check {
        let mut pages = BTreeMap::<ModelType, Rebuilt>::new();
        for (id, validator) in state.validators.iter().filter(|(_, validator)| validator.open) {
            let rank = Rank::new(validator.load, Reliabilities::<T>::get(id), *id);
            for seat in &validator.seats {
                ranking::set(pages.entry(seat.model_type).or_default(), seat.number, Some(rank));
            }
        }
        let mut stored = BTreeMap::<ModelType, Rebuilt>::new();
        for ((model_type, level, number), page) in RankingPages::<T>::iter() {
            stored.entry(model_type).or_default().0.insert((level, number), page);
        }
        ensure!(pages == stored, "a ranking is off");
        Ok(())
    }

    /// Everybody stands in the line that they think, and in the right one.
    fn check_waiting(state: &mut State) -> Check {
        let most = usize::try_from(T::ValidatorsPerMiner::get()).unwrap_or(usize::MAX);
        for miner in state.miners.values() {
            let kind = miner.waiting.map(|waiting| waiting.kind);
            let first = miner.is_active() && miner.matches.is_empty();
            ensure!(first == (kind == Some(Kind::First)), "a miner without validators does not wait for one");
            let further = miner.is_active() && miner.matches.len() < most;
            ensure!(!further || kind.is_some(), "a miner does not wait for a further validator");
            ensure!(miner.is_active() || kind.is_none(), "a miner waits that does not take part");
        }
        let mut waiting = 0usize;
        for (model_type, desk) in state.desks.clone() {
            for kind in Kind::ALL {
                let entries = state.take_line(Line::Waiting(kind, model_type), desk.waiting.get(kind))?;
                waiting = waiting.saturating_add(entries.len());
                for (place, id) in entries {
                    let miner = state.miners.get(&id).filter(|miner| miner.model_type == model_type);
                    let place = Some(crate::Waiting { kind, place });
                    ensure!(miner.is_some_and(|miner| miner.waiting == place), "a place is not its miner's");
                }
            }
            let offers = state.take_line(Line::Offers(model_type), &desk.offers)?;
            for (place, id) in &offers {
                let seats = state.validators.get(id).map(|validator| validator.seats.clone()).unwrap_or_default();
                let seat = seats.iter().find(|seat| seat.model_type == model_type);
                ensure!(seat.is_some_and(|seat| seat.offer == Some(*place)), "an offer is not its validator's");
            }
            let seats = state.validators.values().flat_map(|validator| validator.seats.iter());
            let offered = seats.filter(|seat| seat.model_type == model_type && seat.offer.is_some()).count();
            ensure!(offered == offers.len(), "a validator is not offered though it thinks so");
        }
        let waits = state.miners.values().filter(|miner| miner.waiting.is_some()).count();
        ensure!(waits == waiting, "a miner does not stand in the line that it thinks");
        Ok(())
    }

    /// Whatever can be done will be done.
    fn check_turns(state: &mut State) -> Check {
        let agenda = ToDo::<T>::get();
        let departures = state.take_line(Line::Departures, &agenda.departures)?;
        let going: BTreeSet<_> = departures.values().copied().collect();
        ensure!(departures.len() == going.len(), "a module departs twice");
        let miners = state.miners.iter().filter(|(_, miner)| miner.departure != Departure::Staying);
        let validators = state.validators.iter().filter(|(_, validator)| validator.departure != Departure::Staying);
        let departing = miners.map(|(id, _)| *id).chain(validators.map(|(id, _)| *id)).collect::<BTreeSet<_>>();
        ensure!(going == departing, "a module departs without its matches, or its matches without it");

        for kind in Kind::ALL {
            let turns = state.take_line(Line::Turns(kind), agenda.turns.get(kind))?;
            let listed: BTreeSet<_> = turns.values().copied().collect();
            ensure!(listed.len() == turns.len(), "a type stands in line twice");
            let wanted = state.desks.iter().filter(|(_, desk)| *desk.turns.get(kind));
            let wanted = wanted.map(|(model_type, _)| u32::from(*model_type)).collect::<BTreeSet<_>>();
            ensure!(wanted == listed, "a type does not stand in the line that it thinks");
        }
        state.miners.iter().try_for_each(|(_, miner)| Self::check_hope(state, miner))
    }

    /// Whoever waits and could be matched has its type looked at.
    fn check_hope(state: &State, miner: &Miner) -> Check {
        let Some(waiting) = miner.waiting else { return Ok(()) };
        let desk = state.desk(miner.model_type);
        let own = miner.validators();
        let mut possible = state.open(miner.model_type).filter(|(id, _)| !own.contains(id));
        if waiting.kind != Kind::Blocked {
            let hope = possible.next().is_some();
            ensure!(!hope || *desk.turns.get(waiting.kind), "a miner waits in vain");
            return Ok(());
        }
        for (_, validator) in possible {
            let seat = validator.seats.iter().find(|seat| seat.model_type == miner.model_type);
            let offer = seat.and_then(|seat| seat.offer);
            ensure!(offer.is_some() && desk.turns.blocked, "a miner is blocked though a validator has room");
            let first = offer == desk.offers.first;
            ensure!(!first || waiting.place < desk.until, "a validator is not offered to all blocked miners");
        }
        Ok(())
    }

    fn check_truths(state: &State) -> Check {
        let mut truths = BTreeSet::new();
        for (model_type, of_type) in Truths::<T>::iter() {
            ensure!(!of_type.is_empty(), "a list of sources of truth is empty");
            for id in of_type {
                let miner = state.miners.get(&id).filter(|miner| miner.model_type == model_type);
                let right = miner.is_some_and(|miner| miner.deserves.is_some());
                ensure!(right && truths.insert(id), "a source of truth is none, or is one twice");
            }
        }
        let deserve = state.miners.values().filter(|miner| miner.deserves.is_some()).count();
        ensure!(deserve == truths.len(), "a source of truth is not among its type's");
        for cases in TestCases::<T>::iter_values() {
            let inputs: BTreeSet<_> = cases.iter().map(|case| case.inputs).collect();
            ensure!(!cases.is_empty() && inputs.len() == cases.len(), "test cases have the same inputs");
        }
        Ok(())
    }

    /// Nothing is remembered of modules that were removed.
    fn check_memory() -> Check {
        let exists = |id: ModuleId| T::Modules::owner(id).is_some();
        ensure!(Flags::<T>::iter_keys().all(exists), "a module is flagged that was removed");
        ensure!(Reliabilities::<T>::iter_keys().all(exists), "a module is relied on that was removed");
        Ok(())
    }

    fn check_counts(state: &State) -> Check {
        let miners = state.miners.iter().filter(|(_, miner)| miner.departure != Departure::Leaving);
        let validators = state.validators.iter().filter(|(_, validator)| validator.departure != Departure::Leaving);
        let all: Vec<ModuleId> =
            miners.clone().map(|(id, _)| *id).chain(validators.clone().map(|(id, _)| *id)).collect();
        let active = state.miners.values().filter(|miner| miner.is_active()).count();
        let active = active.saturating_add(state.validators.values().filter(|validator| validator.is_active()).count());
        let matches = state.validators.values().fold(0u32, |sum, validator| sum.saturating_add(validator.load));
        let first = |miner: &&Miner| miner.waiting.is_some_and(|waiting| waiting.kind == Kind::First);
        let counts = Counts {
            miners: number(miners.count()),
            validators: number(validators.count()),
            active: number(active),
            flagged: number(all.into_iter().filter(|id| Flags::<T>::contains_key(id)).count()),
            matches,
            waiting: number(state.miners.values().filter(first).count()),
        };
        ensure!(counts == Counters::<T>::get(), "the subnet's figures are off");
        Ok(())
    }
}

fn number(count: usize) -> u32 {
    u32::try_from(count).unwrap_or(u32::MAX)
}

/// A ranking in memory.
#[derive(Default, PartialEq)]
struct Rebuilt(BTreeMap<(u8, u32), Page>);

impl Pages for Rebuilt {
    fn load(&self, level: u8, number: u32) -> Page {
        self.0.get(&(level, number)).cloned().unwrap_or_default()
    }

    fn store(&mut self, level: u8, number: u32, page: Page) {
        match page.best() {
            Some(_) => self.0.insert((level, number), page),
            None => self.0.remove(&(level, number)),
        };
    }
}
