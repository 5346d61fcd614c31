//! The way through a session, stage by stage.

use std::cmp::Reverse;

use ensemble_compute::{
    inference::{glue, hashes, Call, Entry, Next, Run, Stage, Vector},
    Machine,
};
use ensemble_core::inference::{Evidence, GlueEvidence, Position, RangeIndex};
use ensemble_tensor::Hash;
use sp_io::hashing::blake2_256;

use super::{
    evidence::{At, Computed, Maker},
    Claims, Cut, Model, Unable, Verdict,
};

/// Positions of the prompt that are computed at once.
const BATCH: u32 = 32;

/// Computes a session again, and compares everything that is said of it. `goes_on` is asked before each step.
///
/// # Errors
///
/// If there is no verdict: [`Unable`] says why. What was found before stands in the verdict nevertheless.
pub fn check<M: Model>(
    model: &M,
    claims: &Claims,
    machine: Machine,
    goes_on: impl Fn() -> bool,
) -> Result<Verdict, Unable> {
    claims.check(model.llama().stages())?;
    let run = Run::new(model.llama(), model.tables(), true, machine).map_err(sequence)?;
    let mut walk = Walk {
        model,
        claims,
        maker: Maker { claims, model },
        run,
        found: Vec::new(),
        caught: vec![false; claims.won.len()],
        end: None,
        unshown: None,
    };
    let end = walk.go(goes_on).err().or(walk.end).or(walk.unshown);
    match end {
        _ if !walk.found.is_empty() => Ok(Verdict::Wrong(walk.found)),
        Some(unable) => Err(unable),
        None => Ok(Verdict::Right),
    }
}

struct Walk<'a, M: Model> {
    model: &'a M,
    claims: &'a Claims,
    maker: Maker<'a, M>,
    run: Run<M::Tables>,
    found: Vec<Evidence>,
    /// For each range whether there is evidence against it.
    caught: Vec<bool>,
    /// Why nobody knows how it goes on, once that is so.
    end: Option<Unable>,
    /// What is wrong first and cannot be shown, though it is known how it goes on.
    unshown: Option<Unable>,
}

/// A stage of all positions of a step.
struct Passed {
    kind: Stage,
    first: Position,
    inputs: Vec<Vector>,
    states: Vec<Vec<i64>>,
    outputs: Vec<Vec<i64>>,
}

impl Passed {
    /// The stage at one of its positions.
    fn at<'a>(&'a self, position: Position, cut: Cut<'a>) -> Option<Computed<'a>> {
        let place = usize::try_from(position.checked_sub(self.first)?).ok()?;
        let (input, state) = (self.inputs.get(place)?, self.states.get(place)?);
        Some(Computed { cut, input, state, outputs: self.outputs.get(place)? })
    }

    /// The states before the next stage.
    fn next_states(&self) -> Vec<Vec<i64>> {
        match self.kind {
            Stage::Output(_) | Stage::Down(_) => {
                let products = self.inputs.iter().zip(&self.outputs);
                let add = |(state, (input, outputs)): (&Vec<i64>, (&Vector, &Vec<i64>))| {
                    glue::add(state, outputs, input.exponent())
                };
                self.states.iter().zip(products).map(add).collect()
            },
            Stage::Attention(_) | Stage::Gate(_) | Stage::Head => self.states.clone(),
        }
    }
}

impl<'a, M: Model> Walk<'a, M> {
    fn go(&mut self, goes_on: impl Fn() -> bool) -> Result<(), Unable> {
        let tokens = self.tokens()?;
        let (prompt, _) = tokens.split_at(tokens.len().min(self.claims.prompt_tokens as usize));
        if prompt_hash(prompt) != self.claims.prompt {
            self.found.push(self.maker.prompt()?);
        }
        let (mut first, positions) = (0, self.claims.positions());
        while first < positions && self.end.is_none() {
            if !goes_on() {
                return Err(Unable::GivenUp);
            }
            let left = self.claims.prompt_tokens.saturating_sub(first);
            let count = left.clamp(1, BATCH);
            let end = first.saturating_add(count);
            let step = tokens.get(first as usize..end as usize).ok_or(Unable::Shape)?;
            self.step(step, end >= self.claims.prompt_tokens)?;
            first = end;
        }
        Ok(())
    }

