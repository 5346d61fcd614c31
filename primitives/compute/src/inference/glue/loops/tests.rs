//! Both compilations of a loop give the same.

use alloc::{vec, vec::Vec};

use proptest::{collection::vec, prelude::*};

use super::{
    super::{exponential::sigmoid, fixed::scale},
    portable, vector,
};

fn rows() -> impl Strategy<Value = (usize, usize)> {
    (1..70_usize, 0..9_usize)
}

proptest! {
    #[test]
    fn products_agree(((rows, query), count) in rows().prop_flat_map(|(width, count)| {
        ((vec(any::<i16>(), width * count), vec(any::<i16>(), width)), Just(count))
    })) {
        let (mut left, mut right) = (vec![0; count], vec![0; count]);
        portable::dots(&rows, &query, &mut left);
        vector::dots(&rows, &query, &mut right);
        prop_assert_eq!(left, right);
    }

    #[test]
    fn weighted_sums_agree((rows, weights, width) in rows().prop_flat_map(|(width, count)| (
        vec(any::<i16>(), width * count),
        vec(any::<i32>(), count),
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
    fn exponentials_agree(numbers in vec(any::<u32>(), 0..70)) {
        let (mut left, mut right) = (numbers.clone(), numbers);
        portable::exponentials(&mut left);
        vector::exponentials(&mut right);
        prop_assert_eq!(left, right);
    }

    #[test]
    fn loops_over_wide_numbers_agree(numbers in vec(any::<i64>(), 0..70), shift in 0..64_u32, exponent in -70..70_i32) {
        let (mut left, mut right) = (vec![0; numbers.len()], vec![0; numbers.len()]);
        prop_assert_eq!(portable::magnitudes(&numbers), vector::magnitudes(&numbers));
        portable::narrow(&numbers, shift, &mut left);
        vector::narrow(&numbers, shift, &mut right);
        prop_assert_eq!(&left, &right);
        portable::arguments(&numbers, exponent, &mut left);
        vector::arguments(&numbers, exponent, &mut right);
        prop_assert_eq!(&left, &right);
        let each = numbers.iter().map(|number| scale(*number, exponent).clamp(i32::MIN.into(), i32::MAX.into()));
        prop_assert!(each.eq(left.iter().map(|number| i64::from(*number))));
        let (mut left, mut right) = (vec![0; numbers.len()], vec![0; numbers.len()]);
        portable::mantissas(&numbers, shift, &mut left);
        vector::mantissas(&numbers, shift, &mut right);
        prop_assert_eq!(left, right);
    }

    #[test]
    fn loops_over_narrow_numbers_agree(numbers in vec(any::<(i32, i32, u32)>(), 0..70), factor in any::<i64>()) {
        let first: Vec<i32> = numbers.iter().map(|(first, _, _)| *first).collect();
        let second: Vec<i32> = numbers.iter().map(|(_, second, _)| *second).collect();
        let third: Vec<u32> = numbers.iter().map(|(_, _, third)| *third).collect();
        prop_assert_eq!(portable::squares(&first), vector::squares(&first));
        let (mut left, mut right) = (vec![0; numbers.len()], vec![0; numbers.len()]);
        portable::pairs(&first, &second, &mut left);
        vector::pairs(&first, &second, &mut right);
        prop_assert_eq!(&left, &right);
        portable::times(&first, factor, &mut left);
        vector::times(&first, factor, &mut right);
        prop_assert_eq!(&left, &right);
        portable::gated(&first, &third, &second, &mut left);
        vector::gated(&first, &third, &second, &mut right);
        prop_assert_eq!(&left, &right);
        let (mut left, mut right) = (vec![0; numbers.len()], vec![0; numbers.len()]);
        portable::sigmoids(&first, &mut left);
        vector::sigmoids(&first, &mut right);
        prop_assert_eq!(&left, &right);
        prop_assert!(left.iter().zip(&first).all(|(left, x)| *left == sigmoid(*x)));
    }
}
