//! The kernel's half of every address space, and the way from physical addresses to pointers.
//!
//! ```text
//! 0xffff_8000_0000_0000   direct map of physical memory, RW NX (the image's text and constants R)
//! 0xffff_ffff_8000_0000   the image, see image_map.rs
//! 0xffff_ffff_bfe0_0000   the window, page by page:
//!     0  ring-3 stubs    RX  user   \
//!     1  save area       RW  user    > present only while a stub runs
//!     2  restore area    R   user   /
//!     8  local APIC      RW  uncached
//!     9  I/O APIC        RW  uncached
//! ```
use super::image_map::{END, KERNEL_BASE, RODATA, STACKS_END, TEXT};
use core::ops::Range;
use x86_64::PhysAddr;
use x86_64::structures::paging::PhysFrame;

/// First address of the direct map: PML4 slot 256.
pub const DIRECT_MAP: u64 = 0xffff_8000_0000_0000;

/// Bytes of physical memory that it has room for: those of one PML4 slot. RAM beyond is not used.
pub const DIRECT_MAP_SIZE: u64 = 512 << 30;

/// PML4 slot of the direct map.
pub const DIRECT_SLOT: usize = 256;
/// PML4 slot of the image and the window.
pub const IMAGE_SLOT: usize = 511;

/// First address of the window.
pub const WINDOW: u64 = KERNEL_BASE + 511 * 0x20_0000;

/// A page table's 512 entries.
pub type RawTable = [u64; 512];

unsafe extern "C" {
    static mut kernel_root: RawTable;
    static mut image_pdpt: RawTable;
    static mut window_pt: RawTable;
    static mut direct_pdpt: RawTable;
    static kernel_image_end: u8;
}

/// Where the byte at a physical address can be read and written.
#[inline]
pub const fn direct_map(address: PhysAddr) -> *mut u8 {
    (DIRECT_MAP + address.as_u64()) as *mut u8
}

/// The physical address of what `pointer` points at, in the direct map.
#[inline]
pub fn in_direct_map<T>(pointer: *const T) -> PhysAddr {
    PhysAddr::new_truncate((pointer as u64).wrapping_sub(DIRECT_MAP))
}

/// The physical address of what `pointer` points at, in the direct map or in the image.
#[inline]
pub fn physical_address<T>(pointer: *const T) -> PhysAddr {
    let address = pointer as u64;
    PhysAddr::new_truncate(if address >= KERNEL_BASE {
        address - KERNEL_BASE
    } else {
        address.wrapping_sub(DIRECT_MAP)
    })
}

/// The physical bytes that the image occupies, the unused ends of its parts included: whole pages.
pub fn image() -> [Range<u64>; 2] {
    let end = physical_address(&raw const kernel_image_end).as_u64();
    [
        RODATA..STACKS_END,
        TEXT..end.next_multiple_of(0x1000).min(END),
    ]
}

/// The kernel's own root: nothing in its user half.
pub fn kernel_root_frame() -> PhysFrame {
    let address = (&raw const kernel_root) as u64 - KERNEL_BASE;
    PhysFrame::containing_address(PhysAddr::new_truncate(address))
}

/// The entries of the kernel's half, as slot and entry: the same in every root, for good.
pub fn kernel_root_entries() -> [(usize, u64); 2] {
    let root = &raw const kernel_root;
    // SAFETY: the root is only written by `forget_identity_map`, on the one CPU.
    let root = unsafe { &*root };
    [
        (DIRECT_SLOT, root[DIRECT_SLOT]),
        (IMAGE_SLOT, root[IMAGE_SLOT]),
    ]
}

/// Takes away the mapping of low memory in which the first instructions ran.
pub fn forget_identity_map() {
    let (root, pdpt) = (&raw mut kernel_root, &raw mut image_pdpt);
    // SAFETY: the kernel runs in the upper half by now, and nothing else uses these two entries.
    unsafe {
        (*root)[0] = 0;
        (*pdpt)[0] = 0;
    }
    super::tlb::flush_all();
}

/// The direct map's PDPT, for boot to extend it to the RAM there is.
pub fn direct_map_pdpt() -> *mut RawTable {
    &raw mut direct_pdpt
}

/// Sets the window's page `index` to `entry`, zero for none.
#[inline]
pub fn set_window(index: usize, entry: u64) {
    // SAFETY: the window's pages are nobody's memory: only their owners in `arch` use them.
    unsafe {
        (&raw mut window_pt)
            .cast::<u64>()
            .add(index & 511)
            .write_volatile(entry)
    };
}

/// Address of the window's page `index`.
pub const fn window_page(index: usize) -> u64 {
    WINDOW + (index as u64) * 0x1000
}
