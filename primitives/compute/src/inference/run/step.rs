//! One step of a sequence: some positions on their way through the stages.

use alloc::vec::Vec;

use ensemble_tensor::Hash;

use super::{turn, weights, Call, Next, RunError, Tables};
use crate::{
    inference::{
        config::{Llama, Norm, Stage},
        glue::{self, Cache},
        hashes, Vector,
    },
    parallel, Machine,
};

/// Positions below which none has a thread of its own.
const WORTH_A_THREAD: usize = 8;

/// Positions on their way.
#[derive(Clone, Debug)]
pub struct Step {
    /// The first position.
    first: u32,
    /// The residual of each position that is not done.
    states: Vec<Vec<i64>>,
    /// Their hashes, if the sequence is traced.
    hashes: Vec<Hash>,
    /// The number of the stage whose outputs are missing.
    stage: u32,
    /// The exponent of each input of that stage.
    exponents: Vec<i32>,
    answer: bool,
    traced: bool,
}

impl Step {
    /// Positions from `first` on, with their embeddings.
    pub fn new(first: u32, states: Vec<Vec<i64>>, answer: bool, traced: bool) -> Self {
        let mut step = Self { first, states, hashes: Vec::new(), stage: 0, exponents: Vec::new(), answer, traced };
        step.hash();
        step
    }

    fn hash(&mut self) {
        if self.traced {
            self.hashes = self.states.iter().map(|state| hashes::state(state)).collect();
        }
    }

    /// Refuses outputs of another number or length than the stage's.
    pub fn check(&self, llama: &Llama, outputs: &[Vec<i64>]) -> Result<(), RunError> {
        let expected = llama.stage(self.stage).map_or(0, |stage| llama.outputs(stage)) as usize;
        let inputs = self.exponents.len();
        if outputs.len() != inputs || outputs.iter().any(|output| output.len() != expected) {
            return Err(RunError::WrongOutputs { inputs, outputs: expected });
        }
        Ok(())
    }

    /// Goes on to the next stage. Nothing changes if it fails.
    pub fn advance<T: Tables>(
        &mut self,
        llama: &Llama,
        tables: &T,
        caches: &mut [Cache],
        machine: Machine,
        outputs: &[Vec<i64>],
    ) -> Result<Next, RunError> {
        let call = match llama.stage(self.stage) {
            Some(Stage::Attention(layer)) => {
                let cache = caches.get_mut(layer as usize).ok_or(RunError::NotWaiting)?;
                self.attend(llama, tables, cache, machine, outputs)?
            },
            Some(Stage::Output(layer)) => self.add(llama, weights(llama, tables, Norm::Feed(layer))?, outputs),
            Some(Stage::Gate(_)) => self.activate(llama, machine, outputs),
            Some(Stage::Down(layer)) => return self.end_layer(llama, tables, layer, outputs),
            Some(Stage::Head) | None => return Ok(Self::end(outputs)),
        };
        Ok(Next::Call(call))
    }

    /// The residual, normed, as the next call.
    pub fn normed(&mut self, llama: &Llama, weights: &[i32]) -> Call {
        let normed = self.states.iter().map(|state| glue::norm(state, weights, llama.epsilon)).collect();
        self.call(normed)
    }

    fn call(&mut self, inputs: Vec<Vector>) -> Call {
        self.exponents = inputs.iter().map(Vector::exponent).collect();
        Call { stage: self.stage, first: self.first, inputs, states: self.hashes.clone() }
    }

