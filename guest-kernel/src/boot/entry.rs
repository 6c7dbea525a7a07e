//! The first instructions, and the notes that lead a monitor to them.
//!
//! Xen's PVH start (docs/misc/pvh.pandoc): 32-bit protected mode, flat segments, no paging, interrupts
//! off, EBX = physical address of `hvm_start_info`. All else is undefined.
use crate::arch::image_map::{KERNEL_BASE, KERNEL_STACK_TOP};
use crate::arch::segments::{self, KERNEL_CODE, KERNEL_DATA};
use crate::records;
use contract::records::NOTE_TYPE;

/// Type of the note that gives the 32-bit physical entry point (Xen's public `elfnote.h`).
const XEN_ELFNOTE_PHYS32_ENTRY: u32 = 18;

const CR4_PAE: u32 = 1 << 5;
const IA32_EFER: u32 = 0xc000_0080;
/// SCE, LME, NXE.
const EFER: u32 = 1 | 1 << 8 | 1 << 11;
/// PE, MP, ET, NE, WP, PG.
const CR0: u32 = 1 | 1 << 1 | 1 << 4 | 1 << 5 | 1 << 16 | 1 << 31;

core::arch::global_asm!(
    // Each note: name size, descriptor size, type, name, descriptor; padded to four bytes.
    ".section .note.Xen, \"a\", @note",
    ".balign 4",
    ".long 4, 8, {xen_note}",
    ".asciz \"Xen\"",
    ".quad pvh_entry - {base}",

    ".section .note.cowbell, \"a\", @note",
    ".balign 4",
    ".long 8, 32, {cowbell_note}",
    ".asciz \"cowbell\"",
    ".quad {counters} - {base}, {log} - {base}, {crash} - {base}, {channel} - {base}",

    ".section .text.boot, \"ax\", @progbits",
    ".code32",
    ".global pvh_entry",
    "pvh_entry:",
    // 1. The time of entry, in EBP:ESI until Rust takes it; start_info goes to EDI.
    "cld",
    "mov edi, ebx",
    "rdtsc",
    "mov esi, eax",
    "mov ebp, edx",
    // 2. Long mode, by the static tables: PAE, root, EFER, paging. Still in the identity map.
    "mov eax, {pae}",
    "mov cr4, eax",
    "mov eax, offset kernel_root - {base}",
    "mov cr3, eax",
    "mov ecx, {efer_msr}",
    "mov eax, {efer}",
    "xor edx, edx",
    "wrmsr",
    "mov eax, {cr0}",
    "mov cr0, eax",
    // 3. 64-bit code, by a far return through the kernel's own descriptor table.
    "lgdt [boot_gdt_pointer - {base}]",
    "mov esp, {stack_physical}",
    "push {code}",
    "mov eax, offset long_mode - {base}",
    "push eax",
    "retf",
    // 4. Up to where the kernel is linked.
    ".code64",
    "long_mode:",
    "movabs rax, offset upper_half",
    "jmp rax",
    "upper_half:",
    "mov rsp, {stack}",
    "mov eax, {data}",
    "mov ss, eax",
    "xor eax, eax",
    "mov ds, eax",
    "mov es, eax",
    "mov fs, eax",
    "mov gs, eax",
    // 5. start(start_info, tsc), RBP = 0 ends the chain of frames.
    "mov edi, edi",
    "shl rbp, 32",
    "mov esi, esi",
    "or rsi, rbp",
    "xor ebp, ebp",
    "call {start}",
    "ud2",
    ".section .rodata.boot, \"a\", @progbits",
    ".balign 8",
    "boot_gdt_pointer: .word {gdt_limit}",
    ".long {gdt} - {base}",
    ".text",
    base = const KERNEL_BASE,
    xen_note = const XEN_ELFNOTE_PHYS32_ENTRY,
    cowbell_note = const NOTE_TYPE,
    counters = sym records::COUNTERS,
    log = sym records::LOG,
    crash = sym records::CRASH,
    channel = sym records::CHANNEL,
    pae = const CR4_PAE,
    efer_msr = const IA32_EFER,
    efer = const EFER,
    cr0 = const CR0,
    stack_physical = const KERNEL_STACK_TOP,
    stack = const (KERNEL_BASE + KERNEL_STACK_TOP) as i64,
    code = const KERNEL_CODE,
    data = const KERNEL_DATA,
    gdt = sym segments::GDT,
    gdt_limit = const segments::GDT_LIMIT,
    start = sym super::start,
);
