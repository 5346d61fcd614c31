//! What names cost. Plain numbers, no storage.
//!
//! The price of a name is `base(length) * demand`. The base doubles with every byte that a name is shorter than
//! [`FULL_LENGTH`]. Demand is 1 on a quiet chain; every registration multiplies it by a factor, so that who buys many
//! names pays exponentially more for each, and what it is above 1 decays exponentially with every block:
//! `1 + (demand - 1) * decay^blocks`. The power is computed by squaring (Knuth, The Art of Computer Programming, vol. 2,
//! 4.6.3, algorithm A), in at most 32 steps however many blocks have passed.

use codec::{Decode, Encode, MaxEncodedLen};
use ensemble_core::modules::Quote;
use scale_info::TypeInfo;
use sp_runtime::{
    traits::{One, Saturating, Zero},
    FixedPointNumber, FixedU128, Permill,
};

use crate::Balance;

/// Names with this many bytes or more cost the same.
pub const FULL_LENGTH: usize = 8;

/// How prices are made.
#[derive(Clone, Copy, Debug, Decode, Encode, Eq, PartialEq, TypeInfo)]
pub struct Curve {
    /// Price of a long name on a quiet chain, in planck.
    pub base: Balance,
    /// The part of every price that is a deposit, less than all; the rest is burnt.
    pub deposit: Permill,
    /// The factor by which a registration raises demand, above 1.
    pub growth: FixedU128,
    /// The part of demand above 1 that is left after a block, below 1.
    pub decay: FixedU128,
    /// The most that demand can be, above 1.
    pub cap: FixedU128,
}

/// How many names were registered lately, as a factor of their price.
#[derive(Clone, Copy, Debug, Decode, Encode, Eq, MaxEncodedLen, PartialEq, TypeInfo)]
pub struct Demand<BlockNumber> {
    /// The factor, at least 1, after the last registration.
    pub factor: FixedU128,
    /// Block of the last registration.
    pub at: BlockNumber,
}

impl<BlockNumber: Zero> Default for Demand<BlockNumber> {
    fn default() -> Self {
        Self { factor: One::one(), at: Zero::zero() }
    }
}

