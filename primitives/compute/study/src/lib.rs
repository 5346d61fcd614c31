//! Simulated rounds of aggregation, and a model, in floating point: the part of the world that nobody has to agree on.
//!
//! | module | what it holds |
//! |---|---|
//! | [`world`] | a true table, and contributors who see it with noise, each in its own basis |
//! | [`attack`] | what cheats hand in |
//! | [`matrix`] | matrices beside tables, and cheats with honest tables and false matrices |
//! | [`measure`] | how much of the true table's neighbourhoods a table keeps |
//! | [`model`] | a language model out of a bundle |
//! | [`float`](mod@float) | the same in 32-bit floating point |
//! | [`speech`] | texts to tokens and back, and conversations |
//! | [`fidelity`] | how far integers and floating point agree on what comes next |
//! | [`report`] | figures as JSON, as the benchmarks print them |

pub mod attack;
pub mod fidelity;
pub mod float;
pub mod matrix;
pub mod measure;
pub mod model;
pub mod report;
pub mod speech;
pub mod world;
