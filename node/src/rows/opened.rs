//! What takes a while to open, and is used by many.

use std::{
    collections::HashMap,
    sync::{Arc, Weak},
    time::{Duration, Instant},
};

use ensemble_tensor::TensorId;
use parking_lot::Mutex;
use schnellru::{ByLength, LruMap};

use crate::models::Unopened;

/// Those that stay open. The one that was not asked for longest makes way, once nobody uses it.
const OPEN: u32 = 4;
/// How long a failure is remembered that does not pass.
const REMEMBERED: Duration = Duration::from_secs(10);

/// What is open, by its content.
pub struct Opened<T> {
    known: Mutex<Known<T>>,
}

struct Known<T> {
    recent: LruMap<TensorId, Arc<Slot<T>>, ByLength>,
    /// What somebody may still use, though it made way.
    used: HashMap<TensorId, Weak<T>>,
}

/// Nothing if nobody has opened it yet, or has failed in passing.
type Slot<T> = Mutex<Option<Result<Arc<T>, Failed>>>;

struct Failed {
    why: Unopened,
    at: Instant,
}

impl<T> Default for Opened<T> {
    fn default() -> Self {
        Self { known: Mutex::new(Known { recent: LruMap::new(ByLength::new(OPEN)), used: HashMap::new() }) }
    }
}

impl<T> Opened<T> {
    /// What is open, or is opened now. Whoever comes second waits rather than to open it too, and nobody else does.
    pub fn get(&self, content: TensorId, open: impl FnOnce() -> Result<T, Unopened>) -> Result<Arc<T>, Unopened> {
        let slot = self.slot(content);
        let mut state = slot.lock();
        match &*state {
            Some(Ok(opened)) => return Ok(opened.clone()),
            Some(Err(failed)) if failed.at.elapsed() < REMEMBERED => return Err(failed.why.clone()),
            _ => (),
        }
        let opened = match self.used(&content) {
            Some(opened) => Ok(opened),
            None => open().map(Arc::new),
        };
        *state = match &opened {
            Ok(opened) => {
                self.use_it(content, opened);
                Some(Ok(opened.clone()))
            },
            Err(why) if why.passing => None,
            Err(why) => Some(Err(Failed { why: why.clone(), at: Instant::now() })),
        };
        opened
    }

    fn slot(&self, content: TensorId) -> Arc<Slot<T>> {
        let mut known = self.known.lock();
        if let Some(slot) = known.recent.get(&content) {
            return slot.clone();
        }
        let slot = Arc::<Slot<T>>::default();
        known.recent.insert(content, slot.clone());
        slot
    }

    fn used(&self, content: &TensorId) -> Option<Arc<T>> {
        self.known.lock().used.get(content).and_then(Weak::upgrade)
    }

    fn use_it(&self, content: TensorId, opened: &Arc<T>) {
        let mut known = self.known.lock();
        known.used.retain(|_, used| used.strong_count() > 0);
        known.used.insert(content, Arc::downgrade(opened));
    }
}

#[cfg(test)]
mod tests {
    use std::sync::mpsc;

    use super::*;

    fn id(number: u8) -> TensorId {
        TensorId([number; 32])
    }

    #[test]
    fn nobody_waits_for_what_another_opens() {
        let opened = Opened::default();
        assert_eq!(*opened.get(id(1), || Ok(1)).unwrap(), 1);
        let (begin, begun) = mpsc::channel();
        let (end, ended) = mpsc::channel::<()>();
        std::thread::scope(|scope| {
            let shelf = &opened;
            let slow = move || {
                shelf.get(id(2), || {
                    begin.send(()).unwrap();
                    ended.recv().unwrap();
                    Ok(2)
                })
            };
            let slow = scope.spawn(slow);
            begun.recv().unwrap();
            assert_eq!(*opened.get(id(1), || unreachable!()).unwrap(), 1);
            assert_eq!(*opened.get(id(3), || Ok(3)).unwrap(), 3);
            let second = scope.spawn(|| opened.get(id(2), || unreachable!()));
            end.send(()).unwrap();
            assert!(Arc::ptr_eq(&slow.join().unwrap().unwrap(), &second.join().unwrap().unwrap()));
        });
    }

    #[test]
    fn what_is_used_is_not_opened_twice_though_it_made_way() {
        let opened = Opened::default();
        let first = opened.get(id(0), || Ok(0)).unwrap();
        (1..=u8::try_from(OPEN).unwrap()).for_each(|number| drop(opened.get(id(number), || Ok(number)).unwrap()));
        assert!(Arc::ptr_eq(&first, &opened.get(id(0), || unreachable!()).unwrap()));
        // Nobody uses this one.
        assert_eq!(*opened.get(id(1), || Ok(7)).unwrap(), 7);
    }

    #[test]
    fn failures_are_remembered_but_those_that_pass() {
        let opened = Opened::<u8>::default();
        let passing = Unopened { reason: "it is still being checked".into(), passing: true };
        assert_eq!(opened.get(id(1), || Err(passing.clone())), Err(passing));
        assert_eq!(opened.get(id(1), || Err("it is none".into())), Err("it is none".into()));
        assert_eq!(opened.get(id(1), || unreachable!()), Err("it is none".into()));
        assert_eq!(*opened.get(id(2), || Ok(2)).unwrap(), 2);
    }
}
