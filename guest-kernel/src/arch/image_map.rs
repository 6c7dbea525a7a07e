//! Where the kernel image lies. Pure constants, read by `build.rs` too, which hands them to the linker.
//!
//! ```text
//! physical      virtual                                              mapped
//! 0x0010_0000   RODATA   256 KiB                                     R  NX  4 KiB pages (the first: ring-3 stubs)
//! 0x0014_0000   STACKS   of #DF, NMI and #MC, see below              RW NX  4 KiB pages, guard pages not at all
//! 0x0020_0000   TEXT     2 MiB                                       RX     one 2 MiB page
//! 0x0040_0000   DATA     2 MiB: kernel stack, then .data and .bss    RW NX  one 2 MiB page
//! 0x0060_0000   END
//!
//! The stacks of exceptions, page by page from STACKS:
//!  0       1 .. 3       3       4 .. 6        6
//!  guard   #DF 8 KiB    guard   NMI, #MC      guard
//! ```
//!
//! What runs all the time is in two large pages: an entry of the TLB each, and one level less to walk
//! when it is not there, for the processor as for a KVM that emulates ring 0. The kernel stack needs no
//! guard page: below it lies the page of the text, which nobody can write.
//!
//! Each part begins at a fixed place, so that the assembler can write the page tables: nothing is mapped
//! at boot. What a part does not fill up is not touched either, and costs no memory on the host.

/// Virtual address of physical address 0 in the mapping of the image: PML4 slot 511.
pub const KERNEL_BASE: u64 = 0xffff_ffff_8000_0000;

/// Physical address of the constants.
pub const RODATA: u64 = 0x0010_0000;
/// Physical address of the exceptions' stacks.
pub const STACKS: u64 = 0x0014_0000;
/// Physical address one past the exceptions' stacks.
pub const STACKS_END: u64 = STACKS + 7 * 0x1000;
/// Physical address of the text, on a 2 MiB boundary.
pub const TEXT: u64 = 0x0020_0000;
/// Physical address of the kernel stack and the variables, on a 2 MiB boundary.
pub const DATA: u64 = 0x0040_0000;
/// First physical address that is not of the image.
pub const END: u64 = 0x0060_0000;

/// Bytes of the kernel stack.
pub const KERNEL_STACK: u64 = 32 << 10;
/// Physical address one past the kernel stack.
pub const KERNEL_STACK_TOP: u64 = DATA + KERNEL_STACK;
/// Physical address one past the stack of the double fault.
pub const DOUBLE_FAULT_STACK_TOP: u64 = STACKS + 3 * 0x1000;
/// Physical address one past the stack of NMI and machine check.
pub const NMI_STACK_TOP: u64 = STACKS + 6 * 0x1000;
