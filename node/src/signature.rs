//! Signatures as clients send them.

use codec::DecodeAll;
use sp_runtime::MultiSignature;

/// A signature of 64 bytes, made with an sr25519 key, or of any scheme with its number in front.
pub fn signature_of(bytes: &[u8]) -> Option<MultiSignature> {
    match <[u8; 64]>::try_from(bytes) {
        Ok(signature) => Some(MultiSignature::Sr25519(signature.into())),
        Err(_) => MultiSignature::decode_all(&mut &*bytes).ok(),
    }
}
