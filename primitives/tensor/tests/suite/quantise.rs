//! Quantisation: the documented error bound, determinism, and what happens when it is done again.

use ensemble_tensor::{
    quantise::{dequantise_row, quantise_row},
    Error, Float, Kind,
};
use half::f16;
use proptest::{array::uniform32, prelude::*};

/// 2^-14, the smallest binary16 number of full precision.
const SMALLEST_NORMAL: f64 = 1.0 / 16_384.0;
/// 127 * 2^-25: how far an element may be off where the scale is less than that.
const SUBNORMAL_BOUND: f64 = 127.0 / 33_554_432.0;
/// From here on a number has no scale.
const LIMIT: f32 = 8_321_040.0;

fn bytes(block: &[f32]) -> Vec<u8> {
    block.iter().flat_map(|element| element.to_le_bytes()).collect()
}

fn quantise(block: &[f32]) -> Result<Vec<u8>, Error> {
    let mut out = Vec::new();
    quantise_row(Float::F32, 0, &bytes(block), &mut out).map(|()| out)
}

fn dequantise(blocks: &[u8]) -> Vec<f32> {
    let mut out = Vec::new();
    dequantise_row(Kind::Q8_0, 0, blocks, &mut out).unwrap();
    out
}

fn scale(block: &[u8]) -> f64 {
    f16::from_le_bytes([block[0], block[1]]).to_f64()
}

/// Any number that can be quantised, by its bits: all magnitudes are equally likely.
fn elements() -> impl Strategy<Value = f32> {
    (0..LIMIT.to_bits(), any::<bool>()).prop_map(|(bits, negative)| {
        let magnitude = f32::from_bits(bits);
        if negative {
            -magnitude
        } else {
            magnitude
        }
    })
}

/// A block of numbers of one order of magnitude, as a real matrix has.
fn blocks() -> impl Strategy<Value = [f32; 32]> {
    let even = (-45i32..22, uniform32(-1f32..1f32)).prop_map(|(power, block)| block.map(|x| x * (power as f32).exp2()));
    prop_oneof![even, uniform32(elements())]
}

/// A block whose largest element is of a magnitude at which scales lose precision.
fn tiny_blocks() -> impl Strategy<Value = [f32; 32]> {
    (1e-9f32..1e-2, uniform32(-1f32..1f32)).prop_map(|(size, block)| block.map(|x| x * size))
}

/// Differences and halves below are exact or rounded once, in double precision: rounding keeps the order, so that a
/// bound that holds exactly also holds for them.
fn check_bound(block: &[f32; 32]) -> Result<(), TestCaseError> {
    let encoded = quantise(block).unwrap();
    let step = scale(&encoded);
    let bound = if step >= SMALLEST_NORMAL { step / 2.0 } else { SUBNORMAL_BOUND.max(step / 2.0) };
    for (element, restored) in block.iter().zip(dequantise(&encoded)) {
        let error = (f64::from(*element) - f64::from(restored)).abs();
        prop_assert!(error <= bound, "{element} became {restored}, the scale is {step}");
    }
    Ok(())
}

#[test]
fn limits_of_magnitude_are_exact() {
    let mut block = [0.0; 32];
    block[7] = -f32::from_bits(LIMIT.to_bits() - 1);
    assert_eq!(scale(&quantise(&block).unwrap()), 65_504.0);
    block[7] = -LIMIT;
    assert_eq!(quantise(&block), Err(Error::TooLarge { row: 0, col: 7 }));
    block[7] = f32::MAX;
    assert_eq!(quantise(&block), Err(Error::TooLarge { row: 0, col: 7 }));
}

#[test]
fn what_is_no_number_is_named_by_its_place() {
    for flaw in [f32::INFINITY, f32::NEG_INFINITY, f32::NAN, -f32::NAN] {
        let mut row = [1.0; 96];
        row[70] = flaw;
        let mut out = Vec::new();
        let error = quantise_row(Float::F32, 5, &bytes(&row), &mut out).unwrap_err();
        assert_eq!(error, Error::NotFinite { row: 5, col: 70 });
    }
}

#[test]
fn rows_have_to_fill_blocks() {
    let error = Error::PartialBlock { kind: Kind::Q8_0, cols: 31 };
    assert_eq!(quantise(&[0.0; 31]), Err(error.clone()));
    assert_eq!(quantise_row(Float::F16, 0, &[0; 63], &mut Vec::new()), Err(error));
    assert_eq!(quantise(&[]), Err(Error::Empty { rows: 1, cols: 0 }));
    let (len, limit) = (30_841 * 34, 1 << 20);
    assert_eq!(quantise(&vec![0.0; 30_841 * 32]), Err(Error::RowTooLong { len, limit }));
}

