//! Which tensors are restricted: served to those alone whom the chain entitles to what won a task.
//!
//! A mark says for which task a tensor is restricted, and as part of which content. It is written before the tensor
//! arrives and outlives a restart, so that at no time the tensor is held without it. The bytes decide nothing: what
//! came openly, from whomever, is open.

#![expect(clippy::cast_possible_truncation, reason = "codec's derive numbers variants with `as u8`")]

use std::time::{Duration, SystemTime};

use codec::{Decode, DecodeAll, Encode};
use ensemble_core::TaskId;
use ensemble_tensor::TensorId;

use super::{
    files::{self, Name},
    index::Index,
    Error, Store, LOG_TARGET,
};

/// Most tensors that are marked.
pub const MAX_MARKED: usize = 65_536;
/// Most marks of a tensor.
pub const MAX_MARKS: usize = 8;
/// How long a mark stays whose tensor does not come.
const MARK_MAX_AGE: Duration = Duration::from_secs(7 * 24 * 3600);

/// For whom a tensor is restricted.
#[derive(Clone, Copy, Debug, Decode, Encode, Eq, PartialEq)]
pub struct Mark {
    /// Those are served whom the chain entitles to what won this task.
    pub task: TaskId,
    /// What has to have won it: the tensor itself, or the bundle that it is a member of.
    pub content: TensorId,
}

/// Who restricts a tensor.
#[derive(Clone, Copy, Debug, Decode, Encode, Eq, PartialEq)]
pub enum Marker {
    /// The operator, who may restrict what is here already, and for further tasks.
    Operator,
    /// A job that is about to fetch it. What is here, or marked, stays as it is: else whoever names a tensor in a task
    /// of its own could have others cease to serve it, or serve it to new readers.
    Job,
}

/// The marks of a tensor.
#[derive(Clone, Debug, Decode, Encode, Eq, PartialEq)]
pub(super) struct Marked {
    /// Without any, it is served to nobody.
    pub marks: Vec<Mark>,
    /// Who was the first to restrict it.
    pub by: Marker,
}

impl Store {
    /// Restricts a tensor. Returns whether it is restricted by this mark now.
    pub fn restrict(&self, id: &TensorId, mark: Mark, marker: Marker) -> Result<bool, Error> {
        self.add_marks(id, &[mark], marker)
    }

    fn add_marks(&self, id: &TensorId, new: &[Mark], marker: Marker) -> Result<bool, Error> {
        let mut index = self.index.lock();
        let known = index.marks.get(id).cloned();
        if known.as_ref().is_some_and(|known| new.iter().all(|mark| known.marks.contains(mark))) {
            return Ok(true);
        }
        if marker == Marker::Job && (known.is_some() || index.is_here(id)) {
            return Ok(false);
        }
        let mut marked = known.unwrap_or(Marked { marks: Vec::new(), by: marker });
        marked.marks.extend(new.iter().filter(|mark| !marked.marks.contains(mark)).copied().collect::<Vec<_>>());
        if marked.marks.len() > MAX_MARKS || !self.has_room_for_mark(&mut index, id) {
            return Err(Error::MarksFull(*id));
        }
        self.restricted.write(&self.restricted.tensor(id), &[&marked.encode()])?;
        index.marks.insert(*id, marked);
        Ok(true)
    }

    /// Ends the effect of [`Self::restrict`].
    pub fn unrestrict(&self, id: &TensorId) -> Result<(), Error> {
        self.forget_marks(&mut self.index.lock(), id)
    }

    /// Ends the effect of [`Self::restrict`] by a job that did not bring anything.
    pub fn unrestrict_unless_here(&self, id: &TensorId) -> Result<(), Error> {
        let mut index = self.index.lock();
        let by_job = index.marks.get(id).is_some_and(|marked| marked.by == Marker::Job);
        if by_job && !index.is_here(id) {
            self.forget_marks(&mut index, id)?;
        }
        Ok(())
    }

    fn forget_marks(&self, index: &mut Index, id: &TensorId) -> Result<(), Error> {
        if index.marks.contains_key(id) {
            files::remove(&self.restricted.tensor(id))?;
            self.restricted.sync()?;
            index.marks.remove(id);
        }
        Ok(())
    }

    /// The marks of a tensor: nothing if it is served to everybody, none if it is served to nobody.
    pub fn marks(&self, id: &TensorId) -> Option<Vec<Mark>> {
        self.index.lock().marks.get(id).map(|marked| marked.marks.clone())
    }

    /// Restricts the members of a held bundle as the bundle is, as far as they are not here yet. If everybody may have
    /// the bundle, everybody may have them.
    pub fn restrict_members(&self, bundle: &TensorId) -> Result<(), Error> {
        let marks = self.marks(bundle);
        for member in self.members(bundle).iter() {
            match &marks {
                Some(marks) => drop(self.add_marks(member, marks, Marker::Job)?),
                // What is left of a job for another bundle that did not bring it.
                None => self.unrestrict_unless_here(member)?,
            }
        }
        Ok(())
    }

    /// Whether one more tensor may be marked. Makes room by forgetting marks of tensors that are not here.
    fn has_room_for_mark(&self, index: &mut Index, id: &TensorId) -> bool {
        if index.marks.len() < MAX_MARKED || index.marks.contains_key(id) {
            return true;
        }
        let unused: Vec<_> = index.marks.keys().filter(|id| !index.is_here(id)).copied().collect();
        for id in unused {
            self.log_failure("forget a mark", files::remove(&self.restricted.tensor(&id)));
            index.marks.remove(&id);
        }
        index.marks.len() < MAX_MARKED
    }

    /// Reads the marks when the node starts. One that cannot be read restricts its tensor to nobody.
    pub(super) fn scan_marks(&self, index: &mut Index) -> std::io::Result<()> {
        for (name, path) in self.restricted.entries()? {
            let id = match name {
                Name::Tensor(id) => id,
                Name::Temporary => {
                    files::remove(&path)?;
                    continue;
                },
                Name::Outline(_) | Name::Foreign => continue,
            };
            let written = std::fs::metadata(&path)?.modified().unwrap_or(SystemTime::UNIX_EPOCH);
            if !index.is_here(&id) && written.elapsed().is_ok_and(|age| age > MARK_MAX_AGE) {
                files::remove(&path)?;
                continue;
            }
            let marked = Marked::decode_all(&mut &std::fs::read(&path)?[..]).unwrap_or_else(|_| {
                tracing::warn!(target: LOG_TARGET, "The mark of tensor {id} is damaged; it is served to nobody");
                Marked { marks: Vec::new(), by: Marker::Operator }
            });
            index.marks.insert(id, marked);
        }
        Ok(())
    }
}
