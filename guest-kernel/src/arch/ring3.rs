//! Running a few instructions of the kernel's own in ring 3.
//!
//! Where a host emulates ring 0, some things are only to be seen or done in ring 3: how SYSCALL enters
//! the kernel, which SIMD registers there are, and saving them. For that the window has three pages that
//! ring 3 can reach while a stub runs, with interrupts off and a descriptor table that leads back here.
use super::layout::{self, physical_address, set_window, window_page};
use super::segments::{RSP0, TASK, USER_CODE, USER_DATA};
use super::tlb;
use x86_64::structures::paging::PageTableFlags as Flags;
use x86_64::structures::paging::PhysFrame;

/// The window's pages.
const CODE_PAGE: usize = 0;
const SAVE_PAGE: usize = 1;
const RESTORE_PAGE: usize = 2;

const USER: u64 = Flags::PRESENT
    .union(Flags::ACCESSED)
    .union(Flags::USER_ACCESSIBLE)
    .bits();
const USER_READ: u64 = USER | Flags::NO_EXECUTE.bits();
const USER_WRITE: u64 = USER_READ | Flags::WRITABLE.bits() | Flags::DIRTY.bits();

/// A stub.
#[derive(Clone, Copy)]
pub enum Stub {
    /// Executes SYSCALL.
    SystemCall,
    /// Looks for XSAVE: returns XCR0 (zero without OSXSAVE) in the lower half, the size of its area in
    /// bytes in the upper.
    LookForXsave,
    /// `xsave64` to the save page, `xrstor64` from the restore page, each where it is there.
    ExchangeSimd,
}

impl Stub {
    fn address(self) -> u64 {
        let label = match self {
            Self::SystemCall => ring3_system_call as *const () as u64,
            Self::LookForXsave => ring3_look_for_xsave as *const () as u64,
            Self::ExchangeSimd => ring3_exchange_simd as *const () as u64,
        };
        window_page(CODE_PAGE) + (label & 0xfff)
    }
}

/// How a stub ended.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Ending {
    /// It ran to its end, and returned this.
    Finished(u64),
    /// A page fault.
    PageFault,
    /// Any other exception.
    Fault,
    /// It entered by `ring3_system_call_entry`, which LSTAR pointed at.
    SystemCall,
}

#[repr(C)]
struct RawEnding {
    kind: u64,
    value: u64,
}

const FINISHED: u64 = 0;
const PAGE_FAULT: u64 = 1;
const FAULT: u64 = 2;
const SYSTEM_CALL: u64 = 3;

unsafe extern "C" {
    safe fn ring3_system_call();
    safe fn ring3_look_for_xsave();
    safe fn ring3_exchange_simd();
    /// Where LSTAR points while [`Stub::SystemCall`] runs.
    pub safe fn ring3_system_call_entry();
    fn ring3_run(entry: u64, save: u64, restore: u64, mask: u64) -> RawEnding;
}

/// Runs a stub, with `save` and `restore` as its pages and `mask` in EAX.
pub fn run(stub: Stub, save: Option<PhysFrame>, restore: Option<PhysFrame>, mask: u32) -> Ending {
    let code = physical_address(ring3_system_call as *const () as *const u8).as_u64() & !0xfff;
    let page = |index: usize, frame: Option<PhysFrame>, flags: u64| {
        frame.map_or(0, |frame| {
            set_window(index, frame.start_address().as_u64() | flags);
            window_page(index)
        })
    };
    // 1. The pages come.
    set_window(CODE_PAGE, code | USER);
    let save = page(SAVE_PAGE, save, USER_WRITE);
    let restore = page(RESTORE_PAGE, restore, USER_READ);
    // 2. There and back.
    // SAFETY: the stub touches its two pages alone, and whatever it ends in leads back.
    let ending = unsafe { ring3_run(stub.address(), save, restore, u64::from(mask)) };
    // 3. The pages go: no process may reach them.
    for (index, address) in [
        (CODE_PAGE, layout::WINDOW),
        (SAVE_PAGE, save),
        (RESTORE_PAGE, restore),
    ] {
        if address != 0 {
            set_window(index, 0);
            tlb::flush_page(address);
        }
    }
    match ending.kind {
        FINISHED => Ending::Finished(ending.value),
        PAGE_FAULT => Ending::PageFault,
        SYSTEM_CALL => Ending::SystemCall,
        _ => Ending::Fault,
    }
}

