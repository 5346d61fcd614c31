//! Paying all who own shares with one write. Plain numbers, no storage.
//!
//! What is paid in raises what each share ever earned. An account is due what its shares earned since it was last paid,
//! rounded down; so all together are never due more than was paid in. What rounding leaves stays until the last one is
//! paid out.

use codec::{Decode, Encode, MaxEncodedLen};
use scale_info::TypeInfo;
use sp_core::U256;

use crate::Balance;

/// Binary logarithm of the parts of a planck in which the earnings of a share are counted.
///
/// An amount has 128 bits, so that these leave 32 to spare in a number of 256.
const FINE: usize = 96;

/// What shares earned.
#[derive(Clone, Copy, Debug, Decode, Default, Encode, Eq, MaxEncodedLen, PartialEq, TypeInfo)]
pub struct Income {
    /// What a share ever earned, in 2^-96 planck.
    pub per_share: U256,
    /// What was paid in and not paid out yet, in planck.
    pub owed: Balance,
}

impl Income {
    /// Pays `amount` to `shares`. False, and nothing changed, if there are none or if it is too much for a number.
    #[must_use]
    pub fn pay_in(&mut self, amount: Balance, shares: Balance) -> bool {
        let earned = (U256::from(amount) << FINE).checked_div(U256::from(shares));
        let per_share = earned.and_then(|earned| self.per_share.checked_add(earned));
        let (Some(per_share), Some(owed)) = (per_share, self.owed.checked_add(amount)) else { return false };
        *self = Self { per_share, owed };
        true
    }

    /// What `shares` are due that were last paid when a share had earned `since`, in planck.
    pub fn due(&self, shares: Balance, since: U256) -> Balance {
        let earned = self.per_share.saturating_sub(since).saturating_mul(U256::from(shares)) >> FINE;
        u128::try_from(earned).unwrap_or(self.owed).min(self.owed)
    }

    /// Notes what was paid out.
    pub fn pay_out(&mut self, amount: Balance) {
        self.owed = self.owed.saturating_sub(amount);
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn everyone_is_due_its_part_of_what_came_while_it_was_there() {
        let mut income = Income::default();
        assert!(income.pay_in(900, 3));
        let late = income.per_share;
        assert!(income.pay_in(400, 4));
        assert_eq!((income.due(1, U256::zero()), income.due(2, U256::zero()), income.due(1, late)), (400, 800, 100));
        income.pay_out(400);
        assert_eq!(income.owed, 900);
    }

    #[test]
    fn without_shares_nothing_is_paid_in() {
        let mut income = Income::default();
        assert!(!income.pay_in(1, 0));
        assert_eq!(income, Income::default());
        assert!(income.pay_in(Balance::MAX, 1));
        assert!(!income.pay_in(1, 1));
        assert_eq!(income.due(1, U256::zero()), Balance::MAX);
    }

    /// What an account does: it changes its shares, or somebody pays in.
    #[derive(Clone, Debug)]
    enum Step {
        Hold { who: usize, shares: Balance },
        Pay { amount: Balance },
    }

    fn any_step() -> impl Strategy<Value = Step> {
        prop_oneof![
            (0usize..4, prop_oneof![0u128..5, 0u128..1_000_000_000_000])
                .prop_map(|(who, shares)| Step::Hold { who, shares }),
            prop_oneof![0u128..10, 0u128..1 << 80].prop_map(|amount| Step::Pay { amount }),
        ]
    }

    proptest! {
        #[test]
        fn all_together_are_due_what_was_paid_in_but_for_rounding(steps in prop::collection::vec(any_step(), 1..60)) {
            let mut income = Income::default();
            let mut held = [(0u128, U256::zero()); 4];
            let mut lost = 0u128;
            for step in steps {
                match step {
                    Step::Hold { who, shares } => {
                        let due = income.due(held[who].0, held[who].1);
                        income.pay_out(due);
                        held[who] = (shares, income.per_share);
                        lost += 1;
                    },
                    Step::Pay { amount } => {
                        let before: Vec<_> = held.iter().map(|(shares, since)| income.due(*shares, *since)).collect();
                        let total = held.iter().map(|(shares, _)| shares).sum();
                        let paid = income.pay_in(amount, total);
                        prop_assert_eq!(paid, total > 0);
                        for ((shares, since), before) in held.iter().zip(before) {
                            let earned = income.due(*shares, *since) - before;
                            let part = if paid { U256::from(amount) * U256::from(*shares) / U256::from(total) } else { U256::zero() };
                            prop_assert!(U256::from(earned) <= part + 1 && U256::from(earned) + 1 >= part);
                        }
                        lost += 1;
                    },
                }
                let due: Balance = held.iter().map(|(shares, since)| income.due(*shares, *since)).sum();
                prop_assert!(due <= income.owed);
                prop_assert!(income.owed - due <= lost + 4, "{} of {} are nobody's", income.owed - due, income.owed);
            }
        }
    }
}
