//! Look-up.

use ensemble_compute::{nearest::nearest, Error};
use ndarray::{array, Array1, Array2};
use proptest::{collection::vec, prelude::*};

#[test]
fn equal_cosines_come_by_row() {
    let table = array![[2i16, 2], [1, 0], [7, 7], [0, 0], [-1, -1], [1, 1]];
    let found = nearest(table.view(), array![3, 3].view(), 6).unwrap();
    assert_eq!(found.iter().map(|found| found.row).collect::<Vec<_>>(), [0, 2, 5, 1, 3, 4]);
    let one = 1 << 30;
    let cosines: Vec<_> = found.iter().map(|found| found.cosine).collect();
    assert_eq!(cosines[..3], [one; 3]);
    assert_eq!((cosines[4], cosines[5]), (0, -one));
}

#[test]
fn vectors_of_another_length_are_refused() {
    let table: Array2<i16> = Array2::zeros((3, 2));
    assert_eq!(nearest(table.view(), array![1].view(), 1), Err(Error::Mismatch));
    assert_eq!(nearest(table.view(), array![1, 2, 3].view(), 1), Err(Error::Mismatch));
    assert_eq!(nearest(table.view(), array![1, 2].view(), 0), Ok(vec![]));
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
        let found = nearest(table.view(), vector.view(), count).unwrap();
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
