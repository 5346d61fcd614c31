//! A model that is open.

use std::{ops::Range, path::Path, sync::Arc};

use ensemble_compute::{
    inference::{config::ROPE, ranges, Inputs, Llama, Local, Norm, Rows, Shape, Tables, Vector},
    Machine,
};
use ensemble_model::{Mapped, Matrices, OpenError, Source};
use ensemble_tensor::{Kind, TensorId};

use super::{
    members,
    sandbox::{Request, Sandbox},
    source::Members,
    template::{self, Marks, Message},
    tokenizer::Tokenizer,
    Error,
};
use crate::tensors::Store;

/// Most bytes of the tokenizer: twice those of 128 thousand tokens with 280 thousand merges. It takes some hundred
/// bytes in memory for each of them, whoever made it.
const MAX_TOKENIZER: u64 = 16 << 20;
/// Most bytes of the special tokens.
const MAX_SPECIAL: u64 = 64 << 10;

/// A model that is open: everything that it takes to ask it something and to multiply its rows.
pub struct Model {
    matrices: Matrices,
    /// Keeps the store from letting go of what is mapped.
    _members: Members,
    /// Two for each layer, and that before the head.
    norms: Vec<Vec<i32>>,
    rope: Mapped,
    tokenizer: Tokenizer,
    template: Option<String>,
}

impl Model {
    /// Opens a model out of the store, which has to hold all of it, checked. Blocks.
    pub fn held(store: &Arc<Store>, id: &TensorId) -> Result<Self, Error> {
        Self::open(Members::held(store, id)?)
    }

    /// Opens a model out of the folder that the import has written, and checks every file. Blocks.
    pub fn in_folder(folder: &Path, id: &TensorId) -> Result<Self, Error> {
        Self::open(Members::in_folder(folder, id)?)
    }

    fn open(members: Members) -> Result<Self, Error> {
        let matrices = Matrices::open(&members)?;
        let llama = matrices.llama();
        let tokenizer = Tokenizer::parse(
            &members.bytes(members::TOKENIZER, MAX_TOKENIZER)?,
            &members.bytes(members::SPECIAL, MAX_SPECIAL)?,
            llama.vocabulary,
        )?;
        let template = members.has(members::TEMPLATE).then(|| template(&members)).transpose()?;
        let norms = members::norms(llama).into_iter().map(|shape| norm(&members, shape));
        let norms = norms.collect::<Result<_, _>>()?;
        let rope = table(&members, Shape { name: ROPE.into(), rows: llama.positions, cols: llama.head_width })?;
        Ok(Self { matrices, _members: members, norms, rope, tokenizer, template })
    }

    /// The id of a member of the bundle.
    #[cfg(test)]
    pub fn member(&self, name: &str) -> Option<TensorId> {
        self._members.id(name)
    }

    /// The shape.
    pub fn llama(&self) -> &Llama {
        self.matrices.llama()
    }

    /// The matrices.
    pub fn matrices(&self) -> &Matrices {
        &self.matrices
    }

    /// Texts to tokens and back.
    pub fn tokenizer(&self) -> &Tokenizer {
        &self.tokenizer
    }

    /// The tokens of a conversation, to which the model answers. Blocks for as long as its template may take.
    pub fn prompt(&self, messages: &[Message]) -> Result<Vec<u32>, Error> {
        template::check_conversation(messages)?;
        let source = self.template.clone().ok_or(Error::NoTemplate)?;
        let [beginning, end] = self.tokenizer.marks().clone();
        let request = Request { source, messages: messages.to_vec(), marks: Marks { beginning, end } };
        Ok(self.tokenizer.tokens(&Sandbox::new()?.render(&request)?)?)
    }

