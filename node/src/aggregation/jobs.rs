//! What is known of combinations: which are under way, and how the last ones ended.

use std::{
    collections::HashSet,
    time::{Duration, Instant},
};

use ensemble_core::{combination::CombinationStatus, tasks::Descriptor};
use schnellru::{ByLength, LruMap};

/// Combinations whose ends are remembered. The one that was not asked for longest makes way.
const MAX_ENDED: u32 = 64;
/// How long a failure is remembered: what it was for may have changed then, such as room on the disk.
const FAILURE_LIFETIME: Duration = Duration::from_secs(600);

/// Hash of a combination.
pub type Key = [u8; 32];

/// What is known of combinations.
pub struct Jobs {
    under_way: HashSet<Key>,
    ended: LruMap<Key, End, ByLength>,
}

enum End {
    Done(Descriptor),
    Failed(Instant),
}

impl Jobs {
    /// Nothing is known.
    pub fn new() -> Self {
        Self { under_way: HashSet::new(), ended: LruMap::new(ByLength::new(MAX_ENDED)) }
    }

    /// How far a combination is, if it was begun.
    pub fn status(&mut self, key: &Key) -> Option<CombinationStatus> {
        if self.under_way.contains(key) {
            return Some(CombinationStatus::Running);
        }
        match self.ended.get(key)? {
            End::Done(result) => Some(CombinationStatus::Done { result: *result }),
            End::Failed(at) if at.elapsed() < FAILURE_LIFETIME => Some(CombinationStatus::Failed),
            End::Failed(_) => None,
        }
    }

    /// Notes that a combination is under way.
    pub fn begin(&mut self, key: Key) {
        self.ended.remove(&key);
        self.under_way.insert(key);
    }

    /// Notes that a combination has a result.
    pub fn succeed(&mut self, key: Key, result: Descriptor) {
        self.under_way.remove(&key);
        self.ended.insert(key, End::Done(result));
    }

    /// Notes that a combination cannot be computed.
    pub fn fail(&mut self, key: Key) {
        self.under_way.remove(&key);
        self.ended.insert(key, End::Failed(Instant::now()));
    }

    /// Forgets a combination, so that it can begin anew.
    pub fn forget(&mut self, key: &Key) {
        self.under_way.remove(key);
        self.ended.remove(key);
    }

    /// Combinations under way.
    pub fn running(&self) -> usize {
        self.under_way.len()
    }

    /// Pretends that a failure was long ago.
    #[cfg(test)]
    pub fn age(&mut self, key: &Key) {
        if let Some(End::Failed(at)) = self.ended.get(key) {
            *at -= FAILURE_LIFETIME;
        }
    }
}
