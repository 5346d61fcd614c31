//! Benchmarks: each call and step at its worst. None has a component: nothing depends on how many take part.
//!
//! The worst validator judges as many types as it may. Its seats are on full pages, and it is the best on all of them, so
//! that every change of its rank rewrites every page above it. What fills the pages are validators that do not exist.

use alloc::{vec, vec::Vec};

use ensemble_core::{
    matching::MAX_REASON_BYTES,
    modules::{Role, MAX_VALIDATOR_TYPES},
};
use frame_benchmarking::v2::*;
use frame_support::traits::EnsureOrigin;
use frame_system::RawOrigin;
use sp_runtime::DispatchError;

use super::*;
use crate::{
    idle::{Done, Task},
    ranking::{Pages, Rank, FAN_OUT, LEVELS},
    seats::PagesOf,
};

type Benched<R = ()> = Result<R, BenchmarkError>;

const TYPE: ModelType = 1;

fn owner<T: Config>() -> T::AccountId {
    account("owner", 0, 0)
}

fn module<T: Config>() -> Result<ModuleId, DispatchError> {
    T::Modules::register_for_benchmark(&owner::<T>())
}

/// As many types as a validator may judge.
fn all_types() -> Types {
    Types::truncate_from((TYPE..).take(MAX_VALIDATOR_TYPES as usize).collect())
}

fn join_miner<T: Config>() -> Result<ModuleId, DispatchError> {
    let id = module::<T>()?;
    Pallet::<T>::join_miner(id, TYPE);
    Ok(id)
}

fn join_validator<T: Config>(types: &Types, capacity: u32) -> Result<ModuleId, DispatchError> {
    let id = module::<T>()?;
    Pallet::<T>::join_validator(id, types, capacity);
    Ok(id)
}

/// A miner that is matched and waits for further validators, between others, the last but one of the active ones of its
/// type. Whoever hears of it has as much to do as can be.
fn worst_miner<T: Config>() -> Result<ModuleId, DispatchError> {
    let (_, miners) = with_miners::<T>(2, 1)?;
    let miner = miners.first().copied().ok_or("no miner")?;
    Miners::<T>::mutate_extant(miner, |record| {
        Pallet::<T>::stop_waiting(record);
        queue::<T>(Kind::Further);
        Pallet::<T>::wait(miner, record, Kind::Further);
        queue::<T>(Kind::Further);
    });
    T::OnMiner::prepare_miner_for_benchmark(miner);
    Ok(miner)
}

/// A miner that was switched off, with no matches left to undo. Others wait for a first validator.
fn resting_miner<T: Config>() -> Result<ModuleId, DispatchError> {
    let miner = join_miner::<T>()?;
    Pallet::<T>::do_switch(owner::<T>(), miner, true)?;
    queue::<T>(Kind::First);
    T::OnMiner::prepare_miner_for_benchmark(miner);
    Ok(miner)
}

/// Does everything that there is to do.
fn drain<T: Config>() {
    while let Some(task) = Pallet::<T>::next_task() {
        Pallet::<T>::perform(task);
    }
}

/// What a block does for a step: it looks what is next, and does it.
fn step<T: Config>(task: Task) -> Done {
    core::hint::black_box(Pallet::<T>::next_task());
    Pallet::<T>::perform(task)
}

/// The next seat of the type is on another page of every level but the highest.
fn turn_page<T: Config>() {
    Desks::<T>::mutate(TYPE, |desk| desk.seats = desk.seats.saturating_add(FAN_OUT.saturating_mul(FAN_OUT)));
}

/// Fills the pages above a validator's seats in all types but those that are left out.
fn crowd<T: Config>(validator: ModuleId, but: &[ModelType]) {
    let seats = Validators::<T>::get(validator).map(|validator| validator.seats).unwrap_or_default();
    for seat in seats.iter().filter(|seat| !but.contains(&seat.model_type)) {
        let mut pages = PagesOf::<T>::new(seat.model_type);
        let mut index = seat.number;
        for level in 0..LEVELS {
            let (number, own) = (index / FAN_OUT, index % FAN_OUT);
            let mut page = pages.load(level, number);
            let empty: Vec<u32> = (0..FAN_OUT).filter(|place| *place != own && page.get(*place).is_none()).collect();
            for place in empty {
                page.set(place, Some(Rank { load: u32::MAX, doubt: u32::MAX, module: ModuleId::MAX }));
            }
            pages.store(level, number, page);
            index = number;
        }
    }
}

