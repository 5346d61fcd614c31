//! Tensors for the tests.

use ensemble_tensor::{Bundle, Header, Outline, Tensor, TensorId};

/// Most bytes of a piece.
pub const PIECE: usize = 1 << 20;

/// A tensor, as somebody has it.
#[derive(Clone)]
pub struct Sample {
    pub id: TensorId,
    pub header: Header,
    pub data: Vec<u8>,
    pub outline: Outline,
}

impl Sample {
    pub fn new(header: Header, data: Vec<u8>) -> Self {
        let outline = Tensor::new(header, &data).unwrap().outline().unwrap();
        Self { id: outline.id(), header, data, outline }
    }

    /// Bytes that no other seed below 128 gives, none of them zero.
    pub fn bytes(len: usize, seed: u8) -> Self {
        let byte = |at: usize| u8::try_from(at / 7 % 256).unwrap() ^ (seed << 1) | 1;
        Self::new(Header::bytes(len as u64).unwrap(), (0..len).map(byte).collect())
    }

    pub fn bundle(members: &[&Self]) -> Self {
        let names: Vec<_> = (0..members.len()).map(|number| format!("member/{number}")).collect();
        let members = names.iter().map(String::as_str).zip(members.iter().map(|member| member.id));
        let manifest = Bundle::encode(members).unwrap();
        Self::new(Bundle::header(&manifest).unwrap(), manifest)
    }

    pub fn piece(&self, index: u32) -> &[u8] {
        let range = Outline::piece_range(&self.header, index);
        &self.data[usize::try_from(range.start).unwrap()..usize::try_from(range.end).unwrap()]
    }

    pub fn encoding(&self) -> Vec<u8> {
        [&self.header.to_bytes(), &self.data[..]].concat()
    }
}
