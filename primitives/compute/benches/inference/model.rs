//! Tokens a second of one process that has a whole model, without a network.
//!
//! The model has the shape of SmolLM2-135M and the kinds of its file, and weights that mean nothing: no function of
//! inference takes longer or shorter for its numbers.

use std::time::{Duration, Instant};

use ensemble_compute::{
    inference::{Llama, Local, Next, Norm, Rows, Run, Tables},
    Machine,
};
use ensemble_compute_study::report::{Bar, Report};
use ensemble_tensor::Kind;

/// Tokens of a prompt, of which a batch goes through at once; tokens of an answer that are timed.
const PROMPT: u32 = 128;
const BATCH: usize = 32;
const ANSWER: u32 = 64;
/// Times that speeds are measured.
const TIMES: usize = 3;
/// A position far into a long sequence.
const FAR: u32 = 2000;

const SHAPE: Llama = Llama {
    layers: 30,
    width: 576,
    heads: 9,
    kv_heads: 3,
    head_width: 64,
    hidden: 1536,
    vocabulary: 49_152,
    positions: 4096,
    epsilon: 10_995_116,
    rope_interleaved: true,
    tied: true,
};

/// A model of which only the shape is of interest.
struct Model {
    llama: Llama,
    embedding: Vec<u8>,
    /// The matrices of each stage but the head.
    stages: Vec<Vec<Vec<u8>>>,
    norm: Vec<i32>,
    turn: Vec<i32>,
}

impl Model {
    fn new(llama: Llama) -> Self {
        let stages = (0..llama.head()).filter_map(|number| llama.stage(number));
        let matrices = |stage| {
            let shapes = llama.matrices(stage).into_iter();
            shapes.map(|shape| blocks(Kind::Q4_1, shape.rows, shape.cols)).collect()
        };
        let half = llama.head_width as usize / 2;
        Self {
            embedding: blocks(Kind::Q8_0, llama.vocabulary, llama.width),
            stages: stages.map(matrices).collect(),
            norm: vec![1 << 20; llama.width as usize],
            // Of an angle of which cosine and sine are three and four fifths.
            turn: [vec![644_245_094; half], vec![858_993_459; half]].concat(),
            llama,
        }
    }

    fn local(&self, machine: Machine) -> Local<'_> {
        Local::new(&self.llama, machine, |name| {
            if name == self.llama.embedding().name {
                return Rows::new(Kind::Q8_0, self.llama.width as usize, &self.embedding).ok();
            }
            self.matrix(name)
        })
        .unwrap()
    }

    fn matrix(&self, name: &str) -> Option<Rows<'_>> {
        let (number, place) = (0..self.llama.head()).find_map(|number| {
            let place = self.llama.matrices(self.llama.stage(number)?).iter().position(|shape| shape.name == name)?;
            Some((number, place))
        })?;
        let cols = self.llama.inputs(self.llama.stage(number)?) as usize;
        Rows::new(Kind::Q4_1, cols, self.stages.get(number as usize)?.get(place)?).ok()
    }
}

impl Tables for Model {
    fn norm(&self, _: Norm) -> Option<&[i32]> {
        Some(&self.norm)
    }

    fn rope(&self, _: u32) -> Option<&[i32]> {
        Some(&self.turn)
    }

    fn embedding(&self, token: u32) -> Option<(Kind, &[u8])> {
        let row = self.llama.width as usize / 32 * Kind::Q8_0.group_len() as usize;
        self.embedding.chunks_exact(row).nth(token as usize).map(|row| (Kind::Q8_0, row))
    }
}

/// Blocks whose scales are 2^-9 or, as a minimum, -2^-6, and whose quants are the bytes of a sequence without a pattern.
fn blocks(kind: Kind, rows: u32, cols: u32) -> Vec<u8> {
    let scales: &[u8] = if kind == Kind::Q4_1 { &[0, 0x18, 0, 0xa4] } else { &[0, 0x18] };
    let len = kind.group_len() as usize;
    let mut data = vec![0; (rows * (cols / kind.group_cols())) as usize * len];
    let mut state = 1_u32;
    for block in data.chunks_exact_mut(len) {
        let (head, quants) = block.split_at_mut(scales.len());
        head.copy_from_slice(scales);
        for quant in quants {
            state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
            *quant = state.to_le_bytes()[3];
        }
    }
    data
}

/// Time in products and in all else.
#[derive(Clone, Copy, Debug, Default)]
struct Spent {
    products: Duration,
    glue: Duration,
}