    fn attend<T: Tables>(
        &mut self,
        llama: &Llama,
        tables: &T,
        cache: &mut Cache,
        machine: Machine,
        outputs: &[Vec<i64>],
    ) -> Result<Call, RunError> {
        let turns: Vec<_> =
            (self.first..).zip(outputs).map(|(position, _)| turn(llama, tables, position)).collect::<Result<_, _>>()?;
        let (query_width, key_width) = (llama.query_width() as usize, llama.key_width() as usize);
        let before = cache.positions();
        for ((output, exponent), turn) in outputs.iter().zip(&self.exponents).zip(&turns) {
            let (keys, values) = output.get(query_width..).unwrap_or_default().split_at(key_width);
            cache.push(keys, values, *exponent, turn);
        }
        let cache = &*cache;
        let inputs = of_each(machine, outputs.len(), |at, machine| {
            let (output, exponent, turn) = (outputs.get(at)?, self.exponents.get(at)?, turns.get(at)?);
            let visible = before.saturating_add(at).saturating_add(1);
            Some(cache.attend(output.get(..query_width)?, *exponent, turn, visible, machine))
        });
        self.stage = self.stage.saturating_add(1);
        Ok(self.call(inputs))
    }

    fn add(&mut self, llama: &Llama, weights: &[i32], outputs: &[Vec<i64>]) -> Call {
        self.take(outputs);
        self.normed(llama, weights)
    }

    /// Adds outputs to the residual, and goes on to the next stage.
    fn take(&mut self, outputs: &[Vec<i64>]) {
        for ((state, output), exponent) in self.states.iter_mut().zip(outputs).zip(&self.exponents) {
            *state = glue::add(state, output, *exponent);
        }
        self.hash();
        self.stage = self.stage.saturating_add(1);
    }

    fn activate(&mut self, llama: &Llama, machine: Machine, outputs: &[Vec<i64>]) -> Call {
        let inputs = of_each(machine, outputs.len(), |at, _| {
            let (output, exponent) = (outputs.get(at)?, self.exponents.get(at)?);
            let (gate, up) = output.split_at_checked(llama.hidden as usize)?;
            Some(glue::activate(gate, up, *exponent))
        });
        self.stage = self.stage.saturating_add(1);
        self.call(inputs)
    }

    /// After the last layer only the last position goes on, and only if there is to be an answer.
    fn end_layer<T: Tables>(
        &mut self,
        llama: &Llama,
        tables: &T,
        layer: u32,
        outputs: &[Vec<i64>],
    ) -> Result<Next, RunError> {
        let after = layer.saturating_add(1);
        if after < llama.layers {
            let weights = weights(llama, tables, Norm::Attention(after))?;
            return Ok(Next::Call(self.add(llama, weights, outputs)));
        }
        if !self.answer {
            return Ok(Next::Stored);
        }
        let weights = weights(llama, tables, Norm::Output)?;
        let done = self.states.len().saturating_sub(1);
        self.states.drain(..done);
        self.exponents.drain(..done.min(self.exponents.len()));
        self.first = self.first.saturating_add(u32::try_from(done).unwrap_or(u32::MAX));
        self.take(outputs.get(done..).unwrap_or_default());
        Ok(Next::Call(self.normed(llama, weights)))
    }

    fn end(outputs: &[Vec<i64>]) -> Next {
        outputs.last().and_then(|logits| glue::pick(logits)).map_or(Next::Stored, Next::Token)
    }
}

/// What `work` makes of each position. Many are spread over the machine's threads; few are done one after the other,
/// each with all of them.
fn of_each(machine: Machine, positions: usize, work: impl Fn(usize, Machine) -> Option<Vector> + Sync) -> Vec<Vector> {
    let of = |at, machine| work(at, machine).unwrap_or_default();
    if positions < WORTH_A_THREAD {
        return (0..positions).map(|at| of(at, machine)).collect();
    }
    let each = positions.div_ceil(machine.threads.max(1)).max(1);
    let mut parts: Vec<(usize, Vec<Vector>)> = (0..positions).step_by(each).map(|first| (first, Vec::new())).collect();
    let alone = Machine { threads: 1, ..machine };
    parallel::at_once(&mut parts, |(first, made)| {
        made.extend((*first..first.saturating_add(each).min(positions)).map(|at| of(at, alone)));
    });
    parts.into_iter().flat_map(|(_, made)| made).collect()
}
