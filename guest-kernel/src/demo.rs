//! Two programs in ring 3 that spin, each with a pattern of its own in every SIMD register.
use crate::arch::context::{self, UserContext};
use crate::arch::layout::{direct_map, kernel_root_entries, physical_address};
use crate::arch::trap::Trap;
use crate::arch::{clock, interrupts, machine, timer, tlb, uart};
use crate::boot::BootInfo;
use crate::log;
use crate::records::COUNTERS;
use contract::counters::Counter;
use contract::status::Exit;
use core::sync::atomic::{AtomicU64, AtomicUsize, Ordering::Relaxed};
use x86_64::PhysAddr;
use x86_64::structures::paging::PhysFrame;

const SLICE: u64 = 1_000_000;
static NEXT_FRAME: AtomicU64 = AtomicU64::new(0x80_0000);
static mut CONTEXTS: [Option<UserContext>; 3] = [None, None, None];
static ROOTS: [AtomicU64; 3] = [const { AtomicU64::new(0) }; 3];
static CURRENT: AtomicUsize = AtomicUsize::new(0);
static DONE: AtomicUsize = AtomicUsize::new(0);
static SWITCHES: AtomicUsize = AtomicUsize::new(0);
static EXCEPTIONS: AtomicUsize = AtomicUsize::new(0);

unsafe extern "C" {
    static demo_program: u8;
}

fn frame() -> u64 {
    let at = NEXT_FRAME.fetch_add(4096, Relaxed);
    // SAFETY: RAM above the image that nothing else uses.
    unsafe { direct_map(PhysAddr::new(at)).write_bytes(0, 4096) };
    at
}

fn map(root: u64, address: u64, entry: u64) {
    let mut table = root;
    for shift in [39, 30, 21] {
        let slot = direct_map(PhysAddr::new(table)).cast::<u64>().wrapping_add((address >> shift & 511) as usize);
        // SAFETY: tables of this demo.
        unsafe {
            if *slot == 0 {
                *slot = frame() | 7;
            }
            table = *slot & 0xf_ffff_ffff_f000;
        }
    }
    let slot = direct_map(PhysAddr::new(table)).cast::<u64>().wrapping_add((address >> 12 & 511) as usize);
    // SAFETY: as above.
    unsafe { *slot = entry };
}

const NX: u64 = 1 << 63;

fn switch(to: usize) {
    CURRENT.store(to, Relaxed);
    // SAFETY: statics, and roots made below.
    unsafe {
        let contexts = &mut *(&raw mut CONTEXTS);
        if let Some(context) = contexts[to].as_mut() {
            context::switch_to(context, PhysFrame::containing_address(PhysAddr::new(ROOTS[to].load(Relaxed))));
        }
    }
}

pub fn run(boot: &BootInfo) -> ! {
    log!("syscall by fault {}, simd {}", COUNTERS.get(Counter::SystemCallByFault), COUNTERS.get(Counter::SimdState));
    for ram in boot.start_info.ram() {
        log!("ram {:#x}..{:#x}", ram.start, ram.end);
    }
    log!("tables {:x?} initramfs {:?} serial {:?} options {:?}", boot.tables, boot.start_info.initramfs().map(|i| i.len()), boot.serial, boot.options);
    for argument in boot.options.arguments() {
        uart::write(argument);
        uart::write(b"\n");
    }
    log!("now {} ns", clock::now());
    let before = clock::now();
    timer::arm_in(2_000_000);
    log!("idle {:?} took {} ns", interrupts::idle(), clock::now() - before);
    for id in 0..3 {
        let root = frame();
        for (slot, entry) in kernel_root_entries() {
            // SAFETY: a root of this demo.
            unsafe { *direct_map(PhysAddr::new(root)).cast::<u64>().add(slot) = entry };
        }
        map(root, 0x40_0000, physical_address(&raw const demo_program).as_u64() | 5);
        map(root, 0x60_0000, frame() | 7 | NX);
        ROOTS[id].store(root, Relaxed);
        let simd = PhysFrame::containing_address(PhysAddr::new(frame()));
        let mut context = UserContext::new_for_exec(0x40_0000, 0x60_1000, simd);
        context.registers.rdi = id as u64 + 1;
        context.fs_base = 0x1000 * (id as u64 + 1);
        // SAFETY: one CPU.
        unsafe { (*(&raw mut CONTEXTS))[id] = Some(context) };
    }
    switch(0);
    timer::arm_in(SLICE);
    context::enter()
}

fn current() -> &'static mut UserContext {
    // SAFETY: one CPU, and no reference outlives the trap.
    match unsafe { (*(&raw mut CONTEXTS))[CURRENT.load(Relaxed)].as_mut() } {
        Some(context) => context,
        None => unreachable!(),
    }
}

