//! Miners and validators, their scores, and what is earned and burnt.

use ensemble_core::{
    epochs::{EpochPhase, Epochs},
    matching::Standing,
    modules::Role,
    scores::{Score, Sealed, ONE},
    ModuleId,
};
use ensemble_runtime::{
    AccountId, Balance, Balances, BlockNumber, Emission, Market, Matching, Modules, Runtime, RuntimeCall,
    RuntimeOrigin, Scores, Stake, System, EXISTENTIAL_DEPOSIT, TUNE,
};
use frame_support::{
    assert_noop, assert_ok,
    traits::{
        fungible::{Inspect, Mutate},
        tokens::Preservation,
        Get, Hooks,
    },
    weights::Weight,
};
use sp_keyring::Sr25519Keyring::{self, Alice, Bob, Charlie};
use sp_runtime::{traits::Dispatchable, DispatchResult, Perbill};

use crate::{account, on_chain, preset, register, signed};

/// Chat, among the types that a chain begins with.
const CHAT: u16 = pallet_modules::defaults::CHAT;

pub(crate) fn set_role(who: Sr25519Keyring, module: ModuleId, role: Role) -> DispatchResult {
    Modules::set_role(signed(who), module, role).map(|_| ()).map_err(|failed| failed.error)
}

pub(crate) fn validator(capacity: u32) -> Role {
    Role::Validator { types: vec![CHAT].try_into().expect("one is not too many"), capacity }
}

/// Makes empty blocks up to this one.
pub(crate) fn run_to(number: BlockNumber) {
    while System::block_number() < number {
        for finish in [Matching::on_idle, Scores::on_idle, Emission::on_idle, Market::on_idle] {
            finish(System::block_number(), Weight::MAX);
        }
        System::set_block_number(System::block_number() + 1);
        Emission::on_initialize(System::block_number());
        Scores::on_initialize(System::block_number());
    }
}

pub(crate) fn run_to_phase(phase: EpochPhase) {
    while Emission::phase() != phase {
        run_to(System::block_number() + 1);
    }
}

/// The books: genesis and emission are what exists and what was burnt.
pub(crate) fn assert_books() {
    let supply = Emission::supply();
    assert_eq!(supply.issuance, Balances::total_issuance());
    assert_eq!(supply.genesis + supply.emitted, supply.issuance + supply.burnt);
}

pub(crate) fn total(who: &AccountId) -> Balance {
    Balances::total_balance(who)
}

/// Scores a miner in the epoch that comes next.
pub(crate) fn score(who: Sr25519Keyring, validator: ModuleId, miner: ModuleId, score: u32) {
    run_to_phase(EpochPhase::Reveal);
    run_to_phase(EpochPhase::Commit);
    let score = Score { score, quality: ONE, availability: ONE, latency: 10 };
    let sealed =
        Sealed { epoch: Emission::current(), validator, batch: 0, scores: vec![(miner, score)], salt: [7; 32] };
    assert_ok!(Scores::draw(signed(who), validator));
    assert_ok!(Scores::commit(signed(who), validator, 0, Scores::seal(&sealed)));
    run_to_phase(EpochPhase::Reveal);
    let scores = sealed.scores.try_into().expect("one is not too many");
    assert_ok!(Scores::reveal(signed(who), validator, 0, scores, sealed.salt));
}

#[test]
fn a_miner_is_matched_scored_and_paid() {
    on_chain(preset("development"), || {
        let (miner, judge) = (register(Alice, "llama-3"), register(Bob, "a-judge"));
        assert_ok!(set_role(Alice, miner, Role::Miner));
        assert_ok!(set_role(Bob, judge, validator(10)));
        run_to(2);
        assert_eq!(Matching::miner_view(miner).expect("it is a miner").validators, [judge]);
        assert_ok!(Stake::stake(signed(Charlie), miner, 10 * TUNE));

        score(Bob, judge, miner, ONE / 2);
        let epoch = Emission::current();
        let before =
            [total(&account(Alice)), total(&account(Bob)), Stake::pool_view(miner).expect("it has one").staked];
        run_to_phase(EpochPhase::Commit);
        run_to(System::block_number() + 1);
        let closed = Emission::epochs().into_iter().find(|closed| closed.epoch == epoch).expect("it is kept");
        let after = [total(&account(Alice)), total(&account(Bob)), Stake::pool_view(miner).expect("it has one").staked];
        let paid = [0, 1, 2].map(|at| after[at] - before[at]);
        assert!(closed.miners > 0 && closed.validators > 0);
        assert_eq!(paid[0] + paid[2], closed.miners, "the owner for the deposit, the stakers for their stake");
        assert!(paid[2] > paid[0], "more was staked than held");
        assert_eq!(paid[1], closed.validators);
        assert_books();
    });
}

