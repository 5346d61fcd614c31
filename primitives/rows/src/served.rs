//! One session as a worker serves it: what may be called next, the products, and the traces.

use std::{collections::VecDeque, ops::Range, sync::Arc};

use ensemble_compute::{
    inference::{hashes, Entry, Inputs, Position, RangeIndex, SessionId, Stage, Trace, Vector},
    Machine,
};
use ensemble_tensor::{merkle, Hash};

use crate::{
    products,
    protocol::{Call, Message, RangeReply, Reply, IN_FLIGHT, MAX_OUTPUT_LEN},
    Matrices,
};

/// Calls of a session that are answered a second time, however few there were.
pub const REPEATS: u32 = 8;
/// For so many calls one more of them is answered a second time.
pub const CALLS_PER_REPEAT: u32 = 64;

/// The keys of a session, as its worker uses them.
pub trait Keys: Send {
    /// The worker's signature of [`served_bytes`](ensemble_compute::inference::signed::served_bytes).
    fn sign(&self, range: RangeIndex, position: Position, row: &Hash) -> [u8; 64];

    /// Whether this is the gateway's signature of [`ask_bytes`](ensemble_compute::inference::signed::ask_bytes).
    fn is_asked(&self, position: Position, signature: &[u8; 64]) -> bool;
}

/// A position that a gateway asked a worker to compute.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct Asked {
    /// The position.
    pub position: Position,
    /// The gateway's signature of [`ask_bytes`](ensemble_compute::inference::signed::ask_bytes).
    pub signature: [u8; 64],
}

/// What the chain says of a worker's part in a session.
pub struct Terms {
    /// The session.
    pub session: SessionId,
    /// The worker's place.
    pub place: u32,
    /// The ranges that it serves, its own first.
    pub ranges: Vec<RangeIndex>,
    /// Number of ranges.
    pub count: u32,
    /// Tokens of the prompt.
    pub prompt_tokens: u32,
    /// Most positions.
    pub positions: u32,
}

/// A session as it is served.
pub struct Served {
    terms: Terms,
    model: Arc<dyn Matrices>,
    keys: Box<dyn Keys>,
    machine: Machine,
    /// For each range of the terms.
    traces: Vec<Trace>,
    /// What the gateway has asked for, of all that was answered the last.
    asked: Option<Asked>,
    step: Step,
    /// Calls answered, repeated ones not counted.
    calls: u32,
    /// Calls answered again.
    repeats: u32,
    /// The last calls answered.
    recent: VecDeque<Seen>,
}

/// The positions that are on their way through the stages.
#[derive(Clone, Copy, Default)]
struct Step {
    first: Position,
    len: u32,
    /// The stage that comes next.
    next: u32,
}

/// What is remembered of a call.
#[derive(Eq, PartialEq)]
struct Seen {
    number: u32,
    stage: u32,
    first: Position,
    inputs: Vec<Hash>,
}

impl Served {
    /// A session of which nothing was called yet.
    pub fn new(terms: Terms, model: Arc<dyn Matrices>, keys: Box<dyn Keys>, machine: Machine) -> Self {
        let traces = terms.ranges.iter().map(|_| Trace::new(model.llama())).collect();
        let (step, recent) = (Step::default(), VecDeque::new());
        Self { terms, model, keys, machine, traces, asked: None, step, calls: 0, repeats: 0, recent }
    }

    /// Answers a call. The hashes of the outputs are computed after the answer is on its way, where it has no need of them.
    ///
    /// # Errors
    ///
    /// Why it is refused, for good. What is refused changes nothing.
    pub fn answer(&mut self, call: &Call, send: impl FnOnce(&Message)) -> Result<(), String> {
        let stage = self.model.llama().stage(call.stage).ok_or("the model has no such stage")?;
        let seen = Seen {
            number: call.number,
            stage: call.stage,
            first: call.first,
            inputs: call.inputs.iter().map(|input| merkle::leaf_hash(input)).collect(),
        };
        let is_repeated = self.check_turn(call, &seen)?;
        let asked = self.asked(call)?;
        let outputs = self.products(call, stage)?;
        let done = self.completed(call);
        if !is_repeated && !done.is_empty() {
            self.record(&seen, &outputs)?;
        }
        let mut ranges = Vec::with_capacity(outputs.len());
        for ((outputs, trace), range) in outputs.into_iter().zip(&self.traces).zip(&self.terms.ranges) {
            ranges.push(RangeReply { outputs, signatures: self.signatures(*range, trace, done.clone())? });
        }
        let ranges = ranges.try_into().map_err(|_| "this worker serves too many ranges")?;
        let Terms { session, place, .. } = self.terms;
        let message = Message::Reply(Reply { session, place, number: call.number, ranges });
        send(&message);
        if is_repeated {
            self.repeats = self.repeats.saturating_add(1);
            return Ok(());
        }
        if let (true, Message::Reply(reply)) = (done.is_empty(), message) {
            let outputs: Vec<_> = reply.ranges.into_iter().map(|range| range.outputs).collect();
            self.record(&seen, &outputs)?;
        }
        self.asked = asked.or(self.asked);
        self.advance(call, seen);
        Ok(())
    }

