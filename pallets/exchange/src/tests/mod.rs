//! Tests by topic. The state is checked after every one of them.

mod fairness;
mod grants;
mod offchain_worker;
mod parameters;
mod titles;
mod try_state;
