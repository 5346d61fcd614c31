//! `.gguf` files.
//!
//! The format is described in <https://github.com/ggml-org/ggml/blob/master/docs/gguf.md>: a magic word, a version, the
//! numbers of tensors and of keys, the keys with their values, by name the shape, type and place of every tensor, and
//! after them the elements, each tensor at a multiple of the alignment. Read are versions 2 and 3 in little endian.
//!
//! The reader borrows everything from the file, which is mapped into memory as a rule: it keeps less than 64 bytes per
//! key and per tensor, and what a file claims to have is never reserved. Blocks are kept as they are. The reader is
//! Ensemble's own because those that are published reserve memory for whatever length a file claims, or keep all tokens
//! as strings.

use super::{
    matrix::{Element, Shape},
    Matrix,
};
use crate::{Error, Float, Header};

/// First bytes of every file.
pub const MAGIC: &[u8] = b"GGUF";

/// Most keys in the metadata.
const MAX_KEYS: u64 = 65_536;
/// Most tensors, as many as a bundle may have members.
const MAX_TENSORS: u64 = crate::Bundle::MAX_MEMBERS as u64;
/// Most dimensions of a tensor.
const MAX_DIMENSIONS: usize = 4;
/// The key that sets the alignment of tensors, and the alignment without it.
const ALIGNMENT: (&str, u64) = ("general.alignment", 32);
/// Largest alignment.
const MAX_ALIGNMENT: u64 = 1 << 20;

/// Metadata and tensors of a file.
#[derive(Clone, Debug)]
pub struct Archive<'a> {
    /// Sorted by key.
    keys: Vec<(&'a str, Value<'a>)>,
    /// Sorted by name.
    entries: Vec<Entry<'a>>,
    /// From the first tensor to the end of the file.
    elements: &'a [u8],
}

/// A value of the metadata.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Value<'a> {
    /// An integer without a sign, of any length.
    Unsigned(u64),
    /// An integer with a sign, of any length.
    Signed(i64),
    /// The bits of a binary32 number.
    Single(u32),
    /// The bits of a binary64 number.
    Double(u64),
    /// Yes or no.
    Flag(bool),
    /// Text, which should be UTF-8.
    Text(&'a [u8]),
    /// A list.
    List(List<'a>),
}

/// Values of one type, one after the other.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct List<'a> {
    element: Type,
    count: u64,
    /// As many values as `count` says.
    bytes: &'a [u8],
}

/// The types of values, but that of lists.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
enum Type {
    U8,
    I8,
    U16,
    I16,
    U32,
    I32,
    Single,
    Flag,
    Text,
    U64,
    I64,
    Double,
}

/// A tensor as the file describes it.
#[derive(Clone, Copy, Debug)]
struct Entry<'a> {
    name: &'a str,
    shape: Shape,
    ggml_type: u32,
    start: u64,
}

impl<'a> Archive<'a> {
    /// Reads metadata and descriptions of a file. Fails unless it is well formed, its keys and names are unique, and
    /// its tensors lie in the file without overlap. What the tensors hold is looked at when one is asked for.
    pub fn parse(file: &'a [u8]) -> Result<Self, Error> {
        let rest = file.strip_prefix(MAGIC).ok_or_else(|| malformed("it does not begin with GGUF"))?;
        let mut scanner = Scanner(rest);
        check_version(scanner.u32()?)?;
        let (tensors, keys) = (scanner.u64()?, scanner.u64()?);
        check_count("tensors", tensors, MAX_TENSORS)?;
        check_count("keys", keys, MAX_KEYS)?;
        let keys = sorted(keys, "keys", |_| Ok((scanner.name()?, scanner.value()?)), |(key, _)| key)?;
        let entries = sorted(tensors, "tensors", |_| scanner.entry(), |entry| entry.name)?;
        let mut archive = Self { keys, entries, elements: &[] };
        let alignment = archive.alignment()?;
        let described = (file.len() - scanner.0.len()) as u64;
        // No overflow: a slice is shorter than 2^63, and the alignment at most 2^20.
        let start = usize::try_from(described.next_multiple_of(alignment)).unwrap_or(usize::MAX);
        archive.elements = file.get(start..).unwrap_or_default();
        archive.check_places(alignment)?;
        Ok(archive)
    }

    /// The keys of the metadata, in ascending order of their bytes.
    pub fn keys(&self) -> impl ExactSizeIterator<Item = &'a str> + '_ {
        self.keys.iter().map(|(key, _)| *key)
    }