    /// The outputs of a range of the rows of a stage, for each input: the rows of its matrices, one after the other.
    pub fn outputs(
        &self,
        stage: u32,
        range: u32,
        ranges: u32,
        inputs: &[Vector],
        machine: Machine,
    ) -> Result<Vec<Vec<i64>>, Error> {
        let matrices = self.stage(stage)?;
        let mut outputs = vec![Vec::new(); inputs.len()];
        let inputs = Inputs::new(inputs)?;
        for matrix in matrices {
            let rows = ranges::rows(matrix.header().rows(), range, ranges);
            self::rows(matrix, rows)?.products(&inputs, machine, &mut outputs)?;
        }
        Ok(outputs)
    }

    /// A row of matrix `matrix` of a stage, as it is encoded.
    #[cfg(test)]
    pub fn row(&self, stage: u32, matrix: usize, row: u32) -> Result<&[u8], Error> {
        let matrix = self.stage(stage)?.get(matrix).ok_or(Error::NoSuchStage(stage))?;
        Ok(rows(matrix, row..row.saturating_add(1))?.data())
    }

    /// A range of the rows of all matrices, for whoever computes many steps.
    pub fn local(&self, range: u32, ranges: u32, machine: Machine) -> Result<Local<'_>, Error> {
        let stages = (0..self.llama().stages()).filter_map(|number| Some((number, self.llama().stage(number)?)));
        let shapes = stages.flat_map(|(number, stage)| {
            let matrices = self.stage(number).unwrap_or_default();
            self.llama().matrices(stage).into_iter().map(|shape| shape.name).zip(matrices)
        });
        let named: std::collections::HashMap<String, &Mapped> = shapes.collect();
        let whole = |name: &str| {
            let matrix = named.get(name)?;
            matrix.rows(0..matrix.header().rows())
        };
        Ok(Local::of_range(self.llama(), machine, range, ranges, whole)?)
    }

    fn stage(&self, stage: u32) -> Result<&[Mapped], Error> {
        self.matrices.stage(stage).ok_or(Error::NoSuchStage(stage))
    }
}

impl Tables for Model {
    fn norm(&self, norm: Norm) -> Option<&[i32]> {
        let number = match norm {
            Norm::Attention(layer) => layer.checked_mul(2)?,
            Norm::Feed(layer) => layer.checked_mul(2)?.checked_add(1)?,
            Norm::Output => self.llama().layers.checked_mul(2)?,
        };
        self.norms.get(number as usize).map(Vec::as_slice)
    }

    fn rope(&self, position: u32) -> Option<&[i32]> {
        // The data begins at a multiple of 4: a page, and a header of 16 bytes. It is in little endian.
        let row = self.rope.row_data(position..position.checked_add(1)?)?;
        bytemuck::try_cast_slice(row).ok().filter(|_| cfg!(target_endian = "little"))
    }

    fn embedding(&self, token: u32) -> Option<(Kind, &[u8])> {
        let embedding = self.matrices.embedding();
        Some((embedding.header().kind(), embedding.row_data(token..token.checked_add(1)?)?))
    }
}

fn rows(matrix: &Mapped, rows: Range<u32>) -> Result<Rows<'_>, Error> {
    let missing = ensemble_tensor::Error::NoSuchLeaf { index: rows.end, count: matrix.header().rows() };
    Ok(matrix.rows(rows).ok_or(OpenError::from(missing))?)
}

fn table(members: &Members, shape: Shape) -> Result<Mapped, Error> {
    members.shaped(shape, &[Kind::I32])
}

fn norm(members: &Members, shape: Shape) -> Result<Vec<i32>, Error> {
    let mapped = table(members, shape)?;
    let (numbers, _) = mapped.data().as_chunks::<4>();
    Ok(numbers.iter().map(|number| i32::from_le_bytes(*number)).collect())
}

fn template(members: &Members) -> Result<String, Error> {
    let bytes = members.bytes(members::TEMPLATE, template::MAX_LEN as u64)?;
    String::from_utf8(bytes).map_err(|_| Error::TemplateText)
}
