//! The pallet beside a plain model of what it is for, through thousands of random steps.

#![expect(clippy::cast_possible_truncation, reason = "tests count in small numbers")]

use std::collections::{BTreeMap, BTreeSet};

use ensemble_core::{
    epochs::EpochPhase,
    matching::{Assignment, Counts, Matching as _, Standing},
    modules::Role,
    EpochIndex, ModelType, ModuleId,
};
use frame_support::assert_ok;
use proptest::prelude::*;
use sp_runtime::{DispatchError, DispatchResult, Permill};

use crate::{mock::*, Error, Event};

const TYPES: [ModelType; 3] = [CHAT, AUDIO, VIDEO];

/// A module as the model sees it.
#[derive(Clone)]
struct Module {
    model_type: ModelType,
    role: Role,
    off: bool,
    flagged: bool,
    /// Its matches are being undone.
    departing: bool,
    reliability: Permill,
    /// When it began to wait for a first validator.
    waits_since: u64,
}

impl Module {
    fn new(model_type: ModelType) -> Self {
        Self {
            model_type,
            role: Role::Idle,
            off: false,
            flagged: false,
            departing: false,
            reliability: Permill::from_percent(50),
            waits_since: 0,
        }
    }

    fn takes_part(&self) -> bool {
        self.role != Role::Idle && !self.off && !self.flagged && !self.departing
    }

    fn is_active_miner(&self, model_type: ModelType) -> bool {
        self.takes_part() && self.role == Role::Miner && self.model_type == model_type
    }
}

/// Who is there, who is matched with whom, and nothing else.
#[derive(Default)]
struct Model {
    modules: BTreeMap<ModuleId, Module>,
    /// Those who were removed and are still matched.
    removed: BTreeSet<ModuleId>,
    /// Pairs of a miner and a validator, and from which epoch on they count.
    matches: BTreeMap<(ModuleId, ModuleId), EpochIndex>,
    /// Since when validators have miners.
    serving: BTreeMap<ModuleId, EpochIndex>,
    per_miner: usize,
    clock: u64,
    events_seen: usize,
}

impl Model {
    fn now(&mut self) -> u64 {
        self.clock += 1;
        self.clock
    }

    fn validators_of(&self, miner: ModuleId) -> BTreeSet<ModuleId> {
        self.matches.keys().filter(|pair| pair.0 == miner).map(|pair| pair.1).collect()
    }

    fn load(&self, validator: ModuleId) -> u32 {
        self.matches.keys().filter(|pair| pair.1 == validator).count() as u32
    }

    fn is_matched(&self, id: ModuleId) -> bool {
        self.matches.keys().any(|pair| pair.0 == id || pair.1 == id)
    }

    fn departs(&self, id: ModuleId) -> bool {
        self.removed.contains(&id) || self.modules.get(&id).is_some_and(|module| module.departing)
    }

    fn anybody_departs(&self) -> bool {
        !self.removed.is_empty() || self.modules.values().any(|module| module.departing)
    }

    /// Changes a module, and what follows: whoever stops taking part departs, whoever begins to waits.
    fn change(&mut self, id: ModuleId, change: impl FnOnce(&mut Module)) {
        let (matched, now) = (self.is_matched(id), self.now());
        let module = self.modules.get_mut(&id).unwrap();
        let (before, part, model_type) = (module.takes_part(), module.role.clone(), module.model_type);
        change(module);
        let other_type = module.role == Role::Miner && module.model_type != model_type;
        if before && matched && (!module.takes_part() || other_type) {
            module.departing = true;
        }
        let other_part = module.role == Role::Miner && part != Role::Miner;
        if module.takes_part() && (!before || other_type || other_part) {
            module.waits_since = now;
        }
    }

    /// The validators that could take a miner, the best first.
    fn possible(&self, miner: ModuleId) -> Vec<ModuleId> {
        let model_type = self.modules[&miner].model_type;
        let own = self.validators_of(miner);
        let mut possible: Vec<_> = self
            .modules
            .iter()
            .filter(|(id, module)| module.takes_part() && !own.contains(id))
            .filter_map(|(id, module)| match &module.role {
                Role::Validator { types, capacity } if types.contains(&model_type) && self.load(*id) < *capacity => {
                    Some((self.load(*id), std::cmp::Reverse(module.reliability), *id))
                },
                _ => None,
            })
            .collect();
        possible.sort();
        possible.into_iter().map(|(.., id)| id).collect()
    }

