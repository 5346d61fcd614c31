//! Whether an account has signed something.

use schnorrkel::signing_context;
use subxt::utils::{AccountId32, MultiSignature};

use super::pair::CONTEXT;

/// What wallets put around what they sign that is no transaction.
const FRAME: (&[u8], &[u8]) = (b"<Bytes>", b"</Bytes>");

/// Whether a signature is of an account over a message, as it is or in a wallet's frame. Accounts of ECDSA keys are not
/// understood.
pub fn is_signed(message: &[u8], signature: &MultiSignature, account: &AccountId32) -> bool {
    let framed = [FRAME.0, message, FRAME.1].concat();
    verify(message, signature, account) || verify(&framed, signature, account)
}

fn verify(message: &[u8], signature: &MultiSignature, account: &AccountId32) -> bool {
    match signature {
        MultiSignature::Sr25519(bytes) => {
            let public = schnorrkel::PublicKey::from_bytes(&account.0);
            let signature = schnorrkel::Signature::from_bytes(bytes);
            let context = signing_context(CONTEXT);
            public.is_ok_and(|public| {
                signature.is_ok_and(|signature| public.verify(context.bytes(message), &signature).is_ok())
            })
        },
        MultiSignature::Ed25519(bytes) => {
            let public = ed25519_dalek::VerifyingKey::from_bytes(&account.0);
            let signature = ed25519_dalek::Signature::from_bytes(bytes);
            public.is_ok_and(|public| public.verify_strict(message, &signature).is_ok())
        },
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::keys::{parse_uri, Key, Scheme};

    #[test]
    fn only_what_the_account_has_signed_is_its() {
        for scheme in [Scheme::Sr25519, Scheme::Ed25519] {
            let key = |uri| Key::from_uri(scheme, &parse_uri(uri).expect("is a URI")).expect("is a key");
            let (alice, bob) = (key("//Alice"), key("//Bob"));
            let signature = alice.sign(b"message");
            assert!(is_signed(b"message", &signature, &alice.account()));
            assert!(is_signed(b"message", &alice.sign(b"<Bytes>message</Bytes>"), &alice.account()));
            assert!(!is_signed(b"another", &signature, &alice.account()));
            assert!(!is_signed(b"message", &signature, &bob.account()));
            assert!(!is_signed(b"message", &signature, &AccountId32([0xff; 32])), "no key at all");
        }
    }
}
