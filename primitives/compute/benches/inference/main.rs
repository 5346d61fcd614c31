//! Speed of inference, beside what there is to compare with in the same run.
//!
//! Run by `scripts/bench inference`. Prints one JSON object per figure.

#![allow(clippy::unwrap_used, reason = "a benchmark that cannot go on has failed")]

mod kernel;
mod model;

use std::process::ExitCode;

use ensemble_compute_study::report::Report;

fn main() -> ExitCode {
    let mut report = Report::default();
    kernel::measure(&mut report);
    model::measure(&mut report);
    report.exit_code()
}
