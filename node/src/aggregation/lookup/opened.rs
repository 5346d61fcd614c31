//! What was read from the store, kept in memory as long as it is asked for.

use std::{
    sync::Arc,
    time::{Duration, Instant},
};

use ensemble_tensor::TensorId;
use parking_lot::Mutex;

use super::Error;

/// How long something stays that is not asked for.
const LIFETIME: Duration = Duration::from_secs(300);

/// Things by the ids of the tensors that they were read from. The one that was not used for longest makes way.
pub struct Opened<T> {
    /// Most bytes of all of them, but for one that has more by itself.
    most: u64,
    /// The one that was used last at the end.
    things: Mutex<Vec<Thing<T>>>,
}

struct Thing<T> {
    id: TensorId,
    thing: Arc<T>,
    bytes: u64,
    used: Instant,
}

impl<T> Opened<T> {
    /// Nothing yet, and never more than so many bytes.
    pub fn new(most: u64) -> Self {
        Self { most, things: Mutex::default() }
    }

    /// What is known by an id, or else what `open` makes of it, with the bytes that it takes. Others wait meanwhile, so
    /// that nothing is read twice.
    pub fn get(&self, id: &TensorId, open: impl FnOnce() -> Result<(T, u64), Error>) -> Result<Arc<T>, Error> {
        let mut things = self.things.lock();
        let thing = match things.iter().position(|thing| thing.id == *id) {
            Some(place) => Thing { used: Instant::now(), ..things.remove(place) },
            None => {
                let (thing, bytes) = open()?;
                let mut room = self.most.saturating_sub(bytes);
                let fitting = things.iter().rev().take_while(|thing| {
                    let fits = thing.bytes <= room;
                    room = room.saturating_sub(thing.bytes);
                    fits
                });
                let leaving = things.len() - fitting.count();
                things.drain(..leaving);
                Thing { id: *id, thing: Arc::new(thing), bytes, used: Instant::now() }
            },
        };
        let found = thing.thing.clone();
        things.push(thing);
        Ok(found)
    }

    /// Forgets what was not asked for lately.
    pub fn tidy(&self) {
        self.things.lock().retain(|thing| thing.used.elapsed() < LIFETIME);
    }

    /// Pretends that everything was used long ago.
    #[cfg(test)]
    pub fn age(&self) {
        self.things.lock().iter_mut().for_each(|thing| thing.used -= LIFETIME);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn id(number: u8) -> TensorId {
        TensorId([number; 32])
    }

    /// Which of the first ten are known.
    fn known(opened: &Opened<u8>) -> Vec<u8> {
        let things = opened.things.lock();
        (0..10).filter(|number| things.iter().any(|thing| thing.id == id(*number))).collect()
    }

    fn open(opened: &Opened<u8>, number: u8, bytes: u64) {
        assert_eq!(*opened.get(&id(number), || Ok((number, bytes))).unwrap(), number);
    }

    #[test]
    fn bytes_are_bounded_and_what_was_not_used_for_longest_goes() {
        let opened = Opened::new(100);
        for number in 0..4 {
            open(&opened, number, 25);
        }
        assert_eq!(known(&opened), [0, 1, 2, 3]);
        open(&opened, 0, 25);
        open(&opened, 4, 30);
        assert_eq!(known(&opened), [0, 3, 4], "two made way, of which the first was used last");
        open(&opened, 5, 101);
        assert_eq!(known(&opened), [5]);
        open(&opened, 6, 1);
        assert_eq!(known(&opened), [6]);
        assert!(opened.get(&id(7), || Err(Error::Zero)).is_err());
        assert_eq!(known(&opened), [6], "nothing makes way for what cannot be opened");
    }

    #[test]
    fn what_is_not_asked_for_is_forgotten() {
        let opened = Opened::new(100);
        open(&opened, 0, 1);
        open(&opened, 1, 1);
        opened.age();
        open(&opened, 1, 1);
        opened.tidy();
        assert_eq!(known(&opened), [1]);
    }
}
