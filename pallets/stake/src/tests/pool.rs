//! The mathematics of share pools, against exact fractions.

use proptest::prelude::*;
use sp_core::{U256, U512};
use sp_runtime::{FixedPointNumber, FixedU128, Perbill};

use crate::{
    pool::{Position, SharePool, MAX_VALUE},
    Balance,
};

fn percent(percent: u32) -> Perbill {
    Perbill::from_percent(percent)
}

#[test]
fn one_holder_owns_all() {
    let mut pool = SharePool::default();
    let position = pool.open(1_000).unwrap();
    assert_eq!(pool.worth(&position), 1_000);
    pool.grow(333).unwrap();
    assert_eq!(pool.worth(&position), 1_333);
    assert_eq!(pool.cut(percent(10)), 134, "a slash is rounded up");
    assert_eq!(pool.close(position), 1_199);
    assert_eq!(pool, SharePool::default());
}

#[test]
fn two_holders_share_in_proportion() {
    let mut pool = SharePool::default();
    let (one, two) = (pool.open(1_000).unwrap(), pool.open(3_000).unwrap());
    pool.grow(400).unwrap();
    assert_eq!((pool.worth(&one), pool.worth(&two)), (1_100, 3_300));
    pool.cut(percent(50));
    assert_eq!((pool.worth(&one), pool.worth(&two)), (550, 1_650));
    let three = pool.open(550).unwrap();
    assert_eq!((pool.worth(&one), pool.worth(&two), pool.worth(&three)), (550, 1_650, 550));
}

#[test]
fn taking_more_than_all_takes_all() {
    let mut pool = SharePool::default();
    let (one, two) = (pool.open(1_000).unwrap(), pool.open(1_000).unwrap());
    assert_eq!(pool.take(one, 1_001), (1_000, None));
    let (taken, left) = pool.take(two, 999);
    assert_eq!((taken, left.map(|left| pool.worth(&left))), (999, Some(1)));
}

#[test]
fn a_slash_of_everything_begins_anew() {
    let mut pool = SharePool::default();
    let (one, two) = (pool.open(1_000).unwrap(), pool.open(1_000).unwrap());
    assert_eq!(pool.cut(percent(100)), 2_000);
    assert_eq!((pool.worth(&one), pool.holders, pool.stale), (0, 0, 2));
    assert_eq!(pool.grow(5), None, "nobody is there to receive it");

    let three = pool.open(500).unwrap();
    assert_eq!((pool.worth(&one), pool.worth(&two), pool.worth(&three)), (0, 0, 500));
    let one = pool.add(&one, 100).unwrap();
    assert_eq!(pool.worth(&one), 100);
    assert_eq!((pool.holders, pool.stale), (2, 1));
    assert_eq!(pool.close(two), 0);
    assert_eq!((pool.close(one), pool.close(three)), (100, 500));
    assert!(pool.is_unused());
}

#[test]
fn worthless_positions_survive_the_pool_being_empty() {
    let mut pool = SharePool::default();
    let stale = pool.open(1_000).unwrap();
    pool.cut(percent(100));
    let live = pool.open(500).unwrap();
    pool.close(live);
    assert!(!pool.is_unused());
    let next = pool.open(700).unwrap();
    assert_eq!((pool.worth(&stale), pool.worth(&next)), (0, 700));
}

#[test]
fn joins_positions_of_any_age() {
    let mut pool = SharePool::default();
    let (one, two) = (pool.open(1_000).unwrap(), pool.open(3_000).unwrap());
    let both = pool.join(one, two);
    assert_eq!((pool.worth(&both), pool.holders), (4_000, 1));
    pool.cut(percent(100));
    let fresh = pool.open(10).unwrap();
    assert_eq!(pool.join(both, fresh), fresh);
    assert_eq!((pool.holders, pool.stale), (1, 0));
    pool.cut(percent(100));
    let other = pool.open(20).unwrap();
    assert_eq!(pool.join(other, fresh), other);
    assert_eq!((pool.holders, pool.stale), (1, 0));
}

#[test]
fn holds_no_more_than_it_can_count() {
    let mut pool = SharePool::default();
    assert_eq!(pool.open(MAX_VALUE + 1), None);
    let position = pool.open(MAX_VALUE).unwrap();
    assert_eq!(pool.add(&position, 1), None);
    assert_eq!(pool.open(1), None);
    assert_eq!(pool.grow(1), None);
    assert_eq!(pool.add(&position, Balance::MAX), None);
    assert_eq!(pool.worth(&position), MAX_VALUE);
}

