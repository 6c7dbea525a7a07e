//! Where the kernel image lies. Pure constants, read by `build.rs` too, which hands them to the linker.
//!
//! ```text
//! physical      virtual                                      mapped
//! 0x0020_0000   TEXT    768 KiB                              RX
//! 0x002c_0000   RODATA  256 KiB                              R  NX   (first page: the ring-3 stubs)
//! 0x0030_0000   STACKS  see below                            RW NX, guard pages not at all
//! 0x0031_0000   DATA    960 KiB, .data and .bss              RW NX
//! 0x0040_0000   END     the image's only page table ends here
//!
//! The stacks, page by page from STACKS:
//!  0       1 .. 9          9       10 .. 12       12      13 .. 15      15
//!  guard   kernel 32 KiB   guard   #DF 8 KiB      guard   NMI, #MC      guard
//! ```
//!
//! Each part begins at a fixed page, so that the assembler can write the page tables: nothing is mapped
//! at boot. What a part does not fill up is not touched either, and costs no memory on the host.

/// Virtual address of physical address 0 in the mapping of the image: PML4 slot 511.
pub const KERNEL_BASE: u64 = 0xffff_ffff_8000_0000;

/// Physical address of the text, on a 2 MiB boundary.
pub const TEXT: u64 = 0x0020_0000;
/// Physical address of the constants.
pub const RODATA: u64 = 0x002c_0000;
/// Physical address of the stacks.
pub const STACKS: u64 = 0x0030_0000;
/// Physical address of the variables.
pub const DATA: u64 = 0x0031_0000;
/// First physical address that the image's page table does not reach.
pub const END: u64 = 0x0040_0000;

/// Physical address one past the kernel stack.
pub const KERNEL_STACK_TOP: u64 = STACKS + 9 * 0x1000;
/// Physical address one past the stack of the double fault.
pub const DOUBLE_FAULT_STACK_TOP: u64 = STACKS + 12 * 0x1000;
/// Physical address one past the stack of NMI and machine check.
pub const NMI_STACK_TOP: u64 = STACKS + 15 * 0x1000;
