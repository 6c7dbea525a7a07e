//! Segments, task state and interrupt descriptors (Intel SDM volume 3, 3.4, 6.14, 7.7).
//!
//! ```text
//! 0x10 kernel code   0x18 kernel data   0x20   none (SYSRET counts from it)
//! 0x28|3 user data   0x30|3 user code   0x40   task state
//! ```
//!
//! There is no 32-bit code: SYSCALL from it would enter ring 0 elsewhere (CSTAR, on AMD).
use super::image_map::{DOUBLE_FAULT_STACK_TOP, KERNEL_BASE, NMI_STACK_TOP, TEXT};
use super::stubs::{EXCEPTIONS, STUB_SIZE};
use super::trap::vector;
use core::arch::asm;
use x86_64::VirtAddr;
use x86_64::structures::tss::TaskStateSegment;

pub const KERNEL_CODE: u16 = 0x10;
pub const KERNEL_DATA: u16 = 0x18;
/// Base of SYSRET's selectors: user data is 8 above it, user code 16.
pub const SYSRET_BASE: u16 = 0x23;
pub const USER_DATA: u16 = 0x2b;
pub const USER_CODE: u16 = 0x33;
const TASK_STATE: u16 = 0x40;

/// The descriptors; the task state's is filled in by [`load`].
pub static mut GDT: [u64; 10] = [
    0,
    0,
    0x00af_9b00_0000_ffff,
    0x00cf_9300_0000_ffff,
    0,
    0x00cf_f300_0000_ffff,
    0x00af_fb00_0000_ffff,
    0,
    0,
    0,
];
/// Limit of [`GDT`].
pub const GDT_LIMIT: u16 = size_of::<[u64; 10]>() as u16 - 1;

/// The one task state: its RSP0 is the end of the current process's saved registers. No I/O bitmap.
pub static mut TASK: TaskStateSegment = task_state();
/// Offset of RSP0 in [`TASK`].
pub const RSP0: usize = core::mem::offset_of!(TaskStateSegment, privilege_stack_table);

/// Interrupt stack table entry of the double fault, which a kernel stack overflow ends in.
const IST_DOUBLE_FAULT: usize = 1;
/// Interrupt stack table entry of what can come between any two instructions.
const IST_NMI: usize = 2;

const fn task_state() -> TaskStateSegment {
    let mut task = TaskStateSegment::new();
    task.interrupt_stack_table[IST_DOUBLE_FAULT - 1] =
        VirtAddr::new_truncate(KERNEL_BASE + DOUBLE_FAULT_STACK_TOP);
    task.interrupt_stack_table[IST_NMI - 1] = VirtAddr::new_truncate(KERNEL_BASE + NMI_STACK_TOP);
    task
}

