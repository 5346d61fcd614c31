//! Checks of sessions on a tiny model, and what the off-chain worker is told.

mod check;
mod sample;
mod service;
