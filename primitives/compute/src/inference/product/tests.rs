//! Every way to multiply gives the same bits.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

use alloc::{vec, vec::Vec};

use ensemble_tensor::{
    blocks::{Block, COLS},
    Kind,
};
use proptest::{collection::vec as many, prelude::*, sample::select};

#[cfg(target_arch = "x86_64")]
use super::x86::{avx2, avx512, plain};
use super::*;

/// A way to multiply: kind, columns, rows, vectors, place for each row's products with all vectors.
type Products = fn(Kind, usize, &[u8], &[Input], &mut [i64]);

/// All ways that this machine has. Those that cannot multiply a kind leave it to another.
fn ways() -> Vec<(&'static str, Products)> {
    let mut ways: Vec<(_, Products)> = vec![("portable", portable::products)];
    #[cfg(target_arch = "x86_64")]
    ways.push(("plain", plain::products));
    #[cfg(target_arch = "x86_64")]
    if avx2::is_available() {
        ways.push(("avx2", |kind, cols, data, inputs, out| {
            if !avx2::products(kind, cols, data, inputs, out) {
                portable::products(kind, cols, data, inputs, out);
            }
        }));
    }
    #[cfg(target_arch = "x86_64")]
    if avx512::is_available() {
        ways.push(("avx512", |kind, cols, data, inputs, out| {
            if !avx512::products(kind, cols, data, inputs, out) {
                portable::products(kind, cols, data, inputs, out);
            }
        }));
    }
    ways
}

/// A row's product as `docs/numerics.md` has it: elements in units of 2^-24, exactly, times mantissas.
fn exact(kind: Kind, row: &[u8], mantissas: &[i16]) -> i64 {
    let elements: Vec<i64> = row.chunks(kind.group_len() as usize).flat_map(|group| elements(kind, group)).collect();
    let sum: i128 =
        elements.iter().zip(mantissas).map(|(element, mantissa)| i128::from(*element) * i128::from(*mantissa)).sum();
    #[allow(clippy::cast_possible_truncation, reason = "modulo 2^64")]
    let sum = sum as i64;
    sum
}

fn elements(kind: Kind, group: &[u8]) -> Vec<i64> {
    match kind {
        Kind::I16 => vec![i64::from(i16::from_le_bytes(group.try_into().unwrap())) << 9],
        Kind::I32 => vec![i64::from(i32::from_le_bytes(group.try_into().unwrap())) << 4],
        _ => Block::read(kind, group).unwrap().units().to_vec(),
    }
}

const KINDS: [Kind; 5] = [Kind::Q8_0, Kind::Q4_0, Kind::Q4_1, Kind::I16, Kind::I32];

/// Finite binary16 numbers, the extremes often.
fn scale() -> impl Strategy<Value = u16> {
    let extreme = select(vec![0, 1, 0x3ff, 0x400, 0x7bff, 0x8000, 0x8001, 0x83ff, 0xfbff]);
    prop_oneof![extreme, any::<u16>().prop_map(|bits| if bits & 0x7c00 == 0x7c00 { bits & !0x400 } else { bits })]
}

/// Bytes, the extremes often.
fn byte() -> impl Strategy<Value = u8> {
    prop_oneof![select(vec![0, 0x0f, 0x7f, 0x80, 0xf0, 0xff]), any::<u8>()]
}

/// The bytes of so many groups of a kind.
fn groups(kind: Kind, count: usize) -> impl Strategy<Value = Vec<u8>> {
    let len = kind.group_len() as usize;
    let scales = match kind {
        Kind::Q8_0 | Kind::Q4_0 => 1,
        Kind::Q4_1 => 2,
        _ => 0,
    };
    (many(byte(), count * len), many(scale(), count * scales)).prop_map(move |(mut bytes, numbers)| {
        for (group, numbers) in bytes.chunks_mut(len).zip(numbers.chunks(scales.max(1))) {
            for (place, number) in group.chunks_mut(2).zip(numbers) {
                place.copy_from_slice(&number.to_le_bytes());
            }
        }
        bytes
    })
}

fn mantissas(len: usize) -> impl Strategy<Value = Vec<i16>> {
    let extreme = select(vec![-32767, -256, -255, -129, -128, -1, 0, 127, 128, 255, 256, 32767]);
    many(prop_oneof![extreme, -32767i16..=32767], len)
}

/// Kind, columns, rows, vectors.
fn case() -> impl Strategy<Value = (Kind, usize, Vec<u8>, Vec<Vec<i16>>)> {
    (select(KINDS.to_vec()), 1usize..40, 1usize..4, 1usize..4).prop_flat_map(|(kind, blocks, rows, vectors)| {
        let (cols, groups_in_row) = (blocks * COLS, blocks * COLS / kind.group_cols() as usize);
        (Just(kind), Just(cols), groups(kind, groups_in_row * rows), many(mantissas(cols), vectors))
    })
}

fn ready(vectors: &[Vec<i16>]) -> Inputs {
    Inputs::new(&vectors.iter().map(|mantissas| Vector::new(0, mantissas.clone()).unwrap()).collect::<Vec<_>>())
        .unwrap()
}

fn expected(kind: Kind, cols: usize, data: &[u8], vectors: &[Vec<i16>]) -> Vec<i64> {
    let row_len = cols / kind.group_cols() as usize * kind.group_len() as usize;
    let rows = data.chunks(row_len);
    rows.flat_map(|row| vectors.iter().map(move |mantissas| exact(kind, row, mantissas))).collect()
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(256))]

    #[test]
    fn every_way_gives_the_exact_sum((kind, cols, data, vectors) in case()) {
        let inputs = ready(&vectors);
        let expected = expected(kind, cols, &data, &vectors);
        for (name, products) in ways() {
            let mut found = vec![0; expected.len()];
            products(kind, cols, &data, inputs.vectors(), &mut found);
            prop_assert_eq!(&found, &expected, "{} by {}", kind, name);
        }
    }
}
