//! What is held or paid for what the chain, and its nodes, keep for somebody.

/// Bytes of a mebibyte.
const MIB: u64 = 1 << 20;
/// How often a deposit doubles while the places for what it is held for are taken.
const DOUBLINGS: u32 = 10;

/// The mebibytes that so many bytes are, the last one begun.
pub fn mebibytes(bytes: u64) -> u64 {
    bytes.div_ceil(MIB)
}

/// What is held for one more record of a sort of which `taken` of all `places` are there: `deposit`, doubled with every
/// tenth of the places. So the last ones are too dear to be taken only to keep others out.
pub fn deposit(deposit: u128, taken: u32, places: u32) -> u128 {
    let doublings = taken.saturating_mul(DOUBLINGS).checked_div(places).unwrap_or(0);
    deposit.saturating_mul(2u128.saturating_pow(doublings))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_deposit_doubles_with_every_tenth_of_the_places() {
        let held = |taken| deposit(3, taken, 40);
        assert_eq!([0, 3, 4, 7, 8, 39, 40].map(held), [3, 3, 6, 6, 12, 3 << 9, 3 << 10]);
        assert_eq!((deposit(3, 1, 0), deposit(u128::MAX, 40, 40)), (3, u128::MAX));
        assert_eq!(deposit(1, u32::MAX, 1), u128::MAX);
    }

    #[test]
    fn a_mebibyte_that_is_begun_counts() {
        assert_eq!([0, 1, 1 << 20, (1 << 20) + 1].map(mebibytes), [0, 1, 1, 2]);
    }
}
