//! Rows times vectors: the same for any threads, any split of the rows, any number of vectors at once.

use ensemble_compute::{
    inference::{product, Error, Inputs, Rows, Vector},
    Machine,
};
use ensemble_compute_study::world::Random;
use ensemble_tensor::Kind;
use proptest::{prelude::*, sample::select};

use crate::common::MACHINES;

const KINDS: [Kind; 5] = [Kind::Q8_0, Kind::Q4_0, Kind::Q4_1, Kind::I16, Kind::I32];

/// Rows of any bytes, but with finite scales.
fn rows(kind: Kind, rows: usize, cols: usize, random: &mut Random) -> Vec<u8> {
    let len = cols / kind.group_cols() as usize * kind.group_len() as usize * rows;
    let mut bytes: Vec<u8> =
        random.order(len.max(256)).iter().take(len).map(|number| number.to_le_bytes()[0]).collect();
    if kind.group_cols() > 1 {
        for block in bytes.chunks_mut(kind.group_len() as usize) {
            block[1] &= 0xbf;
            block[3] &= 0xbf;
        }
    }
    bytes
}

fn vectors(count: usize, cols: usize, random: &mut Random) -> Vec<Vector> {
    let mut vector = || {
        #[allow(clippy::cast_possible_truncation, reason = "casts from floats saturate")]
        let numbers: Vec<_> = random.normal(1, cols).iter().map(|number| (number * 1e6) as i64).collect();
        Vector::from_exact(&numbers, -24)
    };
    (0..count).map(|_| vector()).collect()
}

/// One product after the other.
fn one_by_one(rows: &Rows<'_>, vectors: &[Vector]) -> Vec<Vec<i64>> {
    let row = |vector, row| product(rows.kind(), row, vector).unwrap();
    vectors.iter().map(|vector| rows.data().chunks(rows.row_len()).map(|bytes| row(vector, bytes)).collect()).collect()
}

fn products(rows: &Rows<'_>, vectors: &[Vector], machine: Machine) -> Vec<Vec<i64>> {
    let mut outputs = vec![Vec::new(); vectors.len()];
    rows.products(&Inputs::new(vectors).unwrap(), machine, &mut outputs).unwrap();
    outputs
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn no_machine_split_or_batch_changes_a_product(
        kind in select(KINDS.to_vec()),
        (count, blocks, batch) in (1usize..60, 1usize..40, 1usize..36),
        cuts in (0usize..60, 0usize..60),
        seed in any::<u32>(),
    ) {
        let (cols, mut random) = (blocks * 32, Random::new(seed.into()));
        let data = rows(kind, count, cols, &mut random);
        let (all, vectors) = (Rows::new(kind, cols, &data).unwrap(), vectors(batch, cols, &mut random));
        let expected = one_by_one(&all, &vectors);
        for machine in MACHINES {
            prop_assert_eq!(&products(&all, &vectors, machine), &expected, "{:?}", machine);
        }
        let (from, to) = (cuts.0.min(cuts.1).min(count), cuts.0.max(cuts.1).min(count));
        let mut outputs = vec![Vec::new(); batch];
        for range in [0..from, from..to, to..count] {
            let part = all.range(range).unwrap();
            part.products(&Inputs::new(&vectors).unwrap(), Machine::ONE_CORE, &mut outputs).unwrap();
        }
        prop_assert_eq!(outputs, expected);
    }
}

#[test]
fn many_rows_on_several_threads_are_the_same() {
    let mut random = Random::new(3);
    for (kind, batch) in [(Kind::Q8_0, 1), (Kind::Q4_1, 33)] {
        let data = rows(kind, 1001, 1056, &mut random);
        let (rows, vectors) = (Rows::new(kind, 1056, &data).unwrap(), vectors(batch, 1056, &mut random));
        let expected = products(&rows, &vectors, Machine::PORTABLE);
        for threads in [1, 2, 3, 7, 5000] {
            assert!(products(&rows, &vectors, Machine { threads, vector: true }) == expected, "{threads} threads");
        }
    }
}

#[test]
fn what_does_not_fit_is_refused() {
    let (vector, machine) = (Vector::new(0, vec![1; 32]).unwrap(), Machine::ONE_CORE);
    assert_eq!(Rows::new(Kind::Bytes, 32, &[0; 34]), Err(Error::Kind(Kind::Bytes)));
    assert_eq!(Rows::new(Kind::Bundle, 1, &[0; 34]), Err(Error::Kind(Kind::Bundle)));
    for cols in [0, 31, 33, Vector::MAX_LEN + 32] {
        assert_eq!(Rows::new(Kind::Q8_0, cols, &[0; 34]), Err(Error::Columns { kind: Kind::Q8_0, cols }));
    }
    assert_eq!(Rows::new(Kind::Q8_0, 32, &[0; 35]), Err(Error::PartialRow { len: 35, row_len: 34 }));
    let rows = Rows::new(Kind::Q8_0, 32, &[0; 68]).unwrap();
    assert_eq!((rows.len(), rows.range(1..2).unwrap().len(), rows.range(1..1).unwrap().len()), (2, 1, 0));
    assert!(rows.range(1..3).is_none() && rows.range(0..usize::MAX).is_none());
    let inputs = Inputs::new(core::slice::from_ref(&vector)).unwrap();
    let refused = rows.products(&inputs, machine, &mut [Vec::new(), Vec::new()]);
    assert_eq!(refused, Err(Error::Outputs { vectors: 1, outputs: 2 }));
    let wide = Vector::new(0, vec![1; 64]).unwrap();
    assert_eq!(Inputs::new(&[vector.clone(), wide.clone()]).unwrap_err(), Error::Mismatch { cols: 32, len: 64 });
    let mut outputs = [Vec::new()];
    let refused = rows.products(&Inputs::new(&[wide]).unwrap(), machine, &mut outputs);
    assert_eq!((refused, &outputs[0][..]), (Err(Error::Mismatch { cols: 32, len: 64 }), &[][..]));
    assert_eq!(product(Kind::Q8_0, &[0; 68], &vector), Err(Error::PartialRow { len: 68, row_len: 34 }));
    assert_eq!(product(Kind::Q8_0, &[], &vector), Err(Error::PartialRow { len: 0, row_len: 34 }));
    assert_eq!(rows.products(&Inputs::new(&[]).unwrap(), machine, &mut []), Err(Error::Mismatch { cols: 32, len: 0 }));
    assert_eq!(rows.range(0..0).unwrap().products(&inputs, machine, &mut [Vec::new()]), Ok(()));
}

#[test]
fn scales_that_are_not_finite_are_refused() {
    let vector = Vector::new(0, vec![1; 64]).unwrap();
    for (kind, places) in [(Kind::Q8_0, &[34][..]), (Kind::Q4_0, &[18]), (Kind::Q4_1, &[20, 22])] {
        for place in places {
            for bits in [0x7c00u16, 0xfc00, 0x7c01, 0xffff] {
                let mut row = vec![0; 2 * kind.group_len() as usize];
                row[*place..place + 2].copy_from_slice(&bits.to_le_bytes());
                let error = Error::Tensor(ensemble_tensor::Error::ScaleNotFinite { row: 0, block: 1 });
                assert_eq!(product(kind, &row, &vector), Err(error), "{kind}");
            }
        }
    }
}
