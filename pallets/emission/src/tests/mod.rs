//! Tests by topic. The state is checked after every one of them, and after every block of each.

#![expect(clippy::cast_possible_truncation, reason = "tests count in small numbers")]

mod burning;
mod clock;
mod closing;
mod earning;
mod fairness;
mod forgetting;
mod integrity;
mod lives;
mod paying;
mod schedule;
mod settling;
mod try_state;
mod view;
mod year;
