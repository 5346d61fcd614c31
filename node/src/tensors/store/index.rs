//! What the store has, in memory: who is held, what it takes, and what may go when room is needed. No file is touched
//! here.

use std::{
    collections::{HashMap, HashSet, VecDeque},
    sync::{Arc, Weak},
    time::SystemTime,
};

use ensemble_tensor::{Header, Kind, Outline, TensorId};
use parking_lot::Mutex;

use super::{
    download::Download,
    marks::{Mark, Marked, Marker, MAX_MARKED},
    upload::Upload,
    Error,
};

/// The store's memory of itself.
#[derive(Default)]
pub(super) struct Index {
    /// Tensors held whole.
    pub held: HashMap<TensorId, Entry>,
    /// Downloads that have begun.
    pub partial: HashMap<TensorId, Partial>,
    /// Uploads that have begun.
    pub uploads: HashMap<TensorId, Arc<Mutex<Upload>>>,
    /// Tensors kept on purpose.
    pub pins: HashSet<TensorId>,
    /// Tensors that are not for everybody, whether they are held yet or not.
    pub marks: HashMap<TensorId, Marked>,
    /// Tensors that running jobs need, and how many jobs do.
    pub guards: HashMap<TensorId, usize>,
    /// Tensors found when the node started, whose bytes may not have been looked at yet.
    doubtful: VecDeque<TensorId>,
    /// Those of them that somebody waits for.
    urgent: VecDeque<TensorId>,
    /// The same, to look them up.
    hurried: HashSet<TensorId>,
    /// Bytes on disk, or set aside for what is on its way.
    used: u64,
    /// Those of them that are set aside for uploads.
    uploading: u64,
    /// Counts uses, so that they can be told earlier from later.
    clock: u64,
}

/// A tensor that is held.
pub(super) struct Entry {
    /// Kind and shape.
    pub header: Header,
    /// For a bundle the distinct members.
    pub members: Arc<[TensorId]>,
    /// Whether the bytes were checked against the id since the node started.
    pub verified: bool,
    /// When the file was last marked as used.
    pub marked: SystemTime,
    /// The last use, by the index's clock.
    used: u64,
}

/// A download that has begun.
pub(super) struct Partial {
    /// Kind and shape.
    pub header: Header,
    /// The download, as long as a job works on it.
    pub download: Weak<Download>,
    /// The last use, by the index's clock.
    used: u64,
}

/// Everything that is held under an id.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct Holding {
    /// Kind and shape of the tensor, or of the bundle's manifest.
    pub header: Header,
    /// Bytes of data, for a bundle those of the manifest and every distinct member.
    pub bytes: u64,
    /// How many of them were checked since the node started.
    pub verified: u64,
    /// Whether the id was pinned, itself or as a member of a pinned bundle.
    pub pinned: bool,
    /// Whether the tensor, or a member of the bundle, is not for everybody.
    pub restricted: bool,
}

/// Something that goes to make room.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum Victim {
    /// An upload that nobody goes on with.
    Upload(TensorId),
    /// A download that nobody works on.
    Partial(TensorId),
    /// A tensor that nobody keeps.
    Held(TensorId),
}

/// Bytes of a block, of which a file takes whole ones.
const BLOCK: u64 = 4096;
/// Bytes that the file system takes to remember three files.
const RECORDS: u64 = 1536;

/// Bytes that a tensor takes on disk: the canonical encoding, the outline and the mark that it may come under, a file
/// each.
pub fn footprint(header: &Header) -> u64 {
    let blocks = |len: u64| len.next_multiple_of(BLOCK);
    blocks(header.encoded_len()) + blocks(outline_len(header)) + BLOCK + RECORDS
}

impl Index {
    /// Bytes on disk, or set aside for what is on its way.
    pub fn used(&self) -> u64 {
        self.used
    }

    /// Counts bytes as used.
    pub fn take(&mut self, header: &Header) {
        self.used += footprint(header);
    }

    /// Counts bytes as free.
    pub fn release(&mut self, header: &Header) {
        self.used = self.used.saturating_sub(footprint(header));
    }

    /// Adds a tensor whose bytes are counted already.
    pub fn insert(&mut self, id: TensorId, header: Header, members: Arc<[TensorId]>, verified: bool) {
        if !verified {
            self.doubtful.push_back(id);
        }
        let (marked, used) = (SystemTime::now(), self.tick());
        self.held.insert(id, Entry { header, members, verified, marked, used });
    }

