//! Which tensors are restricted: served to those alone whom the chain entitles to what won a task.
//!
//! **The rule.** A tensor is restricted by its operator, or by how it came. What came openly, every byte of it, is open,
//! whoever wanted it restricted. As soon as one piece came from somebody who restricts it, and who served this node as
//! one entitled to a task, the tensor is for those who are entitled to that very task, whoever wanted it openly or for
//! another task; if pieces came for two tasks, it is for nobody. Once it is held, nobody but the operator changes that,
//! unless the node makes the very same of what is open, or gets every byte of it openly when no task counts any more
//! that it came for: then it is open. So who names a foreign content in a task of his own neither opens it nor locks it
//! away. Sources that serve openly are asked first, so that what is open stays
//! open though somebody restricts it.
//!
//! A mark says for which task a tensor is restricted, and as part of which content. It is on the disk before the bytes
//! that came under it and outlives a restart, so that at no time the tensor is held without it. An order says what a job
//! may ask for; it marks nothing.
//!
//! **Room.** What a tensor takes on the disk includes a mark, and the mark of how it came goes with it. So such marks are
//! bounded by the quota like the tensors, of which one content takes a part at most: nobody's marks crowd out another's,
//! and with the quota full restricted content is refused like all other. An operator's marks stay until he lifts them;
//! they are bounded in number, and one too many is refused.

use std::{
    io,
    time::{Duration, Instant},
};

use codec::{Decode, DecodeAll, Encode};
use ensemble_core::TaskId;
use ensemble_tensor::TensorId;
use schnellru::{ByLength, LruMap};

use super::{
    files::{self, Name},
    index::Index,
    Error, Store, LOG_TARGET,
};

/// Most tensors that the operator marks.
pub const MAX_MARKED: usize = 65_536;
/// Most marks of a tensor.
pub const MAX_MARKS: usize = 8;
/// Most tensors of which it is remembered for which tasks they were ordered: twice as many as there are jobs.
const MAX_ORDERED: u32 = 2048;
/// Most tasks for which a tensor is ordered at a time.
const MAX_ORDERS: usize = 1024;
/// How long an order makes way for no other after it was last given. Workers repeat theirs with every block, as long as
/// the panel stands for which they want the tensor.
const ORDER_STANDS: Duration = Duration::from_secs(60);

/// For whom a tensor is restricted.
#[derive(Clone, Copy, Debug, Decode, Encode, Eq, PartialEq)]
pub struct Mark {
    /// Those are served whom the chain entitles to what won this task.
    pub task: TaskId,
    /// What has to have won it: the tensor itself, or the bundle that it is a member of.
    pub content: TensorId,
}

/// Who restricted a tensor.
#[derive(Clone, Copy, Debug, Decode, Encode, Eq, PartialEq)]
pub(super) enum Marker {
    /// The operator, whose marks nobody else changes.
    Operator,
    /// The sources that it came from.
    Job,
}

/// The marks of a tensor.
#[derive(Clone, Debug, Decode, Encode, Eq, PartialEq)]
pub(super) struct Marked {
    /// How the operator's may be served it: by any of these. As what it came, if it did not come openly: if that is not
    /// one thing, nobody is entitled by all of it. Without any, it is served to nobody, and nobody knows why.
    pub marks: Vec<Mark>,
    /// Who restricted it.
    pub by: Marker,
}

impl Marked {
    /// By what somebody may be entitled to the tensor.
    fn served(&self) -> &[Mark] {
        match self.by {
            Marker::Job if self.marks.len() > 1 => &[],
            Marker::Job | Marker::Operator => &self.marks,
        }
    }
}

/// That a tensor may come as content of a task.
pub(super) struct Order {
    mark: Mark,
    /// When that was last said.
    given_at: Instant,
}

/// For which tasks tensors that are not here were ordered, the latest order first.
pub(super) type Orders = LruMap<TensorId, Vec<Order>, ByLength>;

/// No orders.
pub(super) fn no_orders() -> Orders {
    LruMap::new(ByLength::new(MAX_ORDERED))
}

