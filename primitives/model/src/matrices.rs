//! The matrices of a model, which are all that a worker needs of it.

use std::ops::Range;

use codec::DecodeAll;
use ensemble_compute::inference::{Architecture, Llama, Rows, Stage};
use ensemble_tensor::Kind;

use crate::{members::CONFIG, Mapped, OpenError, Source};

/// Most bytes of the architecture.
const MAX_CONFIG: u64 = 1024;
/// What matrices may consist of.
const KINDS: [Kind; 3] = [Kind::Q8_0, Kind::Q4_0, Kind::Q4_1];

/// The matrices of a model, mapped: a worker touches the rows of its ranges and no others.
pub struct Matrices {
    llama: Llama,
    embedding: Mapped,
    /// Those of each stage. That of the head is empty if it is the embedding.
    stages: Vec<Vec<Mapped>>,
}

impl Matrices {
    /// Opens those of a bundle, and holds kind and shape of each against the architecture.
    ///
    /// # Errors
    ///
    /// If a member is missing, or is not what a model has.
    pub fn open<S: Source>(source: &S) -> Result<Self, S::Error> {
        let config = source.bytes(CONFIG, MAX_CONFIG)?;
        let architecture = Architecture::decode_all(&mut &config[..]).map_err(|_| OpenError::Config)?;
        let Architecture::Llama(llama) = architecture;
        llama.check().map_err(OpenError::from)?;
        let embedding = source.shaped(llama.embedding(), &KINDS)?;
        let stages = (0..llama.stages()).filter_map(|number| llama.stage(number));
        let stages = stages.map(|stage| match stage {
            Stage::Head if llama.tied => Ok(Vec::new()),
            stage => llama.matrices(stage).into_iter().map(|shape| source.shaped(shape, &KINDS)).collect(),
        });
        let stages = stages.collect::<Result<_, S::Error>>()?;
        Ok(Self { llama, embedding, stages })
    }

    /// The shape of the model.
    pub fn llama(&self) -> &Llama {
        &self.llama
    }

    /// The table of tokens.
    pub fn embedding(&self) -> &Mapped {
        &self.embedding
    }

    /// The matrices of a stage, in the order in which their outputs come.
    pub fn stage(&self, stage: u32) -> Option<&[Mapped]> {
        match self.stages.get(stage as usize) {
            Some(matrices) if matrices.is_empty() => Some(std::slice::from_ref(&self.embedding)),
            stage => stage.map(Vec::as_slice),
        }
    }

    /// One of the matrices of a stage, whole.
    pub fn matrix(&self, stage: u32, matrix: usize) -> Option<Rows<'_>> {
        let matrix = self.stage(stage)?.get(matrix)?;
        matrix.rows(0..matrix.header().rows())
    }
}

impl Mapped {
    /// The bytes of some rows, if there are so many.
    pub fn row_data(&self, rows: Range<u32>) -> Option<&[u8]> {
        let at = |row: u32| (row as usize).checked_mul(self.header().row_len());
        self.data().get(at(rows.start)?..at(rows.end)?)
    }

    /// Some rows of a matrix, if there are so many.
    pub fn rows(&self, rows: Range<u32>) -> Option<Rows<'_>> {
        let header = self.header();
        Rows::new(header.kind(), header.cols() as usize, self.row_data(rows)?).ok()
    }
}
