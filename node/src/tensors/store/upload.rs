//! A tensor on its way from the node's operator, in parts that follow each other.

use std::{
    fs::{File, OpenOptions},
    os::unix::fs::FileExt,
    time::{Duration, Instant},
};

use ensemble_tensor::{Header, Outline, OutlineBuilder, TensorId};
use parking_lot::Mutex;

use super::{
    files,
    index::{footprint, Index},
    outlines, Error, Store,
};

/// Most uploads under way at the same time.
pub const MAX_UPLOADS: usize = 16;
/// An upload without a new part for this long makes way for others.
pub const UPLOAD_PATIENCE: Duration = Duration::from_secs(600);

/// Who uploads.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Uploader {
    /// The operator, whom only the store's own limits bind.
    Operator,
    /// Whoever reaches an open RPC: half of the places, and a quarter of the quota for all that is on its way.
    Anybody,
}

/// An upload that has begun.
pub(super) struct Upload {
    id: TensorId,
    header: Header,
    file: File,
    received: u64,
    outline: OutlineBuilder,
    /// Number of pieces whose bytes are known to be valid.
    validated: u32,
    last_part: Instant,
    /// Whether the index knows this upload. It changes only while both the index and the upload are locked.
    open: bool,
}

/// How far an upload has come.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct Received {
    /// Bytes of the canonical encoding that the store has.
    pub received: u64,
    /// Bytes of the canonical encoding in all.
    pub total: u64,
}

impl Received {
    /// Whether the tensor is held now.
    pub fn is_complete(&self) -> bool {
        self.received == self.total
    }
}

impl Store {
    /// Takes a part of the canonical encoding of the tensor `id`. Parts come in order; a part at offset 0 begins the
    /// upload anew and has the whole header. With the last part the tensor is held, or, if it has another id, dropped.
    pub fn upload(&self, uploader: Uploader, id: TensorId, offset: u64, part: &[u8]) -> Result<Received, Error> {
        if let Some(entry) = self.index.lock().held.get(&id) {
            let total = entry.header.encoded_len();
            return Ok(Received { received: total, total });
        }
        if offset == 0 {
            self.begin_upload(uploader, id, part)?;
        }
        // It would count as a sign of life.
        if part.is_empty() {
            return Err(Error::EmptyPart);
        }
        let not_begun = Error::WrongOffset { id, expected: 0, given: offset };
        let Some(upload) = self.index.lock().uploads.get(&id).cloned() else { return Err(not_begun) };
        let mut upload = upload.lock();
        if !upload.open {
            return Err(not_begun);
        }
        if upload.received != offset {
            return Err(Error::WrongOffset { id, expected: upload.received, given: offset });
        }
        self.append(&mut upload, part).inspect_err(|_| self.drop_upload(&mut self.index.lock(), &mut upload))
    }

    fn begin_upload(&self, uploader: Uploader, id: TensorId, part: &[u8]) -> Result<(), Error> {
        let header = Header::from_bytes(part)?;
        let mut index = self.index.lock();
        if let Some(previous) = index.uploads.get(&id).cloned() {
            let mut previous = previous.try_lock().ok_or(Error::InUse(id))?;
            self.drop_upload(&mut index, &mut previous);
        }
        let (places, bytes) = match uploader {
            Uploader::Operator => (MAX_UPLOADS, u64::MAX),
            Uploader::Anybody => (MAX_UPLOADS / 2, self.room.quota / 4),
        };
        self.find_upload_place(&mut index, places)?;
        if index.uploading().saturating_add(footprint(&header)) > bytes {
            return Err(Error::UploadsFull(bytes));
        }
        self.make_room(&mut index, footprint(&header))?;
        self.forget_source(&mut index, &id)?;
        let file = OpenOptions::new().read(true).write(true).create_new(true).open(self.uploads.tensor(&id))?;
        let upload = Upload {
            id,
            header,
            file,
            received: 0,
            outline: OutlineBuilder::new(&header),
            validated: 0,
            last_part: Instant::now(),
            open: true,
        };
        index.insert_upload(id, &header, upload);
        self.publish(&index);
        Ok(())
    }

