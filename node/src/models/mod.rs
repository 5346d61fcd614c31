//! Models: bundles of a network's matrices, tables and tokenizer, as the import of a file makes them.
//!
//! | module | what it does |
//! |---|---|
//! | [`import`] | makes a bundle of a GGUF file |
//! | `source` | finds the members of a bundle, in the store or in a folder |
//! | [`tokenizer`] | texts to tokens and back |
//! | [`template`], [`sandbox`] | conversations to texts |
//! | [`Model`] | all of them together, checked against the architecture |
//!
//! A bundle may come from anybody. Before a model is used, the kind and shape of every member are held against the
//! architecture, and nothing that follows takes more room than they do. Matrices and rotations are mapped, not copied:
//! a worker touches the rows of its ranges and no others.

mod error;
mod model;
pub mod sandbox;
mod source;
#[cfg(test)]
mod tests;
pub mod tokenizer;
mod unopened;

use ensemble_model::{definition, members, special};

pub use ensemble_model::{import, template, Mapped};
pub use error::Error;
pub use model::Model;
pub use template::Message;
pub use unopened::Unopened;
