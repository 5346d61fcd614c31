//! Floating point to 8-bit blocks in integer arithmetic, and blocks back to floating point.
//!
//! The scale of a block is the largest magnitude divided by 127, rounded to the nearest binary16 number. Each quant is
//! the element divided by the scale as it is stored, rounded to the nearest whole number. `docs/numerics.md` gives the
//! formulas, the treatment of ties and the error bound.

use alloc::vec::Vec;

use crate::{
    blocks::{Dyadic, COLS, UNIT_EXPONENT},
    Error, Float, Header, Kind,
};

/// Largest quant in magnitude.
const MAX_QUANT: u64 = 127;

/// Quantises a row to `Q8_0` and appends its blocks to `out`.
///
/// `input` holds the row's elements in little endian. `row` is its number, for error messages. Fails on an element that
/// is not finite, on one of 8,321,040 or more in magnitude (its scale would exceed binary16), and if the elements are
/// no row of whole blocks; `out` may then hold some of the blocks.
pub fn quantise_row(float: Float, row: u32, input: &[u8], out: &mut Vec<u8>) -> Result<(), Error> {
    let block_len = float.size() * COLS;
    let cols = u32::try_from(input.len() / float.size()).unwrap_or(u32::MAX);
    if !input.len().is_multiple_of(block_len) {
        return Err(Error::PartialBlock { kind: Kind::Q8_0, cols });
    }
    Header::new(Kind::Q8_0, 1, cols)?;
    (0..cols).step_by(COLS).zip(input.chunks_exact(block_len)).try_for_each(|(first, block)| {
        quantise_block(float, block, out).map_err(|flaw| match flaw {
            Flaw::NotFinite(col) => Error::NotFinite { row, col: first + col },
            Flaw::TooLarge(col) => Error::TooLarge { row, col: first + col },
        })
    })
}

/// Turns floating point into whole numbers of 32 bits in units of 2^-`fraction`, and appends them to `out` in little
/// endian: each the nearest, a tie the even one.
///
/// `input` holds the row's elements in little endian. `row` is its number, for error messages. Fails on an element that
/// is not finite or beyond 32 bits; `out` may then hold some of the numbers.
pub fn fix_row(float: Float, row: u32, fraction: u32, input: &[u8], out: &mut Vec<u8>) -> Result<(), Error> {
    (0..).zip(input.chunks(float.size())).try_for_each(|(col, number)| {
        let fixed = float.bits(number).and_then(|bits| float.fixed(bits, fraction));
        let fixed = fixed.and_then(|fixed| i32::try_from(fixed).ok());
        out.extend(fixed.ok_or(Error::NotFixed { row, col, fraction })?.to_le_bytes());
        Ok(())
    })
}

/// Why a block cannot be quantised, with the column inside the block.
enum Flaw {
    NotFinite(u32),
    TooLarge(u32),
}

fn quantise_block(float: Float, block: &[u8], out: &mut Vec<u8>) -> Result<(), Flaw> {
    let numbers = || block.chunks_exact(float.size()).filter_map(|number| float.bits(number));
    let (mut largest, mut at) = (0, 0);
    for (col, bits) in (0..).zip(numbers()) {
        if !float.is_finite(bits) {
            return Err(Flaw::NotFinite(col));
        }
        let magnitude = float.magnitude(bits);
        if magnitude > largest {
            (largest, at) = (magnitude, col);
        }
    }
    let scale_bits = scale_bits(float, largest).ok_or(Flaw::TooLarge(at))?;
    let scale = Dyadic::from_f16(scale_bits).ok_or(Flaw::TooLarge(at))?;
    out.extend(scale_bits.to_le_bytes());
    out.extend(numbers().map(|bits| quant(float, bits, scale).cast_unsigned()));
    Ok(())
}

