//! Products as any machine does them.

use ensemble_tensor::{blocks::COLS, Kind};

/// Bits that the unit of `i16` rows, 2^-15, has fewer than that of products.
const I16_SHIFT: u32 = 9;
/// Bits that the unit of `i32` rows, 2^-20, has fewer than that of products.
const I32_SHIFT: u32 = 4;

/// The product of a row and the mantissas of a vector of the same length, modulo 2^64.
pub fn product(kind: Kind, row: &[u8], vector: &[i16]) -> i64 {
    let blocks = row.chunks_exact(kind.group_len() as usize).zip(vector.as_chunks::<COLS>().0);
    match kind {
        Kind::Q8_0 => sum(blocks.map(|(block, vector)| {
            let (scale, quants) = split(block);
            scale.times(dot(quants.iter().map(|quant| quant.cast_signed()), vector))
        })),
        Kind::Q4_0 => sum(blocks.map(|(block, vector)| {
            let (scale, nibbles) = split(block);
            scale.times(dot(halves(nibbles).map(|nibble| nibble.wrapping_sub(8)), vector))
        })),
        Kind::Q4_1 => sum(blocks.map(|(block, vector)| {
            let (scale, rest) = split(block);
            let (minimum, nibbles) = split(rest);
            let whole = vector.iter().fold(0, |sum: i32, number| sum.wrapping_add((*number).into()));
            scale.times(dot(halves(nibbles), vector)).wrapping_add(minimum.times(whole))
        })),
        Kind::I16 => sum(row.as_chunks().0.iter().zip(vector).map(|(element, number)| {
            i64::from(i16::from_le_bytes(*element)).wrapping_mul((*number).into()) << I16_SHIFT
        })),
        Kind::I32 => sum(row.as_chunks().0.iter().zip(vector).map(|(element, number)| {
            i64::from(i32::from_le_bytes(*element)).wrapping_mul((*number).into()) << I32_SHIFT
        })),
        Kind::Bytes | Kind::Bundle => 0,
    }
}

/// A binary16 number: `mantissa * 2^shift` in units of 2^-24. Infinities are read as if they were numbers.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
struct Scale {
    mantissa: i32,
    shift: u32,
}

impl Scale {
    #[inline(always)]
    fn from_f16(bits: u16) -> Self {
        let (field, fraction) = (u32::from(bits >> 10 & 31), i32::from(bits & 1023));
        let magnitude = if field == 0 { fraction } else { fraction | 1024 };
        let mantissa = if bits >> 15 == 0 { magnitude } else { magnitude.wrapping_neg() };
        Self { mantissa, shift: field.saturating_sub(1) }
    }

    /// A block's sum is below 2^28 in magnitude and a mantissa below 2^11; what the shift pushes out is modulo 2^64.
    #[inline(always)]
    fn times(self, sum: i32) -> i64 {
        i64::from(self.mantissa).wrapping_mul(sum.into()) << self.shift
    }
}

#[inline(always)]
fn split(block: &[u8]) -> (Scale, &[u8]) {
    match block.split_first_chunk() {
        Some((scale, rest)) => (Scale::from_f16(u16::from_le_bytes(*scale)), rest),
        None => (Scale::default(), block),
    }
}

/// The low halves of all bytes, then the high ones.
#[inline(always)]
fn halves(bytes: &[u8]) -> impl Iterator<Item = i8> + '_ {
    let low = bytes.iter().map(|byte| (byte & 15).cast_signed());
    low.chain(bytes.iter().map(|byte| (byte >> 4).cast_signed()))
}

/// 32 products of 8 and 16 bits fit 28 bits.
#[inline(always)]
fn dot(quants: impl Iterator<Item = i8>, vector: &[i16; COLS]) -> i32 {
    quants
        .zip(vector)
        .fold(0, |sum: i32, (quant, number)| sum.wrapping_add(i32::from(quant).wrapping_mul((*number).into())))
}

#[inline(always)]
fn sum(terms: impl Iterator<Item = i64>) -> i64 {
    terms.fold(0, i64::wrapping_add)
}
