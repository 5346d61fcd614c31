//! The store: tensors as files named by their ids.
//!
//! | folder | what lies in it |
//! |---|---|
//! | `held/` | whole tensors in their canonical encoding, each with its outline beside it |
//! | `partial/` | downloads that have begun, with their outlines |
//! | `uploads/` | uploads that have begun, and what the node itself is writing; emptied when the node starts |
//! | `pins/` | an empty file per pinned tensor |
//! | `restricted/` | a file per restricted tensor, which says for which tasks |
//!
//! **Arrival.** A file is written outside `held/`, checked against its id, synced, and renamed into `held/`. So `held/`
//! never has half a tensor, whenever the node stops.
//!
//! **Room.** Every file, and every file on its way, counts against the quota from the moment it begins. When room is
//! needed, idle uploads and abandoned downloads go first, then tensors that are neither pinned nor needed by a running job, each time
//! those that were not used for longest. If that is not enough nothing goes, and the newcomer is refused. What other
//! programs leave of the disk bounds the store in the same way as the quota. Pinned tensors take four fifths of the
//! quota at most, so that there is always room for what comes and goes.
//!
//! **Damage.** When the node starts, name and length are trusted and the bytes are checked in the background. Every
//! piece is checked again before it is sent to a peer. A file that is wrong or cannot be read is removed.

mod check;
mod download;
mod error;
mod files;
mod index;
mod made;
mod marks;
mod outlines;
mod startup;
mod tensor;
#[cfg(test)]
mod tests;
mod upload;

use std::{
    fs::{self, File},
    io::{self, ErrorKind},
    path::{Path, PathBuf},
    sync::Arc,
    time::{Duration, SystemTime},
};

use ensemble_tensor::{Header, Kind, Outline, TensorId};
use parking_lot::Mutex;
use tokio::sync::Notify;

pub use download::{Arrival, Download};
pub use error::Error;
pub use index::{footprint, Holding};
pub use marks::Mark;
pub use tensor::Tensor;
pub use upload::Uploader;

use super::{metrics::Metrics, LOG_TARGET};
use files::Folder;
use index::{Index, Victim};

/// How often the last use of a tensor is noted on the disk, from where it is read when the node starts.
const MARK_INTERVAL: Duration = Duration::from_secs(3600);

/// The store. All methods may block on the disk.
pub struct Store {
    held: Folder,
    partial: Folder,
    uploads: Folder,
    pins: Folder,
    restricted: Folder,
    room: Room,
    path: PathBuf,
    index: Mutex<Index>,
    orders: Mutex<marks::Orders>,
    metrics: Metrics,
    /// Tells that tensors came or went.
    changed: Notify,
    /// Tells that somebody waits for a tensor to be checked.
    wanted: Notify,
}

/// How much of the disk the store may take.
#[derive(Clone, Copy, Debug)]
pub struct Room {
    /// Most bytes on disk.
    pub quota: u64,
    /// Bytes of the file system that stay free.
    pub min_free: u64,
}

/// Figures about the store as a whole.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct Usage {
    /// Bytes on disk, or set aside for what is on its way.
    pub bytes: u64,
    /// Most bytes allowed.
    pub quota: u64,
    /// Tensors held whole.
    pub tensors: usize,
    /// Ids that were pinned.
    pub pinned: usize,
    /// Uploads under way.
    pub uploads: usize,
}

impl Store {
    /// Opens the store in the folder `path`, which is created if need be.
    pub fn open(path: &Path, room: Room, metrics: Metrics) -> Result<Arc<Self>, Error> {
        let store = Self {
            held: Folder::open(path.join("held"))?,
            partial: Folder::open(path.join("partial"))?,
            uploads: Folder::open(path.join("uploads"))?,
            pins: Folder::open(path.join("pins"))?,
            restricted: Folder::open(path.join("restricted"))?,
            room,
            path: path.into(),
            index: Mutex::default(),
            orders: Mutex::new(marks::no_orders()),
            metrics,
            changed: Notify::new(),
            wanted: Notify::new(),
        };
        let mut index = store.index.lock();
        store.scan(&mut index)?;
        store.shrink(&mut index);
        store.publish(&index);
        drop(index);
        Ok(Arc::new(store))
    }

