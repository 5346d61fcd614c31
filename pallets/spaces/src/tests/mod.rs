//! Tests by topic. The state is checked after every one of them, and before and after every block of each.

#![expect(clippy::cast_possible_truncation, reason = "tests count in small numbers")]

mod create;
mod idle;
mod integrity;
mod members;
mod model;
mod offchain_worker;
mod report;
mod retire;
mod rounds;
mod try_state;
mod view;