/// Somebody owns nearly nothing of a pool and makes it worth a fortune, so that a share costs more than the next one
/// brings. With shares counted in planck, the victim would lose almost half.
#[test]
fn the_first_depositor_takes_nothing() {
    let mut pool = SharePool::default();
    let attacker = pool.open(1).unwrap();
    pool.grow(1_000_000_000_000).unwrap();
    let victim = pool.open(1_500_000_000_000).unwrap();
    assert!(pool.worth(&victim) >= 1_499_999_999_999);
    assert_eq!(pool.worth(&attacker), 1_000_000_000_001);
    assert!(pool.unit.splits > 0);
}

/// The same, again and again: each time the attacker takes nearly everything out and makes shares dearer.
#[test]
fn dear_shares_do_not_become_dearer_than_a_planck() {
    let mut pool = SharePool::default();
    let mut attacker = pool.open(100).unwrap();
    for _ in 0..50 {
        pool.grow(1 << 60).unwrap();
        let worth = pool.worth(&attacker);
        attacker = pool.take(attacker, worth - 1).1.unwrap();
        assert!(pool.is_sound());
    }
    let victim = pool.open(12_345).unwrap();
    assert!(pool.worth(&victim) >= 12_344);
}

#[test]
fn cheap_shares_do_not_overflow() {
    let mut pool = SharePool::default();
    let mut holders = vec![pool.open(MAX_VALUE / 2).unwrap()];
    for round in 0..200 {
        pool.cut(Perbill::from_parts(999_999_999));
        assert!(pool.is_sound(), "round {round}");
        let fresh = pool.open(MAX_VALUE / 2).unwrap();
        assert!(pool.worth(&fresh) + 1 >= MAX_VALUE / 2);
        holders.push(fresh);
    }
    let all: Balance = holders.iter().map(|position| pool.worth(position)).sum();
    assert!(all <= pool.value);
}

#[test]
fn price_follows_rewards_and_slashes_across_splits() {
    let mut pool = SharePool::default();
    assert_eq!(pool.price(), FixedU128::from_u32(1));
    pool.open(1_000).unwrap();
    assert_eq!(pool.price(), FixedU128::from_u32(1));
    pool.grow(500).unwrap();
    assert_eq!(pool.price(), FixedU128::from_rational(3, 2));
    pool.grow(1_500_000_000_000_000 - 1_500).unwrap();
    assert!(pool.unit.splits > 0);
    assert_eq!(pool.price(), FixedU128::saturating_from_integer(1_500_000_000_000u64));
    for _ in 0..5 {
        pool.cut(Perbill::from_parts(999_000_000));
    }
    // Each slash is rounded up: 1,500,000,000,000,000 planck become 1.
    assert_eq!(pool.price(), FixedU128::from_rational(1, 1_000));
}

#[test]
fn price_of_nearly_nothing_is_a_number() {
    let mut pool = SharePool::default();
    let mut position = pool.open(MAX_VALUE).unwrap();
    for _ in 0..10 {
        pool.cut(Perbill::from_parts(999_999_000));
        assert!(pool.price() < FixedU128::from_rational(1, 100_000));
        pool.grow(MAX_VALUE - pool.value).unwrap();
        position = pool.take(position, MAX_VALUE / 1_000_000).1.unwrap();
        // Who stays is paid a millionth each round for what was taken out.
        assert!(pool.price() >= FixedU128::from_rational(999_999, 1_000_000));
        assert!(pool.price() <= FixedU128::from_rational(1_000_011, 1_000_000));
    }
}

/// Something that happens to a pool with a few holders.
#[derive(Clone, Debug)]
enum Action {
    Put { who: usize, amount: Balance },
    Take { who: usize, parts: u32 },
    Close { who: usize },
    Join { one: usize, other: usize },
    Grow { amount: Balance },
    Cut { part: u32 },
}

/// Amounts of all magnitudes.
fn any_amount() -> impl Strategy<Value = Balance> {
    (0u32..70).prop_flat_map(|bits| (1u128 << bits)..=(1u128 << (bits + 1)))
}

fn any_action() -> impl Strategy<Value = Action> {
    let who = 0usize..5;
    prop_oneof![
        4 => (who.clone(), any_amount()).prop_map(|(who, amount)| Action::Put { who, amount }),
        3 => (who.clone(), 0u32..1_000_000).prop_map(|(who, parts)| Action::Take { who, parts }),
        1 => who.clone().prop_map(|who| Action::Close { who }),
        1 => (who.clone(), who).prop_map(|(one, other)| Action::Join { one, other }),
        3 => any_amount().prop_map(|amount| Action::Grow { amount }),
        2 => (0u32..=1_000_000_000).prop_map(|part| Action::Cut { part }),
        1 => (999_000_000u32..=1_000_000_000).prop_map(|part| Action::Cut { part }),
    ]
}