impl Curve {
    /// What is wrong with this curve, if anything is.
    pub fn fault(&self) -> Option<&'static str> {
        let one = FixedU128::one();
        match self {
            curve if curve.base.is_zero() => Some("names must cost something"),
            curve if curve.deposit.is_one() => Some("a part of the price must be burnt"),
            curve if curve.growth <= one => Some("a registration must raise the price"),
            curve if curve.decay >= one => Some("demand must decay"),
            curve if curve.cap <= one => Some("demand must be able to rise"),
            _ => None,
        }
    }

    /// The price of a name of `length` bytes on a quiet chain, in planck.
    pub fn base(&self, length: usize) -> Balance {
        let doublings = u32::try_from(FULL_LENGTH.saturating_sub(length)).unwrap_or(u32::MAX);
        self.base.saturating_mul(2u128.saturating_pow(doublings))
    }

    /// Demand after `blocks` blocks without a registration.
    pub fn decayed(&self, factor: FixedU128, blocks: u32) -> FixedU128 {
        let excess = factor.saturating_sub(One::one());
        // The exponent is read as 32 bits, whatever the machine's `usize`.
        let left = usize::try_from(blocks).map_or(Zero::zero(), |blocks| self.decay.saturating_pow(blocks));
        FixedU128::one().saturating_add(excess.saturating_mul(left))
    }

    /// Demand after a registration.
    pub fn raised(&self, factor: FixedU128) -> FixedU128 {
        factor.saturating_mul(self.growth).min(self.cap)
    }

    /// What a name of `length` bytes costs, by parts.
    pub fn quote(&self, length: usize, factor: FixedU128) -> Quote<Balance> {
        let price = factor.saturating_mul_int(self.base(length));
        let deposit = self.deposit.mul_ceil(price);
        Quote { deposit, burn: price.saturating_sub(deposit) }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const TUNE: Balance = 1_000_000_000_000;

    /// 2 % more with each registration; half of the excess is left after about 28,800 blocks.
    fn curve() -> Curve {
        Curve {
            base: TUNE,
            deposit: Permill::from_percent(50),
            growth: FixedU128::saturating_from_rational(102, 100),
            decay: FixedU128::saturating_from_rational(999_975_932u64, 1_000_000_000u64),
            cap: FixedU128::saturating_from_integer(1_000),
        }
    }

    fn price(length: usize, factor: FixedU128) -> Balance {
        let quote = curve().quote(length, factor);
        quote.deposit + quote.burn
    }

    #[test]
    fn short_names_cost_more() {
        assert_eq!(price(1, One::one()), 128 * TUNE);
        assert_eq!(price(4, One::one()), 16 * TUNE);
        assert_eq!(price(7, One::one()), 2 * TUNE);
        assert_eq!(price(8, One::one()), TUNE);
        assert_eq!(price(64, One::one()), TUNE);
        assert_eq!(price(0, One::one()), 256 * TUNE);
    }

    #[test]
    fn squatting_grows_exponentially() {
        let mut factor = FixedU128::one();
        let mut total = 0;
        for _ in 0..300 {
            total += price(8, factor);
            factor = curve().raised(factor);
        }
        // The sum of 1.02^i for i below 300, worked out with Python, is 18,961.7 names' worth.
        assert_eq!(total / TUNE, 18_961);
        for _ in 0..100 {
            factor = curve().raised(factor);
        }
        assert_eq!(factor, curve().cap);
    }

    #[test]
    fn demand_halves_in_the_half_life() {
        let three = FixedU128::saturating_from_integer(3);
        let later = curve().decayed(three, 28_800);
        // 0.999975932^28800 is 0.499990..., worked out with Python.
        assert!((1.9999..2.0001).contains(&later.to_float()), "{later:?}");
        assert_eq!(curve().decayed(three, 0), three);
        assert_eq!(curve().decayed(three, u32::MAX), FixedU128::one());
    }

    #[test]
    fn a_faulty_curve_says_so() {
        assert_eq!(curve().fault(), None);
        assert!(Curve { base: 0, ..curve() }.fault().is_some());
        assert!(Curve { deposit: Permill::one(), ..curve() }.fault().is_some());
        assert!(Curve { growth: One::one(), ..curve() }.fault().is_some());
        assert!(Curve { decay: One::one(), ..curve() }.fault().is_some());
        assert!(Curve { cap: One::one(), ..curve() }.fault().is_some());
    }

    fn any_factor() -> impl Strategy<Value = FixedU128> {
        (1_000_000_000_000_000_000u128..=1_000_000_000_000_000_000_000).prop_map(FixedU128::from_inner)
    }

    /// What roundings of 32 squarings can make of a factor of at most 1,000.
    fn about(one: FixedU128, two: FixedU128) -> bool {
        let difference = if one > two { one - two } else { two - one };
        difference < FixedU128::saturating_from_rational(1, 1_000_000u32)
    }

    proptest! {
        #[test]
        fn demand_stays_in_its_bounds(factor in any_factor(), blocks in any::<u32>()) {
            let later = curve().decayed(factor, blocks);
            prop_assert!(later >= FixedU128::one() && later <= factor);
            prop_assert!(curve().raised(factor) <= curve().cap);
            prop_assert!(curve().raised(factor) >= factor);
        }

        /// Registering in between neither slows nor speeds the decay of what was there.
        #[test]
        fn decay_does_not_depend_on_when_one_looks(factor in any_factor(), a in 0u32..1_000_000, b in 0u32..1_000_000) {
            let in_two_steps = curve().decayed(curve().decayed(factor, a), b);
            prop_assert!(about(in_two_steps, curve().decayed(factor, a + b)));
        }

        #[test]
        fn prices_fall_with_length_and_time(
            factor in any_factor(), length in 0usize..100, blocks in any::<u32>(), more in 1u32..100_000,
        ) {
            prop_assert!(price(length + 1, factor) <= price(length, factor));
            let (soon, late) = (curve().decayed(factor, blocks), curve().decayed(factor, blocks.saturating_add(more)));
            prop_assert!(late <= soon || about(late, soon));
        }

        #[test]
        fn the_parts_are_the_price(factor in any_factor(), length in 0usize..100, base in any::<Balance>(), part in 0u32..=1_000_000) {
            let curve = Curve { base, deposit: Permill::from_parts(part), ..curve() };
            let quote = curve.quote(length, factor);
            prop_assert_eq!(quote.deposit.checked_add(quote.burn), Some(factor.saturating_mul_int(curve.base(length))));
        }
    }
}
