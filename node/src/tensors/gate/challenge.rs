//! Challenges: issued without being kept, taken once.
//!
//! A challenge is a number, the time of its issue and a keyed hash of both with asker and content, under a secret that
//! the node draws when it starts. Whoever asks for many makes the node remember nothing; only those that were signed
//! for are remembered, until they expire.

use std::{
    collections::{HashSet, VecDeque},
    time::{Duration, Instant},
};

use codec::Encode;
use ensemble_runtime::AccountId;
use ensemble_tensor::TensorId;
use sc_network_types::PeerId;

use super::{random, Denied, Token};

/// What is to be signed: number, milliseconds since the node started, hash; little-endian.
pub type Challenge = [u8; 32];

/// How long a challenge may be answered.
pub const CHALLENGE_LIFETIME: Duration = Duration::from_secs(60);
/// Challenges that were answered and have not expired. What comes on top is refused.
pub const MAX_TAKEN: usize = 65_536;

/// Issues challenges and takes them back.
pub struct Challenges {
    secret: [u8; 32],
    started: Instant,
    issued: u64,
    taken: HashSet<u64>,
    /// The same, by the time when they expire.
    expiring: VecDeque<(Instant, u64)>,
}

impl Challenges {
    /// None issued.
    pub fn new(started: Instant) -> Self {
        let (taken, expiring) = Default::default();
        Self { secret: random(), started, issued: 0, taken, expiring }
    }

    /// A challenge that was not there before.
    pub fn issue(&mut self, peer: Option<PeerId>, id: TensorId, now: Instant) -> Challenge {
        self.issued = self.issued.wrapping_add(1);
        let at = u64::try_from(now.saturating_duration_since(self.started).as_millis()).unwrap_or(u64::MAX);
        self.seal(peer, id, self.issued, at)
    }

    /// Whether a challenge may be answered by this asker for this content.
    pub fn check(&self, peer: Option<PeerId>, id: TensorId, challenge: &Challenge, now: Instant) -> Result<(), Denied> {
        let (number, at) = parts(challenge);
        if self.seal(peer, id, number, at) != *challenge {
            return Err(Denied::Stale);
        }
        let age = now.saturating_duration_since(self.started).saturating_sub(Duration::from_millis(at));
        if age > CHALLENGE_LIFETIME {
            return Err(Denied::Stale);
        }
        if self.taken.contains(&number) {
            return Err(Denied::Replayed);
        }
        Ok(())
    }

    /// Takes a challenge that was answered. It cannot be answered again.
    pub fn take(
        &mut self,
        peer: Option<PeerId>,
        id: TensorId,
        challenge: &Challenge,
        now: Instant,
    ) -> Result<(), Denied> {
        // Somebody else may have answered it in the meantime.
        self.check(peer, id, challenge, now)?;
        while let Some((_, number)) = self.expiring.front().filter(|(end, _)| *end < now) {
            self.taken.remove(number);
            self.expiring.pop_front();
        }
        if self.taken.len() >= MAX_TAKEN {
            return Err(Denied::Busy);
        }
        let (number, _) = parts(challenge);
        self.taken.insert(number);
        // None is younger than now, so that it is Stale from then on.
        self.expiring.push_back((now + CHALLENGE_LIFETIME + Duration::from_secs(1), number));
        Ok(())
    }

    /// By what an account is known that may read a content: always the same, so that asking again and again takes no
    /// further place.
    pub fn token(&self, account: &AccountId, content: &TensorId) -> Token {
        sp_io::hashing::blake2_256(&(self.secret, "token", account, content).encode())
    }

    fn seal(&self, peer: Option<PeerId>, id: TensorId, number: u64, at: u64) -> Challenge {
        let peer = peer.map(|peer| peer.to_bytes());
        let hash = sp_io::hashing::blake2_256(&(self.secret, peer, id, number, at).encode());
        let mut challenge = [0; 32];
        challenge[..8].copy_from_slice(&number.to_le_bytes());
        challenge[8..16].copy_from_slice(&at.to_le_bytes());
        challenge[16..].copy_from_slice(&hash[..16]);
        challenge
    }
}

fn parts(challenge: &Challenge) -> (u64, u64) {
    let (numbers, _) = challenge.as_chunks::<8>();
    (u64::from_le_bytes(numbers[0]), u64::from_le_bytes(numbers[1]))
}
