//! What can be wrong with a round as a whole. What is wrong with one member is its
//! [`Rejection`](crate::aggregation::Rejection).

/// Why nothing could be computed.
#[derive(Clone, Debug, Eq, PartialEq, thiserror::Error)]
pub enum Error {
    /// A shape outside the limits.
    #[error("a space has 1 to 1024 columns, 1 to 2^20 rows, and at least as many anchors as columns among its rows")]
    Shape,
    /// Half of the weight or more may cheat.
    #[error("less than half of the weight may be tolerated to cheat, not {0} millionths")]
    Tolerated(u32),
    /// No members or too many.
    #[error("a round has 1 to 128 members, not {0}")]
    MemberCount(usize),
    /// Nobody was left after the checks.
    #[error("no member's table can be used: each was rejected for its own reason")]
    NobodyLeft,
    /// Nobody can be the reference.
    #[error(
        "the members whose basis was tried, and to whom too few others can be turned, have more weight than may cheat"
    )]
    NoReference,
    /// Matrices or vectors that do not fit together.
    #[error("the shapes do not fit together")]
    Mismatch,
    /// A tensor of another kind where a table is needed.
    #[error("a table is a tensor of kind i16, this one is of kind {0}")]
    Kind(ensemble_tensor::Kind),
    /// A tensor that cannot be written or read.
    #[error(transparent)]
    Tensor(#[from] ensemble_tensor::Error),
}
