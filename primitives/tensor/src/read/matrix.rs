//! A matrix inside a file.

use crate::{quantise::quantise_row, validate_rows, Error, Float, Header, Kind};

/// The type of a matrix's elements; all in little endian.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Element {
    /// Floating point, which becomes `Q8_0`.
    Float(Float),
    /// 16-bit integers, which become `I16`.
    I16,
    /// 32-bit integers, which become `I32`.
    I32,
    /// Blocks of 32 elements, which stay as they are.
    Q8_0,
    /// Blocks of 32 elements, which stay as they are.
    Q4_0,
    /// Blocks of 32 elements, which stay as they are.
    Q4_1,
}

impl Element {
    /// The kind of tensor that elements of this type become.
    pub const fn kind(self) -> Kind {
        match self {
            Self::Float(_) | Self::Q8_0 => Kind::Q8_0,
            Self::I16 => Kind::I16,
            Self::I32 => Kind::I32,
            Self::Q4_0 => Kind::Q4_0,
            Self::Q4_1 => Kind::Q4_1,
        }
    }

    /// Length of the elements in bytes, if they become a tensor with this header.
    pub(super) const fn len(self, header: &Header) -> u64 {
        // No overflow: the number of rows has 32 bits, and the row's length is limited.
        header.rows() as u64 * self.row_len(header) as u64
    }

    /// Length of a row of the file in bytes, if it becomes a row of a tensor with this header.
    const fn row_len(self, header: &Header) -> usize {
        match self {
            // A row of `Q8_0` has at most 1 MiB: its elements are below 2^20.
            Self::Float(float) => header.cols() as usize * float.size(),
            _ => header.row_len(),
        }
    }
}

/// Elements in a file, row by row, that can become a tensor.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct Matrix<'a> {
    element: Element,
    header: Header,
    elements: &'a [u8],
}

impl<'a> Matrix<'a> {
    /// A matrix of this shape. Fails if no tensor has this shape, or if `elements` do not fill it exactly.
    pub fn new(element: Element, rows: u32, cols: u32, elements: &'a [u8]) -> Result<Self, Error> {
        let header = Header::new(element.kind(), rows, cols)?;
        let expected = element.len(&header);
        let found = elements.len() as u64;
        if expected != found {
            return Err(Error::WrongElements { expected, found });
        }
        Ok(Self { element, header, elements })
    }

    /// A matrix with these dimensions: one for a single row, or two for rows and columns.
    pub(super) fn with_shape(element: Element, shape: &Shape, elements: &'a [u8]) -> Result<Self, Error> {
        let (rows, cols) = shape.rows_and_cols()?;
        Self::new(element, rows, cols, elements)
    }

    /// The type of the elements.
    pub fn element(&self) -> Element {
        self.element
    }

    /// Kind and shape of the tensor that this becomes.
    pub fn header(&self) -> &Header {
        &self.header
    }

    /// Row `row` as it stands in the file.
    pub fn row(&self, row: u32) -> Result<&'a [u8], Error> {
        let len = self.element.row_len(&self.header);
        let elements = self.elements.chunks_exact(len).nth(row as usize);
        elements.ok_or(Error::NoSuchLeaf { index: row, count: self.header.rows() })
    }

    /// Encodes row `row` and appends it to `out`.
    ///
    /// Fails if there is no such row, on an element that cannot be quantised, and on a block whose scale or minimum is
    /// not finite; `out` may then hold a part of the row.
    pub fn encode_row(&self, row: u32, out: &mut Vec<u8>) -> Result<(), Error> {
        let elements = self.row(row)?;
        match self.element {
            Element::Float(float) => quantise_row(float, row, elements, out)?,
            Element::I16 | Element::I32 => out.extend_from_slice(elements),
            Element::Q8_0 | Element::Q4_0 | Element::Q4_1 => {
                validate_rows(&self.header, row, elements)?;
                out.extend_from_slice(elements);
            },
        }
        Ok(())
    }
}

/// The dimensions of an array, as far as they matter: all there is to know of one or two, and the number of others.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub(super) struct Shape {
    /// The last two dimensions.
    last: [u32; 2],
    /// Number of dimensions, up to 255.
    dimensions: u8,
}

impl Shape {
    /// Adds a dimension after the others.
    pub(super) fn push(&mut self, dimension: u64) -> Result<(), Error> {
        let fitting = u32::try_from(dimension).map_err(|_| Error::DimensionTooLarge(dimension))?;
        self.dimensions = self.dimensions.saturating_add(1);
        self.last = [self.last[1], fitting];
        Ok(())
    }

    pub(super) fn rows_and_cols(&self) -> Result<(u32, u32), Error> {
        let [rows, cols] = self.last;
        match self.dimensions {
            1 => Ok((1, cols)),
            2 => Ok((rows, cols)),
            other => Err(Error::UnsupportedDimensions(other)),
        }
    }
}