    /// The active miners of a type without a validator, those who wait longest first.
    fn waiting(&self, model_type: ModelType) -> Vec<ModuleId> {
        let of_type = self.modules.iter().filter(|(_, module)| module.is_active_miner(model_type));
        let mut waiting: Vec<_> = of_type
            .filter(|(id, _)| self.validators_of(**id).is_empty())
            .map(|(id, module)| (module.waits_since, *id))
            .collect();
        waiting.sort();
        waiting.into_iter().map(|(_, id)| id).collect()
    }

    fn matched(&mut self, miner: ModuleId, validator: ModuleId) {
        assert!(!self.anybody_departs(), "a match was made before all were undone");
        let module = &self.modules[&miner];
        let model_type = module.model_type;
        assert!(module.is_active_miner(model_type), "a miner was matched that does not take part");
        assert_eq!(self.possible(miner).first(), Some(&validator), "not the best validator");
        let waiting = self.waiting(model_type);
        match self.validators_of(miner).len() {
            0 => assert_eq!(waiting.first(), Some(&miner), "another miner waited longer"),
            count => {
                assert!(count < self.per_miner, "too many validators");
                assert!(waiting.is_empty(), "another miner waited for a first validator");
            },
        }
        self.serving.entry(validator).or_insert(Epoch::get());
        self.matches.insert((miner, validator), Epoch::get() + u32::from(Phase::get() == EpochPhase::Reveal));
    }

    fn unmatched(&mut self, miner: ModuleId, validator: ModuleId) {
        assert!(self.departs(miner) || self.departs(validator), "neither departs");
        assert!(self.matches.remove(&(miner, validator)).is_some(), "they were not matched");
        if self.load(validator) == 0 {
            self.serving.remove(&validator);
        }
        let now = self.now();
        if let Some(module) = self.modules.get_mut(&miner) {
            module.waits_since = now;
        }
    }

    fn departed(&mut self, id: ModuleId) {
        assert!(self.departs(id) && !self.is_matched(id), "a departure was over too early");
        self.removed.remove(&id);
        let now = self.now();
        if let Some(module) = self.modules.get_mut(&id) {
            module.departing = false;
            module.waits_since = now;
        }
    }

    /// Goes through what the pallet did since the last time.
    fn replay(&mut self) {
        let events = events();
        for event in &events[self.events_seen..] {
            match event {
                Event::Matched { miner, validator } => self.matched(*miner, *validator),
                Event::Unmatched { miner, validator } => self.unmatched(*miner, *validator),
                Event::Departed { module } => self.departed(*module),
                Event::Resumed { module } => assert!(self.modules[module].takes_part()),
                _ => (),
            }
        }
        self.events_seen = events.len();
    }

    /// Nothing that could be done is left undone.
    fn assert_settled(&self) {
        assert!(!self.anybody_departs());
        for (id, _) in self.modules.iter().filter(|(_, module)| module.is_active_miner(module.model_type)) {
            let wants = self.validators_of(*id).len() < self.per_miner;
            assert!(!wants || self.possible(*id).is_empty(), "a miner has too few validators though there is room");
        }
    }

    /// The pallet shows what the model knows.
    fn assert_shown(&self) {
        for ((miner, validator), from) in &self.matches {
            let counts = if *from <= Epoch::get() { Assignment::Matched } else { Assignment::Changed };
            assert_eq!(Matching::assignment(*validator, *miner), counts);
        }
        for (id, module) in &self.modules {
            let serving = self.serving.get(id).filter(|_| module.takes_part()).copied();
            assert_eq!(Matching::serving_since(*id), serving);
        }
        let mut counts = Counts { matches: self.matches.len() as u32, ..Default::default() };
        for (id, module) in &self.modules {
            counts.active += u32::from(module.takes_part());
            counts.flagged += u32::from(module.flagged && module.role != Role::Idle);
            let standing = match &module.role {
                Role::Idle => continue,
                Role::Miner => {
                    counts.miners += 1;
                    let view = miner_view(*id);
                    assert_eq!(view.validators.into_iter().collect::<BTreeSet<_>>(), self.validators_of(*id));
                    assert_eq!(Matching::miner_type(*id), module.takes_part().then_some(module.model_type));
                    view.standing
                },
                Role::Validator { capacity, .. } => {
                    counts.validators += 1;
                    let view = validator_view(*id);
                    assert_eq!((view.load, view.capacity), (self.load(*id), *capacity));
                    assert!(view.load <= view.capacity);
                    assert_eq!(view.reliability, module.reliability);
                    view.standing
                },
            };
            match standing {
                Standing::Active => assert!(module.takes_part()),
                Standing::Flagged(_) => assert!(module.flagged),
                Standing::Off => assert!(module.off),
                Standing::Leaving => assert!(module.departing),
            }
        }
        counts.waiting = TYPES.iter().map(|model_type| self.waiting(*model_type).len() as u32).sum();
        assert_eq!(Matching::counts(), counts);
    }
}

