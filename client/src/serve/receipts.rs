//! The last receipt of each ticket: on the disk before its call is answered, so that no call is answered twice, also after
//! a crash.
//!
//! The file has a line of JSON for each receipt, the last of a ticket counts. It is written anew, without the older ones,
//! when it is opened and whenever it has become long.

use std::{
    collections::BTreeMap,
    fs::{self, File, OpenOptions},
    io::{ErrorKind, Write},
    path::{Path, PathBuf},
};

use serde::{Deserialize, Serialize};
use tempfile::NamedTempFile;

use crate::{
    error::Error,
    tickets::{SignedReceipt, Written},
};

/// The file is written anew when it has so many lines more than there are tickets.
const SPARE_LINES: usize = 10_000;

/// A receipt with until when it can be redeemed.
#[derive(Clone, Debug)]
pub struct Kept {
    /// What the buyer signed.
    pub signed: SignedReceipt,
    /// The last block in which it can be redeemed.
    pub redeemable_until: u32,
}

/// A line of the file.
#[derive(Deserialize, Serialize)]
struct Line {
    #[serde(flatten)]
    receipt: Written,
    #[serde(rename = "redeemableUntil")]
    redeemable_until: u32,
}

/// The receipts of a module.
#[derive(Debug)]
pub struct Receipts {
    path: PathBuf,
    file: File,
    last: BTreeMap<u64, Kept>,
    lines: usize,
    /// Whether a line may be there in part.
    is_torn: bool,
}

impl Receipts {
    /// The receipts in a file, which is made if there is none.
    ///
    /// # Errors
    ///
    /// If it cannot be read or written, or is no such file.
    pub fn open(path: PathBuf) -> Result<Self, Error> {
        let last = read(&path)?;
        let file = write(&path, &last)?;
        let lines = last.len();
        Ok(Self { path, file, last, lines, is_torn: false })
    }

    /// How many calls of a ticket were answered.
    pub fn served(&self, ticket: u64) -> u32 {
        self.last.get(&ticket).map_or(0, |kept| kept.signed.receipt.calls)
    }

    /// All last receipts, by ticket.
    pub fn all(&self) -> impl Iterator<Item = &Kept> {
        self.last.values()
    }

    /// Writes a receipt to the disk.
    ///
    /// # Errors
    ///
    /// If that fails. Its call must not be answered then.
    pub fn keep(&mut self, kept: Kept) -> Result<(), Error> {
        if self.is_torn || self.lines > self.last.len() + SPARE_LINES {
            self.write_anew()?;
        }
        let mut line = line(&kept)?;
        line.push('\n');
        self.is_torn = true;
        self.file.write_all(line.as_bytes()).map_err(Error::write(&self.path))?;
        self.file.sync_data().map_err(Error::write(&self.path))?;
        self.is_torn = false;
        self.lines += 1;
        self.last.insert(kept.signed.receipt.ticket, kept);
        Ok(())
    }

    /// Forgets receipts of tickets that nothing can be done with any more.
    ///
    /// # Errors
    ///
    /// If the file cannot be written.
    pub fn forget(&mut self, tickets: &[u64]) -> Result<(), Error> {
        let before = self.last.len();
        self.last.retain(|ticket, _| !tickets.contains(ticket));
        if self.last.len() == before {
            return Ok(());
        }
        self.write_anew()
    }

    fn write_anew(&mut self) -> Result<(), Error> {
        self.file = write(&self.path, &self.last)?;
        self.lines = self.last.len();
        self.is_torn = false;
        Ok(())
    }
}

fn line(kept: &Kept) -> Result<String, Error> {
    let line = Line { receipt: kept.signed.clone().into(), redeemable_until: kept.redeemable_until };
    serde_json::to_string(&line).map_err(|error| Error::Other(error.to_string()))
}

