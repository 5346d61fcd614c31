//! Look-up in what spaces have settled on: which rows are nearest to a vector, a row or a token.
//!
//! The chain says what a space's state is; its table comes out of the tensor store. What the store does not have is
//! fetched in the background, and the caller is told to ask again.
//!
//! | what bounds it | |
//! |---|---|
//! | rows in an answer | [`MAX_COUNT`] |
//! | look-ups at one time | one for each core but one; others are refused at once |
//! | bytes of a table, of a vocabulary | [`MAX_TABLE_BYTES`], [`MAX_VOCABULARY_BYTES`] |
//! | bytes kept in memory, for some minutes | [`MAX_OPEN_TABLE_BYTES`], [`MAX_OPEN_VOCABULARY_BYTES`] |
//!
//! Whoever may call can have the node fetch, but nothing that a space does not name as its state or its vocabulary, and
//! nothing that stays pinned.

mod chain;
mod opened;
mod query;
mod rpc;
#[cfg(test)]
mod tests;
mod vocabulary;

use std::{
    sync::{
        mpsc::{sync_channel, RecvTimeoutError, SyncSender},
        Arc,
    },
    thread,
    time::Duration,
};

use ensemble_compute::{
    aggregation::nearest::{Index, Neighbour},
    Machine,
};
use ensemble_core::spaces::{RoundIndex, SpaceId, STATE};
use ensemble_host::{TensorAccess, TensorStatus};
use ensemble_tensor::{Bundle, Header, Kind, TensorId};
use tokio::sync::Semaphore;

pub use chain::{ClientSpaces, Spaces, Unavailable};
pub use query::Query;
pub use rpc::LookupRpc;

use super::{contents, LOG_TARGET};
use crate::tensors::{reason, Store, StoreError};
use chain::Space;
use opened::Opened;
use vocabulary::Vocabulary;

/// Most rows in an answer.
pub const MAX_COUNT: u32 = 100;
/// Most bytes of a table.
const MAX_TABLE_BYTES: u64 = 128 << 20;
/// Most bytes of a vocabulary.
const MAX_VOCABULARY_BYTES: u64 = 32 << 20;
/// Most bytes of the tables that are kept in memory. The one that was not used for longest makes way.
const MAX_OPEN_TABLE_BYTES: u64 = 256 << 20;
/// The same of vocabularies.
const MAX_OPEN_VOCABULARY_BYTES: u64 = 64 << 20;
/// How often it is looked for what nobody has asked for lately.
const TIDY_INTERVAL: Duration = Duration::from_secs(60);
/// Each look-up computes on the thread of its caller.
const MACHINE: Machine = Machine::ONE_CORE;

/// Looks up.
pub struct Lookup {
    spaces: Arc<dyn Spaces>,
    tensors: Arc<dyn TensorAccess>,
    store: Arc<Store>,
    opened: Arc<Cache>,
    /// Each look-up reads a whole table.
    places: Semaphore,
    most_at_once: usize,
    /// Ends the thread that tidies up.
    _tidying: SyncSender<()>,
}

/// What is kept in memory.
struct Cache {
    tables: Opened<Table>,
    vocabularies: Opened<Vocabulary>,
}

/// The table of a state.
struct Table {
    id: TensorId,
    index: Index,
}

/// What a look-up found.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Answer {
    /// The round in which the space settled on the state.
    pub round: RoundIndex,
    /// The state.
    pub content: TensorId,
    /// The rows, the nearest first, with their tokens as far as they are known.
    pub found: Vec<(Neighbour, Option<String>)>,
}

