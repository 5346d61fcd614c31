//! Scores sealed for the chain: its hash is committed to, and the rest revealed later.

use codec::Encode;

use super::formula::Found;
use crate::{
    chain::{
        types::{bounded_collections::bounded_vec::BoundedVec, ensemble_core::scores},
        H256,
    },
    commitments::ScoresOpening,
    context::hash,
    error::Error,
    send::blake2_256,
    views::hex_text,
};

/// Seals what was found of some miners, in the order of their numbers.
///
/// # Errors
///
/// If the system gives no random bytes.
pub fn seal(validator: u32, epoch: u32, batch: u32, found: &[(u32, Found)]) -> Result<ScoresOpening, Error> {
    let mut salt = [0; 32];
    getrandom::fill(&mut salt).map_err(|error| Error::Other(format!("no random bytes: {error}")))?;
    let scores = found.iter().map(|(miner, found)| {
        let Found { score, quality, availability, latency } = *found;
        (*miner, [score, quality, availability, latency])
    });
    Ok(ScoresOpening { validator, epoch, batch, scores: scores.collect(), salt: hex_text(&salt) })
}

impl ScoresOpening {
    /// The hash that is committed to: of the SCALE encoding of epoch, validator, batch, scores and salt.
    ///
    /// # Errors
    ///
    /// If the salt is none.
    pub fn hash(&self) -> Result<H256, Error> {
        let Self { validator, epoch, batch, scores, .. } = self;
        let sealed = (epoch, validator, batch, scores, self.salt()?).encode();
        Ok(H256(blake2_256(&[&sealed])))
    }

    /// The salt.
    ///
    /// # Errors
    ///
    /// If it is none.
    pub fn salt(&self) -> Result<[u8; 32], Error> {
        let salt = hash(&self.salt).map_err(|error| Error::Other(format!("the salt in the kept scores: {error}")))?;
        Ok(salt.0)
    }

    /// The scores as the call `scores.reveal` takes them.
    pub fn for_chain(&self) -> BoundedVec<(u32, scores::Score)> {
        let scores = self.scores.iter().map(|(miner, [score, quality, availability, latency])| {
            let (score, quality) = (*score, *quality);
            (*miner, scores::Score { score, quality, availability: *availability, latency: *latency })
        });
        BoundedVec(scores.collect())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The hash is of the same bytes as in the guide: `(u32, u32, u32, Vec<(u32, (u32, u32, u32, u32))>, [u8; 32])`.
    #[test]
    fn what_is_hashed_is_what_the_chain_hashes() {
        let found = Found { score: 900_000, quality: 950_000, availability: 1_000_000, latency: 120 };
        let opening = ScoresOpening {
            salt: hex_text(&[7; 32]),
            ..seal(2, 5, 0, &[(1, found), (4, Found::default())]).expect("is sealed")
        };
        let mut bytes = Vec::new();
        for number in [5u32, 2, 0] {
            bytes.extend(number.to_le_bytes());
        }
        bytes.push(2 << 2);
        for number in [1u32, 900_000, 950_000, 1_000_000, 120, 4, 0, 0, 0, 0] {
            bytes.extend(number.to_le_bytes());
        }
        bytes.extend([7; 32]);
        assert_eq!(opening.hash().expect("has one"), H256(blake2_256(&[&bytes])));
    }

    #[test]
    fn each_seal_has_a_salt_of_its_own() {
        let seal = || seal(2, 5, 0, &[]).expect("is sealed");
        assert_ne!(seal().hash().expect("has one"), seal().hash().expect("has one"));
    }
}
