//! Tests by topic. The state is checked after every block of every one of them.

mod agenda;
mod attest;
mod cancel;
mod commit;
mod create;
mod exchange;
mod money;
mod offchain_worker;
mod reveal;
mod settle;
mod spaces;
mod try_state;
mod view;
mod votes;
