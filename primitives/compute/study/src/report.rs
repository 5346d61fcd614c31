//! What is printed: one JSON object for each figure, as by the other benchmarks.

use std::process::ExitCode;

use serde::Serialize;

/// On which side of its bar a figure has to lie.
#[derive(Clone, Copy, Debug)]
pub enum Bar {
    /// There is none.
    None,
    /// At most this much.
    Most(f64),
    /// At least this much.
    Least(f64),
}

/// Prints figures and remembers whether one misses its bar.
#[derive(Debug, Default)]
pub struct Report {
    missed: bool,
}

#[derive(Serialize)]
struct Figure<'a> {
    name: &'a str,
    value: f64,
    unit: &'a str,
    bar: Option<f64>,
    ok: bool,
}

impl Report {
    /// Prints a figure.
    pub fn figure(&mut self, name: &str, value: f64, unit: &str, bar: Bar) {
        let (bar, ok) = match bar {
            Bar::None => (None, true),
            Bar::Most(bar) => (Some(bar), value <= bar),
            Bar::Least(bar) => (Some(bar), value >= bar),
        };
        self.missed |= !ok;
        let figure = Figure { name, value: rounded(value), unit, bar, ok };
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
