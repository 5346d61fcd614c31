//! A tensor on its way from peers: pieces arrive in any order, and each is checked before it is written.
//!
//! The file has its final length from the start, with holes where pieces are missing. After a restart the file itself
//! says what has arrived: every piece that matches the outline counts, so no journal can disagree with it.

use std::{
    fs::{self, File, OpenOptions},
    os::unix::fs::FileExt,
    sync::Arc,
};

use ensemble_tensor::{Header, Outline, TensorId};
use parking_lot::Mutex;

use super::{
    files,
    index::{footprint, Index},
    outlines, Error, Mark, Store,
};

/// A download. Whoever fetches the same tensor at the same time shares it.
pub struct Download {
    store: Arc<Store>,
    id: TensorId,
    outline: Outline,
    file: File,
    progress: Mutex<Progress>,
}

struct Progress {
    pieces: Vec<Piece>,
    written: usize,
    received: u64,
    finished: bool,
}

#[derive(Clone, Copy, Eq, PartialEq)]
enum Piece {
    Missing,
    Arriving,
    Written,
}

/// What became of a piece that a peer sent.
#[derive(Debug)]
pub enum Arrival {
    /// It is written.
    Accepted,
    /// It has arrived before.
    Duplicate,
    /// It does not match the outline.
    Wrong,
}

impl Store {
    /// Begins the download of the tensor with this outline, or continues one that was interrupted. The room for all of
    /// it is set aside.
    pub fn download(self: &Arc<Self>, outline: Outline) -> Result<Arc<Download>, Error> {
        let (id, header) = (outline.id(), *outline.header());
        let mut index = self.index.lock();
        if let Some(download) = index.partial.get(&id).and_then(|partial| partial.download.upgrade()) {
            return Ok(download);
        }
        if !index.partial.contains_key(&id) {
            // How it came before says nothing about how it comes now.
            self.forget_source(&mut index, &id)?;
            self.make_room(&mut index, footprint(&header))?;
            index.take(&header);
            index.insert_partial(id, header);
        }
        let download = Download::open(self, outline).inspect_err(|_| self.abandon(&mut index, &id))?;
        let download = Arc::new(download);
        if let Some(partial) = index.partial.get_mut(&id) {
            partial.download = Arc::downgrade(&download);
        }
        self.publish(&index);
        drop(index);
        download.recover();
        Ok(download)
    }

    /// The outline of a download that was interrupted.
    pub fn interrupted(&self, id: &TensorId) -> Option<Outline> {
        let header = self.index.lock().partial.get(id)?.header;
        let outline = outlines::read(&self.partial.outline(id), id, &header);
        if outline.is_none() {
            self.give_up(id);
        }
        outline
    }

    /// Drops a download and what has arrived of it.
    pub fn give_up(&self, id: &TensorId) {
        let mut index = self.index.lock();
        self.abandon(&mut index, id);
        self.publish(&index);
    }
}

impl Download {
    fn open(store: &Arc<Store>, outline: Outline) -> Result<Self, Error> {
        let (id, header) = (outline.id(), *outline.header());
        let path = store.partial.tensor(&id);
        let file = OpenOptions::new().read(true).write(true).create(true).truncate(false).open(&path)?;
        if file.metadata()?.len() != header.encoded_len() {
            file.set_len(0)?;
            file.set_len(header.encoded_len())?;
        }
        file.write_all_at(&header.to_bytes(), 0)?;
        // Not synced: what a power failure spoils does not match the id, and the download starts anew.
        fs::write(store.partial.outline(&id), outlines::encode(&outline))?;
        let pieces = outline.pieces().iter().map(|_| Piece::Missing).collect();
        let progress = Mutex::new(Progress { pieces, written: 0, received: 0, finished: false });
        Ok(Self { store: store.clone(), id, outline, file, progress })
    }

    /// Kind and shape.
    pub fn header(&self) -> &Header {
        self.outline.header()
    }

    /// Bytes of data that have arrived.
    pub fn received(&self) -> u64 {
        self.progress.lock().received
    }

    /// The pieces that are still wanted.
    pub fn missing(&self) -> Vec<u32> {
        let progress = self.progress.lock();
        (0..).zip(&progress.pieces).filter(|(_, piece)| **piece != Piece::Written).map(|(index, _)| index).collect()
    }

