//! Products with AVX-512 and VNNI, whose one instruction multiplies 64 pairs of bytes, one of them without a sign, and
//! adds each four neighbouring products to a sum of 32 bits.
//!
//! A mantissa is a high byte with a sign and a low one without, so that `mantissa = 256 * high + low`. The low byte is
//! multiplied by the quant as it is. The high byte is multiplied by the quant without a sign: nibbles have none, and
//! for 8-bit quants it is `quant + 128`, with 128 times the block's sum of high bytes taken away afterwards. What the
//! formats add to all elements of a block is multiplied by its sum of mantissas.
//!
//! Rows are taken in **groups** of 16 blocks, and these in **quads** of four. The instruction gets 16 bytes of each
//! block of a quad, so that each block has four of the 16 partial sums; those of four quads are transposed and added,
//! which leaves one sum for each block of the group. Then 16 scales are read and multiplied at once, in 64 bits.

// The workspace denies unsafe code. Here it loads bytes into vector registers, and calls what is compiled for
// instructions that the machine was asked for.
#![allow(unsafe_code)]

use alloc::vec::Vec;
use core::arch::x86_64::*;

use ensemble_tensor::{blocks::COLS, Kind};

use crate::inference::product::inputs::Input;

/// Blocks in a quad.
const QUAD: usize = 4;
/// Quads in a group.
const QUADS: usize = 4;
/// Elements in a group.
const GROUP: usize = QUADS * QUAD * COLS;
/// Bytes of a quad.
const Q8_0: usize = 34 * QUAD;
const Q4_0: usize = 18 * QUAD;
const Q4_1: usize = 20 * QUAD;

/// The part of a vector that a group of blocks is multiplied by, filled up with zeros.
#[derive(Clone, Copy, Debug)]
#[repr(C, align(64))]
pub struct Group {
    /// High bytes of mantissas: for each quad the first halves of its four blocks, then the second halves.
    high: [[Halves<i8>; 2]; QUADS],
    /// Low bytes, in the same order.
    low: [[Halves<u8>; 2]; QUADS],
    /// Sums of mantissas, in the order of [`reduce`].
    sums: [i32; QUADS * QUAD],
    /// 2^15 times the sums of high bytes, in the same order.
    excess: [i32; QUADS * QUAD],
}

/// Halves of the four blocks of a quad.
type Halves<T> = [[T; COLS / 2]; QUAD];

/// Whether this machine has the instructions.
pub fn is_available() -> bool {
    is_x86_feature_detected!("avx512f")
        && is_x86_feature_detected!("avx512bw")
        && is_x86_feature_detected!("avx512dq")
        && is_x86_feature_detected!("avx512vl")
        && is_x86_feature_detected!("avx512vnni")
}

/// A vector in groups.
pub fn groups(mantissas: &[i16]) -> Vec<Group> {
    mantissas.chunks(GROUP).map(Group::new).collect()
}

impl Group {
    fn new(mantissas: &[i16]) -> Self {
        let mut group = Self {
            high: [[[[0; COLS / 2]; QUAD]; 2]; QUADS],
            low: [[[[0; COLS / 2]; QUAD]; 2]; QUADS],
            sums: [0; QUADS * QUAD],
            excess: [0; QUADS * QUAD],
        };
        let (halves, blocks) = (mantissas.as_chunks().0, mantissas.as_chunks().0);
        let high = group.high.as_flattened_mut().as_flattened_mut();
        let low = group.low.as_flattened_mut().as_flattened_mut();
        for (place, (high, low)) in high.iter_mut().zip(low).enumerate() {
            let (quad, half, block) = (place / (2 * QUAD), place / QUAD % 2, place % QUAD);
            if let Some(mantissas) = halves.get((quad * QUAD + block) * 2 + half) {
                *high = high_bytes(mantissas);
                *low = mantissas.map(|mantissa| mantissa.to_le_bytes()[0]);
            }
        }
        for (lane, (sum, excess)) in group.sums.iter_mut().zip(&mut group.excess).enumerate() {
            if let Some(mantissas) = blocks.get(lane % QUADS * QUAD + lane / QUADS) {
                *sum = add(mantissas.map(i32::from));
                *excess = add(high_bytes::<COLS>(mantissas).map(i32::from)) << 15;
            }
        }
        group
    }
}

