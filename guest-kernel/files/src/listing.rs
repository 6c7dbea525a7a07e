//! getdents(2).
use crate::description::{DescriptionId, Opened};
use crate::inode::{InodeId, Number};
use crate::proc::ProcSource;
use crate::{Files, PageStore};
use contract::Errno;
use core::mem::offset_of;
use linux_raw_sys::general as linux;

const NAME: usize = offset_of!(linux::linux_dirent64, d_name);
/// Where the name lies in the old `struct linux_dirent`.
const OLD_NAME: usize = 18;

/// What an entry looks like in memory.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Listing {
    /// `struct linux_dirent`, of getdents(2).
    Old,
    /// `struct linux_dirent64`, of getdents64.
    Wide,
}

/// An entry of a listing: its inode, its name, and the cursor behind it.
type Listed<'a> = (InodeId, &'a [u8], u64);

impl<S: PageStore> Files<S> {
    /// getdents(2): fills `into` with whole entries and moves the cursor behind them; 0 at the end. The
    /// kernel may ask again for the rest of a larger buffer.
    ///
    /// # Errors
    /// EBADF; ENOTDIR; EINVAL where not one entry fits; ENOENT in a directory that was removed.
    pub fn read_directory(
        &mut self,
        id: DescriptionId,
        processes: &dyn ProcSource,
        listing: Listing,
        into: &mut [u8],
    ) -> Result<usize, Errno> {
        let description = self.description(id)?;
        let directory = match description.opened {
            Opened::Directory(directory) => directory,
            Opened::Path(_) => return Err(Errno::EBADF),
            _ => return Err(Errno::ENOTDIR),
        };
        if let InodeId::Memory(number) = directory
            && !self.is_named(Number(number))
        {
            return Err(Errno::ENOENT);
        }
        let mut cursor = description.offset;
        let mut done = 0;
        loop {
            let mut digits = [0; 10];
            let next = match self.entry_at(directory, processes, cursor, &mut digits)? {
                None => break,
                Some((inode, name, next)) => {
                    let kind = self.entry_type(inode);
                    match put_entry(
                        listing,
                        &mut into[done..],
                        self.entry_number(inode),
                        next,
                        kind,
                        name,
                    ) {
                        Some(size) => done += size,
                        None if done == 0 => return Err(Errno::EINVAL),
                        None => break,
                    }
                    next
                }
            };
            cursor = next;
        }
        self.description_mut(id)?.offset = cursor;
        if let InodeId::Memory(number) = directory {
            self.note_access(Number(number));
        }
        Ok(done)
    }

    /// The entry at a cursor.
    fn entry_at<'a>(
        &'a self,
        directory: InodeId,
        processes: &dyn ProcSource,
        cursor: u64,
        digits: &'a mut [u8; 10],
    ) -> Result<Option<Listed<'a>>, Errno> {
        match cursor {
            0 => return Ok(Some((directory, b".", 1))),
            1 => return Ok(Some((self.parent(directory)?, b"..", 2))),
            _ => {}
        }
        match directory {
            InodeId::Memory(number) => {
                let Ok(from) = u32::try_from(cursor - 2) else {
                    return Ok(None);
                };
                let found = self.inode(Number(number))?.directory()?.next_from(from);
                Ok(found.map(|(place, entry)| {
                    (self.mounted(entry.inode), entry.name, u64::from(place) + 3)
                }))
            }
            InodeId::Proc(node) => Ok(node
                .entry(processes, cursor - 2)
                .map(|(child, name, next)| (InodeId::Proc(child), name.bytes(digits), next + 2))),
        }
    }

    fn entry_number(&self, id: InodeId) -> u64 {
        match id {
            InodeId::Memory(number) => u64::from(self.inodes.serial(Number(number))),
            InodeId::Proc(node) => node.number(),
        }
    }

    /// `d_type`: the file type bits of `st_mode`, shifted down.
    fn entry_type(&self, id: InodeId) -> u8 {
        let mode = match id {
            InodeId::Memory(number) => self.inodes.file_type(Number(number)),
            InodeId::Proc(node) => node.mode(),
        };
        ((mode & linux::S_IFMT) >> 12) as u8
    }
}

/// Writes one entry; its size, or `None` where it does not fit.
fn put_entry(
    listing: Listing,
    into: &mut [u8],
    inode: u64,
    next: u64,
    kind: u8,
    name: &[u8],
) -> Option<usize> {
    const ALIGNMENT: usize = align_of::<linux::linux_dirent64>();
    // The old one has the type at its very end, behind the name's NUL.
    let (name_at, size) = match listing {
        Listing::Wide => (NAME, (NAME + name.len() + 1).next_multiple_of(ALIGNMENT)),
        Listing::Old => (
            OLD_NAME,
            (OLD_NAME + name.len() + 2).next_multiple_of(ALIGNMENT),
        ),
    };
    let type_at = match listing {
        Listing::Wide => offset_of!(linux::linux_dirent64, d_type),
        Listing::Old => size - 1,
    };
    let entry = into.get_mut(..size)?;
    let mut put = |offset: usize, value: &[u8]| {
        entry[offset..offset + value.len()].copy_from_slice(value);
    };
    // Number, cursor and length lie alike in both.
    put(
        offset_of!(linux::linux_dirent64, d_ino),
        &inode.to_le_bytes(),
    );
    put(
        offset_of!(linux::linux_dirent64, d_off),
        &next.to_le_bytes(),
    );
    put(
        offset_of!(linux::linux_dirent64, d_reclen),
        &(size as u16).to_le_bytes(),
    );
    put(name_at, name);
    entry[name_at + name.len()..].fill(0);
    entry[type_at] = kind;
    Some(size)
}
