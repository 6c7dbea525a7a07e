//! Constants of this executable, mapped from its file where the guest wants them: nothing is copied, and what nobody
//! touches takes no memory. The mapping is private, so that the guest may write.

use crate::memory::{self, Memory};
use contract::PAGE_SIZE;
use std::fs::File;
use std::os::unix::fs::FileExt;

/// The file of this executable.
pub struct OwnFile {
    file: File,
    /// Its parts in memory.
    parts: Vec<Part>,
}

/// A part of the file that is mapped, and that nobody writes.
struct Part {
    address: usize,
    offset: usize,
    length: usize,
}

impl OwnFile {
    /// Opens it; `None` where that cannot be done, or what can be opened is another file: the loader where that was
    /// started and told to load this executable, or one that this has been unpacked from.
    pub fn open() -> Option<Self> {
        let file = File::open("/proc/self/exe").ok()?;
        let parts = parts();
        has_headers(&file, &parts).then_some(Self { file, parts })
    }

    /// Puts the whole pages of `data` at `at`, as [`memory::map_file`] does, and returns how many bytes that are. `None`
    /// where it cannot be done, or the data are not this executable's, or not on a page boundary here or there.
    pub fn map(&self, memory: &Memory, at: u64, data: &[u8]) -> Option<usize> {
        let start = data.as_ptr() as usize;
        if !start.is_multiple_of(PAGE_SIZE) {
            return None;
        }
        let offset = file_offset(&self.parts, start, data.len())?;
        // The file cannot be written while it is being executed.
        memory::map_file(memory, at, &self.file, offset, data.len())
    }

    /// Gives the host back the pages of `data`, which is embedded: whoever reads it again gets them from the file.
    pub fn forget(&self, data: &'static [u8]) {
        let start = (data.as_ptr() as usize).next_multiple_of(PAGE_SIZE);
        let end = (data.as_ptr() as usize + data.len()) / PAGE_SIZE * PAGE_SIZE;
        if start < end && file_offset(&self.parts, start, end - start).is_some() {
            // SAFETY: the pages are all `data`'s, constants of this executable: a private mapping of its file that nobody
            // writes, so that what is read again is the same.
            unsafe { libc::madvise(start as *mut _, end - start, libc::MADV_DONTNEED) };
        }
    }
}

/// Whether a file begins as this executable does in memory: with headers that say where its parts lie, and an identifier of
/// the build.
fn has_headers(file: &File, parts: &[Part]) -> bool {
    let Some(first) = parts.iter().find(|part| part.offset == 0) else {
        return false;
    };
    let length = first.length.min(PAGE_SIZE);
    // SAFETY: the part is mapped as long as the executable runs, and nobody writes it.
    let expected = unsafe { std::slice::from_raw_parts(first.address as *const u8, length) };
    let mut found = [0; PAGE_SIZE];
    let found = &mut found[..length];
    file.read_exact_at(found, 0).is_ok() && found == expected
}

/// Where in the file a range of memory lies, if one part has it all.
fn file_offset(parts: &[Part], start: usize, length: usize) -> Option<usize> {
    parts.iter().find_map(|part| {
        let inside = start.checked_sub(part.address)?;
        let fits = inside.checked_add(length)? <= part.length;
        fits.then_some(part.offset + inside)
    })
}

/// The parts of this executable, as its program headers have them (dl_iterate_phdr(3)).
fn parts() -> Vec<Part> {
    let mut parts = Vec::new();
    // SAFETY: the function is called before this returns, with this vector.
    unsafe { libc::dl_iterate_phdr(Some(add_parts), (&raw mut parts).cast()) };
    parts
}

/// Adds the parts of an object that is loaded. The first is the executable, and the others are not asked for.
unsafe extern "C" fn add_parts(
    object: *mut libc::dl_phdr_info,
    _size: libc::size_t,
    parts: *mut libc::c_void,
) -> libc::c_int {
    // SAFETY: `parts` hands over its vector, to which there is no other reference now.
    let parts = unsafe { &mut *parts.cast::<Vec<Part>>() };
    // SAFETY: the loader hands over a structure that is valid during the call.
    let object = unsafe { &*object };
    // SAFETY: the headers are mapped as long as the object is, and are as many as it says.
    let headers = unsafe { std::slice::from_raw_parts(object.dlpi_phdr, object.dlpi_phnum.into()) };
    let constants = |header: &&libc::Elf64_Phdr| {
        header.p_type == libc::PT_LOAD && header.p_flags & libc::PF_W == 0
    };
    parts.extend(headers.iter().filter(constants).map(|header| Part {
        address: (object.dlpi_addr + header.p_vaddr) as usize,
        offset: header.p_offset as usize,
        length: header.p_filesz as usize,
    }));
    1
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::image;
    use vm_memory::{Bytes, GuestAddress};

    #[test]
    fn the_offset_is_found() {
        let parts = [Part {
            address: 0x55d0_c000_0000,
            offset: 0x2000,
            length: 0x10_0000,
        }];
        let offset = |start, length| file_offset(&parts, start, length);
        assert_eq!(offset(0x55d0_c000_3000, 0x1000), Some(0x5000));
        assert_eq!(offset(0x55d0_c00f_f000, 0x2000), None);
        assert_eq!(offset(0x7ffc_0000_0000, 0x1000), None);
        assert_eq!(offset(0x1000, 0x1000), None);
    }

    #[test]
    fn another_file_is_told_apart() {
        let parts = parts();
        let has = |path| has_headers(&File::open(path).expect("it is there"), &parts);
        assert!(has("/proc/self/exe"));
        assert!(!has("/bin/sh"));
        assert!(!has("/dev/null"));
    }

    #[test]
    fn the_guest_sees_the_data_and_may_write_it() {
        let memory = memory::private(16 << 20).expect("memory");
        let at = 4 << 20;
        let data = image::initramfs();
        let own = OwnFile::open().expect("it is there");
        let mapped = own
            .map(&memory, at, data)
            .expect("it is in this executable");
        let mut seen = vec![0; mapped + 1];
        memory
            .read_slice(&mut seen, GuestAddress(at))
            .expect("in memory");
        assert!(seen[..mapped] == data[..mapped] && seen[mapped] == 0);
        memory.write_obj(7_u8, GuestAddress(at)).expect("writable");
        assert_ne!(data[0], 7);
    }

    #[test]
    fn what_is_not_in_the_file_is_not_mapped() {
        let memory = memory::private(16 << 20).expect("memory");
        let own = OwnFile::open().expect("it is there");
        let copy = vec![0_u8; 3 * PAGE_SIZE];
        let aligned = copy.as_ptr().align_offset(PAGE_SIZE);
        let copy = &copy[aligned..aligned + PAGE_SIZE];
        assert_eq!(own.map(&memory, 0, copy), None);
        assert_eq!(own.map(&memory, 1, image::initramfs()), None);
        assert_eq!(own.map(&memory, 16 << 20, image::initramfs()), None);
    }
}
