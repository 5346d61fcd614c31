//! What is known of checks: which wait, which is under way, and how the last ones ended.

use std::time::{Duration, Instant};

use ensemble_core::inference::SessionId;
use ensemble_host::{Check, CheckStatus};
use parking_lot::{Condvar, Mutex, MutexGuard};
use schnellru::{ByLength, LruMap};

/// Checks that wait for their turn. The worker asks again for others.
pub const QUEUE: usize = 8;
/// Checks whose ends are remembered. The one that was not asked about longest makes way.
const MAX_ENDED: u32 = 64;
/// How long it is remembered that a session cannot be checked: what it was for may have changed then.
pub const FAILURE_LIFETIME: Duration = Duration::from_secs(600);
/// How long a check waits, or goes on, that nobody asks about. The off-chain worker asks in every block.
pub const LIFETIME: Duration = Duration::from_secs(300);

/// Hash of all that a check depends on.
pub type Key = [u8; 32];

/// A check that is to be done.
pub struct Order {
    /// Its hash.
    pub key: Key,
    /// What is checked.
    pub check: Check,
}

/// Checks between those who ask and the one who computes.
pub struct Desk {
    jobs: Mutex<Jobs>,
    came: Condvar,
}

impl Desk {
    /// Nothing is known.
    pub fn new() -> Self {
        let ended = LruMap::new(ByLength::new(MAX_ENDED));
        let jobs = Jobs { waiting: Vec::new(), running: None, ended, is_closed: false };
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
            let next = jobs.take_first();
            if next.is_some() {
                return next;
            }
            self.came.wait(&mut jobs);
        }
        None
    }
}

/// What is known of checks.
pub struct Jobs {
    waiting: Vec<Waiting>,
    /// The check that is under way, and when it was asked about last.
    running: Option<(Key, Instant)>,
    ended: LruMap<Key, End, ByLength>,
    is_closed: bool,
}

struct Waiting {
    order: Order,
    asked: Instant,
}

struct End {
    session: SessionId,
    status: CheckStatus,
    at: Instant,
}

impl Jobs {
    /// How far a check is, if it was begun.
    pub fn status(&mut self, key: &Key) -> Option<CheckStatus> {
        self.tidy();
        if let Some(waiting) = self.waiting.iter_mut().find(|waiting| waiting.order.key == *key) {
            waiting.asked = Instant::now();
            return Some(CheckStatus::Pending);
        }
        if let Some((_, asked)) = self.running.as_mut().filter(|(running, _)| running == key) {
            *asked = Instant::now();
            return Some(CheckStatus::Pending);
        }
        match self.ended.get(key)? {
            End { status: CheckStatus::Unable(_), at, .. } if at.elapsed() >= FAILURE_LIFETIME => None,
            end => Some(end.status.clone()),
        }
    }

    /// Has a check wait for its turn. Returns whether there is room.
    pub fn order(&mut self, order: Order) -> bool {
        self.tidy();
        if self.waiting.len() >= QUEUE {
            return false;
        }
        self.ended.remove(&order.key);
        self.waiting.push(Waiting { order, asked: Instant::now() });
        true
    }

    /// The order that waits longest, which is under way from now on.
    pub fn take_first(&mut self) -> Option<Order> {
        self.tidy();
        if self.waiting.is_empty() {
            return None;
        }
        let Waiting { order, asked } = self.waiting.remove(0);
        self.running = Some((order.key, asked));
        Some(order)
    }

    /// Whether somebody still wants to know what comes of the check that is under way.
    pub fn is_wanted(&self) -> bool {
        !self.is_closed && self.running.is_some_and(|(_, asked)| asked.elapsed() < LIFETIME)
    }

    /// Notes what came of the check that was under way; nothing if it can begin anew.
    pub fn end(&mut self, order: &Order, status: Option<CheckStatus>) {
        self.running = None;
        if let Some(status) = status {
            self.ended.insert(order.key, End { session: order.check.session, status, at: Instant::now() });
        }
    }

    /// Forgets what came of the checks of a session.
    pub fn forget(&mut self, session: SessionId) {
        self.waiting.retain(|waiting| waiting.order.check.session != session);
        let keys: Vec<_> = self.ended.iter().filter(|(_, end)| end.session == session).map(|(key, _)| *key).collect();
        keys.iter().for_each(|key| drop(self.ended.remove(key)));
    }

    /// Checks that wait or are under way.
    pub fn under_way(&self) -> usize {
        self.waiting.len() + usize::from(self.running.is_some())
    }

    /// Drops orders that nobody asks about any more.
    fn tidy(&mut self) {
        self.waiting.retain(|waiting| waiting.asked.elapsed() < LIFETIME);
    }

    /// Pretends that all this was longer ago.
    #[cfg(test)]
    pub fn age(&mut self, by: Duration) {
        self.waiting.iter_mut().for_each(|waiting| waiting.asked -= by);
        if let Some((_, asked)) = &mut self.running {
            *asked -= by;
        }
        self.ended.iter_mut().for_each(|(_, end)| end.at -= by);
    }
}
