//! Bundles: named tensors that belong together.

use alloc::{
    collections::BTreeMap,
    string::{String, ToString},
    vec::Vec,
};

use codec::{Compact, Decode, Encode};

use crate::{Error, Header, Kind, TensorId};

/// The manifest of a bundle, read in place.
///
/// Its encoding is the SCALE encoding of a list of pairs of name and id. Names are unique and stand in ascending order
/// of their bytes, so that the same tensors under the same names always make the same bundle.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct Bundle<'a> {
    count: u32,
    /// The encoded members, known to be canonical.
    members: &'a [u8],
}

impl<'a> Bundle<'a> {
    /// Most members.
    pub const MAX_MEMBERS: u32 = 65_536;
    /// Most bytes of a name.
    pub const MAX_NAME_LEN: u32 = 128;
    /// Most bytes of a manifest: the number of members in 4 bytes, and per member the length of the name in 2, the name
    /// and the id.
    pub const MAX_LEN: u64 = 4 + Self::MAX_MEMBERS as u64 * (2 + Self::MAX_NAME_LEN as u64 + 32);

    /// Reads a manifest. Fails unless it is exactly what [`Self::encode`] would write.
    pub fn parse(manifest: &'a [u8]) -> Result<Self, Error> {
        let mut members = manifest;
        let Compact(count) = Compact::<u32>::decode(&mut members).map_err(|_| Error::ManifestMalformed)?;
        check_count(count as usize)?;
        let mut rest = members;
        let mut previous = "";
        for _ in 0..count {
            let (name, _) = next_member(&mut rest)?;
            if name <= previous {
                return Err(Error::NamesOutOfOrder(name.to_string()));
            }
            previous = name;
        }
        if !rest.is_empty() {
            return Err(Error::ManifestMalformed);
        }
        Ok(Self { count, members })
    }

    /// Writes the manifest of these members, given in any order. Fails on names that are not allowed or given twice,
    /// and on too few or too many members.
    pub fn encode<'n>(members: impl IntoIterator<Item = (&'n str, TensorId)>) -> Result<Vec<u8>, Error> {
        let mut sorted = BTreeMap::new();
        for (name, id) in members {
            check_name(name.as_bytes())?;
            if sorted.insert(name, id).is_some() {
                return Err(Error::DuplicateName(name.to_string()));
            }
        }
        check_count(sorted.len())?;
        Ok(sorted.into_iter().collect::<Vec<_>>().encode())
    }

    /// The header of the tensor whose data is this manifest.
    pub fn header(manifest: &[u8]) -> Result<Header, Error> {
        let too_long = Error::DataTooLong { len: manifest.len() as u64, limit: Self::MAX_LEN };
        Header::new(Kind::Bundle, u32::try_from(manifest.len()).map_err(|_| too_long)?, 1)
    }

    /// Number of members, at least 1.
    pub fn count(&self) -> u32 {
        self.count
    }

    /// The members, in ascending order of their names.
    pub fn iter(&self) -> impl Iterator<Item = (&'a str, TensorId)> {
        let mut rest = self.members;
        core::iter::from_fn(move || next_member(&mut rest).ok())
    }

    /// The id under `name`.
    pub fn get(&self, name: &str) -> Option<TensorId> {
        self.iter().find(|(member, _)| *member == name).map(|(_, id)| id)
    }
}

fn check_count(count: usize) -> Result<(), Error> {
    if count == 0 || count > Bundle::MAX_MEMBERS as usize {
        return Err(Error::WrongMemberCount(count));
    }
    Ok(())
}

/// Takes one member off the front of `rest`.
fn next_member<'a>(rest: &mut &'a [u8]) -> Result<(&'a str, TensorId), Error> {
    let Compact(len) = Compact::<u32>::decode(rest).map_err(|_| Error::ManifestMalformed)?;
    let (name, after) = rest.split_at_checked(len as usize).ok_or(Error::ManifestMalformed)?;
    let (id, after) = after.split_first_chunk::<32>().ok_or(Error::ManifestMalformed)?;
    *rest = after;
    Ok((check_name(name)?, TensorId(*id)))
}

/// The name as text, if it is allowed: 1 to 128 ASCII letters, digits, dots, underscores, slashes and hyphens.
fn check_name(name: &[u8]) -> Result<&str, Error> {
    let allowed = |byte: &u8| byte.is_ascii_alphanumeric() || b"._/-".contains(byte);
    let fits = (1..=Bundle::MAX_NAME_LEN as usize).contains(&name.len());
    match core::str::from_utf8(name) {
        Ok(text) if fits && name.iter().all(allowed) => Ok(text),
        _ => Err(Error::InvalidName(shown(name))),
    }
}

/// As much of a name that is not allowed as a message should show.
fn shown(name: &[u8]) -> String {
    name.iter().take(40).map(|byte| char::from(*byte).escape_default().to_string()).collect()
}
