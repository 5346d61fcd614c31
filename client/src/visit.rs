//! Visits: a validator asks an endpoint without a ticket, and shows who it is by a signature.
//!
//! The header `ensemble-visit` of its request says
//!
//! ```text
//! validator=7, time=1790000000, nonce=0x<16 bytes>, signature=0x<64 bytes, or 65 with the scheme in front>
//! ```
//!
//! and the signature is of the owner of that validator, over
//!
//! ```text
//! ensemble/visit/v1
//! Validator 7 asks module 3
//! at 1790000000
//! nonce 0x<16 bytes>
//! body 0x<BLAKE2b-256 of the request's body>
//! on chain 0x<hash of the first block>
//! ```
//!
//! So it is good for one request to one module of one chain, for as long as the endpoint remembers nonces.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use subxt::utils::MultiSignature;

use crate::{
    chain::{hash_text, AccountId32, H256},
    error::Error,
    keys::{self, Key},
    send::blake2_256,
    tickets::{signature_of, signature_text},
    views::hex_text,
};

/// Name of the header.
pub const HEADER: &str = "ensemble-visit";
/// How far the clocks of both sides may be apart, and how long a visit is good.
pub const TOLERANCE: Duration = Duration::from_secs(60);
/// The longest header that is read, in bytes.
const MAX_HEADER: usize = 400;

/// Bytes that are used once.
pub type Nonce = [u8; 16];

/// Who asks, and when.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct Visit {
    /// The validator's module.
    pub validator: u32,
    /// Seconds since 1970.
    pub time: u64,
    /// What is used once.
    pub nonce: Nonce,
}

/// What is asked, and of whom.
#[derive(Clone, Copy, Debug)]
pub struct Asked<'a> {
    /// The module that is asked.
    pub module: u32,
    /// The body of the request.
    pub body: &'a [u8],
    /// The first block of the chain.
    pub genesis: &'a H256,
}

/// A visit with the signature that should be of the validator's owner.
#[derive(Clone, Debug)]
pub struct SignedVisit {
    /// What it says.
    pub visit: Visit,
    signature: MultiSignature,
}

impl Visit {
    /// A visit now.
    ///
    /// # Errors
    ///
    /// If the system gives no random bytes.
    pub fn now(validator: u32) -> Result<Self, Error> {
        let mut nonce = Nonce::default();
        getrandom::fill(&mut nonce).map_err(|error| Error::Other(format!("no random bytes: {error}")))?;
        Ok(Self { validator, time: seconds_now(), nonce })
    }

    /// The text that is signed.
    fn message(&self, asked: Asked<'_>) -> String {
        let Self { validator, time, nonce } = self;
        let (nonce, body) = (hex_text(nonce), hex_text(&blake2_256(&[asked.body])));
        let (module, genesis) = (asked.module, hash_text(asked.genesis));
        format!(
            "ensemble/visit/v1\nValidator {validator} asks module {module}\nat {time}\nnonce {nonce}\nbody {body}\non chain \
             {genesis}"
        )
    }

    /// The header that says it.
    pub fn header(&self, asked: Asked<'_>, key: &Key) -> String {
        let signature = signature_text(&key.sign(self.message(asked).as_bytes()));
        let Self { validator, time, nonce } = self;
        format!("validator={validator}, time={time}, nonce={}, signature={signature}", hex_text(nonce))
    }
}

impl SignedVisit {
    /// Reads a header.
    ///
    /// # Errors
    ///
    /// What is wrong with it.
    pub fn parse(header: &str) -> Result<Self, String> {
        if header.len() > MAX_HEADER {
            return Err(format!("the header {HEADER} is longer than {MAX_HEADER} bytes"));
        }
        let mut fields = header.split(',').map(str::trim);
        let mut field = |name: &str| {
            let value = fields.next().and_then(|field| field.strip_prefix(name)?.strip_prefix('='));
            value.ok_or_else(|| format!("the header {HEADER} is `validator=, time=, nonce=, signature=`"))
        };
        let number = |error| format!("the header {HEADER}: {error}");
        let validator = field("validator")?.parse().map_err(number)?;
        let time = field("time")?.parse().map_err(number)?;
        let mut nonce = Nonce::default();
        let digits = field("nonce")?;
        hex::decode_to_slice(digits.strip_prefix("0x").unwrap_or(digits), &mut nonce)
            .map_err(|_| "a nonce is 0x and 32 hexadecimal digits".to_owned())?;
        let signature = signature_of(field("signature")?)?;
        Ok(Self { visit: Visit { validator, time, nonce }, signature })
    }

    /// Whether an account has signed it for this request.
    pub fn is_signed(&self, asked: Asked<'_>, owner: &AccountId32) -> bool {
        keys::is_signed(self.visit.message(asked).as_bytes(), &self.signature, owner)
    }
}

/// Seconds since 1970, by this machine's clock.
pub fn seconds_now() -> u64 {
    SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default().as_secs()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::keys::{parse_uri, Scheme};

    const GENESIS: H256 = H256::repeat_byte(0xab);
    const VISIT: Visit = Visit { validator: 7, time: 1_790_000_000, nonce: [1; 16] };

    fn key(scheme: Scheme) -> Key {
        Key::from_uri(scheme, &parse_uri("//Alice").expect("is a URI")).expect("is a key")
    }

    fn asked(body: &[u8]) -> Asked<'_> {
        Asked { module: 3, body, genesis: &GENESIS }
    }

    #[test]
    fn a_visit_is_good_for_what_was_signed_alone() {
        for scheme in [Scheme::Sr25519, Scheme::Ed25519] {
            let key = key(scheme);
            let signed = SignedVisit::parse(&VISIT.header(asked(b"body"), &key)).expect("is a header");
            assert_eq!(signed.visit, VISIT);
            assert!(signed.is_signed(asked(b"body"), &key.account()));
            assert!(!signed.is_signed(asked(b"another"), &key.account()));
            assert!(!signed.is_signed(Asked { module: 4, ..asked(b"body") }, &key.account()));
            let other = H256::repeat_byte(1);
            assert!(!signed.is_signed(Asked { genesis: &other, ..asked(b"body") }, &key.account()));
            assert!(!signed.is_signed(asked(b"body"), &AccountId32([2; 32])));
            for changed in [Visit { time: 1, ..VISIT }, Visit { nonce: [2; 16], ..VISIT }] {
                let changed = SignedVisit { visit: changed, ..signed.clone() };
                assert!(!changed.is_signed(asked(b"body"), &key.account()));
            }
        }
    }

    #[test]
    fn what_is_signed_is_text() {
        let expected = "ensemble/visit/v1\nValidator 7 asks module 3\nat 1790000000\nnonce \
                        0x01010101010101010101010101010101\nbody \
                        0x0e5751c026e543b2e8ab2eb06099daa1d1e5df47778f7787faab45cdf12fe3a8\non chain \
                        0xabababababababababababababababababababababababababababababababab";
        assert_eq!(VISIT.message(asked(b"")), expected);
    }

    #[test]
    fn what_is_no_header_is_refused() {
        let good = VISIT.header(asked(b""), &key(Scheme::Sr25519));
        let long = format!("{good}{}", "0".repeat(MAX_HEADER));
        let swapped = good.replace("validator", "time");
        let no_nonce = good.replace(&hex_text(&VISIT.nonce), "0x01");
        let no_number = good.replace("=7", "=-7");
        for header in ["", "validator=7", long.as_str(), swapped.as_str(), no_nonce.as_str(), no_number.as_str()] {
            assert!(SignedVisit::parse(header).is_err(), "{header}");
        }
    }
}
