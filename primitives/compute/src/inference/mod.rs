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
//! | [`Architecture`] | what a model's `config` says, and the matrices and stages that follow from it |
//! | [`glue`] | what happens between the products |
//! | [`Run`] | one sequence of tokens; it asks somebody else for the products |
//! | [`Local`] | that somebody, if the matrices are here, or a range of their rows |
//! | [`ranges`] | which rows a worker multiplies |
//! | [`hashes`], [`Trace`] | what everybody who took part commits to |
//! | [`signed`] | what they sign on the way |

pub mod config;
mod error;
pub mod glue;
pub mod hashes;
mod local;
mod matrix;
mod product;
pub mod ranges;
mod run;
pub mod signed;
mod trace;
mod vector;

pub use config::{Architecture, Llama, Norm, Shape, Stage};

pub use error::Error;
pub use local::{Local, LocalError};
pub use matrix::Rows;
pub use product::{product, Inputs, OUTPUT_EXPONENT};
pub use run::{Call, Next, Run, RunError, Tables};
pub use trace::{Entry, Trace};
pub use vector::Vector;

/// Number of a session, counted up from 0 and never used twice.
pub type SessionId = u32;

/// Number of a range of rows in a session, from 0.
pub type RangeIndex = u32;

/// Number of a token in a session, from 0, the prompt first.
pub type Position = u32;
