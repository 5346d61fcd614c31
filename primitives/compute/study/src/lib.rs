//! Simulated rounds of aggregation, in floating point: the part of the world that nobody has to agree on.
//!
//! | module | what it holds |
//! |---|---|
//! | [`world`] | a true table, and contributors who see it with noise, each in its own basis |
//! | [`attack`] | what cheats hand in |
//! | [`measure`] | how much of the true table's neighbourhoods a table keeps |
//! | [`report`] | figures as JSON, as the benchmarks print them |

pub mod attack;
pub mod measure;
pub mod report;
pub mod world;