    /// Most bytes on disk.
    pub fn quota(&self) -> u64 {
        self.room.quota
    }

    /// What is held under `id`, if it is all there: for a bundle every member too.
    pub fn holding(&self, id: &TensorId) -> Option<Holding> {
        self.index.lock().holding(id)
    }

    /// Whether the tensor itself is held, whatever becomes of a bundle's members.
    pub fn has(&self, id: &TensorId) -> bool {
        self.index.lock().held.contains_key(id)
    }

    /// Kind and shape of a held tensor.
    pub fn header(&self, id: &TensorId) -> Option<Header> {
        self.index.lock().held.get(id).map(|entry| entry.header)
    }

    /// The distinct members of a held bundle; none for other tensors.
    pub fn members(&self, id: &TensorId) -> Arc<[TensorId]> {
        self.index.lock().held.get(id).map(|entry| entry.members.clone()).unwrap_or_default()
    }

    /// Opens a held tensor. A file without its full length is removed.
    pub fn tensor(&self, id: &TensorId) -> Result<Tensor, Error> {
        let mut index = self.index.lock();
        index.touch(id);
        let entry = index.held.get_mut(id).ok_or(Error::NotHeld(*id))?;
        let path = self.held.tensor(id);
        let tensor = match Tensor::open(&path, *id, entry.header) {
            Ok(tensor) => tensor,
            Err(error) if matches!(error.kind(), ErrorKind::NotFound | ErrorKind::InvalidData) => {
                drop(index);
                return Err(self.discard(id));
            },
            Err(error) => return Err(error.into()),
        };
        if entry.marked.elapsed().is_ok_and(|since| since > MARK_INTERVAL) {
            entry.marked = SystemTime::now();
            self.log_failure("note a tensor's use", File::open(&path).and_then(|file| file.set_modified(entry.marked)));
        }
        Ok(tensor)
    }

    /// Keeps what is held under `id`, for a bundle also its members, until it is unpinned. Returns whether it is held.
    /// Fails if too little room would be left for others.
    pub fn pin(&self, id: &TensorId) -> Result<bool, Error> {
        let mut index = self.index.lock();
        if index.holding(id).is_none() {
            return Ok(false);
        }
        if !index.pins.contains(id) {
            let (id, needed, allowed) = (*id, index.pinned_with(Some(id)), self.most_pinned());
            if needed > allowed {
                return Err(Error::PinsFull { id, needed, allowed });
            }
        }
        if index.pins.insert(*id) {
            let path = self.pins.tensor(id);
            let written = File::create(path).and_then(|file| file.sync_all()).and_then(|()| self.pins.sync());
            written.inspect_err(|_| {
                index.pins.remove(id);
            })?;
        }
        self.publish(&index);
        Ok(true)
    }

    /// Whether so many bytes more could be stored and pinned, by what is there now. Nothing is set aside for them.
    pub fn check_room(&self, bytes: u64) -> Result<(), Error> {
        let index = self.index.lock();
        let available = self.most_pinned().saturating_sub(index.pinned_with(None));
        if bytes > available {
            return Err(Error::StoreFull { needed: bytes, available });
        }
        index.make_room(bytes, self.limit(&index)?).map(drop)
    }

    /// Bytes that what is pinned may take.
    fn most_pinned(&self) -> u64 {
        self.room.quota / 5 * 4
    }

    /// Whether a tensor is pinned itself, not only as a member of a bundle.
    pub fn has_pin(&self, id: &TensorId) -> bool {
        self.index.lock().pins.contains(id)
    }

