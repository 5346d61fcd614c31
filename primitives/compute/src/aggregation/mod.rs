//! Aggregation of tables whose bases differ.
//!
//! A **table** has a row of 16-bit integers for each token; its first rows are **anchors**, the same tokens in every
//! member's table. Members share no basis: each has trained, or was handed, its own. [`align`] turns every table into
//! the basis of one of them by orthogonal Procrustes on the anchors, and [`Alignment::combine`] makes one table of them
//! by a robust [`Rule`], though some of the members cheat. [`aggregate`] does both.
//!
//! | module | what it holds |
//! |---|---|
//! | [`procrustes`] | the rotation that takes one set of anchors to another: Newton-Schulz in fixed point |
//! | [`krum`] | scores and selection of members by their distances |
//! | [`combine`] | weighted mean, trimmed mean, geometric median |
//! | [`carry`] | matrices given in a member's basis, carried into the common one |
//! | [`nearest`] | the rows nearest to a vector |
//! | [`table`] | canonical tensors as arrays, and back |
//!
//! **Memory.** Besides its input, aggregation holds one rotated copy of every table, the anchors of every table once
//! more, and one rotation of `4 * cols^2` bytes for each; per thread 20 bytes times `cols^2`; and the result with the mean of
//! the anchors. Tables of many more rows than columns, a quarter of which are anchors, and all else come to less than three
//! times the input. If all rows are anchors, it is three times the input and the rotations: up to 512 MiB for 128 members of 1024
//! columns, whatever their rows.

mod align;
pub mod carry;
mod columns;
pub mod combine;
pub mod distance;
mod error;
mod kernels;
pub mod krum;
pub mod nearest;
mod outcome;
pub mod procrustes;
mod reference;
mod rows;
mod screen;
mod settings;
pub mod table;
mod weights;

pub use align::{aggregate, align, Alignment, Member};
pub use error::Error;
pub use outcome::{Outcome, Rejection, Report};
pub use settings::{Rule, Settings, Shape, MAX_MEMBERS};
