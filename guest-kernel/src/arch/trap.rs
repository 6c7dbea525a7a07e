//! Into the kernel and out of it.
//!
//! The processor and the stubs below save a program's registers straight into the current
//! [`UserContext`](super::context::UserContext): RSP0 points one past them. Then everything runs on the
//! one kernel stack, from its top, and [`crate::on_trap`] decides; what is then current goes on.
//!
//! A trap out of ring 0 is an interrupt in `idle`, or a bug in the kernel ([`super::crash`]). It stays on
//! the stack it came on: whatever red zone precompiled code had there is lost, and not missed, because
//! nothing ever returns into it.
use super::context::UserRegisters;
use super::image_map::{KERNEL_BASE, KERNEL_STACK_TOP};
use super::segments::{RSP0, TASK, USER_CODE, USER_DATA};
use super::{crash, interrupts};
use core::mem::offset_of;

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

/// What brought a program into the kernel. Its registers are in its `UserContext`.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Trap {
    /// A system call: number in RAX, arguments in RDI RSI RDX R10 R8 R9.
    SystemCall,
    /// A page fault at `address`; `error` is the processor's (present 1, write 2, user 4, fetch 16).
    PageFault {
        /// CR2.
        address: u64,
        /// Error code.
        error: u64,
    },
    /// Any other exception.
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

/// Error code of an instruction fetch from ring 3 from a page of ring 0: present, user, fetch.
const FETCH_FROM_KERNEL: u64 = 0x15;

const SIZE: usize = size_of::<UserRegisters>();

/// Offset of a saved register from the end of [`UserRegisters`].
macro_rules! from_end {
    ($field:ident) => {
        offset_of!(UserRegisters, $field) as i64 - SIZE as i64
    };
}

unsafe extern "C" {
    /// Where LSTAR points.
    pub safe fn system_call_entry();
    safe fn exception_stubs();
    safe fn page_fault_stub();
    safe fn timer_stub();
    safe fn serial_stub();
    safe fn spurious_stub();
    fn return_to_user() -> !;
}

/// Bytes from one of the 32 exception stubs to the next.
const STUB_SIZE: u64 = 16;

/// Address of the handler of a vector; `None` where no gate is to be.
pub fn handler(number: u8) -> Option<u64> {
    let stub: extern "C" fn() = match number {
        vector::PAGE_FAULT => page_fault_stub,
        vector::TIMER => timer_stub,
        vector::SERIAL => serial_stub,
        vector::SPURIOUS => spurious_stub,
        0..32 => {
            return Some(exception_stubs as *const () as u64 + u64::from(number) * STUB_SIZE);
        }
        _ => return None,
    };
    Some(stub as *const () as u64)
}

/// Enters the current process, and gives up the kernel stack.
pub(super) fn enter_current() -> ! {
    // SAFETY: `context::switch_to` has made a process current, whose registers are those of ring 3.
    unsafe { return_to_user() }
}

extern "C" fn on_system_call() {
    crate::on_trap(Trap::SystemCall);
}

