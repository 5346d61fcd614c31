//! Parsers reserve no memory for lengths that are merely claimed: what they allocate is bounded by what they are given.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

use std::alloc::System;

use codec::{Compact, Decode, DecodeAll, Encode};
use ensemble_tensor::{
    read::{gguf, npy, safetensors::Archive},
    Bundle, Header, Kind, Outline, OutlineBuilder, RowProof, Tensor, TensorId,
};
use stats_alloc::{Region, StatsAlloc, INSTRUMENTED_SYSTEM};

#[global_allocator]
static ALLOCATOR: &StatsAlloc<System> = &INSTRUMENTED_SYSTEM;

/// Room for an error message and what belongs to it.
const MESSAGE: usize = 1024;

/// Bytes that `work` allocates in all, whether or not it frees them.
fn allocated<T>(work: impl FnOnce() -> T) -> usize {
    let region = Region::new(ALLOCATOR);
    let result = work();
    let allocated = region.change().bytes_allocated;
    drop(result);
    allocated
}

#[track_caller]
fn assert_less(what: &str, limit: usize, allocated: usize) {
    assert!(allocated <= limit, "{what}: {allocated} bytes were allocated, {limit} may be");
}

/// A file whose header says this much of itself.
fn safetensors(header: &str, elements: usize) -> Vec<u8> {
    [&(header.len() as u64).to_le_bytes()[..], header.as_bytes(), &vec![0; elements]].concat()
}

/// One test, so that nothing else allocates meanwhile.
#[test]
fn allocation_is_bounded_by_the_length_of_the_input() {
    tensors();
    manifests();
    proofs();
    npy_files();
    safetensors_files();
    gguf_files();
}

fn tensors() {
    let header = Header::new(Kind::I32, 32_768, 262_144).unwrap();
    let claim = header.to_bytes();
    assert_less("a claim of 32 GiB", 0, allocated(|| Tensor::parse(&claim).is_err()));
    assert_less("an outline of 32 GiB to come", 0, allocated(|| OutlineBuilder::new(&header).taken()));
    let empty = allocated(|| Outline::verify(&TensorId::default(), &header, Vec::new()).is_err());
    assert_less("an outline without hashes", 0, empty);

    let header = Header::new(Kind::I16, 1 << 20, 1).unwrap();
    let data = vec![1; 1 << 21];
    let hashing = allocated(|| Tensor::new(header, &data).unwrap().id().unwrap());
    assert_less("hashing a million rows of 2 bytes", 16 << 10, hashing);
    let proving = allocated(|| Tensor::new(header, &data).unwrap().prove(12_345).unwrap());
    assert_less("proving one of them", 16 << 10, proving);
}

fn manifests() {
    let member = |name: &str| (name.to_owned(), [1u8; 32]);
    let one = vec![member("a")].encode();
    for count in [2, 65_536, u32::MAX] {
        let hostile = [&Compact(count).encode()[..], &one[1..]].concat();
        assert_less("a claim of many members", MESSAGE, allocated(|| Bundle::parse(&hostile).is_err()));
    }
    let name = [&Compact(1u32).encode()[..], &Compact(u32::MAX).encode(), &one[2..]].concat();
    assert_less("a claim of a long name", MESSAGE, allocated(|| Bundle::parse(&name).is_err()));
    let bad_name = vec![(vec![0xffu8; 1 << 20], [1u8; 32])].encode();
    assert_less("a long name that is not allowed", MESSAGE, allocated(|| Bundle::parse(&bad_name).is_err()));
    let many: Vec<_> = (0..50_000).map(|i| member(&format!("{i:05}"))).collect();
    let manifest = many.encode();
    assert_less("a true manifest", 0, allocated(|| Bundle::parse(&manifest).unwrap().iter().count()));
}

fn proofs() {
    let header = Header::new(Kind::Bytes, 1 << 20, 1).unwrap().encode();
    let claims = [
        [&header[..], &0u32.encode(), &Compact(u32::MAX).encode(), &[0; 100]].concat(),
        [&header[..], &0u32.encode(), &Compact(4u32).encode(), &[0; 4], &Compact(u32::MAX).encode(), &[0; 100]]
            .concat(),
    ];
    for claim in &claims {
        // The codec takes long lists in steps of 16 KiB.
        assert_less(
            "a claim of a long proof",
            MESSAGE + (16 << 10),
            allocated(|| RowProof::decode(&mut &claim[..]).is_err()),
        );
    }
    let data = vec![7; 1 << 20];
    let proof = Tensor::new(Header::bytes(1 << 20).unwrap(), &data).unwrap().prove(9).unwrap();
    let encoded = proof.encode();
    let decoding = allocated(|| RowProof::decode_all(&mut &encoded[..]).unwrap());
    assert_less("a true proof", encoded.len(), decoding);
    assert_less("verifying it", 0, allocated(|| proof.verify(&TensorId::default()).is_err()));
}

