//! Into the kernel and out of it.
//!
//! The processor and `stubs.rs` save a program's registers straight into the current
//! [`UserContext`](super::context::UserContext): RSP0 points one past them. Then everything runs on the
//! one kernel stack, from its top, and [`crate::on_system_call`], [`crate::on_page_fault`] or
//! [`crate::on_trap`] decides; what is then current goes on.
//!
//! A trap out of ring 0 is an interrupt in `idle`, or a bug in the kernel ([`super::crash`]). It stays on
//! the stack it came on: whatever red zone precompiled code had there is lost, and not missed, because
//! nothing ever returns into it.
use super::context::UserRegisters;
use super::crash;
use super::segments::{USER_CODE, USER_DATA};
use crate::system_calls::Outcome;

/// Vectors of exceptions (Intel SDM volume 3, 6.3.1) and of this kernel's interrupts.
pub mod vector {
    pub const NMI: u8 = 2;
    pub const BREAKPOINT: u8 = 3;
    pub const OVERFLOW: u8 = 4;
    pub const INVALID_OPCODE: u8 = 6;
    pub const DOUBLE_FAULT: u8 = 8;
    pub const GENERAL_PROTECTION: u8 = 13;
    pub const PAGE_FAULT: u8 = 14;
    pub const MACHINE_CHECK: u8 = 18;
    pub const TIMER: u8 = 0x20;
    pub const SERIAL: u8 = 0x21;
    pub const SPURIOUS: u8 = 0x2f;
}

/// What brought a program into the kernel, other than system calls and page faults, which have ways of
/// their own. Its registers are in its `UserContext`.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Trap {
    /// An exception other than a page fault.
    Exception {
        /// Its vector.
        vector: u8,
        /// Its error code, zero where it has none.
        error: u64,
    },
    /// The local APIC's timer.
    Timer,
    /// The UART has input.
    Serial,
}

/// How the program that a page fault interrupted goes on; the stub looks at it.
#[repr(u64)]
pub enum Goes {
    /// With the instruction that faulted, none of its registers changed.
    Straight = STRAIGHT,
    /// As `UserContext` says, or not at all.
    Elsewhere,
}

/// [`Goes::Straight`], for the stub.
pub(super) const STRAIGHT: u64 = 0;

/// In [`UserRegisters::vector`]: this trap was a system call.
pub const SYSTEM_CALL: u64 = 0x100;

/// Flags that a program may set for itself (CF PF AF ZF SF TF DF OF NT RF AC ID). Not IF, not IOPL.
pub const USER_FLAGS: u64 = 0x25_4dd5;
/// Flags that are always set in ring 3: IF and the reserved bit 1.
pub const FIXED_FLAGS: u64 = 0x202;
/// What SYSCALL clears: TF IF DF IOPL NT RF AC.
pub const SYSTEM_CALL_FLAGS_CLEARED: u64 = 0x5_7700;

/// Whether #PF at the system call entry is a system call; see `probe`. A byte for the assembly.
pub static mut SYSTEM_CALL_BY_FAULT: u8 = 0;

/// Enters the current process, and gives up the kernel stack.
pub(super) fn enter_current() -> ! {
    // SAFETY: `context::switch_to` has made a process current, whose registers are those of ring 3.
    unsafe { super::stubs::return_to_user() }
}

pub(super) extern "C" fn on_system_call(
    number: u64,
    a: u64,
    b: u64,
    c: u64,
    d: u64,
    e: u64,
) -> Outcome {
    crate::on_system_call(number, [a, b, c, d, e])
}

/// A system call whose outcome is not `Outcome::Return`.
pub(super) extern "C" fn finish_system_call(outcome: Outcome) {
    crate::finish_system_call(outcome);
}

/// A page fault out of ring 3.
pub(super) extern "C" fn on_page_fault(address: u64, error: u64) -> Goes {
    crate::on_page_fault(address, error)
}

pub(super) extern "C" fn on_exception(registers: &mut UserRegisters) {
    // A host that runs ring 3 on descriptors of its own lets a program load others: IRETQ, on these, must
    // not fault.
    registers.cs = u64::from(USER_CODE);
    registers.ss = u64::from(USER_DATA);
    let trap = match registers.vector as u8 {
        vector::TIMER => {
            super::apic::end_of_interrupt();
            Trap::Timer
        }
        vector::SERIAL => {
            super::apic::end_of_interrupt();
            Trap::Serial
        }
        // These two come on a stack of their own: the current process's registers were not saved.
        vector::NMI | vector::MACHINE_CHECK | vector::DOUBLE_FAULT => {
            crash::on_exception(registers)
        }
        number => Trap::Exception {
            vector: number,
            error: registers.error,
        },
    };
    crate::on_trap(trap);
}
