//! Holding files against the ids they are named by.

use std::sync::Arc;

use ensemble_tensor::{Outline, OutlineBuilder, RowProof, TensorId};

use super::{outlines, Error, Store, Tensor};

/// A check of a tensor's file, piece by piece.
pub struct Check {
    store: Arc<Store>,
    tensor: Arc<Tensor>,
    outline: Outline,
    next: u32,
}

impl Store {
    /// The outline of a held tensor.
    pub fn outline(&self, id: &TensorId) -> Result<Outline, Error> {
        let tensor = self.tensor(id)?;
        match outlines::read(&self.held.outline(id), id, tensor.header()) {
            Some(outline) => Ok(outline),
            None => self.rebuild_outline(&tensor),
        }
    }

    /// The proof that leaf `index` (a row, or 4096 bytes of a tensor without rows) belongs to a held tensor. Hashes one
    /// piece. A file that turns out to be damaged is removed.
    pub fn proof(&self, id: &TensorId, index: u32) -> Result<RowProof, Error> {
        let tensor = self.tensor(id)?;
        let piece = tensor.piece(Outline::piece_of_leaf(tensor.header(), index)).unwrap_or_default();
        self.outline(id)?.prove(index, piece).map_err(|error| match error {
            ensemble_tensor::Error::PieceMismatch { .. } => self.discard(id),
            other => Error::Invalid(other),
        })
    }

    /// Begins to hold a tensor's file against its id.
    pub fn check(self: &Arc<Self>, id: &TensorId) -> Result<Check, Error> {
        Ok(Check { store: self.clone(), tensor: self.tensor(id)?, outline: self.outline(id)?, next: 0 })
    }

    /// Computes an outline whose file is missing or spoilt.
    fn rebuild_outline(&self, tensor: &Tensor) -> Result<Outline, Error> {
        let id = tensor.id();
        let mut builder = OutlineBuilder::new(tensor.header());
        let outline = builder.update(tensor.data()).and_then(|()| builder.finish());
        let outline = outline.ok().filter(|outline| outline.id() == id).ok_or_else(|| self.discard(&id))?;
        self.held.write(&self.held.outline(&id), &[&outlines::encode(&outline)])?;
        Ok(outline)
    }
}

impl Check {
    /// Checks one more piece; says whether there are further ones. Blocks while reading and hashing. A file that turns
    /// out to be damaged is removed.
    pub fn step(&mut self) -> Result<bool, Error> {
        let id = self.tensor.id();
        let piece = self.tensor.piece(self.next).unwrap_or_default();
        if !self.outline.verify_piece(self.next, piece) {
            return Err(self.store.discard(&id));
        }
        self.next += 1;
        let more = self.next < Outline::piece_count(self.tensor.header());
        if !more {
            self.store.index.lock().set_verified(&id);
        }
        Ok(more)
    }
}
