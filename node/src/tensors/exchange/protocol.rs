//! What two nodes say to each other: requests, responses, and the limits of both.
//!
//! Everything is SCALE-encoded. A message that is longer than its limit, cut short, or followed by further bytes is
//! refused before memory is set aside for it.

// What else is cast in this file has at most 1 MiB.
#![expect(clippy::cast_possible_truncation, reason = "codec's derive numbers variants with `as u8`")]

use std::{borrow::Cow, time::Duration};

use codec::{Compact, Decode, DecodeAll, Encode};
use ensemble_core::TaskId;
use ensemble_tensor::{Hash, Header, Outline, TensorId};

use crate::tensors::gate::{Challenge, Denied, Party};

/// Most bytes of a request.
pub const MAX_REQUEST_LEN: usize = 256;
/// Most bytes of a piece.
pub const MAX_PIECE_LEN: usize = Outline::MAX_PIECE_LEN as usize;
/// Most bytes of a response: a piece and what stands before it.
pub const MAX_RESPONSE_LEN: usize = MAX_PIECE_LEN + 64;
/// Most piece hashes in a response. An outline of more is sent in several pages.
pub const HASHES_PER_PAGE: usize = 32_000;
/// Time after which the network gives up a request. Whoever asks has shorter deadlines of its own.
pub const REQUEST_TIMEOUT: Duration = Duration::from_secs(20);
/// Requests of peers that may wait to be answered. What comes on top is refused by the network, which also lets a request
/// be as long as a response, so few may wait.
pub const INBOUND_QUEUE: usize = 64;

const ABSENT: u8 = 0;
const BUSY: u8 = 1;
const PRESENT: u8 = 2;
const OUTLINE: u8 = 3;
const PIECE: u8 = 4;
const RESTRICTED: u8 = 5;
const CHALLENGE: u8 = 6;
const ADMITTED: u8 = 7;
const DENIED: u8 = 8;

/// What a node asks another. The order of the variants is their number on the wire.
#[derive(Clone, Copy, Debug, Decode, Encode, Eq, PartialEq)]
pub enum Request {
    /// Whether it holds a tensor.
    Have(TensorId),
    /// Header and piece hashes of a tensor.
    Outline {
        /// The tensor.
        id: TensorId,
        /// Which of the pages of [`HASHES_PER_PAGE`] hashes.
        page: u16,
        /// The task as whose content it is asked for, if as one that is restricted.
        under: Option<TaskId>,
    },
    /// The bytes of a piece.
    Piece {
        /// The tensor.
        id: TensorId,
        /// Number of the piece.
        index: u32,
        /// The task as whose content it is asked for, if as one that is restricted. The peer restricts it for that
        /// task, so it gets it for no other, nor without one.
        under: Option<TaskId>,
    },
    /// For a challenge, to be served a restricted tensor.
    Challenge(TensorId),
    /// To be served a restricted tensor, for having signed a challenge.
    Admit {
        /// The tensor.
        id: TensorId,
        /// The task as whose content it is asked for, and will be restricted.
        task: TaskId,
        /// Who asks.
        party: Party,
        /// The challenge.
        challenge: Challenge,
        /// The party's signature over the challenge's message.
        signature: [u8; 64],
    },
}

/// What a node answers. Pieces are not copied out of the message. The order of the variants is their number on the
/// wire.
#[derive(Clone, Debug, Encode, Eq, PartialEq)]
pub enum Response<'a> {
    /// It does not hold the tensor.
    Absent,
    /// It has answered enough for now.
    Busy {
        /// Milliseconds after which to ask again.
        retry_after: u32,
    },
    /// It holds the tensor.
    Present,
    /// Header and a page of piece hashes.
    Outline {
        /// Kind and shape.
        header: Header,
        /// The hashes of the page.
        hashes: Cow<'a, [Hash]>,
    },
    /// The bytes of a piece.
    Piece(&'a [u8]),
    /// It holds the tensor, for those who are entitled to it.
    Restricted {
        /// The task for which it is restricted, if to anybody.
        task: Option<TaskId>,
    },
    /// What to sign for a restricted tensor.
    Challenge(Challenge),
    /// The peer will be served the tensor from now on.
    Admitted,
    /// It will not.
    Denied(Denied),
}