core::arch::global_asm!(
    // ---- The stubs: a page of their own, each ends in #UD ----------------------------------------
    ".section .rodata.ring3, \"a\", @progbits",
    ".balign 4096",
    "ring3_system_call:",
    "syscall",
    "ud2",

    ".balign 16",
    "ring3_look_for_xsave:",
    "xor esi, esi",
    "xor edi, edi",
    "mov eax, 1",
    "xor ecx, ecx",
    "cpuid",
    "bt ecx, 27",
    "jnc 2f",
    "xor ecx, ecx",
    "xgetbv",
    "mov esi, eax",
    "mov eax, 0xd",
    "xor ecx, ecx",
    "cpuid",
    "mov edi, ebx",
    "2: ud2",

    // RDI = save area or 0, RSI = restore area or 0, EDX:EAX = mask.
    ".balign 16",
    "ring3_exchange_simd:",
    "test rdi, rdi",
    "je 2f",
    "xsave64 [rdi]",
    "2: test rsi, rsi",
    "je 3f",
    "xrstor64 [rsi]",
    "3: xor esi, esi",
    "xor edi, edi",
    "ud2",
    ".balign 4096",

    // ---- There -----------------------------------------------------------------------------------
    ".section .text.stubs, \"ax\", @progbits",
    ".balign 16",
    ".global ring3_run, ring3_system_call, ring3_look_for_xsave, ring3_exchange_simd",
    ".global ring3_finished, ring3_page_fault, ring3_fault, ring3_system_call_entry",
    "ring3_run:",
    // 1. What the caller wants kept, and where the processor is to push: right here.
    "push rbx",
    "push rbp",
    "push r12",
    "push r13",
    "push r14",
    "push r15",
    "push [rip + {task} + {rsp0}]",
    "mov [rip + {task} + {rsp0}], rsp",
    "lidt [rip + stub_gates_pointer]",
    // 2. To ring 3, interrupts off; the stack pointer is not used there.
    "push {user_data}",
    "push 0",
    "push 2",
    "push {user_code}",
    "push rdi",
    "mov rdi, rsi",
    "mov rsi, rdx",
    "mov eax, ecx",
    "xor edx, edx",
    "iretq",

    // ---- And back --------------------------------------------------------------------------------
    ".balign 16",
    "ring3_finished:",
    "mov eax, {finished}",
    "jmp 4f",
    "ring3_page_fault:",
    "mov eax, {page_fault}",
    "jmp 4f",
    "ring3_fault:",
    "mov eax, {fault}",
    "jmp 4f",
    "ring3_system_call_entry:",
    "mov eax, {system_call}",
    // 1. The stack as it was, the kernel's own descriptors.
    "4: mov rsp, [rip + {task} + {rsp0}]",
    "lidt [rip + gates_pointer]",
    "push 2",
    "popfq",
    "pop [rip + {task} + {rsp0}]",
    // 2. The stub's result: EDI above ESI.
    "mov edx, edi",
    "shl rdx, 32",
    "mov esi, esi",
    "or rdx, rsi",
    "pop r15",
    "pop r14",
    "pop r13",
    "pop r12",
    "pop rbp",
    "pop rbx",
    "ret",
    ".text",
    task = sym TASK,
    rsp0 = const RSP0,
    user_data = const USER_DATA,
    user_code = const USER_CODE,
    finished = const FINISHED,
    page_fault = const PAGE_FAULT,
    fault = const FAULT,
    system_call = const SYSTEM_CALL,
);