    /// What the gateway signs that it asks for, which it does where a step begins, and nowhere else.
    fn asked(&self, call: &Call) -> Result<Option<Asked>, String> {
        let signature = match (call.stage, call.asked) {
            (0, Some(signature)) => signature,
            (0, None) => return Err("the gateway does not sign what it asks for".into()),
            (_, Some(_)) => return Err("what is asked for is signed in the first stage only".into()),
            (_, None) => return Ok(None),
        };
        let len = u32::try_from(call.inputs.len()).unwrap_or(u32::MAX);
        let position = call.first.saturating_add(len.saturating_sub(1));
        match self.keys.is_asked(position, &signature) {
            true => Ok(Some(Asked { position, signature })),
            false => Err(format!("the gateway's signature is none of session and position {position}")),
        }
    }

    /// Whether a call is the next one, or one of the last ones again. Refuses every other.
    fn check_turn(&self, call: &Call, seen: &Seen) -> Result<bool, String> {
        if let Some(before) = self.recent.iter().find(|before| before.number == call.number) {
            let allowed = REPEATS.saturating_add(self.calls / CALLS_PER_REPEAT);
            return match before == seen {
                // Nobody pays for it.
                true if self.repeats >= allowed => Err("too many calls of this session were made again".into()),
                true => Ok(true),
                false => Err("this call was made before with another input".into()),
            };
        }
        if call.number != self.calls {
            return Err(format!("call {} is the next, not {}", self.calls, call.number));
        }
        let len = u32::try_from(call.inputs.len()).unwrap_or(u32::MAX);
        let Step { first, len: in_step, next } = self.step;
        let end = first.saturating_add(in_step);
        if len == 0 {
            return Err("a call has at least one vector".into());
        }
        if call.stage == 0 {
            return self.check_begin(call.first, len).map(|()| false);
        }
        if call.stage != next {
            return Err(format!("stage {next} is the next, not {}", call.stage));
        }
        let expected = match call.stage == self.model.llama().head() {
            true if end < self.terms.prompt_tokens => return Err("the head is for the end of the prompt only".into()),
            true => (end.saturating_sub(1), 1),
            false => (first, in_step),
        };
        match (call.first, len) == expected {
            true => Ok(false),
            false => {
                Err(format!("these positions are not those of the step: {} from {} on are", expected.1, expected.0))
            },
        }
    }

    /// Whether a step may begin with these positions.
    fn check_begin(&self, first: Position, len: u32) -> Result<(), String> {
        let (head, end) = (self.model.llama().head(), self.step.first.saturating_add(self.step.len));
        let over = match end < self.terms.prompt_tokens {
            // The first step has no stages behind it.
            true => end == 0 || self.step.next >= head,
            false => self.step.next > head,
        };
        if !over {
            return Err(format!("stage {} is the next, not 0", self.step.next));
        }
        if first != end {
            return Err(format!("position {end} is the next, not {first}"));
        }
        let (last, prompt) = (first.saturating_add(len), self.terms.prompt_tokens);
        if last > self.terms.positions || last > self.model.llama().positions {
            return Err(format!("this session ends before position {}", self.terms.positions));
        }
        if len > 1 && last > prompt {
            return Err("only positions of the prompt go together".into());
        }
        Ok(())
    }