impl Store {
    /// Restricts a tensor, whether it is here or not. What is marked is restricted for a further task.
    pub fn restrict(&self, id: &TensorId, mark: Mark) -> Result<(), Error> {
        let mut index = self.index.lock();
        let mut marks = index.marks.get(id).map_or_else(Vec::new, |marked| marked.served().to_vec());
        if !marks.contains(&mark) {
            marks.push(mark);
        }
        if marks.len() > MAX_MARKS || !index.operator_may_mark(id) {
            return Err(Error::MarksFull(*id));
        }
        self.write_marks(&mut index, id, Marked { marks, by: Marker::Operator })
    }

    /// Ends the effect of [`Self::restrict`], and of how the tensor came.
    pub fn unrestrict(&self, id: &TensorId) -> Result<(), Error> {
        Ok(self.forget_marks(&mut self.index.lock(), id)?)
    }

    /// Notes for which task a tensor is about to be fetched, if that is restricted. Returns whether it can come so: what
    /// is held, or what its operator says, stays as it is, so the answer is then whether it is restricted by this mark.
    /// Nor can it if it is wanted for too many tasks: those that name a content later push none out.
    pub fn order(&self, id: &TensorId, mark: Mark) -> bool {
        self.order_at(id, mark, Instant::now())
    }

    pub(super) fn order_at(&self, id: &TensorId, mark: Mark, now: Instant) -> bool {
        {
            let index = self.index.lock();
            let marked = index.marks.get(id);
            if index.held.contains_key(id) || marked.is_some_and(|marked| marked.by == Marker::Operator) {
                return marked.is_some_and(|marked| marked.served().contains(&mark));
            }
        }
        let mut orders = self.orders.lock();
        let Some(orders) = orders.get_or_insert(*id, Vec::new) else { return false };
        orders.retain(|order| order.mark != mark);
        let stands = |order: &Order| now.saturating_duration_since(order.given_at) < ORDER_STANDS;
        if orders.len() >= MAX_ORDERS && orders.last().is_some_and(stands) {
            return false;
        }
        orders.truncate(MAX_ORDERS - 1);
        orders.insert(0, Order { mark, given_at: now });
        true
    }

    /// Whether a tensor, and what is here of a bundle's members, is served to those who are entitled by this mark, as it
    /// is either open or restricted by this mark too. Nothing if it is not held.
    pub fn serves(&self, id: &TensorId, mark: &Mark) -> Option<bool> {
        let index = self.index.lock();
        let entry = index.held.get(id)?;
        let serves = |part| index.marks.get(part).is_none_or(|marked| marked.served().contains(mark));
        let serves_all = [id].into_iter().chain(entry.members.iter()).all(serves);
        Some(serves_all)
    }

    /// Ends the effect of [`Self::order`].
    pub fn forget_orders(&self, id: &TensorId) {
        self.orders.lock().remove(id);
    }

    /// As what those who restrict a tensor may be asked for it: as what its operator says; else as what a part of it came
    /// as, and as what it was ordered.
    pub fn orders(&self, id: &TensorId) -> Vec<Mark> {
        let marked = {
            let index = self.index.lock();
            let marked = index.marks.get(id).filter(|marked| marked.by == Marker::Operator || index.is_here(id));
            marked.cloned()
        };
        let ordered = || self.orders.lock().peek(id).into_iter().flatten().map(|order| order.mark).collect::<Vec<_>>();
        match marked {
            Some(marked) if marked.by == Marker::Operator => marked.marks,
            Some(marked) => [marked.served(), &ordered()[..]].concat(),
            None => ordered(),
        }
    }

    /// Notes that a piece of a tensor on its way comes from somebody who restricts it by this mark.
    pub(super) fn comes_under(&self, index: &mut Index, id: &TensorId, mark: Mark) -> Result<(), Error> {
        let marks = match index.marks.get(id) {
            Some(Marked { by: Marker::Operator, .. }) => return Ok(()),
            Some(Marked { marks, .. }) if marks.is_empty() || marks.contains(&mark) => return Ok(()),
            Some(Marked { marks, .. }) if marks.len() >= MAX_MARKS => Vec::new(),
            Some(Marked { marks, .. }) => [&marks[..], &[mark][..]].concat(),
            None => vec![mark],
        };
        self.write_marks(index, id, Marked { marks, by: Marker::Job })
    }

