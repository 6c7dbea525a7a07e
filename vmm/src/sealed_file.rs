//! Bytes for the guest that came from the host's files, in a file in memory (memfd_create(2)): they are there once, mapped
//! into the guest's memory, and the monitor sees them when it looks.

use crate::memory::{self, Memory, anonymous_file};
use anyhow::{Context, Result};
use std::fs::File;
use std::ops::Deref;
use std::os::fd::AsRawFd;
use std::os::unix::fs::MetadataExt;
use std::ptr::NonNull;

/// A file in memory that nobody changes any more, and a view of it. Its pages come into this process as they are read.
pub struct SealedFile {
    file: File,
    start: NonNull<u8>,
    length: usize,
}

impl SealedFile {
    /// Fills a file, and seals it (fcntl(2), F_ADD_SEALS).
    ///
    /// # Errors
    /// The host does not give it, or has no memory for it; `fill` failed.
    pub fn new(name: &std::ffi::CStr, fill: impl FnOnce(&mut File) -> Result<()>) -> Result<Self> {
        let mut file = anonymous_file(name)?;
        fill(&mut file)?;
        let seals =
            libc::F_SEAL_SHRINK | libc::F_SEAL_GROW | libc::F_SEAL_WRITE | libc::F_SEAL_SEAL;
        // SAFETY: takes no pointer.
        if unsafe { libc::fcntl(file.as_raw_fd(), libc::F_ADD_SEALS, seals) } < 0 {
            return Err(std::io::Error::last_os_error()).context("cannot seal a file in memory");
        }
        let length = usize::try_from(file.metadata()?.len())?;
        let start = if length == 0 {
            NonNull::dangling()
        } else {
            view(&file, length)?
        };
        Ok(Self {
            file,
            start,
            length,
        })
    }

    /// The file, to be read.
    #[must_use]
    pub fn file(&self) -> &File {
        &self.file
    }

    /// Bytes of memory that it takes.
    ///
    /// # Errors
    /// The host does not say.
    pub fn memory(&self) -> std::io::Result<u64> {
        // st_blocks counts units of 512 bytes (stat(3type)).
        Ok(self.file.metadata()?.blocks() * 512)
    }

    /// Puts whole pages of `part`, a part of it, at `at`, as [`memory::map_file`] does.
    pub fn map(&self, memory: &Memory, at: u64, part: &[u8]) -> Option<usize> {
        let offset = (part.as_ptr() as usize).checked_sub(self.start.as_ptr() as usize)?;
        if offset.checked_add(part.len())? > self.length {
            return None;
        }
        memory::map_file(memory, at, &self.file, offset, part.len())
    }

    /// Takes the pages that were looked at out of this process; whoever looks again gets them from the file.
    pub fn forget(&self) {
        if self.length > 0 {
            // SAFETY: the view is a mapping of a file that stays as it is, so that what is read again is the same.
            unsafe { libc::madvise(self.start.as_ptr().cast(), self.length, libc::MADV_DONTNEED) };
        }
    }
}

/// Maps a file for reading.
fn view(file: &File, length: usize) -> Result<NonNull<u8>> {
    // SAFETY: a new mapping, where the host likes.
    let start = unsafe {
        libc::mmap(
            std::ptr::null_mut(),
            length,
            libc::PROT_READ,
            libc::MAP_PRIVATE,
            file.as_raw_fd(),
            0,
        )
    };
    if start == libc::MAP_FAILED {
        return Err(std::io::Error::last_os_error()).context("cannot map a file in memory");
    }
    NonNull::new(start.cast()).context("cannot map a file in memory")
}

impl Deref for SealedFile {
    type Target = [u8];

    fn deref(&self) -> &[u8] {
        // SAFETY: so many bytes are mapped from `start` on while this lives, of a file that is sealed against writing and
        // shortening; of an empty one there are none.
        unsafe { std::slice::from_raw_parts(self.start.as_ptr(), self.length) }
    }
}

impl Drop for SealedFile {
    fn drop(&mut self) {
        if self.length > 0 {
            // SAFETY: the mapping is this value's own, and references to it have ended.
            unsafe { libc::munmap(self.start.as_ptr().cast(), self.length) };
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::io::Write;
    use vm_memory::{Bytes, GuestAddress};

    #[test]
    fn what_was_filled_in_is_seen_and_stays() {
        let bytes: Vec<u8> = (0..10_000).map(|n| n as u8).collect();
        let sealed = SealedFile::new(c"test", |file| Ok(file.write_all(&bytes)?)).expect("made");
        assert!(sealed[..] == bytes[..]);
        let memory = memory::private(1 << 20).expect("memory");
        assert_eq!(sealed.map(&memory, 0x1000, &sealed), Some(8192));
        memory
            .write_obj(255_u8, GuestAddress(0x1000))
            .expect("writable");
        assert_eq!(sealed.map(&memory, 0x8000, &sealed[4096..9000]), Some(4096));
        assert_eq!(sealed.map(&memory, 0x8000, &sealed[1..9000]), None);
        assert_eq!(sealed.map(&memory, 0x8000, &bytes), None);
        let third: u8 = memory.read_obj(GuestAddress(0x8001)).expect("in memory");
        assert_eq!(third, bytes[4097]);
        sealed.forget();
        assert!(sealed[..] == bytes[..]);
        assert!(sealed.file().set_len(0).is_err());
        assert!(sealed.file().write_all(b"x").is_err());
        let second: u8 = memory.read_obj(GuestAddress(0x1001)).expect("in memory");
        assert_eq!(second, bytes[1]);
    }

    #[test]
    fn an_empty_file_has_no_bytes() {
        let sealed = SealedFile::new(c"test", |_| Ok(())).expect("made");
        sealed.forget();
        assert!(sealed.is_empty());
    }

    #[test]
    fn what_cannot_be_filled_is_not_made() {
        let failed = SealedFile::new(c"test", |_| anyhow::bail!("no"));
        assert_eq!(
            failed.err().map(|error| error.to_string()),
            Some("no".into())
        );
    }
}