/// A validator of all types with so many miners, with room for some more, and they.
fn with_miners<T: Config>(count: u32, room: u32) -> Result<(ModuleId, Vec<ModuleId>), DispatchError> {
    let validator = join_validator::<T>(&all_types(), count.saturating_add(room))?;
    let miners = (0..count).map(|_| join_miner::<T>()).collect::<Result<Vec<_>, _>>()?;
    drain::<T>();
    Ok((validator, miners))
}

/// A miner waits in each type.
fn wait_everywhere<T: Config>() -> Benched {
    for model_type in all_types() {
        Pallet::<T>::join_miner(module::<T>()?, model_type);
    }
    Ok(())
}

/// Somebody who does not exist waits.
fn queue<T: Config>(kind: Kind) {
    Desks::<T>::mutate(TYPE, |desk| {
        Pallet::<T>::add(Line::Waiting(kind, TYPE), desk.waiting.get_mut(kind), ModuleId::MAX);
    });
}

/// Somebody who does not exist is offered to a type.
fn queue_offer<T: Config>(model_type: ModelType) {
    Desks::<T>::mutate(model_type, |desk| {
        Pallet::<T>::add(Line::Offers(model_type), &mut desk.offers, ModuleId::MAX);
    });
}

/// A validator is offered to all of its types, between others: if it leaves, its neighbours change.
fn offer_everywhere<T: Config>(id: ModuleId) {
    Validators::<T>::mutate_extant(id, |validator| {
        for seat in validator.seats.iter_mut() {
            let model_type = seat.model_type;
            queue_offer::<T>(model_type);
            seat.offer = Some(Desks::<T>::mutate(model_type, |desk| {
                Pallet::<T>::add(Line::Offers(model_type), &mut desk.offers, id)
            }));
            queue_offer::<T>(model_type);
        }
    });
}

/// Changes the record of a miner that was matched.
fn change_miner<T: Config>(id: ModuleId, change: impl FnOnce(&mut Miner)) -> Benched {
    let mut miner = Miners::<T>::get(id).ok_or("no miner")?;
    change(&mut miner);
    Miners::<T>::insert(id, miner);
    Ok(())
}

/// Changes the record of a validator.
fn change_validator<T: Config>(id: ModuleId, change: impl FnOnce(&mut Validator)) -> Benched {
    let mut validator = Validators::<T>::get(id).ok_or("no validator")?;
    change(&mut validator);
    Validators::<T>::insert(id, validator);
    Ok(())
}

/// Gives a miner that waits as many validators as it may have without having enough, all of them with room, on pages
/// far from each other.
fn surround<T: Config>(miner: ModuleId) -> Benched {
    change_miner::<T>(miner, Pallet::<T>::stop_waiting)?;
    for _ in 1..T::ValidatorsPerMiner::get() {
        turn_page::<T>();
        // Of one type: in the others nobody is better than who is found, so that all of their pages change.
        let own = join_validator::<T>(&Types::truncate_from(vec![TYPE]), 2)?;
        change_miner::<T>(miner, |record| {
            Pallet::<T>::connect(miner, record, own);
            Pallet::<T>::stop_waiting(record);
        })?;
    }
    turn_page::<T>();
    change_miner::<T>(miner, |record| Pallet::<T>::wait(miner, record, Kind::Further))
}

/// A pair of matched modules of one owner, and `extra` more miners of the validator, which has room for one more.
pub(crate) fn matched<T: Config>(extra: u32) -> Result<(ModuleId, Vec<ModuleId>), DispatchError> {
    let (validator, miners) = with_miners::<T>(extra.saturating_add(1), 1)?;
    crowd::<T>(validator, &[]);
    Ok((validator, miners))
}