    /// Whether the piece has arrived.
    pub fn has(&self, index: u32) -> bool {
        self.progress.lock().piece(index).is_none_or(|piece| *piece == Piece::Written)
    }

    /// Whether every piece has arrived.
    pub fn is_complete(&self) -> bool {
        self.progress.lock().is_complete()
    }

    /// Checks a piece and writes it. Blocks while hashing and writing. `under` is for whom the source restricts it; if it
    /// does, so does this node before the piece is on the disk.
    pub fn accept(&self, index: u32, bytes: &[u8], under: Option<Mark>) -> Result<Arrival, Error> {
        if !self.outline.verify_piece(index, bytes) {
            return Ok(Arrival::Wrong);
        }
        outlines::validate_piece(self.header(), index, bytes)?;
        if !self.claim(index) {
            return Ok(Arrival::Duplicate);
        }
        let start = Header::LEN as u64 + Outline::piece_range(self.header(), index).start;
        let marked = under.map_or(Ok(()), |mark| self.comes_under(mark));
        let written = marked.and_then(|()| self.file.write_all_at(bytes, start).map_err(Error::from));
        let len = bytes.len() as u64;
        if written.is_ok() {
            self.store.metrics.fetched_bytes.inc_by(len);
        }
        self.settle(index, len, written.is_ok());
        written?;
        Ok(Arrival::Accepted)
    }

    /// Turns a complete download into a tensor that is held. Blocks until it is on the disk. Fails if the download was
    /// given up meanwhile.
    pub fn finish(&self) -> Result<(), Error> {
        let mut progress = self.progress.lock();
        if progress.finished {
            return Ok(());
        }
        if !progress.is_complete() {
            return Err(Error::NotHeld(self.id));
        }
        let (store, id) = (&self.store, &self.id);
        let path = store.partial.tensor(id);
        store.admit(
            &self.file,
            &path,
            &self.outline,
            |index| self.is_current(index),
            |index| store.log_failure("remove a download", store.end_download(index, id)),
        )?;
        progress.finished = true;
        Ok(())
    }

    fn comes_under(&self, mark: Mark) -> Result<(), Error> {
        let mut index = self.store.index.lock();
        // What is held by now, or was given up, came otherwise.
        match self.is_current(&index) && !index.held.contains_key(&self.id) {
            true => self.store.comes_under(&mut index, &self.id, mark),
            false => Ok(()),
        }
    }

    /// Whether the file in `partial/` is this download's. After it was given up, another of the same tensor may have
    /// begun under the same name.
    fn is_current(&self, index: &Index) -> bool {
        index.partial.get(&self.id).is_some_and(|partial| std::ptr::eq(partial.download.as_ptr(), self))
    }

    /// Finds out which pieces the file has. A piece of zeros may be a hole; it is fetched rather than hashed.
    fn recover(&self) {
        let mut buffer = Vec::new();
        for index in self.missing() {
            let range = Outline::piece_range(self.header(), index);
            let read = files::read_range(&self.file, &range, &mut buffer);
            let arrived = read.is_ok() && buffer.iter().any(|byte| *byte != 0);
            if arrived && self.outline.verify_piece(index, &buffer) && self.claim(index) {
                self.settle(index, buffer.len() as u64, true);
            }
        }
    }

    fn claim(&self, index: u32) -> bool {
        match self.progress.lock().piece(index) {
            Some(piece) if *piece == Piece::Missing => {
                *piece = Piece::Arriving;
                true
            },
            _ => false,
        }
    }

    fn settle(&self, index: u32, len: u64, written: bool) {
        let mut progress = self.progress.lock();
        if let Some(piece) = progress.piece(index) {
            *piece = if written { Piece::Written } else { Piece::Missing };
        }
        if written {
            progress.written += 1;
            progress.received += len;
        }
    }
}

impl Progress {
    fn piece(&mut self, index: u32) -> Option<&mut Piece> {
        self.pieces.get_mut(usize::try_from(index).ok()?)
    }

    fn is_complete(&self) -> bool {
        self.written == self.pieces.len()
    }
}