#[test]
fn a_role_that_cannot_be_is_refused_and_changes_nothing() {
    on_chain(preset("development"), || {
        let judge = register(Bob, "a-judge");
        assert_ok!(set_role(Bob, judge, validator(2)));
        for name in ["llama-1", "llama-2"] {
            let miner = register(Alice, name);
            assert_ok!(set_role(Alice, miner, Role::Miner));
        }
        run_to(2);
        let refused = pallet_matching::Error::<Runtime>::CapacityBelowLoad;
        assert_noop!(set_role(Bob, judge, validator(1)), refused);
        assert_eq!(Modules::module_view(judge).expect("it exists").role, validator(2));
    });
}

#[test]
fn who_is_removed_leaves_the_subnet_and_its_miners_find_another() {
    on_chain(preset("development"), || {
        let (first, second) = (register(Bob, "judge-one"), register(Charlie, "judge-two"));
        let miner = register(Alice, "llama-3");
        assert_ok!(set_role(Bob, first, validator(1)));
        assert_ok!(set_role(Alice, miner, Role::Miner));
        run_to(2);
        assert_ok!(Modules::remove(signed(Bob), first));
        assert_ok!(set_role(Charlie, second, validator(1)));
        run_to(3);
        assert_eq!(Matching::validator_view(first), None);
        let view = Matching::miner_view(miner).expect("it is a miner");
        assert_eq!((view.validators, view.standing), (vec![second], Standing::Active));
    });
}

#[test]
fn all_that_is_burnt_is_counted() {
    on_chain(preset("development"), || {
        let module = register(Alice, "a-module");
        assert_ok!(Stake::stake(signed(Bob), module, 10 * TUNE));
        assert_ok!(Stake::slash(RuntimeOrigin::root(), module, Perbill::from_percent(10)));
        assert_ok!(Emission::burn(signed(Charlie), TUNE));
        // An account that is left with less than the existential deposit.
        let poor = AccountId::new([9; 32]);
        let give = |amount| Balances::transfer(&account(Alice), &poor, amount, Preservation::Preserve);
        assert_ok!(give(2 * EXISTENTIAL_DEPOSIT));
        let back = EXISTENTIAL_DEPOSIT + 1;
        assert_ok!(Balances::transfer(&poor, &account(Alice), back, Preservation::Expendable));
        assert_eq!(total(&poor), 0);
        let name = Emission::supply().burnt - TUNE - TUNE - (EXISTENTIAL_DEPOSIT - 1);
        assert!(name > 0 && name < TUNE, "half of the name's price: {name}");
        assert_books();
    });
}

#[test]
fn nobody_burns_uncounted() {
    on_chain(preset("development"), || {
        let call = RuntimeCall::Balances(pallet_balances::Call::burn { value: TUNE, keep_alive: true });
        let refused = frame_system::Error::<Runtime>::CallFiltered;
        assert_noop!(call.dispatch(signed(Alice)).map(|_| ()).map_err(|failed| failed.error), refused);
    });
}

#[test]
fn all_epochs_together_bring_what_the_cap_allows_and_the_split_is_whole() {
    let first: Balance = <Runtime as pallet_emission::Config>::FirstReward::get();
    let period: u32 = <Runtime as pallet_emission::Config>::HalvingPeriod::get();
    let cap: Balance = <Runtime as pallet_emission::Config>::Cap::get();
    let all: Balance = (0..128).map(|halvings| (first >> halvings) * Balance::from(period)).sum();
    assert!(all <= cap && all > cap - cap / 1_000, "{all} of {cap}");
    on_chain(preset("production"), || assert!(pallet_emission::CurrentSplit::<Runtime>::get().is_whole()));
}