fn npy_files() {
    let mut header = b"\x93NUMPY\x02\x00".to_vec();
    header.extend(u32::MAX.to_le_bytes());
    assert_less("a claim of a long header", MESSAGE, allocated(|| npy::parse(&header).is_err()));
    let text = "{'descr': '<f4', 'fortran_order': False, 'shape': (4294967295, 32), }";
    let len = u16::try_from(text.len()).unwrap().to_le_bytes();
    let claim = [b"\x93NUMPY\x01\x00", &len[..], text.as_bytes()].concat();
    assert_less("a claim of many rows", MESSAGE, allocated(|| npy::parse(&claim).is_err()));
    let long = format!("{{'descr': '{}'", "x".repeat(60_000));
    let len = u16::try_from(long.len()).unwrap().to_le_bytes();
    let long = [b"\x93NUMPY\x01\x00", &len[..], long.as_bytes()].concat();
    assert_less("a long name of a type", MESSAGE, allocated(|| npy::parse(&long).is_err()));
}

fn safetensors_files() {
    let entry = |name: &str, shape: &str, start: u64, end: u64| {
        format!(r#""{name}":{{"dtype":"I8","shape":{shape},"data_offsets":[{start},{end}]}}"#)
    };
    let true_entries: Vec<_> = (0..5000).map(|i| entry(&i.to_string(), "[1,1]", i, i + 1)).collect();
    let file = safetensors(&format!("{{{}}}", true_entries.join(",")), 5000);
    assert_less("a true file", file.len(), allocated(|| Archive::parse(&file).unwrap().names().len()));

    let shortest: Vec<_> = (0..5000).map(|_| entry("", "[]", 0, 1)).collect();
    let shape = format!("[{}1]", "1,".repeat(100_000));
    let deep = format!(r#"{{"__metadata__":{}"#, "[".repeat(100_000));
    let described = format!(r#"{{"__metadata__":{{"a":"{}"}}}}"#, "x".repeat(100_000));
    for (what, header) in [
        ("the shortest entries", format!("{{{}}}", shortest.join(","))),
        ("a shape of many dimensions", format!("{{{}}}", entry("a", &shape, 0, 1))),
        ("a place far beyond the file", format!("{{{}}}", entry("a", "[4294967295,4294967295]", 0, 1 << 60))),
        ("a long description of the file", described),
    ] {
        let file = safetensors(&header, 0);
        let parsing = allocated(|| Archive::parse(&file).map(|archive| archive.names().len()));
        assert_less(what, file.len() + MESSAGE, parsing);
    }
    assert_less("a claim of a long header", MESSAGE, allocated(|| Archive::parse(&[0xff; 20]).is_err()));
    // The JSON parser keeps a byte per list that is open, and a message repeats what is not understood. Both grow in
    // steps, each of which counts here.
    let name = format!(r#"{{"a":{{"dtype":"{}"}}}}"#, "x".repeat(100_000));
    for (what, header) in [("lists in lists", deep), ("a long name of a type", name)] {
        let file = safetensors(&header, 0);
        assert_less(what, 6 * file.len(), allocated(|| Archive::parse(&file).is_err()));
    }
}

fn gguf_files() {
    let file = |tensors: u64, keys: u64, rest: &[u8]| {
        [b"GGUF", &3u32.to_le_bytes()[..], &tensors.to_le_bytes(), &keys.to_le_bytes(), rest].concat()
    };
    let text = |text: &str| [&(text.len() as u64).to_le_bytes()[..], text.as_bytes()].concat();
    let tokens = [&text("a")[..], &[9, 0, 0, 0, 8, 0, 0, 0], &[0xff; 8], &[0; 80_000]].concat();
    let text_claim = [&text("a")[..], &[8, 0, 0, 0], &[0xff; 8]].concat();
    for (what, claim) in [
        ("a claim of many keys", file(0, 65_536, &[])),
        ("a claim of many tensors", file(65_536, 0, &[])),
        ("a claim of too many tensors", file(u64::MAX, 0, &[])),
        ("a claim of many tokens", file(0, 1, &tokens)),
        ("a claim of a long text", file(0, 1, &text_claim)),
    ] {
        assert_less(what, MESSAGE, allocated(|| gguf::Archive::parse(&claim).is_err()));
    }
    let long = text(&"x".repeat(100_000));
    let twice = file(0, 2, &[&long[..], &[0, 0, 0, 0, 1]].concat().repeat(2));
    assert_less("a long key twice", MESSAGE, allocated(|| gguf::Archive::parse(&twice).is_err()));
    let keys: Vec<u8> = (0..5000).flat_map(|i| [&text(&i.to_string())[..], &[0, 0, 0, 0, 1]].concat()).collect();
    let many = file(0, 5000, &keys);
    let parsing = allocated(|| gguf::Archive::parse(&many).unwrap().keys().len());
    // A growing list is allocated anew each time that it doubles.
    assert_less("5000 keys", 8192 * 2 * 64 + MESSAGE, parsing);
    let tokens = [&text("a")[..], &[9, 0, 0, 0, 8, 0, 0, 0], &10_000u64.to_le_bytes(), &[0; 80_000]].concat();
    let file = file(0, 1, &tokens);
    assert_less("10,000 tokens", MESSAGE, allocated(|| gguf::Archive::parse(&file).unwrap().keys().len()));
}
