//! Holding files against the ids they are named by.

use std::{io, ops::Range, sync::Arc};

use ensemble_tensor::{Outline, OutlineBuilder, RowProof, TensorId};

use super::{outlines, Error, Store, Tensor, LOG_TARGET};

/// A check of a tensor's file, piece by piece.
pub struct Check {
    store: Arc<Store>,
    tensor: Tensor,
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

    /// The outline of a held tensor as it lies on the disk. One that is missing or spoilt is made anew by the background
    /// check, not here, where a stranger may be asking.
    pub fn ready_outline(&self, id: &TensorId) -> Option<Outline> {
        let outline = outlines::read(&self.held.outline(id), id, &self.header(id)?);
        if outline.is_none() {
            self.index.lock().doubt(id);
            self.wanted.notify_one();
        }
        outline
    }

    /// Part of the canonical encoding of a held tensor. A file that cannot be read is removed.
    pub fn read(&self, tensor: &Tensor, range: Range<u64>) -> Result<Vec<u8>, Error> {
        self.readable(tensor, tensor.read(range))
    }

    /// Piece `index` of a held tensor, checked against its outline. A file that turns out to be damaged is removed.
    pub fn piece(&self, tensor: &Tensor, outline: &Outline, index: u32) -> Result<Vec<u8>, Error> {
        let piece = self.readable(tensor, tensor.piece(index))?;
        match outline.verify_piece(index, &piece) {
            true => Ok(piece),
            false => Err(self.discard(&tensor.id())),
        }
    }

    /// The proof that leaf `index` (a row, or 4096 bytes of a tensor without rows) belongs to a held tensor. Hashes one
    /// piece. A file that turns out to be damaged is removed.
    pub fn proof(&self, id: &TensorId, index: u32) -> Result<RowProof, Error> {
        let tensor = self.tensor(id)?;
        let piece = tensor.piece(Outline::piece_of_leaf(tensor.header(), index));
        let piece = self.readable(&tensor, piece)?;
        self.outline(id)?.prove(index, &piece).map_err(|error| match error {
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
        for index in 0..Outline::piece_count(tensor.header()) {
            builder.update(&self.readable(tensor, tensor.piece(index))?)?;
        }
        let outline = builder.finish().ok().filter(|outline| outline.id() == id).ok_or_else(|| self.discard(&id))?;
        self.held.write(&self.held.outline(&id), &[&outlines::encode(&outline)])?;
        Ok(outline)
    }

    /// What was read of a held tensor. Where a file cannot be read it is as good as damaged.
    fn readable(&self, tensor: &Tensor, read: io::Result<Vec<u8>>) -> Result<Vec<u8>, Error> {
        read.map_err(|error| {
            tracing::warn!(target: LOG_TARGET, "Could not read tensor {}: {error}", tensor.id());
            self.discard(&tensor.id())
        })
    }
}

impl Check {
    /// Checks one more piece; says whether there are further ones. Blocks while reading and hashing. A file that turns
    /// out to be damaged is removed.
    pub fn step(&mut self) -> Result<bool, Error> {
        self.store.piece(&self.tensor, &self.outline, self.next)?;
        self.next += 1;
        let more = self.next < Outline::piece_count(self.tensor.header());
        if !more {
            self.store.index.lock().set_verified(&self.tensor.id());
        }
        Ok(more)
    }
}
