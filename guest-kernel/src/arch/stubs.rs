//! The assembly of [`super::trap`]: from ring 3 to the kernel stack, and back.
use super::context::{self, UserRegisters};
use super::image_map::{KERNEL_BASE, KERNEL_STACK_TOP};
use super::segments::{RSP0, TASK, USER_CODE, USER_DATA};
use super::trap::{self, FIXED_FLAGS, SYSTEM_CALL, SYSTEM_CALL_BY_FAULT, USER_FLAGS, vector};
use super::{crash, interrupts};
use crate::system_calls;
use core::mem::offset_of;

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
    /// Enters the current process. The kernel stack is given up.
    pub fn return_to_user() -> !;
}

/// Bytes from one of the exceptions' stubs to the next.
pub const STUB_SIZE: u64 = 16;

/// Exceptions: the first vectors.
pub const EXCEPTIONS: u8 = 32;

core::arch::global_asm!(
    ".section .text.stubs, \"ax\", @progbits",
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
    // 3. The kernel stack, and number and arguments where C has its first six.
    "mov rsp, {stack}",
    "2:",
    "mov r9, r8",
    "mov r8, r10",
    "mov rcx, rdx",
    "mov rdx, rsi",
    "mov rsi, rdi",
    "mov rdi, rax",
    "call {on_system_call}",
    // 4. RAX says whether the result, in RDX, is all that has changed. Then C has kept RBX RBP R12 to R15,
    //    and RIP and flags are those that came in RCX and R11: a system call's, good for SYSRET.
    "cmp rax, {return}",
    "jne 23f",
    "mov rsp, [rip + {task} + {rsp0}]",
    "mov rax, rdx",
    "mov rdx, [rsp + {rdx}]",
    "mov rsi, [rsp + {rsi}]",
    "mov rdi, [rsp + {rdi}]",
    "mov r8, [rsp + {r8}]",
    "mov r9, [rsp + {r9}]",
    "mov r10, [rsp + {r10}]",
    "mov rcx, [rsp + {rip}]",
    "mov r11, [rsp + {rflags}]",
    "mov rsp, [rsp + {rsp}]",
    "sysretq",

    "23:",
    "mov rdi, rax",
    "mov rsi, rdx",
    "call {finish_system_call}",

    // ---- Back to ring 3 ------------------------------------------------------------------------
    "return_to_user:",
    // 1. Another process, where the kernel has decided so.
    "cmp qword ptr [rip + {next}], 0",
    "jne 9f",
    "3:",
    "mov rsp, [rip + {task} + {rsp0}]",
    // 2. SYSRET takes RIP from RCX and the flags from R11: good where they are to be the same, as after
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
    // 3. Everything else by IRETQ, which takes what the processor pushed.
    "4:",
    "mov rcx, [rsp + {rip}]",
    "shr rcx, 47",
    "jne 5f",
    "load_general_but_rcx_r11",
    "mov rcx, [rsp + {rcx}]",
    "mov r11, [rsp + {r11}]",
    "sub rsp, 40",
    "iretq",
    // 4. A non-canonical RIP would be #GP in IRETQ: the program gets the exception instead.
    "5:",
    "mov qword ptr [rsp + {vector}], {general_protection}",
    "mov qword ptr [rsp + {error}], 0",
    "lea rdi, [rsp - {size}]",
    "mov rsp, {stack}",
    "call {on_exception}",
    "jmp return_to_user",
    "9:",
    "mov rsp, {stack}",
    "call {complete_switch}",
    "jmp 3b",

    // ---- Exceptions ----------------------------------------------------------------------------
    // One stub a vector: an error code where the processor gives none, and the vector.
    ".balign 16",
    "exception_stubs:",
    ".set number, 0",
    ".rept {exceptions}",
    "  .balign {stub_size}",
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
    "je 22f",
    "20:",
    "test byte ptr [rsp + {cs} + {size}], 3",
    "je 8f",
    // 1. A host that runs ring 3 on descriptors of its own lets a program load others: IRETQ, on these,
    //    must not fault.
    "mov qword ptr [rsp + {cs} + {size}], {user_code}",
    "mov qword ptr [rsp + {ss} + {size}], {user_data}",
    // 2. The kernel stack, and flags as the kernel wants them.
    "mov rdi, cr2",
    "mov rsi, [rsp + {error} + {size}]",
    "mov rsp, {stack}",
    "push 2",
    "popfq",
    "call {on_page_fault}",
    // 3. Mostly the program's registers are as they were, and C has kept RBX RBP R12 to R15.
    "cmp rax, {straight}",
    "jne return_to_user",
    "mov rsp, [rip + {task} + {rsp0}]",
    "mov rax, [rsp + {rax}]",
    "mov rcx, [rsp + {rcx}]",
    "mov rdx, [rsp + {rdx}]",
    "mov rsi, [rsp + {rsi}]",
    "mov rdi, [rsp + {rdi}]",
    "mov r8, [rsp + {r8}]",
    "mov r9, [rsp + {r9}]",
    "mov r10, [rsp + {r10}]",
    "mov r11, [rsp + {r11}]",
    "sub rsp, 40",
    "iretq",

    "22:",
    "cmp byte ptr [rip + {by_fault}], 0",
    "je 20b",
    "mov rax, cr2",
    "cmp rax, offset system_call_entry",
    "jne 20b",
    // 1. A program can also jump here, with anything in RCX and R11: that is a call too, if the return
    //    address is one, and with the flags it may have.
    "mov rax, rcx",
    "shr rax, 47",
    "jne 20b",
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

    exceptions = const EXCEPTIONS,
    stub_size = const STUB_SIZE,
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
    next = sym context::NEXT,
    complete_switch = sym context::complete_switch,
    return = const system_calls::RETURN,
    on_system_call = sym trap::on_system_call,
    finish_system_call = sym trap::finish_system_call,
    straight = const trap::STRAIGHT,
    on_page_fault = sym trap::on_page_fault,
    on_exception = sym trap::on_exception,
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
