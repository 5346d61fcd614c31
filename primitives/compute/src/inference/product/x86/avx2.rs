//! Products with AVX2, whose one instruction multiplies 16 pairs of 16 bits and adds each two neighbouring products.
//!
//! Quants are widened to 16 bits. Rows are taken in **groups** of eight blocks, whose sums are scaled at once.

// The workspace denies unsafe code. Here it loads bytes into vector registers, and calls what is compiled for
// instructions that the machine was asked for.
#![allow(unsafe_code)]

use core::arch::x86_64::*;

use ensemble_tensor::{blocks::COLS, Kind};

use crate::inference::product::inputs::Input;

/// Blocks in a group.
const GROUP: usize = 8;
/// Bytes of a block.
const Q8_0: usize = 34;
const Q4_0: usize = 18;
const Q4_1: usize = 20;

/// Whether this machine has the instructions.
pub fn is_available() -> bool {
    is_x86_feature_detected!("avx2")
}

/// Writes the products of all rows in `data`, for each row those with all vectors. Returns whether it did: whether this
/// is a kind of blocks, and the machine has the instructions.
pub fn products(kind: Kind, cols: usize, data: &[u8], inputs: &[Input], out: &mut [i64]) -> bool {
    if !is_available() {
        return false;
    }
    // SAFETY: the machine has the instructions.
    unsafe {
        match kind {
            Kind::Q8_0 => rows::<Q8_0>(cols, data, inputs, out),
            Kind::Q4_0 => rows::<Q4_0>(cols, data, inputs, out),
            Kind::Q4_1 => rows::<Q4_1>(cols, data, inputs, out),
            Kind::Bytes | Kind::Bundle | Kind::I16 | Kind::I32 => return false,
        }
    }
    true
}

#[target_feature(enable = "avx2")]
fn rows<const LEN: usize>(cols: usize, data: &[u8], inputs: &[Input], out: &mut [i64]) {
    let rows = data.as_chunks().0.chunks_exact(cols / COLS);
    for (row, out) in rows.zip(out.chunks_exact_mut(inputs.len())) {
        for (input, out) in inputs.iter().zip(out) {
            *out = product::<LEN>(row, input);
        }
    }
}

/// A row times a vector.
#[target_feature(enable = "avx2")]
fn product<const LEN: usize>(row: &[[u8; LEN]], input: &Input) -> i64 {
    let (whole, tail) = row.as_chunks();
    // The vector is filled up with zeros to whole groups.
    let vector = input.mantissas.as_chunks().0.as_chunks().0.iter().zip(input.sums.as_chunks().0);
    let mut vector = vector.map(|(mantissas, sums)| Part { mantissas, sums });
    let mut sum = _mm256_setzero_si256();
    for (blocks, part) in whole.iter().zip(&mut vector) {
        sum = _mm256_add_epi64(sum, group::<LEN>(blocks, &part));
    }
    if let (Some(part), false) = (vector.next(), tail.is_empty()) {
        let mut blocks = [[0; LEN]; GROUP];
        for (place, block) in blocks.iter_mut().zip(tail) {
            *place = *block;
        }
        sum = _mm256_add_epi64(sum, group::<LEN>(&blocks, &part));
    }
    let [first, second, third, fourth] = numbers(sum);
    first.wrapping_add(second).wrapping_add(third).wrapping_add(fourth)
}

/// What a group is multiplied by.
struct Part<'a> {
    mantissas: &'a [[i16; COLS]; GROUP],
    sums: &'a [i32; GROUP],
}

/// Four sums that make up the product of a group together.
#[inline]
#[target_feature(enable = "avx2")]
fn group<const LEN: usize>(blocks: &[[u8; LEN]; GROUP], part: &Part<'_>) -> __m256i {
    let [b0, b1, b2, b3, b4, b5, b6, b7] = blocks;
    let [m0, m1, m2, m3, m4, m5, m6, m7] = part.mantissas;
    let first = add_fours(dot(b0, m0), dot(b1, m1), dot(b2, m2), dot(b3, m3));
    let second = add_fours(dot(b4, m4), dot(b5, m5), dot(b6, m6), dot(b7, m7));
    let lower = _mm256_permute2x128_si256::<0x20>(first, second);
    let upper = _mm256_permute2x128_si256::<0x31>(first, second);
    let (sums, whole) = (_mm256_add_epi32(lower, upper), lanes(part.sums));
    let scales = scales::<LEN, 0>(blocks);
    match LEN {
        Q4_0 => times(scales, _mm256_sub_epi32(sums, _mm256_slli_epi32::<3>(whole))),
        Q4_1 => _mm256_add_epi64(times(scales, sums), times(self::scales::<LEN, 2>(blocks), whole)),
        _ => times(scales, sums),
    }
}

/// Eight sums of four products each.
#[inline]
#[target_feature(enable = "avx2")]
fn dot<const LEN: usize>(block: &[u8; LEN], mantissas: &[i16; COLS]) -> __m256i {
    let (first, second) = quants(block);
    let (left, right) = mantissas.split_at(COLS / 2);
    _mm256_add_epi32(_mm256_madd_epi16(first, wide(left)), _mm256_madd_epi16(second, wide(right)))
}