#[derive(Clone, Debug)]
enum Op {
    Register(u8),
    Miner(usize),
    Validator(usize, u8, u32),
    Idle(usize),
    Switch(usize, bool),
    Flag(usize, bool),
    Type(usize, u8),
    Rely(usize, u32),
    Remove(usize),
    Block(u32),
    /// The next phase, or epoch.
    Time,
}

fn op() -> impl Strategy<Value = Op> {
    let id = any::<usize>;
    prop_oneof![
        4 => (0u8..3).prop_map(Op::Register),
        8 => id().prop_map(Op::Miner),
        6 => (id(), 1u8..8, 1u32..6).prop_map(|(id, types, capacity)| Op::Validator(id, types, capacity)),
        3 => id().prop_map(Op::Idle),
        4 => (id(), any::<bool>()).prop_map(|(id, off)| Op::Switch(id, off)),
        4 => (id(), any::<bool>()).prop_map(|(id, flag)| Op::Flag(id, flag)),
        2 => (id(), 0u8..3).prop_map(|(id, model_type)| Op::Type(id, model_type)),
        3 => (id(), 0u32..5).prop_map(|(id, quarters)| Op::Rely(id, quarters * 25)),
        1 => id().prop_map(Op::Remove),
        3 => Just(Op::Time),
        10 => prop_oneof![0u32..6, 0u32..40].prop_map(Op::Block),
    ]
}

fn types_of(bits: u8) -> Vec<ModelType> {
    TYPES.into_iter().enumerate().filter(|(at, _)| bits & (1 << at) != 0).map(|(_, model_type)| model_type).collect()
}

fn error(error: Error<Test>) -> DispatchResult {
    Err(DispatchError::from(error))
}

impl Model {
    fn pick(&self, number: usize) -> Option<ModuleId> {
        self.modules.keys().nth(number.checked_rem(self.modules.len())?).copied()
    }

    fn apply(&mut self, op: Op) {
        match op {
            Op::Register(model_type) => {
                let model_type = TYPES[usize::from(model_type)];
                self.modules.insert(register(ALICE, model_type), Module::new(model_type));
            },
            Op::Block(steps) => next_block_with(steps),
            Op::Time => match Phase::get() {
                EpochPhase::Commit => Phase::set(EpochPhase::Reveal),
                EpochPhase::Reveal => {
                    Epoch::mutate(|epoch| *epoch += 1);
                    Phase::set(EpochPhase::Commit);
                },
            },
            Op::Miner(number) => self.with(number, |model, id| model.set_role(id, Role::Miner)),
            Op::Idle(number) => self.with(number, |model, id| model.set_role(id, Role::Idle)),
            Op::Validator(number, bits, capacity) => self.with(number, |model, id| {
                model.set_role(id, validator_role(&types_of(bits), capacity));
            }),
            Op::Switch(number, off) => self.with(number, |model, id| model.switch(id, off)),
            Op::Flag(number, flagged) => self.with(number, |model, id| model.flag(id, flagged)),
            Op::Type(number, model_type) => self.with(number, |model, id| {
                let model_type = TYPES[usize::from(model_type)];
                if model.modules[&id].model_type != model_type {
                    set_type(id, model_type);
                    model.change(id, |module| module.model_type = model_type);
                }
            }),
            Op::Rely(number, percent) => self.with(number, |model, id| {
                rely(id, percent);
                model.change(id, |module| module.reliability = Permill::from_percent(percent));
            }),
            Op::Remove(number) => self.with(number, |model, id| {
                remove(id);
                model.change(id, |module| module.role = Role::Idle);
                if model.modules.remove(&id).is_some_and(|module| module.departing) {
                    model.removed.insert(id);
                }
            }),
        }
        self.replay();
    }

    fn with(&mut self, number: usize, act: impl FnOnce(&mut Self, ModuleId)) {
        if let Some(id) = self.pick(number) {
            act(self, id);
        }
    }

    fn set_role(&mut self, id: ModuleId, role: Role) {
        let module = self.modules[&id].clone();
        if module.role == role {
            return;
        }
        let expected = self.expected_of_role(id, &module, &role);
        assert_eq!(set_role(id, role.clone()), expected);
        if expected.is_ok() {
            let same_kind = matches!((&module.role, &role), (Role::Validator { .. }, Role::Validator { .. }));
            self.change(id, |module| {
                // The switch goes with the part.
                module.off &= same_kind;
                module.role = role;
            });
        }
    }

