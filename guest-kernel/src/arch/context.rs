//! What a thread has in the processor's registers, and changing from one thread to another.
use super::layout::kernel_root_frame;
use super::segments::{USER_CODE, USER_DATA, set_trap_frame_end};
use super::trap::{FIXED_FLAGS, SYSTEM_CALL, USER_FLAGS};
use super::{control, simd};
use core::mem::MaybeUninit;
use core::sync::atomic::{AtomicPtr, AtomicU64, Ordering::Relaxed};
use x86_64::structures::paging::PhysFrame;

/// The general registers of a process in ring 3, as the trap stubs save them: the last five as the
/// processor pushes them, downwards from the end, which must be 16-byte aligned.
#[derive(Clone, Copy, Debug)]
#[repr(C, align(16))]
pub struct UserRegisters {
    pub r15: u64,
    pub r14: u64,
    pub r13: u64,
    pub r12: u64,
    pub r11: u64,
    pub r10: u64,
    pub r9: u64,
    pub r8: u64,
    pub rdi: u64,
    pub rsi: u64,
    pub rbp: u64,
    pub rbx: u64,
    pub rdx: u64,
    pub rcx: u64,
    pub rax: u64,
    /// Vector of the last trap, or [`SYSTEM_CALL`].
    pub vector: u64,
    /// Error code of the last exception; of a system call, RAX as it came in (`orig_rax`).
    pub error: u64,
    pub rip: u64,
    pub cs: u64,
    /// Change it by [`set_flags`](Self::set_flags) only.
    pub rflags: u64,
    pub rsp: u64,
    pub ss: u64,
}

const _: () = assert!(size_of::<UserRegisters>() == 22 * 8);

impl UserRegisters {
    const ZERO: Self = Self {
        r15: 0,
        r14: 0,
        r13: 0,
        r12: 0,
        r11: 0,
        r10: 0,
        r9: 0,
        r8: 0,
        rdi: 0,
        rsi: 0,
        rbp: 0,
        rbx: 0,
        rdx: 0,
        rcx: 0,
        rax: 0,
        vector: 0,
        error: 0,
        rip: 0,
        cs: 0,
        rflags: 0,
        rsp: 0,
        ss: 0,
    };

    /// Sets RFLAGS to what a program asks for, as far as it may.
    pub const fn set_flags(&mut self, flags: u64) {
        self.rflags = flags & USER_FLAGS | FIXED_FLAGS;
    }

    /// The number of the system call that brought the process into the kernel.
    #[inline]
    pub const fn system_call_number(&self) -> u64 {
        self.error
    }

    /// The six arguments of a system call.
    #[inline]
    pub const fn arguments(&self) -> [u64; 6] {
        [self.rdi, self.rsi, self.rdx, self.r10, self.r8, self.r9]
    }

    /// Whether the last trap was a system call.
    #[inline]
    pub const fn in_system_call(&self) -> bool {
        self.vector == SYSTEM_CALL
    }
}

/// All of a process's registers. The processor saves into it while the process is current, so it stays
/// where it is from the first [`switch_to`] until [`forget`].
#[repr(C, align(16))]
#[derive(Debug)]
pub struct UserContext {
    /// General registers, instruction pointer, flags.
    pub registers: UserRegisters,
    /// Base of FS: the thread pointer. Of the current process, the processor's own is the true one.
    pub fs_base: u64,
    /// Base of GS; as `fs_base`.
    pub gs_base: u64,
    pub(super) simd: simd::State,
}

impl UserContext {
    /// A program about to start at `entry`, its stack pointer at `stack`; all else zero. `simd_frame` is
    /// where its SIMD registers are kept while others run.
    pub fn new_for_exec(entry: u64, stack: u64, simd_frame: PhysFrame) -> Self {
        Self {
            registers: starting_registers(entry, stack),
            fs_base: 0,
            gs_base: 0,
            simd: simd::State::initial(simd_frame),
        }
    }

    /// Starts another program in the same process: [`new_for_exec`](Self::new_for_exec) in place.
    pub fn reset_for_exec(&mut self, entry: u64, stack: u64) {
        self.registers = starting_registers(entry, stack);
        self.set_fs_base(0);
        self.set_gs_base(0);
        simd::reset(self);
    }

