//! What happens between the matrix products, in integers.
//!
//! Each function is total: whatever it is given, it neither panics nor takes longer than its input is long, so that
//! somebody else's numbers can be checked by it. Where an argument is too short, the result is as short.
//! `docs/numerics.md` is normative for every shift and rounding.

mod activate;
mod attention;
mod exponential;
mod fixed;
pub(super) mod loops;
mod norm;
mod residual;

pub use activate::activate;
pub use attention::{Cache, Turn};
pub use exponential::{exponential, sigmoid};
pub use norm::norm;
pub use residual::{add, embed, pick};

/// The power of two that the residual counts in.
pub const STATE_EXPONENT: i32 = -24;
/// A product of a row and a vector counts in units of two to the vector's exponent and this.
pub const PRODUCT_EXPONENT: i32 = -24;
