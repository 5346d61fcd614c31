//! `.npy` files, as `numpy.save` writes them.
//!
//! The format is described in numpy's `numpy.lib.format` and NEP 1: a magic string, a version, the length of a header,
//! the header (the text of a Python dictionary with exactly the keys `descr`, `fortran_order` and `shape`), the
//! elements. Read are versions 1 to 3.
//!
//! The parser is Ensemble's own because those that are published reserve memory for whatever length a file claims, up
//! to 4 GiB, and parse the header as any Python literal, recursively, so that a file of brackets overflows the stack.
//! This one takes what numpy writes and allocates nothing.

use super::{
    matrix::{Element, Shape},
    Matrix,
};
use crate::{Error, Float};

/// First bytes of every file.
pub const MAGIC: &[u8] = b"\x93NUMPY";

/// Reads a file. Fails unless it is well formed and holds one or two dimensions of little-endian `f2`, `f4`, `i2` or
/// `i4` in the order of rows, and nothing after them.
pub fn parse(file: &[u8]) -> Result<Matrix<'_>, Error> {
    let (header, elements) = split(file)?;
    let Description { element, fortran_order, shape } = describe(header)?;
    let element = element_type(element)?;
    if fortran_order {
        return Err(Error::FortranOrder);
    }
    Matrix::with_shape(element, &shape, elements)
}

/// The text of the header, and the elements.
fn split(file: &[u8]) -> Result<(&[u8], &[u8]), Error> {
    let truncated = || Error::Npy("it ends before its header does");
    let rest = file.strip_prefix(MAGIC).ok_or(Error::Npy("it does not begin with \\x93NUMPY"))?;
    let ([major, _minor], rest) = rest.split_first_chunk().ok_or_else(truncated)?;
    let (len, rest) = match major {
        1 => rest.split_first_chunk().map(|(len, rest)| (u32::from(u16::from_le_bytes(*len)), rest)),
        2 | 3 => rest.split_first_chunk().map(|(len, rest)| (u32::from_le_bytes(*len), rest)),
        _ => return Err(Error::Npy("its format version is none of 1, 2 and 3")),
    }
    .ok_or_else(truncated)?;
    rest.split_at_checked(len as usize).ok_or_else(truncated)
}

/// What a header says.
struct Description<'a> {
    element: &'a str,
    fortran_order: bool,
    shape: Shape,
}

/// Reads the header's dictionary.
fn describe(header: &[u8]) -> Result<Description<'_>, Error> {
    let mut text = Scanner(header);
    let (mut element, mut fortran_order, mut shape) = (None, None, None);
    text.expect(b'{')?;
    while !text.eat(b'}') {
        let known = match text.string()? {
            "descr" => element.replace(text.value(Scanner::string)?).is_none(),
            "fortran_order" => fortran_order.replace(text.value(Scanner::boolean)?).is_none(),
            "shape" => shape.replace(text.value(Scanner::tuple)?).is_none(),
            _ => false,
        };
        if !known {
            return Err(Error::Npy("its header has a key twice or an unknown one"));
        }
        if !text.eat(b',') {
            text.expect(b'}')?;
            break;
        }
    }
    let missing = Error::Npy("its header lacks descr, fortran_order or shape");
    match (element, fortran_order, shape, text.is_at_end()) {
        (Some(element), Some(fortran_order), Some(shape), true) => Ok(Description { element, fortran_order, shape }),
        (Some(_), Some(_), Some(_), false) => Err(Error::Npy("something follows the dictionary in its header")),
        _ => Err(missing),
    }
}

fn element_type(name: &str) -> Result<Element, Error> {
    match name {
        "<f2" => Ok(Element::Float(Float::F16)),
        "<f4" => Ok(Element::Float(Float::F32)),
        "<i2" => Ok(Element::I16),
        "<i4" => Ok(Element::I32),
        ">f2" | ">f4" | ">i2" | ">i4" => Err(Error::BigEndian(name.into(), name.replace('>', "<"))),
        _ => Err(Error::UnsupportedElement(name.chars().take(20).collect())),
    }
}

/// Reads the Python that numpy writes from the front of a text.
struct Scanner<'a>(&'a [u8]);

impl<'a> Scanner<'a> {
    /// Takes `token`, and white space before it, if it comes next.
    fn eat(&mut self, token: u8) -> bool {
        self.0 = self.0.trim_ascii_start();
        match self.0.strip_prefix(&[token]) {
            Some(rest) => {
                self.0 = rest;
                true
            },
            None => false,
        }
    }

    fn expect(&mut self, token: u8) -> Result<(), Error> {
        if !self.eat(token) {
            return Err(Error::Npy("its header is not the dictionary that numpy writes"));
        }
        Ok(())
    }

    fn is_at_end(&self) -> bool {
        self.0.trim_ascii_start().is_empty()
    }

    /// A colon and what `read` reads after it.
    fn value<T>(&mut self, read: impl FnOnce(&mut Self) -> Result<T, Error>) -> Result<T, Error> {
        self.expect(b':')?;
        read(self)
    }

    /// A string in single or double quotes, without escapes.
    fn string(&mut self) -> Result<&'a str, Error> {
        if self.eat(b'[') {
            return Err(Error::UnsupportedElement("structure".into()));
        }
        let quote = if self.eat(b'"') { b'"' } else { b'\'' };
        if quote == b'\'' {
            self.expect(quote)?;
        }
        let len = self.0.iter().position(|byte| *byte == quote).unwrap_or(self.0.len());
        let (text, rest) = self.0.split_at(len);
        self.0 = rest;
        self.expect(quote)?;
        core::str::from_utf8(text).map_err(|_| Error::Npy("its header is not UTF-8"))
    }

    /// `True` or `False`.
    fn boolean(&mut self) -> Result<bool, Error> {
        match self.word() {
            b"True" => Ok(true),
            b"False" => Ok(false),
            _ => Err(Error::Npy("fortran_order is neither True nor False")),
        }
    }

    /// Numbers in round brackets.
    fn tuple(&mut self) -> Result<Shape, Error> {
        let mut shape = Shape::default();
        self.expect(b'(')?;
        while !self.eat(b')') {
            shape.push(self.number()?)?;
            if !self.eat(b',') {
                self.expect(b')')?;
                break;
            }
        }
        Ok(shape)
    }

    fn number(&mut self) -> Result<u64, Error> {
        let digits =
            core::str::from_utf8(self.word()).ok().filter(|word| word.bytes().all(|byte| byte.is_ascii_digit()));
        digits
            .and_then(|digits| digits.parse().ok())
            .ok_or(Error::Npy("its shape is not a tuple of numbers below 2^64"))
    }

    /// Letters and digits.
    fn word(&mut self) -> &'a [u8] {
        self.0 = self.0.trim_ascii_start();
        let len = self.0.iter().position(|byte| !byte.is_ascii_alphanumeric()).unwrap_or(self.0.len());
        let (word, rest) = self.0.split_at(len);
        self.0 = rest;
        word
    }
}
