//! What a task pays and takes: numbers in, numbers out.
//!
//! With `n` commitments a task is worth `n * base * (1 + growth * (n - 1))`. `base` goes to every participant with a
//! valid reveal, less where it is in the minority; the rest, the growth pool, goes to the winners by weight. Every
//! division rounds down, so that what is paid never exceeds what was put aside; the remainder returns to the creator.

use ensemble_core::tasks::Terms;
use sp_runtime::{helpers_128bit::multiply_by_rational_with_rounding, Permill, Rounding};

use crate::types::Balance;

/// Shares of a contribution in all: as many as a winner of the whole weight receives.
pub const TOTAL_SHARES: Balance = 1_000_000_000_000;

/// Fewest shares of a contribution that an account can own, a millionth of all. Shares keep their owner's account in
/// existence without any deposit, so that nobody must be able to spread them over more accounts than this allows.
pub const MIN_SHARES: Balance = TOTAL_SHARES / 1_000_000;

/// How a participant stands when a task ends.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Standing {
    /// It revealed what won.
    Winner {
        /// Its weight.
        weight: Balance,
        /// The weight of all winners.
        of: Balance,
    },
    /// It revealed something else than what won.
    Minority,
    /// It did not reveal.
    Silent,
    /// It revealed, and nothing won.
    Undecided,
    /// It revealed the leader, which less than a third of the panel could have.
    Unserved,
}

/// What a participant receives and loses.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub struct Dues {
    /// Paid by the creator, in planck.
    pub reward: Balance,
    /// Taken from the bond, in planck. The rest of the bond returns.
    pub slash: Balance,
    /// Shares of the contribution.
    pub shares: Balance,
}

/// The most that a task with at most `participants` can pay, in planck; `None` if that is no amount.
pub fn worst_case(terms: &Terms<Balance>, participants: u32) -> Option<Balance> {
    let bases = terms.base.checked_mul(participants.into())?;
    // The pool is a part of at most the whole of this product, so that it does not overflow if the product does not.
    bases.checked_mul(participants.saturating_sub(1).into())?;
    bases.checked_add(growth_pool(terms, participants))
}

/// What the winners share, in planck, when `committed` accounts committed.
///
/// Exact where [`worst_case`] is an amount for at least as many participants.
pub fn growth_pool(terms: &Terms<Balance>, committed: u32) -> Balance {
    let pairs = Balance::from(committed).saturating_mul(committed.saturating_sub(1).into());
    part(terms.growth, terms.base.saturating_mul(pairs))
}

/// What a participant receives and loses that put up `bond` in a task to which `committed` accounts committed.
pub fn dues(terms: &Terms<Balance>, committed: u32, bond: Balance, standing: Standing) -> Dues {
    match standing {
        Standing::Winner { weight, of } => Dues {
            reward: terms.base.saturating_add(share(growth_pool(terms, committed), weight, of)),
            slash: 0,
            shares: share(TOTAL_SHARES, weight, of),
        },
        Standing::Minority => {
            Dues { reward: part(terms.minority_share, terms.base), slash: part(terms.minority_slash, bond), shares: 0 }
        },
        Standing::Silent => Dues { slash: bond, ..Default::default() },
        Standing::Undecided => Dues::default(),
        Standing::Unserved => Dues { slash: part(terms.minority_slash, bond), ..Default::default() },
    }
}

/// `amount * ratio`, rounded down.
fn part(ratio: Permill, amount: Balance) -> Balance {
    share(amount, ratio.deconstruct().into(), Permill::one().deconstruct().into())
}

