//! Tests by topic. The state is checked after every one of them, and before and after every block of each.

#![expect(clippy::cast_possible_truncation, reason = "tests count in small numbers")]

mod commit;
mod draw;
mod epochs;
mod forget;
mod idle;
mod integrity;
mod median;
mod ratings;
mod reliability;
mod reveal;
mod settle;
mod silent;
mod try_state;
mod view;
