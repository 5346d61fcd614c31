//! What is printed: one JSON object for each figure, as by the benchmarks of networks.

use std::process::ExitCode;

use serde::Serialize;

/// Prints figures and remembers whether one misses its bar.
#[derive(Default)]
pub struct Report {
    missed: bool,
}

#[derive(Serialize)]
struct Figure {
    name: String,
    value: f64,
    unit: &'static str,
    bar: Option<f64>,
    ok: bool,
}

impl Report {
    /// Prints a figure that must not exceed `bar`, if there is one.
    pub fn figure(&mut self, name: String, value: f64, unit: &'static str, bar: Option<f64>) {
        let ok = bar.is_none_or(|bar| value <= bar);
        self.missed |= !ok;
        let figure = Figure { name, value: rounded(value), unit, bar: bar.map(rounded), ok };
        println!("{}", serde_json::to_string(&figure).expect("a figure is JSON"));
    }

    /// Failure if a figure missed its bar.
    pub fn exit_code(&self) -> ExitCode {
        if self.missed {
            ExitCode::FAILURE
        } else {
            ExitCode::SUCCESS
        }
    }
}

/// Four digits.
fn rounded(value: f64) -> f64 {
    format!("{value:.3e}").parse().unwrap_or(value)
}
