//! Validators who ask without a ticket: each visit once, not too often, and by a clock that is about right.

use std::{collections::HashMap, time::Instant};

use super::{rates::Rates, refusal::Refused};
use crate::visit::{Nonce, Visit, TOLERANCE};

/// Who was here lately.
#[derive(Debug)]
pub struct Visitors {
    rates: Rates<u32>,
    /// Nonces that were used, and the second after which nobody can use them again.
    nonces: HashMap<Nonce, u64>,
    /// When this began, in seconds since 1970: what is older may have been used before.
    since: u64,
}

impl Visitors {
    /// Nobody yet. Each validator may come `per_minute` times in a minute, from the second `since` on.
    pub fn new(per_minute: u32, since: u64) -> Self {
        Self { rates: Rates::new(per_minute), nonces: HashMap::new(), since }
    }

    /// Whether the time of a visit can be right.
    ///
    /// # Errors
    ///
    /// If it cannot.
    pub fn check_time(&self, visit: &Visit, now: u64) -> Result<(), Refused> {
        if visit.time.abs_diff(now) > TOLERANCE.as_secs() {
            return Err(Refused::no_visit(format!("the visit is of second {}, and this is {now}", visit.time)));
        }
        if visit.time < self.since {
            return Err(Refused::no_visit("the visit is from before this endpoint was started"));
        }
        Ok(())
    }

    /// Lets a visit in, whose signature was found good.
    ///
    /// # Errors
    ///
    /// If it was let in before, or its validator comes too often.
    pub fn admit(&mut self, visit: &Visit, seconds: u64, now: Instant) -> Result<(), Refused> {
        self.nonces.retain(|_, until| *until >= seconds);
        if self.nonces.contains_key(&visit.nonce) {
            return Err(Refused::no_visit("the visit was used already"));
        }
        self.rates.take(visit.validator, now).map_err(|wait| Refused::too_many("validator", wait))?;
        self.nonces.insert(visit.nonce, visit.time.saturating_add(TOLERANCE.as_secs()));
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const START: u64 = 1_790_000_000;

    fn visit(time: u64, nonce: u8) -> Visit {
        Visit { validator: 7, time, nonce: [nonce; 16] }
    }

    #[test]
    fn a_visit_is_good_for_a_minute_and_once() {
        let mut visitors = Visitors::new(10, START);
        let (now, seconds) = (Instant::now(), START + 100);
        for time in [seconds - 60, seconds, seconds + 60] {
            assert!(visitors.check_time(&visit(time, 1), seconds).is_ok());
        }
        for time in [seconds - 61, seconds + 61, 0, u64::MAX] {
            assert_eq!(visitors.check_time(&visit(time, 1), seconds).expect_err("is wrong").status.as_u16(), 401);
        }
        let early = visit(seconds + 60, 1);
        assert!(visitors.admit(&early, seconds, now).is_ok());
        // As long as its time counts as right, it is remembered.
        for later in [seconds, seconds + 60, seconds + 120] {
            assert!(visitors.check_time(&early, later).is_ok());
            assert_eq!(visitors.admit(&early, later, now).expect_err("was used").status.as_u16(), 401);
        }
        assert!(visitors.check_time(&early, seconds + 121).is_err());
    }

    #[test]
    fn what_may_have_been_used_before_a_restart_is_refused() {
        let visitors = Visitors::new(10, START);
        assert!(visitors.check_time(&visit(START - 1, 1), START + 1).is_err());
        assert!(visitors.check_time(&visit(START, 1), START + 1).is_ok());
    }

    #[test]
    fn nobody_comes_too_often() {
        let mut visitors = Visitors::new(2, START);
        let now = Instant::now();
        assert!(visitors.admit(&visit(START, 1), START, now).is_ok());
        assert!(visitors.admit(&visit(START, 2), START, now).is_ok());
        assert_eq!(visitors.admit(&visit(START, 3), START, now).expect_err("is too often").status.as_u16(), 429);
        let other = Visit { validator: 8, ..visit(START, 4) };
        assert!(visitors.admit(&other, START, now).is_ok());
    }
}
