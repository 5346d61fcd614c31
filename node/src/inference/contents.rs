//! What is said of a session, out of the tensor store.

use codec::DecodeAll;
use ensemble_check::{Claims, Table};
use ensemble_core::inference::{Contested, MAX_CONTESTED_BYTES};
use ensemble_host::Check;
use ensemble_tensor::TensorId;

use super::LOG_TARGET;
use crate::tensors::{Store, StoreError};

/// Most bytes of tokens and traces that are read for one session.
const MAX_BYTES: u64 = 1 << 30;

/// Why a session's contents are not read.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// They would take too much memory.
    #[error("the tokens and traces have {0} bytes, and at most {MAX_BYTES} are read")]
    TooLarge(u64),
    /// The store refused.
    #[error(transparent)]
    Store(#[from] StoreError),
}

impl Error {
    /// Whether something that was held is not any more, so that fetching it once more helps.
    pub fn is_loss(&self) -> bool {
        matches!(self, Self::Store(StoreError::NotHeld(_) | StoreError::Damaged(_)))
    }
}

impl From<ensemble_tensor::Error> for Error {
    fn from(error: ensemble_tensor::Error) -> Self {
        Self::Store(error.into())
    }
}

/// Everything that has to be here before a session is checked.
pub fn needed(check: &Check) -> impl Iterator<Item = TensorId> + '_ {
    let said = [check.model, check.closing.tokens.id(), check.closing.trace.id()];
    said.into_iter().chain(check.won.iter().flatten().copied())
}

/// Reads what is said of a session. Contested outputs that are not here, or none, are left out.
pub fn claims(store: &Store, check: &Check) -> Result<Claims, Error> {
    let lengths = needed(check).skip(1).map(|id| store.header(&id).map_or(0, |header| header.data_len()));
    let bytes = lengths.fold(0, u64::saturating_add);
    if bytes > MAX_BYTES {
        return Err(Error::TooLarge(bytes));
    }
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

/// Reads a tensor whole.
pub fn table(store: &Store, id: &TensorId) -> Result<Table, Error> {
    let header = store.header(id).ok_or(StoreError::NotHeld(*id))?;
    Ok(Table::new(header, read(store, id)?)?)
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
