//! Tests by topic. The state is checked after every one of them, and after every block of each.

mod changes;
mod fee;
mod integrity;
mod lives;
mod moves;
mod owned;
mod pool;
mod removal;
mod reward;
mod slash;
mod staking;
mod steady;
mod try_state;
mod unstaking;
mod view;
