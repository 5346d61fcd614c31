//! Compares the integers of inference with floating point, on the same weights.
//!
//! ```text
//! fidelity MANIFEST TEXT...
//! ```
//!
//! MANIFEST is what `ensemble-node model import` has written; the members lie beside it. Each TEXT is read from its beginning,
//! in parts of 512 tokens. Prints one JSON object a line, and fails if a bar is missed.

use std::{env, fs, io, path::Path, process::ExitCode};

use ensemble_compute::Machine;
use ensemble_compute_study::{
    fidelity::{Agreement, Pair},
    model::Model,
    report::{Bar, Report},
    speech::Speech,
};

/// Tokens that are read without a break, and how often of each text.
const PART: usize = 512;
const PARTS: usize = 2;
/// Fewest positions that a share of one in a hundred is measured on.
const LEAST: f64 = 2000.0;

const QUESTIONS: [&str; 10] = [
    "What is a blockchain?",
    "Why is the sky blue?",
    "How do I boil an egg?",
    "What is the capital of France?",
    "Explain photosynthesis in simple terms.",
    "Who was Ada Lovelace?",
    "Give me three tips for sleeping better.",
    "What is the difference between a list and a tuple in Python?",
    "Tell me a story about a lost dog.",
    "Write a short poem about the sea.",
];

fn main() -> ExitCode {
    let arguments: Vec<_> = env::args().skip(1).collect();
    let [manifest, texts @ ..] = &arguments[..] else { return usage() };
    if texts.is_empty() {
        return usage();
    }
    match compare(Path::new(manifest), texts) {
        Ok(report) => report.exit_code(),
        Err(error) => {
            eprintln!("fidelity: {error}");
            ExitCode::FAILURE
        },
    }
}

fn usage() -> ExitCode {
    eprintln!("usage: fidelity MANIFEST TEXT...");
    ExitCode::FAILURE
}

fn compare(manifest: &Path, texts: &[String]) -> io::Result<Report> {
    let model = Model::open(manifest)?;
    let speech = Speech::new(&model)?;
    let pair = Pair::new(&model, Machine::native())?;
    let mut report = Report::default();
    read(&pair, &speech, texts, &mut report)?;
    ask(&pair, &speech, &mut report)?;
    Ok(report)
}

fn read(pair: &Pair<'_>, speech: &Speech, texts: &[String], report: &mut Report) -> io::Result<()> {
    let mut agreement = Agreement::default();
    for text in texts {
        let tokens = speech.tokens(&fs::read_to_string(text)?)?;
        for part in tokens.chunks_exact(PART).take(PARTS) {
            pair.read(part, &mut agreement)?;
        }
        eprintln!("{text}: {} of {} positions agree so far", agreement.same, agreement.positions);
    }
    let (integers, float) = agreement.perplexities();
    report.figure("fidelity.positions", f64::from(agreement.positions), "", Bar::Least(LEAST));
    report.figure("fidelity.same_token", 100.0 * agreement.share(), "%", Bar::Least(99.0));
    report.figure("fidelity.perplexity.float", float, "", Bar::None);
    report.figure("fidelity.perplexity.difference", 100.0 * (integers / float - 1.0).abs(), "%", Bar::Most(0.2));
    let each = |time: std::time::Duration| 1000.0 * time.as_secs_f64() / f64::from(agreement.positions);
    report.figure("fidelity.time.products", each(agreement.products), "ms per token", Bar::None);
    report.figure("fidelity.time.glue", each(agreement.glue), "ms per token", Bar::None);
    Ok(())
}

fn ask(pair: &Pair<'_>, speech: &Speech, report: &mut Report) -> io::Result<()> {
    let mut same = 0;
    for question in QUESTIONS {
        let [integers, float] = pair.answers(speech, question)?;
        eprintln!("{question}\n  {}", integers.trim_end().replace('\n', "\n  "));
        if integers == float {
            same += 1;
        } else {
            eprintln!("  but in floating point:\n  {}", float.trim_end().replace('\n', "\n  "));
        }
    }
    report.figure("fidelity.first_sentences", f64::from(same), "of 10", Bar::Least(9.0));
    Ok(())
}
