//! The client of Ensemble: what the command `ensemble` is made of, for programs that do more.
//!
//! | module | what it holds |
//! |---|---|
//! | [`connection`] | a node that answers, its chain checked |
//! | [`chain`] | calls, storage, events and runtime APIs, from the chain's metadata |
//! | [`keys`] | key pairs, and the folder in which they lie encrypted |
//! | [`send`] | signing a call, trying it, sending it, waiting for its block |
//! | [`commitments`] | the salts of commitments, on the disk |
//! | [`miner`] | the off-chain miner |
//! | [`rows`] | serving rows of models |
//! | [`plugin`] | commands of the user's that answer questions |
//! | [`link`], [`lock`], [`events`] | what programs that run on and on share |
//! | [`visit`] | how a validator shows an endpoint who it is |
//! | [`scoring`] | scoring miners: `ensemble validator run` |
//! | [`serve`] | serving calls that are paid for: `ensemble module serve` |
//! | [`signed_calls`] | how many calls of tickets were signed for, on the disk |
//! | [`tensors`] | tensors out of files, to a node and from it |
//! | [`tickets`] | receipts for calls that were bought: signed, checked, as JSON |
//! | [`views`] | what commands answer, as JSON of a stable shape |
//! | [`commands`] | the groups of commands |
//!
//! ```no_run
//! # async fn example() -> Result<(), ensemble_client::Error> {
//! use ensemble_client::{chain::ensemble, connection::{ask, Connection}};
//!
//! let node = Connection::open("ws://127.0.0.1:9944", None).await?;
//! let supply = ask(&node.best().await?, ensemble::runtime_apis().emission_api().supply()).await?;
//! println!("{} planck exist", supply.issuance);
//! # Ok(())
//! # }
//! ```

// The chain's interface is declared by a macro that recurses over all pallets.
#![recursion_limit = "512"]

pub mod amount;
pub mod chain;
pub mod cli;
pub mod commands;
pub mod commitments;
pub mod connection;
pub mod context;
pub mod error;
pub mod events;
pub mod keys;
pub mod link;
pub mod lock;
pub mod miner;
pub mod output;
pub mod plugin;
pub mod progress;
pub mod refusal;
pub mod rows;
pub mod schemas;
pub mod scoring;
pub mod send;
pub mod serve;
pub mod signed_calls;
mod socket;
pub mod tensors;
pub mod tickets;
pub mod views;
pub mod visit;

pub use amount::Amount;
pub use connection::Connection;
pub use context::Context;
pub use error::{Error, Kind};
