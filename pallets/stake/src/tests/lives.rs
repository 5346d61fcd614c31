//! Random lives of stake: whatever people do, nothing is lost and nobody takes from another.

use ensemble_core::ModuleId;
use proptest::prelude::*;
use sp_core::U256;
use sp_runtime::Perbill;

use crate::{
    mock::*,
    pool::{Position, SharePool},
    Balance, Event, Moves, Stakes, Unbondings,
};

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
    Trade { module: ModuleId, to: AccountId },
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
        6 => (who.clone(), module.clone()).prop_map(|(who, module)| Action::Withdraw { who, module }),
        3 => (module.clone(), 1u128..20_000).prop_map(|(module, amount)| Action::Reward { module, amount }),
        2 => (module.clone(), (0u32..70).prop_map(|bits| 1u128 << bits))
            .prop_map(|(module, amount)| Action::RewardCredit { module, amount }),
        3 => (module.clone(), 0u32..=1_000_000_000).prop_map(|(module, part)| Action::Slash { module, part }),
        1 => module.clone().prop_map(|module| Action::Slash { module, part: 1_000_000_000 }),
        2 => (module.clone(), 0u32..60).prop_map(|(module, percent)| Action::SetFee { module, percent }),
        1 => (module.clone(), who).prop_map(|(module, to)| Action::Trade { module, to }),
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
        Action::SetFee { module, percent } => {
            let owner = Owners::get().get(&module).copied();
            set_fee(owner.unwrap_or(OWNER), module, percent)
        },
        Action::Trade { module, to } => {
            Owners::mutate(|owners| {
                owners.entry(module).and_modify(|owner| *owner = to);
            });
            Ok(())
        },
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

/// Binary logarithm of the parts of a planck in which wealth is counted here.
const FINE: usize = 32;

fn fine(amount: Balance) -> U256 {
    U256::from(amount) << FINE
}

/// What a position is worth before it is rounded to planck.
fn fine_worth(pool: &SharePool, position: &Position) -> U256 {
    let shares = pool.shares_of(position);
    if shares == 0 {
        return U256::zero();
    }
    ((U256::from(shares) * U256::from(pool.value)) << FINE) / U256::from(pool.shares)
}

/// All that an account owns, before any of it is rounded to planck.
fn fine_wealth(who: AccountId) -> U256 {
    let of_module = |module: ModuleId| {
        let stake =
            Stakes::<Test>::get(who, module).map_or(U256::zero(), |held| fine_worth(&pool(module).active, &held));
        let moved = Moves::<Test>::get(who, module).map_or(U256::zero(), |moved| {
            let due = fine(Stake::slashed_at_source(&moved, &pool(moved.from)));
            fine_worth(&pool(module).active, &moved.position).saturating_sub(due)
        });
        let unbondings = Unbondings::<Test>::get(who, module).into_iter();
        unbondings.fold(stake + moved, |sum, entry| sum + fine_worth(&pool(module).unbonding, &entry.position))
    };
    MODULES.into_iter().fold(fine(free(who)), |sum, module| sum + of_module(module))
}

/// What a slash of a module can take a part of, in planck, rounded up.
fn liable(who: AccountId, module: ModuleId) -> Balance {
    let here = Stakes::<Test>::get(who, module).map_or(0, |held| pool(module).active.worth(&held) + 1);
    let moved_here = Moves::<Test>::get(who, module).map_or(0, |moved| pool(module).active.worth(&moved.position) + 1);
    let moved_away = Moves::<Test>::iter_prefix_values(who).filter(|moved| moved.from == module);
    let away: Balance = moved_away.map(|moved| pool(module).moved.worth(&moved.liability) + 1).sum();
    let unbondings = Unbondings::<Test>::get(who, module).len() as Balance;
    here + moved_here + away + unbonding(who, module) + unbondings
}

/// What an action may cost an account at most, in planck: a slash its part, rounded up in each pool; calls what
/// rounding takes from each position that they take out of a pool. Other people's calls may cost nothing.
fn allowance(action: &Action, who: AccountId) -> Balance {
    match *action {
        // It takes nothing out.
        Action::Stake { .. } => 0,
        // Moved stake that a slash took nearly all of; and all of the stake.
        Action::Unstake { who: actor, .. } if actor == who => 2,
        // The same, on both sides.
        Action::Move { who: actor, .. } if actor == who => 3,
        // Moved stake, stake that is worth nothing, and what is unbonded.
        Action::Withdraw { who: actor, .. } if actor == who => 3,
        Action::Slash { module, part } => Perbill::from_parts(part).mul_ceil(liable(who, module)) + 3,
        _ => 0,
    }
}

/// What a plain model knows of a module's steady stake: an epoch, and the least that it saw staked in it.
#[derive(Clone, Copy)]
struct Least {
    epoch: BlockNumber,
    staked: Balance,
}

impl Least {
    fn see(&mut self, module: ModuleId) {
        let (epoch, staked) = (System::block_number() / EPOCH, pool(module).active.value);
        let before = if self.epoch == epoch { self.staked } else { Balance::MAX };
        *self = Self { epoch, staked: before.min(staked) };
        assert_eq!(steady(module), self.staked, "the steady stake of {module}");
    }
}

/// Shares are rounded even where nothing is taken out, to less than this part of a planck (binary logarithm).
const FINEST: usize = 12;

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
            let mut least = MODULES.map(|module| (module, Least { epoch: 0, staked: 0 }));
            for action in actions {
                let before = ACCOUNTS.map(|who| (who, fine_wealth(who), allowance(&action, who)));
                let done = act(&action);
                check_state();
                for who in ACCOUNTS {
                    let in_pools = MODULES.map(|module| staked(who, module) + unbonding(who, module));
                    assert_eq!(Stake::owned_by(&who), in_pools.iter().sum::<Balance>(), "what {who} owns in pools");
                }
                least.iter_mut().for_each(|(module, least)| least.see(*module));
                for (who, before, allowance) in before {
                    let after = fine_wealth(who);
                    if !done {
                        assert_eq!(after, before, "{action:?} failed and changed {who}");
                        continue;
                    }
                    let loss = before.saturating_sub(after);
                    let most = fine(allowance) + (U256::one() << (FINE - FINEST));
                    assert!(loss <= most, "{who} loses {} / 2^{FINE} planck by {action:?}", before - after);
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
