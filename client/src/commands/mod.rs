//! The groups of commands: each reads what it needs, sends what it must, and answers with a view.

pub mod ask;
pub mod balance;
pub mod governance;
pub mod key;
pub mod market;
pub mod miner;
pub mod model;
pub mod module;
pub mod network;
pub mod session;
pub mod space;
pub mod stake;
pub mod standing;
pub mod task;
pub mod tools;
pub mod validator;
pub mod worker;
