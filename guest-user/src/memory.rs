//! Memory from the kernel.
use crate::Result;
use crate::call::call;
use linux_raw_sys::general as raw;

/// Bytes in a page.
pub use contract::PAGE_SIZE;

/// Whether memory that is asked for counts as used.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Reserve {
    /// It does.
    Yes,
    /// It does not before it is touched: `MAP_NORESERVE`.
    No,
}

/// mmap(2) of fresh private memory, all zeros, in bytes; it stays until the process ends.
///
/// # Errors
/// Those of mmap(2), ENOMEM before all.
pub fn map(length: usize, reserve: Reserve) -> Result<&'static mut [u8]> {
    let reserve = match reserve {
        Reserve::Yes => 0,
        Reserve::No => raw::MAP_NORESERVE,
    };
    let flags = raw::MAP_PRIVATE | raw::MAP_ANONYMOUS | reserve;
    let protection = raw::PROT_READ | raw::PROT_WRITE;
    // SAFETY: without MAP_FIXED the kernel chooses addresses where nothing is mapped.
    let start = unsafe { call!(mmap, 0, length, protection, flags, -1_isize, 0) }?;
    // SAFETY: `length` bytes from `start` are mapped readable and writable, hold zeros, are nobody else's and
    // are never unmapped.
    Ok(unsafe {
        core::slice::from_raw_parts_mut(core::ptr::with_exposed_provenance_mut(start), length)
    })
}

/// madvise(2) with `MADV_NOHUGEPAGE`: backs memory with small pages alone.
///
/// # Errors
/// Those of madvise(2).
pub fn use_small_pages(memory: &mut [u8]) -> Result<()> {
    // SAFETY: the advice changes no contents.
    unsafe {
        call!(
            madvise,
            memory.as_mut_ptr(),
            memory.len(),
            raw::MADV_NOHUGEPAGE
        )
    }
    .map(drop)
}

/// Writes a byte, whatever the compiler thinks of its use: for its page fault.
pub fn touch(byte: &mut u8, value: u8) {
    // SAFETY: a reference is valid for a write.
    unsafe { core::ptr::from_mut(byte).write_volatile(value) }
}
