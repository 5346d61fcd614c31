//! What can be wrong with a tensor, a proof or a file.

use alloc::string::String;

use crate::{Kind, TensorId};

/// Why something is no valid tensor, does not belong to an id, or cannot be converted.
#[derive(Clone, Debug, Eq, PartialEq, thiserror::Error)]
pub enum Error {
    // Header.
    /// The first four bytes are not the magic bytes.
    #[error("this is no tensor: it does not begin with ENST; convert the file first")]
    NotATensor,
    /// Fewer bytes than a header has.
    #[error("a tensor begins with a header of 16 bytes, but there are only {0} bytes")]
    HeaderTooShort(usize),
    /// The version byte is unknown.
    #[error("the tensor has format version {0}, but this software reads version 1")]
    UnsupportedVersion(u8),
    /// The kind byte is unknown.
    #[error("the tensor has the unknown kind number {0}")]
    UnknownKindNumber(u8),
    /// A name of no kind.
    #[error("there is no kind {0:?}; the kinds are bytes, bundle, i16, i32, q8_0, q4_0 and q4_1")]
    UnknownKind(String),
    /// The two reserved bytes of the header are not zero.
    #[error("bytes 6 and 7 of the header must be zero")]
    ReservedBytes,
    /// No rows or no columns.
    #[error("a tensor has at least one row and one column, not {rows} x {cols}")]
    Empty {
        /// Number of rows asked for.
        rows: u32,
        /// Number of columns asked for.
        cols: u32,
    },
    /// A string of bytes with more than one column.
    #[error("a tensor of kind {kind} has one column, not {cols}")]
    BytesHaveOneColumn {
        /// `Bytes` or `Bundle`.
        kind: Kind,
        /// Number of columns asked for.
        cols: u32,
    },
    /// The columns do not fill blocks.
    #[error("rows of kind {kind} consist of blocks of 32, but {cols} columns are no multiple of 32; pad with zeros")]
    PartialBlock {
        /// A block format.
        kind: Kind,
        /// Number of columns asked for.
        cols: u32,
    },
    /// A row longer than the limit.
    #[error("a row of {len} bytes is longer than the limit of {limit} bytes; split the columns")]
    RowTooLong {
        /// Length of a row in bytes.
        len: u64,
        /// Most bytes allowed.
        limit: u64,
    },
    /// More data than the limit.
    #[error("{len} bytes of data are more than the limit of {limit} bytes for this kind; split the tensor")]
    DataTooLong {
        /// Length of the data in bytes.
        len: u64,
        /// Most bytes allowed.
        limit: u64,
    },

    // Data.
    /// Data of another length than the header says.
    #[error("the header asks for {expected} bytes of data, but there are {found}; was the file cut or extended?")]
    WrongLength {
        /// Length that the header says, in bytes.
        expected: u64,
        /// Length of what there is, in bytes.
        found: u64,
    },
    /// A scale or minimum that is infinite or no number.
    #[error("the scale or minimum of block {block} in row {row} is not a finite number; the tensor is not valid")]
    ScaleNotFinite {
        /// Number of the row.
        row: u32,
        /// Number of the block in the row.
        block: u32,
    },
    /// Bytes that cannot be read as a block.
    #[error("block {block} of row {row} is cut short or its scale or minimum is not a finite number")]
    InvalidBlock {
        /// Number of the row.
        row: u32,
        /// Number of the block in the row.
        block: u32,
    },
    /// A kind without blocks where blocks are needed.
    #[error("a tensor of kind {0} has no blocks; only q8_0, q4_0 and q4_1 can be dequantised")]
    NotBlocks(Kind),

    // Identity and proofs.
    /// Text that is no id.
    #[error("{0:?} is no tensor id: write 0x and 64 hexadecimal digits")]
    InvalidId(String),
    /// A leaf beyond the end.
    #[error("there is no row {index}: the tensor has {count} provable rows, counted from 0")]
    NoSuchLeaf {
        /// Number asked for.
        index: u32,
        /// Number of leaves.
        count: u32,
    },
    /// A proof with too many or too few bytes.
    #[error("row {index} has {expected} bytes, but the proof holds {found}")]
    WrongLeafLength {
        /// Number of the leaf.
        index: u32,
        /// Length of the leaf, in bytes.
        expected: u64,
        /// Length in the proof, in bytes.
        found: usize,
    },
    /// A proof with too many or too few hashes.
    #[error("a proof of this row has {expected} hashes, but this one has {found}")]
    WrongSiblingCount {
        /// Number of hashes on the way to the root.
        expected: usize,
        /// Number of hashes in the proof.
        found: usize,
    },
    /// A proof of something else.
    #[error("the proof does not lead to the tensor {0}: row, place, shape or hashes are not those of this tensor")]
    ProofMismatch(TensorId),
    /// An outline with too many or too few hashes.
    #[error("a tensor of this shape has {expected} pieces, but the outline lists {found}")]
    WrongPieceCount {
        /// Number of pieces.
        expected: u32,
        /// Number of hashes in the outline.
        found: usize,
    },
    /// An outline of something else.
    #[error("the outline does not lead to the tensor {0}")]
    OutlineMismatch(TensorId),
    /// Bytes that are not the piece they are said to be.
    #[error("the bytes are not those of piece {index}")]
    PieceMismatch {
        /// Number of the piece.
        index: u32,
    },