    fn append(&self, upload: &mut Upload, part: &[u8]) -> Result<Received, Error> {
        let total = upload.header.encoded_len();
        let received = upload.received.saturating_add(part.len() as u64);
        if received > total {
            return Err(Error::TooLong { total, received });
        }
        upload.take(part)?;
        if received == total {
            self.finish_upload(upload)?;
        }
        Ok(Received { received, total })
    }

    fn finish_upload(&self, upload: &mut Upload) -> Result<(), Error> {
        let outline = upload.outline.clone().finish()?;
        let (expected, actual) = (upload.id, outline.id());
        if actual != expected {
            return Err(Error::WrongId { expected, actual });
        }
        let file = upload.file.try_clone()?;
        // Nobody else drops an upload that is locked.
        let is_current = |_: &Index| true;
        self.admit(&file, &self.uploads.tensor(&expected), &outline, is_current, |index| {
            self.drop_upload(index, upload)
        })
    }

    /// Drops the upload that has waited longest for its next part, if no place is free and it waited too long.
    fn find_upload_place(&self, index: &mut Index, places: usize) -> Result<(), Error> {
        if index.uploads.len() < places {
            return Ok(());
        }
        // An upload that is locked is receiving a part right now.
        let waiting = |upload: &Mutex<Upload>| upload.try_lock().map(|upload| upload.last_part.elapsed());
        let idle = index
            .uploads
            .values()
            .filter_map(|upload| Some((waiting(upload)?, upload)))
            .max_by_key(|(waited, _)| *waited);
        let idle = idle.filter(|(waited, _)| *waited >= UPLOAD_PATIENCE).map(|(_, upload)| upload.clone());
        let idle = idle.ok_or(Error::TooManyUploads(places))?;
        let mut idle = idle.try_lock().ok_or(Error::TooManyUploads(places))?;
        self.drop_upload(index, &mut idle);
        Ok(())
    }

    /// Drops an upload, unless a part of it is just coming.
    pub(super) fn drop_idle_upload(&self, index: &mut Index, id: &TensorId) {
        let Some(upload) = index.uploads.get(id).cloned() else { return };
        if let Some(mut upload) = upload.try_lock() {
            self.drop_upload(index, &mut upload);
        };
    }

    fn drop_upload(&self, index: &mut Index, upload: &mut Upload) {
        if !std::mem::take(&mut upload.open) {
            return;
        }
        index.remove_upload(&upload.id, &upload.header);
        match files::remove(&self.uploads.tensor(&upload.id)) {
            Ok(()) => self.forget_mark_of(index, &upload.id),
            failed => self.log_failure("remove an upload", failed),
        }
        self.publish(index);
    }
}

impl Upload {
    /// Kind and shape.
    pub fn header(&self) -> Header {
        self.header
    }

    /// Whether nobody seems to go on with it.
    pub fn is_idle(&self) -> bool {
        self.last_part.elapsed() >= UPLOAD_PATIENCE
    }

    /// Pretends that the last part came long ago.
    #[cfg(test)]
    pub fn age(&mut self) {
        self.last_part -= UPLOAD_PATIENCE;
    }

    /// Writes and hashes the next part, which is known to fit.
    fn take(&mut self, part: &[u8]) -> Result<(), Error> {
        self.file.write_all_at(part, self.received)?;
        // The first part has the whole header.
        let data = if self.received == 0 { part.get(Header::LEN..).unwrap_or_default() } else { part };
        self.outline.update(data)?;
        self.received += part.len() as u64;
        self.last_part = Instant::now();
        self.validate()
    }

    /// Checks the pieces that have become complete, reading them back from the file, whose pages are still in memory.
    fn validate(&mut self) -> Result<(), Error> {
        let mut buffer = Vec::new();
        for index in self.validated..Outline::piece_count(&self.header) {
            let range = Outline::piece_range(&self.header, index);
            if range.end > self.outline.taken() {
                break;
            }
            files::read_range(&self.file, &range, &mut buffer)?;
            outlines::validate_piece(&self.header, index, &buffer)?;
            self.validated = index + 1;
        }
        Ok(())
    }
}