    /// The value of a key, if there is one.
    pub fn value(&self, key: &str) -> Option<Value<'a>> {
        let at = self.keys.binary_search_by_key(&key, |(key, _)| key).ok()?;
        self.keys.get(at).map(|(_, value)| *value)
    }

    /// The whole number under a key, if there is one. Fails if it is anything else, or negative.
    pub fn number(&self, key: &str) -> Result<Option<u64>, Error> {
        self.read(key, "whole number", |value| value.number())
    }

    /// The bits of the binary32 number under a key, if there is one. Fails if it is anything else.
    pub fn single(&self, key: &str) -> Result<Option<u32>, Error> {
        self.read(key, "floating-point number of 32 bits", |value| match value {
            Value::Single(bits) => Some(bits),
            _ => None,
        })
    }

    /// The flag under a key, if there is one. Fails if it is anything else.
    pub fn flag(&self, key: &str) -> Result<Option<bool>, Error> {
        self.read(key, "yes or no", |value| match value {
            Value::Flag(flag) => Some(flag),
            _ => None,
        })
    }

    /// The text under a key, if there is one. Fails if it is anything else, or not UTF-8.
    pub fn text(&self, key: &str) -> Result<Option<&'a str>, Error> {
        self.read(key, "text", |value| value.text())
    }

    /// The list under a key, if there is one. Fails if it is anything else.
    pub fn list(&self, key: &str) -> Result<Option<List<'a>>, Error> {
        self.read(key, "list", |value| match value {
            Value::List(list) => Some(list),
            _ => None,
        })
    }

    /// The names of all tensors, in ascending order of their bytes.
    pub fn names(&self) -> impl ExactSizeIterator<Item = &'a str> + '_ {
        self.entries.iter().map(|entry| entry.name)
    }

    /// The tensor with this name. Fails if there is none, or if its type or shape cannot be converted. Its columns are
    /// what the file calls its first dimension.
    pub fn matrix(&self, name: &str) -> Result<Matrix<'a>, Error> {
        let at = self.entries.binary_search_by_key(&name, |entry| entry.name);
        let entry = at.ok().and_then(|at| self.entries.get(at)).ok_or_else(|| Error::NoSuchTensor(name.into()))?;
        let element = element(entry.ggml_type).ok_or_else(|| Error::GgufType(type_name(entry.ggml_type)))?;
        let (rows, cols) = entry.shape.rows_and_cols()?;
        let len = element.len(&Header::new(element.kind(), rows, cols)?);
        let place = usize::try_from(entry.start).ok().zip(usize::try_from(len).ok());
        let place = place.and_then(|(start, len)| Some(start..start.checked_add(len)?));
        Matrix::new(element, rows, cols, place.and_then(|place| self.elements.get(place)).unwrap_or_default())
    }

    fn read<T>(
        &self,
        key: &str,
        expected: &'static str,
        read: impl FnOnce(Value<'a>) -> Option<T>,
    ) -> Result<Option<T>, Error> {
        let Some(value) = self.value(key) else { return Ok(None) };
        read(value).map(Some).ok_or_else(|| Error::GgufValue { key: key.into(), expected })
    }

    fn alignment(&self) -> Result<u64, Error> {
        let (key, usual) = ALIGNMENT;
        let alignment = self.number(key)?.unwrap_or(usual);
        if !alignment.is_power_of_two() || alignment > MAX_ALIGNMENT {
            return Err(malformed(format_args!("its alignment {alignment} is no power of two up to {MAX_ALIGNMENT}")));
        }
        Ok(alignment)
    }

    /// Checks that tensors lie at multiples of the alignment, inside the file, and not over each other. How long a
    /// tensor is of a type that is not read is not known: there, only its beginning is checked.
    fn check_places(&self, alignment: u64) -> Result<(), Error> {
        let mut places: Vec<_> = self.entries.iter().map(|entry| (entry.start, entry.len(), entry.name)).collect();
        places.sort_unstable();
        let mut end = 0;
        for (start, len, name) in places {
            if !start.is_multiple_of(alignment) {
                return Err(malformed(format_args!(
                    "the tensor {:?} does not begin at a multiple of {alignment}",
                    shown(name)
                )));
            }
            if start < end {
                return Err(malformed(format_args!("the tensor {:?} overlaps another", shown(name))));
            }
            end = start.saturating_add(len);
            if end > self.elements.len() as u64 {
                return Err(malformed(format_args!("the tensor {:?} goes beyond its end; was it cut?", shown(name))));
            }
        }
        Ok(())
    }
}