    /// Forgets how a tensor came if nothing of it is here any more.
    pub(super) fn forget_source(&self, index: &mut Index, id: &TensorId) -> io::Result<()> {
        if index.is_here(id) || !index.marks.contains_key(id) {
            return Ok(());
        }
        // Else a power failure could bring the files back without their mark.
        self.held.sync()?;
        self.partial.sync()?;
        self.forget_how_it_came(index, id)
    }

    /// Forgets how a tensor came, but not what its operator says.
    pub(super) fn forget_how_it_came(&self, index: &mut Index, id: &TensorId) -> io::Result<()> {
        match index.marks.get(id) {
            Some(Marked { by: Marker::Job, .. }) => self.forget_marks(index, id),
            _ => Ok(()),
        }
    }

    /// For whom those restricted it from whom a tensor came so far, if all did for the same.
    pub fn came_under(&self, id: &TensorId) -> Option<Mark> {
        match self.index.lock().marks.get(id) {
            Some(marked) if marked.by == Marker::Job => marked.served().first().copied(),
            _ => None,
        }
    }

    /// As what a held tensor and the members of a bundle came that are not open. Nothing if the operator restricted any of
    /// them, or if it came as too many things to tell.
    pub fn came_as(&self, id: &TensorId) -> Option<Vec<Mark>> {
        let index = self.index.lock();
        let entry = index.held.get(id)?;
        let mut came_as = Vec::new();
        for marked in [id].into_iter().chain(entry.members.iter()).filter_map(|part| index.marks.get(part)) {
            if marked.by == Marker::Operator || marked.marks.is_empty() {
                return None;
            }
            for mark in &marked.marks {
                if !came_as.contains(mark) {
                    came_as.push(*mark);
                }
            }
            if came_as.len() > MAX_MARKS {
                return None;
            }
        }
        Some(came_as)
    }

    /// Whether a held tensor is restricted by nothing but how it came, as these.
    pub fn came_only_as(&self, id: &TensorId, marks: &[Mark]) -> bool {
        self.index.lock().came_only_as(id, marks)
    }

    /// Notes that every byte of a held tensor came openly, so that it counts no more that it came as these.
    pub fn came_openly(&self, id: &TensorId, marks: &[Mark]) -> Result<(), Error> {
        let mut index = self.index.lock();
        match index.came_only_as(id, marks) {
            true => Ok(self.forget_how_it_came(&mut index, id)?),
            false => Ok(()),
        }
    }

    fn write_marks(&self, index: &mut Index, id: &TensorId, marked: Marked) -> Result<(), Error> {
        if index.marks.get(id) == Some(&marked) {
            return Ok(());
        }
        self.restricted.write(&self.restricted.tensor(id), &[&marked.encode()])?;
        index.marks.insert(*id, marked);
        Ok(())
    }

    fn forget_marks(&self, index: &mut Index, id: &TensorId) -> io::Result<()> {
        if index.marks.contains_key(id) {
            files::remove(&self.restricted.tensor(id))?;
            self.restricted.sync()?;
            index.marks.remove(id);
        }
        Ok(())
    }

    /// The marks of a tensor: nothing if it is served to everybody, none if it is served to nobody.
    pub fn marks(&self, id: &TensorId) -> Option<Vec<Mark>> {
        self.index.lock().marks.get(id).map(|marked| marked.served().to_vec())
    }

    /// Reads the marks when the node starts. One that cannot be read restricts its tensor to nobody.
    pub(super) fn scan_marks(&self, index: &mut Index) -> io::Result<()> {
        for (name, path) in self.restricted.entries()? {
            let id = match name {
                Name::Tensor(id) => id,
                Name::Temporary => {
                    files::remove(&path)?;
                    continue;
                },
                Name::Outline(_) | Name::Foreign => continue,
            };
            let marked = Marked::decode_all(&mut &std::fs::read(&path)?[..]).unwrap_or_else(|_| {
                tracing::warn!(target: LOG_TARGET, "The mark of tensor {id} is damaged; it is served to nobody");
                Marked { marks: Vec::new(), by: Marker::Operator }
            });
            if !index.is_here(&id) && marked.by == Marker::Job {
                files::remove(&path)?;
                continue;
            }
            index.marks.insert(id, marked);
        }
        Ok(())
    }
}