impl<T: Config> Pallet<T> {
    /// A module plays a part, and has matches where it may change it all the same.
    pub(crate) fn prepare_role(module: ModuleId, role: &Role) {
        match role {
            Role::Idle => T::OnMiner::prepare_miner_for_benchmark(module),
            Role::Miner => {
                let model_type = T::Modules::role(module).map_or(TYPE, |(model_type, _)| model_type);
                Self::join_miner(module, model_type);
                // The last of the active miners, which takes the place of one that leaves.
                let _ = self::module::<T>().map(|other| Self::join_miner(other, model_type));
                let _ = join_validator::<T>(&Types::truncate_from(vec![model_type]), 2);
                drain::<T>();
                T::OnMiner::prepare_miner_for_benchmark(module);
            },
            Role::Validator { types, capacity } => {
                Self::join_validator(module, types, *capacity);
                crowd::<T>(module, &[]);
                offer_everywhere::<T>(module);
                T::OnMiner::prepare_miner_for_benchmark(module);
            },
        }
    }

    /// A validator with a miner, a flag, and seats in as many rankings as there can be.
    pub(crate) fn prepare_removal(module: ModuleId) {
        Self::join_validator(module, &all_types(), 2);
        let _ = join_miner::<T>();
        drain::<T>();
        crowd::<T>(module, &[]);
        offer_everywhere::<T>(module);
        Reliabilities::<T>::insert(module, Permill::one());
    }
}

fn worst_reason() -> FlagReason {
    FlagReason::Stated(BoundedVec::truncate_from(vec![b'a'; MAX_REASON_BYTES as usize]))
}

fn flag_origin<T: Config>() -> Benched<T::RuntimeOrigin> {
    T::FlagOrigin::try_successful_origin().map_err(|_| BenchmarkError::Weightless)
}

fn truth_origin<T: Config>() -> Benched<T::RuntimeOrigin> {
    T::TruthOrigin::try_successful_origin().map_err(|_| BenchmarkError::Weightless)
}

/// As many sources of truth as there can be, all of one owner but for the last, which is the caller's.
fn fill_truths<T: Config>(caller: &T::AccountId) -> Benched {
    for number in 1..=T::MaxTruths::get() {
        let owner = if number == T::MaxTruths::get() { caller.clone() } else { owner::<T>() };
        let id = T::Modules::register_for_benchmark(&owner)?;
        Pallet::<T>::join_miner(id, TYPE);
        Pallet::<T>::do_set_truth(id, Some(Permill::one()))?;
    }
    Ok(())
}

fn case(number: u32) -> TestCase {
    let mut inputs = H256::zero();
    inputs.0[..4].copy_from_slice(&number.to_be_bytes());
    TestCase { inputs, outputs: H256::repeat_byte(1), tolerance: Permill::one() }
}

fn fill_cases<T: Config>(count: u32) -> Benched {
    for number in 0..count {
        Pallet::<T>::do_add_test_case(TYPE, case(number))?;
    }
    Ok(())
}

#[benchmarks]
mod benchmarks {
    use super::*;

    /// A validator with miners.
    #[benchmark]
    fn switch_off() -> Result<(), BenchmarkError> {
        let (validator, _) = with_miners::<T>(2, 1)?;
        crowd::<T>(validator, &[]);

        #[extrinsic_call]
        _(RawOrigin::Signed(owner::<T>()), validator);

        assert_eq!(Validators::<T>::get(validator).map(|validator| validator.departure), Some(Departure::Pausing));
        Ok(())
    }

    /// A miner that is listed wherever it can be.
    #[benchmark]
    fn switch_miner_off() -> Result<(), BenchmarkError> {
        let miner = worst_miner::<T>()?;

        #[extrinsic_call]
        switch_off(RawOrigin::Signed(owner::<T>()), miner);

        assert_eq!(Miners::<T>::get(miner).map(|miner| miner.departure), Some(Departure::Pausing));
        Ok(())
    }

