//! The guest's physical memory.
//!
//! ```text
//! 0x0000_0000 .. 0xC000_0000   RAM, as much as there is up to 3 GiB
//! 0xC000_0000 .. 1_0000_0000   devices: I/O APIC at 0xFEC0_0000, local APIC at 0xFEE0_0000
//! 1_0000_0000 ..               the rest of the RAM
//! ```
//! The same split as QEMU's microvm, so that a file behind the memory of either engine is read alike.

use anyhow::{Context, Result};
use contract::PAGE_SIZE;
use std::fs::File;
use std::os::fd::{AsRawFd, FromRawFd, OwnedFd};
use std::sync::Arc;
use vm_memory::mmap::MmapRegionBuilder;
use vm_memory::{FileOffset, GuestAddress, GuestMemoryBackend, GuestMemoryMmap, GuestRegionMmap};

/// First address of the devices.
pub const HOLE_START: u64 = 0xC000_0000;
/// First address after them.
pub const HOLE_END: u64 = 0x1_0000_0000;

/// Guest memory.
pub type Memory = GuestMemoryMmap<()>;

/// Machine sizes are multiples of it; QEMU rounds them so.
pub const SIZE_UNIT: u64 = 8192;

/// Bytes of memory that the host has, swap included (sysinfo(2)). Pages are taken as the guest touches them, so that
/// a machine may be larger than what is free now.
#[must_use]
pub fn host_size() -> Option<u64> {
    let mut info = std::mem::MaybeUninit::<libc::sysinfo>::uninit();
    // SAFETY: the structure is as large as sysinfo(2) writes.
    if unsafe { libc::sysinfo(info.as_mut_ptr()) } < 0 {
        return None;
    }
    // SAFETY: the call succeeded, so it is filled in.
    let info = unsafe { info.assume_init() };
    info.totalram
        .checked_add(info.totalswap)?
        .checked_mul(info.mem_unit.into())
}

/// Address and size of each piece of RAM, lowest first.
#[must_use]
pub fn layout(size: u64) -> Vec<(u64, u64)> {
    if size <= HOLE_START {
        vec![(0, size)]
    } else {
        vec![(0, HOLE_START), (HOLE_END, size - HOLE_START)]
    }
}

/// Memory of this process alone. Nothing is touched: pages come when the guest or the loader writes them.
///
/// # Errors
/// The host does not give that much address space.
pub fn private(size: u64) -> Result<Memory> {
    let flags = libc::MAP_PRIVATE | libc::MAP_ANONYMOUS | libc::MAP_NORESERVE;
    build(size, None, flags)
}

/// Memory in a file that another process can map, and that file.
///
/// # Errors
/// The host does not give the file or the address space.
pub fn shared(size: u64) -> Result<(Memory, Arc<File>)> {
    let file = Arc::new(anonymous_file(c"cowbell-memory")?);
    file.set_len(size)
        .with_context(|| format!("cannot make a memory file of {size} bytes"))?;
    let memory = build(size, Some(&file), libc::MAP_SHARED | libc::MAP_NORESERVE)?;
    Ok((memory, file))
}

/// Puts the whole pages of so many bytes of a file, from a page boundary in it on, at `at` by mapping, and returns how many
/// bytes that are: nothing is copied, and the guest may write, for the mapping is private. `None` where it cannot be done,
/// and nothing has been.
///
/// The memory must not be shared with another process, which would not see it; nobody may write or shorten the file.
pub fn map_file(
    memory: &Memory,
    at: u64,
    file: &File,
    offset: usize,
    length: usize,
) -> Option<usize> {
    let whole = length / PAGE_SIZE * PAGE_SIZE;
    let offset = libc::off_t::try_from(offset).ok()?;
    if whole == 0 || !at.is_multiple_of(PAGE_SIZE as u64) {
        return None;
    }
    let target = memory.get_slice(GuestAddress(at), whole).ok()?;
    let target = target.ptr_guard_mut().as_ptr();
    // SAFETY: the range lies in guest memory, which is mapped and to which there are no references; a private mapping of
    // a file that stays as it is takes its place.
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
    (mapped == target.cast()).then_some(whole)
}

fn build(size: u64, file: Option<&Arc<File>>, flags: i32) -> Result<Memory> {
    let mut regions = Vec::new();
    let mut offset = 0;
    for (start, length) in layout(size) {
        let mut builder = MmapRegionBuilder::new(usize::try_from(length)?)
            .with_mmap_prot(libc::PROT_READ | libc::PROT_WRITE)
            .with_mmap_flags(flags);
        if let Some(file) = file {
            builder = builder.with_file_offset(FileOffset::from_arc(Arc::clone(file), offset));
        }
        let region = builder
            .build()
            .with_context(|| format!("cannot map {length} bytes for the guest"))?;
        offset += length;
        // A machine that lives for milliseconds touches few pages; a huge one for each would be zeroed for nothing.
        // SAFETY: the range is the mapping just made; the advice changes no contents. A host without huge pages
        // refuses, which is as good.
        unsafe { libc::madvise(region.as_ptr().cast(), region.size(), libc::MADV_NOHUGEPAGE) };
        let region = GuestRegionMmap::new(region, GuestAddress(start))
            .context("guest memory ends beyond 64 bits")?;
        regions.push(region);
    }
    Memory::from_regions(regions).context("guest memory does not fit together")
}

/// A file without a name, in memory (memfd_create(2)), closed on exec, that may be sealed.
///
/// # Errors
/// As memfd_create.
pub fn anonymous_file(name: &std::ffi::CStr) -> Result<File> {
    // SAFETY: the name is a NUL-terminated string that outlives the call.
    let fd =
        unsafe { libc::memfd_create(name.as_ptr(), libc::MFD_CLOEXEC | libc::MFD_ALLOW_SEALING) };
    if fd < 0 {
        return Err(std::io::Error::last_os_error()).context("cannot make a file in memory");
    }
    // SAFETY: the descriptor is new and nobody else's.
    Ok(unsafe { OwnedFd::from_raw_fd(fd) }.into())
}
