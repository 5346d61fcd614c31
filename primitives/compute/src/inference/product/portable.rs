//! Products as any machine does them.

use core::hint::black_box;

use ensemble_tensor::{blocks::COLS, Kind};

use super::inputs::Input;

/// Bits that the unit of `i16` rows, 2^-15, has fewer than that of products.
const I16_SHIFT: u32 = 9;
/// Bits that the unit of `i32` rows, 2^-20, has fewer than that of products.
const I32_SHIFT: u32 = 4;

/// Writes the products of all rows in `data`, for each row those with all vectors, modulo 2^64.
///
/// Vectors are as long as rows, and there is a place for each product.
#[inline(always)]
pub fn products(kind: Kind, cols: usize, data: &[u8], inputs: &[Input], out: &mut [i64]) {
    match kind {
        Kind::Q8_0 => each::<34>(cols / COLS, data, inputs, out, q8_0),
        Kind::Q4_0 => each::<18>(cols / COLS, data, inputs, out, q4_0),
        Kind::Q4_1 => each::<20>(cols / COLS, data, inputs, out, q4_1),
        Kind::I16 => each::<2>(cols, data, inputs, out, i16s),
        Kind::I32 => each::<4>(cols, data, inputs, out, i32s),
        Kind::Bytes | Kind::Bundle => {},
    }
}

/// Every row of `groups` times `LEN` bytes with every vector.
#[inline(always)]
fn each<const LEN: usize>(
    groups: usize,
    data: &[u8],
    inputs: &[Input],
    out: &mut [i64],
    product: impl Fn(&[[u8; LEN]], &Input) -> i64,
) {
    let rows = data.as_chunks().0.chunks_exact(groups.max(1));
    for (row, out) in rows.zip(out.chunks_exact_mut(inputs.len().max(1))) {
        for (input, out) in inputs.iter().zip(out) {
            *out = product(row, input);
        }
    }
}

#[inline(always)]
fn q8_0(row: &[[u8; 34]], input: &Input) -> i64 {
    sum(row.iter().zip(input.mantissas.as_chunks::<COLS>().0).map(|(block, mantissas)| {
        let [low, high, quants @ ..] = block;
        Scale::read([*low, *high]).times(dot(quants, mantissas, |quant| quant.cast_signed().into()))
    }))
}

#[inline(always)]
fn q4_0(row: &[[u8; 18]], input: &Input) -> i64 {
    let blocks = row.iter().zip(input.mantissas.as_chunks().0).zip(&input.sums);
    sum(blocks.map(|((block, mantissas), whole)| {
        let [low, high, bytes @ ..] = block;
        Scale::read([*low, *high]).times(nibbles(bytes, mantissas).wrapping_sub(whole.wrapping_mul(8)))
    }))
}

#[inline(always)]
fn q4_1(row: &[[u8; 20]], input: &Input) -> i64 {
    let blocks = row.iter().zip(input.mantissas.as_chunks().0).zip(&input.sums);
    sum(blocks.map(|((block, mantissas), whole)| {
        let [low, high, least_low, least_high, bytes @ ..] = block;
        let product = Scale::read([*low, *high]).times(nibbles(bytes, mantissas));
        product.wrapping_add(Scale::read([*least_low, *least_high]).times(*whole))
    }))
}

#[inline(always)]
fn i16s(row: &[[u8; 2]], input: &Input) -> i64 {
    let product = |(element, mantissa): (&[u8; 2], &i16)| {
        i32::from(i16::from_le_bytes(*element)).wrapping_mul((*mantissa).into())
    };
    sum(row.iter().zip(&input.mantissas).map(product).map(i64::from)) << I16_SHIFT
}

#[inline(always)]
fn i32s(row: &[[u8; 4]], input: &Input) -> i64 {
    let product = |(element, mantissa): (&[u8; 4], &i16)| {
        i64::from(i32::from_le_bytes(*element)).wrapping_mul((*mantissa).into())
    };
    sum(row.iter().zip(&input.mantissas).map(product)) << I32_SHIFT
}

/// A binary16 number: `mantissa * 2^shift` in units of 2^-24. Infinities are read as if they were numbers.
#[derive(Clone, Copy)]
struct Scale {
    mantissa: i32,
    shift: u32,
}

impl Scale {
    #[inline(always)]
    fn read(bytes: [u8; 2]) -> Self {
        let bits = u32::from(u16::from_le_bytes(bytes));
        let (field, fraction) = (bits >> 10 & 31, (bits & 1023).cast_signed());
        let magnitude = if field == 0 { fraction } else { fraction | 1024 };
        let mantissa = if bits >> 15 == 0 { magnitude } else { magnitude.wrapping_neg() };
        Self { mantissa, shift: field.saturating_sub(1) }
    }

    /// A block's sum is at most 2^27 in magnitude and a mantissa below 2^11; what the shift pushes out is modulo 2^64.
    ///
    /// The compiler is kept from looking at how the sum came about: where it sees both, it takes the loops apart and
    /// finds no vector instructions for either.
    #[inline(always)]
    fn times(self, sum: i32) -> i64 {
        i64::from(self.mantissa).wrapping_mul(black_box(sum).into()) << self.shift
    }
}

/// The low halves of all bytes times the first mantissas, and the high ones times the others.
#[inline(always)]
fn nibbles(bytes: &[u8; COLS / 2], mantissas: &[i16; COLS]) -> i32 {
    let (first, second) = mantissas.split_at(COLS / 2);
    dot(bytes, first, |byte| (byte & 15).into()).wrapping_add(dot(bytes, second, |byte| (byte >> 4).into()))
}

/// 32 products of 8 and 16 bits sum to at most 2^27 in magnitude.
#[inline(always)]
fn dot(bytes: &[u8], mantissas: &[i16], quant: impl Fn(u8) -> i16) -> i32 {
    bytes.iter().zip(mantissas).fold(0, |sum: i32, (byte, mantissa)| {
        sum.wrapping_add(i32::from(quant(*byte)).wrapping_mul((*mantissa).into()))
    })
}

#[inline(always)]
fn sum(terms: impl Iterator<Item = i64>) -> i64 {
    terms.fold(0, i64::wrapping_add)
}
