//! How much a peer may ask of this node.

use std::time::{Duration, Instant};

use sc_network_types::PeerId;
use schnellru::{ByLength, LruMap};

/// Bytes that a peer may take in one go.
pub const BURST: u64 = 128 << 20;
/// Bytes per second that a peer may take in the long run.
pub const RATE: u64 = 32 << 20;
/// What a request counts, in bytes, however short the answer is.
pub const REQUEST_COST: u64 = 1 << 10;
/// Answers to one peer that may be on their way.
pub const IN_FLIGHT: u32 = 32;
/// Bytes of answers to one peer that may be on their way.
pub const PEER_IN_FLIGHT_BYTES: u64 = 4 << 20;
/// Bytes of answers to all peers that may be on their way, and so in memory. Up to twice as many may be for the sake of
/// peers that have none yet, so that those who do not take theirs keep nobody from the first one.
pub const IN_FLIGHT_BYTES: u64 = 64 << 20;
/// How long a peer that let an answer lie gets no other.
pub const LOCK_OUT: Duration = Duration::from_secs(60);
/// Peers that are remembered. Whoever asks least recently is forgotten first.
pub const PEERS: u32 = 1024;

/// After how long a peer that has too many answers on their way may ask again.
const BACK_OFF: Duration = Duration::from_millis(200);

/// The account that is kept of every peer.
pub struct Limits {
    peers: LruMap<PeerId, Allowance, ByLength>,
    in_flight_bytes: u64,
}

struct Allowance {
    bytes: u64,
    counted_at: Instant,
    in_flight: u32,
    in_flight_bytes: u64,
    locked_until: Option<Instant>,
}

impl Default for Limits {
    fn default() -> Self {
        Self { peers: LruMap::new(ByLength::new(PEERS)), in_flight_bytes: 0 }
    }
}

impl Limits {
    /// Whether `peer` may have an answer now; if not, after how long it may ask again.
    pub fn admit(&mut self, peer: &PeerId, now: Instant) -> Result<(), Duration> {
        let in_all = self.in_flight_bytes;
        let Some(allowance) = self.allowance(peer, now) else { return Err(BACK_OFF) };
        allowance.refill(now);
        let locked = allowance.locked_until.and_then(|until| until.checked_duration_since(now));
        if let Some(wait) = locked.filter(|wait| !wait.is_zero()) {
            return Err(wait);
        }
        if !allowance.has_room() || in_all >= allowance.share_of(IN_FLIGHT_BYTES) {
            return Err(BACK_OFF);
        }
        match allowance.bytes {
            0 => Err(Duration::from_secs(1)),
            _ => Ok(()),
        }
    }

    /// Counts an answer of `len` bytes that is on its way to `peer`, and `read` further bytes that it took to make it.
    /// It may overdraw the peer's account.
    pub fn started(&mut self, peer: &PeerId, len: u64, read: u64, now: Instant) {
        self.in_flight_bytes = self.in_flight_bytes.saturating_add(len);
        if let Some(allowance) = self.allowance(peer, now) {
            allowance.bytes = allowance.bytes.saturating_sub(len.saturating_add(read).saturating_add(REQUEST_COST));
            allowance.in_flight += 1;
            allowance.in_flight_bytes = allowance.in_flight_bytes.saturating_add(len);
        }
    }

    /// Notes that the answer has been sent, or has failed to be.
    pub fn ended(&mut self, peer: &PeerId, len: u64) {
        self.in_flight_bytes = self.in_flight_bytes.saturating_sub(len);
        if let Some(allowance) = self.peers.get(peer) {
            allowance.in_flight = allowance.in_flight.saturating_sub(1);
            allowance.in_flight_bytes = allowance.in_flight_bytes.saturating_sub(len);
        }
    }

    /// Gives `peer` nothing for a while.
    pub fn lock_out(&mut self, peer: &PeerId, now: Instant) {
        if let Some(allowance) = self.allowance(peer, now) {
            allowance.locked_until = Some(now + LOCK_OUT);
        }
    }

    fn allowance(&mut self, peer: &PeerId, now: Instant) -> Option<&mut Allowance> {
        self.peers.get_or_insert(*peer, || Allowance {
            bytes: BURST,
            counted_at: now,
            in_flight: 0,
            in_flight_bytes: 0,
            locked_until: None,
        })
    }
}

impl Allowance {
    fn has_room(&self) -> bool {
        self.in_flight < IN_FLIGHT && self.in_flight_bytes < PEER_IN_FLIGHT_BYTES
    }

    /// How much of what all share may be in use for this peer to get more.
    fn share_of(&self, limit: u64) -> u64 {
        if self.in_flight == 0 {
            2 * limit
        } else {
            limit
        }
    }