/// A message that breaks the protocol.
#[derive(Clone, Copy, Debug, Eq, PartialEq, thiserror::Error)]
pub enum Malformed {
    /// More bytes than any message has.
    #[error("the message is too long")]
    TooLong,
    /// Not an encoded message.
    #[error("the message cannot be decoded")]
    Undecodable,
}

impl Request {
    /// Reads a request.
    pub fn parse(message: &[u8]) -> Result<Self, Malformed> {
        if message.len() > MAX_REQUEST_LEN {
            return Err(Malformed::TooLong);
        }
        Self::decode_all(&mut &*message).map_err(|_| Malformed::Undecodable)
    }
}

impl<'a> Response<'a> {
    /// Reads a response.
    pub fn parse(message: &'a [u8]) -> Result<Self, Malformed> {
        if message.len() > MAX_RESPONSE_LEN {
            return Err(Malformed::TooLong);
        }
        let (kind, body) = message.split_first().ok_or(Malformed::Undecodable)?;
        match (*kind, body) {
            (ABSENT, []) => Ok(Self::Absent),
            (PRESENT, []) => Ok(Self::Present),
            (BUSY, body) => decode_all(body).map(|retry_after| Self::Busy { retry_after }),
            (OUTLINE, body) => Self::parse_outline(body),
            (PIECE, body) => list(body, 1, MAX_PIECE_LEN).map(Self::Piece),
            (RESTRICTED, body) => decode_all(body).map(|task| Self::Restricted { task }),
            (CHALLENGE, body) => decode_all(body).map(Self::Challenge),
            (ADMITTED, []) => Ok(Self::Admitted),
            (DENIED, body) => decode_all(body).map(Self::Denied),
            _ => Err(Malformed::Undecodable),
        }
    }

    fn parse_outline(mut body: &[u8]) -> Result<Self, Malformed> {
        let header = Header::decode(&mut body).map_err(|_| Malformed::Undecodable)?;
        let (hashes, _) = list(body, size_of::<Hash>(), HASHES_PER_PAGE)?.as_chunks::<{ size_of::<Hash>() }>();
        Ok(Self::Outline { header, hashes: Cow::Owned(hashes.to_vec()) })
    }
}

/// Number of pages in which the outline of a tensor is sent.
pub fn page_count(header: &Header) -> u16 {
    // 65,536 pieces at most make three pages.
    let pieces = usize::try_from(Outline::piece_count(header)).unwrap_or(usize::MAX);
    u16::try_from(pieces.div_ceil(HASHES_PER_PAGE)).unwrap_or(u16::MAX)
}

fn decode_all<T: Decode>(body: &[u8]) -> Result<T, Malformed> {
    T::decode_all(&mut &*body).map_err(|_| Malformed::Undecodable)
}

/// The bytes of an encoded list of at most `most` elements of `width` bytes, which takes all of `body`.
fn list(mut body: &[u8], width: usize, most: usize) -> Result<&[u8], Malformed> {
    let Compact(count) = Compact::<u32>::decode(&mut body).map_err(|_| Malformed::Undecodable)?;
    let count = usize::try_from(count).map_err(|_| Malformed::TooLong)?;
    if count > most {
        return Err(Malformed::TooLong);
    }
    // No overflow: both factors are small.
    if body.len() != count * width {
        return Err(Malformed::Undecodable);
    }
    Ok(body)
}

#[cfg(test)]
mod tests {
    use ensemble_core::exchange::Refusal;
    use ensemble_tensor::Kind;
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn oversized_messages_are_refused() {
        assert_eq!(Request::parse(&[0; MAX_REQUEST_LEN + 1]), Err(Malformed::TooLong));
        assert_eq!(Response::parse(&vec![PIECE; MAX_RESPONSE_LEN + 1]), Err(Malformed::TooLong));
        let piece = Response::Piece(&vec![0; MAX_PIECE_LEN + 1]).encode();
        assert_eq!(Response::parse(&piece), Err(Malformed::TooLong));
        let header = Header::new(Kind::I16, 1, 1).unwrap();
        let page = Response::Outline { header, hashes: vec![[0; 32]; HASHES_PER_PAGE + 1].into() }.encode();
        assert_eq!(Response::parse(&page), Err(Malformed::TooLong));
    }

