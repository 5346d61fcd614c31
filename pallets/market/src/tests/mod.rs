//! Tests by topic. The state is checked after every one of them, and after every block of each.

mod buy;
mod idle;
mod integrity;
mod listing;
mod lives;
mod redeem;
mod sales;
mod search;
mod stats;
mod try_state;