/// The bits of the binary16 number nearest to the number with bits `largest` (not negative) divided by 127; of two
/// equally near the even one. Nothing if that is an infinity.
fn scale_bits(float: Float, largest: u32) -> Option<u16> {
    /// Extra bits of the quotient: enough that it always has more bits than binary16 keeps.
    const GUARD: u32 = 40;
    const FRACTION: i32 = 10;

    let split = float.split(largest)?;
    if split.mantissa == 0 {
        return Some(0);
    }
    let dividend = u64::from(split.mantissa) << GUARD;
    let (quotient, inexact) = (dividend / MAX_QUANT, !dividend.is_multiple_of(MAX_QUANT));
    // The number sought is `quotient * 2^exponent` and a bit, if inexact. Its last place in binary16 is worth 2^ulp.
    let exponent = split.exponent - GUARD.cast_signed();
    let magnitude = quotient.ilog2().cast_signed() + exponent;
    let ulp = (magnitude - FRACTION).max(UNIT_EXPONENT);
    let kept = round_off(quotient, (ulp - exponent).unsigned_abs(), inexact);
    // The exponent field counts from the smallest ulp; a mantissa with its hidden bit carries one into the field.
    let field = u64::from((ulp - UNIT_EXPONENT).unsigned_abs());
    let bits = (field << FRACTION) + kept;
    u16::try_from(bits).ok().filter(|bits| u32::from(*bits) < Float::F16.infinity())
}

/// `number / 2^bits`, rounded to the nearest whole number, a tie to the even one. `inexact` says that the exact number
/// is a little larger than `number`. `bits` is at least 1.
fn round_off(number: u64, bits: u32, inexact: bool) -> u64 {
    if bits >= u64::BITS {
        // Quotients have fewer than 58 bits: this is less than a half.
        return 0;
    }
    let kept = number >> bits;
    let rest = number & ((1 << bits) - 1);
    let half = 1 << (bits - 1);
    let up = rest > half || (rest == half && (inexact || !kept.is_multiple_of(2)));
    kept + u64::from(up)
}

/// The number with these bits divided by `scale`, rounded to the nearest whole number, a tie away from zero, and
/// limited to 127 in magnitude. Zero if the scale is zero.
fn quant(float: Float, bits: u32, scale: Dyadic) -> i8 {
    /// Below this exponent the quotient is zero, since mantissas are below 2^24.
    const LOWEST: i32 = -32;

    let divisor = u64::from(scale.mantissa().unsigned_abs());
    let Some(number) = float.split(bits).filter(|_| divisor > 0) else {
        return 0;
    };
    let dividend = u64::from(number.mantissa);
    // Neither comes near 2^64: mantissas are below 2^24, and a number with a scale is below 2^23, its exponent at most
    // 5, which is 29 above the lowest exponent of a scale.
    let (dividend, divisor) = match number.exponent - scale.exponent() {
        shift @ 0.. => (dividend << shift, divisor),
        shift @ LOWEST..0 => (dividend, divisor << -shift),
        _ => return 0,
    };
    let rounded = ((2 * dividend + divisor) / (2 * divisor)).min(MAX_QUANT);
    let magnitude = i8::try_from(rounded).unwrap_or(i8::MAX);
    if number.negative {
        -magnitude
    } else {
        magnitude
    }
}

/// Turns a row of blocks into the nearest binary32 numbers and appends them to `out`.
///
/// Exact for `Q8_0` and `Q4_0`; in `Q4_1` an element may need more bits than binary32 has and is then rounded to the
/// nearest, a tie to the even one. `row` is its number, for error messages. Fails if `kind` is no block format, and on
/// bytes that are no valid blocks.
#[cfg(feature = "std")]
pub fn dequantise_row(kind: Kind, row: u32, bytes: &[u8], out: &mut Vec<f32>) -> Result<(), Error> {
    use crate::blocks::Block;

    /// 2^-24: multiplying by it only changes the exponent.
    const UNIT: f32 = 1.0 / 16_777_216.0;

    if kind.group_cols() == 1 {
        return Err(Error::NotBlocks(kind));
    }
    let (len, limit) = (bytes.len() as u64, Header::MAX_ROW_LEN);
    if len > limit {
        return Err(Error::RowTooLong { len, limit });
    }
    (0..).zip(bytes.chunks(kind.group_len() as usize)).try_for_each(|(number, bytes)| {
        let block = Block::read(kind, bytes).ok_or(Error::InvalidBlock { row, block: number })?;
        out.extend(block.units().map(|units| units as f32 * UNIT));
        Ok(())
    })
}
