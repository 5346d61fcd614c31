//! Vectors, and what is no vector.

use ensemble_compute::inference::{Error, Vector};
use proptest::{collection::vec, prelude::*};

fn encoded(exponent: i32, mantissas: &[i16]) -> Vec<u8> {
    let mantissas = mantissas.iter().flat_map(|mantissa| mantissa.to_le_bytes());
    exponent.to_le_bytes().into_iter().chain(mantissas).collect()
}

#[test]
fn what_is_no_vector_is_refused() {
    assert_eq!(Vector::decode(&[]), Err(Error::VectorLength(0)));
    assert_eq!(Vector::decode(&[0; 3]), Err(Error::VectorLength(3)));
    assert_eq!(Vector::decode(&[0; 7]), Err(Error::VectorLength(7)));
    assert_eq!(Vector::decode(&encoded(0, &[0; Vector::MAX_LEN + 1])), Err(Error::VectorLength(4 + 2 * 65_537)));
    assert_eq!(Vector::new(0, vec![1; Vector::MAX_LEN + 1]), Err(Error::TooLong(65_537)));
    assert_eq!(Vector::decode(&encoded(0, &[1, i16::MIN])), Err(Error::Mantissa));
    assert_eq!(Vector::decode(&encoded(1, &[0, 0])), Err(Error::Exponent(1)));
    assert_eq!(Vector::decode(&encoded(1, &[])), Err(Error::Exponent(1)));
    for exponent in [-193, 241, i32::MIN, i32::MAX] {
        assert_eq!(Vector::decode(&encoded(exponent, &[1])), Err(Error::Exponent(exponent)));
    }
    for exponent in [-192, 240] {
        assert_eq!(Vector::decode(&encoded(exponent, &[1])).unwrap().exponent(), exponent);
    }
    assert_eq!(Vector::decode(&encoded(5, &[1; Vector::MAX_LEN])).unwrap().len(), 65_536);
}

#[test]
fn units_and_lengths_without_bounds_do_no_harm() {
    assert_eq!(Vector::from_exact(&[i64::MIN], i32::MAX).exponent(), 240);
    assert_eq!(Vector::from_exact(&[1], i32::MIN).exponent(), -192);
    assert_eq!(Vector::from_exact(&vec![1; Vector::MAX_LEN + 1], 0).len(), Vector::MAX_LEN);
}

/// Numbers of every size.
fn number() -> impl Strategy<Value = i64> {
    (any::<i64>(), 0u32..64).prop_map(|(number, shift)| number >> shift)
}

proptest! {
    #[test]
    fn a_vector_is_near_its_numbers(numbers in vec(number(), 0..50), unit in -192i32..=191) {
        let vector = Vector::from_exact(&numbers, unit);
        prop_assert_eq!(&Vector::decode(&vector.encode()), &Ok(vector.clone()));
        let zero = numbers.iter().all(|number| *number == 0);
        let shift = if zero { 0 } else { vector.exponent() - unit };
        prop_assert!((0..=49).contains(&shift));
        for (number, mantissa) in numbers.iter().zip(vector.mantissas()) {
            let error = (i128::from(*mantissa) << shift) - i128::from(*number);
            // Half a unit, and a whole one for what is rounded up to 2^15.
            let limited = mantissa.abs() == i16::MAX;
            prop_assert!(error.abs() <= if limited { 1 << shift } else { (1 << shift) / 2 }, "{} {}", number, mantissa);
        }
        // No bit is given away.
        let largest = vector.mantissas().iter().map(|mantissa| mantissa.unsigned_abs()).max();
        prop_assert!(shift == 0 || largest >= Some(1 << 14));
    }

    #[test]
    fn what_is_read_is_written_again(bytes in vec(any::<u8>(), 0..40), exponent in -300i32..300) {
        let bytes = [&exponent.to_le_bytes()[..], &bytes].concat();
        if let Ok(vector) = Vector::decode(&bytes) {
            prop_assert_eq!(vector.encode(), bytes);
            let numbers: Vec<_> = vector.mantissas().iter().map(|mantissa| i64::from(*mantissa)).collect();
            if Vector::UNITS.contains(&exponent) {
                prop_assert_eq!(Vector::from_exact(&numbers, exponent), vector);
            }
        }
    }
}
