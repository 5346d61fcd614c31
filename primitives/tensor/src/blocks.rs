//! The block formats, taken over from GGUF byte for byte: 32 neighbouring elements of a row with a common scale.
//!
//! | kind | bytes | layout | element `j` |
//! |---|---|---|---|
//! | `Q8_0` | 34 | scale, 32 signed bytes | `scale * quant[j]` |
//! | `Q4_0` | 18 | scale, 16 bytes | `scale * (nibble[j] - 8)` |
//! | `Q4_1` | 20 | scale, minimum, 16 bytes | `scale * nibble[j] + minimum` |
//!
//! Scale and minimum are binary16 in little endian. Nibble `j` is the low half of byte `j` for the first 16 elements,
//! the high half of byte `j - 16` for the others.

use crate::{Float, Kind};

/// Elements in a block.
pub const COLS: usize = 32;

/// Every element of a valid block is a whole number times two to this power.
pub const UNIT_EXPONENT: i32 = -24;

/// A finite binary16 number as integers: `mantissa * 2^exponent`.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub struct Dyadic {
    mantissa: i16,
    shift: u8,
}

impl Dyadic {
    /// The number with these bits; nothing for an infinity or what is no number.
    pub fn from_f16(bits: u16) -> Option<Self> {
        let split = Float::F16.split(bits.into())?;
        let mantissa = i16::try_from(split.mantissa).ok()?;
        let shift = u8::try_from(split.exponent - UNIT_EXPONENT).ok()?;
        Some(Self { mantissa: if split.negative { -mantissa } else { mantissa }, shift })
    }

    /// The whole number, from -2047 to 2047.
    pub const fn mantissa(self) -> i16 {
        self.mantissa
    }

    /// The power of two, from -24 to 5.
    pub const fn exponent(self) -> i32 {
        self.shift as i32 + UNIT_EXPONENT
    }

    /// The number in units of 2^-24, below 2^40 in magnitude.
    pub const fn units(self) -> i64 {
        (self.mantissa as i64) << self.shift
    }
}

/// A block of any of the three formats: element `j` is `scale * quants[j] + minimum`, exactly.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct Block {
    /// What the quants are multiplied by.
    pub scale: Dyadic,
    /// What is added to all elements; zero except in `Q4_1`.
    pub minimum: Dyadic,
    /// The quants: -128 to 127 in `Q8_0`, -8 to 7 in `Q4_0`, 0 to 15 in `Q4_1`.
    pub quants: [i8; COLS],
}

impl Block {
    /// Reads one block; nothing if `kind` is no block format, if `bytes` are not one block, or if its scale or minimum
    /// is not finite.
    pub fn read(kind: Kind, bytes: &[u8]) -> Option<Self> {
        let (scale, rest) = read_dyadic(bytes)?;
        let (minimum, rest) = match kind {
            Kind::Q4_1 => read_dyadic(rest)?,
            _ => (Dyadic::default(), rest),
        };
        let quants = match kind {
            Kind::Q8_0 => <[u8; COLS]>::try_from(rest).ok()?.map(u8::cast_signed),
            Kind::Q4_0 => nibbles(rest)?.map(|nibble| nibble - 8),
            Kind::Q4_1 => nibbles(rest)?,
            Kind::Bytes | Kind::Bundle | Kind::I16 | Kind::I32 => return None,
        };
        Some(Self { scale, minimum, quants })
    }

    /// The elements in units of 2^-24, below 2^48 in magnitude.
    pub fn units(&self) -> [i64; COLS] {
        let (scale, minimum) = (self.scale.units(), self.minimum.units());
        self.quants.map(|quant| scale * i64::from(quant) + minimum)
    }
}

fn read_dyadic(bytes: &[u8]) -> Option<(Dyadic, &[u8])> {
    let (bits, rest) = bytes.split_first_chunk()?;
    Some((Dyadic::from_f16(u16::from_le_bytes(*bits))?, rest))
}

/// The low halves of 16 bytes, then their high halves.
fn nibbles(bytes: &[u8]) -> Option<[i8; COLS]> {
    let bytes = <[u8; COLS / 2]>::try_from(bytes).ok()?;
    let mut nibbles = [0; COLS];
    let (low, high) = nibbles.split_at_mut(COLS / 2);
    for ((low, high), byte) in low.iter_mut().zip(high).zip(bytes) {
        *low = (byte & 15).cast_signed();
        *high = (byte >> 4).cast_signed();
    }
    Some(nibbles)
}

/// The number of the first block of `row` whose scale or minimum is not finite.
pub(crate) fn first_invalid(kind: Kind, row: &[u8]) -> Option<u32> {
    let mut blocks = (0..).zip(row.chunks_exact(kind.group_len() as usize));
    let numbers = if kind == Kind::Q4_1 { 2 } else { 1 };
    blocks.find(|(_, block)| !block.chunks_exact(2).take(numbers).all(is_finite)).map(|(number, _)| number)
}

fn is_finite(bytes: &[u8]) -> bool {
    Float::F16.bits(bytes).is_some_and(|bits| Float::F16.is_finite(bits))
}