/// The last receipt of each ticket in a file.
fn read(path: &Path) -> Result<BTreeMap<u64, Kept>, Error> {
    let text = match fs::read_to_string(path) {
        Ok(text) => text,
        Err(error) if error.kind() == ErrorKind::NotFound => return Ok(BTreeMap::new()),
        Err(error) => return Err(Error::read(path)(error)),
    };
    // A last line that is not whole was being written when the machine stopped: its call was not answered.
    let whole = text.rfind('\n').map_or("", |end| &text[..end]);
    let mut last = BTreeMap::new();
    for (line, number) in whole.lines().zip(1..) {
        let kept = parse(line).map_err(|message| Error::File {
            path: path.into(),
            message: format!("line {number} is no receipt: {message}"),
            remedy: "bring it back from a copy; without it, calls can be made twice".into(),
        })?;
        last.insert(kept.signed.receipt.ticket, kept);
    }
    Ok(last)
}

fn parse(line: &str) -> Result<Kept, String> {
    let Line { receipt, redeemable_until } = serde_json::from_str(line).map_err(|error| error.to_string())?;
    Ok(Kept { signed: receipt.try_into()?, redeemable_until })
}

/// Writes a file anew, all of it or nothing, and opens it for what follows.
fn write(path: &Path, last: &BTreeMap<u64, Kept>) -> Result<File, Error> {
    let folder = path.parent().unwrap_or(Path::new("."));
    let mut file = NamedTempFile::new_in(folder).map_err(Error::write(path))?;
    for kept in last.values() {
        writeln!(file, "{}", line(kept)?).map_err(Error::write(path))?;
    }
    file.as_file().sync_all().map_err(Error::write(path))?;
    file.persist(path).map_err(|error| Error::write(path)(error.error))?;
    File::open(folder).and_then(|folder| folder.sync_all()).map_err(Error::write(folder))?;
    OpenOptions::new().append(true).open(path).map_err(Error::write(path))
}

#[cfg(test)]
mod tests {
    use subxt::utils::MultiSignature;

    use super::*;
    use crate::{chain::H256, tickets::Receipt};

    fn kept(ticket: u64, calls: u32) -> Kept {
        let receipt = Receipt { ticket, calls, challenge: H256::repeat_byte(1) };
        Kept { signed: SignedReceipt { receipt, signature: MultiSignature::Sr25519([2; 64]) }, redeemable_until: 99 }
    }

    #[test]
    fn the_last_receipt_of_each_ticket_is_there_after_a_restart() {
        let folder = tempfile::tempdir().expect("a folder can be made");
        let path = folder.path().join("receipts");
        let mut receipts = Receipts::open(path.clone()).expect("is made");
        for (ticket, calls) in [(7, 1), (8, 1), (7, 2)] {
            receipts.keep(kept(ticket, calls)).expect("is kept");
        }
        drop(receipts);
        assert_eq!(fs::read_to_string(&path).expect("is read").lines().count(), 3);
        // The machine stopped while it wrote.
        let mut file = OpenOptions::new().append(true).open(&path).expect("is there");
        file.write_all(b"{\"ticket\":7,\"cal").expect("is written");
        let mut receipts = Receipts::open(path.clone()).expect("is read");
        assert_eq!((receipts.served(7), receipts.served(8), receipts.served(9)), (2, 1, 0));
        assert_eq!(fs::read_to_string(&path).expect("is read").lines().count(), 2, "older ones are gone");
        receipts.keep(kept(7, 3)).expect("is kept");
        receipts.forget(&[8]).expect("is forgotten");
        let receipts = Receipts::open(path).expect("is read");
        assert_eq!((receipts.served(7), receipts.served(8)), (3, 0));
        assert_eq!(receipts.all().map(|kept| kept.redeemable_until).collect::<Vec<_>>(), [99]);
    }

    #[test]
    fn what_is_no_receipt_is_told_with_its_line() {
        let folder = tempfile::tempdir().expect("a folder can be made");
        let path = folder.path().join("receipts");
        fs::write(&path, "{}\n").expect("is written");
        let error = Receipts::open(path).expect_err("is none");
        assert!(error.line().contains("line 1 is no receipt"), "{}", error.line());
    }
}