fn high_bytes<const COUNT: usize>(mantissas: &[i16; COUNT]) -> [i8; COUNT] {
    mantissas.map(|mantissa| mantissa.to_le_bytes()[1].cast_signed())
}

/// Sums of 32 numbers of 16 bits.
fn add(numbers: [i32; COLS]) -> i32 {
    numbers.into_iter().fold(0, i32::wrapping_add)
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

/// Vectors that are multiplied at once: so many groups stay in the nearest cache.
const VECTORS: usize = 16;
/// Rows that they are multiplied by meanwhile.
const ROWS: usize = 8;

#[target_feature(enable = "avx512f,avx512bw,avx512dq,avx512vl,avx512vnni")]
fn rows<const LEN: usize>(cols: usize, data: &[u8], inputs: &[Input], out: &mut [i64]) {
    let row_len = cols / COLS * (LEN / QUAD);
    if let [input] = inputs {
        for (row, out) in data.chunks_exact(row_len).zip(out) {
            *out = one::<LEN>(row, &input.groups);
        }
        return;
    }
    for (data, out) in data.chunks(ROWS * row_len).zip(out.chunks_mut(ROWS * inputs.len())) {
        for (place, some) in inputs.chunks(VECTORS).enumerate() {
            let sums = several::<LEN>(row_len, data, some);
            for (sums, out) in sums.iter().zip(out.chunks_mut(inputs.len())) {
                for (sum, out) in sums.iter().zip(out.iter_mut().skip(place * VECTORS).take(some.len())) {
                    *out = _mm512_reduce_add_epi64(*sum);
                }
            }
        }
    }
}

/// A row times a vector.
#[inline]
#[target_feature(enable = "avx512f,avx512bw,avx512dq,avx512vl,avx512vnni")]
fn one<const LEN: usize>(row: &[u8], groups: &[Group]) -> i64 {
    let mut sum = _mm512_setzero_si512();
    let (whole, tail) = split::<LEN>(row);
    for (quads, group) in whole.iter().zip(groups) {
        sum = _mm512_add_epi64(sum, Blocks::<LEN>::read(quads).times(group));
    }
    if let (Some(group), false) = (groups.get(whole.len()), tail.is_empty()) {
        sum = _mm512_add_epi64(sum, Blocks::<LEN>::read_some(tail).times(group));
    }
    _mm512_reduce_add_epi64(sum)
}

/// At most [`ROWS`] rows times at most [`VECTORS`] vectors: eight sums for each product.
#[inline]
#[target_feature(enable = "avx512f,avx512bw,avx512dq,avx512vl,avx512vnni")]
fn several<const LEN: usize>(row_len: usize, data: &[u8], inputs: &[Input]) -> [[__m512i; VECTORS]; ROWS] {
    let mut sums = [[_mm512_setzero_si512(); VECTORS]; ROWS];
    for place in 0..inputs.first().map_or(0, |input| input.groups.len()) {
        for (row, sums) in data.chunks_exact(row_len).zip(&mut sums) {
            let (whole, tail) = split::<LEN>(row);
            let blocks = match whole.get(place) {
                Some(quads) => Blocks::<LEN>::read(quads),
                None => Blocks::<LEN>::read_some(tail),
            };
            for (sum, input) in sums.iter_mut().zip(inputs) {
                if let Some(group) = input.groups.get(place) {
                    *sum = _mm512_add_epi64(*sum, blocks.times(group));
                }
            }
        }
    }
    sums
}

/// The groups of a row, and what is less than a group at its end.
#[inline]
fn split<const LEN: usize>(row: &[u8]) -> (&[[[u8; LEN]; QUADS]], &[u8]) {
    let (groups, _) = row.as_chunks::<LEN>().0.as_chunks::<QUADS>();
    (groups, row.get(groups.len() * QUADS * LEN..).unwrap_or_default())
}

/// A group of a row, ready to be multiplied.
#[derive(Clone, Copy)]
struct Blocks<const LEN: usize> {
    quads: [Quad; QUADS],
    /// Quads that are not empty.
    count: usize,
    scale: Scale,
    minimum: Scale,
}

/// The quants of a quad: first halves of its four blocks, then second halves.
#[derive(Clone, Copy)]
struct Quad(__m512i, __m512i);

impl Quad {
    #[inline]
    #[target_feature(enable = "avx512f,avx512bw,avx512dq,avx512vl,avx512vnni")]
    fn zero() -> Self {
        Self(_mm512_setzero_si512(), _mm512_setzero_si512())
    }
}

impl<const LEN: usize> Blocks<LEN> {
    #[inline]
    #[target_feature(enable = "avx512f,avx512bw,avx512dq,avx512vl,avx512vnni")]
    fn read(quads: &[[u8; LEN]; QUADS]) -> Self {
        Self::read_quads(quads.each_ref().map(<[u8; LEN]>::as_slice), QUADS)
    }

    /// Less than a group.
    #[inline]
    #[target_feature(enable = "avx512f,avx512bw,avx512dq,avx512vl,avx512vnni")]
    fn read_some(bytes: &[u8]) -> Self {
        let mut quads = bytes.chunks(LEN);
        let mut next = || quads.next().unwrap_or_default();
        Self::read_quads([next(), next(), next(), next()], bytes.len().div_ceil(LEN))
    }

    /// So many quads, the last of which may have less than four blocks, and then empty ones.
    #[inline]
    #[target_feature(enable = "avx512f,avx512bw,avx512dq,avx512vl,avx512vnni")]
    fn read_quads([first, second, third, fourth]: [&[u8]; QUADS], count: usize) -> Self {
        let mut bits = Self::scales(_mm512_setzero_si512(), 0x1111, first);
        let mut quads = [Self::quants(first), Quad::zero(), Quad::zero(), Quad::zero()];
        if count > 1 {
            bits = Self::scales(bits, 0x2222, second);
            quads[1] = Self::quants(second);
        }
        if count > 2 {
            bits = Self::scales(bits, 0x4444, third);
            quads[2] = Self::quants(third);
        }
        if count > 3 {
            bits = Self::scales(bits, 0x8888, fourth);
            quads[3] = Self::quants(fourth);
        }
        let (scale, minimum) = match LEN {
            Q4_1 => (_mm512_and_si512(bits, _mm512_set1_epi32(0xffff)), _mm512_srli_epi32::<16>(bits)),
            _ => (bits, _mm512_setzero_si512()),
        };
        Self { quads, count, scale: Scale::read(scale), minimum: Scale::read(minimum) }
    }

    #[inline]
    #[target_feature(enable = "avx512f,avx512bw,avx512dq,avx512vl,avx512vnni")]
    fn quants(quad: &[u8]) -> Quad {
        if LEN == Q8_0 {
            let left = _mm512_inserti64x4::<1>(_mm512_castsi256_si512(load_256(quad, 2)), load_256(quad, 36));
            let right = _mm512_inserti64x4::<1>(_mm512_castsi256_si512(load_256(quad, 70)), load_256(quad, 104));
            return Quad(
                _mm512_shuffle_i64x2::<0b1000_1000>(left, right),
                _mm512_shuffle_i64x2::<0b1101_1101>(left, right),
            );
        }
        let (block, first) = (LEN / QUAD, LEN / QUAD - 16);
        let bytes = _mm512_castsi128_si512(load_128(quad, first));
        let bytes = _mm512_inserti32x4::<1>(bytes, load_128(quad, first + block));
        let bytes = _mm512_inserti32x4::<2>(bytes, load_128(quad, first + 2 * block));
        let bytes = _mm512_inserti32x4::<3>(bytes, load_128(quad, first + 3 * block));
        let nibble = _mm512_set1_epi8(15);
        Quad(_mm512_and_si512(bytes, nibble), _mm512_and_si512(_mm512_srli_epi16::<4>(bytes), nibble))
    }

    /// Puts the scales of a quad into the lanes of `bits` that `lanes` names.
    #[inline]
    #[target_feature(enable = "avx512f,avx512bw,avx512dq,avx512vl,avx512vnni")]
    fn scales(bits: __m512i, lanes: u16, quad: &[u8]) -> __m512i {
        let start = load_512(quad, 0);
        if LEN == Q4_1 {
            let places = _mm512_setr_epi32(0, 0, 0, 0, 5, 5, 5, 5, 10, 10, 10, 10, 15, 15, 15, 15);
            return _mm512_mask_permutexvar_epi32(bits, lanes, places, start);
        }
        let found = if LEN == Q8_0 {
            let places = _mm512_setr_epi32(0, 0, 0, 0, 17, 17, 17, 17, 34, 34, 34, 34, 51, 51, 51, 51);
            _mm512_permutex2var_epi16(start, places, load_512(quad, 64))
        } else {
            let places = _mm512_setr_epi32(0, 0, 0, 0, 9, 9, 9, 9, 18, 18, 18, 18, 27, 27, 27, 27);
            _mm512_permutexvar_epi16(places, start)
        };
        // The upper half of each lane is a scale too, of no use.
        let found = _mm512_and_si512(found, _mm512_set1_epi32(0xffff));
        _mm512_mask_blend_epi32(lanes, bits, found)
    }

    /// Eight sums that make up the product together.
    #[inline]
    #[target_feature(enable = "avx512f,avx512bw,avx512dq,avx512vl,avx512vnni")]
    fn times(&self, group: &Group) -> __m512i {
        let ([first, second, third, fourth], high, low) = (&self.quads, &group.high, &group.low);
        let mut sums = [_mm512_setzero_si512(); QUADS];
        sums[0] = Self::quad(first, &high[0], &low[0]);
        if self.count > 1 {
            sums[1] = Self::quad(second, &high[1], &low[1]);
        }
        if self.count > 2 {
            sums[2] = Self::quad(third, &high[2], &low[2]);
        }
        if self.count > 3 {
            sums[3] = Self::quad(fourth, &high[3], &low[3]);
        }
        let sum = reduce(sums);
        let whole = lanes(&group.sums);
        match LEN {
            Q8_0 => self.scale.times(_mm512_sub_epi32(sum, lanes(&group.excess))),
            Q4_0 => self.scale.times(_mm512_sub_epi32(sum, _mm512_slli_epi32::<3>(whole))),
            _ => _mm512_add_epi64(self.scale.times(sum), self.minimum.times(whole)),
        }
    }

    /// Four sums for each block of a quad.
    #[inline]
    #[target_feature(enable = "avx512f,avx512bw,avx512dq,avx512vl,avx512vnni")]
    fn quad(Quad(first, second): &Quad, high: &[Halves<i8>; 2], low: &[Halves<u8>; 2]) -> __m512i {
        let sum = _mm512_dpbusd_epi32(_mm512_setzero_si512(), Self::unsigned(*first), bytes(&high[0]));
        let sum = _mm512_dpbusd_epi32(sum, Self::unsigned(*second), bytes(&high[1]));
        let sum = _mm512_dpbusd_epi32(_mm512_slli_epi32::<8>(sum), bytes(&low[0]), *first);
        _mm512_dpbusd_epi32(sum, bytes(&low[1]), *second)
    }

    /// Quants without a sign: 8-bit ones with 128 added.
    #[inline]
    #[target_feature(enable = "avx512f,avx512bw,avx512dq,avx512vl,avx512vnni")]
    fn unsigned(quants: __m512i) -> __m512i {
        match LEN {
            Q8_0 => _mm512_xor_si512(quants, _mm512_set1_epi8(i8::MIN)),
            _ => quants,
        }
    }
}

/// 16 binary16 numbers: `mantissa * 2^shift` in units of 2^-24; even lanes as they are, odd ones shifted down.
#[derive(Clone, Copy)]
struct Scale {
    mantissas: [__m512i; 2],
    shifts: [__m512i; 2],
}

impl Scale {
    /// Reads 16 bits in each lane of 32. Infinities are read as if they were numbers.
    #[inline]
    #[target_feature(enable = "avx512f,avx512bw,avx512dq,avx512vl,avx512vnni")]
    fn read(bits: __m512i) -> Self {
        let one = _mm512_set1_epi32(1);
        let field = _mm512_and_si512(_mm512_srli_epi32::<10>(bits), _mm512_set1_epi32(31));
        let fraction = _mm512_and_si512(bits, _mm512_set1_epi32(1023));
        let normal = _mm512_test_epi32_mask(field, field);
        let magnitude = _mm512_mask_or_epi32(fraction, normal, fraction, _mm512_set1_epi32(1024));
        let negative = _mm512_test_epi32_mask(bits, _mm512_set1_epi32(1 << 15));
        let mantissa = _mm512_mask_sub_epi32(magnitude, negative, _mm512_setzero_si512(), magnitude);
        let shift = _mm512_sub_epi32(_mm512_max_epi32(field, one), one);
        Self {
            mantissas: [mantissa, _mm512_srli_epi64::<32>(mantissa)],
            shifts: [_mm512_and_si512(shift, even()), _mm512_srli_epi64::<32>(shift)],
        }
    }

    /// The products with 16 sums, added up to eight, modulo 2^64.
    #[inline]
    #[target_feature(enable = "avx512f,avx512bw,avx512dq,avx512vl,avx512vnni")]
    fn times(&self, sums: __m512i) -> __m512i {
        let ([even, odd], [even_shift, odd_shift]) = (self.mantissas, self.shifts);
        let even = _mm512_sllv_epi64(_mm512_mul_epi32(even, sums), even_shift);
        let odd = _mm512_sllv_epi64(_mm512_mul_epi32(odd, _mm512_srli_epi64::<32>(sums)), odd_shift);
        _mm512_add_epi64(even, odd)
    }
}

/// From the four partial sums of each block of four quads the blocks' sums: lane `4 * block + quad`.
#[inline]
#[target_feature(enable = "avx512f,avx512bw,avx512dq,avx512vl,avx512vnni")]
fn reduce([first, second, third, fourth]: [__m512i; QUADS]) -> __m512i {
    let left = _mm512_add_epi32(_mm512_unpacklo_epi32(first, second), _mm512_unpackhi_epi32(first, second));
    let right = _mm512_add_epi32(_mm512_unpacklo_epi32(third, fourth), _mm512_unpackhi_epi32(third, fourth));
    _mm512_add_epi32(_mm512_unpacklo_epi64(left, right), _mm512_unpackhi_epi64(left, right))
}

/// All ones in every other lane of 32 bits.
#[inline]
#[target_feature(enable = "avx512f")]
fn even() -> __m512i {
    _mm512_set1_epi64(0xffff_ffff)
}

/// 64 bytes, or as many as there are and then zeros.
#[inline]
#[target_feature(enable = "avx512f,avx512bw")]
fn load_512(bytes: &[u8], from: usize) -> __m512i {
    let bytes = bytes.get(from..).unwrap_or_default();
    if bytes.len() >= 64 {
        // SAFETY: there are 64 bytes, and they may lie anywhere.
        return unsafe { _mm512_loadu_si512(bytes.as_ptr().cast()) };
    }
    // SAFETY: only the bytes that there are are read; they may lie anywhere.
    unsafe { _mm512_maskz_loadu_epi8((1 << bytes.len()) - 1, bytes.as_ptr().cast()) }
}

/// 32 bytes, or zeros if there are less.
#[inline]
#[target_feature(enable = "avx512f")]
fn load_256(bytes: &[u8], from: usize) -> __m256i {
    match bytes.get(from..).and_then(<[u8]>::first_chunk::<32>) {
        // SAFETY: there are 32 bytes, and they may lie anywhere.
        Some(bytes) => unsafe { _mm256_loadu_si256(bytes.as_ptr().cast()) },
        None => _mm256_setzero_si256(),
    }
}

/// 16 bytes, or zeros if there are less.
#[inline]
#[target_feature(enable = "avx512f")]
fn load_128(bytes: &[u8], from: usize) -> __m128i {
    match bytes.get(from..).and_then(<[u8]>::first_chunk::<16>) {
        // SAFETY: there are 16 bytes, and they may lie anywhere.
        Some(bytes) => unsafe { _mm_loadu_si128(bytes.as_ptr().cast()) },
        None => _mm_setzero_si128(),
    }
}

/// A plane of a [`Group`].
#[inline]
#[target_feature(enable = "avx512f")]
fn bytes<T>(bytes: &Halves<T>) -> __m512i {
    const { assert!(size_of::<Halves<T>>() == 64) };
    // SAFETY: there are 64 bytes, and they may lie anywhere.
    unsafe { _mm512_loadu_si512(bytes.as_ptr().cast()) }
}

#[inline]
#[target_feature(enable = "avx512f")]
fn lanes(numbers: &[i32; 16]) -> __m512i {
    // SAFETY: 16 numbers of 32 bits are 64 bytes, and they may lie anywhere.
    unsafe { _mm512_loadu_si512(numbers.as_ptr().cast()) }
}