#[test]
fn zeros_become_zeros() {
    assert_eq!(quantise(&[0.0; 32]).unwrap(), [0; 34]);
    assert_eq!(quantise(&[-0.0; 32]).unwrap(), [0; 34]);
    assert_eq!(quantise(&[f32::from_bits(1); 32]).unwrap(), [0; 34]);
}

#[test]
fn a_subnormal_scale_may_change_when_quantised_again() {
    // The scale is 1.5 units of 2^-24, which is stored as 2; the largest quant, 95, then asks for 1.496, stored as 1.
    let unit = 1.0 / 16_777_216.0;
    let mut block = [0.0; 32];
    block[0] = 127.0 * 1.5 * unit;
    let first = quantise(&block).unwrap();
    let second = quantise(&dequantise(&first)).unwrap();
    assert_eq!((&first[..3], &second[..3]), (&[2, 0, 95][..], &[1, 0, 127][..]));
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(2000))]

    #[test]
    fn the_error_is_bounded_as_documented(block in blocks()) {
        check_bound(&block)?;
    }

    #[test]
    fn the_error_of_tiny_numbers_is_bounded_as_documented(block in tiny_blocks()) {
        check_bound(&block)?;
    }

    #[test]
    fn the_scale_is_the_nearest(block in blocks()) {
        let encoded = quantise(&block).unwrap();
        let largest = block.iter().fold(0f64, |largest, element| largest.max(f64::from(element.abs())));
        let bits = u16::from_le_bytes([encoded[0], encoded[1]]);
        let distance = |bits: u16| (f16::from_bits(bits).to_f64() * 127.0 - largest).abs();
        prop_assert!(bits == 0 || distance(bits) <= distance(bits - 1));
        prop_assert!(distance(bits) <= distance(bits + 1));
    }

    #[test]
    fn a_block_of_full_precision_holds_127_and_stays_the_same_when_quantised_again(block in blocks()) {
        let encoded = quantise(&block).unwrap();
        prop_assume!(scale(&encoded) >= SMALLEST_NORMAL);
        let largest = encoded[2..].iter().map(|quant| quant.cast_signed().unsigned_abs()).max();
        prop_assert_eq!(largest, Some(127));
        prop_assert_eq!(quantise(&dequantise(&encoded)).unwrap(), encoded);
    }

    #[test]
    fn any_block_with_127_and_a_positive_scale_stays_the_same_when_quantised_again(
        scale in 1u16..0x7c00,
        mut quants in uniform32(-127i8..=127),
        at in 0usize..32,
        negative: bool,
    ) {
        quants[at] = if negative { -127 } else { 127 };
        let block = [&scale.to_le_bytes()[..], &quants.map(i8::cast_unsigned)].concat();
        prop_assert_eq!(quantise(&dequantise(&block)).unwrap(), block);
    }

    #[test]
    fn signs_are_kept_and_order_does_not_matter(mut block in blocks(), turn in 0usize..32) {
        let encoded = quantise(&block).unwrap();
        block.rotate_left(turn);
        let mut turned = quantise(&block).unwrap();
        turned[2..].rotate_right(turn);
        prop_assert_eq!(&turned, &encoded);
        block.rotate_right(turn);
        let negated = quantise(&block.map(|element| -element)).unwrap();
        prop_assert_eq!(&negated[..2], &encoded[..2]);
        for (quant, negated) in encoded[2..].iter().zip(&negated[2..]) {
            prop_assert_eq!(quant.cast_signed(), -negated.cast_signed());
        }
    }

    #[test]
    fn binary16_and_the_same_numbers_in_binary32_give_the_same_blocks(bits in uniform32(any::<u16>())) {
        let numbers = bits.map(f16::from_bits);
        let narrow: Vec<u8> = numbers.iter().flat_map(|number| number.to_le_bytes()).collect();
        let wide = bytes(&numbers.map(f16::to_f32));
        let (mut from_narrow, mut from_wide) = (Vec::new(), Vec::new());
        let results = (
            quantise_row(Float::F16, 3, &narrow, &mut from_narrow),
            quantise_row(Float::F32, 3, &wide, &mut from_wide),
        );
        prop_assert_eq!(&results.0, &results.1);
        prop_assert_eq!(results.0.is_ok(), numbers.iter().all(|number| number.is_finite()));
        prop_assert_eq!(from_narrow, from_wide);
    }

    #[test]
    fn a_row_is_its_blocks_one_after_the_other(first in blocks(), second in blocks()) {
        let row = [first, second].concat();
        prop_assert_eq!(quantise(&row).unwrap(), [quantise(&first).unwrap(), quantise(&second).unwrap()].concat());
    }

    #[test]
    fn any_bits_are_quantised_or_refused(bits in uniform32(any::<u32>())) {
        let block = bits.map(f32::from_bits);
        let acceptable = block.iter().all(|element| element.abs() < LIMIT);
        prop_assert_eq!(quantise(&block).is_ok(), acceptable);
    }
}
