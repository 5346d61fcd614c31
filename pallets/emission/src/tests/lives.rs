//! Random lives of modules: whatever happens, what an epoch brought is paid once, and nothing is lost.

use std::collections::BTreeSet;

use ensemble_core::{emission::Earnings, ModuleId};
use frame_support::weights::Weight;
use proptest::prelude::*;
use sp_runtime::Permill;

use crate::{mock::*, Balance, Event};

/// Something that happens.
#[derive(Clone, Debug)]
enum Action {
    Stake { who: AccountId, module: ModuleId, amount: Balance },
    Unstake { who: AccountId, module: ModuleId, amount: Balance },
    Move { who: AccountId, from: ModuleId, to: ModuleId, amount: Balance },
    Mine { module: ModuleId, merit: u32 },
    Judge { module: ModuleId, merit: u32 },
    Forfeit { module: ModuleId },
    ForfeitClosed { back: u32, module: ModuleId },
    Settle { back: u32 },
    Register { module: ModuleId, owner: AccountId, deposit: Balance },
    Remove { module: ModuleId },
    Claim { back: u32, module: ModuleId },
    Burn { who: AccountId, amount: Balance },
    Leave { who: AccountId },
    Split { miners: u32, validators: u32 },
    Blocks { count: u64, time: u64 },
}

fn any_action() -> impl Strategy<Value = Action> {
    let who = prop::sample::select(vec![ALICE, BOB, CHARLIE, OWNER, PAUPER, TREASURY]);
    let module = 1..6u32;
    prop_oneof![
        4 => (who.clone(), module.clone(), 0..50_000u128)
            .prop_map(|(who, module, amount)| Action::Stake { who, module, amount }),
        2 => (who.clone(), module.clone(), 0..50_000u128)
            .prop_map(|(who, module, amount)| Action::Unstake { who, module, amount }),
        2 => (who.clone(), module.clone(), module.clone(), 0..50_000u128)
            .prop_map(|(who, from, to, amount)| Action::Move { who, from, to, amount }),
        8 => (module.clone(), 0..=1_000_000u32).prop_map(|(module, merit)| Action::Mine { module, merit }),
        8 => (module.clone(), 0..=1_000_000u32).prop_map(|(module, merit)| Action::Judge { module, merit }),
        1 => module.clone().prop_map(|module| Action::Forfeit { module }),
        2 => (module.clone(), who.clone(), 0..5_000u128)
            .prop_map(|(module, owner, deposit)| Action::Register { module, owner, deposit }),
        1 => module.clone().prop_map(|module| Action::Remove { module }),
        3 => (0..6u32, module.clone()).prop_map(|(back, module)| Action::ForfeitClosed { back, module }),
        4 => (0..4u32).prop_map(|back| Action::Settle { back }),
        4 => (0..6u32, module).prop_map(|(back, module)| Action::Claim { back, module }),
        1 => (who.clone(), 0..1_000u128).prop_map(|(who, amount)| Action::Burn { who, amount }),
        1 => who.prop_map(|who| Action::Leave { who }),
        1 => (0..=500_000u32, 0..=500_000u32).prop_map(|(miners, validators)| Action::Split { miners, validators }),
        6 => (1..12u64, prop_oneof![1 => Just(0u64), 1 => 0..600u64, 2 => Just(1_000_000)])
            .prop_map(|(count, time)| Action::Blocks { count, time }),
    ]
}

/// Does it as far as the chain lets it be done.
fn act(action: Action) {
    let signed = RuntimeOrigin::signed;
    let _ = match action {
        Action::Stake { who, module, amount } => Stake::stake(signed(who), module, amount),
        Action::Unstake { who, module, amount } => Stake::unstake(signed(who), module, amount),
        Action::Move { who, from, to, amount } => Stake::move_stake(signed(who), from, to, amount),
        Action::Claim { back, module } => claim(epochs_back(back), module),
        Action::Burn { who, amount } => burn(who, amount),
        Action::Leave { who } => Balances::transfer_all(signed(who), ALICE, false),
        Action::Split { miners, validators } => {
            let parts = [miners, validators, 1_000_000 - miners - validators].map(Permill::from_parts);
            set_split(parts[0], parts[1], parts[2])
        },
        other => {
            act_on_module(other);
            Ok(())
        },
    };
}

fn epochs_back(back: u32) -> u32 {
    crate::Open::<Test>::get().epoch.saturating_sub(back)
}

fn act_on_module(action: Action) {
    match action {
        Action::Mine { module, merit } => mine(module, Permill::from_parts(merit)),
        Action::Judge { module, merit } => judge(module, Permill::from_parts(merit)),
        Action::Forfeit { module } => Emission::forfeit(module),
        Action::ForfeitClosed { back, module } => Emission::forfeit_closed(epochs_back(back), module),
        Action::Settle { back } => FirstUnsettled::mutate(|first| *first = epochs_back(back).max(*first)),
        Action::Register { module, owner, deposit } => register(module, owner, deposit),
        Action::Remove { module } => remove(module),
        Action::Blocks { count, time } => (0..count).for_each(|_| {
            next_block_with(Weight::from_parts(time, 0));
        }),
        other => unreachable!("{other:?} is done elsewhere"),
    }
}

/// What epochs brought to modules, what these were paid, and what was left of it, by the events.
fn brought_paid_left() -> (Balance, Balance, Balance) {
    events().into_iter().fold((0, 0, 0), |(brought, paid, left), event| match event {
        Event::EpochClosed { miners, validators, .. } => (brought + miners + validators, paid, left),
        Event::Paid { to_stakers, to_owner, .. } => (brought, paid + to_stakers + to_owner, left),
        Event::EpochForgotten { to_treasury, burnt, .. } => (brought, paid, left + to_treasury + burnt),
        _ => (brought, paid, left),
    })
}

/// Nobody was paid of an epoch that is not settled, nor what he had forfeited.
fn check_faults() {
    let mut forfeited = BTreeSet::new();
    for event in events() {
        match event {
            Event::Forfeited { epoch, module, .. } => assert!(forfeited.insert((epoch, module))),
            Event::Paid { epoch, module, .. } => {
                assert!(epoch < FirstUnsettled::get() && !forfeited.contains(&(epoch, module)));
            },
            _ => (),
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 128, ..Default::default() })]

    #[test]
    fn what_an_epoch_brought_is_paid_once(
        reward in prop_oneof![1 => 0..200u128, 2 => 0..10_000_000u128],
        cap in 0..50_000_000u128,
        actions in prop::collection::vec(any_action(), 1..100),
    ) {
        FirstReward::set(reward);
        Cap::set(cap);
        HalvingPeriod::set(5);
        FirstUnsettled::set(0);
        on_chain(|| {
            for action in actions {
                act(action);
                check_state();
                let (brought, paid, left) = brought_paid_left();
                assert_eq!(held(), brought - paid - left);
                check_faults();
            }
            FirstUnsettled::set(u32::MAX);
            // Epochs in which nobody earns go by until all of these are forgotten.
            run_to(System::block_number() + 100 + u64::from(KEPT + 1) * LENGTH);
            let (brought, paid, left) = brought_paid_left();
            assert_eq!((held(), paid + left), (0, brought));
            assert!(issuance() <= crate::GenesisIssuance::<Test>::get() + cap);
        });
    }
}