    /// Adds a download whose bytes are counted already.
    pub fn insert_partial(&mut self, id: TensorId, header: Header) {
        let used = self.tick();
        self.partial.insert(id, Partial { header, download: Weak::new(), used });
    }

    /// Bytes set aside for uploads.
    pub fn uploading(&self) -> u64 {
        self.uploading
    }

    /// Adds an upload and counts its bytes.
    pub fn insert_upload(&mut self, id: TensorId, header: &Header, upload: Upload) {
        self.take(header);
        self.uploading += footprint(header);
        self.uploads.insert(id, Arc::new(Mutex::new(upload)));
    }

    /// Forgets an upload and frees its bytes.
    pub fn remove_upload(&mut self, id: &TensorId, header: &Header) {
        self.uploads.remove(id);
        self.uploading = self.uploading.saturating_sub(footprint(header));
        self.release(header);
    }

    /// Forgets a tensor and frees its bytes.
    pub fn remove(&mut self, id: &TensorId) -> Option<Entry> {
        let entry = self.held.remove(id)?;
        self.release(&entry.header);
        Some(entry)
    }

    /// Forgets a download and frees its bytes.
    pub fn remove_partial(&mut self, id: &TensorId) -> Option<Partial> {
        let partial = self.partial.remove(id)?;
        self.release(&partial.header);
        Some(partial)
    }

    /// Whether anything of a tensor is here, or on its way.
    pub fn is_here(&self, id: &TensorId) -> bool {
        self.held.contains_key(id) || self.partial.contains_key(id) || self.uploads.contains_key(id)
    }

    /// Whether the operator may mark the tensor, unless he has already marked as many as he may.
    pub fn operator_may_mark(&self, id: &TensorId) -> bool {
        let is_operators = |marked: &Marked| marked.by == Marker::Operator;
        self.marks.get(id).is_some_and(is_operators)
            || self.marks.values().filter(|marked| is_operators(marked)).count() < MAX_MARKED
    }

    /// Whether a held tensor is restricted by nothing but how it came, as these.
    pub fn came_only_as(&self, id: &TensorId, marks: &[Mark]) -> bool {
        let came = self.marks.get(id).filter(|marked| marked.by == Marker::Job && self.held.contains_key(id));
        came.is_some_and(|came| !came.marks.is_empty() && came.marks.iter().all(|mark| marks.contains(mark)))
    }

    /// Notes that a tensor is being used.
    pub fn touch(&mut self, id: &TensorId) {
        let now = self.tick();
        if let Some(entry) = self.held.get_mut(id) {
            entry.used = now;
        }
    }

    /// Notes that the bytes of a tensor match its id.
    pub fn set_verified(&mut self, id: &TensorId) {
        if let Some(entry) = self.held.get_mut(id) {
            entry.verified = true;
        }
    }

    /// Has a tensor checked again, before all others.
    pub fn doubt(&mut self, id: &TensorId) {
        if let Some(entry) = self.held.get_mut(id) {
            entry.verified = false;
            self.hurry(id);
        }
    }

    /// What is held under `id`, if all of it is: for a bundle every member too. A bundle in a bundle counts as missing.
    pub fn holding(&self, id: &TensorId) -> Option<Holding> {
        let entry = self.held.get(id)?;
        let restricted = [id].into_iter().chain(entry.members.iter()).any(|part| self.marks.contains_key(part));
        let mut holding =
            Holding { header: entry.header, bytes: 0, verified: 0, pinned: self.is_pinned(id), restricted };
        holding.add(entry);
        for member in entry.members.iter() {
            let member = self.held.get(member).filter(|member| member.header.kind() != Kind::Bundle)?;
            holding.add(member);
        }
        Some(holding)
    }

    /// Has the parts of `id` that were not checked yet checked before all others.
    pub fn hurry(&mut self, id: &TensorId) {
        let Some(entry) = self.held.get(id) else { return };
        for part in [*id].iter().chain(entry.members.iter()) {
            if self.held.get(part).is_some_and(|part| !part.verified) && self.hurried.insert(*part) {
                self.urgent.push_back(*part);
            }
        }
    }

    /// The next tensor whose bytes have to be checked.
    pub fn next_doubtful(&mut self) -> Option<TensorId> {
        while let Some(id) = self.urgent.pop_front().or_else(|| self.doubtful.pop_front()) {
            self.hurried.remove(&id);
            if self.held.get(&id).is_some_and(|entry| !entry.verified) {
                return Some(id);
            }
        }
        None
    }

