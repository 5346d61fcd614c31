//! A year of hourly epochs against an independent model, to the planck.
//!
//! The model knows nothing of the pallet: it counts in big integers, goes through the schedule by halving step by step,
//! and divides by cross-multiplying. Merits, stakes and deposits come from a generator with a fixed seed.

use std::collections::BTreeMap;

use ensemble_core::ModuleId;
use frame_support::traits::Hooks;
use num_bigint::BigUint;
use sp_runtime::Permill;

use crate::{mock::*, Balance, TotalEmitted};

const HOURS: u32 = 8_760;
const MODULES_OF_THE_YEAR: u32 = 12;
/// Of the schedule: 100 TUNE of twelve decimals and a bit, so that every division has a rest.
const FIRST: Balance = 100_000_000_000_123;
const HALVING: u32 = 1_000;

/// A generator of numbers (Marsaglia's xorshift, 64 bits).
struct Numbers(u64);

impl Numbers {
    fn below(&mut self, end: u64) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        self.0 % end
    }
}

fn big(number: Balance) -> BigUint {
    BigUint::from(number)
}

fn planck(number: BigUint) -> Balance {
    Balance::try_from(number).unwrap()
}

/// What a module of the model earns by.
#[derive(Clone, Default)]
struct Miner {
    money: Balance,
    merits: [u32; 2],
}

#[derive(Default)]
struct Model {
    reward: BigUint,
    epoch: u32,
    emitted: BigUint,
    cap: BigUint,
    treasury: BigUint,
    /// What each module got so far.
    got: BTreeMap<ModuleId, BigUint>,
}

impl Model {
    /// What modules get of an epoch, and what the epoch emits.
    fn close(&mut self, modules: &BTreeMap<ModuleId, Miner>) -> BTreeMap<ModuleId, [Balance; 2]> {
        if self.epoch > 0 && self.epoch.is_multiple_of(HALVING) {
            self.reward /= 2u32;
        }
        self.epoch += 1;
        let left = &self.cap - &self.emitted;
        let reward = self.reward.clone().min(left);
        let mut parts = [60u32, 30].map(|percent| &reward * percent / 100u32);
        let treasury = &reward - &parts[0] - &parts[1];
        let mut sums = [BigUint::default(), BigUint::default()];
        for (side, sum) in sums.iter_mut().enumerate() {
            *sum = modules.values().map(|miner| big(miner.money) * miner.merits[side]).sum();
            if *sum == BigUint::default() {
                parts[side] = BigUint::default();
            }
        }
        self.emitted += &parts[0] + &parts[1] + &treasury;
        self.treasury += treasury;
        let share = |miner: &Miner, side: usize| match sums[side] == BigUint::default() {
            true => 0,
            false => planck(&parts[side] * big(miner.money) * miner.merits[side] / &sums[side]),
        };
        let shares: BTreeMap<_, _> =
            modules.iter().map(|(module, miner)| (*module, [share(miner, 0), share(miner, 1)])).collect();
        for (module, [miner, validator]) in &shares {
            *self.got.entry(*module).or_default() += big(*miner) + big(*validator);
        }
        shares
    }
}

/// Says something of some modules, to the pallet and to the model.
fn earn(numbers: &mut Numbers) -> BTreeMap<ModuleId, Miner> {
    let mut earned = BTreeMap::<ModuleId, Miner>::new();
    for _ in 0..numbers.below(16) {
        let module = u32::try_from(numbers.below(MODULES_OF_THE_YEAR.into())).unwrap() + 100;
        let (side, merit) = (numbers.below(2), u32::try_from(numbers.below(1_000_001)).unwrap());
        let set = if side == 0 { mine } else { judge };
        set(module, Permill::from_parts(merit));
        let (_, deposit) = Registered::get()[&module];
        let side = usize::try_from(side).unwrap();
        let miner = earned.entry(module).or_default();
        miner.money = steady_of(module) + deposit;
        // Whoever earns on one side earns nothing on the other.
        if miner.merits[1 - side] == 0 {
            miner.merits[side] = merit;
        }
    }
    earned
}

