//! A matrix inside a file.

use crate::{quantise::quantise_row, Error, Float, Header, Kind};

/// The type of a matrix's elements; all in little endian.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Element {
    /// Floating point, which becomes `Q8_0`.
    Float(Float),
    /// 16-bit integers, which become `I16`.
    I16,
    /// 32-bit integers, which become `I32`.
    I32,
}

impl Element {
    /// Length of an element in bytes.
    pub const fn size(self) -> usize {
        match self {
            Self::Float(float) => float.size(),
            Self::I16 => 2,
            Self::I32 => 4,
        }
    }

    /// The kind of tensor that elements of this type become.
    pub const fn kind(self) -> Kind {
        match self {
            Self::Float(_) => Kind::Q8_0,
            Self::I16 => Kind::I16,
            Self::I32 => Kind::I32,
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
        // No overflow: two factors of 32 bits, and the row's length is limited.
        let expected = u64::from(rows) * u64::from(cols) * element.size() as u64;
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

    /// Encodes row `row` and appends it to `out`.
    ///
    /// Fails if there is no such row, and on an element that cannot be quantised; `out` may then hold a part of the
    /// row.
    pub fn encode_row(&self, row: u32, out: &mut Vec<u8>) -> Result<(), Error> {
        let len = self.header.cols() as usize * self.element.size();
        let number = row as usize;
        let elements = self
            .elements
            .chunks_exact(len)
            .nth(number)
            .ok_or(Error::NoSuchLeaf { index: row, count: self.header.rows() })?;
        match self.element {
            Element::Float(float) => quantise_row(float, row, elements, out)?,
            Element::I16 | Element::I32 => out.extend_from_slice(elements),
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

    fn rows_and_cols(&self) -> Result<(u32, u32), Error> {
        let [rows, cols] = self.last;
        match self.dimensions {
            1 => Ok((1, cols)),
            2 => Ok((rows, cols)),
            other => Err(Error::UnsupportedDimensions(other)),
        }
    }
}