    /// A validator for whom a miner waits in each of its types.
    #[benchmark]
    fn switch_on() -> Result<(), BenchmarkError> {
        let validator = join_validator::<T>(&all_types(), 2)?;
        Pallet::<T>::do_switch(owner::<T>(), validator, true)?;
        wait_everywhere::<T>()?;
        drain::<T>();
        crowd::<T>(validator, &[]);

        #[extrinsic_call]
        _(RawOrigin::Signed(owner::<T>()), validator);

        assert!(Validators::<T>::get(validator).is_some_and(|validator| validator.open));
        Ok(())
    }

    /// A miner that is to be listed wherever it can be.
    #[benchmark]
    fn switch_miner_on() -> Result<(), BenchmarkError> {
        let miner = resting_miner::<T>()?;

        #[extrinsic_call]
        switch_on(RawOrigin::Signed(owner::<T>()), miner);

        assert!(Miners::<T>::get(miner).is_some_and(|miner| miner.is_active()));
        Ok(())
    }

    /// A validator with miners, with the longest reason.
    #[benchmark]
    fn flag() -> Result<(), BenchmarkError> {
        let (validator, _) = with_miners::<T>(2, 1)?;
        crowd::<T>(validator, &[]);
        let origin = flag_origin::<T>()?;

        #[extrinsic_call]
        _(origin as T::RuntimeOrigin, validator, vec![b'a'; MAX_REASON_BYTES as usize]);

        assert!(Flags::<T>::contains_key(validator));
        Ok(())
    }

    /// A miner that is listed wherever it can be, with the longest reason.
    #[benchmark]
    fn flag_miner() -> Result<(), BenchmarkError> {
        let miner = worst_miner::<T>()?;
        let origin = flag_origin::<T>()?;

        #[extrinsic_call]
        flag(origin as T::RuntimeOrigin, miner, vec![b'a'; MAX_REASON_BYTES as usize]);

        assert!(Flags::<T>::contains_key(miner));
        Ok(())
    }

    /// A validator for whom a miner waits in each of its types.
    #[benchmark]
    fn unflag() -> Result<(), BenchmarkError> {
        let validator = join_validator::<T>(&all_types(), 2)?;
        Pallet::<T>::put_flag(validator, worst_reason());
        wait_everywhere::<T>()?;
        drain::<T>();
        crowd::<T>(validator, &[]);
        let origin = flag_origin::<T>()?;

        #[extrinsic_call]
        _(origin as T::RuntimeOrigin, validator);

        assert!(Validators::<T>::get(validator).is_some_and(|validator| validator.open));
        Ok(())
    }

    /// A miner that is to be listed wherever it can be.
    #[benchmark]
    fn unflag_miner() -> Result<(), BenchmarkError> {
        let miner = join_miner::<T>()?;
        Pallet::<T>::put_flag(miner, worst_reason());
        queue::<T>(Kind::First);
        T::OnMiner::prepare_miner_for_benchmark(miner);
        let origin = flag_origin::<T>()?;

        #[extrinsic_call]
        unflag(origin as T::RuntimeOrigin, miner);

        assert!(Miners::<T>::get(miner).is_some_and(|miner| miner.is_active()));
        Ok(())
    }

    /// The last one that there is room for.
    #[benchmark]
    fn set_truth() -> Result<(), BenchmarkError> {
        fill_truths::<T>(&owner::<T>())?;
        let last = Truths::<T>::get(TYPE).last().copied().ok_or("no truth")?;
        Pallet::<T>::do_set_truth(last, None)?;
        let origin = truth_origin::<T>()?;

        #[extrinsic_call]
        _(origin as T::RuntimeOrigin, last, Some(Permill::one()));

        assert_eq!(Truths::<T>::get(TYPE).len(), T::MaxTruths::get() as usize);
        Ok(())
    }

