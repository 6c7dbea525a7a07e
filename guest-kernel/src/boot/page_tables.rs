//! The kernel's page tables, written by the assembler.
//!
//! ```text
//! kernel_root   [0]   ── image_pdpt          until the first instruction in the upper half has run
//!               [256] ── direct_pdpt         0xffff_8000_0000_0000, the direct map
//!               [511] ── image_pdpt
//!
//! image_pdpt    [0] ── image_pd              until then, too
//!               [510] ── image_pd            0xffff_ffff_8000_0000
//! image_pd      [0] ── low_pt                constants R, stacks of exceptions with guard pages
//!               [1]                          text, a 2 MiB page, RX
//!               [2]                          kernel stack and variables, a 2 MiB page, RW
//!               [511] ── window_pt           0xffff_ffff_bfe0_0000: ring-3 stubs, device registers
//!
//! direct_pdpt   [0] ── direct_pd             first GiB, 2 MiB pages, RAM or not
//!               [1..] by boot
//! direct_pd     [0] ── direct_low_pt         constants read-only
//!               [1]                          text read-only
//! ```
//!
//! Accessed and dirty bits are set beforehand, so that the processor never writes to these tables. What
//! every process shares is global.
use crate::arch::image_map::{DATA, END, KERNEL_BASE, RODATA, STACKS, STACKS_END, TEXT};
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
const TEXT_LARGE_PAGE: u64 = TEXT_PAGE | Flags::HUGE_PAGE.bits();
const CONSTANT_LARGE_PAGE: u64 = CONSTANT_PAGE | Flags::HUGE_PAGE.bits();
const DATA_LARGE_PAGE: u64 = DATA_PAGE | Flags::HUGE_PAGE.bits();

core::arch::global_asm!(
    ".section .data.page_tables, \"aw\", @progbits",
    ".balign 4096",
    ".global kernel_root, image_pdpt, image_pd, low_pt, window_pt, direct_pdpt, page_tables_end",

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
    "  .quad low_pt - {base} + {table}",
    "  .quad {text} + {text_large_page}",
    "  .quad {data} + {data_large_page}",
    "  .fill 508, 8, 0",
    "  .quad window_pt - {base} + {user_table}",

    "low_pt:",
    "  .fill {rodata} / 0x1000, 8, 0",
    "  pages {rodata}, {stacks}, {constant_page}",
    "  .quad 0",
    "  pages {stacks} + 0x1000, {stacks} + 0x3000, {data_page}",
    "  .quad 0",
    "  pages {stacks} + 0x4000, {stacks} + 0x6000, {data_page}",
    "  .quad 0",
    "  .fill ({text} - {stacks_end}) / 0x1000, 8, 0",

    "window_pt:",
    "  .fill 512, 8, 0",

    "direct_pdpt:",
    "  .quad direct_pd - {base} + {table}",
    "  .fill 511, 8, 0",

    "direct_pd:",
    "  .quad direct_low_pt - {base} + {table}",
    "  .quad {text} + {constant_large_page}",
    "  .set frame, {data}",
    "  .rept 510",
    "    .quad frame + {data_large_page}",
    "    .set frame, frame + 0x200000",
    "  .endr",

    "direct_low_pt:",
    "  pages 0, {rodata}, {data_page}",
    "  pages {rodata}, {stacks}, {constant_page}",
    "  pages {stacks}, {text}, {data_page}",
    "page_tables_end:",
    ".text",
    base = const KERNEL_BASE,
    text = const TEXT,
    rodata = const RODATA,
    stacks = const STACKS,
    stacks_end = const STACKS_END,
    data = const DATA,
    table = const TABLE,
    user_table = const USER_TABLE,
    constant_page = const CONSTANT_PAGE,
    data_page = const DATA_PAGE,
    text_large_page = const TEXT_LARGE_PAGE,
    constant_large_page = const CONSTANT_LARGE_PAGE,
    data_large_page = const DATA_LARGE_PAGE,
);

// What the assembler's tables take for granted; the stacks' pages are listed above one by one.
const _: () = assert!(TEXT == 0x20_0000 && DATA == 0x40_0000 && END == 0x60_0000);
const _: () = assert!(STACKS_END == STACKS + 0x7000 && STACKS_END <= TEXT);
