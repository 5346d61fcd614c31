//! Checks of sessions, on a tiny model.

mod check;
mod sample;
