//! Tests by topic. The state is checked after every one of them, and before and after every block of each.

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
