//! What calls cost. Plain numbers, no storage.
//!
//! A call burns `base * (1 + factor * score) * intensity / 1000`: the better a module is and the more a call takes, the
//! more. With the figures of the chain, base 10 TUNE and factor 2, a plain call of a module with score 0.7 burns 24 TUNE
//! and of a perfect one 30.
//!
//! Who pays the owner instead burns a toll beside the price: [`Tariff::toll`] of what the calls would burn, and at
//! least of the price where that is in TUNE. What an asset is worth in TUNE the chain does not know; what the calls
//! would burn it does. So usage costs as much however it is paid, also an owner that buys from itself under another
//! name; and as usage is counted in intensity, to call it a small one makes it no cheaper.

use ensemble_core::market::{Cost, Offer};
use sp_runtime::{traits::One, FixedPointNumber, FixedU128, Permill, Saturating};

use crate::{types::PLAIN, Balance};

/// What the market takes, for all modules.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct Tariff {
    /// What a plain call of a module without merit burns, in planck.
    pub base: Balance,
    /// By how much more a call burns of a module with a score of one, as a part of `base`.
    pub factor: FixedU128,
    /// The part that is burnt where the owner is paid.
    pub toll: Permill,
}

impl Tariff {
    /// What calls of this intensity burn, in planck, of a module with this score.
    pub fn burn(&self, score: Permill, intensity: u32, calls: u32) -> Balance {
        let merit = FixedU128::saturating_from_rational(score.deconstruct(), Permill::one().deconstruct());
        let quality = FixedU128::one().saturating_add(self.factor.saturating_mul(merit));
        let load = FixedU128::saturating_from_rational(intensity, PLAIN);
        quality.saturating_mul(load).saturating_mul_int(self.base).saturating_mul(calls.into())
    }

    /// What calls cost by an offer. What is too much for a number costs the highest one.
    pub fn cost(&self, offer: &Offer<Balance>, score: Permill, intensity: u32, calls: u32) -> Cost<Balance> {
        let burn = self.burn(score, intensity, calls);
        let way = offer.way();
        let total = |price: Balance| price.saturating_mul(calls.into());
        match *offer {
            Offer::Burn => Cost { way, price: burn, toll: 0 },
            Offer::Tune { price } => Cost { way, price: total(price), toll: self.toll_of(burn.max(total(price))) },
            Offer::Asset { price, .. } => Cost { way, price: total(price), toll: self.toll_of(burn) },
        }
    }

    /// The toll on an amount of TUNE, in planck, rounded up.
    pub fn toll_of(&self, amount: Balance) -> Balance {
        self.toll.mul_ceil(amount)
    }
}

#[cfg(test)]
mod tests {
    use ensemble_core::{market::Way, AssetId};
    use proptest::prelude::*;

    use super::*;

    const TUNE: Balance = 1_000_000_000_000;
    const USDC: AssetId = AssetId::Asset(7);

    fn tariff() -> Tariff {
        Tariff { base: 10 * TUNE, factor: FixedU128::saturating_from_integer(2), toll: Permill::from_percent(1) }
    }

    fn cost(offer: Offer<Balance>, calls: u32) -> (Balance, Balance) {
        let cost = tariff().cost(&offer, Permill::from_percent(70), 1_000, calls);
        assert_eq!(cost.way, offer.way());
        (cost.price, cost.toll)
    }

    #[test]
    fn quality_and_intensity_raise_the_burn() {
        let burn = |percent, intensity, calls| tariff().burn(Permill::from_percent(percent), intensity, calls);
        assert_eq!(burn(0, 1_000, 1), 10 * TUNE);
        assert_eq!(burn(70, 1_000, 1), 24 * TUNE);
        assert_eq!(burn(100, 1_000, 1), 30 * TUNE);
        assert_eq!(burn(100, 2_500, 1), 75 * TUNE);
        assert_eq!(burn(85, 1, 1), 27 * TUNE / 1_000);
        assert_eq!(burn(85, 500, 1_000), 13_500 * TUNE);
    }

    #[test]
    fn the_toll_is_a_part_of_the_burn_and_at_least_of_a_price_in_tune() {
        assert_eq!(cost(Offer::Burn, 10), (240 * TUNE, 0));
        assert_eq!(cost(Offer::Tune { price: TUNE }, 10), (10 * TUNE, 24 * TUNE / 10));
        assert_eq!(cost(Offer::Tune { price: 100 * TUNE }, 10), (1_000 * TUNE, 10 * TUNE));
        assert_eq!(cost(Offer::Asset { asset: USDC, price: 5_000_000 }, 10), (50_000_000, 24 * TUNE / 10));
        assert_eq!(Offer::Asset { asset: USDC, price: 0 }.way(), Way::Asset(USDC));
    }

    #[test]
    fn the_toll_is_rounded_up() {
        assert_eq!(Tariff { toll: Permill::from_parts(1), ..tariff() }.toll_of(1), 1);
        assert_eq!(tariff().toll_of(101), 2);
        assert_eq!(tariff().toll_of(0), 0);
    }

    fn any_tariff() -> impl Strategy<Value = Tariff> {
        (any::<Balance>(), any::<u128>(), 0u32..=1_000_000).prop_map(|(base, factor, toll)| Tariff {
            base,
            factor: FixedU128::from_inner(factor),
            toll: Permill::from_parts(toll),
        })
    }

    proptest! {
        #[test]
        fn more_is_never_cheaper(
            tariff in any_tariff(), score in 0u32..=1_000_000, better in 0u32..=1_000_000,
            intensity in any::<u32>(), heavier in any::<u32>(), calls in any::<u32>(), more in any::<u32>(),
            price in any::<Balance>(),
        ) {
            let burn = |score, intensity, calls| tariff.burn(Permill::from_parts(score), intensity, calls);
            let (low, high) = (score.min(better), score.max(better));
            prop_assert!(burn(low, intensity, calls) <= burn(high, intensity, calls));
            prop_assert!(burn(score, intensity.min(heavier), calls) <= burn(score, intensity.max(heavier), calls));
            prop_assert!(burn(score, intensity, calls.min(more)) <= burn(score, intensity, calls.max(more)));
            for offer in [Offer::Burn, Offer::Tune { price }, Offer::Asset { asset: USDC, price }] {
                let cost = |calls| tariff.cost(&offer, Permill::from_parts(score), intensity, calls);
                let (few, many) = (cost(calls.min(more)), cost(calls.max(more)));
                prop_assert!(few.price <= many.price && few.toll <= many.toll);
            }
        }

        /// The formula in rational numbers, as far as they are exact.
        #[test]
        fn the_burn_is_what_the_formula_says(score in 0u32..=1_000_000, intensity in 0u32..=1_000_000, calls in 0u32..1_000) {
            let exact = 10 * TUNE * (1_000_000 + 2 * Balance::from(score)) * Balance::from(intensity) / 1_000_000 / 1_000;
            let burn = tariff().burn(Permill::from_parts(score), intensity, calls);
            prop_assert_eq!(burn, exact * Balance::from(calls));
        }
    }
}
