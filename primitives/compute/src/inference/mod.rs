//! Inference: rows of a model's matrices times vectors.
//!
//! Every number is an integer, and every sum is taken modulo 2^64: rows can be cut in ranges, spread over threads or
//! multiplied in any order, and who holds a single row gets the same bits as who holds all of them.
//!
//! | item | what it is |
//! |---|---|
//! | [`Vector`] | activations: 16-bit mantissas with one exponent |
//! | [`Rows`] | rows of a matrix, where they lie |
//! | [`Inputs`] | vectors made ready to be multiplied |
//! | [`product`] | one row times one vector, as the chain does it |

mod error;
mod matrix;
mod product;
mod vector;

pub use error::Error;
pub use matrix::Rows;
pub use product::{product, Inputs, OUTPUT_EXPONENT};
pub use vector::Vector;
