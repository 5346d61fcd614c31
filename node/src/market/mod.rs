//! Paid access: how whoever serves a module finds out whether a call is paid for.
//!
//! ```text
//!  client ── call, ticket ─────▶ endpoint
//!  client ◀── challenge ──────── endpoint
//!  client ── receipt, signature ▶ endpoint ── ensemble_checkTicket ──▶ node: state of the best block, signature
//!  client ◀── answer ─────────── endpoint     (keeps the receipt, and redeems the latest one on the chain)
//! ```
//!
//! A receipt says that so many calls of a ticket are used, all before this one included, and names the ticket, by it the
//! module, the chain, and what the endpoint asked to be signed ([`Receipt`]). The node keeps nothing: the endpoint says
//! which call it answered last, so that it answers none twice.
//!
//! [`Receipt`]: ensemble_core::market::Receipt

mod chain;
mod check;
mod rpc;
#[cfg(test)]
mod tests;

pub use chain::ClientTickets;
pub use rpc::TicketRpc;
