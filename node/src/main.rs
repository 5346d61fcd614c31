//! The Ensemble node: validator, tensor store and row service in one binary.

#![expect(clippy::result_large_err, reason = "the SDK's errors are large, and end the process anyway")]

mod aggregation;
mod chain_spec;
mod cli;
mod commands;
mod inference;
mod market;
mod metrics;
mod models;
mod rows;
mod rpc;
mod service;
mod signature;
mod tensors;

use std::process::ExitCode;

fn main() -> ExitCode {
    match commands::run() {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("Error: {error}");
            ExitCode::FAILURE
        },
    }
}
