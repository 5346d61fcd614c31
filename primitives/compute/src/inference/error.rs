//! What can be wrong with rows and vectors.

use ensemble_tensor::Kind;

/// Why something is not multiplied.
#[derive(Clone, Debug, Eq, PartialEq, thiserror::Error)]
pub enum Error {
    /// A length that the encoding of no vector has.
    #[error("a vector is encoded in 4 bytes and two for each of at most 65536 elements, not in {0} bytes")]
    VectorLength(usize),
    /// More elements than a vector may have.
    #[error("a vector has at most 65536 elements, not {0}")]
    TooLong(usize),
    /// An exponent that no vector has.
    #[error("the exponent of a vector lies between -192 and 240, and is 0 if all its elements are: {0} is wrong")]
    Exponent(i32),
    /// The one mantissa without a counterpart of the other sign.
    #[error("a mantissa of a vector is not -32768")]
    Mantissa,
    /// A kind whose rows are not multiplied.
    #[error("a matrix is of kind q8_0, q4_0, q4_1, i16 or i32, not {0}")]
    Kind(Kind),
    /// Columns that rows of the kind do not have.
    #[error("rows of kind {kind} do not have {cols} columns, or more than a vector has elements")]
    Columns {
        /// The kind.
        kind: Kind,
        /// The columns.
        cols: usize,
    },
    /// Data that is not whole rows.
    #[error("{len} bytes are no whole rows of {row_len} bytes")]
    PartialRow {
        /// Bytes there are.
        len: usize,
        /// Bytes of a row.
        row_len: usize,
    },
    /// Vectors of another length than the rows.
    #[error("rows of {cols} columns are not multiplied by vectors of {len} elements")]
    Mismatch {
        /// Columns of the rows.
        cols: usize,
        /// Elements of the vectors.
        len: usize,
    },
    /// Not a place for each vector's products.
    #[error("there are {vectors} vectors and places for the products of {outputs}")]
    Outputs {
        /// Vectors.
        vectors: usize,
        /// Places.
        outputs: usize,
    },
    /// Rows of no valid tensor.
    #[error(transparent)]
    Tensor(#[from] ensemble_tensor::Error),
}
