//! Memory: brk, mmap, munmap, mprotect, madvise.
use crate::kernel::Kernel;
use crate::memory::frames::{FRAMES, Use};
use crate::memory::heap;
use crate::memory::space::{AddressSpace, LOWEST_ADDRESS, USER_END};
use contract::{Errno, PAGE_SIZE};
use core::ops::Range;
use linux_raw_sys::general as linux;
use page_tree::Protection;

const PAGE: u64 = PAGE_SIZE as u64;

/// Tables that a mapping can need beside one for each 512 pages: both its ends, at each level.
const TABLES_OF_A_RANGE: u64 = 8;

/// The whole pages of `length` bytes from `address`, as Linux's calls check them.
fn pages(address: u64, length: u64) -> Option<Range<u64>> {
    let length = length.checked_next_multiple_of(PAGE)?;
    let end = address.checked_add(length)?;
    (address.is_multiple_of(PAGE) && end <= USER_END).then_some(address..end)
}

fn protection(bits: u64) -> Option<Protection> {
    Protection::from_bits(u8::try_from(bits).ok()?)
}

impl Kernel {
    fn space(&self) -> &AddressSpace {
        self.processes[self.current.process].space()
    }

    /// brk(2), the system call: answers the new break, or the present one on failure.
    pub fn brk(&self, wanted: u64) -> u64 {
        self.space().set_break(wanted)
    }

    /// mmap(2).
    pub fn mmap(
        &mut self,
        address: u64,
        length: u64,
        bits: u64,
        flags: u64,
        descriptor: u64,
    ) -> Result<u64, Errno> {
        let [.., offset] = self.processes[self.current.thread]
            .context
            .registers
            .arguments();
        const UNDERSTOOD: u32 = linux::MAP_TYPE
            | linux::MAP_FIXED
            | linux::MAP_FIXED_NOREPLACE
            | linux::MAP_ANONYMOUS
            | linux::MAP_NORESERVE
            | linux::MAP_STACK
            | linux::MAP_GROWSDOWN
            | linux::MAP_DENYWRITE
            | linux::MAP_EXECUTABLE
            | linux::MAP_LOCKED
            | linux::MAP_POPULATE
            | linux::MAP_NONBLOCK;
        let flags = flags as u32;
        if length == 0 || !offset.is_multiple_of(PAGE) {
            return Err(Errno::EINVAL);
        }
        let protection = protection(bits).ok_or(Errno::EINVAL)?;
        // MAP_SHARED of anonymous memory or of a file is not there yet.
        match flags & linux::MAP_TYPE {
            linux::MAP_PRIVATE => {}
            linux::MAP_SHARED | linux::MAP_SHARED_VALIDATE => return Err(Errno::ENOSYS),
            _ => return Err(Errno::EINVAL),
        }
        if flags & !UNDERSTOOD != 0 {
            return Err(Errno::EOPNOTSUPP);
        }
        let length = length.checked_next_multiple_of(PAGE).ok_or(Errno::ENOMEM)?;
        heap::require_reserve()?;
        let range = self.place(address, length, flags)?;
        if flags & linux::MAP_ANONYMOUS != 0 {
            self.space().reserve(range.clone(), protection)?;
        } else {
            self.map_file(&range, protection, descriptor, offset)?;
        }
        Ok(range.start)
    }

    /// Where a mapping goes.
    fn place(&self, address: u64, length: u64, flags: u32) -> Result<Range<u64>, Errno> {
        if flags & (linux::MAP_FIXED | linux::MAP_FIXED_NOREPLACE) != 0 {
            if !address.is_multiple_of(PAGE) {
                return Err(Errno::EINVAL);
            }
            let range = pages(address, length).ok_or(Errno::ENOMEM)?;
            if range.start < LOWEST_ADDRESS {
                return Err(Errno::EPERM);
            }
            if flags & linux::MAP_FIXED_NOREPLACE != 0 && !self.space().is_unmapped(&range) {
                return Err(Errno::EEXIST);
            }
            return Ok(range);
        }
        // A hint is taken where it is free.
        let hint = address
            .checked_next_multiple_of(PAGE)
            .filter(|&hint| hint >= LOWEST_ADDRESS);
        if let Some(range) = hint.and_then(|hint| pages(hint, length))
            && self.space().is_unmapped(&range)
        {
            return Ok(range);
        }
        let start = self.space().find_gap(length).ok_or(Errno::ENOMEM)?;
        Ok(start..start + length)
    }