    /// Ends the effect of [`Self::pin`].
    pub fn unpin(&self, id: &TensorId) -> Result<(), Error> {
        let mut index = self.index.lock();
        if index.pins.remove(id) {
            files::remove(&self.pins.tensor(id))?;
            self.pins.sync()?;
        }
        self.publish(&index);
        Ok(())
    }

    /// Removes a tensor that is neither pinned nor needed by a running job. The members of a bundle stay.
    pub fn remove(&self, id: &TensorId) -> Result<(), Error> {
        let mut index = self.index.lock();
        if index.is_pinned(id) {
            return Err(Error::Pinned(*id));
        }
        if index.guards.contains_key(id) {
            return Err(Error::InUse(*id));
        }
        if !index.held.contains_key(id) {
            return Err(Error::NotHeld(*id));
        }
        // What cannot be removed still takes its room, so it stays counted.
        self.held.remove(id)?;
        index.remove(id);
        self.forget_mark_of(&mut index, id);
        self.publish(&index);
        Ok(())
    }

    /// Keeps tensors from being collected as long as the guard lives, whether they are held yet or not.
    pub fn guard(self: &Arc<Self>, ids: &[TensorId]) -> Guard {
        let mut index = self.index.lock();
        for id in ids {
            *index.guards.entry(*id).or_default() += 1;
        }
        Guard { store: self.clone(), ids: ids.to_vec() }
    }

    /// Has what is held under `id` checked before all else that waits for the check.
    pub fn hurry(&self, id: &TensorId) {
        self.index.lock().hurry(id);
        self.wanted.notify_one();
    }

    /// The next tensor whose bytes were not checked since the node started.
    pub fn next_doubtful(&self) -> Option<TensorId> {
        self.index.lock().next_doubtful()
    }

    /// Waits until somebody hurries a check.
    pub async fn hurried(&self) {
        self.wanted.notified().await;
    }

    /// Waits until tensors came or went. What happened since the last call counts.
    pub async fn changed(&self) {
        self.changed.notified().await;
    }

    /// Tensors that peers should be able to find, at most `limit`.
    pub fn announceable(&self, limit: usize) -> Vec<TensorId> {
        self.index.lock().announceable(limit)
    }

    /// Figures about the store as a whole.
    pub fn usage(&self) -> Usage {
        let index = self.index.lock();
        Usage {
            bytes: index.used(),
            quota: self.room.quota,
            tensors: index.held.len(),
            pinned: index.pins.len(),
            uploads: index.uploads.len(),
        }
    }

    /// Takes in a file whose bytes match the outline: it is synced, renamed and held from then on. `is_current` says
    /// whether the path still leads to that file; `release` frees what was set aside for it.
    fn admit(
        &self,
        file: &File,
        path: &Path,
        outline: &Outline,
        is_current: impl FnOnce(&Index) -> bool,
        release: impl FnOnce(&mut Index),
    ) -> Result<(), Error> {
        let (id, header) = (outline.id(), *outline.header());
        let members = match header.kind() {
            Kind::Bundle => {
                let mut manifest = Vec::new();
                files::read_range(file, &(0..header.data_len()), &mut manifest)?;
                startup::members(&manifest)?
            },
            _ => Arc::default(),
        };
        file.sync_all()?;
        self.held.write(&self.held.outline(&id), &[&outlines::encode(outline)])?;
        let mut index = self.index.lock();
        if !is_current(&index) {
            if !index.held.contains_key(&id) {
                self.log_failure("remove an outline", files::remove(&self.held.outline(&id)));
            }
            return Err(Error::NotHeld(id));
        }
        fs::rename(path, self.held.tensor(&id))?;
        release(&mut index);
        if !index.held.contains_key(&id) {
            index.take(&header);
            index.insert(id, header, members, true);
        }
        if index.partial.get(&id).is_some_and(|partial| partial.download.strong_count() == 0) {
            self.abandon(&mut index, &id);
        }
        self.publish(&index);
        drop(index);
        self.held.sync()?;
        let (kind, rows, cols) = (header.kind(), header.rows(), header.cols());
        tracing::debug!(target: LOG_TARGET, "Stored tensor {id}: {kind}, {rows} x {cols}");
        Ok(())
    }

