//! Both compilations of a loop give the same.

use alloc::{vec, vec::Vec};

use proptest::prelude::*;

use super::{portable, vector};

fn rows() -> impl Strategy<Value = (usize, usize)> {
    (1..70_usize, 0..9_usize)
}

proptest! {
    #[test]
    fn products_agree(((rows, query), count) in rows().prop_flat_map(|(width, count)| {
        ((prop::collection::vec(any::<i16>(), width * count), prop::collection::vec(any::<i16>(), width)), Just(count))
    })) {
        let (mut left, mut right) = (vec![0; count], vec![0; count]);
        portable::dots(&rows, &query, &mut left);
        vector::dots(&rows, &query, &mut right);
        prop_assert_eq!(left, right);
    }

    #[test]
    fn weighted_sums_agree((rows, weights, width) in rows().prop_flat_map(|(width, count)| (
        prop::collection::vec(any::<i16>(), width * count),
        prop::collection::vec(any::<i32>(), count),
        Just(width),
    ))) {
        let (mut left, mut right) = (vec![0; width], vec![0; width]);
        portable::weigh(&weights, &rows, &mut left);
        vector::weigh(&weights, &rows, &mut right);
        let plainly: Vec<i64> = (0..width)
            .map(|at| {
                let column = rows.iter().skip(at).step_by(width);
                weights.iter().zip(column).map(|(weight, number)| i64::from(*weight) * i64::from(*number)).sum()
            })
            .collect();
        prop_assert_eq!(&left, &right);
        prop_assert_eq!(left, plainly);
    }

    #[test]
    fn exponentials_agree(numbers in prop::collection::vec(any::<u32>(), 0..70)) {
        let (mut left, mut right) = (numbers.clone(), numbers);
        portable::exponentials(&mut left);
        vector::exponentials(&mut right);
        prop_assert_eq!(left, right);
    }
}
