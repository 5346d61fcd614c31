//! Share pools: many own a sum of money in proportion, and it grows and shrinks for all of them in one write.
//!
//! The idea is that of ERC-4626 vaults: a position counts shares, and a share is worth the pool's value divided by all
//! shares. Two things differ.
//!
//! **Rounding** always favours the pool, and is kept below a planck by counting shares finely: at least 2^16 of them
//! make a planck. A fixed number would not do, because rewards make shares dearer and slashes make them cheaper without
//! end, so that in time rounding would become money (the attack by the first depositor) or numbers would overflow.
//! Therefore, as a company splits its stock, a pool whose shares have become dear splits each into 2^16, and one whose
//! shares have become cheap joins 2^16 into one. A position remembers the [`Unit`] it counts in, and is converted when
//! it is touched.
//!
//! **Total loss** begins a new generation: earlier shares are worth nothing, and new ones can be issued at once.
//!
//! What holds at any time, with each position converted to the pool's unit:
//!
//! - the shares of the positions are together at most the pool's shares;
//! - a pool has value if and only if it has shares, and if and only if it has a live position;
//! - between 2^16 and 2^48 shares make a planck.
//!
//! From the first it follows that what all positions can redeem is at most the pool's value. This file knows no
//! storage.

use codec::{Decode, Encode, MaxEncodedLen};
use scale_info::TypeInfo;
use sp_core::U256;
use sp_runtime::{helpers_128bit::multiply_by_rational_with_rounding, FixedPointNumber, FixedU128, Perbill, Rounding};

/// An amount in planck.
pub type Balance = u128;

/// Most planck that a pool holds: a million times a million tokens of twelve decimals. Below it no share overflows.
pub const MAX_VALUE: Balance = (1 << 80) - 1;

/// Binary logarithm of the shares per planck in a new pool.
const NEW_RATE: u32 = 32;
/// Shares are split when there are fewer per planck (binary logarithm).
const MIN_RATE: u32 = 16;
/// Shares are joined when there are as many per planck (binary logarithm).
const MAX_RATE: u32 = 48;
/// One split makes two to this power of a share.
const SPLIT: u32 = 16;

/// What shares are counted in.
#[derive(Clone, Copy, Debug, Decode, Default, Encode, Eq, MaxEncodedLen, PartialEq, TypeInfo)]
pub struct Unit {
    /// How often the pool lost everything.
    pub generation: u32,
    /// How often shares were split since, less how often they were joined.
    pub splits: i32,
}

/// What somebody owns of a pool.
#[derive(Clone, Copy, Debug, Decode, Encode, Eq, MaxEncodedLen, PartialEq, TypeInfo)]
pub struct Position {
    /// Number of shares, at least 1.
    pub shares: u128,
    /// What they are counted in.
    pub unit: Unit,
}

/// Money that many own in proportion.
#[derive(Clone, Copy, Debug, Decode, Default, Encode, Eq, MaxEncodedLen, PartialEq, TypeInfo)]
pub struct SharePool {
    /// The money, in planck.
    pub value: Balance,
    /// All shares.
    pub shares: u128,
    /// What shares are counted in now.
    pub unit: Unit,
    /// Number of positions of this generation.
    pub holders: u64,
    /// Number of positions of earlier generations, which are worth nothing and were not closed yet.
    pub stale: u64,
}

impl SharePool {
    /// Whether no position is left, not even a worthless one.
    pub fn is_unused(&self) -> bool {
        self.holders == 0 && self.stale == 0
    }

    /// Whether `amount` more fits in.
    pub fn has_room(&self, amount: Balance) -> bool {
        self.value.checked_add(amount).is_some_and(|value| value <= MAX_VALUE)
    }

    /// What a position can redeem, in planck.
    pub fn worth(&self, position: &Position) -> Balance {
        let worth = mul_div(self.shares_of(position), self.value, self.shares, Rounding::Down);
        worth.unwrap_or(0).min(self.value)
    }

    /// What one planck, put in when the pool began or began anew, is worth now.
    pub fn price(&self) -> FixedU128 {
        if self.shares == 0 {
            return FixedU128::from_u32(1);
        }
        let rate = i64::from(NEW_RATE).saturating_add(i64::from(self.unit.splits).saturating_mul(SPLIT.into()));
        let bits = usize::try_from(rate.unsigned_abs()).unwrap_or(usize::MAX);
        let shift = |number: U256| match number.leading_zeros() as usize > bits {
            true => number << bits,
            false => U256::MAX,
        };
        let value = U256::from(self.value).saturating_mul(U256::from(FixedU128::DIV));
        let shares = U256::from(self.shares);
        let price = if rate >= 0 { shift(value) / shares } else { value / shift(shares) };
        FixedU128::from_inner(u128::try_from(price).unwrap_or(u128::MAX))
    }

    /// Puts `amount` in for somebody new; nothing if the pool cannot hold it.
    pub fn open(&mut self, amount: Balance) -> Option<Position> {
        let unit = self.unit;
        let shares = self.issue(amount)?;
        self.holders = self.holders.saturating_add(1);
        self.keep_rate();
        Some(Position { shares, unit })
    }

    /// Puts `amount` into a position, or into a new one in place of a worthless one; nothing if the pool cannot hold
    /// it.
    pub fn add(&mut self, position: &Position, amount: Balance) -> Option<Position> {
        if self.is_stale(position) {
            let opened = self.open(amount)?;
            self.stale = self.stale.saturating_sub(1);
            return Some(opened);
        }
        let (unit, before) = (self.unit, self.shares_of(position));
        let shares = before.checked_add(self.issue(amount)?)?;
        self.keep_rate();
        Some(Position { shares, unit })
    }

