//! Evidence, put together out of claims, the model and what was computed.

use ensemble_compute::inference::{hashes, Norm, Stage, Vector};
use ensemble_core::inference::{Chunk, Evidence, GlueEvidence, Outputs, Position, RangeIndex};
use ensemble_tensor::RowProof;

use super::{cut, Claims, Cut, Model, Unable};

/// A stage at one position, with what the gateway went on with.
pub struct Computed<'a> {
    /// How its outputs are cut.
    pub cut: Cut<'a>,
    /// Its input.
    pub input: &'a Vector,
    /// The state before it.
    pub state: &'a [i64],
    /// The outputs of all ranges.
    pub outputs: &'a [i64],
}

/// A place in a session.
#[derive(Clone, Copy)]
pub struct At {
    /// The position.
    pub position: Position,
    /// The stage's number.
    pub stage: u32,
}

/// Makes evidence of what is said of a session.
pub struct Maker<'a, M> {
    /// What is said.
    pub claims: &'a Claims,
    /// The model.
    pub model: &'a M,
}

impl<M: Model> Maker<'_, M> {
    /// One output of a range that is not the product, among the outputs that the range is known to have given.
    pub fn row(
        &self,
        at: At,
        range: RangeIndex,
        computed: &Computed,
        wrong: usize,
        given: &[i64],
    ) -> Result<Evidence, Unable> {
        let (matrix, row) = computed.cut.row(range, wrong).ok_or(Unable::Shape)?;
        Ok(Evidence::Row {
            range,
            stage: at.stage,
            output: u32::try_from(wrong).map_err(|_| Unable::Shape)?,
            trace: self.won(range, at)?,
            input: computed.input.encode(),
            chunk: cut::chunk(given, wrong).ok_or(Unable::Shape)?,
            matrix: self.model.prove(&matrix, row).map_err(Unable::Model)?,
        })
    }

    /// A range that says that it was given another input than the gateway says.
    pub fn input(&self, at: At, range: RangeIndex) -> Result<Evidence, Unable> {
        let (trace, gateway) = (self.won(range, at)?, self.gateway(at)?);
        Ok(Evidence::Input { range, stage: at.stage, trace, gateway })
    }

    /// Tokens that do not begin with the prompt.
    pub fn prompt(&self) -> Result<Evidence, Unable> {
        let token = |position| self.claims.token(position).ok_or(Unable::Shape);
        let tokens = (0..=self.claims.positions()).map(token).collect::<Result<_, _>>()?;
        Ok(Evidence::Glue(GlueEvidence::Prompt { tokens }))
    }

    /// A state that is not what it has to be. `before` is the stage before, if there is one.
    pub fn state(&self, at: At, before: Option<&Computed>) -> Result<Evidence, Unable> {
        let trace = self.gateway(at)?;
        let evidence = match (self.model.llama().stage(at.stage).ok_or(Unable::Shape)?, before) {
            (Stage::Output(_) | Stage::Down(_), _) => GlueEvidence::Carry { stage: at.stage, trace },
            (Stage::Attention(_) | Stage::Gate(_) | Stage::Head, Some(before)) => GlueEvidence::Sum {
                stage: at.stage,
                trace,
                state: before.state.to_vec(),
                input: before.input.encode(),
                outputs: self.outputs(at, before)?,
            },
            (Stage::Attention(_) | Stage::Gate(_) | Stage::Head, None) => {
                let token = self.claims.token(at.position).ok_or(Unable::Shape)?;
                let embedding = self.model.llama().embedding();
                GlueEvidence::Embedding {
                    trace,
                    token: self.claims.tokens.prove(at.position)?,
                    embedding: self.model.prove(&embedding.name, token).map_err(Unable::Model)?,
                }
            },
        };
        Ok(Evidence::Glue(evidence))
    }

    /// An input of a stage that does not follow from the state or from the stage before.
    pub fn fed(&self, at: At, state: &[i64], before: Option<&Computed>) -> Result<Evidence, Unable> {
        let norm = match self.model.llama().stage(at.stage).ok_or(Unable::Shape)? {
            Stage::Attention(layer) => Norm::Attention(layer),
            Stage::Gate(layer) => Norm::Feed(layer),
            Stage::Head => Norm::Output,
            Stage::Output(_) => return Err(Unable::Attention { position: at.position, stage: at.stage }),
            Stage::Down(_) => return self.activation(at, before.ok_or(Unable::Shape)?),
        };
        Ok(Evidence::Glue(GlueEvidence::Norm {
            stage: at.stage,
            trace: self.gateway(at)?,
            state: state.to_vec(),
            weights: self.model.prove(&norm.name(), 0).map_err(Unable::Model)?,
        }))
    }

    fn activation(&self, at: At, before: &Computed) -> Result<Evidence, Unable> {
        Ok(Evidence::Glue(GlueEvidence::Activation {
            stage: at.stage,
            trace: self.gateway(at)?,
            input: before.input.encode(),
            outputs: self.outputs(at, before)?,
        }))
    }

    /// A token that was taken though another goes before it.
    pub fn token(&self, at: At, head: &Computed, taken: u32, better: u32) -> Result<Evidence, Unable> {
        let next = at.position.saturating_add(1);
        let shown = |token: u32| -> Result<(RangeIndex, RowProof, Chunk, usize), Unable> {
            let (range, output) = head.cut.holder(token).ok_or(Unable::Shape)?;
            let outputs = head.cut.gather(head.outputs, range);
            let chunk = cut::chunk(&outputs, output).ok_or(Unable::Shape)?;
            Ok((range, self.won(range, at)?, chunk, output % hashes::CHUNK))
        };
        let ((range, trace, chunk, _), better) = (shown(taken)?, shown(better)?);
        Ok(Evidence::Glue(GlueEvidence::Token {
            token: self.claims.tokens.prove(next)?,
            trace: self.gateway(at)?,
            taken: (range, trace, chunk),
            better: (better.0, better.1, better.2),
            place: u32::try_from(better.3).map_err(|_| Unable::Shape)?,
        }))
    }

    /// A token that the model does not have, which shows itself: no outputs are looked at.
    pub fn no_token(&self, at: At) -> Result<Evidence, Unable> {
        let none = || Chunk { index: 0, outputs: Vec::new(), siblings: Vec::new() };
        let trace = RowProof { leaf: Vec::new(), siblings: Vec::new(), ..self.gateway(at)? };
        Ok(Evidence::Glue(GlueEvidence::Token {
            token: self.claims.tokens.prove(at.position.saturating_add(1))?,
            trace: trace.clone(),
            taken: (0, trace.clone(), none()),
            better: (0, trace, none()),
            place: 0,
        }))
    }

    /// The outputs of all ranges in a stage, each with the row of the trace that has their root.
    fn outputs(&self, at: At, before: &Computed) -> Result<Vec<Outputs>, Unable> {
        let of = |range| {
            let outputs = before.cut.gather(before.outputs, range);
            Ok(Outputs { trace: self.won(range, at)?, outputs })
        };
        (0..self.claims.ranges()).map(of).collect()
    }

    fn gateway(&self, at: At) -> Result<RowProof, Unable> {
        Ok(self.claims.gateway.prove(at.position)?)
    }

    fn won(&self, range: RangeIndex, at: At) -> Result<RowProof, Unable> {
        let won = self.claims.won.get(range as usize).and_then(Option::as_ref);
        let won = won.ok_or(Unable::Void { position: at.position, stage: at.stage })?;
        Ok(won.prove(at.position)?)
    }
}
