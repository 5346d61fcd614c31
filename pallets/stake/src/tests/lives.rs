//! Random lives of stake: whatever people do, nothing is lost and nobody takes from another.

use ensemble_core::ModuleId;
use proptest::prelude::*;
use sp_runtime::Perbill;

use crate::{mock::*, Balance, Event};

/// Something that happens.
#[derive(Clone, Debug)]
enum Action {
    Stake { who: AccountId, module: ModuleId, amount: Balance },
    Unstake { who: AccountId, module: ModuleId, parts: Balance },
    Move { who: AccountId, from: ModuleId, to: ModuleId, parts: Balance },
    Withdraw { who: AccountId, module: ModuleId },
    Reward { module: ModuleId, amount: Balance },
    RewardCredit { module: ModuleId, amount: Balance },
    Slash { module: ModuleId, part: u32 },
    SetFee { module: ModuleId, percent: u32 },
    Remove { module: ModuleId },
    Blocks { count: BlockNumber },
}

fn any_action() -> impl Strategy<Value = Action> {
    let who = prop::sample::select(ACCOUNTS.to_vec());
    let module = prop::sample::select(MODULES.to_vec());
    let parts = prop_oneof![2 => 0u128..=100, 1 => Just(100)];
    prop_oneof![
        8 => (who.clone(), module.clone(), 0u128..50_000)
            .prop_map(|(who, module, amount)| Action::Stake { who, module, amount }),
        6 => (who.clone(), module.clone(), parts.clone())
            .prop_map(|(who, module, parts)| Action::Unstake { who, module, parts }),
        6 => (who.clone(), module.clone(), module.clone(), parts)
            .prop_map(|(who, from, to, parts)| Action::Move { who, from, to, parts }),
        6 => (who, module.clone()).prop_map(|(who, module)| Action::Withdraw { who, module }),
        3 => (module.clone(), 1u128..20_000).prop_map(|(module, amount)| Action::Reward { module, amount }),
        2 => (module.clone(), (0u32..70).prop_map(|bits| 1u128 << bits))
            .prop_map(|(module, amount)| Action::RewardCredit { module, amount }),
        3 => (module.clone(), 0u32..=1_000_000_000).prop_map(|(module, part)| Action::Slash { module, part }),
        1 => module.clone().prop_map(|module| Action::Slash { module, part: 1_000_000_000 }),
        2 => (module.clone(), 0u32..60).prop_map(|(module, percent)| Action::SetFee { module, percent }),
        1 => module.prop_map(|module| Action::Remove { module }),
        5 => (1u64..8).prop_map(|count| Action::Blocks { count }),
    ]
}

/// Does it as far as the chain lets it be done.
fn act(action: &Action) -> bool {
    let done = match *action {
        Action::Stake { who, module, amount } => stake(who, module, amount),
        Action::Unstake { who, module, parts } => unstake(who, module, staked(who, module) * parts / 100),
        Action::Move { who, from, to, parts } => move_stake(who, from, to, staked(who, from) * parts / 100),
        Action::Withdraw { who, module } => withdraw(who, module),
        Action::Reward { module, amount } => reward(WHALE, module, amount),
        Action::RewardCredit { module, amount } => return reward_credit(module, amount).is_ok(),
        Action::Slash { module, part } => Stake::slash(RuntimeOrigin::root(), module, Perbill::from_parts(part)),
        Action::SetFee { module, percent } => set_fee(OWNER, module, percent),
        Action::Remove { module } => {
            remove_module(module);
            Ok(())
        },
        Action::Blocks { count } => {
            skip(count);
            Ok(())
        },
    };
    done.is_ok()
}

fn all_wealth() -> Vec<Balance> {
    ACCOUNTS.iter().map(|who| wealth(*who)).collect()
}

/// Who does it, and so may lose by rounding; and whether rewards or slashes change what everybody has.
fn actor(action: &Action) -> (Option<AccountId>, bool) {
    match *action {
        Action::Stake { who, .. } | Action::Unstake { who, .. } | Action::Move { who, .. } => (Some(who), false),
        Action::Withdraw { who, .. } => (Some(who), false),
        Action::Reward { .. } | Action::RewardCredit { .. } | Action::Slash { .. } => (None, true),
        Action::SetFee { .. } | Action::Remove { .. } | Action::Blocks { .. } => (None, false),
    }
}

/// Everybody takes out everything, on whatever is left of the modules.
fn everybody_leaves() {
    for _ in 0..4 {
        skip(UNBONDING);
        for who in ACCOUNTS {
            for module in MODULES {
                let _ = withdraw(who, module);
                let amount = staked(who, module);
                if amount > 0 {
                    assert_eq!(unstake(who, module, amount), Ok(()), "{who} cannot leave {module}");
                }
            }
        }
    }
}

/// What all accounts should have in all, by the events.
fn paid_in_and_slashed() -> (Balance, Balance) {
    events().into_iter().fold((0, 0), |(paid, slashed), event| match event {
        Event::Rewarded { amount, .. } => (paid + amount, slashed),
        Event::Slashed { staked, unbonding, .. } => (paid, slashed + staked + unbonding),
        Event::MoveSettled { slashed: more, .. } => (paid, slashed + more),
        _ => (paid, slashed),
    })
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 256, ..Default::default() })]

    #[test]
    fn nothing_is_lost_and_nobody_takes_from_another(actions in prop::collection::vec(any_action(), 1..80)) {
        on_chain(|| {
            for action in actions {
                let before = all_wealth();
                let done = act(&action);
                check_state();
                let (actor, changes_all) = actor(&action);
                for (who, before) in ACCOUNTS.iter().zip(&before) {
                    let after = wealth(*who);
                    if !done {
                        assert_eq!(after, *before, "{action:?} failed and changed {who}");
                    } else if actor == Some(*who) {
                        // Each of the positions that a call touches may round down.
                        assert!(after + 4 >= *before, "{who} loses {} by {action:?}", before - after);
                    } else if !changes_all {
                        assert!(after >= *before, "{who} loses {} by {action:?}", before - after);
                    }
                }
            }
            everybody_leaves();
            // A fee is all that pools of modules without stake remember, and it goes with the module.
            MODULES.into_iter().for_each(remove_module);
            assert_nothing_left();
            let (paid, slashed) = paid_in_and_slashed();
            assert_eq!(SlashedSoFar::get(), slashed);
            let endowed = ENDOWMENT * ACCOUNTS.len() as Balance;
            assert_eq!(ACCOUNTS.iter().map(|who| free(*who)).sum::<Balance>(), endowed + paid - slashed);
        });
    }
}