    // Bundles.
    /// Bytes that are no list of names and ids.
    #[error("the manifest of the bundle is cut short, too long or not canonical")]
    ManifestMalformed,
    /// No members or too many.
    #[error("a bundle has 1 to 65536 members, not {0}")]
    WrongMemberCount(usize),
    /// A name with other characters, or of a wrong length.
    #[error(
        "\"{0}\" is no name for a member of a bundle: 1 to 128 letters, digits, dots, underscores, slashes, hyphens"
    )]
    InvalidName(String),
    /// A name given to two members.
    #[error("two members of the bundle have the name {0:?}")]
    DuplicateName(String),
    /// A name that does not come after the one before it.
    #[error("{0:?} stands out of order in the bundle's manifest: names are unique and sorted by their bytes")]
    NamesOutOfOrder(String),

    // Conversion.
    /// An element that is infinite or no number.
    #[error("row {row}, column {col} is infinite or not a number, which has no 8-bit encoding; replace it first")]
    NotFinite {
        /// Number of the row.
        row: u32,
        /// Number of the column.
        col: u32,
    },
    /// An element whose scale would be infinite.
    #[error(
        "row {row}, column {col} is too large: 8-bit blocks hold numbers below 8321040; scale the matrix down first"
    )]
    TooLarge {
        /// Number of the row.
        row: u32,
        /// Number of the column.
        col: u32,
    },
    /// An element type that cannot be converted.
    #[error("elements of type {0} cannot be converted; store them as f16, f32, i16 or i32 in little endian")]
    UnsupportedElement(String),
    /// Elements in big endian.
    #[error("elements of type {0} are big endian; store them in little endian, in numpy with .astype({1:?})")]
    BigEndian(String, String),
    /// Elements in the order of columns.
    #[error("the array is stored column by column; store it row by row, in numpy with numpy.ascontiguousarray")]
    FortranOrder,
    /// Too few or too many dimensions.
    #[error("an array of {0} dimensions cannot be converted; reshape it to one dimension (one row) or two")]
    UnsupportedDimensions(u8),
    /// A dimension beyond what a header can hold.
    #[error("a dimension of {0} is too large: a tensor has fewer than 2^32 rows and columns")]
    DimensionTooLarge(u64),
    /// Elements that do not fill the shape.
    #[error("the file has {found} bytes of elements where its shape asks for {expected}; was it cut or extended?")]
    WrongElements {
        /// Length that the shape asks for, in bytes.
        expected: u64,
        /// Length of what there is, in bytes.
        found: u64,
    },
    /// A file that is no `.npy` file, or not a well-formed one.
    #[error("this is no valid .npy file: {0}")]
    Npy(&'static str),
    /// A file that is no `.safetensors` file, or not a well-formed one.
    #[error("this is no valid .safetensors file: {0}")]
    Safetensors(String),
    /// A file that is no `.gguf` file, or not a well-formed one.
    #[error("this is no valid .gguf file: {0}")]
    Gguf(String),
    /// A `.gguf` file in big endian.
    #[error("the .gguf file is big endian; convert it to little endian first")]
    GgufBigEndian,
    /// A version of GGUF that cannot be read.
    #[error("the .gguf file has format version {0}, but this software reads versions 2 and 3; convert it anew")]
    GgufVersion(u32),
    /// More metadata or tensors than the limit.
    #[error("the .gguf file has {count} {what}, more than the limit of {limit}; this software cannot read it")]
    GgufTooMany {
        /// `keys` or `tensors`.
        what: &'static str,
        /// How many it claims to have.
        count: u64,
        /// Most allowed.
        limit: u64,
    },
    /// A tensor type of GGUF that cannot be converted.
    #[error("its type is {0}, but only F32, F16, Q8_0, Q4_0 and Q4_1 are read; get the model in one of these")]
    GgufType(String),
    /// A key that is not in the metadata.
    #[error("the .gguf file's metadata has no {0}, without which the model cannot be imported; convert it anew")]
    GgufMissing(String),
    /// A key that holds something of another type.
    #[error("{key} in the .gguf file's metadata is no {expected}; convert the model anew")]
    GgufValue {
        /// The key.
        key: String,
        /// What is expected.
        expected: &'static str,
    },
    /// A number that is infinite, no number or too large for a whole number of 32 bits.
    #[error("row {row}, column {col} is infinite, not a number, or too large for 32 bits in units of 2^-{fraction}")]
    NotFixed {
        /// Number of the row.
        row: u32,
        /// Number of the column.
        col: u32,
        /// The unit is two to the power of minus this.
        fraction: u32,
    },
    /// A name that is not in the file.
    #[error("the file has no tensor named {0:?}")]
    NoSuchTensor(String),
}