/// A position's exact worth, times the returned denominator.
fn exact(pool: &SharePool, position: Option<Position>) -> (U512, U512) {
    let shares = position.map_or(0, |position| pool.shares_of(&position));
    (U512::from(shares) * U512::from(pool.value), U512::from(pool.shares.max(1)))
}

/// Whether `a + more <= b + allowance`, for exact worths.
fn at_most(a: (U512, U512), more: Balance, b: (U512, U512), allowance: Balance) -> bool {
    let left = (a.0 + U512::from(more) * a.1) * b.1;
    let right = (b.0 + U512::from(allowance) * b.1) * a.1;
    left <= right
}

type Holders = [Option<Position>; 5];

/// Does it, and returns who acted, what it put in and what it took out.
fn act(pool: &mut SharePool, holders: &mut Holders, action: &Action) -> (Option<usize>, Balance, Balance) {
    match *action {
        Action::Put { who, amount } => {
            let position = match holders[who] {
                Some(position) => pool.add(&position, amount),
                None => pool.open(amount),
            };
            let Some(position) = position else { return (Some(who), 0, 0) };
            holders[who] = Some(position);
            (Some(who), amount, 0)
        },
        Action::Take { who, parts } => {
            let Some(position) = holders[who] else { return (None, 0, 0) };
            let amount = pool.worth(&position) * u128::from(parts) / 1_000_000;
            let (taken, left) = pool.take(position, amount);
            holders[who] = left;
            (Some(who), 0, taken)
        },
        Action::Close { who } => {
            let Some(position) = holders[who].take() else { return (None, 0, 0) };
            (Some(who), 0, pool.close(position))
        },
        Action::Join { one, other } => {
            if let (true, Some(a), Some(b)) = (one != other, holders[one], holders[other]) {
                holders[one] = Some(pool.join(a, b));
                holders[other] = None;
            }
            (None, 0, 0)
        },
        Action::Grow { amount } => {
            let grown = pool.grow(amount);
            (None, 0, grown.map_or(0, |()| amount))
        },
        Action::Cut { part } => (None, 0, pool.cut(Perbill::from_parts(part))),
    }
}

/// A pool counts what is there, and pays all of its holders.
fn assert_sound(pool: &SharePool, holders: &Holders) {
    assert!(pool.is_sound(), "{pool:?}");
    let all: Vec<_> = holders.iter().flatten().collect();
    let stale = all.iter().filter(|position| pool.is_stale(position)).count() as u64;
    assert_eq!((pool.holders, pool.stale), (all.len() as u64 - stale, stale));
    let shares: u128 = all.iter().map(|position| pool.shares_of(position)).sum();
    assert!(shares <= pool.shares);
    let worth: Balance = all.iter().map(|position| pool.worth(position)).sum();
    assert!(worth <= pool.value);
}

/// Shares that belong to nobody, because of rounding.
fn ownerless(pool: &SharePool, holders: &Holders) -> U256 {
    let owned: u128 = holders.iter().flatten().map(|position| pool.shares_of(position)).sum();
    U256::from(pool.shares - owned)
}

