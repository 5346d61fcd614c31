//! Traces as tensors.

use ensemble_compute::inference::{hashes, Entry, Trace};
use ensemble_compute_wasm::small::Small;
use ensemble_tensor::{merkle, Kind, Tensor};

fn entry(number: u8) -> Entry {
    Entry { input: [number; 32], other: [number.wrapping_add(1); 32] }
}

#[test]
fn a_trace_is_a_tensor_of_its_rows() {
    let llama = Small::default().llama();
    let mut trace = Trace::new(&llama);
    assert!(trace.describe().is_err());
    assert!(trace.record(2, 8, &entry(1)));
    assert!(trace.record(0, 3, &entry(5)));
    assert_eq!(trace.positions(), 3);
    assert_eq!(trace.entry(2, 8), Some(entry(1)));
    assert!(trace.entry(1, 8).unwrap().is_empty());
    assert_eq!(trace.entry(2, 9), None);
    assert_eq!(trace.entry(3, 0), None);

    let (header, root) = trace.describe().unwrap();
    assert_eq!((header.kind(), header.rows(), header.cols()), (Kind::I32, 3, 16 * 9));
    assert_eq!(Trace::header_of(&llama, 3), Ok(header));
    let tensor = Tensor::new(header, trace.bytes()).unwrap();
    assert_eq!(tensor.id().unwrap(), header.id(&root));
    assert_eq!(trace.row_hash(2), tensor.leaf(2).map(merkle::leaf_hash));
    assert_eq!(Trace::from_bytes(&llama, trace.bytes().to_vec()), Some(trace.clone()));

    trace.truncate(1);
    assert_eq!(trace.positions(), 1);
    assert_eq!(trace.entry(0, 3), Some(entry(5)));
}

#[test]
fn nothing_is_recorded_beyond_the_model() {
    let llama = Small::default().llama();
    let mut trace = Trace::new(&llama);
    assert!(!trace.record(llama.positions, 0, &entry(1)));
    assert!(!trace.record(0, llama.stages(), &entry(1)));
    assert!(!trace.record(u32::MAX, u32::MAX, &entry(1)));
    assert!(trace.bytes().is_empty());
}

#[test]
fn only_whole_rows_are_a_trace() {
    let llama = Small::default().llama();
    let row = 9 * Entry::LEN;
    assert!(Trace::from_bytes(&llama, vec![0; row - 1]).is_none());
    assert!(Trace::from_bytes(&llama, vec![0; row * (llama.positions as usize + 1)]).is_none());
    assert_eq!(Trace::from_bytes(&llama, vec![0; row * 2]).unwrap().positions(), 2);
}

#[test]
fn a_chunk_of_outputs_is_proved() {
    let outputs: Vec<i64> = (-50..50).collect();
    let root = hashes::outputs(&outputs);
    for (number, chunk) in (0..).zip(outputs.chunks(hashes::CHUNK)) {
        let path = hashes::chunk_path(&outputs, number).unwrap();
        assert_eq!(merkle::root_of_path(hashes::chunk(chunk), number, 4, &path), Some(root));
    }
    assert_eq!(hashes::chunk_path(&outputs, 4), None);
    assert_eq!(hashes::outputs(&[]), [0; 32]);
}
