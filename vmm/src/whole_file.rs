//! Files that are read whole because they go into the guest's memory.

use crate::quantities::show_size;
use std::fs::File;
use std::io::{self, Error, Read, Result};
use std::path::Path;

/// Reads a file that has to fit into `room` bytes: no more of one that never ends.
///
/// # Errors
/// It cannot be read, or is larger.
pub fn read(path: &Path, room: u64) -> Result<Vec<u8>> {
    let file = File::open(path)?;
    let expected = file.metadata()?.len().min(room);
    let mut bytes = Vec::with_capacity(usize::try_from(expected).unwrap_or(0) + 1);
    file.take(room.saturating_add(1)).read_to_end(&mut bytes)?;
    check(bytes.len() as u64, room)?;
    Ok(bytes)
}

/// Writes such a file to the end of another one.
///
/// # Errors
/// As [`read`]; it cannot be written there.
pub fn append(path: &Path, room: u64, to: &mut File) -> Result<()> {
    let mut file = File::open(path)?.take(room.saturating_add(1));
    check(io::copy(&mut file, to)?, room)
}

/// Checks that so many bytes fit into `room`.
///
/// # Errors
/// They do not.
pub fn check(length: u64, room: u64) -> Result<()> {
    if length > room {
        return Err(Error::other(format!(
            "it is larger than the machine's memory has room for, {} (--mem)",
            show_size(room)
        )));
    }
    Ok(())
}