/// `amount * weight / of`, rounded down; nothing where nobody has any weight.
fn share(amount: Balance, weight: Balance, of: Balance) -> Balance {
    multiply_by_rational_with_rounding(amount, weight.min(of), of, Rounding::Down).unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const BASE: Balance = 1_000;

    fn terms() -> Terms<Balance> {
        Terms {
            base: BASE,
            growth: Permill::from_percent(10),
            minority_share: Permill::from_percent(50),
            bond: 500,
            minority_slash: Permill::from_percent(20),
        }
    }

    #[test]
    fn the_worst_case_grows_with_participants() {
        // One: 1 * 1000. Three: 3 * 1000 * (1 + 0.1 * 2). Ten: 10 * 1000 * (1 + 0.1 * 9).
        assert_eq!(worst_case(&terms(), 1), Some(1_000));
        assert_eq!(worst_case(&terms(), 3), Some(3_600));
        assert_eq!(worst_case(&terms(), 10), Some(19_000));
        assert_eq!(worst_case(&terms(), 0), Some(0));
    }

    #[test]
    fn an_absurd_reward_is_no_amount() {
        assert_eq!(worst_case(&Terms { base: Balance::MAX, ..terms() }, 2), None);
        assert_eq!(worst_case(&Terms { base: Balance::MAX / 3, ..terms() }, 3), None);
        assert_eq!(worst_case(&Terms { base: Balance::MAX, ..terms() }, 1), Some(Balance::MAX));
    }

    #[test]
    fn three_committed_two_agree() {
        // The pool is 3 * 1000 * 0.1 * 2 = 600, two winners of equal weight have half of it each.
        let winner = dues(&terms(), 3, 500, Standing::Winner { weight: 1, of: 2 });
        assert_eq!(winner, Dues { reward: 1_300, slash: 0, shares: TOTAL_SHARES / 2 });
        let minority = dues(&terms(), 3, 500, Standing::Minority);
        assert_eq!(minority, Dues { reward: 500, slash: 100, shares: 0 });
    }

    #[test]
    fn growth_follows_weight_and_base_does_not() {
        // The pool is 2 * 1000 * 0.1 * 1 = 200, weights 7000 and 3000.
        let heavy = dues(&terms(), 2, 7_000, Standing::Winner { weight: 7_000, of: 10_000 });
        let light = dues(&terms(), 2, 3_000, Standing::Winner { weight: 3_000, of: 10_000 });
        assert_eq!((heavy.reward, light.reward), (1_140, 1_060));
        assert_eq!((heavy.shares, light.shares), (700_000_000_000, 300_000_000_000));
    }

    #[test]
    fn without_a_winner_only_silence_and_an_unserved_leader_cost() {
        assert_eq!(dues(&terms(), 3, 500, Standing::Silent), Dues { slash: 500, ..Default::default() });
        assert_eq!(dues(&terms(), 3, 500, Standing::Undecided), Dues::default());
        assert_eq!(dues(&terms(), 3, 500, Standing::Unserved), Dues { slash: 100, ..Default::default() });
    }

    #[test]
    fn nobody_divides_by_no_weight() {
        let winner = dues(&terms(), 3, 500, Standing::Winner { weight: 0, of: 0 });
        assert_eq!(winner, Dues { reward: BASE, ..Default::default() });
    }

    fn any_terms() -> impl Strategy<Value = Terms<Balance>> {
        let ratio = || (0..=1_000_000u32).prop_map(Permill::from_parts);
        (0..=10u128.pow(24), ratio(), ratio(), ratio(), 0..=10u128.pow(24)).prop_map(
            |(base, growth, minority_share, minority_slash, bond)| Terms {
                base,
                growth,
                minority_share,
                bond,
                minority_slash,
            },
        )
    }

    proptest! {
        /// However a task ends, its payments stay within what was put aside, and its shares within their total.
        #[test]
        fn payments_are_covered(
            terms in any_terms(),
            winners in prop::collection::vec(1..=10u128.pow(24), 1..64),
            minority in 0u32..64,
            silent in 0u32..64,
            spare in 0u32..64,
        ) {
            let committed = u32::try_from(winners.len()).unwrap() + minority + silent;
            let covered = worst_case(&terms, committed + spare).unwrap();
            let of = winners.iter().sum();
            let paid = winners.iter().map(|&weight| dues(&terms, committed, weight, Standing::Winner { weight, of }));
            let (rewards, shares) = paid.fold((0, 0), |sum, due| (sum.0 + due.reward, sum.1 + due.shares));
            let consolation = dues(&terms, committed, terms.bond, Standing::Minority).reward * Balance::from(minority);
            prop_assert!(rewards + consolation <= covered);
            prop_assert!(shares <= TOTAL_SHARES);
            // What rounding down leaves over is less than one unit per winner.
            prop_assert!(TOTAL_SHARES - shares < winners.len() as Balance);
        }

        /// Nobody loses more than the bond.
        #[test]
        fn slashes_are_covered(terms in any_terms(), bond: Balance) {
            for standing in [Standing::Minority, Standing::Silent, Standing::Undecided, Standing::Unserved] {
                prop_assert!(dues(&terms, 3, bond, standing).slash <= bond);
            }
        }

        /// Whoever winds up with the same weight in more accounts has the same part of the pool, but for rounding.
        #[test]
        fn splitting_a_weight_gains_no_part_of_a_pool(
            pool in 0..=10u128.pow(24),
            (a, b, others) in (1..=10u128.pow(24), 1..=10u128.pow(24), 0..=10u128.pow(24)),
        ) {
            let of = a + b + others;
            let (whole, split) = (share(pool, a + b, of), share(pool, a, of) + share(pool, b, of));
            prop_assert!(split <= whole && whole - split <= 1);
        }
    }
}