    /// Removes what has to go so that `needed` more bytes fit into the quota and on the disk.
    fn make_room(&self, index: &mut Index, needed: u64) -> Result<(), Error> {
        let limit = self.limit(index)?;
        self.collect(index, needed, limit).map_err(|error| match error {
            Error::StoreFull { .. } if limit < self.room.quota => Error::DiskFull,
            other => other,
        })
    }

    /// Bytes that the store may take: the quota, or what other programs leave of the disk.
    fn limit(&self, index: &Index) -> Result<u64, Error> {
        let disk = rustix::fs::statvfs(self.path.as_path()).map_err(io::Error::from)?;
        let within_reach = index.used().saturating_add(disk.f_bavail.saturating_mul(disk.f_frsize));
        Ok(self.room.quota.min(within_reach.saturating_sub(self.room.min_free)))
    }

    /// Removes what has to go so that `needed` more bytes fit into `quota`.
    fn collect(&self, index: &mut Index, needed: u64, quota: u64) -> Result<(), Error> {
        for victim in index.make_room(needed, quota)? {
            match victim {
                Victim::Upload(id) => self.drop_idle_upload(index, &id),
                Victim::Partial(id) => self.abandon(index, &id),
                Victim::Held(id) => {
                    tracing::debug!(target: LOG_TARGET, "Collecting tensor {id}");
                    self.held.remove(&id)?;
                    index.remove(&id);
                    self.forget_mark_of(index, &id);
                },
            }
        }
        Ok(())
    }

    /// Removes a damaged file and returns the error that says so.
    fn discard(&self, id: &TensorId) -> Error {
        let mut index = self.index.lock();
        if index.remove(id).is_some() {
            tracing::warn!(target: LOG_TARGET, "The file of tensor {id} is damaged and is removed");
            match self.held.remove(id) {
                Ok(()) => self.forget_mark_of(&mut index, id),
                failed => self.log_failure("remove a damaged tensor", failed),
            }
            self.publish(&index);
        }
        Error::Damaged(*id)
    }

    /// Forgets a download and removes its files.
    fn abandon(&self, index: &mut Index, id: &TensorId) {
        match self.end_download(index, id) {
            Ok(()) => self.forget_mark_of(index, id),
            failed => self.log_failure("remove a download", failed),
        }
    }

    /// Forgets a download and removes what is left of its files. How the tensor came stays.
    fn end_download(&self, index: &mut Index, id: &TensorId) -> io::Result<()> {
        index.remove_partial(id);
        self.partial.remove(id)
    }

    /// Forgets how a tensor came whose files were removed, unless others of it are here. What cannot be forgotten stays
    /// until something of the tensor comes again.
    fn forget_mark_of(&self, index: &mut Index, id: &TensorId) {
        self.log_failure("forget a mark", self.forget_source(index, id));
    }

    fn publish(&self, index: &Index) {
        self.metrics.stored_bytes.set(index.used());
        self.metrics.held.set(index.held.len() as u64);
        self.metrics.pinned.set(index.pins.len() as u64);
        self.changed.notify_one();
    }

    fn log_failure(&self, what: &str, result: io::Result<()>) {
        if let Err(error) = result {
            tracing::warn!(target: LOG_TARGET, "Could not {what}: {error}");
        }
    }
}

/// Keeps tensors from being collected.
pub struct Guard {
    store: Arc<Store>,
    ids: Vec<TensorId>,
}

impl Drop for Guard {
    fn drop(&mut self) {
        let mut index = self.store.index.lock();
        for id in &self.ids {
            if let Some(count) = index.guards.get_mut(id) {
                *count -= 1;
                if *count == 0 {
                    index.guards.remove(id);
                }
            }
        }
    }
}