pub fn on_trap(trap: Trap) {
    let id = CURRENT.load(Relaxed);
    match trap {
        Trap::SystemCall => match current().registers.system_call_number() {
            1 => current().set_result(id as u64 + 100),
            2 => {
                log!("process {id}: registers wrong: {:x?}", current().registers);
                machine::exit(Exit::Exited(1))
            }
            3 => {
                log!("process {id} done, fs {:#x}", current().segment_bases().0);
                if DONE.fetch_add(1, Relaxed) == 2 {
                    log!("all done, {} switches, {} exceptions, tsc {} Hz", SWITCHES.load(Relaxed), EXCEPTIONS.load(Relaxed), COUNTERS.get(Counter::TscFrequency));
                    machine::exit(Exit::Exited(42))
                }
            }
            n => log!("system call {n}"),
        },
        Trap::PageFault { address, error } => {
            if address >> 12 != 0x700 {
                log!("page fault {address:#x} {error:#x} {:x?}", current().registers);
                machine::exit(Exit::Exited(2))
            }
            log!("process {id}: page fault {address:#x} {error:#x}");
            map(ROOTS[id].load(Relaxed), address & !0xfff, frame() | 7 | NX);
            tlb::flush_page(address);
        }
        Trap::Exception { vector, error } => {
            EXCEPTIONS.fetch_add(1, Relaxed);
            log!("process {id}: exception {vector} error {error:#x} rip {:#x}", current().registers.rip);
            current().registers.rip = current().registers.rbx;
        }
        Trap::Timer => {
            SWITCHES.fetch_add(1, Relaxed);
            timer::arm_in(SLICE);
            switch((id + 1) % 3);
        }
        Trap::Serial => {}
    }
}

core::arch::global_asm!(
    ".section .rodata.demo, \"a\"",
    ".balign 4096",
    "demo_program:",
    "mov r15, rdi",
    // exceptions
    "lea rbx, [rip + 2f]",
    "ud2",
    "2: lea rbx, [rip + 2f]",
    "mov rax, 0x8000000000000000",
    "jmp rax",
    "2: lea rbx, [rip + 2f]",
    "int3",
    "2: lea rbx, [rip + 2f]",
    "int 0x80",
    "2: lea rbx, [rip + 2f]",
    "cli",
    "2:",
    "mov byte ptr [0x700123], 1",
    // SIMD registers: r14 = 0 none, 1 AVX, 2 AVX-512
    "xor r14d, r14d",
    "mov eax, 1",
    "cpuid",
    "bt ecx, 27",
    "jnc 3f",
    "xor ecx, ecx",
    "xgetbv",
    "test eax, 4",
    "je 3f",
    "inc r14d",
    "and eax, 0xe0",
    "cmp eax, 0xe0",
    "jne 3f",
    "inc r14d",
    "3:",
    "mov r13, 0x0101010101010101",
    "imul r13, r15",
    "movq xmm0, r13",
    "punpcklqdq xmm0, xmm0",
    ".irp n, 1,2,3,4,5,6,7,8,9,10,11,12,13,14,15",
    "movdqa xmm\\n, xmm0",
    ".endr",
    "cmp r14d, 1",
    "jb 4f",
    ".irp n, 0,1,2,3,4,5,6,7,8,9,10,11,12,13,14,15",
    "vinsertf128 ymm\\n, ymm\\n, xmm0, 1",
    ".endr",
    "cmp r14d, 2",
    "jb 4f",
    ".irp n, 0,1,2,3,4,5,6,7,8,9,10,11,12,13,14,15,16,17,18,19,20,21,22,23,24,25,26,27,28,29,30,31",
    "vpbroadcastq zmm\\n, r13",
    ".endr",
    "kmovw k3, r13d",
    "4:",
    "mov r12d, 3000",
    "5:",
    "mov ecx, 2000",
    "6: pause", 
    "dec ecx",
    "jne 6b",
    ".irp n, 0,1,2,3,4,5,6,7,8,9,10,11,12,13,14,15",
    "movq rax, xmm\\n",
    "cmp rax, r13",
    "jne 9f",
    "pextrq rax, xmm\\n, 1",
    "cmp rax, r13",
    "jne 9f",
    ".endr",
    "cmp r14d, 1",
    "jb 7f",
    ".irp n, 0,1,2,3,4,5,6,7,8,9,10,11,12,13,14,15",
    "vmovdqu [rsp - 64], ymm\\n",
    "cmp [rsp - 64 + 24], r13",
    "jne 9f",
    ".endr",
    "cmp r14d, 2",
    "jb 7f",
    ".irp n, 0,1,2,3,4,5,6,7,8,9,10,11,12,13,14,15,16,17,18,19,20,21,22,23,24,25,26,27,28,29,30,31",
    "vmovdqu64 [rsp - 64], zmm\\n",
    "cmp [rsp - 64 + 56], r13",
    "jne 9f",
    "cmp [rsp - 64], r13",
    "jne 9f",
    ".endr",
    "kmovw eax, k3",
    "cmp ax, r13w",
    "jne 9f",
    "7:",
    "mov eax, 1",
    "mov rbp, r12",
    "std",
    "syscall",
    "cld",
    "lea rdx, [r15 + 99]",
    "cmp rax, rdx",
    "jne 9f",
    "cmp rbp, r12",
    "jne 9f",
    "dec r12d",
    "jne 5b",
    "mov eax, 3",
    "syscall",
    "8: jmp 8b",
    "9: mov eax, 2",
    "syscall",
    ".balign 4096",
    ".text",
);