    /// Makes a copy of `parent`, but for the SIMD registers, which will be kept in `simd_frame`.
    #[inline(always)]
    pub fn copy_to<'a>(
        place: &'a mut MaybeUninit<Self>,
        parent: &Self,
        simd_frame: PhysFrame,
    ) -> &'a mut Self {
        let (fs_base, gs_base) = parent.segment_bases();
        let child = place.as_mut_ptr();
        // SAFETY: the fields are all there are, and in a place that nobody else has.
        unsafe {
            (&raw mut (*child).registers).copy_from_nonoverlapping(&raw const parent.registers, 1);
            (&raw mut (*child).fs_base).write(fs_base);
            (&raw mut (*child).gs_base).write(gs_base);
            (&raw mut (*child).simd).write(simd::State::initial(simd_frame));
            place.assume_init_mut()
        }
    }

    /// Gives a copy the SIMD registers too.
    pub fn fork_simd(&mut self, parent: &mut Self) {
        simd::copy(parent, self);
    }

    /// As [`fork_simd`](Self::fork_simd), for a child that runs before its parent does.
    pub fn vfork_simd(&mut self, parent: &mut Self) {
        simd::hand_over(parent, self);
    }

    /// Sets what the system call returns.
    #[inline]
    pub const fn set_result(&mut self, value: u64) {
        self.registers.rax = value;
    }

    /// Sets the base of FS, of the current process in the processor too.
    pub fn set_fs_base(&mut self, base: u64) {
        self.fs_base = base;
        if self.is_current() {
            control::write_fs_base(base);
        }
    }

    /// Sets the base of GS, of the current process in the processor too.
    pub fn set_gs_base(&mut self, base: u64) {
        self.gs_base = base;
        if self.is_current() {
            control::write_gs_base(base);
        }
    }

    /// The bases of FS and GS as the process last had them.
    pub fn segment_bases(&self) -> (u64, u64) {
        if self.is_current() {
            control::read_segment_bases()
        } else {
            (self.fs_base, self.gs_base)
        }
    }

    /// The frame of the SIMD registers, for whoever gave it; they are lost. `None` the second time.
    pub fn release_simd(&mut self) -> Option<PhysFrame> {
        simd::release(self)
    }

    /// Whether its registers are in the processor.
    #[inline]
    pub fn is_current(&self) -> bool {
        core::ptr::eq(CURRENT.load(Relaxed), self)
    }
}

fn starting_registers(entry: u64, stack: u64) -> UserRegisters {
    UserRegisters {
        rip: entry,
        cs: u64::from(USER_CODE),
        rflags: FIXED_FLAGS,
        rsp: stack,
        ss: u64::from(USER_DATA),
        ..UserRegisters::ZERO
    }
}

/// Whose registers are in the processor, and whom traps are saved into; null for nobody.
static CURRENT: AtomicPtr<UserContext> = AtomicPtr::new(core::ptr::null_mut());
/// Physical address of the root in CR3; zero before the first switch.
static CURRENT_ROOT: AtomicU64 = AtomicU64::new(0);
/// Who is to be current on the way back to ring 3; null for who is already. Read by the stubs.
pub(super) static NEXT: AtomicPtr<UserContext> = AtomicPtr::new(core::ptr::null_mut());
/// Physical address of the root that goes with [`NEXT`].
static NEXT_ROOT: AtomicU64 = AtomicU64::new(0);

/// Makes `to` the process that runs once the trap is over, in the address space of `root`. Until then it
/// is only a note: who is made to run and waits again before that costs no change of registers.
///
/// # Safety
/// `to` stays valid and in place until [`forget`]; `root` holds the kernel's entries
/// ([`super::layout::kernel_root_entries`]) and stays a page table until [`leave_root`].
#[inline]
pub unsafe fn switch_to(to: *mut UserContext, root: PhysFrame) {
    NEXT.store(to, Relaxed);
    NEXT_ROOT.store(root.start_address().as_u64(), Relaxed);
}

/// Carries out the last [`switch_to`], on the way back to ring 3.
///
/// 1. CR3, where the root is another.
/// 2. Traps save into the new process from now on. The bases of FS and GS: the processor's to the process
///    that had it, its own to the processor.
/// 3. The SIMD registers, where another process's are in the processor.
pub(super) extern "C" fn complete_switch() {
    let (to, root) = (NEXT.load(Relaxed), NEXT_ROOT.load(Relaxed));
    NEXT.store(core::ptr::null_mut(), Relaxed);
    if CURRENT_ROOT.load(Relaxed) != root {
        CURRENT_ROOT.store(root, Relaxed);
        // SAFETY: by the promise of `switch_to`, whose kernel half is the same in every root.
        unsafe { control::write_cr3(root) };
    }
    let from = CURRENT.load(Relaxed);
    if !core::ptr::eq(from, to) {
        CURRENT.store(to, Relaxed);
        // SAFETY: both are valid by the promise of `switch_to`: neither was forgotten.
        unsafe {
            set_trap_frame_end((&raw const (*to).registers).add(1) as u64);
            let to = ((*to).fs_base, (*to).gs_base);
            if from.is_null() {
                control::write_fs_base(to.0);
                control::write_gs_base(to.1);
            } else {
                ((*from).fs_base, (*from).gs_base) = control::exchange_segment_bases(to);
            }
        }
    }
    simd::activate(to);
}

/// Before a root is given up: where it is the current one, goes to the kernel's own, which maps nothing of
/// a process.
#[inline]
pub fn leave_root(root: PhysFrame) {
    if CURRENT_ROOT.load(Relaxed) == root.start_address().as_u64() {
        let root = kernel_root_frame().start_address().as_u64();
        CURRENT_ROOT.store(root, Relaxed);
        // SAFETY: the kernel's root is a static.
        unsafe { control::write_cr3(root) };
    }
}

/// Enters the current process from boot. The kernel stack is given up.
pub fn enter() -> ! {
    super::trap::enter_current()
}

/// Forgets a context that is about to go: nothing is saved into it any more.
pub fn forget(context: &UserContext) {
    simd::forget(context);
    for place in [&CURRENT, &NEXT] {
        if core::ptr::eq(place.load(Relaxed), context) {
            place.store(core::ptr::null_mut(), Relaxed);
        }
    }
}