impl Entry<'_> {
    /// Length of the tensor in bytes, or nothing if it cannot be read.
    fn len(&self) -> u64 {
        let shape = self.shape.rows_and_cols().ok();
        let header = element(self.ggml_type)
            .zip(shape)
            .and_then(|(element, (rows, cols))| Some((element, Header::new(element.kind(), rows, cols).ok()?)));
        header.map_or(0, |(element, header)| element.len(&header))
    }
}

impl<'a> Value<'a> {
    /// The whole number that this is, if it is one and not negative.
    pub fn number(&self) -> Option<u64> {
        match *self {
            Self::Unsigned(number) => Some(number),
            Self::Signed(number) => u64::try_from(number).ok(),
            _ => None,
        }
    }

    /// The text that this is, if it is UTF-8.
    pub fn text(&self) -> Option<&'a str> {
        match *self {
            Self::Text(bytes) => core::str::from_utf8(bytes).ok(),
            _ => None,
        }
    }
}

impl<'a> List<'a> {
    /// Number of values.
    pub fn count(&self) -> u64 {
        self.count
    }

    /// The values, in order.
    pub fn iter(&self) -> impl Iterator<Item = Value<'a>> {
        let (element, mut rest) = (self.element, Scanner(self.bytes));
        // The values were read before, so that nothing fails before the end.
        core::iter::from_fn(move || (!rest.0.is_empty()).then(|| rest.single(element).ok())?)
    }
}

impl Type {
    /// The type with this number in a file.
    fn from_number(number: u32) -> Option<Self> {
        Some(match number {
            0 => Self::U8,
            1 => Self::I8,
            2 => Self::U16,
            3 => Self::I16,
            4 => Self::U32,
            5 => Self::I32,
            6 => Self::Single,
            7 => Self::Flag,
            8 => Self::Text,
            10 => Self::U64,
            11 => Self::I64,
            12 => Self::Double,
            _ => return None,
        })
    }
}

/// The number of the type of lists.
const LIST: u32 = 9;

/// Reads from the front of a file.
struct Scanner<'a>(&'a [u8]);

impl<'a> Scanner<'a> {
    fn take(&mut self, len: u64) -> Result<&'a [u8], Error> {
        let split = usize::try_from(len).ok().and_then(|len| self.0.split_at_checked(len));
        let (taken, rest) = split.ok_or_else(|| malformed("it ends before its descriptions do; was it cut?"))?;
        self.0 = rest;
        Ok(taken)
    }

    fn array<const N: usize>(&mut self) -> Result<[u8; N], Error> {
        self.take(N as u64).map(|bytes| bytes.try_into().unwrap_or([0; N]))
    }

    fn u32(&mut self) -> Result<u32, Error> {
        self.array().map(u32::from_le_bytes)
    }

    fn u64(&mut self) -> Result<u64, Error> {
        self.array().map(u64::from_le_bytes)
    }

    fn text(&mut self) -> Result<&'a [u8], Error> {
        let len = self.u64()?;
        self.take(len)
    }

    /// A key, or the name of a tensor.
    fn name(&mut self) -> Result<&'a str, Error> {
        core::str::from_utf8(self.text()?).map_err(|_| malformed("a key or the name of a tensor is not UTF-8"))
    }

    fn value(&mut self) -> Result<Value<'a>, Error> {
        match self.u32()? {
            LIST => self.list().map(Value::List),
            number => {
                let element = value_type(number)?;
                self.single(element)
            },
        }
    }

    /// A value that is no list.
    fn single(&mut self, element: Type) -> Result<Value<'a>, Error> {
        Ok(match element {
            Type::U8 => Value::Unsigned(u8::from_le_bytes(self.array()?).into()),
            Type::U16 => Value::Unsigned(u16::from_le_bytes(self.array()?).into()),
            Type::U32 => Value::Unsigned(self.u32()?.into()),
            Type::U64 => Value::Unsigned(self.u64()?),
            Type::I8 => Value::Signed(i8::from_le_bytes(self.array()?).into()),
            Type::I16 => Value::Signed(i16::from_le_bytes(self.array()?).into()),
            Type::I32 => Value::Signed(i32::from_le_bytes(self.array()?).into()),
            Type::I64 => Value::Signed(i64::from_le_bytes(self.array()?)),
            Type::Single => Value::Single(self.u32()?),
            Type::Double => Value::Double(self.u64()?),
            Type::Text => Value::Text(self.text()?),
            Type::Flag => match self.array()? {
                [0] => Value::Flag(false),
                [1] => Value::Flag(true),
                [other] => return Err(malformed(format_args!("a flag is {other}, neither 0 nor 1"))),
            },
        })
    }

    fn list(&mut self) -> Result<List<'a>, Error> {
        let element = self.u32()?;
        if element == LIST {
            return Err(malformed("it has lists of lists, which no model needs"));
        }
        let (element, count) = (value_type(element)?, self.u64()?);
        let before = self.0;
        // Every value takes a byte at least: a claim of more than there are ends with the file.
        for _ in 0..count {
            self.single(element)?;
        }
        let bytes = before.get(..before.len() - self.0.len()).unwrap_or_default();
        Ok(List { element, count, bytes })
    }

    fn entry(&mut self) -> Result<Entry<'a>, Error> {
        let name = self.name()?;
        let count = self.u32()? as usize;
        let mut dimensions = [1; MAX_DIMENSIONS];
        let taken = dimensions.get_mut(..count).filter(|taken| !taken.is_empty());
        let taken =
            taken.ok_or_else(|| malformed(format_args!("the tensor {:?} has {count} dimensions", shown(name))))?;
        for dimension in taken {
            *dimension = self.u64()?;
        }
        Ok(Entry { name, shape: shape(&dimensions)?, ggml_type: self.u32()?, start: self.u64()? })
    }
}

