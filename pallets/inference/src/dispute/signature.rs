//! Signatures: whether a worker voted for what it signed, and whether a gateway closed with all that it asked for.

use codec::Encode;
use ensemble_core::{
    attester::AttesterSignature,
    inference::{ask_bytes, places_of, served_bytes, Position, RangeIndex},
};
use ensemble_tensor::{merkle, Hash, RowProof};
use sp_application_crypto::RuntimeAppPublic;

use super::case::Case;

/// The hash of a block, already encoded.
struct Encoded<'a>(&'a [u8]);

impl Encode for Encoded<'_> {
    fn size_hint(&self) -> usize {
        self.0.len()
    }

    fn encode_to<O: codec::Output + ?Sized>(&self, output: &mut O) {
        output.write(self.0);
    }
}

pub(super) fn admits(case: &Case, range: RangeIndex, place: u32, trace: &RowProof) -> bool {
    let mut places = places_of(range, case.ranges(), case.question.replicas);
    case.won(range).is_some() && places.any(|serves| serves == place) && case.fits_trace(trace)
}

pub(super) fn shows(
    case: &Case,
    range: RangeIndex,
    place: u32,
    signed: &Hash,
    signature: &AttesterSignature,
    trace: &RowProof,
) -> Option<bool> {
    let differs = *signed != merkle::leaf_hash(&trace.leaf);
    let bytes = served_bytes(&Encoded(&case.genesis), case.session, range, trace.index, signed);
    Some(differs && case.is_of_range(range, trace) && case.key(place)?.verify(&bytes, signature))
}

/// Whether a gateway may not have asked for this position: one further than it closed with, its answer may break off.
pub(super) fn admits_short(case: &Case, position: Position) -> bool {
    position > case.closing.positions() && position < case.question.most_positions()
}

pub(super) fn shows_short(case: &Case, position: Position, signature: &AttesterSignature) -> bool {
    let bytes = ask_bytes(&Encoded(&case.genesis), case.session, position);
    case.gateway.verify(&bytes, signature)
}
