//! What this binary carries: the kernel and the root file system, built by its build script.

/// Data that starts on a page, so that the host can map it where the guest wants it.
#[repr(C, align(4096))]
struct PageAligned<T: ?Sized>(T);

static KERNEL: &PageAligned<[u8]> =
    &PageAligned(*include_bytes!(concat!(env!("OUT_DIR"), "/kernel.elf")));
static INITRAMFS: &PageAligned<[u8]> =
    &PageAligned(*include_bytes!(concat!(env!("OUT_DIR"), "/initramfs.cpio")));

/// The guest kernel's ELF.
#[must_use]
pub fn kernel() -> &'static [u8] {
    &KERNEL.0
}

/// The initramfs, a cpio archive.
#[must_use]
pub fn initramfs() -> &'static [u8] {
    &INITRAMFS.0
}
