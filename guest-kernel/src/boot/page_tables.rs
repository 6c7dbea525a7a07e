//! The kernel's page tables, written by the assembler.
//!
//! ```text
//! kernel_root   [0]   ── image_pdpt          until the first instruction in the upper half has run
//!               [256] ── direct_pdpt         0xffff_8000_0000_0000, the direct map
//!               [511] ── image_pdpt
//!
//! image_pdpt    [0] ── image_pd              until then, too
//!               [510] ── image_pd            0xffff_ffff_8000_0000
//! image_pd      [1] ── image_pt              the image: RX, R, guard pages, RW
//!               [511] ── window_pt           0xffff_ffff_bfe0_0000: ring-3 stubs, device registers
//!
//! direct_pdpt   [0] ── direct_pd             first GiB, 2 MiB pages; boot cuts it to the RAM there is
//!               [1..] by boot
//! direct_pd     [1] ── direct_image_pt       the image again: text and constants read-only
//! ```
//!
//! Accessed and dirty bits are set beforehand, so that the processor never writes to these tables. What
//! every process shares is global.
use crate::arch::image_map::{DATA, END, KERNEL_BASE, RODATA, STACKS, TEXT};
use x86_64::structures::paging::PageTableFlags as Flags;

const TABLE: u64 = Flags::PRESENT
    .union(Flags::WRITABLE)
    .union(Flags::ACCESSED)
    .bits();
const USER_TABLE: u64 = TABLE | Flags::USER_ACCESSIBLE.bits();
const TEXT_PAGE: u64 = Flags::PRESENT
    .union(Flags::ACCESSED)
    .union(Flags::GLOBAL)
    .bits();
const CONSTANT_PAGE: u64 = TEXT_PAGE | Flags::NO_EXECUTE.bits();
const DATA_PAGE: u64 = CONSTANT_PAGE | Flags::WRITABLE.bits() | Flags::DIRTY.bits();
const DATA_LARGE_PAGE: u64 = DATA_PAGE | Flags::HUGE_PAGE.bits();

core::arch::global_asm!(
    ".section .data.page_tables, \"aw\", @progbits",
    ".balign 4096",
    ".global kernel_root, image_pdpt, image_pd, image_pt, window_pt, direct_pdpt, direct_pd, page_tables_end",

    // `pages FROM, TO, FLAGS`: entries for the 4 KiB frames of a physical range.
    ".macro pages from, to, flags",
    "  .set frame, (\\from)",
    "  .rept ((\\to) - (\\from)) / 0x1000",
    "    .quad frame + \\flags",
    "    .set frame, frame + 0x1000",
    "  .endr",
    ".endm",

    "kernel_root:",
    "  .quad image_pdpt - {base} + {table}",
    "  .fill 255, 8, 0",
    "  .quad direct_pdpt - {base} + {table}",
    "  .fill 254, 8, 0",
    "  .quad image_pdpt - {base} + {user_table}",

    "image_pdpt:",
    "  .quad image_pd - {base} + {table}",
    "  .fill 509, 8, 0",
    "  .quad image_pd - {base} + {user_table}",
    "  .quad 0",

    "image_pd:",
    "  .quad 0",
    "  .quad image_pt - {base} + {table}",
    "  .fill 509, 8, 0",
    "  .quad window_pt - {base} + {user_table}",

    "image_pt:",
    "  pages {text}, {rodata}, {text_page}",
    "  pages {rodata}, {stacks}, {constant_page}",
    "  .quad 0",
    "  pages {stacks} + 0x1000, {stacks} + 0x9000, {data_page}",
    "  .quad 0",
    "  pages {stacks} + 0xa000, {stacks} + 0xc000, {data_page}",
    "  .quad 0",
    "  pages {stacks} + 0xd000, {stacks} + 0xf000, {data_page}",
    "  .quad 0",
    "  pages {data}, {end}, {data_page}",

    "window_pt:",
    "  .fill 512, 8, 0",

    "direct_pdpt:",
    "  .quad direct_pd - {base} + {table}",
    "  .fill 511, 8, 0",

    "direct_pd:",
    "  .quad {data_large_page}",
    "  .quad direct_image_pt - {base} + {table}",
    "  .set frame, 0x400000",
    "  .rept 510",
    "    .quad frame + {data_large_page}",
    "    .set frame, frame + 0x200000",
    "  .endr",

    "direct_image_pt:",
    "  pages {text}, {stacks}, {constant_page}",
    "  pages {stacks}, {end}, {data_page}",
    "page_tables_end:",
    ".text",
    base = const KERNEL_BASE,
    text = const TEXT,
    rodata = const RODATA,
    stacks = const STACKS,
    data = const DATA,
    end = const END,
    table = const TABLE,
    user_table = const USER_TABLE,
    text_page = const TEXT_PAGE,
    constant_page = const CONSTANT_PAGE,
    data_page = const DATA_PAGE,
    data_large_page = const DATA_LARGE_PAGE,
);

// The assembler's tables cover one 2 MiB region, and the stacks' pages are listed above one by one.
const _: () = assert!(TEXT == 0x20_0000 && END == TEXT + 0x20_0000 && DATA == STACKS + 0x1_0000);
