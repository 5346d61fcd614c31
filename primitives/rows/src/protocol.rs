//! Messages, their encoding and their limits. The node's `rows` has the protocol in words.
#![expect(clippy::cast_possible_truncation, reason = "codec's derive numbers variants with `as u8`")]

use bounded_collections::{BoundedVec, ConstU32};
use codec::{Decode, DecodeAll, Encode};
use ensemble_compute::inference::{ranges::MAX_REPLICAS, SessionId};

/// Most bytes of a message. The network refuses longer ones.
pub const MAX_MESSAGE_LEN: usize = 16 << 20;
/// Most bytes of the outputs in one reply: what is left of a message after everything else in it.
pub const MAX_OUTPUT_LEN: usize = MAX_MESSAGE_LEN - (1 << 20);
/// Most positions of a call.
pub const MAX_BATCH: u32 = 32;
/// Most bytes of a vector: an exponent of four, then two for each of 65,536 elements.
pub const MAX_VECTOR_LEN: u32 = 4 + 2 * 65_536;
/// Most bytes of the text with which a call is refused.
pub const MAX_REASON_LEN: u32 = 256;
/// Calls that a gateway may have unanswered at one worker.
pub const IN_FLIGHT: u32 = 2;

/// A vector in its encoding of `docs/numerics.md`.
pub type VectorBytes = BoundedVec<u8, ConstU32<MAX_VECTOR_LEN>>;
/// A text for people.
pub type Text = BoundedVec<u8, ConstU32<MAX_REASON_LEN>>;

/// What goes over a substream.
#[derive(Clone, Debug, Decode, Encode, Eq, PartialEq)]
pub enum Message {
    /// A gateway wants rows multiplied.
    #[codec(index = 0)]
    Call(Call),
    /// A gateway wants no more in this session.
    #[codec(index = 1)]
    End(End),
    /// A worker has multiplied.
    #[codec(index = 2)]
    Reply(Reply),
    /// A worker does not multiply.
    #[codec(index = 3)]
    Refused(Refused),
}

/// Asks a worker for its rows of a stage's matrices, multiplied by vectors.
#[derive(Clone, Debug, Decode, Encode, Eq, PartialEq)]
pub struct Call {
    /// The session.
    pub session: SessionId,
    /// The worker's place in it.
    pub place: u32,
    /// Number of the call in the session, from 0.
    pub number: u32,
    /// The stage.
    pub stage: u32,
    /// Position of the first vector; the others follow it.
    pub first: u32,
    /// In the first stage, and there alone: the gateway's signature of
    /// [`ask_bytes`](ensemble_compute::inference::signed::ask_bytes) with the last position.
    pub asked: Option<[u8; 64]>,
    /// The vectors.
    pub inputs: BoundedVec<VectorBytes, ConstU32<MAX_BATCH>>,
}

/// Says that a worker's part in a session is over.
#[derive(Clone, Copy, Debug, Decode, Encode, Eq, PartialEq)]
pub struct End {
    /// The session.
    pub session: SessionId,
    /// The worker's place in it.
    pub place: u32,
}

/// What a worker answers a call.
#[derive(Clone, Debug, Decode, Encode, Eq, PartialEq)]
pub struct Reply {
    /// The session.
    pub session: SessionId,
    /// The worker's place in it.
    pub place: u32,
    /// Number of the call.
    pub number: u32,
    /// For each range that the worker serves, its own first.
    pub ranges: BoundedVec<RangeReply, ConstU32<MAX_REPLICAS>>,
}

/// What a worker answers for one of its ranges.
#[derive(Clone, Debug, Decode, Encode, Eq, PartialEq)]
pub struct RangeReply {
    /// The range's outputs for the first vector, then for the next.
    pub outputs: Vec<i64>,
    /// For each position that this call completes, in order: the worker's signature of its trace's row.
    pub signatures: BoundedVec<[u8; 64], ConstU32<MAX_BATCH>>,
}

/// Why a call is not answered.
#[derive(Clone, Debug, Decode, Encode, Eq, PartialEq)]
pub struct Refused {
    /// The session.
    pub session: SessionId,
    /// The worker's place in it.
    pub place: u32,
    /// Number of the call.
    pub number: u32,
    /// Whether the same call may be answered in a second or two.
    pub passing: bool,
    /// Why, for people.
    pub reason: Text,
}

impl Refused {
    /// The refusal of a call.
    pub fn new(call: &Call, passing: bool, reason: &str) -> Self {
        let reason = Text::truncate_from(reason.as_bytes().to_vec());
        Self { session: call.session, place: call.place, number: call.number, passing, reason }
    }

    /// The reason, with what is no text in it replaced.
    pub fn reason(&self) -> String {
        String::from_utf8_lossy(&self.reason).chars().map(|c| if c.is_control() { ' ' } else { c }).collect()
    }
}

impl Message {
    /// Reads a message. Nothing may follow it.
    pub fn read(bytes: &[u8]) -> Result<Self, codec::Error> {
        if bytes.len() > MAX_MESSAGE_LEN {
            return Err("a message has at most 16 MiB".into());
        }
        Self::decode_all(&mut &*bytes)
    }
}

