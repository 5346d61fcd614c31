//! How far a validator can be relied on: how that moves, and what it earns by it.

use sp_runtime::{Permill, Saturating};

use crate::Tally;

/// Reliability moves by one of so many parts of the way, each epoch.
const STEPS: u32 = 10;

/// Reliability falls by one of so many parts of itself for an epoch in which something was not revealed.
const FALLS: u32 = 4;

/// Reliability after an epoch: a tenth of the way towards the part that agreed, rounded away from where it was, so that
/// it gets there. If nothing was judged it stays.
pub fn moved(from: Permill, tally: Tally) -> Permill {
    let Some(to) = tally.part() else { return from };
    if to >= from {
        from.saturating_add(part(to.saturating_sub(from), STEPS))
    } else {
        from.saturating_sub(part(from.saturating_sub(to), STEPS))
    }
}

/// Reliability after an epoch in which something was not revealed: a quarter less, rounded down.
pub fn fallen(from: Permill) -> Permill {
    from.saturating_sub(part(from, FALLS))
}

/// What a validator earns by: its reliability, times the part of its miners that it scored, rounded down.
pub fn merit(reliability: Permill, scored: u32, load: u32) -> Permill {
    let all = u64::from(scored.max(load));
    let product = u64::from(reliability.deconstruct()).saturating_mul(scored.into());
    let parts = product.checked_div(all).unwrap_or_default();
    Permill::from_parts(u32::try_from(parts).unwrap_or_default())
}

/// One of so many parts, rounded up.
fn part(whole: Permill, parts: u32) -> Permill {
    Permill::from_parts(whole.deconstruct().div_ceil(parts))
}
