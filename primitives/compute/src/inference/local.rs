//! A model whose matrices are all here, or a range of the rows of each.

use alloc::{string::String, vec::Vec};

use super::{ranges, Call, Error, Inputs, Llama, Next, Rows, Run, RunError, Tables};
use crate::Machine;

/// Why a stage is not computed.
#[derive(Clone, Debug, Eq, PartialEq, thiserror::Error)]
pub enum LocalError {
    /// A matrix is not there, or of another shape.
    #[error("the matrix {0} is missing or has another shape than the architecture says")]
    Matrix(String),
    /// The call is for a stage that the model has not.
    #[error("the model has no stage {0}")]
    NoSuchStage(u32),
    /// Inputs that do not fit the matrices.
    #[error(transparent)]
    Product(#[from] Error),
    /// The sequence does not go on.
    #[error(transparent)]
    Run(#[from] RunError),
}

/// A range of the rows of each matrix of a model, stage by stage.
#[derive(Clone, Debug)]
pub struct Local<'a> {
    llama: Llama,
    stages: Vec<Vec<Rows<'a>>>,
    machine: Machine,
}

impl<'a> Local<'a> {
    /// All rows. `matrix` gives the matrix of a name.
    pub fn new(
        llama: &Llama,
        machine: Machine,
        matrix: impl FnMut(&str) -> Option<Rows<'a>>,
    ) -> Result<Self, LocalError> {
        Self::of_range(llama, machine, 0, 1, matrix)
    }

    /// The rows of one of so many ranges. `matrix` gives the whole matrix of a name.
    pub fn of_range(
        llama: &Llama,
        machine: Machine,
        range: u32,
        ranges: u32,
        mut matrix: impl FnMut(&str) -> Option<Rows<'a>>,
    ) -> Result<Self, LocalError> {
        llama.check().map_err(RunError::from)?;
        let mut stages = Vec::new();
        for stage in (0..llama.stages()).filter_map(|number| llama.stage(number)) {
            let mut matrices = Vec::new();
            for shape in llama.matrices(stage) {
                let rows = ranges::rows(shape.rows, range, ranges);
                let found = matrix(&shape.name)
                    .filter(|found| found.len() == shape.rows as usize && found.cols() == shape.cols as usize)
                    .and_then(|found| found.range(rows.start as usize..rows.end as usize));
                matrices.push(found.ok_or(LocalError::Matrix(shape.name))?);
            }
            stages.push(matrices);
        }
        Ok(Self { llama: *llama, stages, machine })
    }

    /// The outputs of the rows that are here, for each input.
    pub fn compute(&self, call: &Call) -> Result<Vec<Vec<i64>>, LocalError> {
        let matrices = self.stages.get(call.stage as usize).ok_or(LocalError::NoSuchStage(call.stage))?;
        let inputs = Inputs::new(&call.inputs)?;
        let len = matrices.iter().map(Rows::len).sum();
        let mut outputs: Vec<Vec<i64>> = call.inputs.iter().map(|_| Vec::with_capacity(len)).collect();
        for rows in matrices {
            rows.products(&inputs, self.machine, &mut outputs)?;
        }
        Ok(outputs)
    }

    /// Takes a sequence through one step, with all products computed here. Gives the token that follows, if there is to
    /// be an answer.
    pub fn step<T: Tables>(&self, run: &mut Run<T>, tokens: &[u32], answer: bool) -> Result<Option<u32>, LocalError> {
        let mut call = run.begin(tokens, answer)?;
        loop {
            call = match run.supply(&self.compute(&call)?)? {
                Next::Call(call) => call,
                Next::Token(token) => return Ok(Some(token)),
                Next::Stored => return Ok(None),
            };
        }
    }

    /// The model's shape.
    pub fn llama(&self) -> &Llama {
        &self.llama
    }
}