    /// The last one that there is room for, by the owner of the last source of truth.
    #[benchmark]
    fn add_test_case() -> Result<(), BenchmarkError> {
        let caller: T::AccountId = account("caller", 0, 0);
        fill_truths::<T>(&caller)?;
        fill_cases::<T>(T::MaxTestCases::get().saturating_sub(1))?;

        #[extrinsic_call]
        _(RawOrigin::Signed(caller), TYPE, case(u32::MAX));

        assert_eq!(TestCases::<T>::get(TYPE).len(), T::MaxTestCases::get() as usize);
        Ok(())
    }

    /// The first of as many as there can be, by the owner of the last source of truth.
    #[benchmark]
    fn remove_test_case() -> Result<(), BenchmarkError> {
        let caller: T::AccountId = account("caller", 0, 0);
        fill_truths::<T>(&caller)?;
        fill_cases::<T>(T::MaxTestCases::get())?;

        #[extrinsic_call]
        _(RawOrigin::Signed(caller), TYPE, case(0).inputs);

        assert_eq!(TestCases::<T>::get(TYPE).len(), T::MaxTestCases::get().saturating_sub(1) as usize);
        Ok(())
    }

    /// The look at what is to be done, and a type that goes to the end of the line.
    #[benchmark]
    fn idle() -> Result<(), BenchmarkError> {
        wait_everywhere::<T>()?;

        #[block]
        {
            if let Some(Task::Find(kind, _)) = Pallet::<T>::next_task() {
                Pallet::<T>::pass_turn(kind);
            }
        }

        assert_eq!(ToDo::<T>::get().turns.first.first, Some(1));
        Ok(())
    }

    /// An offer of a validator that has no room any more; there is another.
    #[benchmark]
    fn look() -> Result<(), BenchmarkError> {
        let (validator, miners) = with_miners::<T>(1, 1)?;
        let miner = miners.first().copied().ok_or("no miner")?;
        change_miner::<T>(miner, |record| {
            Pallet::<T>::stop_waiting(record);
            Pallet::<T>::wait(miner, record, Kind::Blocked);
        })?;
        for capacity in [1, 2, 1] {
            change_validator::<T>(validator, |record| {
                record.capacity = capacity;
                Pallet::<T>::rank(validator, record);
            })?;
        }
        queue_offer::<T>(TYPE);
        let task = Pallet::<T>::next_task().ok_or("nothing to do")?;
        let done;

        #[block]
        {
            done = step::<T>(task);
        }

        assert_eq!(done, Done::Looked);
        assert_eq!(Desks::<T>::get(TYPE).offers.first, Some(1));
        Ok(())
    }

    /// A miner gets its last validator, though all of its own are better. Others wait behind it.
    #[benchmark]
    fn find() -> Result<(), BenchmarkError> {
        let miner = join_miner::<T>()?;
        surround::<T>(miner)?;
        let best = join_validator::<T>(&all_types(), 3)?;
        Reliabilities::<T>::insert(best, Permill::zero());
        change_validator::<T>(best, |validator| {
            validator.load = 1;
            Pallet::<T>::rank(best, validator);
        })?;
        crowd::<T>(best, &[TYPE]);
        queue::<T>(Kind::Further);
        let task = Task::Find(Kind::Further, TYPE);
        let done;

        #[block]
        {
            done = step::<T>(task);
        }

        assert_eq!(done, Done::Matched);
        assert!(Miners::<T>::get(miner).is_some_and(|miner| miner.validators().contains(&best)));
        Ok(())
    }

