//! The workers of a session, as its gateway knows them: what waits to be sent to each, what each has not answered, and
//! the rows of their traces.

use std::{
    collections::{BTreeMap, BTreeSet, VecDeque},
    sync::Arc,
    time::{Duration, Instant},
};

use ensemble_compute::inference::Entry;
use ensemble_core::{
    attester::AttesterSignature,
    inference::{served_bytes, Position, RangeIndex, SessionId},
    AttesterId,
};
use ensemble_runtime::Hash as BlockHash;
use ensemble_tensor::{merkle, Hash};
use sc_network_types::PeerId;
use sp_core::Pair;

use crate::rows::{
    keys::AttesterPair,
    ledger::Signed,
    post::Post,
    protocol::{Frame, IN_FLIGHT},
    Patience,
};

/// How often a worker's connection may be lost without an answer in between.
const MAX_LOSSES: u32 = 2;

/// A worker of a session.
pub struct Member {
    /// Its place.
    pub place: u32,
    /// Its peer, if what it announced is one.
    pub peer: Option<PeerId>,
    /// The ranges that it serves, its own first.
    pub ranges: Vec<RangeIndex>,
    key: AttesterId,
    dropped: bool,
    /// Calls that are not sent yet.
    queue: VecDeque<Arc<Frame>>,
    /// Calls that are sent and not answered.
    unanswered: VecDeque<Arc<Frame>>,
    /// Since when it owes an answer.
    since: Option<Instant>,
    has_answered: bool,
    /// How long others waited for it alone.
    held_up: Duration,
    losses: u32,
    /// When to send again to one that had no time.
    retry_at: Option<Instant>,
    /// For each of its ranges.
    rows: Vec<Rows>,
    /// Whether a substream to its peer is kept.
    is_kept: bool,
    /// When it was dropped.
    left_at: Option<Instant>,
}

/// The trace of a range, as it follows from what was sent and received.
#[derive(Default)]
struct Rows {
    /// The rows that are not complete.
    open: BTreeMap<Position, Vec<u8>>,
    /// Positions at which it gave something else than was taken.
    strays: BTreeSet<Position>,
    signed: Vec<(Hash, AttesterSignature)>,
}

/// A signature that does not fit.
pub struct Unfit;

impl Member {
    /// A worker that was asked nothing yet.
    pub fn new(place: u32, peer: Option<PeerId>, key: AttesterId, ranges: Vec<RangeIndex>) -> Self {
        let rows = ranges.iter().map(|_| Rows::default()).collect();
        Self {
            place,
            peer,
            ranges,
            key,
            dropped: false,
            queue: VecDeque::new(),
            unanswered: VecDeque::new(),
            since: None,
            has_answered: false,
            held_up: Duration::ZERO,
            losses: 0,
            retry_at: None,
            rows,
            is_kept: false,
            left_at: None,
        }
    }

    /// Keeps a substream to its peer.
    pub fn keep(&mut self, post: &Post) {
        if let Some(peer) = self.peer.filter(|_| !self.is_kept) {
            self.is_kept = true;
            post.keep(peer);
        }
    }

    /// Lets go of its peer, if it was dropped so long ago, or in any case. Nobody is dialled for ever who is not there.
    pub fn release(&mut self, post: &Post, after: Option<Duration>) {
        let is_due = after.is_none_or(|after| self.left_at.is_some_and(|left| left.elapsed() >= after));
        if let Some(peer) = self.peer.filter(|_| self.is_kept && is_due) {
            self.is_kept = false;
            post.release(peer);
        }
    }

    /// Whether it still takes part.
    pub fn is_in(&self) -> bool {
        !self.dropped
    }

    /// Ends its part.
    pub fn leave(&mut self) {
        self.dropped = true;
        self.left_at = Some(Instant::now());
        self.queue.clear();
        self.unanswered.clear();
        (self.since, self.retry_at) = (None, None);
    }

    /// Has a call wait for its turn.
    pub fn ask(&mut self, call: Arc<Frame>, now: Instant) {
        self.queue.push_back(call);
        self.since.get_or_insert(now);
    }

    /// Sends what may be sent.
    pub fn pump(&mut self, post: &Post, now: Instant) {
        if self.retry_at.is_some_and(|at| at > now) {
            return;
        }
        self.retry_at = None;
        let Some(peer) = self.peer else { return };
        while self.unanswered.len() < IN_FLIGHT as usize {
            let Some(call) = self.queue.pop_front() else { return };
            if !post.call(&peer, &call, self.place) {
                // It is sent when there is a substream.
                self.queue.push_front(call);
                return;
            }
            self.unanswered.push_back(call);
        }
    }

    /// Takes note of an answer. Says whether it was owed.
    pub fn answered(&mut self, number: u32, now: Instant) -> bool {
        let Some(place) = self.unanswered.iter().position(|call| call.number() == number) else { return false };
        self.unanswered.remove(place);
        (self.has_answered, self.losses) = (true, 0);
        self.since = (!self.unanswered.is_empty() || !self.queue.is_empty()).then_some(now);
        true
    }

    /// Whether a call is sent and not answered.
    pub fn owes(&self, number: u32) -> bool {
        self.unanswered.iter().any(|call| call.number() == number)
    }

