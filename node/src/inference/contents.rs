//! What is said of a session, out of the tensor store.

use std::io;

use codec::DecodeAll;
use ensemble_check::{Claims, Table};
use ensemble_core::inference::{Contested, MAX_CONTESTED_BYTES};
use ensemble_host::Check;
use ensemble_tensor::TensorId;

use super::LOG_TARGET;
use crate::{
    models::Mapped,
    tensors::{Store, StoreError},
};

/// Why a session's contents are not read. All of it is about files that are here, so that asking once more may help.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The store refused.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// It was not held against its id since the node started.
    #[error("{0} is still being checked")]
    Unchecked(TensorId),
    /// A file cannot be mapped.
    #[error("a file cannot be read: {0}")]
    Io(#[from] io::Error),
}

/// Everything that has to be here before a session is checked.
pub fn needed(check: &Check) -> impl Iterator<Item = TensorId> + '_ {
    let said = [check.model, check.closing.tokens.id(), check.closing.trace.id()];
    said.into_iter().chain(check.won.iter().flatten().copied())
}

/// Reads what is said of a session. Contested outputs that are not here, or none, are left out.
pub fn claims(store: &Store, check: &Check) -> Result<Claims, Error> {
    let won = check.won.iter().map(|won| won.map(|won| table(store, &won)).transpose());
    Ok(Claims {
        prompt: check.prompt,
        prompt_tokens: check.prompt_tokens,
        tokens: table(store, &check.closing.tokens.id())?,
        gateway: table(store, &check.closing.trace.id())?,
        won: won.collect::<Result<_, _>>()?,
        contested: check.closing.contested.and_then(|id| contested(store, &id)).unwrap_or_default(),
    })
}

/// A tensor whose file is mapped into memory, so that it may be as long as it likes. It has to be held and checked.
pub fn table(store: &Store, id: &TensorId) -> Result<Table, Error> {
    let holding = store.holding(id).ok_or(StoreError::NotHeld(*id))?;
    if !holding.is_verified() {
        store.hurry(id);
        return Err(Error::Unchecked(*id));
    }
    let mapped = Mapped::new(store.tensor(id)?.map()?, holding.header).ok_or(StoreError::Damaged(*id))?;
    Ok(Table::new(holding.header, mapped).map_err(StoreError::from)?)
}

fn read(store: &Store, id: &TensorId) -> Result<Vec<u8>, StoreError> {
    let mut data = Vec::new();
    store.read_pieces(id, |piece| data.extend_from_slice(piece))?;
    Ok(data)
}

fn contested(store: &Store, id: &TensorId) -> Option<Vec<Contested>> {
    let header = store.header(id)?;
    if header.data_len() > MAX_CONTESTED_BYTES.into() {
        return None;
    }
    let data = read(store, id).ok()?;
    let contested = Vec::<Contested>::decode_all(&mut &data[..]);
    contested.inspect_err(|_| tracing::warn!(target: LOG_TARGET, "{id} is no list of contested outputs")).ok()
}