fn steady_of(module: ModuleId) -> Balance {
    <Stake as ensemble_core::stake::Stake<AccountId, Balance>>::steady(module)
}

/// Half of the modules are staked on; the others' owners get all. Gives what is staked.
fn set_up(numbers: &mut Numbers) -> BTreeMap<ModuleId, Balance> {
    let mut stakes = BTreeMap::new();
    for module in 100..100 + MODULES_OF_THE_YEAR {
        register(module, owner_of(module), u128::from(numbers.below(1_000_000)) + EXISTENTIAL);
        if module % 2 == 0 {
            let amount = u128::from(numbers.below(10_000_000)) + MIN_STAKE;
            stake(ALICE, module, amount);
            stakes.insert(module, amount);
        }
    }
    stakes
}

/// Each module has an owner with nothing else.
fn owner_of(module: ModuleId) -> AccountId {
    AccountId::from(module) + 1_000
}

/// Goes to the next epoch without checking the state in each block, and forgets the events.
fn quick_epoch() {
    let end = (System::block_number() / 4 + 1) * 4;
    while System::block_number() < end {
        // Twelve modules are not paid in the first block.
        Emission::on_idle(System::block_number(), PLENTY);
        System::set_block_number(System::block_number() + 1);
        Emission::on_initialize(System::block_number());
    }
    System::reset_events();
}

/// Goes through a year; gives the epoch in which the cap was reached.
fn year(cap: Balance) -> Option<u32> {
    let mut reached = None;
    FirstReward::set(FIRST);
    HalvingPeriod::set(HALVING);
    Cap::set(cap);
    chain_with(Some(4)).execute_with(|| {
        let mut numbers = Numbers(0x5eed);
        let stakes = set_up(&mut numbers);
        let genesis = issuance();
        let mut model = Model { reward: big(FIRST), cap: big(cap), ..Default::default() };
        for epoch in 0..HOURS {
            let earned = earn(&mut numbers);
            quick_epoch();
            for (module, shares) in model.close(&earned) {
                let (miner, validator) = got(epoch, module);
                assert_eq!([miner, validator], shares, "module {module} in epoch {epoch}");
            }
            let emitted = planck(model.emitted.clone());
            assert_eq!((TotalEmitted::<Test>::get(), issuance()), (emitted, genesis + emitted), "epoch {epoch}");
            assert!(emitted <= cap);
            if emitted == cap {
                reached = reached.or(Some(epoch));
            }
        }
        settle(&model, &stakes);
    });
    reached
}

/// When all was paid, everybody has what the model says, and the treasury the rest.
fn settle(model: &Model, stakes: &BTreeMap<ModuleId, Balance>) {
    FirstReward::set(0);
    for _ in 0..=KEPT + 1 {
        quick_epoch();
    }
    check_state();
    let mut paid = BigUint::default();
    for module in 100..100 + MODULES_OF_THE_YEAR {
        let of_stakers = staked(module) - stakes.get(&module).copied().unwrap_or_default();
        let got = of_stakers + free(owner_of(module));
        assert_eq!(big(got), model.got.get(&module).cloned().unwrap_or_default(), "module {module}");
        paid += big(got);
    }
    assert_eq!(held(), 0);
    let rest = &model.emitted - &paid;
    assert_eq!(big(free(TREASURY) - EXISTENTIAL), rest);
    assert!(rest > model.treasury);
}

#[test]
fn equals_the_model() {
    assert_eq!(year(1 << 80), None);
}

#[test]
fn equals_the_model_at_a_cap() {
    let reached = year(100_000_000_000_000_000);
    assert!(reached.is_some_and(|epoch| (500..HOURS).contains(&epoch)), "the cap was reached in {reached:?}");
}