impl Spent {
    fn total(self) -> f64 {
        (self.products + self.glue).as_secs_f64()
    }
}

/// One step, timed. Gives the token that follows, if there is to be one.
fn step(local: &Local<'_>, run: &mut Run<&Model>, tokens: &[u32], answer: bool, spent: &mut Spent) -> Option<u32> {
    let mut start = Instant::now();
    let mut call = run.begin(tokens, answer).unwrap();
    loop {
        spent.glue += start.elapsed();
        start = Instant::now();
        let outputs = local.compute(&call).unwrap();
        spent.products += start.elapsed();
        start = Instant::now();
        call = match run.supply(&outputs).unwrap() {
            Next::Call(call) => call,
            Next::Token(token) => {
                spent.glue += start.elapsed();
                return Some(token);
            },
            Next::Stored => {
                spent.glue += start.elapsed();
                return None;
            },
        };
    }
}

/// Takes a prompt in, and answers: time for the prompt, and for the answer.
fn speak(model: &Model, machine: Machine, prompt: u32, answer: u32) -> (Spent, Spent) {
    let local = model.local(machine);
    let mut run = Run::new(&model.llama, model, false, machine).unwrap();
    let tokens: Vec<u32> = (0..prompt).collect();
    let (mut reading, mut answering) = (Spent::default(), Spent::default());
    let mut next = None;
    let batches = tokens.chunks(BATCH);
    let last = batches.len() - 1;
    for (number, batch) in batches.enumerate() {
        next = step(&local, &mut run, batch, number == last, &mut reading);
    }
    for _ in 0..answer {
        next = step(&local, &mut run, &[next.unwrap()], true, &mut answering);
    }
    (reading, answering)
}

/// The shortest of some times, because other programs only ever take time.
fn shortest(times: impl Iterator<Item = Spent>) -> Spent {
    times.min_by(|one, other| one.total().total_cmp(&other.total())).unwrap_or_default()
}

/// Milliseconds a token, in an answer to a short prompt on one thread.
fn time(llama: Llama) -> f64 {
    let model = Model::new(llama);
    let answers = (0..TIMES).map(|_| speak(&model, Machine::ONE_CORE, 8, 16).1);
    1000.0 * shortest(answers).total() / 16.0
}

pub fn measure(report: &mut Report) {
    let model = Model::new(SHAPE);
    for (name, threads, bar) in [("one thread", 1, Bar::None), ("two threads", 2, Bar::Least(100.0))] {
        eprintln!("a model of {} million weights, {name}", SHAPE.products() / 1_000_000);
        let machine = Machine { threads, vector: true };
        let (readings, answers): (Vec<_>, Vec<_>) = (0..TIMES).map(|_| speak(&model, machine, PROMPT, ANSWER)).unzip();
        let (reading, answering) = (shortest(readings.into_iter()), shortest(answers.into_iter()));
        let rate = |tokens: u32, spent: Spent| f64::from(tokens) / spent.total();
        report.figure(&format!("one process, {name}, answer"), rate(ANSWER, answering), "tokens/s", bar);
        report.figure(&format!("one process, {name}, prompt"), rate(PROMPT, reading), "tokens/s", Bar::None);
        let each = |time: Duration| 1000.0 * time.as_secs_f64() / f64::from(ANSWER);
        report.figure(&format!("one process, {name}, products"), each(answering.products), "ms/token", Bar::None);
        report.figure(&format!("one process, {name}, glue"), each(answering.glue), "ms/token", Bar::None);
        let (_, far) = speak(&model, machine, FAR, 16);
        let name = format!("one process, {name}, answer after {FAR} tokens");
        report.figure(&name, rate(16, far), "tokens/s", Bar::None);
    }
    grow(report);
}

/// How a token's time grows with the model.
fn grow(report: &mut Report) {
    eprintln!("models of other sizes");
    for layers in [8, 15, 30, 60] {
        let time = time(Llama { layers, ..SHAPE });
        report.figure(&format!("one process, one thread, {layers} layers"), time, "ms/token", Bar::None);
    }
    for part in [1, 2, 3, 4] {
        let (width, hidden) = (288 * part, 768 * part);
        let llama = Llama { width, heads: 3 * part, kv_heads: part, head_width: 96, hidden, ..SHAPE };
        report.figure(&format!("one process, one thread, width {width}"), time(llama), "ms/token", Bar::None);
    }
}
