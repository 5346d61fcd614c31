//! Models made in the tests.

#![allow(clippy::cast_possible_truncation, reason = "samples are small")]

mod held;
mod import;
mod model;
mod samples;
mod template;
mod tokenizer;
