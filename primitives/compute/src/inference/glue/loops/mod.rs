//! The inner loops of the glue, each twice: portable, and compiled for the vector instructions that the machine turns
//! out to have. Both are the same source. Their sums are exact, so that no order of additions matters, and said to
//! wrap, because the check for overflow that this workspace compiles into releases would forbid vector instructions.

mod portable;
#[cfg(feature = "std")]
mod vector;

#[cfg(not(feature = "std"))]
pub use portable::*;
#[cfg(feature = "std")]
pub use vector::*;

#[cfg(all(test, feature = "std"))]
mod tests;
