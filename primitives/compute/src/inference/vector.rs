//! Vectors: block floating point with one exponent for all elements.

use alloc::vec::Vec;
use core::ops::RangeInclusive;

use ensemble_tensor::{merkle, Hash};

use super::{glue::loops, Error};

/// Activations: element `i` is `mantissas[i] * 2^exponent`.
///
/// No mantissa is -32768, the exponent is one of [`Vector::EXPONENTS`], and it is 0 if all mantissas are. So nobody has
/// another encoding of the numbers that [`Vector::from_exact`] made a vector of, in the same unit.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub struct Vector {
    exponent: i32,
    mantissas: Vec<i16>,
}

impl Vector {
    /// Most elements.
    pub const MAX_LEN: usize = 1 << 16;
    /// Powers of two that the numbers of [`Vector::from_exact`] may be multiples of.
    pub const UNITS: RangeInclusive<i32> = -192..=191;
    /// Exponents: those of [`Vector::UNITS`], and as many more as 64 bits have beyond 15.
    pub const EXPONENTS: RangeInclusive<i32> = -192..=240;

    /// The vector nearest to whole numbers times `2^unit`: of all of them the upper 15 bits of the largest. What is
    /// below is rounded to the nearest, a tie up.
    ///
    /// A unit outside of [`Vector::UNITS`] is taken for the nearest within, and numbers from [`Vector::MAX_LEN`] on are
    /// left out. Neither comes up with a model within the limits.
    pub fn from_exact(numbers: &[i64], unit: i32) -> Self {
        let numbers = numbers.get(..Self::MAX_LEN).unwrap_or(numbers);
        // As many bits as the largest magnitude has.
        let largest = loops::magnitudes(numbers);
        if largest == 0 {
            return Self { exponent: 0, mantissas: alloc::vec![0; numbers.len()] };
        }
        let shift = (u64::BITS - largest.leading_zeros()).saturating_sub(i16::BITS - 1);
        let unit = unit.clamp(*Self::UNITS.start(), *Self::UNITS.end());
        let mut mantissas = alloc::vec![0; numbers.len()];
        loops::mantissas(numbers, shift, &mut mantissas);
        Self { exponent: unit.saturating_add_unsigned(shift), mantissas }
    }

    /// A vector of these parts, if one has them.
    pub fn new(exponent: i32, mantissas: Vec<i16>) -> Result<Self, Error> {
        if mantissas.len() > Self::MAX_LEN {
            return Err(Error::TooLong(mantissas.len()));
        }
        if mantissas.contains(&i16::MIN) {
            return Err(Error::Mantissa);
        }
        let zero = mantissas.iter().all(|mantissa| *mantissa == 0);
        if !Self::EXPONENTS.contains(&exponent) || zero && exponent != 0 {
            return Err(Error::Exponent(exponent));
        }
        Ok(Self { exponent, mantissas })
    }

    /// Reads what [`Vector::encode`] writes. Nothing else is read.
    pub fn decode(bytes: &[u8]) -> Result<Self, Error> {
        let wrong = Error::VectorLength(bytes.len());
        let Some((exponent, rest)) = bytes.split_first_chunk() else { return Err(wrong) };
        let (mantissas, []) = rest.as_chunks() else { return Err(wrong) };
        if mantissas.len() > Self::MAX_LEN {
            return Err(wrong);
        }
        let mantissas = mantissas.iter().map(|bytes| i16::from_le_bytes(*bytes)).collect();
        Self::new(i32::from_le_bytes(*exponent), mantissas)
    }

    /// The exponent, then all mantissas, little endian.
    pub fn encode(&self) -> Vec<u8> {
        let mantissas = self.mantissas.iter().flat_map(|mantissa| mantissa.to_le_bytes());
        self.exponent.to_le_bytes().into_iter().chain(mantissas).collect()
    }

    /// The hash of the encoding, that of a leaf of a tensor.
    pub fn hash(&self) -> Hash {
        merkle::leaf_hash(&self.encode())
    }

    /// The power of two that mantissas are multiplied by.
    pub const fn exponent(&self) -> i32 {
        self.exponent
    }

    /// The mantissas, from -32767 to 32767.
    pub fn mantissas(&self) -> &[i16] {
        &self.mantissas
    }

    /// Number of elements.
    pub fn len(&self) -> usize {
        self.mantissas.len()
    }

    /// Whether there are no elements.
    pub fn is_empty(&self) -> bool {
        self.mantissas.is_empty()
    }
}
