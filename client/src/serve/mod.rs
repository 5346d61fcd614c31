//! Serving: what `ensemble module serve` is made of.
//!
//! | module | what it holds |
//! |---|---|
//! | [`args`] | the command's options |
//! | [`request`] | what a client sends |
//! | [`refusal`] | why a request is not answered, as a status and JSON |
//! | [`chain`] | what the chain says of the module and its validators |
//! | [`receipts`] | the last receipt of each ticket, on the disk |
//! | [`till`] | redeeming them |
//! | [`rates`] | how often somebody may ask |
//! | [`visitors`] | validators who ask without a ticket |
//! | [`backend`] | the command or service that answers |
//! | [`counter`] | a request from its body to its answer |
//! | [`http`] | the server |
//! | [`run`] | the program |
//! | [`events`] | what it tells |

pub mod args;
pub mod backend;
pub mod chain;
pub mod counter;
pub mod events;
pub mod http;
pub mod rates;
pub mod receipts;
pub mod refusal;
pub mod request;
pub mod run;
pub mod till;
pub mod visitors;
