//! `.safetensors` files.
//!
//! The format is that of <https://github.com/huggingface/safetensors>: the length of a header in 8 bytes, the header
//! (JSON: by name the element type, shape and place of every tensor), the elements, without gaps.
//!
//! Element types are those of the `safetensors` crate. Its reader is not used: a hostile header makes it take 24 times
//! the header's length in memory, or panic where places add up to nearly 2^64. This one borrows the names and keeps
//! fewer bytes per tensor than the JSON that describes it. The tests compare the two.

use core::fmt;

use safetensors::Dtype;
use serde::{
    de::{Error as _, IgnoredAny, MapAccess, SeqAccess, Visitor},
    Deserialize, Deserializer,
};

use super::{
    matrix::{Element, Shape},
    Matrix,
};
use crate::{Error, Float};

/// The key under which a file describes itself.
const METADATA: &str = "__metadata__";

/// The tensors of a file.
#[derive(Clone, Debug)]
pub struct Archive<'a> {
    /// Sorted by name.
    entries: Vec<Entry<'a>>,
    elements: &'a [u8],
}

/// A tensor as the header describes it.
#[derive(Clone, Copy, Debug)]
struct Entry<'a> {
    name: &'a str,
    start: u64,
    end: u64,
    shape: Shape,
    dtype: Dtype,
}

/// The shortest description of a tensor in a header, with a comma: no header has more tensors than its length divided
/// by this.
const SHORTEST: usize = r#""":{"dtype":"I8","shape":[],"data_offsets":[0,0]},"#.len();

const _: () = assert!(size_of::<Entry<'_>>() <= SHORTEST, "entries take more memory than the text they are read from");

impl<'a> Archive<'a> {
    /// Reads the header of a file. Fails unless it is well formed, its names are unique and its tensors fill the file
    /// without gaps. What the tensors hold is looked at when one is asked for.
    pub fn parse(file: &'a [u8]) -> Result<Self, Error> {
        let truncated = || Error::Safetensors("it ends before its header does".into());
        let (len, rest) = file.split_first_chunk().ok_or_else(truncated)?;
        let len = usize::try_from(u64::from_le_bytes(*len)).map_err(|_| truncated())?;
        let (header, elements) = rest.split_at_checked(len).ok_or_else(truncated)?;
        let mut entries = read_header(header).map_err(|error| Error::Safetensors(error.to_string()))?;
        check_places(&mut entries, elements.len() as u64)?;
        entries.sort_unstable_by_key(|entry| entry.name);
        if let Some((first, _)) =
            entries.iter().zip(entries.iter().skip(1)).find(|(left, right)| left.name == right.name)
        {
            return Err(Error::Safetensors(format!("it has two tensors named {:?}", first.name)));
        }
        Ok(Self { entries, elements })
    }

    /// The names of all tensors, in ascending order of their bytes.
    pub fn names(&self) -> impl ExactSizeIterator<Item = &'a str> + '_ {
        self.entries.iter().map(|entry| entry.name)
    }

    /// The tensor with this name. Fails if there is none, or if its element type or shape cannot be converted.
    pub fn matrix(&self, name: &str) -> Result<Matrix<'a>, Error> {
        let at = self.entries.binary_search_by_key(&name, |entry| entry.name);
        let entry = at.ok().and_then(|at| self.entries.get(at)).ok_or_else(|| Error::NoSuchTensor(name.into()))?;
        let place = usize::try_from(entry.start).ok().zip(usize::try_from(entry.end).ok());
        let elements = place.and_then(|(start, end)| self.elements.get(start..end)).unwrap_or_default();
        Matrix::with_shape(element(entry.dtype)?, &entry.shape, elements)
    }
}

fn element(dtype: Dtype) -> Result<Element, Error> {
    match dtype {
        Dtype::F16 => Ok(Element::Float(Float::F16)),
        Dtype::F32 => Ok(Element::Float(Float::F32)),
        Dtype::I16 => Ok(Element::I16),
        Dtype::I32 => Ok(Element::I32),
        other => Err(Error::UnsupportedElement(other.to_string())),
    }
}

/// Checks that the places follow each other without gap or overlap and fill the file.
fn check_places(entries: &mut [Entry<'_>], len: u64) -> Result<(), Error> {
    entries.sort_unstable_by_key(|entry| (entry.start, entry.end));
    let end = entries.iter().try_fold(0, |end, entry| match entry.start == end {
        true => Ok(entry.end),
        false => Err(Error::Safetensors(format!("before the tensor {:?} there is a gap or an overlap", entry.name))),
    })?;
    if end != len {
        return Err(Error::WrongElements { expected: end, found: len });
    }
    Ok(())
}

fn read_header(header: &[u8]) -> Result<Vec<Entry<'_>>, serde_json::Error> {
    let mut json = serde_json::Deserializer::from_slice(header);
    let entries = json.deserialize_map(Entries { capacity: header.len() / SHORTEST })?;
    json.end()?;
    Ok(entries)
}

/// Reads the header's JSON object.
struct Entries {
    capacity: usize,
}

impl<'de> Visitor<'de> for Entries {
    type Value = Vec<Entry<'de>>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an object with a description of every tensor")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Self::Value, A::Error> {
        let mut entries = Vec::with_capacity(self.capacity);
        while let Some(name) = map.next_key()? {
            if name == METADATA {
                map.next_value::<IgnoredAny>()?;
                continue;
            }
            let Description { dtype, shape: Dimensions { shape, count }, data_offsets: (start, end) } =
                map.next_value()?;
            let bits = (dtype.bitsize() as u64).checked_mul(count);
            if bits.is_none() || bits != end.checked_sub(start).and_then(|len| len.checked_mul(8)) {
                return Err(A::Error::custom(format_args!("the place of {name:?} is not as long as its elements")));
            }
            entries.push(Entry { name, start, end, shape, dtype });
        }
        Ok(entries)
    }
}

/// What the header says of a tensor.
#[derive(Deserialize)]
struct Description {
    dtype: Dtype,
    shape: Dimensions,
    data_offsets: (u64, u64),
}

/// A shape, read without keeping the list.
struct Dimensions {
    shape: Shape,
    /// Number of elements.
    count: u64,
}

impl<'de> Deserialize<'de> for Dimensions {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct List;

        impl<'de> Visitor<'de> for List {
            type Value = Dimensions;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a list of dimensions")
            }

            fn visit_seq<A: SeqAccess<'de>>(self, mut list: A) -> Result<Dimensions, A::Error> {
                let (mut shape, mut count) = (Shape::default(), 1u64);
                while let Some(dimension) = list.next_element()? {
                    shape.push(dimension).map_err(A::Error::custom)?;
                    count = count.checked_mul(dimension).ok_or_else(|| A::Error::custom("a shape is too large"))?;
                }
                Ok(Dimensions { shape, count })
            }
        }

        deserializer.deserialize_seq(List)
    }
}