    /// All tokens, the last of which is never fed.
    fn tokens(&self) -> Result<Vec<u32>, Unable> {
        let token = |position| self.claims.token(position).ok_or(Unable::Shape);
        (0..=self.claims.positions()).map(token).collect()
    }

    /// Takes some tokens through all stages, or as far as anybody knows.
    fn step(&mut self, tokens: &[u32], answer: bool) -> Result<(), Unable> {
        let vocabulary = self.model.llama().vocabulary;
        if let Some(token) = tokens.iter().find(|token| **token >= vocabulary) {
            return Err(Unable::Token(*token));
        }
        let mut call = self.run.begin(tokens, answer).map_err(sequence)?;
        let mut states: Vec<_> = tokens.iter().map(|token| self.embedded(*token)).collect::<Result<_, _>>()?;
        let mut before: Option<Passed> = None;
        loop {
            // After the last layer only the last position goes on.
            states.drain(..states.len().saturating_sub(call.inputs.len()));
            let kind = self.model.llama().stage(call.stage).ok_or(Unable::Shape)?;
            self.compare_gateway(&call, &states, before.as_ref())?;
            if self.end.is_some() {
                return Ok(());
            }
            let outputs = self.outputs(&call, kind, &states)?;
            let Call { first, inputs, .. } = call;
            let passed = Passed { kind, first, inputs, states, outputs };
            if self.end.is_some() {
                return Ok(());
            }
            match self.run.supply(&passed.outputs).map_err(sequence)? {
                Next::Call(next) => call = next,
                Next::Token(token) => return self.compare_token(&passed, token),
                Next::Stored => return Ok(()),
            }
            states = passed.next_states();
            before = Some(passed);
        }
    }

    fn embedded(&self, token: u32) -> Result<Vec<i64>, Unable> {
        use ensemble_compute::inference::Tables as _;
        let tables = self.model.tables();
        let (kind, row) = tables.embedding(token).ok_or_else(|| Unable::Model("no embedding".into()))?;
        Ok(glue::embed(kind, row))
    }