    #[test]
    fn claimed_lengths_cost_no_memory() {
        // A list that claims 2^32 - 1 elements and has none.
        let claim = Compact(u32::MAX).encode();
        assert_eq!(Response::parse(&[&[PIECE], &claim[..]].concat()), Err(Malformed::TooLong));
        let header = Header::new(Kind::I16, 1, 1).unwrap().encode();
        assert_eq!(Response::parse(&[&[OUTLINE], &header[..], &claim[..]].concat()), Err(Malformed::TooLong));
    }

    #[test]
    fn impossible_headers_are_refused() {
        for (rows, cols) in [(0u32, 1u32), (1, 0), (u32::MAX, u32::MAX)] {
            let message = (OUTLINE, (Kind::I32, rows, cols), Vec::<Hash>::new()).encode();
            assert_eq!(Response::parse(&message), Err(Malformed::Undecodable));
        }
    }

    #[test]
    fn the_longest_messages_fit() {
        let piece = vec![7; MAX_PIECE_LEN];
        let encoded = Response::Piece(&piece).encode();
        assert_eq!(Response::parse(&encoded), Ok(Response::Piece(&piece)));
        let header = Header::new(Kind::I16, 1, 1).unwrap();
        let page = Response::Outline { header, hashes: vec![[0; 32]; HASHES_PER_PAGE].into() };
        assert_eq!(Response::parse(&page.encode()), Ok(page.clone()));
        let request = Request::Piece { id: TensorId([1; 32]), index: u32::MAX, under: Some(u32::MAX) };
        assert_eq!(Request::parse(&request.encode()), Ok(request));
    }

    #[test]
    fn the_largest_outline_has_three_pages() {
        let header = Header::new(Kind::I16, 65_535, (1 << 18) + 1).unwrap();
        assert_eq!((Outline::piece_count(&header), page_count(&header)), (65_535, 3));
    }

    fn any_response() -> impl Strategy<Value = Vec<u8>> {
        let header = Header::new(Kind::Q8_0, 3, 64).unwrap();
        prop_oneof![
            Just(Response::Absent.encode()),
            Just(Response::Present.encode()),
            any::<u32>().prop_map(|retry_after| Response::Busy { retry_after }.encode()),
            prop::collection::vec(any::<Hash>(), 0..4).prop_map(move |hashes| Response::Outline {
                header,
                hashes: hashes.into()
            }
            .encode()),
            prop::collection::vec(any::<u8>(), 0..100).prop_map(|bytes| Response::Piece(&bytes).encode()),
            any::<Option<u32>>().prop_map(|task| Response::Restricted { task }.encode()),
            any::<Challenge>().prop_map(|challenge| Response::Challenge(challenge).encode()),
            Just(Response::Admitted.encode()),
            any::<u32>().prop_map(|task| Response::Denied(Denied::Refused(Refusal::NothingWon { task })).encode()),
        ]
    }

    proptest! {
        #[test]
        fn random_bytes_do_no_harm(bytes in prop::collection::vec(any::<u8>(), 0..300)) {
            // Whatever decodes is exactly what would be encoded: nothing is ignored.
            if let Ok(request) = Request::parse(&bytes) {
                prop_assert_eq!(request.encode(), &bytes[..]);
            }
            if let Ok(response) = Response::parse(&bytes) {
                prop_assert_eq!(response.encode(), bytes);
            }
        }

        #[test]
        fn responses_return_and_their_parts_do_not(message in any_response()) {
            prop_assert_eq!(Response::parse(&message).unwrap().encode(), message.clone());
            for end in 0..message.len() {
                prop_assert!(Response::parse(&message[..end]).is_err());
            }
            prop_assert!(Response::parse(&[&message[..], &[0]].concat()).is_err());
        }

        #[test]
        fn requests_return_and_their_parts_do_not(id: [u8; 32], index: u32, page: u16, under: Option<u32>) {
            let id = TensorId(id);
            let party = Party::Account(id.0);
            let admit = Request::Admit { id, task: index, party, challenge: id.0, signature: [7; 64] };
            for request in [
                Request::Have(id),
                Request::Outline { id, page, under },
                Request::Piece { id, index, under },
                Request::Challenge(id),
                admit,
            ] {
                let message = request.encode();
                prop_assert_eq!(Request::parse(&message), Ok(request));
                for end in 0..message.len() {
                    prop_assert!(Request::parse(&message[..end]).is_err());
                }
            }
        }
    }
}