extern "C" fn on_exception(registers: &mut UserRegisters) {
    // A host that runs ring 3 on descriptors of its own lets a program load others: IRETQ, on these, must
    // not fault.
    registers.cs = u64::from(USER_CODE);
    registers.ss = u64::from(USER_DATA);
    let trap = match registers.vector as u8 {
        vector::PAGE_FAULT => Trap::PageFault {
            address: super::control::read_cr2(),
            error: registers.error,
        },
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

core::arch::global_asm!(
    ".global system_call_entry, exception_stubs, page_fault_stub, timer_stub, serial_stub",
    ".global spurious_stub, return_to_user",

    ".macro save_general",
    "  push rax",
    "  push rcx",
    "  push rdx",
    "  push rbx",
    "  push rbp",
    "  push rsi",
    "  push rdi",
    "  push r8",
    "  push r9",
    "  push r10",
    "  push r11",
    "  push r12",
    "  push r13",
    "  push r14",
    "  push r15",
    ".endm",

    // From RSP, one past the saved registers; RSP itself is left alone.
    ".macro load_general_but_rcx_r11",
    "  mov rax, [rsp + {rax}]",
    "  mov rdx, [rsp + {rdx}]",
    "  mov rbx, [rsp + {rbx}]",
    "  mov rbp, [rsp + {rbp}]",
    "  mov rsi, [rsp + {rsi}]",
    "  mov rdi, [rsp + {rdi}]",
    "  mov r8, [rsp + {r8}]",
    "  mov r9, [rsp + {r9}]",
    "  mov r10, [rsp + {r10}]",
    "  mov r12, [rsp + {r12}]",
    "  mov r13, [rsp + {r13}]",
    "  mov r14, [rsp + {r14}]",
    "  mov r15, [rsp + {r15}]",
    ".endm",

    // ---- System call, by the instruction -------------------------------------------------------
    // The processor: RCX = return address, R11 = flags, FMASK applied; RSP is still the program's.
    ".balign 64",
    "system_call_entry:",
    // 1. RSP to the end of the current registers.
    "mov [rip + user_rsp], rsp",
    "mov rsp, [rip + {task} + {rsp0}]",
    // 2. What the processor pushes for an interrupt; RAX again, for it is overwritten by the result.
    "push {user_data}",
    "push [rip + user_rsp]",
    "push r11",
    "push {user_code}",
    "push rcx",
    "push rax",
    "push {system_call}",
    "save_general",
    // 3. The kernel stack.
    "mov rsp, {stack}",
    "2:",
    "call {on_system_call}",

    // ---- Back to ring 3 ------------------------------------------------------------------------
    "return_to_user:",
    "mov rsp, [rip + {task} + {rsp0}]",
    // 1. SYSRET takes RIP from RCX and the flags from R11: good where they are to be the same, as after
    //    a system call, and the address is canonical (else #GP in ring 0, on Intel).
    "mov rcx, [rsp + {rip}]",
    "cmp rcx, [rsp + {rcx}]",
    "jne 4f",
    "mov r11, [rsp + {rflags}]",
    "cmp r11, [rsp + {r11}]",
    "jne 4f",
    "mov rax, rcx",
    "shr rax, 47",
    "jne 4f",
    "load_general_but_rcx_r11",
    "mov rsp, [rsp + {rsp}]",
    "sysretq",
    // 2. Everything else by IRETQ, which takes what the processor pushed.
    "4:",
    "mov rcx, [rsp + {rip}]",
    "shr rcx, 47",
    "jne 5f",
    "load_general_but_rcx_r11",
    "mov rcx, [rsp + {rcx}]",
    "mov r11, [rsp + {r11}]",
    "sub rsp, 40",
    "iretq",
    // 3. A non-canonical RIP would be #GP in IRETQ: the program gets the exception instead.
    "5:",
    "mov qword ptr [rsp + {vector}], {general_protection}",
    "mov qword ptr [rsp + {error}], 0",
    "lea rdi, [rsp - {size}]",
    "mov rsp, {stack}",
    "call {on_exception}",
    "jmp return_to_user",

    // ---- Exceptions ----------------------------------------------------------------------------
    // One stub a vector: an error code where the processor gives none, and the vector.
    ".balign 16",
    "exception_stubs:",
    ".set number, 0",
    ".rept 32",
    "  .balign 16",
    "  .if (0x60227d00 >> number) & 1",
    "  .else",
    "    push 0",
    "  .endif",
    "  push number",
    "  jmp exception",
    "  .set number, number + 1",
    ".endr",

    ".balign 16",
    "exception:",
    "save_general",
    "6:",
    "test byte ptr [rsp + {cs} + {size}], 3",
    "je 8f",
    // 1. The kernel stack, and flags as the kernel wants them: a program may have left DF or AC set.
    "mov rdi, rsp",
    "mov rsp, {stack}",
    "push 2",
    "popfq",
    // 2. Decide, and go on with what is then current.
    "call {on_exception}",
    "jmp return_to_user",

    // ---- Page faults, and system calls that come as such -----------------------------------------
    // Where SYSCALL does not raise the privilege, its target is fetched from ring 3: #PF.
    ".balign 16",
    "page_fault_stub:",
    "push {page_fault}",
    "save_general",
    "cmp dword ptr [rsp + {error} + {size}], {fetch_from_kernel}",
    "jne 6b",
    "cmp byte ptr [rip + {by_fault}], 0",
    "je 6b",
    "mov rax, cr2",
    "cmp rax, offset system_call_entry",
    "jne 6b",
    // 1. A program can also jump here, with anything in RCX and R11: that is a call too, if the return
    //    address is one, and with the flags it may have.
    "mov rax, rcx",
    "shr rax, 47",
    "jne 6b",
    "and r11, {user_flags}",
    "or r11, {fixed_flags}",
    // 2. The frame that the instruction's own entry would have saved.
    "mov rax, [rsp + {rax} + {size}]",
    "mov [rsp + {error} + {size}], rax",
    "mov qword ptr [rsp + {vector} + {size}], {system_call}",
    "mov [rsp + {rip} + {size}], rcx",
    "mov qword ptr [rsp + {cs} + {size}], {user_code}",
    "mov qword ptr [rsp + {ss} + {size}], {user_data}",
    "mov [rsp + {rflags} + {size}], r11",
    "mov [rsp + {r11} + {size}], r11",
    // 3. The kernel stack and clean flags.
    "mov rsp, {stack}",
    "push 2",
    "popfq",
    "jmp 2b",

    // ---- Interrupts ----------------------------------------------------------------------------
    ".balign 16",
    "timer_stub:",
    "push 0",
    "push {timer}",
    "jmp 7f",
    ".balign 16",
    "serial_stub:",
    "push 0",
    "push {serial}",
    "7:",
    "save_general",
    "test byte ptr [rsp + {cs} + {size}], 3",
    "jne 6b",
    // In `idle`, the only place where ring 0 takes one: note it and go back.
    "mov rdi, rsp",
    "cld",
    "call {note_interrupt}",
    "pop r15",
    "pop r14",
    "pop r13",
    "pop r12",
    "pop r11",
    "pop r10",
    "pop r9",
    "pop r8",
    "pop rdi",
    "pop rsi",
    "pop rbp",
    "pop rbx",
    "pop rdx",
    "pop rcx",
    "pop rax",
    "add rsp, 16",
    "iretq",
    // A spurious interrupt has no end-of-interrupt (Intel SDM volume 3, 10.9).
    ".balign 16",
    "spurious_stub:",
    "iretq",

    // ---- A bug in the kernel -------------------------------------------------------------------
    "8:",
    "cld",
    "mov rdi, rsp",
    "and rsp, -16",
    "call {crash}",
    "ud2",

    ".section .bss.user_rsp, \"aw\", @nobits",
    ".balign 8",
    "user_rsp: .quad 0",
    ".text",

    task = sym TASK,
    rsp0 = const RSP0,
    stack = const (KERNEL_BASE + KERNEL_STACK_TOP) as i64,
    user_data = const USER_DATA,
    user_code = const USER_CODE,
    user_flags = const USER_FLAGS,
    fixed_flags = const FIXED_FLAGS,
    system_call = const SYSTEM_CALL,
    page_fault = const vector::PAGE_FAULT,
    general_protection = const vector::GENERAL_PROTECTION,
    timer = const vector::TIMER,
    serial = const vector::SERIAL,
    fetch_from_kernel = const FETCH_FROM_KERNEL,
    by_fault = sym SYSTEM_CALL_BY_FAULT,
    on_system_call = sym on_system_call,
    on_exception = sym on_exception,
    note_interrupt = sym interrupts::note_interrupt,
    crash = sym crash::on_exception,
    size = const SIZE,
    rax = const from_end!(rax),
    rcx = const from_end!(rcx),
    rdx = const from_end!(rdx),
    rbx = const from_end!(rbx),
    rbp = const from_end!(rbp),
    rsi = const from_end!(rsi),
    rdi = const from_end!(rdi),
    r8 = const from_end!(r8),
    r9 = const from_end!(r9),
    r10 = const from_end!(r10),
    r11 = const from_end!(r11),
    r12 = const from_end!(r12),
    r13 = const from_end!(r13),
    r14 = const from_end!(r14),
    r15 = const from_end!(r15),
    vector = const from_end!(vector),
    error = const from_end!(error),
    rip = const from_end!(rip),
    cs = const from_end!(cs),
    rflags = const from_end!(rflags),
    rsp = const from_end!(rsp),
    ss = const from_end!(ss),
);