/// A call as it goes to several workers: only the place differs.
pub struct Frame {
    call: Call,
    /// The encoded message.
    bytes: Vec<u8>,
}

impl Frame {
    /// Where the place is: after the kind of the message and the session.
    const PLACE: std::ops::Range<usize> = 5..9;

    /// Encodes a call.
    pub fn new(call: Call) -> Self {
        let bytes = Message::Call(call.clone()).encode();
        Self { call, bytes }
    }

    /// Number of the call.
    pub fn number(&self) -> u32 {
        self.call.number
    }

    /// The message to the worker at a place.
    pub fn message(&self, place: u32) -> Message {
        Message::Call(Call { place, ..self.call.clone() })
    }

    /// Its encoding.
    pub fn encoded(&self, place: u32) -> Vec<u8> {
        let mut bytes = self.bytes.clone();
        if let Some(there) = bytes.get_mut(Self::PLACE) {
            there.copy_from_slice(&place.to_le_bytes());
        }
        bytes
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn vector(len: usize) -> VectorBytes {
        VectorBytes::truncate_from(vec![7; len])
    }

    #[test]
    fn messages_have_the_bytes_that_the_documentation_says() {
        let inputs = vec![vector(6)].try_into().unwrap();
        let call = Call { session: 1, place: 2, number: 3, stage: 4, first: 5, asked: None, inputs };
        let expected = "00 01000000 02000000 03000000 04000000 05000000 00 04 18 070707070707".replace(' ', "");
        assert_eq!(hex::encode(Message::Call(call.clone()).encode()), expected);
        let asked = Call { stage: 0, asked: Some([8; 64]), inputs: Default::default(), ..call.clone() };
        let expected = "00 01000000 02000000 03000000 00000000 05000000 01".replace(' ', "");
        assert_eq!(hex::encode(Message::Call(asked).encode()), expected + &"08".repeat(64) + "00");
        assert_eq!(hex::encode(Message::End(End { session: 1, place: 2 }).encode()), "010100000002000000");

        let range = RangeReply { outputs: vec![1, -1], signatures: vec![[9; 64]].try_into().unwrap() };
        let reply = Reply { session: 1, place: 2, number: 3, ranges: vec![range].try_into().unwrap() };
        let expected = "02 01000000 02000000 03000000 04 08 0100000000000000 ffffffffffffffff 04".replace(' ', "");
        assert_eq!(hex::encode(Message::Reply(reply).encode()), expected + &"09".repeat(64));

        let refused = Refused::new(&call, true, "no");
        let expected = "03 01000000 02000000 03000000 01 08 6e6f".replace(' ', "");
        assert_eq!(hex::encode(Message::Refused(refused).encode()), expected);
    }

    #[test]
    fn too_many_vectors_too_long_ones_and_leftovers_are_refused() {
        let call = |inputs: Vec<Vec<u8>>| (0u8, [0u32; 5], None::<[u8; 64]>, inputs).encode();
        Message::read(&call(vec![vec![0; 10]; 32])).unwrap();
        Message::read(&call(vec![vec![0; 10]; 33])).unwrap_err();
        Message::read(&call(vec![vec![0; MAX_VECTOR_LEN as usize]])).unwrap();
        Message::read(&call(vec![vec![0; MAX_VECTOR_LEN as usize + 1]])).unwrap_err();
        let mut longer = call(vec![vec![0; 10]]);
        longer.push(0);
        Message::read(&longer).unwrap_err();
        Message::read(&[]).unwrap_err();
        Message::read(&[4]).unwrap_err();
    }

    #[test]
    fn a_frame_is_the_message_to_each_place() {
        let inputs = vec![vector(6), vector(8)].try_into().unwrap();
        let frame =
            Frame::new(Call { session: 1, place: 0, number: 3, stage: 0, first: 5, asked: Some([7; 64]), inputs });
        for place in [0, 1, 31, u32::MAX] {
            assert_eq!(frame.encoded(place), frame.message(place).encode());
        }
    }

    #[test]
    fn a_length_that_lies_allocates_nothing() {
        // A reply that says it has 2^30 outputs, and has none.
        let mut lie = (2u8, [0u32; 3]).encode();
        lie.extend(codec::Compact(1u32).encode());
        lie.extend(codec::Compact(1u32 << 30).encode());
        Message::read(&lie).unwrap_err();
    }

    #[test]
    fn a_reason_is_cut_and_has_no_control_characters() {
        let call =
            Call { session: 0, place: 0, number: 0, stage: 0, first: 0, asked: None, inputs: Default::default() };
        let refused = Refused::new(&call, false, &"a\n".repeat(1000));
        assert_eq!(refused.reason(), "a ".repeat(128));
    }

    proptest! {
        #[test]
        fn no_bytes_make_it_panic(bytes in proptest::collection::vec(any::<u8>(), 0..200)) {
            let _ = Message::read(&bytes);
        }
    }
}
