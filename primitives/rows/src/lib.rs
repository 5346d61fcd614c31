//! Rows of a model that several multiply: what a gateway and its workers say to each other, and how a worker serves a
//! session, wherever the calls come from.
//!
//! | item | what it is |
//! |---|---|
//! | [`protocol`] | the messages |
//! | [`products`] | the outputs of the ranges that a worker serves |
//! | [`Served`] | one session as a worker serves it: what may be called next, traces, signatures |
//! | [`Matrices`], [`Keys`] | what it takes: the model, and the keys of worker and gateway |

mod products;
pub mod protocol;
#[cfg(any(test, feature = "sample"))]
pub mod sample;
mod served;

use ensemble_compute::inference::{Llama, Rows};

pub use products::products;
pub use served::{completed, Asked, Keys, Served, Terms, REPEATS};

/// The matrices of a model that is open.
pub trait Matrices: Send + Sync {
    /// Its shape.
    fn llama(&self) -> &Llama;

    /// One of the matrices of a stage, in the order in which their outputs come.
    fn matrix(&self, stage: u32, matrix: usize) -> Option<Rows<'_>>;
}

impl Matrices for ensemble_model::Matrices {
    fn llama(&self) -> &Llama {
        self.llama()
    }

    fn matrix(&self, stage: u32, matrix: usize) -> Option<Rows<'_>> {
        self.matrix(stage, matrix)
    }
}