    /// Has all that is unanswered sent again, after a while.
    pub fn retry(&mut self, at: Instant) {
        self.take_back();
        self.retry_at = Some(at);
    }

    /// Takes note of a lost connection. Says whether it was one too many: those count that took an answer along. The network
    /// opens another one after some seconds, for which the worker has time again.
    pub fn lost(&mut self, now: Instant) -> bool {
        self.losses = self.losses.saturating_add(u32::from(!self.unanswered.is_empty()));
        self.take_back();
        self.since = self.since.map(|_| now);
        self.losses > MAX_LOSSES
    }

    fn take_back(&mut self) {
        while let Some(call) = self.unanswered.pop_back() {
            self.queue.push_front(call);
        }
    }

    /// When something is due: an answer, or another try.
    pub fn due(&self, patience: &Patience) -> Option<Instant> {
        [self.deadline(patience), self.retry_at].into_iter().flatten().min()
    }

    /// Whether it took too long to answer.
    pub fn is_late(&self, patience: &Patience, now: Instant) -> bool {
        self.deadline(patience).is_some_and(|deadline| deadline <= now)
    }

    fn deadline(&self, patience: &Patience) -> Option<Instant> {
        let allowed: Duration = if self.has_answered { patience.call } else { patience.first };
        self.since.and_then(|since| since.checked_add(allowed))
    }

    /// Takes note that others waited for it. Says whether that was too long, at so many positions.
    pub fn holds_up(&mut self, time: Duration, positions: u32, patience: &Patience) -> bool {
        // There is another limit for the first answer.
        if self.has_answered {
            self.held_up = self.held_up.saturating_add(time);
        }
        self.held_up > patience.alone.saturating_add(patience.position.saturating_mul(positions))
    }

    /// Writes an entry into the trace of one of its ranges.
    pub fn record(&mut self, range: RangeIndex, position: Position, stage: u32, stages: u32, entry: &Entry) {
        let place = self.ranges.iter().position(|served| *served == range);
        let Some(rows) = place.and_then(|place| self.rows.get_mut(place)) else { return };
        let row = rows.open.entry(position).or_insert_with(|| vec![0; stages as usize * Entry::LEN]);
        let from = stage as usize * Entry::LEN;
        if let Some(bytes) = row.get_mut(from..from + Entry::LEN) {
            bytes.copy_from_slice(&entry.to_bytes());
        }
    }

    /// Takes note that it gave something else than was taken.
    pub fn strays(&mut self, range: RangeIndex, position: Position) {
        let place = self.ranges.iter().position(|served| *served == range);
        if let Some(rows) = place.and_then(|place| self.rows.get_mut(place)) {
            // Nobody asks for what is complete.
            if rows.open.contains_key(&position) {
                rows.strays.insert(position);
            }
        }
    }

    /// Checks the signature of a complete row, and keeps it. Says whether the row is what was taken in all stages but the
    /// last.
    pub fn sign(
        &mut self,
        genesis: &BlockHash,
        session: SessionId,
        range: RangeIndex,
        position: Position,
        signature: [u8; 64],
    ) -> Result<bool, Unfit> {
        let place = self.ranges.iter().position(|served| *served == range);
        let rows = place.and_then(|place| self.rows.get_mut(place)).ok_or(Unfit)?;
        let row = rows.open.remove(&position).ok_or(Unfit)?;
        let strayed = rows.strays.remove(&position);
        let hash = merkle::leaf_hash(&row);
        let signature = AttesterSignature::from(sp_core::sr25519::Signature::from_raw(signature));
        let bytes = served_bytes(genesis, session, range, position, &hash);
        if !AttesterPair::verify(&signature, bytes, &self.key) {
            return Err(Unfit);
        }
        rows.signed.push((hash, signature));
        Ok(!strayed)
    }

    /// What it signed, which is handed out once.
    pub fn signed(&mut self) -> Vec<Signed> {
        let place = self.place;
        let of_range = |(range, rows): (&RangeIndex, &mut Rows)| Signed {
            place,
            range: *range,
            rows: std::mem::take(&mut rows.signed),
        };
        self.ranges.iter().zip(&mut self.rows).map(of_range).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::rows::protocol::Call;

    fn frame(number: u32) -> Arc<Frame> {
        let (asked, inputs) = (None, Default::default());
        Arc::new(Frame::new(Call { session: 1, place: 0, number, stage: 1, first: 0, asked, inputs }))
    }

    #[test]
    fn connections_that_are_lost_while_nothing_is_owed_do_not_count() {
        let key = AttesterPair::from_seed(&[1; 32]).public();
        let mut member = Member::new(0, Some(PeerId::random()), key, vec![0]);
        for _ in 0..10 {
            assert!(!member.lost(Instant::now()));
        }
        for loss in 1..=MAX_LOSSES + 1 {
            member.unanswered.push_back(frame(7));
            assert_eq!(member.lost(Instant::now()), loss > MAX_LOSSES);
            // It is asked the same again.
            assert_eq!(member.queue.pop_front().map(|frame| frame.number()), Some(7));
        }
        member.unanswered.push_back(frame(8));
        assert!(member.answered(8, Instant::now()));
        assert!(!member.lost(Instant::now()));
    }
}
