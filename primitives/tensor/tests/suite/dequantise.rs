//! Blocks as integers and as floating point.

use ensemble_tensor::{
    blocks::{Block, Dyadic},
    quantise::dequantise_row,
    Error, Kind,
};
use half::f16;
use proptest::{collection::vec, prelude::*};

/// 2^24.
const UNITS: f64 = 16_777_216.0;

#[test]
fn every_binary16_number_is_an_integer_times_a_power_of_two() {
    for bits in 0..=u16::MAX {
        let number = f16::from_bits(bits);
        let dyadic = Dyadic::from_f16(bits);
        assert_eq!(dyadic.is_some(), number.is_finite(), "{bits:#06x}");
        let Some(dyadic) = dyadic else { continue };
        assert!(dyadic.mantissa().abs() <= 2047 && (-24..=5).contains(&dyadic.exponent()));
        assert_eq!(f64::from(dyadic.mantissa()) * f64::from(dyadic.exponent()).exp2(), number.to_f64());
        assert_eq!(dyadic.units() as f64, number.to_f64() * UNITS);
    }
}

#[test]
fn other_bytes_are_no_block() {
    for (kind, len) in [(Kind::Q8_0, 34), (Kind::Q4_0, 18), (Kind::Q4_1, 20)] {
        assert!(Block::read(kind, &vec![0; len]).is_some());
        assert_eq!(Block::read(kind, &vec![0; len - 1]), None);
        assert_eq!(Block::read(kind, &vec![0; len + 1]), None);
        assert_eq!(Block::read(kind, &vec![0xff; len]), None, "the scale is no number");
        assert_eq!(Block::read(kind, &[]), None);
    }
    for kind in [Kind::Bytes, Kind::Bundle, Kind::I16, Kind::I32] {
        assert_eq!(Block::read(kind, &[0; 34]), None);
    }
}

#[test]
fn what_cannot_be_dequantised_is_named() {
    let dequantise = |kind, bytes: &[u8]| dequantise_row(kind, 4, bytes, &mut Vec::new());
    assert_eq!(dequantise(Kind::I16, &[0; 34]), Err(Error::NotBlocks(Kind::I16)));
    assert_eq!(dequantise(Kind::Q8_0, &[0; 67]), Err(Error::InvalidBlock { row: 4, block: 1 }));
    assert_eq!(dequantise(Kind::Q4_0, &[0xff; 18]), Err(Error::InvalidBlock { row: 4, block: 0 }));
}

/// The elements of a block by the formulas, in double precision, where all of them are exact.
fn elements(kind: Kind, block: &[u8]) -> Vec<f64> {
    let number = |at: usize| f16::from_le_bytes([block[at], block[at + 1]]).to_f64();
    let nibbles = |from: usize| {
        let bytes = &block[from..];
        bytes.iter().map(|byte| byte & 15).chain(bytes.iter().map(|byte| byte >> 4)).map(f64::from).collect::<Vec<_>>()
    };
    match kind {
        Kind::Q8_0 => block[2..].iter().map(|quant| number(0) * f64::from(quant.cast_signed())).collect(),
        Kind::Q4_0 => nibbles(2).into_iter().map(|nibble| number(0) * (nibble - 8.0)).collect(),
        Kind::Q4_1 => nibbles(4).into_iter().map(|nibble| number(0) * nibble + number(2)).collect(),
        _ => unreachable!("no block format"),
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(2000))]

    #[test]
    fn integers_and_floats_are_what_the_formulas_say(kind in 4usize..7, bytes in vec(any::<u8>(), 34)) {
        let kind = Kind::ALL[kind];
        let bytes = &bytes[..kind.group_len() as usize];
        let Some(block) = Block::read(kind, bytes) else { return Ok(()) };
        let mut floats = Vec::new();
        dequantise_row(kind, 0, bytes, &mut floats).unwrap();
        let expected = elements(kind, bytes);
        for ((units, float), expected) in block.units().into_iter().zip(floats).zip(expected) {
            prop_assert_eq!(units as f64, expected * UNITS);
            #[expect(clippy::cast_possible_truncation, reason = "rounds to the nearest, as it should")]
            let nearest = expected as f32;
            prop_assert_eq!(float, nearest);
            if kind != Kind::Q4_1 {
                prop_assert_eq!(f64::from(float), expected, "exact");
            }
        }
    }
}
