//! The order of a search: by score, then by usage, both descending, then by the module's number.

use codec::{Decode, Encode, MaxEncodedLen};
use ensemble_core::{market::Cursor, ModuleId};
use scale_info::TypeInfo;
use sp_runtime::Permill;

/// A place in the order, as a key: bytes that stand before others belong to a better listing.
///
/// It says all that the order depends on, so that a listing has one and the same rank on every shelf.
#[derive(Clone, Copy, Debug, Decode, Encode, Eq, MaxEncodedLen, Ord, PartialEq, PartialOrd, TypeInfo)]
pub struct Rank(Cursor);

impl Rank {
    /// The best place of all.
    pub const FIRST: Self = Self([0; 16]);

    /// The place of a module with this score and usage.
    pub fn new(score: Permill, usage: u64, module: ModuleId) -> Self {
        let score = u128::from(u32::MAX.saturating_sub(score.deconstruct()));
        let usage = u128::from(u64::MAX.saturating_sub(usage));
        Self::from_number((score << 96) | (usage << 32) | u128::from(module))
    }

    /// The module that stands there.
    pub fn module(&self) -> ModuleId {
        let [.., a, b, c, d] = self.0;
        ModuleId::from_be_bytes([a, b, c, d])
    }

    /// The place just before it; before the first there is none but itself. No listing stands at the first, because no
    /// score is that good.
    pub fn before(&self) -> Self {
        Self::from_number(self.number().saturating_sub(1))
    }

    /// The place just behind it.
    pub fn behind(&self) -> Self {
        Self::from_number(self.number().saturating_add(1))
    }

    /// The place as an outsider is told.
    pub fn cursor(&self) -> Cursor {
        self.0
    }

    fn number(&self) -> u128 {
        u128::from_be_bytes(self.0)
    }

    fn from_number(number: u128) -> Self {
        Self(number.to_be_bytes())
    }
}

impl From<Cursor> for Rank {
    fn from(cursor: Cursor) -> Self {
        Self(cursor)
    }
}

#[cfg(test)]
mod tests {
    use std::cmp::Reverse;

    use proptest::prelude::*;

    use super::*;

    type Key = (u32, u64, ModuleId);

    fn rank((score, usage, module): Key) -> Rank {
        Rank::new(Permill::from_parts(score), usage, module)
    }

    fn any_key() -> impl Strategy<Value = Key> {
        let score = prop_oneof![0u32..=1_000_000, Just(700_000)];
        let usage = prop_oneof![any::<u64>(), 0u64..3];
        (score, usage, any::<ModuleId>())
    }

    #[test]
    fn the_best_and_the_last_have_neighbours() {
        let best = rank((1_000_000, u64::MAX, 0));
        assert!(Rank::FIRST < best.before() && best.before() < best && best < best.behind());
        assert_eq!(Rank::FIRST.before(), Rank::FIRST);
        let last = Rank::from([u8::MAX; 16]);
        assert_eq!(last.behind(), last);
    }

    proptest! {
        #[test]
        fn keys_stand_in_the_order_of_a_search(one in any_key(), two in any_key()) {
            let order = |(score, usage, module): Key| (Reverse(score), Reverse(usage), module);
            prop_assert_eq!(rank(one).cmp(&rank(two)), order(one).cmp(&order(two)));
            prop_assert_eq!(rank(one).encode().cmp(&rank(two).encode()), order(one).cmp(&order(two)));
        }

        #[test]
        fn a_rank_names_its_module(key in any_key()) {
            prop_assert_eq!(rank(key).module(), key.2);
            prop_assert_eq!(rank(key).before().behind(), rank(key));
            prop_assert_eq!(Rank::from(rank(key).cursor()), rank(key));
        }
    }
}
