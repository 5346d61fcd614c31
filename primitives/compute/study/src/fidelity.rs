//! How far the integers agree with floating point on what comes next.

use std::{io, time::Duration, time::Instant};

use ensemble_compute::{
    inference::{Call, Local, Next, Run, OUTPUT_EXPONENT},
    Machine,
};
use ndarray::{Array1, ArrayView1};

use crate::{
    float::Float,
    model::Model,
    speech::{is_sentence, Speech},
};

/// Most tokens of an answer's first sentence.
const MOST: usize = 80;

/// What was counted over some texts.
#[derive(Clone, Copy, Debug, Default)]
pub struct Agreement {
    /// Positions at which both were asked what comes next.
    pub positions: u32,
    /// Positions at which both take the same token.
    pub same: u32,
    /// Positions of which it is known what came next.
    known: u32,
    /// Sums over these of the negative logarithm of its probability.
    integers: f64,
    float: f64,
    /// Time in matrix products, and in all else.
    pub products: Duration,
    pub glue: Duration,
}

impl Agreement {
    /// Positions at which both take the same token, of all.
    pub fn share(&self) -> f64 {
        f64::from(self.same) / f64::from(self.positions)
    }

    /// Perplexity by integers and by floating point.
    pub fn perplexities(&self) -> (f64, f64) {
        let known = f64::from(self.known);
        ((self.integers / known).exp(), (self.float / known).exp())
    }
}

/// The same model twice.
pub struct Pair<'a> {
    model: &'a Model,
    local: Local<'a>,
    float: Float<'a>,
    machine: Machine,
}

impl<'a> Pair<'a> {
    /// A model in integers and in floating point.
    pub fn new(model: &'a Model, machine: Machine) -> io::Result<Self> {
        Ok(Self { model, local: model.local(machine)?, float: Float::new(model)?, machine })
    }

    fn run(&self) -> io::Result<Run<&'a Model>> {
        Run::new(self.model.llama(), self.model, false, self.machine).map_err(io::Error::other)
    }

    /// Gives both a text, and asks them after each token what comes next.
    pub fn read(&self, tokens: &[u32], agreement: &mut Agreement) -> io::Result<()> {
        let float = self.float.forward(&mut self.float.cache(), tokens);
        let mut run = self.run()?;
        for (at, (token, float)) in tokens.iter().zip(float.rows()).enumerate() {
            let (taken, logits) = self.step(&mut run, *token, agreement)?;
            agreement.positions += 1;
            agreement.same += u32::from(largest(&float) == Some(taken as usize));
            if let Some(next) = tokens.get(at + 1) {
                agreement.known += 1;
                agreement.integers += surprise(&logits, *next);
                agreement.float += surprise(&float.mapv(f64::from), *next);
            }
        }
        Ok(())
    }

    /// One token through the integers: the token that follows, and the logits.
    fn step(&self, run: &mut Run<&Model>, token: u32, agreement: &mut Agreement) -> io::Result<(u32, Array1<f64>)> {
        let mut start = Instant::now();
        let mut call = run.begin(&[token], true).map_err(io::Error::other)?;
        loop {
            agreement.glue += start.elapsed();
            start = Instant::now();
            let outputs = self.local.compute(&call).map_err(io::Error::other)?;
            agreement.products += start.elapsed();
            start = Instant::now();
            let next = run.supply(&outputs).map_err(io::Error::other)?;
            call = match next {
                Next::Call(call) => call,
                Next::Token(token) => return Ok((token, logits(&call, &outputs))),
                Next::Stored => return Err(io::Error::other("a token was asked for")),
            };
        }
    }

    /// The first sentence that each of both answers a question with: by integers, then by floating point.
    pub fn answers(&self, speech: &Speech, question: &str) -> io::Result<[String; 2]> {
        let prompt = speech.question(question)?;
        let mut run = self.run()?;
        let integers = sentence(speech, &prompt, |tokens| {
            let token = self.local.step(&mut run, tokens, true).map_err(io::Error::other)?;
            token.ok_or_else(|| io::Error::other("a token was asked for"))
        })?;
        let mut cache = self.float.cache();
        let float = sentence(speech, &prompt, |tokens| {
            let logits = self.float.forward(&mut cache, tokens);
            let last = logits.rows().into_iter().next_back().and_then(|row| largest(&row));
            last.and_then(|token| u32::try_from(token).ok()).ok_or_else(|| io::Error::other("there are no logits"))
        })?;
        Ok([integers, float])
    }
}

/// Token by token until there is a sentence, or the answer is over.
fn sentence(speech: &Speech, prompt: &[u32], mut next: impl FnMut(&[u32]) -> io::Result<u32>) -> io::Result<String> {
    let mut answer = Vec::new();
    let mut token = next(prompt)?;
    while !speech.ends(token) && answer.len() < MOST {
        answer.push(token);
        let text = speech.text(&answer)?;
        if is_sentence(&text) {
            return Ok(text);
        }
        token = next(&[token])?;
    }
    speech.text(&answer)
}

#[expect(clippy::cast_precision_loss, reason = "floating point")]
fn logits(call: &Call, outputs: &[Vec<i64>]) -> Array1<f64> {
    let unit = call.inputs.first().map_or(0, |input| input.exponent() + OUTPUT_EXPONENT);
    let numbers = outputs.first().map(|outputs| &outputs[..]).unwrap_or_default();
    numbers.iter().map(|number| *number as f64 * f64::from(unit).exp2()).collect()
}

/// The place of the first of the largest.
fn largest(logits: &ArrayView1<'_, f32>) -> Option<usize> {
    let most = logits.iter().copied().reduce(f32::max)?;
    logits.iter().position(|logit| *logit >= most)
}

/// The negative logarithm of a token's probability.
fn surprise(logits: &Array1<f64>, token: u32) -> f64 {
    let most = logits.fold(f64::NEG_INFINITY, |most, logit| most.max(*logit));
    let sum: f64 = logits.iter().map(|logit| (logit - most).exp()).sum();
    most + sum.ln() - logits[token as usize]
}