// The interrupt descriptors, and those of the time while a ring-3 stub runs: up to #PF, which is what it can end in.
//
// A gate has its handler's address in pieces, which the linker cannot make of an address. But handlers lie in the first
// 64 KiB of the text: the lowest piece is how far from its start, and the others are the same for all.
core::arch::global_asm!(
    // To ring 0, with interrupts off; a stack of the interrupt stack table, and the ring whose `int` may use it.
    ".macro gate handler, stack=0, ring=0",
    "  .word \\handler - {text}, {code}",
    "  .byte \\stack, 0x8e | \\ring << 5",
    "  .word {text} >> 16 & 0xffff",
    "  .long {text} >> 32, 0",
    ".endm",
    ".macro exception vector, stack=0, ring=0",
    "  gate exception_stubs + (\\vector) * {stub_size}, \\stack, \\ring",
    ".endm",
    ".macro exceptions from, to",
    "  .set vector, \\from",
    "  .rept (\\to) - (\\from)",
    "    exception vector",
    "    .set vector, vector + 1",
    "  .endr",
    ".endm",

    ".section .rodata.gates, \"a\", @progbits",
    ".balign 16",
    "gates:",
    "exceptions 0, {nmi}",
    "exception {nmi}, {ist_nmi}",
    // `int3` and `int 4` are the program's own to use.
    "exception {breakpoint}, 0, 3",
    "exception {overflow}, 0, 3",
    "exceptions {overflow} + 1, {double_fault}",
    "exception {double_fault}, {ist_double_fault}",
    "exceptions {double_fault} + 1, {page_fault}",
    "gate page_fault_stub",
    "exceptions {page_fault} + 1, {machine_check}",
    "exception {machine_check}, {ist_nmi}",
    "exceptions {machine_check} + 1, {timer}",
    "gate timer_stub",
    "gate serial_stub",
    ".fill 2 * ({spurious} - {serial} - 1), 8, 0",
    "gate spurious_stub",
    "gates_end:",

    "stub_gates:",
    ".rept {invalid_opcode}",
    "  gate ring3_fault",
    ".endr",
    "gate ring3_finished",
    ".rept {page_fault} - {invalid_opcode} - 1",
    "  gate ring3_fault",
    ".endr",
    "gate ring3_page_fault",
    "stub_gates_end:",

    // What `lidt` reads.
    ".global gates_pointer, stub_gates_pointer",
    "gates_pointer:",
    ".word gates_end - gates - 1",
    ".quad gates",
    "stub_gates_pointer:",
    ".word stub_gates_end - stub_gates - 1",
    ".quad stub_gates",
    ".text",
    text = const KERNEL_BASE + TEXT,
    code = const KERNEL_CODE,
    stub_size = const STUB_SIZE,
    ist_double_fault = const IST_DOUBLE_FAULT,
    ist_nmi = const IST_NMI,
    nmi = const vector::NMI,
    breakpoint = const vector::BREAKPOINT,
    overflow = const vector::OVERFLOW,
    invalid_opcode = const vector::INVALID_OPCODE,
    double_fault = const vector::DOUBLE_FAULT,
    page_fault = const vector::PAGE_FAULT,
    machine_check = const vector::MACHINE_CHECK,
    timer = const vector::TIMER,
    serial = const vector::SERIAL,
    spurious = const vector::SPURIOUS,
);

// What the list above takes for granted.
const _: () = {
    assert!(TEXT.is_multiple_of(1 << 16));
    assert!(vector::BREAKPOINT == vector::NMI + 1 && vector::OVERFLOW == vector::NMI + 2);
    assert!(vector::TIMER == EXCEPTIONS && vector::SERIAL == vector::TIMER + 1);
};

/// Loads the descriptor tables and the task state.
pub fn load() {
    /// What lgdt reads.
    #[repr(C, packed(2))]
    struct TablePointer {
        limit: u16,
        base: u64,
    }
    // SAFETY: once at boot, on the one CPU; the tables are statics, and their handlers are `stubs`'.
    unsafe {
        let task = &raw const TASK as u64;
        let limit = size_of::<TaskStateSegment>() as u64 - 1;
        let gdt = &raw mut GDT;
        let available_task_state = 0x89 << 40;
        (*gdt)[8] =
            limit | (task & 0xff_ffff) << 16 | available_task_state | (task >> 24 & 0xff) << 56;
        (*gdt)[9] = task >> 32;
        let gdt_pointer = TablePointer {
            limit: GDT_LIMIT,
            base: gdt as u64,
        };
        asm!("lgdt [{}]", in(reg) &raw const gdt_pointer, options(readonly, nostack, preserves_flags));
        asm!(
            "lidt [rip + gates_pointer]",
            options(readonly, nostack, preserves_flags)
        );
        asm!("ltr {:x}", in(reg) TASK_STATE, options(nostack, preserves_flags));
    }
}

/// Where the processor saves the next trap from ring 3: one past the registers of the current process.
#[inline]
pub fn set_trap_frame_end(end: u64) {
    // SAFETY: one CPU; the field is not read through a reference anywhere.
    unsafe {
        (&raw mut TASK)
            .cast::<u8>()
            .add(RSP0)
            .cast::<u64>()
            .write_unaligned(end)
    };
}