    /// Takes `amount` out of a position, or all that it is worth, and returns how much, and what is left of the
    /// position.
    pub fn take(&mut self, position: Position, amount: Balance) -> (Balance, Option<Position>) {
        if amount >= self.worth(&position) {
            return (self.close(position), None);
        }
        let (unit, before) = (self.unit, self.shares_of(&position));
        // Less than what the position is worth costs fewer shares than it has, even rounded up.
        let burnt = mul_div(amount, self.shares, self.value, Rounding::Up).unwrap_or(before).min(before);
        self.value = self.value.saturating_sub(amount);
        self.shares = self.shares.saturating_sub(burnt);
        self.keep_rate();
        (amount, Some(Position { shares: before.saturating_sub(burnt), unit }))
    }

    /// Takes out all that a position is worth and returns how much. The last one takes what rounding left behind.
    pub fn close(&mut self, position: Position) -> Balance {
        if self.is_stale(&position) {
            self.stale = self.stale.saturating_sub(1);
            return 0;
        }
        self.holders = self.holders.saturating_sub(1);
        if self.holders == 0 {
            let rest = self.value;
            *self = Self {
                unit: Unit { generation: self.unit.generation, splits: 0 },
                stale: self.stale,
                ..Self::default()
            };
            return rest;
        }
        let worth = self.worth(&position);
        self.shares = self.shares.saturating_sub(self.shares_of(&position));
        self.value = self.value.saturating_sub(worth);
        self.keep_rate();
        worth
    }

    /// Makes one position of two of the same owner.
    pub fn join(&mut self, one: Position, other: Position) -> Position {
        if self.is_stale(&one) {
            self.stale = self.stale.saturating_sub(1);
            return other;
        }
        if self.is_stale(&other) {
            self.stale = self.stale.saturating_sub(1);
            return one;
        }
        self.holders = self.holders.saturating_sub(1);
        Position { shares: self.shares_of(&one).saturating_add(self.shares_of(&other)), unit: self.unit }
    }

    /// Adds `amount` for all positions, in proportion; nothing if there is none, or if the pool cannot hold it.
    pub fn grow(&mut self, amount: Balance) -> Option<()> {
        if self.holders == 0 || !self.has_room(amount) {
            return None;
        }
        self.value = self.value.saturating_add(amount);
        self.keep_rate();
        Some(())
    }

    /// Takes `part` of the value, rounded up, from all positions in proportion, and returns how much.
    pub fn cut(&mut self, part: Perbill) -> Balance {
        let taken = part.mul_ceil(self.value);
        self.value = self.value.saturating_sub(taken);
        if self.value == 0 {
            self.begin_anew();
        }
        self.keep_rate();
        taken
    }

    /// The number of a position's shares in the unit of now, rounded down.
    pub fn shares_of(&self, position: &Position) -> u128 {
        if self.is_stale(position) {
            return 0;
        }
        let splits = self.unit.splits.saturating_sub(position.unit.splits);
        let bits = splits.unsigned_abs().saturating_mul(SPLIT);
        if splits < 0 {
            return position.shares.checked_shr(bits).unwrap_or(0);
        }
        // No position has more than all shares, and those fit.
        let split = 1u128.checked_shl(bits).and_then(|factor| position.shares.checked_mul(factor));
        split.unwrap_or(u128::MAX)
    }

    /// Whether a position lost everything in a slash.
    pub fn is_stale(&self, position: &Position) -> bool {
        position.unit.generation != self.unit.generation
    }

    /// Adds `amount` and the shares for it, rounded down, and returns the latter.
    fn issue(&mut self, amount: Balance) -> Option<u128> {
        if !self.has_room(amount) {
            return None;
        }
        let shares = match self.shares {
            0 => amount.checked_mul(1 << NEW_RATE)?,
            all => mul_div(amount, all, self.value, Rounding::Down)?,
        };
        self.shares = self.shares.checked_add(shares)?;
        self.value = self.value.saturating_add(amount);
        Some(shares)
    }

    /// Makes all positions stale.
    fn begin_anew(&mut self) {
        if self.holders == 0 {
            return;
        }
        self.stale = self.stale.saturating_add(self.holders);
        self.holders = 0;
        self.shares = 0;
        self.unit = Unit { generation: self.unit.generation.saturating_add(1), splits: 0 };
    }

    /// Splits or joins shares until the number per planck is within its bounds. All shares are rounded up where those
    /// of positions are rounded down.
    fn keep_rate(&mut self) {
        if self.value == 0 || self.shares == 0 {
            return;
        }
        while self.shares < self.value.saturating_mul(1 << MIN_RATE) {
            self.shares = self.shares.saturating_mul(1 << SPLIT);
            self.unit.splits = self.unit.splits.saturating_add(1);
        }
        while self.shares >= self.value.saturating_mul(1 << MAX_RATE) {
            self.shares = self.shares.div_ceil(1 << SPLIT);
            self.unit.splits = self.unit.splits.saturating_sub(1);
        }
    }

    /// Whether the pool is in a state that it can have come to; see the head of this file.
    #[cfg(any(feature = "try-runtime", test))]
    pub fn is_sound(&self) -> bool {
        if self.value == 0 || self.shares == 0 || self.holders == 0 {
            return self.value == 0 && self.shares == 0 && self.holders == 0;
        }
        let bounds = self.value.saturating_mul(1 << MIN_RATE)..self.value.saturating_mul(1 << MAX_RATE);
        self.value <= MAX_VALUE && bounds.contains(&self.shares)
    }
}

/// `a * b / c`; nothing if it is no number or too large a one.
fn mul_div(a: u128, b: u128, c: u128, rounding: Rounding) -> Option<u128> {
    multiply_by_rational_with_rounding(a, b, c, rounding)
}
