//! Prints the runtime's metadata, of the newest version, as it lies in `client/metadata.scale`.

use std::io::{self, Write};

use ensemble_runtime::Runtime;

fn main() -> io::Result<()> {
    let newest = Runtime::metadata_versions().into_iter().filter(|version| *version != u32::MAX).max();
    let metadata = newest.and_then(Runtime::metadata_at_version);
    io::stdout().write_all(&metadata.ok_or_else(|| io::Error::other("there is no metadata"))?)
}
