//! The kernel's own end: the crash record, a line in the log, and the machine stops.
use super::context::UserRegisters;
use super::{control, machine};
use crate::log;
use crate::records::CRASH;
use contract::records::CrashRecord;
use contract::status::Exit;
use core::arch::asm;

/// An exception in ring 0, or one that nobody can go on from.
pub extern "C" fn on_exception(registers: &UserRegisters) -> ! {
    let r = registers;
    let cr2 = control::read_cr2();
    CRASH.store(CrashRecord {
        valid: 1,
        vector: r.vector,
        error: r.error,
        rip: r.rip,
        rsp: r.rsp,
        rflags: r.rflags,
        rbp: r.rbp,
        cr2,
        cr3: control::read_cr3(),
        general: [
            r.rax, r.rbx, r.rcx, r.rdx, r.rsi, r.rdi, r.r8, r.r9, r.r10, r.r11, r.r12, r.r13,
            r.r14, r.r15,
        ],
    });
    log!(
        "kernel exception {} error {:#x} at {:#x}, rsp {:#x}, cr2 {:#x}",
        r.vector,
        r.error,
        r.rip,
        r.rsp,
        cr2
    );
    machine::exit(Exit::Panic)
}

/// A panic in Rust code.
#[panic_handler]
fn on_panic(info: &core::panic::PanicInfo) -> ! {
    let (rip, rsp, rbp, rflags): (u64, u64, u64, u64);
    // SAFETY: reads registers alone; the push and pop are balanced.
    unsafe {
        asm!("lea {}, [rip]", "mov {}, rsp", "mov {}, rbp", "pushfq", "pop {}",
            out(reg) rip, out(reg) rsp, out(reg) rbp, out(reg) rflags);
    }
    CRASH.store(CrashRecord {
        valid: 1,
        vector: u64::MAX,
        error: 0,
        rip,
        rsp,
        rflags,
        rbp,
        cr2: control::read_cr2(),
        cr3: control::read_cr3(),
        general: [0; 14],
    });
    log!("kernel {info}");
    machine::exit(Exit::Panic)
}
