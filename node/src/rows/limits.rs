//! What peers may do wrong before this node is rid of them.

use std::time::{Duration, Instant};

use sc_network::ReputationChange;
use sc_network_types::PeerId;
use schnellru::{ByLength, LruMap};

/// Sessions that this node serves at once, as a worker. Each has a thread that sleeps between calls.
pub const SEATS: usize = 64;
/// Those of them that one gateway may take.
pub const SEATS_OF_GATEWAY: usize = SEATS / 4;
/// Sessions that this node answers at once, as a gateway.
pub const GENERATIONS: usize = 8;
/// Most bytes of memory that all answers of a gateway take together: their traces, and the keys and values.
pub const MAX_ANSWERS_BYTES: u64 = 4 << 30;
/// Most bytes of the traces that a worker keeps in memory for one session.
pub const MAX_TRACE_BYTES: u64 = 1 << 30;
/// Calls that a worker may be behind the others. A token is some hundred calls, so this is minutes: what a worker may
/// take is a matter of time and of bytes.
pub const MAX_LAG: usize = 1 << 17;
/// Bytes of calls and answers that wait for those who are behind.
pub const MAX_LAG_BYTES: usize = 256 << 20;
/// Disagreements of which a gateway remembers where they were.
pub const MAX_DISAGREEMENTS: usize = 1000;
/// Messages that wait for somebody to whom this node hands them on, each of at most 4 MiB.
pub const RELAY_QUEUE: usize = 8;
/// How many blocks old the number may be with which somebody asks for that.
pub const RELAY_AGE: u32 = 32;
/// Keys of which it is remembered with what number they asked last. Whoever asked longest ago is forgotten first: by then
/// its number is too old.
pub const RELAY_NUMBERS: u32 = 4_096;
/// Substreams that others may have opened to this node at once.
pub const MAX_INBOUND: u32 = 64;

/// Messages out of turn that a peer may send in one go.
const BURST: u32 = 64;
/// After how long a peer may send one more. A gateway asks again each second where a worker has no time for it, all that
/// it may have unanswered in all its sessions, and does nothing wrong.
const RECOVERY: Duration = Duration::from_millis(25);
/// Peers that are remembered. Whoever did nothing wrong for longest is forgotten first.
const PEERS: u32 = 1024;

/// What is thought of a peer whose message cannot be read.
pub const BAD_MESSAGE: ReputationChange = ReputationChange::new_fatal("Malformed message about rows");
/// What is thought of a peer that goes on sending what nobody asked for, or asking what it may not.
pub const TOO_MANY_FAULTS: ReputationChange = ReputationChange::new(-(1 << 28), "Too many messages about rows");

/// What is thought of a peer that opens a substream and is no gateway. It may only know more of the chain.
pub const NO_GATEWAY: ReputationChange = ReputationChange::new(-(1 << 24), "Not the gateway of a session");

/// Counts what peers do out of turn.
pub struct Faults(LruMap<PeerId, Account, ByLength>);

struct Account {
    left: u32,
    counted_at: Instant,
}

impl Default for Faults {
    fn default() -> Self {
        Self(LruMap::new(ByLength::new(PEERS)))
    }
}

impl Faults {
    /// Counts a fault. Says whether it is one too many.
    pub fn charge(&mut self, peer: PeerId, now: Instant) -> bool {
        let Some(account) = self.0.get_or_insert(peer, || Account { left: BURST, counted_at: now }) else {
            return true;
        };
        let recovered = now.saturating_duration_since(account.counted_at).as_millis() / RECOVERY.as_millis();
        if recovered > 0 {
            account.left = account.left.saturating_add(u32::try_from(recovered).unwrap_or(u32::MAX)).min(BURST);
            account.counted_at = now;
        }
        match account.left.checked_sub(1) {
            Some(left) => account.left = left,
            None => return true,
        }
        false
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn who_asks_again_each_second_is_not_cut_off() {
        let (mut faults, peer, start) = (Faults::default(), PeerId::random(), Instant::now());
        let calls = SEATS_OF_GATEWAY * crate::rows::protocol::IN_FLIGHT as usize;
        for second in 0..60 {
            let now = start + crate::rows::Patience::default().retry * second;
            (0..calls).for_each(|_| assert!(!faults.charge(peer, now)));
        }
    }

    #[test]
    fn a_burst_is_forgiven_and_a_stream_is_not() {
        let (mut faults, peer, start) = (Faults::default(), PeerId::random(), Instant::now());
        for _ in 0..BURST {
            assert!(!faults.charge(peer, start));
        }
        assert!(faults.charge(peer, start));
        assert!(!faults.charge(PeerId::random(), start));
        assert!(!faults.charge(peer, start + RECOVERY));
        assert!(faults.charge(peer, start + RECOVERY));
    }
}
