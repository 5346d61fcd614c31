//! Models out of the tensor store, for checks.

use std::sync::Arc;

use codec::Encode;
use ensemble_compute::{
    inference::{Call, Llama},
    Machine,
};
use ensemble_core::inference::{MatrixRow, MemberProof};
use ensemble_tensor::{merkle, Bundle, Hash, TensorId};

use super::worker::Models;
use crate::{
    models::Model,
    tensors::{Store, StoreError},
};

/// Opens models of the tensor store.
pub struct StoredModels;

impl Models for StoredModels {
    type Model = Stored;

    fn open(&self, store: &Arc<Store>, id: &TensorId, machine: Machine) -> Result<Stored, String> {
        let model = Model::held(store, id).map_err(|error| error.to_string())?;
        let leaves = leaves(store, id).map_err(|error| error.to_string())?;
        Ok(Stored { store: store.clone(), model: Arc::new(model), leaves, machine })
    }
}

/// A model of the tensor store.
pub struct Stored {
    store: Arc<Store>,
    model: Arc<Model>,
    /// Name, id and leaf hash of each member, in their order.
    leaves: Vec<(String, TensorId, Hash)>,
    machine: Machine,
}

fn leaves(store: &Store, id: &TensorId) -> Result<Vec<(String, TensorId, Hash)>, StoreError> {
    let mut manifest = Vec::new();
    store.read_pieces(id, |piece| manifest.extend_from_slice(piece))?;
    let leaf = |(name, id): (&str, TensorId)| (name.into(), id, merkle::leaf_hash(&(name.as_bytes(), id).encode()));
    Ok(Bundle::parse(&manifest)?.iter().map(leaf).collect())
}

impl Stored {
    fn member(&self, name: &str) -> Option<MemberProof> {
        let place = self.leaves.iter().position(|(member, ..)| member == name)?;
        let (index, (_, id, _)) = (u32::try_from(place).ok()?, self.leaves.get(place)?);
        let siblings = merkle::path(self.leaves.iter().map(|(.., leaf)| *leaf), index)?;
        Some(MemberProof { index, id: *id, siblings })
    }
}

impl ensemble_check::Model for Stored {
    type Tables = Arc<Model>;

    fn llama(&self) -> &Llama {
        self.model.llama()
    }

    fn tables(&self) -> Arc<Model> {
        self.model.clone()
    }

    fn compute(&self, call: &Call) -> Result<Vec<Vec<i64>>, String> {
        self.model.outputs(call.stage, 0, 1, &call.inputs, self.machine).map_err(|error| error.to_string())
    }

    fn prove(&self, member: &str, row: u32) -> Result<MatrixRow, String> {
        let member = self.member(member).ok_or_else(|| format!("{member} is no member"))?;
        let row = self.store.proof(&member.id, row).map_err(|error| error.to_string())?;
        Ok(MatrixRow { member, row })
    }
}