    /// For each range the products with all vectors.
    fn products(&self, call: &Call, stage: Stage) -> Result<Vec<Vec<i64>>, String> {
        let llama = self.model.llama();
        let vectors = call.inputs.iter().map(|input| Vector::decode(input));
        let vectors: Vec<_> = vectors.collect::<Result<_, _>>().map_err(|error| error.to_string())?;
        let width = llama.inputs(stage) as usize;
        if let Some(vector) = vectors.iter().find(|vector| vector.len() != width) {
            return Err(format!("vectors of this stage have {width} elements, not {}", vector.len()));
        }
        let outputs = u64::from(llama.outputs(stage)).saturating_mul(8).saturating_mul(vectors.len() as u64);
        let share = outputs.saturating_mul(self.terms.ranges.len() as u64) / u64::from(self.terms.count.max(1));
        if share > MAX_OUTPUT_LEN as u64 {
            return Err("the outputs for so many vectors do not fit into a message".into());
        }
        let inputs = Inputs::new(&vectors).map_err(|error| error.to_string())?;
        let Terms { ranges, count, .. } = &self.terms;
        products(&*self.model, call.stage, ranges, *count, &inputs, vectors.len(), self.machine)
    }

    /// The positions whose rows in the traces a call completes.
    fn completed(&self, call: &Call) -> Range<Position> {
        completed(call.stage, self.model.llama().head(), call.first, call.inputs.len(), self.terms.prompt_tokens)
    }

    /// Writes a call into the traces.
    fn record(&mut self, seen: &Seen, outputs: &[Vec<i64>]) -> Result<(), String> {
        for (trace, outputs) in self.traces.iter_mut().zip(outputs) {
            let len = outputs.len().checked_div(seen.inputs.len()).unwrap_or_default();
            for (place, (position, input)) in (seen.first..).zip(&seen.inputs).enumerate() {
                let from = place.saturating_mul(len);
                let outputs = outputs.get(from..from.saturating_add(len)).unwrap_or_default();
                let entry = Entry { input: *input, other: hashes::outputs(outputs) };
                if !trace.record(position, seen.stage, &entry) {
                    return Err("the model knows no such position".into());
                }
            }
        }
        Ok(())
    }

    fn signatures<S: TryFrom<Vec<[u8; 64]>>>(
        &self,
        range: RangeIndex,
        trace: &Trace,
        positions: Range<Position>,
    ) -> Result<S, String> {
        let sign = |position| {
            let row = trace.row_hash(position).ok_or("a row of the trace is missing")?;
            Ok(self.keys.sign(range, position, &row))
        };
        let signatures = positions.map(sign).collect::<Result<Vec<_>, String>>()?;
        S::try_from(signatures).map_err(|_| "too many positions end at once".into())
    }

    fn advance(&mut self, call: &Call, seen: Seen) {
        if call.stage == 0 {
            self.step.first = call.first;
            self.step.len = u32::try_from(call.inputs.len()).unwrap_or(u32::MAX);
        }
        self.step.next = call.stage.saturating_add(1);
        self.calls = self.calls.saturating_add(1);
        if self.recent.len() >= IN_FLIGHT as usize {
            self.recent.pop_front();
        }
        self.recent.push_back(seen);
    }

    /// The traces, with the rows that are complete, and what the gateway asked for last.
    pub fn end(mut self) -> (Vec<(RangeIndex, Trace)>, Option<Asked>) {
        let (head, Step { first, len, next }) = (self.model.llama().head(), self.step);
        let end = first.saturating_add(len);
        let complete = match next {
            next if next > head => end,
            next if next == head => {
                completed(head.saturating_sub(1), head, first, len as usize, self.terms.prompt_tokens).end
            },
            _ => first,
        };
        self.traces.iter_mut().for_each(|trace| trace.truncate(complete));
        (self.terms.ranges.into_iter().zip(self.traces).collect(), self.asked)
    }
}

/// The positions that are complete after a stage: after the head its position, after the stage before it those of the
/// prompt that have no head.
pub fn completed(stage: u32, head: u32, first: Position, vectors: usize, prompt_tokens: u32) -> Range<Position> {
    let end = first.saturating_add(u32::try_from(vectors).unwrap_or(u32::MAX));
    if stage == head {
        return first..end;
    }
    if stage.saturating_add(1) < head {
        return first..first;
    }
    first..end.min(prompt_tokens.saturating_sub(1)).max(first)
}