    /// Whether `id` is pinned, itself or as a member of a pinned bundle.
    pub fn is_pinned(&self, id: &TensorId) -> bool {
        self.pins.contains(id) || self.pinned_members().any(|member| member == id)
    }

    /// Bytes on disk of all that is pinned, and of `id` if it were too.
    pub fn pinned_with(&self, id: Option<&TensorId>) -> u64 {
        let members = |id| self.held.get(id).into_iter().flat_map(|entry| entry.members.iter());
        let kept: HashSet<_> =
            self.pins.iter().chain(id).flat_map(|id| std::iter::once(id).chain(members(id))).collect();
        kept.into_iter().filter_map(|id| self.held.get(id)).map(|entry| footprint(&entry.header)).sum()
    }

    /// What has to go so that `needed` more bytes fit into `quota`: idle uploads and abandoned downloads first, then
    /// tensors that nobody keeps, each time those first that were not used for longest. Nothing goes if it would not be
    /// enough.
    pub fn make_room(&self, needed: u64, quota: u64) -> Result<Vec<Victim>, Error> {
        let excess = self.used.saturating_add(needed).saturating_sub(quota);
        if excess == 0 {
            return Ok(Vec::new());
        }
        let mut freed = 0;
        let mut victims = Vec::new();
        for (victim, header) in self.expendable() {
            if freed >= excess {
                break;
            }
            freed += footprint(&header);
            victims.push(victim);
        }
        if freed < excess {
            let available = quota.saturating_sub(self.used.saturating_sub(freed));
            return Err(Error::StoreFull { needed, available });
        }
        Ok(victims)
    }

    /// Tensors that peers should be able to find, those used last first, at most `limit`: all that is held but the
    /// members of bundles, which are found through the bundle, and restricted tensors that are not pinned: before what
    /// they are is revealed on the chain, nobody is to know even their ids.
    pub fn announceable(&self, limit: usize) -> Vec<TensorId> {
        let members: HashSet<_> = self.held.values().flat_map(|entry| entry.members.iter()).collect();
        let findable =
            |id: &TensorId| !members.contains(id) && (!self.marks.contains_key(id) || self.pins.contains(id));
        let mut ids: Vec<_> =
            self.held.iter().filter(|(id, _)| findable(id)).map(|(id, entry)| (entry.used, *id)).collect();
        ids.sort_unstable_by(|left, right| right.cmp(left));
        ids.into_iter().take(limit).map(|(_, id)| id).collect()
    }

    fn expendable(&self) -> impl Iterator<Item = (Victim, Header)> + '_ {
        let kept: HashSet<_> = self.pins.iter().chain(self.pinned_members()).chain(self.guards.keys()).collect();
        let mut partial: Vec<_> = self
            .partial
            .iter()
            .filter(|(_, partial)| partial.download.strong_count() == 0)
            .map(|(id, partial)| (partial.used, Victim::Partial(*id), partial.header))
            .collect();
        let mut held: Vec<_> = self
            .held
            .iter()
            .filter(|(id, _)| !kept.contains(id))
            .map(|(id, entry)| (entry.used, Victim::Held(*id), entry.header))
            .collect();
        partial.sort_unstable_by_key(|(used, ..)| *used);
        held.sort_unstable_by_key(|(used, ..)| *used);
        let uploads = self.uploads.iter().filter_map(|(id, upload)| {
            // One that is locked is receiving a part right now.
            let upload = upload.try_lock().filter(|upload| upload.is_idle())?;
            Some((Victim::Upload(*id), upload.header()))
        });
        uploads.chain(partial.into_iter().chain(held).map(|(_, victim, header)| (victim, header)))
    }

    fn pinned_members(&self) -> impl Iterator<Item = &TensorId> {
        self.pins.iter().filter_map(|id| self.held.get(id)).flat_map(|entry| entry.members.iter())
    }

    fn tick(&mut self) -> u64 {
        self.clock += 1;
        self.clock
    }
}

impl Holding {
    fn add(&mut self, entry: &Entry) {
        self.bytes += entry.header.data_len();
        if entry.verified {
            self.verified += entry.header.data_len();
        }
    }

    /// Whether every byte was checked since the node started.
    pub fn is_verified(&self) -> bool {
        self.verified == self.bytes
    }
}

/// Length of a file with the outline of a tensor.
pub(super) fn outline_len(header: &Header) -> u64 {
    Header::LEN as u64 + u64::from(Outline::piece_count(header)) * size_of::<ensemble_tensor::Hash>() as u64
}
