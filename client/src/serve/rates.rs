//! How often somebody may ask: a bucket for each that fills with time, and from which each request takes one.

use std::{
    collections::HashMap,
    hash::Hash,
    time::{Duration, Instant},
};

/// With so many buckets, those that are full are forgotten.
const MANY: usize = 4_096;
/// What a bucket fills in.
const MINUTE: Duration = Duration::from_secs(60);

/// Buckets by whose they are.
#[derive(Debug)]
pub struct Rates<K> {
    per_minute: f64,
    buckets: HashMap<K, Bucket>,
}

#[derive(Clone, Copy, Debug)]
struct Bucket {
    left: f64,
    at: Instant,
}

impl<K: Eq + Hash> Rates<K> {
    /// So many requests of each in a minute, all at once or spread over it.
    pub fn new(per_minute: u32) -> Self {
        Self { per_minute: f64::from(per_minute), buckets: HashMap::new() }
    }

    /// Counts a request.
    ///
    /// # Errors
    ///
    /// After which time there is room for it, if there is none.
    pub fn take(&mut self, whose: K, now: Instant) -> Result<(), Duration> {
        self.tidy(now);
        let per_minute = self.per_minute;
        let bucket = self.buckets.entry(whose).or_insert(Bucket { left: per_minute, at: now });
        let left = bucket.left_at(now, per_minute);
        if left < 1.0 {
            return Err(MINUTE.mul_f64((1.0 - left) / per_minute));
        }
        *bucket = Bucket { left: left - 1.0, at: now };
        Ok(())
    }

    fn tidy(&mut self, now: Instant) {
        if self.buckets.len() >= MANY {
            let per_minute = self.per_minute;
            self.buckets.retain(|_, bucket| bucket.left_at(now, per_minute) < per_minute);
        }
    }
}

impl Bucket {
    fn left_at(self, now: Instant, per_minute: f64) -> f64 {
        let minutes = now.saturating_duration_since(self.at).as_secs_f64() / MINUTE.as_secs_f64();
        (self.left + minutes * per_minute).min(per_minute)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_has_so_many_in_a_minute() {
        let mut rates = Rates::new(2);
        let start = Instant::now();
        assert!(rates.take(1, start).is_ok() && rates.take(1, start).is_ok());
        let wait = rates.take(1, start).expect_err("is one too many");
        assert_eq!(wait, Duration::from_secs(30));
        assert!(rates.take(2, start).is_ok(), "another has its own");
        assert!(rates.take(1, start + wait / 2).is_err());
        assert!(rates.take(1, start + wait).is_ok());
        assert!(rates.take(1, start + wait).is_err());
    }

    #[test]
    fn who_has_not_asked_for_long_is_forgotten() {
        let mut rates = Rates::new(60);
        let start = Instant::now();
        for whose in 0..MANY {
            assert!(rates.take(whose, start).is_ok());
        }
        assert!(rates.take(MANY, start + MINUTE).is_ok());
        assert_eq!(rates.buckets.len(), 1);
    }
}