/// Why a look-up has no answer.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The number of rows asked for.
    #[error("ask for 1 to {MAX_COUNT} rows")]
    Count,
    /// Too many look-ups at once.
    #[error("{0} look-ups run at this moment, as many as may; ask again")]
    Busy(usize),
    /// The chain's state cannot be read.
    #[error("the node cannot ask the chain for spaces: {0}; is it synchronised, and has its runtime spaces?")]
    Chain(#[from] Unavailable),
    /// No such space.
    #[error("there is no space {0}; call the runtime API spacesApi.spaces(first, limit) for all that there are")]
    UnknownSpace(SpaceId),
    /// No round has settled.
    #[error("space {0} has settled on nothing yet; spacesApi.space({0}) says when a round is due")]
    NotSettled(SpaceId),
    /// The state is served to some only.
    #[error("tensor {0} is restricted on this node, so that nobody may look up in it here")]
    Restricted(TensorId),
    /// The store has not all of the state yet.
    #[error("the node does not have {what} {id}, and fetches it: {received} bytes so far; ask again in a few seconds")]
    Fetching {
        /// What is fetched.
        what: &'static str,
        /// Its id.
        id: TensorId,
        /// Verified bytes so far.
        received: u64,
    },
    /// The state cannot be fetched.
    #[error("the node could not fetch {what} {id}: {reason}; asking again has it try once more")]
    NotFetched {
        /// What was to be fetched.
        what: &'static str,
        /// Its id.
        id: TensorId,
        /// Why not, and what to do about it.
        reason: &'static str,
    },
    /// A large table or vocabulary.
    #[error("{what} has {bytes} bytes, and this call looks up in at most {limit}; get it with ensemble_getTensor")]
    TooLarge {
        /// What it is.
        what: &'static str,
        /// Its bytes.
        bytes: u64,
        /// Most bytes.
        limit: u64,
    },
    /// The state is no such bundle.
    #[error("the state {0} is no bundle with a table of the space's shape")]
    NotAState(TensorId),
    /// The space has no tokens.
    #[error("space {0} names no vocabulary that can be read; ask by the number of a row, or by a vector")]
    NoVocabulary(SpaceId),
    /// A token that is not in the vocabulary.
    #[error(
        "the vocabulary of the space has no token {0:?}; tokens are compared byte by byte, spaces and case included"
    )]
    UnknownToken(String),
    /// A row beyond the table.
    #[error("there is no row {row}: the table has {rows} rows, counted from 0")]
    NoSuchRow {
        /// Number asked for.
        row: u32,
        /// Number of rows.
        rows: u32,
    },
    /// A vector of another length.
    #[error("the vector has {found} numbers, and a row of the table {expected}")]
    WrongLength {
        /// Columns of the table.
        expected: u32,
        /// Numbers given.
        found: usize,
    },
    /// A vector without direction.
    #[error("the vector is nothing but zeros, and so is near to nothing")]
    Zero,
    /// The store refused.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// The kernels refused.
    #[error(transparent)]
    Compute(#[from] ensemble_compute::aggregation::Error),
}

impl Lookup {
    /// Looks up in the states of `spaces`, which lie in `store` and are fetched through `tensors`.
    pub fn new(spaces: Arc<dyn Spaces>, tensors: Arc<dyn TensorAccess>, store: Arc<Store>) -> Self {
        let opened = Arc::new(Cache {
            tables: Opened::new(MAX_OPEN_TABLE_BYTES),
            vocabularies: Opened::new(MAX_OPEN_VOCABULARY_BYTES),
        });
        // A core stays for the rest of the node.
        let most_at_once = super::machine().threads;
        let (places, _tidying) = (Semaphore::new(most_at_once), tidying(opened.clone()));
        Self { spaces, tensors, store, opened, places, most_at_once, _tidying }
    }

    /// The `count` rows that are nearest to what is asked for, in the state of a space. A row that is asked for is not
    /// among them. Reads the whole table.
    pub fn nearest(&self, space: SpaceId, query: Query, count: u32) -> Result<Answer, Error> {
        if !(1..=MAX_COUNT).contains(&count) {
            return Err(Error::Count);
        }
        let _place = self.places.try_acquire().map_err(|_| Error::Busy(self.most_at_once))?;
        let view = self.spaces.space(space)?.ok_or(Error::UnknownSpace(space))?;
        let state = view.state.ok_or(Error::NotSettled(space))?;
        let table = self.table(&view, &state.content)?;
        let (vector, asked) = match query {
            Query::Vector(vector) => (vector, None),
            Query::Row(row) => (line(&table.index, row)?, Some(row)),
            Query::Token(token) => {
                let row = self.vocabulary(&view)?.row(&token).ok_or(Error::UnknownToken(token))?;
                (line(&table.index, row)?, Some(row))
            },
        };
        let found = search(&table.index, &vector, asked, count)?;
        let vocabulary = self.vocabulary(&view).ok();
        let token = |row| vocabulary.as_ref().and_then(|vocabulary| vocabulary.token(row));
        let found = found.into_iter().map(|neighbour| (neighbour, token(neighbour.row)));
        Ok(Answer { round: state.round, content: state.content, found: found.collect() })
    }