#[inline]
#[target_feature(enable = "avx2")]
fn quants<const LEN: usize>(block: &[u8; LEN]) -> (__m256i, __m256i) {
    if LEN == Q8_0 {
        return (_mm256_cvtepi8_epi16(narrow(block, 2)), _mm256_cvtepi8_epi16(narrow(block, 18)));
    }
    let (bytes, nibble) = (narrow(block, LEN - 16), _mm_set1_epi8(15));
    let (low, high) = (_mm_and_si128(bytes, nibble), _mm_and_si128(_mm_srli_epi16::<4>(bytes), nibble));
    (_mm256_cvtepu8_epi16(low), _mm256_cvtepu8_epi16(high))
}

/// In each half of the result one sum of each argument's half.
#[inline]
#[target_feature(enable = "avx2")]
fn add_fours(first: __m256i, second: __m256i, third: __m256i, fourth: __m256i) -> __m256i {
    _mm256_hadd_epi32(_mm256_hadd_epi32(first, second), _mm256_hadd_epi32(third, fourth))
}

/// The binary16 numbers at a place in each block, in lanes of 32 bits.
#[inline]
#[target_feature(enable = "avx2")]
fn scales<const LEN: usize, const FROM: usize>(blocks: &[[u8; LEN]; GROUP]) -> __m256i {
    lanes(&blocks.each_ref().map(|block| match block.get(FROM..).and_then(<[u8]>::first_chunk) {
        Some(bytes) => u16::from_le_bytes(*bytes).into(),
        None => 0,
    }))
}

/// Eight sums times as many binary16 numbers, in units of 2^-24 and modulo 2^64, added up to four.
///
/// Infinities are read as if they were numbers.
#[inline]
#[target_feature(enable = "avx2")]
fn times(bits: __m256i, sums: __m256i) -> __m256i {
    let (zero, one) = (_mm256_setzero_si256(), _mm256_set1_epi32(1));
    let field = _mm256_and_si256(_mm256_srli_epi32::<10>(bits), _mm256_set1_epi32(31));
    let fraction = _mm256_and_si256(bits, _mm256_set1_epi32(1023));
    let hidden = _mm256_andnot_si256(_mm256_cmpeq_epi32(field, zero), _mm256_set1_epi32(1024));
    let magnitude = _mm256_or_si256(fraction, hidden);
    // The sign, as a lane of ones or zeros: to change a number's sign is to flip its bits and to add one.
    let sign = _mm256_srai_epi32::<31>(_mm256_slli_epi32::<16>(bits));
    let mantissa = _mm256_sub_epi32(_mm256_xor_si256(magnitude, sign), sign);
    let shift = _mm256_sub_epi32(_mm256_max_epi32(field, one), one);

    let even = _mm256_mul_epi32(mantissa, sums);
    let odd = _mm256_mul_epi32(_mm256_srli_epi64::<32>(mantissa), _mm256_srli_epi64::<32>(sums));
    let even_shift = _mm256_and_si256(shift, _mm256_set1_epi64x(0xffff_ffff));
    let odd_shift = _mm256_srli_epi64::<32>(shift);
    _mm256_add_epi64(_mm256_sllv_epi64(even, even_shift), _mm256_sllv_epi64(odd, odd_shift))
}

#[inline]
#[target_feature(enable = "avx2")]
fn narrow(bytes: &[u8], from: usize) -> __m128i {
    match bytes.get(from..).and_then(<[u8]>::first_chunk::<16>) {
        // SAFETY: there are 16 bytes, and they may lie anywhere.
        Some(bytes) => unsafe { _mm_loadu_si128(bytes.as_ptr().cast()) },
        None => _mm_setzero_si128(),
    }
}

#[inline]
#[target_feature(enable = "avx2")]
fn wide(numbers: &[i16]) -> __m256i {
    match numbers.first_chunk::<16>() {
        // SAFETY: 16 numbers of 16 bits are 32 bytes, and they may lie anywhere.
        Some(numbers) => unsafe { _mm256_loadu_si256(numbers.as_ptr().cast()) },
        None => _mm256_setzero_si256(),
    }
}

#[inline]
#[target_feature(enable = "avx2")]
fn lanes(numbers: &[i32; GROUP]) -> __m256i {
    // SAFETY: eight numbers of 32 bits are 32 bytes, and they may lie anywhere.
    unsafe { _mm256_loadu_si256(numbers.as_ptr().cast()) }
}

#[inline]
#[target_feature(enable = "avx2")]
fn numbers(lanes: __m256i) -> [i64; 4] {
    let mut numbers = [0; 4];
    // SAFETY: four numbers of 64 bits are 32 bytes, and they may lie anywhere.
    unsafe { _mm256_storeu_si256(numbers.as_mut_ptr().cast(), lanes) };
    numbers
}
