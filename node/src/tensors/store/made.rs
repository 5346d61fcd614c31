//! Tensors that the node makes itself, and reads whole.

use std::fs::File;

use ensemble_tensor::{Header, Outline, Tensor as Encoded, TensorId};

use super::{files, index::footprint, Error, Store};

impl Store {
    /// Takes in a tensor that lies in memory. What is held already is not written again.
    ///
    /// What the node makes, it makes of what is open, so it is open, however it came before. Else whoever makes it
    /// first could lock it away. The operator's mark stays.
    pub fn put(&self, header: Header, data: &[u8]) -> Result<Outline, Error> {
        let tensor = Encoded::new(header, data)?;
        tensor.validate()?;
        let outline = tensor.outline()?;
        if !self.has(&outline.id()) {
            let mut index = self.index.lock();
            self.make_room(&mut index, footprint(&header))?;
            index.take(&header);
            self.publish(&index);
            drop(index);
            self.take_in_made(&outline, data)?;
        }
        // Only now, as until it is held a piece on its way may mark it.
        let mut index = self.index.lock();
        self.forget_how_it_came(&mut index, &outline.id())?;
        index.touch(&outline.id());
        Ok(outline)
    }

    /// Writes a tensor for which room is set aside.
    fn take_in_made(&self, outline: &Outline, data: &[u8]) -> Result<(), Error> {
        let header = *outline.header();
        // Not the name of an upload of the same tensor.
        let path = self.uploads.tensor(&outline.id()).with_extension("made");
        let mut set_aside = true;
        let taken = self.uploads.write(&path, &[&header.to_bytes(), data]).and_then(|()| File::open(&path));
        let taken = taken.map_err(Error::from).and_then(|file| {
            let release = |index: &mut super::Index| {
                index.release(&header);
                set_aside = false;
            };
            self.admit(&file, &path, outline, |_| true, release)
        });
        if set_aside {
            self.log_failure("remove what was made", files::remove(&path));
            let mut index = self.index.lock();
            index.release(&header);
            self.publish(&index);
        }
        taken
    }

    /// Reads all data of a held tensor piece by piece, each checked against the id. A file that turns out to be damaged
    /// is removed.
    pub fn read_pieces(&self, id: &TensorId, mut take: impl FnMut(&[u8])) -> Result<(), Error> {
        let (tensor, outline) = (self.tensor(id)?, self.outline(id)?);
        for index in 0..Outline::piece_count(tensor.header()) {
            take(&self.piece(&tensor, &outline, index)?);
        }
        Ok(())
    }
}
