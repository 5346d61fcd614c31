//! Tensors for tests.

use ensemble_tensor::{Header, Kind, Tensor};
use proptest::{collection::vec, prelude::*, sample::select};

/// A tensor that owns its data.
#[derive(Clone, Debug)]
pub struct Owned {
    pub header: Header,
    pub data: Vec<u8>,
}

impl Owned {
    pub fn tensor(&self) -> Tensor<'_> {
        Tensor::new(self.header, &self.data).unwrap()
    }
}

/// Any small shape of any kind.
pub fn headers() -> impl Strategy<Value = Header> {
    // Bytes around the borders of leaves.
    let bytes = prop_oneof![1u32..5, 4094u32..4099, 8190u32..8195, 20_478u32..20_483];
    let bytes = (select(vec![Kind::Bytes, Kind::Bundle]), bytes).prop_map(|(kind, len)| (kind, len, 1));
    let rows = (select(Kind::ALL[2..].to_vec()), 1u32..40, 1u32..5)
        .prop_map(|(kind, rows, groups)| (kind, rows, groups * kind.group_cols()));
    prop_oneof![1 => bytes, 4 => rows].prop_map(|(kind, rows, cols)| Header::new(kind, rows, cols).unwrap())
}

/// Any small tensor, whose data need not be valid for its kind.
pub fn tensors() -> impl Strategy<Value = Owned> {
    headers().prop_flat_map(|header| {
        let len = usize::try_from(header.data_len()).unwrap();
        vec(any::<u8>(), len).prop_map(move |data| Owned { header, data })
    })
}

/// A tensor of this kind and shape with data that follows a rule.
pub fn patterned(kind: Kind, rows: u32, cols: u32) -> Owned {
    let header = Header::new(kind, rows, cols).unwrap();
    let byte = |i: u64| u8::try_from((31 * i + 17 * (i >> 8) + (i >> 16)) & 255).unwrap();
    Owned { header, data: (0..header.data_len()).map(byte).collect() }
}
