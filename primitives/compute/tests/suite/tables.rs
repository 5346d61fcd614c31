//! Tables and canonical tensors.

use ensemble_compute::aggregation::{table, Error};
use ensemble_tensor::{Header, Kind, Tensor};
use ndarray::{array, Array2};

#[test]
fn tables_become_tensors_and_come_back() {
    let numbers = array![[1i16, -2, i16::MAX], [i16::MIN, 0, 256]];
    let (header, data) = table::to_tensor(numbers.view()).unwrap();
    assert_eq!(header, Header::new(Kind::I16, 2, 3).unwrap());
    assert_eq!(data, [1, 0, 0xfe, 0xff, 0xff, 0x7f, 0, 0x80, 0, 0, 0, 1]);
    assert_eq!(table::from_tensor(&Tensor::new(header, &data).unwrap()), Ok(numbers.clone()));
    // Not the order in memory, but that of the rows is what counts.
    let (header, data) = table::to_tensor(numbers.t()).unwrap();
    assert_eq!(table::from_tensor(&Tensor::new(header, &data).unwrap()), Ok(numbers.t().to_owned()));
}

#[test]
fn other_tensors_are_no_tables() {
    let header = Header::new(Kind::I32, 1, 1).unwrap();
    assert_eq!(table::from_tensor(&Tensor::new(header, &[0; 4]).unwrap()), Err(Error::Kind(Kind::I32)));
    assert!(matches!(table::to_tensor(Array2::zeros((0, 3)).view()), Err(Error::Tensor(_))));
}