/// As many shares as `shares` were before.
fn converted(shares: U256, before: &SharePool, after: &SharePool) -> U256 {
    let bits = after.unit.splits.abs_diff(before.unit.splits) as usize * 16;
    if after.unit.splits >= before.unit.splits {
        shares << bits
    } else {
        shares >> bits
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 2_000, ..Default::default() })]

    /// Nobody takes from another by rounding, and what rounding costs oneself is less than a planck per operation.
    #[test]
    fn rounding_is_no_money(actions in prop::collection::vec(any_action(), 1..60)) {
        let (mut pool, mut holders) = (SharePool::default(), Holders::default());
        for action in actions {
            let (old, old_holders) = (pool, holders);
            let (actor, put, taken) = act(&mut pool, &mut holders, &action);
            assert_sound(&pool, &holders);
            if matches!(action, Action::Join { .. }) {
                let both = |pool: &SharePool, holders: &Holders| -> Balance {
                    holders.iter().flatten().map(|position| pool.worth(position)).sum()
                };
                prop_assert!(both(&pool, &holders).abs_diff(both(&old, &old_holders)) <= 1);
                continue;
            }
            if matches!(action, Action::Cut { .. }) {
                prop_assert_eq!(pool.value + taken, old.value);
                continue;
            }
            for who in 0..holders.len() {
                let (before, after) = (exact(&old, old_holders[who]), exact(&pool, holders[who]));
                if actor != Some(who) {
                    // Others lose nothing by it, up to the shares of a position that are split or joined.
                    prop_assert!(at_most(before, 0, after, 1), "{who} loses by {action:?}");
                    if actor.is_some() {
                        prop_assert!(pool.worth_or_zero(holders[who]) + 1 >= old.worth_or_zero(old_holders[who]));
                    }
                } else if holders[who].is_some() {
                    prop_assert!(at_most(after, taken, (before.0 + U512::from(put) * before.1, before.1), 0), "{who} gains by {action:?}");
                    prop_assert!(at_most((before.0 + U512::from(put) * before.1, before.1), 0, (after.0 + U512::from(taken) * after.1, after.1), 1));
                }
            }
        }
    }

    /// Each operation makes at most a share of each position ownerless, and one more. There are at least 2^16 of them
    /// to a planck.
    #[test]
    fn next_to_nothing_belongs_to_nobody(actions in prop::collection::vec(any_action(), 1..60)) {
        let (mut pool, mut holders) = (SharePool::default(), Holders::default());
        for action in actions {
            let (old, before) = (pool, ownerless(&pool, &holders));
            act(&mut pool, &mut holders, &action);
            let after = ownerless(&pool, &holders);
            if pool.holders == 0 {
                prop_assert!(after.is_zero());
            } else if pool.unit.splits < old.unit.splits {
                prop_assert!(after <= converted(before, &old, &pool) + 6, "{action:?} leaves {after} shares");
            } else {
                prop_assert!(after <= converted(before + 6, &old, &pool), "{action:?} leaves {after} shares");
            }
        }
    }

    /// Whoever leaves is paid what its position was worth; the last one also gets what rounding left.
    #[test]
    fn everybody_is_paid_and_nothing_remains(actions in prop::collection::vec(any_action(), 1..60)) {
        let (mut pool, mut holders) = (SharePool::default(), Holders::default());
        for action in actions {
            act(&mut pool, &mut holders, &action);
        }
        let mut paid = 0;
        let value = pool.value;
        for position in holders.iter_mut().filter_map(Option::take) {
            let worth = pool.worth(&position);
            let last = pool.holders == 1 && !pool.is_stale(&position);
            let got = pool.close(position);
            let paid_enough = if last { got >= worth } else { got == worth };
            prop_assert!(paid_enough, "{got} paid for {worth}");
            paid += got;
        }
        prop_assert_eq!(paid, value);
        prop_assert!(pool.is_unused());
    }

    /// A reward and a slash change all positions by the same fraction, up to rounding.
    #[test]
    fn rewards_and_slashes_are_in_proportion(
        amounts in prop::collection::vec(any_amount(), 1..20),
        reward in any_amount(),
        part in 0u32..=1_000_000_000,
    ) {
        let mut pool = SharePool::default();
        let positions: Vec<_> = amounts.iter().map(|amount| pool.open(*amount).unwrap()).collect();
        let all: Balance = amounts.iter().sum();
        pool.grow(reward).unwrap();
        let grown: Vec<_> = positions.iter().map(|position| pool.worth(position)).collect();
        for (amount, worth) in amounts.iter().zip(&grown) {
            let exact = U256::from(*amount) * U256::from(all + reward) / U256::from(all);
            // A position is short of less than a share, of which there were 2^16 to a planck at least; the reward made
            // that dearer.
            let allowance = U256::from(2) + ((U256::from(all + reward) / U256::from(all)) >> 15);
            prop_assert!(U256::from(*worth) <= exact && U256::from(*worth) + allowance >= exact);
        }
        let before = pool.value;
        let taken = pool.cut(Perbill::from_parts(part));
        prop_assert!(taken.abs_diff((U256::from(before) * U256::from(part) / U256::from(1_000_000_000u32)).as_u128()) <= 1);
        for (before_cut, position) in grown.iter().zip(&positions) {
            let exact = U256::from(*before_cut) * U256::from(pool.value) / U256::from(before);
            let worth = U256::from(pool.worth(position));
            prop_assert!(worth + 1 >= exact && worth <= exact + 1);
        }
    }
}

impl SharePool {
    fn worth_or_zero(&self, position: Option<Position>) -> Balance {
        position.map_or(0, |position| self.worth(&position))
    }
}
