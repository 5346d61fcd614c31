//! Bundles of models, as the import of a GGUF file makes them: what node and client have in common.
//!
//! | module | what it holds |
//! |---|---|
//! | [`import`] | makes a bundle of a GGUF file |
//! | [`members`] | the names of the members, and the matrices and norms of an architecture |
//! | [`Source`], [`Folder`], [`Mapped`] | where the members lie, and how they are read |
//! | [`Matrices`] | the matrices, checked against the architecture |
//! | [`definition`], [`special`] | how texts become tokens, as the bundle says it |
//! | [`template`] | conversations to texts |

pub mod definition;
mod error;
pub mod import;
mod mapped;
mod matrices;
pub mod members;
mod source;
pub mod special;
pub mod template;

pub use error::OpenError;
pub use mapped::Mapped;
pub use matrices::Matrices;
pub use source::{members_of, Folder, Source, MAX_MANIFEST};