    /// A private mapping of a file: a copy of its pages, made now.
    fn map_file(
        &mut self,
        range: &Range<u64>,
        protection: Protection,
        descriptor: u64,
        offset: u64,
    ) -> Result<(), Errno> {
        let inode = self.mappable_file(descriptor)?;
        let size = self.files.size(inode);
        let space = self.processes[self.current.process].space();
        let in_file = size.saturating_sub(offset).div_ceil(PAGE) * PAGE;
        let filled = range.start..range.end.min(range.start.saturating_add(in_file));
        // Before anything is replaced: a frame for each page, and for the tables above them.
        let pages = (filled.end - filled.start) / PAGE;
        if FRAMES.with(|frames| frames.available()) < pages + pages / 512 + TABLES_OF_A_RANGE {
            return Err(Errno::ENOMEM);
        }
        space.reserve(range.clone(), protection)?;
        for page in filled.step_by(PAGE_SIZE) {
            let Some(frame) = FRAMES.with(|frames| frames.allocate(Use::Page)) else {
                return Err(Errno::ENOMEM);
            };
            // SAFETY: the frame was just handed out, and nothing else refers to it.
            let bytes = unsafe {
                core::slice::from_raw_parts_mut(
                    crate::memory::direct_map(frame.start_address()),
                    PAGE_SIZE,
                )
            };
            let read = self
                .files
                .read_at(&self.pages, inode, offset + (page - range.start), bytes);
            bytes[read..].fill(0);
            if let Err(errno) = space.map_counted(page, frame, protection) {
                FRAMES.with(|frames| frames.free(frame, Use::Page));
                return Err(errno);
            }
        }
        Ok(())
    }

    /// munmap(2).
    pub fn munmap(&self, address: u64, length: u64) -> Result<u64, Errno> {
        let range = pages(address, length)
            .filter(|range| !range.is_empty())
            .ok_or(Errno::EINVAL)?;
        self.space().unmap(range)?;
        Ok(0)
    }

    /// mprotect(2).
    pub fn mprotect(&self, address: u64, length: u64, bits: u64) -> Result<u64, Errno> {
        if !address.is_multiple_of(PAGE) {
            return Err(Errno::EINVAL);
        }
        let protection = protection(bits).ok_or(Errno::EINVAL)?;
        if length == 0 {
            return Ok(0);
        }
        let range = pages(address, length).ok_or(Errno::ENOMEM)?;
        self.space().protect(range, protection)?;
        Ok(0)
    }

    /// madvise(2): what is only advice is taken note of by doing nothing; what changes contents is not
    /// there yet.
    pub fn madvise(&self, address: u64, length: u64, advice: u64) -> Result<u64, Errno> {
        let range = pages(address, length).ok_or(Errno::EINVAL)?;
        match advice as u32 {
            linux::MADV_NORMAL
            | linux::MADV_RANDOM
            | linux::MADV_SEQUENTIAL
            | linux::MADV_WILLNEED
            | linux::MADV_HUGEPAGE
            | linux::MADV_NOHUGEPAGE
            | linux::MADV_DONTDUMP
            | linux::MADV_DODUMP => Ok(0),
            linux::MADV_DONTNEED | linux::MADV_FREE if range.is_empty() => Ok(0),
            linux::MADV_DONTNEED | linux::MADV_FREE => {
                self.space().discard(range)?;
                Ok(0)
            }
            _ => Err(Errno::EINVAL),
        }
    }
}
