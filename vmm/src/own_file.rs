//! Data of this executable, mapped from its file where the guest wants it: nothing is copied, and what nobody touches
//! takes no memory. The mapping is private, so that the guest may write.

use crate::memory::Memory;
use contract::PAGE_SIZE;
use std::fs::File;
use std::os::fd::AsRawFd;
use vm_memory::{Bytes, GuestAddress, GuestMemoryBackend};

/// Puts `data` at `at`, both on a page boundary, by mapping. `None` where that cannot be done, and nothing has been.
///
/// The memory must not be shared with another process, which would not see it.
pub fn map(memory: &Memory, at: GuestAddress, data: &'static [u8]) -> Option<()> {
    let whole = data.len() / PAGE_SIZE * PAGE_SIZE;
    let start = data.as_ptr() as usize;
    if whole == 0 || !start.is_multiple_of(PAGE_SIZE) || !at.0.is_multiple_of(PAGE_SIZE as u64) {
        return None;
    }
    let maps = std::fs::read_to_string("/proc/self/maps").ok()?;
    let offset = file_offset(&maps, start, whole)?;
    let file = File::open("/proc/self/exe").ok()?;
    let target = memory.get_slice(at, data.len()).ok()?;
    let target = target.ptr_guard_mut().as_ptr();
    // What follows the data in its last page is not the guest's: that part is copied, and first, while nothing else
    // has changed.
    memory
        .write_slice(&data[whole..], GuestAddress(at.0 + whole as u64))
        .ok()?;
    // SAFETY: the range lies in guest memory, which is mapped and to which there are no references; a private mapping
    // of a file that is being executed, and so cannot be written, takes its place.
    let mapped = unsafe {
        libc::mmap(
            target.cast(),
            whole,
            libc::PROT_READ | libc::PROT_WRITE,
            libc::MAP_PRIVATE | libc::MAP_FIXED,
            file.as_raw_fd(),
            offset,
        )
    };
    (mapped == target.cast()).then_some(())
}

/// Gives the host back the pages of `data`, which is embedded: whoever reads it again gets them from the file.
pub fn forget(data: &'static [u8]) {
    let start = (data.as_ptr() as usize).next_multiple_of(PAGE_SIZE);
    let end = (data.as_ptr() as usize + data.len()) / PAGE_SIZE * PAGE_SIZE;
    if start < end {
        // SAFETY: the pages are all `data`'s, constants of this executable: a private mapping of its file that nobody
        // writes, so that what is read again is the same.
        unsafe { libc::madvise(start as *mut _, end - start, libc::MADV_DONTNEED) };
    }
}

/// Where in its file a range of mapped memory lies, if one mapping has it all.
fn file_offset(maps: &str, start: usize, length: usize) -> Option<libc::off_t> {
    maps.lines().find_map(|line| {
        let mut fields = line.split_ascii_whitespace();
        let (from, to) = fields.next()?.split_once('-')?;
        let _permissions = fields.next()?;
        let offset = u64::from_str_radix(fields.next()?, 16).ok()?;
        let (_device, inode) = (fields.next()?, fields.next()?);
        let (from, to) = (
            usize::from_str_radix(from, 16).ok()?,
            usize::from_str_radix(to, 16).ok()?,
        );
        let inside = from <= start && start.checked_add(length)? <= to && inode != "0";
        inside
            .then(|| libc::off_t::try_from(offset + (start - from) as u64).ok())
            .flatten()
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{image, memory};

    #[test]
    fn the_offset_is_found() {
        let maps = "55d0c0000000-55d0c0100000 r--p 00002000 fe:00 42    /usr/bin/cowbell\n\
            7ffc00000000-7ffc00021000 rw-p 00000000 00:00 0     [stack]\n";
        assert_eq!(file_offset(maps, 0x55d0_c000_3000, 0x1000), Some(0x5000));
        assert_eq!(file_offset(maps, 0x55d0_c00f_f000, 0x2000), None);
        assert_eq!(file_offset(maps, 0x7ffc_0000_0000, 0x1000), None);
    }

    #[test]
    fn the_guest_sees_the_data_and_may_write_it() {
        let memory = memory::private(16 << 20).expect("memory");
        let at = GuestAddress(4 << 20);
        let data = image::initramfs();
        map(&memory, at, data).expect("it is in this executable");
        let mut seen = vec![0; data.len() + 1];
        memory.read_slice(&mut seen, at).expect("in memory");
        assert!(seen[..data.len()] == *data && seen[data.len()] == 0);
        memory.write_obj(7_u8, at).expect("writable");
        assert_ne!(data[0], 7);
    }
}
