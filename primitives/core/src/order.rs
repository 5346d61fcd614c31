//! The order in which maps are read.

use codec::{Decode, Encode, MaxEncodedLen};
use scale_info::TypeInfo;

/// A key under which the greatest number comes first when a map is read: of equal numbers, the lowest `tie`.
///
/// It holds for maps whose hasher is `Identity`, since those are read in the order of their keys' bytes. Asking such a map
/// for its next key takes the longer the more keys the block has removed from it: it is for hooks that run before a
/// block's transactions, and for views.
#[derive(Clone, Copy, Debug, Decode, Encode, Eq, MaxEncodedLen, Ord, PartialEq, PartialOrd, TypeInfo)]
pub struct GreatestFirst {
    /// What the number lacks of the greatest there is, highest byte first.
    lack: [u8; 16],
    /// The tie, highest byte first.
    tie: [u8; 4],
}

impl GreatestFirst {
    /// The key of a number.
    pub fn new(number: u128, tie: u32) -> Self {
        Self { lack: (!number).to_be_bytes(), tie: tie.to_be_bytes() }
    }

    /// The number.
    pub fn number(&self) -> u128 {
        !u128::from_be_bytes(self.lack)
    }

    /// What decides between equal numbers.
    pub fn tie(&self) -> u32 {
        u32::from_be_bytes(self.tie)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bytes_are_in_the_order_of_the_numbers_from_the_greatest_down() {
        let numbers = [u128::MAX, u128::MAX - 1, 1 << 64, 256, 255, 1, 0];
        let keys: Vec<_> = numbers.iter().flat_map(|number| [0, 1, 256].map(|tie| (*number, tie))).collect();
        let bytes: Vec<_> = keys.iter().map(|(number, tie)| GreatestFirst::new(*number, *tie).encode()).collect();
        assert!(bytes.windows(2).all(|pair| pair[0] < pair[1]));
        assert!(bytes.iter().all(|bytes| bytes.len() == 20));
    }

    #[test]
    fn a_key_gives_back_what_it_was_made_of() {
        let key = GreatestFirst::new(123_456_789_000_000_000_000, 7);
        assert_eq!((key.number(), key.tie()), (123_456_789_000_000_000_000, 7));
        assert_eq!(GreatestFirst::decode(&mut &key.encode()[..]), Ok(key));
    }
}
