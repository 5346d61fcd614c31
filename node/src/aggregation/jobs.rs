//! What is known of combinations: which wait, which is being computed, and how the last ones ended.

use std::{
    collections::HashSet,
    time::{Duration, Instant},
};

use ensemble_core::{
    combination::{Combination, CombinationStatus},
    tasks::Descriptor,
};
use parking_lot::{Condvar, Mutex, MutexGuard};
use schnellru::{ByLength, LruMap};

use crate::tensors::Guard;

/// Combinations that wait for their turn. The worker asks again for others.
pub const QUEUE: usize = 8;
/// Combinations whose ends are remembered. The one that was not asked for longest makes way.
const MAX_ENDED: u32 = 64;
/// How long a failure is remembered: what it was for may have changed then, such as room on the disk.
pub const FAILURE_LIFETIME: Duration = Duration::from_secs(600);
/// How long an order waits, or a result is kept in the store, that nobody asks for. The off-chain worker asks in every
/// block, as long as it can still vote.
pub const LIFETIME: Duration = Duration::from_secs(300);
/// How often it is looked for what nobody asks for.
const TIDY_INTERVAL: Duration = Duration::from_secs(60);

/// Hash of a combination.
pub type Key = [u8; 32];

/// A combination that is to be computed.
pub struct Order {
    /// Its hash.
    pub key: Key,
    /// What it combines.
    pub combination: Combination,
    /// How much there is to compute, in a unit of no meaning.
    pub work: u64,
}

/// Jobs between those who ask and the one who computes.
pub struct Desk {
    jobs: Mutex<Jobs>,
    came: Condvar,
}

impl Desk {
    /// Nothing is known.
    pub fn new() -> Self {
        let ended = LruMap::new(ByLength::new(MAX_ENDED));
        let jobs = Jobs { waiting: Vec::new(), computing: HashSet::new(), ended, is_closed: false };
        Self { jobs: Mutex::new(jobs), came: Condvar::new() }
    }

    /// What is known.
    pub fn jobs(&self) -> MutexGuard<'_, Jobs> {
        self.jobs.lock()
    }

    /// Says that an order has come.
    pub fn ring(&self) {
        self.came.notify_one();
    }

    /// Has the one who computes end.
    pub fn close(&self) {
        self.jobs.lock().is_closed = true;
        self.ring();
    }

    /// Waits for the next order; nothing if there are to be no more.
    pub fn next(&self) -> Option<Order> {
        let mut jobs = self.jobs.lock();
        while !jobs.is_closed {
            let next = jobs.take_smallest();
            if next.is_some() {
                return next;
            }
            self.came.wait_for(&mut jobs, TIDY_INTERVAL);
        }
        None
    }
}

/// What is known of combinations.
pub struct Jobs {
    waiting: Vec<Waiting>,
    computing: HashSet<Key>,
    ended: LruMap<Key, End, ByLength>,
    is_closed: bool,
}

struct Waiting {
    order: Order,
    asked: Instant,
}

enum End {
    /// It has a result, which the guard keeps in the store. Whoever needs it longer than it is asked for pins it.
    Done {
        result: Descriptor,
        asked: Instant,
        guard: Option<Guard>,
    },
    Failed(Instant),
}

impl Jobs {
    /// How far a combination is, if it was begun.
    pub fn status(&mut self, key: &Key) -> Option<CombinationStatus> {
        self.tidy();
        if let Some(waiting) = self.waiting.iter_mut().find(|waiting| waiting.order.key == *key) {
            waiting.asked = Instant::now();
            return Some(CombinationStatus::Running);
        }
        if self.computing.contains(key) {
            return Some(CombinationStatus::Running);
        }
        match self.ended.get(key)? {
            End::Done { result, asked, .. } => {
                *asked = Instant::now();
                Some(CombinationStatus::Done { result: *result })
            },
            End::Failed(at) if at.elapsed() < FAILURE_LIFETIME => Some(CombinationStatus::Failed),
            End::Failed(_) => None,
        }
    }

    /// Has a combination wait for its turn. Returns whether there is room.
    pub fn order(&mut self, order: Order) -> bool {
        self.tidy();
        if self.waiting.len() >= QUEUE {
            return false;
        }
        self.ended.remove(&order.key);
        self.waiting.push(Waiting { order, asked: Instant::now() });
        true
    }

    /// The order with the least to compute, which is under way from now on.
    pub fn take_smallest(&mut self) -> Option<Order> {
        self.tidy();
        let smallest =
            (0..self.waiting.len()).min_by_key(|place| self.waiting.get(*place).map(|one| one.order.work))?;
        let Waiting { order, .. } = self.waiting.remove(smallest);
        self.computing.insert(order.key);
        Some(order)
    }

    /// Notes that a combination has a result, and what keeps it in the store.
    pub fn succeed(&mut self, key: Key, result: Descriptor, guard: Guard) {
        self.computing.remove(&key);
        self.ended.insert(key, End::Done { result, asked: Instant::now(), guard: Some(guard) });
    }

    /// Notes that a combination cannot be computed.
    pub fn fail(&mut self, key: Key) {
        self.computing.remove(&key);
        self.ended.insert(key, End::Failed(Instant::now()));
    }

    /// Forgets a combination, so that it can begin anew.
    pub fn forget(&mut self, key: &Key) {
        self.computing.remove(key);
        self.ended.remove(key);
    }

    /// Combinations that wait or are being computed.
    pub fn under_way(&self) -> usize {
        self.waiting.len() + self.computing.len()
    }

    /// Drops orders that nobody asks for any more, and no longer keeps results that nobody asks for.
    fn tidy(&mut self) {
        self.waiting.retain(|waiting| waiting.asked.elapsed() < LIFETIME);
        for (_, end) in self.ended.iter_mut() {
            if let End::Done { asked, guard, .. } = end {
                if asked.elapsed() >= LIFETIME {
                    *guard = None;
                }
            }
        }
    }

    /// Pretends that all this was longer ago.
    #[cfg(test)]
    pub fn age(&mut self, by: Duration) {
        self.waiting.iter_mut().for_each(|waiting| waiting.asked -= by);
        for (_, end) in self.ended.iter_mut() {
            match end {
                End::Done { asked: at, .. } | End::Failed(at) => *at -= by,
            }
        }
    }
}