    fn cut(&self, stage: Stage) -> Cut<'a> {
        Cut { llama: self.model.llama(), stage, ranges: self.claims.ranges() }
    }

    /// Holds states and inputs against the gateway's trace, up to the first that differs.
    fn compare_gateway(&mut self, call: &Call, states: &[Vec<i64>], before: Option<&Passed>) -> Result<(), Unable> {
        for ((position, state), input) in (call.first..).zip(states).zip(&call.inputs) {
            let at = At { position, stage: call.stage };
            let Entry { input: said_input, other: said_state } = self.claims.gateway.entry(position, call.stage)?;
            let passed = before.and_then(|before| before.at(position, self.cut(before.kind)));
            let evidence = if hashes::state(state) != said_state {
                self.maker.state(at, passed.as_ref())
            } else if input.hash() != said_input {
                self.maker.fed(at, state, passed.as_ref())
            } else {
                continue;
            };
            // What comes of a false state or input nobody knows: the trace has only its hash.
            let evidence = evidence?;
            self.found.push(evidence);
            self.end = Some(Unable::Unknown { position, stage: call.stage });
            return Ok(());
        }
        Ok(())
    }

    /// The outputs that the gateway went on with, as far as they are known, and what is wrong with them.
    fn outputs(&mut self, call: &Call, kind: Stage, states: &[Vec<i64>]) -> Result<Vec<Vec<i64>>, Unable> {
        let mut all = self.model.compute(call).map_err(Unable::Model)?;
        for (((position, outputs), input), state) in (call.first..).zip(&mut all).zip(&call.inputs).zip(states) {
            let right = outputs.clone();
            for range in 0..self.claims.ranges() {
                let Some(Some(won)) = self.claims.won.get(range as usize) else { continue };
                let said = won.entry(position, call.stage)?;
                let cut = self.cut(kind);
                let computed = Computed { cut, input, state, outputs: &right };
                let at = At { position, stage: call.stage };
                let fed = input.hash();
                if let Some(given) = self.compare_range(at, range, said, fed, &computed)? {
                    self.cut(kind).scatter(outputs, range, &given);
                }
            }
        }
        Ok(all)
    }

    /// Holds what a range gave against what is right. Returns what it gave, if that is wrong and known.
    fn compare_range(
        &mut self,
        at: At,
        range: RangeIndex,
        said: Entry,
        fed: Hash,
        computed: &Computed,
    ) -> Result<Option<Vec<i64>>, Unable> {
        let At { position, stage } = at;
        if said.input != fed {
            let evidence = self.maker.input(at, range)?;
            self.catch(range, evidence);
            self.end.get_or_insert(Unable::Unknown { position, stage });
            return Ok(None);
        }
        let right = computed.cut.gather(computed.outputs, range);
        if hashes::outputs(&right) == said.other {
            return Ok(None);
        }
        let Some(given) = self.contested(at, range, &said.other) else {
            self.end.get_or_insert(Unable::Withheld { range, position, stage });
            return Ok(None);
        };
        if let Some(wrong) = right.iter().zip(&given).position(|(right, given)| right != given) {
            let evidence = self.maker.row(at, range, computed, wrong, &given)?;
            self.catch(range, evidence);
        }
        Ok(Some(given))
    }

    /// The published outputs of a range with this root. There are as many as there are products, or they are none.
    fn contested(&self, at: At, range: RangeIndex, root: &Hash) -> Option<Vec<i64>> {
        let stage = self.model.llama().stage(at.stage)?;
        let len = ensemble_compute::inference::ranges::len(self.model.llama(), stage, range, self.claims.ranges());
        let is_it = |contested: &&ensemble_core::inference::Contested| {
            (contested.range, contested.position, contested.stage) == (range, at.position, at.stage)
                && contested.outputs.len() == len
                && hashes::outputs(&contested.outputs) == *root
        };
        self.claims.contested.iter().find(is_it).map(|contested| contested.outputs.clone())
    }

    /// Notes what shows that a range is wrong, unless there is something already.
    fn catch(&mut self, range: RangeIndex, evidence: Evidence) {
        let Some(caught) = self.caught.get_mut(range as usize) else { return };
        if !std::mem::replace(caught, true) {
            self.found.push(evidence);
        }
    }

    /// Holds the next token against the one that follows. Others that come after do not hide it: they follow from the
    /// tokens, as they are said to be.
    fn compare_token(&mut self, head: &Passed, follows: u32) -> Result<(), Unable> {
        let position = head.first;
        let next = position.saturating_add(1);
        let taken = self.claims.token(next).ok_or(Unable::Shape)?;
        let is_noted = |found: &Evidence| matches!(found, Evidence::Glue(GlueEvidence::Token { .. }));
        if taken == follows || self.found.iter().any(is_noted) {
            return Ok(());
        }
        let head = head.at(position, self.cut(Stage::Head)).ok_or(Unable::Shape)?;
        let at = At { position, stage: self.model.llama().head() };
        if taken >= self.model.llama().vocabulary {
            self.found.push(self.maker.no_token(at)?);
            return Ok(());
        }
        match self.best_shown(&head, taken) {
            Some(better) => self.found.push(self.maker.token(at, &head, taken, better)?),
            None => drop(self.unshown.get_or_insert(Unable::Void { position, stage: at.stage })),
        }
        Ok(())
    }

    /// Of the tokens that go before the one that was taken the first whose range has a trace, if that one's has.
    fn best_shown(&self, head: &Computed, taken: u32) -> Option<u32> {
        let with_trace = (0..).zip(&self.claims.won).filter(|(_, won)| won.is_some());
        let spans: Vec<_> = with_trace.map(|(range, _)| head.cut.span(range)).collect();
        let is_shown = spans.iter().any(|span| span.contains(&(taken as usize)));
        let output = |token: &usize| head.outputs.get(*token).map(|output| (*output, Reverse(*token)));
        let best = spans.into_iter().flatten().max_by_key(output)?;
        let goes_before = is_shown && output(&best) > output(&(taken as usize));
        u32::try_from(best).ok().filter(|_| goes_before)
    }
}

/// The hash of a prompt as the chain has it.
pub fn prompt_hash(tokens: &[u32]) -> Hash {
    blake2_256(&codec::Encode::encode(tokens))
}

fn sequence(error: ensemble_compute::inference::RunError) -> Unable {
    Unable::Sequence(error.to_string())
}