    fn refill(&mut self, now: Instant) {
        let elapsed = now.saturating_duration_since(self.counted_at);
        let earned = u128::from(RATE) * elapsed.as_millis() / 1000;
        if earned > 0 {
            self.bytes = self.bytes.saturating_add(u64::try_from(earned).unwrap_or(u64::MAX)).min(BURST);
            self.counted_at = now;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const PIECE: u64 = 1 << 20;

    #[test]
    fn a_burst_is_followed_by_the_rate() {
        let (mut limits, peer, start) = (Limits::default(), PeerId::random(), Instant::now());
        let mut served = 0;
        while limits.admit(&peer, start).is_ok() {
            limits.started(&peer, PIECE, 0, start);
            limits.ended(&peer, PIECE);
            served += PIECE;
        }
        // The last answer may overdraw.
        assert!((BURST - PIECE..=BURST + PIECE).contains(&served), "{served}");
        let later = start + Duration::from_secs(1);
        let mut served = 0;
        while limits.admit(&peer, later).is_ok() {
            limits.started(&peer, PIECE, 0, later);
            limits.ended(&peer, PIECE);
            served += PIECE;
        }
        assert!((RATE - PIECE..=RATE + PIECE).contains(&served), "{served}");
    }

    #[test]
    fn answers_on_their_way_are_limited_per_peer_and_in_all() {
        let (mut limits, now) = (Limits::default(), Instant::now());
        let (one, other) = (PeerId::random(), PeerId::random());
        for _ in 0..IN_FLIGHT {
            limits.admit(&one, now).unwrap();
            limits.started(&one, 100, 0, now);
        }
        assert!(limits.admit(&one, now).is_err());
        limits.admit(&other, now).unwrap();
        limits.ended(&one, 100);
        limits.admit(&one, now).unwrap();

        limits.started(&other, IN_FLIGHT_BYTES, 0, now);
        assert!(limits.admit(&one, now).is_err());
        limits.ended(&other, IN_FLIGHT_BYTES);
        limits.admit(&one, now).unwrap();
    }

    #[test]
    fn those_who_take_nothing_keep_nobody_from_a_first_answer() {
        let (mut limits, now) = (Limits::default(), Instant::now());
        let mut hoarders = 0;
        while limits.in_flight_bytes < IN_FLIGHT_BYTES {
            let hoarder = PeerId::random();
            let mut lying = 0;
            while limits.admit(&hoarder, now).is_ok() {
                limits.started(&hoarder, PIECE, 0, now);
                lying += PIECE;
            }
            assert_eq!(lying, PEER_IN_FLIGHT_BYTES);
            hoarders += 1;
        }
        assert_eq!(hoarders, IN_FLIGHT_BYTES / PEER_IN_FLIGHT_BYTES);
        // One piece each for newcomers, up to the cap.
        let newcomer = PeerId::random();
        limits.admit(&newcomer, now).unwrap();
        limits.started(&newcomer, PIECE, 0, now);
        assert!(limits.admit(&newcomer, now).is_err());
        limits.started(&PeerId::random(), IN_FLIGHT_BYTES, 0, now);
        assert!(limits.admit(&PeerId::random(), now).is_err());
    }

    #[test]
    fn who_is_locked_out_waits_and_then_is_served() {
        let (mut limits, peer, now) = (Limits::default(), PeerId::random(), Instant::now());
        limits.lock_out(&peer, now);
        assert_eq!(limits.admit(&peer, now), Err(LOCK_OUT));
        limits.admit(&PeerId::random(), now).unwrap();
        limits.admit(&peer, now + LOCK_OUT).unwrap();
    }

    #[test]
    fn short_requests_cost_too() {
        let (mut limits, peer, now) = (Limits::default(), PeerId::random(), Instant::now());
        let mut answered = 0;
        while limits.admit(&peer, now).is_ok() {
            limits.started(&peer, 1, 0, now);
            limits.ended(&peer, 1);
            answered += 1;
        }
        assert!(answered <= BURST / REQUEST_COST, "{answered}");
    }

    #[test]
    fn what_is_read_for_an_answer_costs_too() {
        let (mut limits, peer, now) = (Limits::default(), PeerId::random(), Instant::now());
        limits.started(&peer, 1, BURST, now);
        limits.ended(&peer, 1);
        assert!(limits.admit(&peer, now).is_err());
    }

    #[test]
    fn the_list_of_peers_does_not_grow() {
        let (mut limits, now) = (Limits::default(), Instant::now());
        for _ in 0..2 * PEERS {
            limits.started(&PeerId::random(), 1, 0, now);
        }
        assert!(limits.peers.len() <= PEERS as usize);
    }
}