    /// All validators with room are a miner's own, as many as it may have without having enough. Others wait behind it,
    /// and others are blocked.
    #[benchmark]
    fn find_in_vain() -> Result<(), BenchmarkError> {
        let (_, miners) = with_miners::<T>(1, 1)?;
        let miner = miners.first().copied().ok_or("no miner")?;
        change_miner::<T>(miner, Pallet::<T>::stop_waiting)?;
        change_miner::<T>(miner, |record| Pallet::<T>::wait(miner, record, Kind::Further))?;
        for _ in 2..T::ValidatorsPerMiner::get() {
            turn_page::<T>();
            join_validator::<T>(&all_types(), 2)?;
            Pallet::<T>::perform(Task::Find(Kind::Further, TYPE));
        }
        if Miners::<T>::get(miner).is_some_and(|miner| miner.waiting.is_none()) {
            change_miner::<T>(miner, |record| Pallet::<T>::wait(miner, record, Kind::Further))?;
        }
        queue::<T>(Kind::Further);
        queue::<T>(Kind::Blocked);
        let task = Task::Find(Kind::Further, TYPE);
        let done;

        #[block]
        {
            done = step::<T>(task);
        }

        assert_eq!(done, Done::InVain);
        Ok(())
    }

    /// From a full validator, which has room for those who wait in each of its types; its last miner moves up.
    #[benchmark]
    fn part_miner() -> Result<(), BenchmarkError> {
        let (validator, miners) = with_miners::<T>(2, 0)?;
        wait_everywhere::<T>()?;
        drain::<T>();
        let first = miners.first().copied().ok_or("no miner")?;
        change_miner::<T>(first, |record| Pallet::<T>::pause_miner(first, record))?;
        crowd::<T>(validator, &[]);
        let done;

        #[block]
        {
            done = step::<T>(Task::Part(first));
        }

        assert_eq!(done, Done::Parted);
        assert!(Validators::<T>::get(validator).is_some_and(|validator| validator.open));
        Ok(())
    }

    /// The miner waits for a further validator, between others, and must wait for a first one now, behind others.
    #[benchmark]
    fn part_validator() -> Result<(), BenchmarkError> {
        let (validator, miners) = with_miners::<T>(1, 1)?;
        let miner = miners.first().copied().ok_or("no miner")?;
        change_miner::<T>(miner, |record| {
            Pallet::<T>::stop_waiting(record);
            queue::<T>(Kind::Further);
            Pallet::<T>::wait(miner, record, Kind::Further);
            queue::<T>(Kind::Further);
        })?;
        queue::<T>(Kind::First);
        change_validator::<T>(validator, |record| Pallet::<T>::pause_validator(validator, record))?;
        let done;

        #[block]
        {
            done = step::<T>(Task::Part(validator));
        }

        assert_eq!(done, Done::Parted);
        let waiting = Miners::<T>::get(miner).and_then(|miner| miner.waiting);
        assert_eq!(waiting.map(|waiting| waiting.kind), Some(Kind::First));
        Ok(())
    }

    /// A validator comes back, for whom a miner waits in each of its types.
    #[benchmark]
    fn depart() -> Result<(), BenchmarkError> {
        let (validator, _) = with_miners::<T>(1, 1)?;
        wait_everywhere::<T>()?;
        change_validator::<T>(validator, |record| Pallet::<T>::pause_validator(validator, record))?;
        Pallet::<T>::perform(Task::Part(validator));
        crowd::<T>(validator, &[]);
        let done;

        #[block]
        {
            done = step::<T>(Task::Part(validator));
        }

        assert_eq!(done, Done::Departed);
        assert!(Validators::<T>::get(validator).is_some_and(|validator| validator.open));
        Ok(())
    }

    /// A miner comes back, and is to be listed wherever it can be.
    #[benchmark]
    fn depart_miner() -> Result<(), BenchmarkError> {
        let (_, miners) = with_miners::<T>(1, 1)?;
        let miner = miners.first().copied().ok_or("no miner")?;
        change_miner::<T>(miner, |record| Pallet::<T>::pause_miner(miner, record))?;
        Pallet::<T>::perform(Task::Part(miner));
        queue::<T>(Kind::First);
        T::OnMiner::prepare_miner_for_benchmark(miner);
        let done;

        #[block]
        {
            done = step::<T>(Task::Part(miner));
        }

        assert_eq!(done, Done::Departed);
        assert!(Miners::<T>::get(miner).is_some_and(|miner| miner.is_active()));
        Ok(())
    }

    impl_benchmark_test_suite!(Pallet, crate::mock::chain_to_measure(), crate::mock::Test);
}
