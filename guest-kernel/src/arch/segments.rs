//! Segments, task state and interrupt descriptors (Intel SDM volume 3, 3.4, 6.14, 7.7).
//!
//! ```text
//! 0x10 kernel code   0x18 kernel data   0x20   none (SYSRET counts from it)
//! 0x28|3 user data   0x30|3 user code   0x40   task state
//! ```
//!
//! There is no 32-bit code: SYSCALL from it would enter ring 0 elsewhere (CSTAR, on AMD).
use super::image_map::{DOUBLE_FAULT_STACK_TOP, KERNEL_BASE, NMI_STACK_TOP};
use super::stubs::{self, EXCEPTIONS};
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
pub static mut TASK: TaskStateSegment = TaskStateSegment::new();
/// Offset of RSP0 in [`TASK`].
pub const RSP0: usize = core::mem::offset_of!(TaskStateSegment, privilege_stack_table);

/// Interrupt stack table entry of the double fault, which a kernel stack overflow ends in.
const IST_DOUBLE_FAULT: usize = 1;
/// Interrupt stack table entry of what can come between any two instructions.
const IST_NMI: usize = 2;

/// Descriptors for the 32 exceptions and for the interrupts up to [`vector::SPURIOUS`].
const VECTORS: usize = vector::SPURIOUS as usize + 1;
/// Exceptions that a ring-3 stub can end in: up to #PF.
const STUB_VECTORS: usize = vector::PAGE_FAULT as usize + 1;

/// A 64-bit interrupt gate.
#[repr(C)]
#[derive(Clone, Copy)]
struct Gate(u64, u64);

impl Gate {
    const NONE: Self = Self(0, 0);

    /// A gate to ring 0, interrupts off; `dpl` is the least privileged ring whose `int` may use it.
    const fn new(handler: u64, ist: usize, dpl: u64) -> Self {
        let present_interrupt_gate = 0x8e00 | dpl << 13;
        Self(
            handler & 0xffff
                | (KERNEL_CODE as u64) << 16
                | (ist as u64) << 32
                | present_interrupt_gate << 32
                | (handler & 0xffff_0000) << 32,
            handler >> 32,
        )
    }
}

static mut GATES: [Gate; VECTORS] = [Gate::NONE; VECTORS];
/// While a ring-3 stub runs.
static mut STUB_GATES: [Gate; STUB_VECTORS] = [Gate::NONE; STUB_VECTORS];

/// What lgdt and lidt read.
#[repr(C, packed(2))]
pub struct TablePointer {
    limit: u16,
    base: u64,
}

/// For `lidt`, in the assembly that runs a ring-3 stub.
pub static mut GATES_POINTER: TablePointer = TablePointer { limit: 0, base: 0 };
/// For `lidt`, in the assembly that runs a ring-3 stub.
pub static mut STUB_GATES_POINTER: TablePointer = TablePointer { limit: 0, base: 0 };

/// Loads the descriptor tables and the task state.
pub fn load() {
    // SAFETY: once at boot, on the one CPU; the tables are statics, and their handlers are `stubs`'.
    unsafe {
        let task = &raw const TASK as u64;
        let limit = size_of::<TaskStateSegment>() as u64 - 1;
        let gdt = &raw mut GDT;
        let available_task_state = 0x89 << 40;
        (*gdt)[8] =
            limit | (task & 0xff_ffff) << 16 | available_task_state | (task >> 24 & 0xff) << 56;
        (*gdt)[9] = task >> 32;
        let stacks = &raw mut TASK.interrupt_stack_table;
        let top = |physical| VirtAddr::new_truncate(KERNEL_BASE + physical);
        stacks
            .cast::<VirtAddr>()
            .add(IST_DOUBLE_FAULT - 1)
            .write_unaligned(top(DOUBLE_FAULT_STACK_TOP));
        stacks
            .cast::<VirtAddr>()
            .add(IST_NMI - 1)
            .write_unaligned(top(NMI_STACK_TOP));

        let (gates, stub_gates) = (&raw mut GATES, &raw mut STUB_GATES);
        fill_gates(&mut *gates, &mut *stub_gates);
        GATES_POINTER = TablePointer {
            limit: size_of::<[Gate; VECTORS]>() as u16 - 1,
            base: &raw const GATES as u64,
        };
        STUB_GATES_POINTER = TablePointer {
            limit: size_of::<[Gate; STUB_VECTORS]>() as u16 - 1,
            base: &raw const STUB_GATES as u64,
        };
        let gdt_pointer = TablePointer {
            limit: GDT_LIMIT,
            base: gdt as u64,
        };
        asm!("lgdt [{}]", in(reg) &raw const gdt_pointer, options(readonly, nostack, preserves_flags));
        asm!("lidt [{}]", in(reg) &raw const GATES_POINTER, options(readonly, nostack, preserves_flags));
        asm!("ltr {:x}", in(reg) TASK_STATE, options(nostack, preserves_flags));
    }
}

fn fill_gates(gates: &mut [Gate; VECTORS], stub_gates: &mut [Gate; STUB_VECTORS]) {
    // The common ones first, in a short loop: this is a good part of what boot costs.
    for (number, gate) in (0..EXCEPTIONS).zip(gates.iter_mut()) {
        *gate = Gate::new(stubs::exception(number), 0, 0);
    }
    for (number, ist, dpl) in [
        (vector::DOUBLE_FAULT, IST_DOUBLE_FAULT, 0),
        (vector::NMI, IST_NMI, 0),
        (vector::MACHINE_CHECK, IST_NMI, 0),
        // `int3` and `int 4` are the program's own to use.
        (vector::BREAKPOINT, 0, 3),
        (vector::OVERFLOW, 0, 3),
    ] {
        gates[usize::from(number)] = Gate::new(stubs::exception(number), ist, dpl);
    }
    for (number, stub) in stubs::own() {
        gates[usize::from(number)] = Gate::new(stub, 0, 0);
    }
    for (number, gate) in stub_gates.iter_mut().enumerate() {
        *gate = Gate::new(super::ring3::handler(number as u8), 0, 0);
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
