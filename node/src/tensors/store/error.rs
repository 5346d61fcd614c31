//! What can go wrong in the store.

use std::io;

use ensemble_host::FetchError;
use ensemble_tensor::TensorId;

/// Why the store did not do what was asked.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The tensor is not held.
    #[error("the store has no tensor {0}; upload it with ensemble_putTensor or fetch it with ensemble_fetchTensor")]
    NotHeld(TensorId),
    /// Not enough of the quota can be freed.
    #[error(
        "the store is full: {needed} bytes are needed, {available} can be freed for them; remove or unpin tensors, or \
         start the node with a larger --tensor-quota"
    )]
    StoreFull {
        /// Bytes that the tensor takes on disk.
        needed: u64,
        /// Bytes that are free or belong to tensors that are neither pinned nor in use.
        available: u64,
    },
    /// The file system has no room, whatever the quota says.
    #[error(
        "the disk is full, but for what is left to the node's other data; free some space or lower --tensor-quota"
    )]
    DiskFull,
    /// Pinned tensors would leave too little room for others.
    #[error(
        "with {id} the pinned tensors would take {needed} bytes, and only {allowed} may be pinned, so that there is room \
         for others; unpin tensors, or start the node with a larger --tensor-quota"
    )]
    PinsFull {
        /// The tensor that was to be pinned.
        id: TensorId,
        /// Bytes on disk of what would be pinned.
        needed: u64,
        /// Most bytes that may be pinned.
        allowed: u64,
    },
    /// The operator restricted too many tensors, or one for too many tasks.
    #[error(
        "{0} cannot be restricted, because too many tensors are, or it is for too many tasks; lift restrictions with \
             ensemble_unrestrictTensor"
    )]
    MarksFull(TensorId),
    /// The file did not match its id and was removed.
    #[error("the file of tensor {0} was damaged and is removed; upload or fetch the tensor again")]
    Damaged(TensorId),
    /// A pinned tensor, or a member of a pinned bundle, cannot be removed.
    #[error("tensor {0} is pinned, or belongs to a pinned bundle; call ensemble_unpinTensor first")]
    Pinned(TensorId),
    /// A running job needs the tensor.
    #[error("tensor {0} is needed by a fetch that is running; try again when it has ended")]
    InUse(TensorId),
    /// Neither a part at the beginning nor the one that follows the last.
    #[error("the upload of tensor {id} continues at offset {expected}, not {given}")]
    WrongOffset {
        /// The tensor being uploaded.
        id: TensorId,
        /// Offset of the next part.
        expected: u64,
        /// Offset of the part that came.
        given: u64,
    },
    /// More bytes than the header says.
    #[error(
        "the header says that the tensor has {total} bytes, but the upload has at least {received}; it is dropped"
    )]
    TooLong {
        /// Bytes of the canonical encoding.
        total: u64,
        /// Bytes that came.
        received: u64,
    },
    /// The bytes have another id.
    #[error("the bytes are those of tensor {actual}, not of {expected}; the upload is dropped")]
    WrongId {
        /// The id that was named.
        expected: TensorId,
        /// The id that the bytes have.
        actual: TensorId,
    },
    /// Every place for uploads is taken.
    #[error("{0} uploads are under way, which is the limit; finish one, or wait until one is given up")]
    TooManyUploads(usize),
    /// Others than the operator may set aside no more room.
    #[error("uploads under way may take {0} bytes; wait until one is finished, or ask the node's operator to upload")]
    UploadsFull(u64),
    /// A part without bytes.
    #[error("a part has at least one byte")]
    EmptyPart,
    /// The bytes are no tensor.
    #[error("no valid tensor: {0}")]
    Invalid(#[from] ensemble_tensor::Error),
    /// Reading or writing failed.
    #[error("the tensor store could not read or write: {0}")]
    Io(#[source] io::Error),
}

impl From<io::Error> for Error {
    fn from(error: io::Error) -> Self {
        match error.kind() {
            io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded => Self::DiskFull,
            _ => Self::Io(error),
        }
    }
}

impl From<Error> for FetchError {
    fn from(error: Error) -> Self {
        match error {
            Error::StoreFull { .. } | Error::DiskFull => Self::StoreFull,
            Error::Invalid(_) => Self::Invalid,
            _ => Self::Storage,
        }
    }
}
