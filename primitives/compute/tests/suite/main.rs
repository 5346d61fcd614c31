//! Tests by topic.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

mod attacks;
mod carry;
mod combine;
mod common;
mod independence;
mod krum;
mod members;
mod nearest;
mod procrustes;
mod products;
mod settings;
mod tables;
mod vector;
mod vectors;
mod wasm;
