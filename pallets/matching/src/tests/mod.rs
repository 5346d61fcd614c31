//! Tests by topic. The state is checked after every one of them, and before and after the end of every block.

mod changes;
mod idle;
mod integrity;
mod life;
mod model;
mod neighbours;
mod order;
mod ranking;
mod standing;
mod told;
mod truths;
mod try_state;
mod view;