    /// The table of a state.
    fn table(&self, space: &Space, content: &TensorId) -> Result<Arc<Table>, Error> {
        let (rows, cols) = (space.spec.rows, space.spec.cols);
        let bytes = Header::new(Kind::I16, rows, cols).map_or(0, |header| header.data_len());
        check_size("the table", bytes, MAX_TABLE_BYTES)?;
        self.check_open(content)?;
        let table = self.opened.tables.get(content, || {
            self.have("the state", content, space.spec.result().max_bytes())?;
            let manifest = contents::bytes(&self.store, content)?;
            let bundle = Bundle::parse(&manifest).map_err(|_| Error::NotAState(*content))?;
            let id = contents::part(&self.store, &bundle, STATE, rows, cols)?.ok_or(Error::NotAState(*content))?;
            let index = Index::new(contents::numbers(&self.store, &id)?, MACHINE)?;
            let bytes = index.bytes() as u64;
            Ok((Table { id, index }, bytes))
        })?;
        // The table may have been restricted by itself, and both may have come restricted while this waited for its turn.
        self.check_open(content)?;
        self.check_open(&table.id)?;
        Ok(table)
    }

    /// The tokens of a space.
    fn vocabulary(&self, space: &Space) -> Result<Arc<Vocabulary>, Error> {
        let id = space.spec.vocabulary.ok_or(Error::NoVocabulary(space.id))?;
        self.check_open(&id)?;
        let vocabulary = self.opened.vocabularies.get(&id, || {
            self.have("the vocabulary", &id, MAX_VOCABULARY_BYTES)?;
            let header = self.store.header(&id).ok_or(StoreError::NotHeld(id))?;
            if header.kind() != Kind::Bytes {
                return Err(Error::NoVocabulary(space.id));
            }
            check_size("the vocabulary", header.data_len(), MAX_VOCABULARY_BYTES)?;
            let vocabulary = Vocabulary::new(contents::bytes(&self.store, &id)?);
            let bytes = vocabulary.bytes();
            Ok((vocabulary, bytes))
        })?;
        // It may have come restricted while this waited for its turn.
        self.check_open(&id)?;
        Ok(vocabulary)
    }

    /// Whether everybody may look up in a tensor, whatever was kept of it.
    fn check_open(&self, id: &TensorId) -> Result<(), Error> {
        match self.store.marks(id) {
            None => Ok(()),
            Some(_) => Err(Error::Restricted(*id)),
        }
    }

    /// Whether a tensor is held. Has it fetched if it is not.
    fn have(&self, what: &'static str, id: &TensorId, max_bytes: u64) -> Result<(), Error> {
        match self.tensors.status(*id) {
            TensorStatus::Held { .. } => Ok(()),
            TensorStatus::Fetching { received, .. } => Err(Error::Fetching { what, id: *id, received }),
            TensorStatus::Absent => {
                self.tensors.fetch(*id, max_bytes);
                Err(Error::Fetching { what, id: *id, received: 0 })
            },
            TensorStatus::Failed(error) => {
                self.tensors.fetch(*id, max_bytes);
                Err(Error::NotFetched { what, id: *id, reason: reason(error) })
            },
        }
    }
}

fn check_size(what: &'static str, bytes: u64, limit: u64) -> Result<(), Error> {
    match bytes <= limit {
        true => Ok(()),
        false => Err(Error::TooLarge { what, bytes, limit }),
    }
}

/// Starts the thread that forgets what nobody has asked for lately. It ends when what is returned is dropped.
fn tidying(opened: Arc<Cache>) -> SyncSender<()> {
    let (end, ended) = sync_channel(0);
    let tidy = move || {
        while ended.recv_timeout(TIDY_INTERVAL) == Err(RecvTimeoutError::Timeout) {
            opened.tables.tidy();
            opened.vocabularies.tidy();
        }
    };
    if let Err(error) = thread::Builder::new().name("lookup-tidying".into()).spawn(tidy) {
        tracing::warn!(target: LOG_TARGET, "What look-ups keep in memory stays there: no thread: {error}");
    }
    end
}

/// A row of a table.
fn line(index: &Index, row: u32) -> Result<Vec<i16>, Error> {
    let table = index.table();
    let rows = u32::try_from(table.nrows()).unwrap_or(u32::MAX);
    let line = table.outer_iter().nth(usize::try_from(row).unwrap_or(usize::MAX));
    line.map(|line| line.to_vec()).ok_or(Error::NoSuchRow { row, rows })
}

/// The nearest rows but the one that was asked for.
fn search(index: &Index, vector: &[i16], asked: Option<u32>, count: u32) -> Result<Vec<Neighbour>, Error> {
    let cols = index.table().ncols();
    if vector.len() != cols {
        return Err(Error::WrongLength { expected: u32::try_from(cols).unwrap_or(u32::MAX), found: vector.len() });
    }
    if vector.iter().all(|number| *number == 0) {
        return Err(Error::Zero);
    }
    let count = count as usize;
    let mut found = index.nearest(vector, count + usize::from(asked.is_some()), MACHINE)?;
    found.retain(|neighbour| Some(neighbour.row) != asked);
    found.truncate(count);
    Ok(found)
}
