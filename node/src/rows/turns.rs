//! Taking turns: only so many do something at once, and others wait, not for ever and not too many of them.

use std::time::{Duration, Instant};

use parking_lot::{Condvar, Mutex};

/// Places for some at once.
pub struct Turns {
    places: usize,
    /// Most that wait.
    queue: usize,
    state: Mutex<State>,
    freed: Condvar,
}

#[derive(Default)]
struct State {
    taken: usize,
    waiting: usize,
}

/// A place, until it is dropped.
pub struct Turn<'a>(&'a Turns);

impl Turns {
    /// So many places, for which so many may wait.
    pub fn new(places: usize, queue: usize) -> Self {
        Self { places, queue, state: Mutex::default(), freed: Condvar::new() }
    }

    /// Waits for a place, at most so long. Blocks.
    pub fn take(&self, patience: Duration) -> Option<Turn<'_>> {
        let end = Instant::now().checked_add(patience)?;
        let mut state = self.state.lock();
        if state.taken >= self.places {
            if state.waiting >= self.queue {
                return None;
            }
            state.waiting = state.waiting.saturating_add(1);
            while state.taken >= self.places && !self.freed.wait_until(&mut state, end).timed_out() {}
            state.waiting = state.waiting.saturating_sub(1);
            if state.taken >= self.places {
                return None;
            }
        }
        state.taken = state.taken.saturating_add(1);
        Some(Turn(self))
    }
}

impl Drop for Turn<'_> {
    fn drop(&mut self) {
        let mut state = self.0.state.lock();
        state.taken = state.taken.saturating_sub(1);
        drop(state);
        self.0.freed.notify_one();
    }
}

#[cfg(test)]
mod tests {
    use std::{
        sync::atomic::{AtomicUsize, Ordering},
        thread,
    };

    use super::*;

    const LONG: Duration = Duration::from_secs(20);

    #[test]
    fn all_have_their_turn_and_only_so_many_at_once() {
        let (turns, running) = (Turns::new(2, 10), AtomicUsize::new(0));
        thread::scope(|scope| {
            let one = || {
                let turn = turns.take(LONG).unwrap();
                assert!(running.fetch_add(1, Ordering::SeqCst) < 2);
                thread::sleep(Duration::from_millis(10));
                running.fetch_sub(1, Ordering::SeqCst);
                drop(turn);
            };
            let all: Vec<_> = (0..12).map(|_| scope.spawn(one)).collect();
            all.into_iter().for_each(|one| one.join().unwrap());
        });
    }

    #[test]
    fn nobody_waits_for_ever_and_not_too_many_wait() {
        let turns = Turns::new(1, 1);
        let first = turns.take(LONG).unwrap();
        assert!(turns.take(Duration::from_millis(20)).is_none());
        thread::scope(|scope| {
            let second = scope.spawn(|| turns.take(LONG).is_some());
            while turns.state.lock().waiting == 0 {
                thread::yield_now();
            }
            let start = Instant::now();
            assert!(turns.take(LONG).is_none());
            assert!(start.elapsed() < LONG / 2);
            drop(first);
            assert!(second.join().unwrap());
        });
        assert!(turns.take(LONG).is_some());
    }
}
