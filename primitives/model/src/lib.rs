//! Bundles of models, as the import of a GGUF file makes them: what node and client have in common.
//!
//! | module | what it holds |
//! |---|---|
//! | [`import`] | makes a bundle of a GGUF file |
//! | [`members`] | the names of the members, and the matrices and norms of an architecture |
//! | [`definition`], [`special`] | how texts become tokens, as the bundle says it |
//! | [`template`] | conversations to texts |

pub mod definition;
pub mod import;
pub mod members;
pub mod special;
pub mod template;
