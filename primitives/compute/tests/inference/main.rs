//! Tests of inference, by topic.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

mod accuracy;
mod config;
mod hostile;
mod ranges;
mod run;
mod splits;
mod trace;
