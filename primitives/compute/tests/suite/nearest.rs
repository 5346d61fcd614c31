//! Look-up.

use ensemble_compute::{
    aggregation::{
        nearest::{Index, Neighbour},
        Error,
    },
    Machine,
};
use ndarray::{array, Array1, Array2};
use proptest::{collection::vec, prelude::*};

use crate::common::MACHINES;

/// The same on every machine.
fn nearest(table: &Array2<i16>, vector: &[i16], count: usize) -> Result<Vec<Neighbour>, Error> {
    let found = MACHINES.map(|machine| Index::new(table.clone(), machine)?.nearest(vector, count, machine));
    let [first, others @ ..] = found;
    for other in others {
        assert_eq!(other, first);
    }
    first
}

#[test]
fn equal_cosines_come_by_row() {
    let table = array![[2i16, 2], [1, 0], [7, 7], [0, 0], [-1, -1], [1, 1]];
    let found = nearest(&table, &[3, 3], 6).unwrap();
    assert_eq!(found.iter().map(|found| found.row).collect::<Vec<_>>(), [0, 2, 5, 1, 3, 4]);
    let one = 1 << 30;
    let cosines: Vec<_> = found.iter().map(|found| found.cosine).collect();
    assert_eq!(cosines[..3], [one; 3]);
    assert_eq!((cosines[4], cosines[5]), (0, -one));
}

#[test]
fn short_rows_have_exact_cosines_too() {
    let found = nearest(&array![[1i16, 1], [0, 1]], &[1, 2], 2).unwrap();
    // 3 / sqrt(10) and 2 / sqrt(5).
    assert_eq!(found.iter().map(|found| found.cosine).collect::<Vec<_>>(), [1_018_640_934, 960_383_883]);
}

#[test]
fn vectors_of_another_length_are_refused() {
    let table: Array2<i16> = Array2::zeros((3, 2));
    assert_eq!(nearest(&table, &[1], 1), Err(Error::Mismatch));
    assert_eq!(nearest(&table, &[1, 2, 3], 1), Err(Error::Mismatch));
    assert_eq!(nearest(&table, &[1, 2], 0), Ok(vec![]));
}

#[test]
fn tables_are_read_by_rows_whatever_their_order_in_memory() {
    let table = array![[1i16, 2, 3], [-3, 2, i16::MIN]];
    let turned = table.t().as_standard_layout().into_owned().reversed_axes();
    assert!(!turned.is_standard_layout());
    assert_eq!(nearest(&turned, &[1, 1, 1], 2), nearest(&table, &[1, 1, 1], 2));
    let wide: Array2<i16> = Array2::zeros((1, 1025));
    assert!(Index::new(wide, Machine::PORTABLE).is_err());
    let index = Index::new(table, Machine::PORTABLE).unwrap();
    assert_eq!((index.table().dim(), index.bytes()), ((2, 3), 28));
}

#[test]
fn the_largest_products_do_not_overflow() {
    let table = Array2::from_elem((2, 1024), i16::MIN);
    let found = nearest(&table, &[i16::MIN; 1024], 2).unwrap();
    assert_eq!(found.iter().map(|found| (found.row, found.cosine)).collect::<Vec<_>>(), [(0, 1 << 30), (1, 1 << 30)]);
}

proptest! {
    #[test]
    fn the_nearest_have_the_largest_cosines(
        numbers in vec(any::<i16>(), 40 * 5),
        vector in vec(any::<i16>(), 5),
        count in 0usize..50,
    ) {
        let table = Array2::from_shape_vec((40, 5), numbers).unwrap();
        let vector = Array1::from(vector);
        let found = nearest(&table, vector.as_slice().unwrap(), count).unwrap();
        prop_assert_eq!(found.len(), count.min(40));
        let wide = |number: &i16| f64::from(*number);
        let length = |row: ndarray::ArrayView1<'_, i16>| row.iter().map(|n| wide(n) * wide(n)).sum::<f64>().sqrt();
        let cosine = |row: usize| {
            let product: f64 = table.row(row).iter().zip(&vector).map(|(a, b)| wide(a) * wide(b)).sum();
            let lengths = length(table.row(row)) * length(vector.view());
            if lengths == 0.0 { 0.0 } else { product / lengths }
        };
        let taken: Vec<usize> = found.iter().map(|found| found.row as usize).collect();
        for (row, found) in taken.iter().zip(&found) {
            prop_assert!((cosine(*row) - f64::from(found.cosine) / f64::from(1 << 30)).abs() < 1e-8);
        }
        let worst = taken.iter().map(|row| cosine(*row)).fold(2.0, f64::min);
        for row in (0..40).filter(|row| !taken.contains(row)) {
            prop_assert!(count == 0 || cosine(row) <= worst + 1e-9);
        }
    }
}