/// The shape with these dimensions, the last of which vary slowest. What is 1 at the end is no dimension.
fn shape(dimensions: &[u64]) -> Result<Shape, Error> {
    let count = dimensions.iter().rposition(|dimension| *dimension != 1).map_or(1, |last| last + 1);
    let mut shape = Shape::default();
    dimensions.iter().take(count).rev().try_for_each(|dimension| shape.push(*dimension))?;
    Ok(shape)
}

fn value_type(number: u32) -> Result<Type, Error> {
    Type::from_number(number).ok_or_else(|| malformed(format_args!("a value has the unknown type {number}")))
}

/// Reads `count` things and sorts them by name. Fails if two have the same.
fn sorted<'a, T>(
    count: u64,
    what: &str,
    read: impl FnMut(u64) -> Result<T, Error>,
    name: impl Fn(&T) -> &'a str,
) -> Result<Vec<T>, Error> {
    let mut things = (0..count).map(read).collect::<Result<Vec<T>, Error>>()?;
    things.sort_unstable_by_key(&name);
    match things.iter().zip(things.iter().skip(1)).find(|(left, right)| name(left) == name(right)) {
        Some((twice, _)) => Err(malformed(format_args!("it has two {what} named {:?}", shown(name(twice))))),
        None => Ok(things),
    }
}

fn check_version(version: u32) -> Result<(), Error> {
    match version {
        2 | 3 => Ok(()),
        swapped if matches!(swapped.swap_bytes(), 1..=3) => Err(Error::GgufBigEndian),
        other => Err(Error::GgufVersion(other)),
    }
}

fn check_count(what: &'static str, count: u64, limit: u64) -> Result<(), Error> {
    if count > limit {
        return Err(Error::GgufTooMany { what, count, limit });
    }
    Ok(())
}

/// As much of a name as a message should show.
fn shown(name: &str) -> String {
    name.chars().take(80).collect()
}

fn malformed(why: impl core::fmt::Display) -> Error {
    Error::Gguf(why.to_string())
}

/// The elements of a tensor of this type, if it is one that is read.
fn element(ggml_type: u32) -> Option<Element> {
    match ggml_type {
        0 => Some(Element::Float(Float::F32)),
        1 => Some(Element::Float(Float::F16)),
        2 => Some(Element::Q4_0),
        3 => Some(Element::Q4_1),
        8 => Some(Element::Q8_0),
        26 => Some(Element::I32),
        25 => Some(Element::I16),
        _ => None,
    }
}

/// What a type that is not read is called, as far as it is a common one.
fn type_name(ggml_type: u32) -> String {
    let name = match ggml_type {
        6 => "Q5_0",
        7 => "Q5_1",
        10 => "Q2_K",
        11 => "Q3_K",
        12 => "Q4_K",
        13 => "Q5_K",
        14 => "Q6_K",
        30 => "BF16",
        other => return format!("number {other} of GGML's"),
    };
    name.into()
}