    fn expected_of_role(&self, id: ModuleId, module: &Module, role: &Role) -> DispatchResult {
        match (&module.role, role) {
            (_, Role::Idle) => Ok(()),
            (Role::Validator { types, .. }, Role::Validator { types: new, capacity }) => {
                let same = types.iter().collect::<BTreeSet<_>>() == new.iter().collect();
                match self.load(id) {
                    load if load > *capacity => error(Error::CapacityBelowLoad),
                    1.. if !same => error(Error::HasMiners),
                    _ => Ok(()),
                }
            },
            _ if module.departing || self.is_matched(id) => error(Error::StillLeaving),
            _ => Ok(()),
        }
    }

    fn switch(&mut self, id: ModuleId, off: bool) {
        let module = &self.modules[&id];
        let expected = match (module.role == Role::Idle, module.off == off, off) {
            (true, ..) => error(Error::NotInSubnet),
            (_, true, true) => error(Error::AlreadyOff),
            (_, true, false) => error(Error::AlreadyOn),
            _ => Ok(()),
        };
        assert_eq!(if off { switch_off(id) } else { switch_on(id) }, expected);
        if expected.is_ok() {
            self.change(id, |module| module.off = off);
        }
    }

    fn flag(&mut self, id: ModuleId, flagged: bool) {
        let expected = match (self.modules[&id].flagged == flagged, flagged) {
            (true, true) => error(Error::AlreadyFlagged),
            (true, false) => error(Error::NotFlagged),
            _ => Ok(()),
        };
        assert_eq!(if flagged { flag(id) } else { unflag(id) }, expected);
        if expected.is_ok() {
            self.change(id, |module| module.flagged = flagged);
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 256, max_shrink_iters: 20_000, ..Default::default() })]

    /// Every match is the best there is, comes in its turn, and all that can be made are made.
    #[test]
    fn the_pallet_does_what_the_model_says(ops in prop::collection::vec(op(), 1..300), per_miner in 1u32..4) {
        new_chain().execute_with(|| {
            ValidatorsPerMiner::set(per_miner);
            let mut model = Model { per_miner: per_miner as usize, ..Default::default() };
            for op in ops {
                model.apply(op);
                model.assert_shown();
            }
            MaxSteps::set(100_000);
            model.apply(Op::Block(100_000));
            model.assert_settled();
            model.assert_shown();
        });
    }

    /// Validators that came together and lost nobody carry the same, whatever the miners and blocks.
    #[test]
    fn loads_are_even(
        capacities in prop::collection::vec(1u32..12, 2..12),
        reliabilities in prop::collection::vec(0u32..100, 12),
        arrivals in prop::collection::vec((0u32..4, 0u32..8), 1..40),
    ) {
        new_chain().execute_with(|| {
            let validators: Vec<_> = capacities.iter().map(|capacity| validator(&[CHAT, AUDIO], *capacity)).collect();
            for (id, percent) in validators.iter().zip(reliabilities) {
                rely(*id, percent);
            }
            for (miners, steps) in arrivals {
                for number in 0..miners {
                    miner(if number % 2 == 0 { CHAT } else { AUDIO });
                }
                next_block_with(steps);
                let free = validators.iter().map(|id| validator_view(*id)).filter(|view| view.load < view.capacity);
                let loads: Vec<_> = free.map(|view| view.load).collect();
                let (least, most) = (loads.iter().min(), loads.iter().max());
                prop_assert!(most.zip(least).is_none_or(|(most, least)| most - least <= 1), "{loads:?}");
            }
            Ok(())
        })?;
    }
}

/// A validator with a hundred miners leaves, and the others take them all.
#[test]
fn a_hundred_miners_are_matched_again() {
    on_chain(|| {
        let leaving = validator(&[CHAT], 100);
        let miners: Vec<_> = (0..100).map(|_| miner(CHAT)).collect();
        next_block();
        assert_eq!(load(leaving), 100);
        for _ in 0..20 {
            validator(&[CHAT], 5);
        }
        assert_ok!(set_role(leaving, Role::Idle));
        // A hundred matches undone and a hundred made, and a step to end each line.
        MaxSteps::set(102);
        next_block();
        next_block();
        assert!(miners.iter().all(|miner| validators_of(*miner).len() == 1));
        assert_eq!(Matching::validator_view(leaving), None);
    });
}
