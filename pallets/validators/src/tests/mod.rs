//! Tests by topic. The state is checked after every one of them, and whenever a session ends.

mod election;
mod integrity;
mod lives;
#[cfg(feature = "try-runtime")]
mod migration;
mod offences;
mod ranking;
mod selection;
mod session;
mod silence;
mod standing;
mod try_state;
mod view;
