//! The RPC method of look-ups.
//!
//! | method | what it does | unsafe |
//! |---|---|---|
//! | `ensemble_nearest` | says which rows of a space's state are nearest to a vector, a row or a token | no |

use std::sync::Arc;

use ensemble_compute::aggregation::nearest::Neighbour;
use ensemble_core::{spaces::RoundIndex, SpaceId};
use ensemble_tensor::TensorId;
use jsonrpsee::{
    proc_macros::rpc,
    types::{ErrorObject, ErrorObjectOwned},
    RpcModule,
};
use serde::Serialize;

use super::{Answer, Error, Lookup, Query};

/// The methods.
#[rpc(server, namespace = "ensemble")]
pub trait LookupApi {
    /// The `count` rows of a space's state that are nearest to a vector, a row or a token, the nearest first.
    #[method(name = "nearest", blocking)]
    fn nearest(&self, space: SpaceId, query: Query, count: u32) -> Result<NearestReply, Error>;
}

/// Answer of `nearest`.
#[derive(Clone, Debug, Serialize)]
pub struct NearestReply {
    /// The round in which the space settled on the state.
    pub round: RoundIndex,
    /// The state.
    pub content: TensorId,
    /// The rows, the nearest first.
    pub neighbours: Vec<NeighbourReply>,
}

/// A row and how near it is.
#[derive(Clone, Debug, Serialize)]
pub struct NeighbourReply {
    /// Number of the row.
    pub row: u32,
    /// Its token, if the node has the space's vocabulary.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub token: Option<String>,
    /// Cosine of the angle between the row and what was asked for, in millionths, rounded towards zero.
    pub cosine: i32,
}

/// First of the error codes of this method.
const BASE_CODE: i32 = 21_000;

impl Error {
    fn code(&self) -> i32 {
        let number = match self {
            Self::Count => 0,
            Self::Busy(_) => 1,
            Self::Chain(_) => 2,
            Self::UnknownSpace(_) => 3,
            Self::NotSettled(_) => 4,
            Self::Restricted(_) => 5,
            Self::Fetching { .. } => 6,
            Self::NotFetched { .. } => 7,
            Self::TooLarge { .. } => 8,
            Self::NotAState(_) => 9,
            Self::NoVocabulary(_) => 10,
            Self::UnknownToken(_) => 11,
            Self::NoSuchRow { .. } => 12,
            Self::WrongLength { .. } => 13,
            Self::Zero => 14,
            Self::Store(_) => 15,
            Self::Compute(_) => 16,
        };
        BASE_CODE + number
    }
}

impl From<Error> for ErrorObjectOwned {
    fn from(error: Error) -> Self {
        ErrorObject::owned(error.code(), error.to_string(), None::<()>)
    }
}

impl From<Answer> for NearestReply {
    fn from(Answer { round, content, found }: Answer) -> Self {
        let neighbour = |(Neighbour { row, cosine }, token)| NeighbourReply { row, token, cosine: millionths(cosine) };
        Self { round, content, neighbours: found.into_iter().map(neighbour).collect() }
    }
}

/// A number with 30 bits behind the point in millionths, rounded towards zero.
fn millionths(number: i32) -> i32 {
    i32::try_from(i64::from(number) * 1_000_000 / (1 << 30)).unwrap_or_default()
}

/// The methods over a node's spaces.
pub struct LookupRpc(Arc<Lookup>);

impl LookupRpc {
    /// The methods, to be merged into a node's.
    pub fn module(lookup: Lookup) -> RpcModule<Self> {
        Self(Arc::new(lookup)).into_rpc()
    }
}

impl LookupApiServer for LookupRpc {
    fn nearest(&self, space: SpaceId, query: Query, count: u32) -> Result<NearestReply, Error> {
        self.0.nearest(space, query, count).map(Into::into)
    }
}
