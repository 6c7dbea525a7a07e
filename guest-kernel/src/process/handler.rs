//! Entering a signal handler and coming back (sigaction(2), sigreturn(2)).
//!
//! What the handler finds, and sigreturn reads back, on the program's stack, as Linux's x86-64 ABI has it
//! (`struct rt_sigframe`, `ucontext_t`):
//!
//! ```text
//!  old rsp ──── 128 bytes of red zone, or the top of the alternate stack
//!               SIMD registers, as XSAVE stores them, at a multiple of 64
//!     312       siginfo_t, 128 bytes
//!     304       signal mask                       \
//!      48       registers, 256 bytes               > ucontext_t
//!       8       flags, link, alternate stack      /
//!  rsp ────  0  address of the restorer: where the handler returns to
//! ```
use super::signal::{self, Action, AlternateStack, Info, ThreadSignals};
use super::{Process, Thread};
use crate::arch::context::UserRegisters;
use crate::arch::simd;
use crate::arch::trap::vector;
use crate::kernel::Kernel;
use crate::memory::heap;
use crate::memory::space::USER_END;
use crate::memory::user::{self, UserFault};
use crate::memory::user_window::Writer;
use crate::process::scheduler::Next;
use linux_raw_sys::general as linux;

/// `uc_flags`: SS is told and taken back (UC_SIGCONTEXT_SS, UC_STRICT_RESTORE_SS).
const UC_SEGMENTS: u64 = 6;
/// Bytes of the SIMD registers without XSAVE, and where in them is room for software.
const LEGACY_SIZE: u64 = simd::FXSAVE_SIZE as u64;
const TOLD_AT: u64 = 464;
/// FP_XSTATE_MAGIC1 and FP_XSTATE_MAGIC2: what is told, and the end.
const XSTATE_BEGINS: u32 = 0x4650_5853;
const XSTATE_ENDS: u32 = 0x4650_5845;
/// Bytes of the word that ends them.
const MAGIC_SIZE: u64 = 4;
const RED_ZONE: u64 = 128;
const UCONTEXT: u64 = 8;
const SIGINFO: u64 = 312;
const FRAME_SIZE: u64 = SIGINFO + 128;
/// In words from the start of ucontext_t.
const STACK_WORDS: usize = 2;
const REGISTER_WORDS: usize = 5;
const FPSTATE_WORD: usize = REGISTER_WORDS + 23;
const MASK_WORD: usize = REGISTER_WORDS + 32;
const UCONTEXT_WORDS: usize = MASK_WORD + 1;

/// Marks registers that are not a system call's, so that all of them are loaded.
const NOT_A_CALL: u64 = 0;

/// The registers in the order of `struct sigcontext`.
const fn to_words(registers: &UserRegisters) -> [u64; 18] {
    let r = registers;
    [
        r.r8, r.r9, r.r10, r.r11, r.r12, r.r13, r.r14, r.r15, r.rdi, r.rsi, r.rbp, r.rbx, r.rdx,
        r.rax, r.rcx, r.rsp, r.rip, r.rflags,
    ]
}

const fn from_words(words: &[u64; UCONTEXT_WORDS], registers: &mut UserRegisters) {
    const fn word(words: &[u64; UCONTEXT_WORDS], index: usize) -> u64 {
        words[REGISTER_WORDS + index]
    }
    let r = registers;
    r.r8 = word(words, 0);
    r.r9 = word(words, 1);
    r.r10 = word(words, 2);
    r.r11 = word(words, 3);
    r.r12 = word(words, 4);
    r.r13 = word(words, 5);
    r.r14 = word(words, 6);
    r.r15 = word(words, 7);
    r.rdi = word(words, 8);
    r.rsi = word(words, 9);
    r.rbp = word(words, 10);
    r.rbx = word(words, 11);
    r.rdx = word(words, 12);
    r.rax = word(words, 13);
    r.rcx = word(words, 14);
    r.rsp = word(words, 15);
    r.rip = word(words, 16);
    r.set_flags(word(words, 17));
}

impl Kernel {
    /// Makes the current thread run the handler of `signal` next.
    ///
    /// # Errors
    /// The stack cannot take the frame, or there is no memory.
    pub fn enter_handler(&mut self, signal: u8, info: Info) -> Result<(), UserFault> {
        let (thread, process) = self.processes.both(self.current);
        let action = process.signals.action(signal);
        let flag = |flag: u32| action.flags & u64::from(flag) != 0;
        thread.settle_interrupted_call(action.flags);
        if flag(linux::SA_RESETHAND) {
            // Dispositions that a fork shares are copied then.
            heap::require_reserve().map_err(|_| UserFault::OutOfFrames)?;
        }
        let pointer = push_frame(thread, process, (signal, info), &action)?;
        let signals = &mut thread.signals;
        signals.blocked |= action.mask & !signal::UNSTOPPABLE;
        if !flag(linux::SA_NODEFER) {
            signals.blocked |= signal::bit(signal);
        }
        if flag(linux::SA_RESETHAND) {
            process.signals.set_action(
                signal,
                Action {
                    handler: 0,
                    ..action
                },
            );
        }
        let registers = &mut thread.context.registers;
        registers.rip = action.handler;
        registers.rsp = pointer;
        registers.rdi = u64::from(signal);
        registers.rsi = pointer + SIGINFO;
        registers.rdx = pointer + UCONTEXT;
        registers.rax = 0;
        registers.set_flags(0);
        registers.vector = NOT_A_CALL;
        if flag(linux::SA_RESETHAND) && process.shares.is_some() {
            self.spread_handlers(self.current.process);
        }
        Ok(())
    }

    /// rt_sigreturn(2). A frame that cannot be taken back ends the process.
    pub fn return_from_handler(&mut self) -> Next {
        let (thread, process) = self.processes.both(self.current);
        match restore_frame(thread, process) {
            Ok(()) => Next::Same,
            Err(_) => self.force_signal(signal::SIGSEGV, Info::Kernel),
        }
    }
}

fn push_frame(
    thread: &mut Thread,
    process: &Process,
    (signal, info): (u8, Info),
    action: &Action,
) -> Result<u64, UserFault> {
    let registers = thread.context.registers;
    let alternate = thread.signals.alternate_stack;
    let nested = alternate.is_used_at(registers.rsp);
    let enters = action.flags & u64::from(linux::SA_ONSTACK) != 0 && alternate.size > 0 && !nested;
    let top = if enters {
        alternate.base.wrapping_add(alternate.size)
    } else {
        registers.rsp.wrapping_sub(RED_ZONE)
    };
    let simd_size = simd::size() as u64;
    let simd_at = top.wrapping_sub(simd_size + MAGIC_SIZE) & !63;
    // The handler starts as if called: 8 below a multiple of 16.
    let pointer = (simd_at.wrapping_sub(FRAME_SIZE) & !15).wrapping_sub(8);

    // What does not fit on the alternate stack must not go below it.
    if (nested || enters) && !alternate.contains(pointer) {
        return Err(UserFault::BadAddress);
    }

    let has_xstate = simd_size > LEGACY_SIZE;
    let mut words = [0; UCONTEXT_WORDS];
    words[0] = UC_SEGMENTS | u64::from(has_xstate);
    words[STACK_WORDS] = alternate.base;
    words[STACK_WORDS + 1] = u64::from(alternate.flags());
    words[STACK_WORDS + 2] = alternate.size;
    words[REGISTER_WORDS..REGISTER_WORDS + 18].copy_from_slice(&to_words(&registers));
    words[REGISTER_WORDS + 18] = u64::from(registers.cs as u16) | (registers.ss & 0xffff) << 48;
    words[FPSTATE_WORD] = simd_at;
    words[MASK_WORD] = thread.signals.mask_to_restore();
    words[REGISTER_WORDS + 21] = words[MASK_WORD];
    if let Info::Fault { address, trap, .. } = info {
        words[REGISTER_WORDS + 19] = u64::from(trap.error);
        words[REGISTER_WORDS + 20] = u64::from(trap.vector);
        if trap.vector == vector::PAGE_FAULT {
            words[REGISTER_WORDS + 22] = address;
        }
    }

    let space = process.space();
    simd::read(&mut thread.context, |bytes| {
        user::write(space, simd_at, bytes)
    })?;
    let mut to = Writer::new(space);
    if has_xstate {
        // `struct _fpx_sw_bytes`, in the legacy area's room for software, and what ends the whole.
        let size = simd_size as u32;
        let mut told = [0; 20];
        told[..4].copy_from_slice(&XSTATE_BEGINS.to_ne_bytes());
        told[4..8].copy_from_slice(&(size + MAGIC_SIZE as u32).to_ne_bytes());
        told[8..16].copy_from_slice(&u64::from(simd::components()).to_ne_bytes());
        told[16..].copy_from_slice(&size.to_ne_bytes());
        to.write(simd_at + TOLD_AT, &told)?;
        to.write(simd_at + simd_size, &XSTATE_ENDS.to_ne_bytes())?;
    }
    to.write(pointer + SIGINFO, &info.to_siginfo(signal))?;
    let words = words.map(u64::to_ne_bytes);
    to.write(pointer + UCONTEXT, words.as_flattened())?;
    to.word(pointer, action.restorer)?;
    if alternate.disarms {
        thread.signals.alternate_stack = AlternateStack::default();
    }
    Ok(pointer)
}

fn restore_frame(thread: &mut Thread, process: &Process) -> Result<(), UserFault> {
    let Thread {
        context, signals, ..
    } = thread;
    let space = process.space();
    // The handler's return has taken the restorer's address off the stack: ucontext_t is at rsp.
    let words: [u64; UCONTEXT_WORDS] = user::read_words(space, context.registers.rsp)?;
    if words[REGISTER_WORDS + 16] >= USER_END {
        return Err(UserFault::BadAddress);
    }
    if words[FPSTATE_WORD] != 0 {
        let mut result = Ok(());
        simd::replace(context, |bytes| {
            result = user::read(space, words[FPSTATE_WORD], bytes)
        });
        result?;
    }
    from_words(&words, &mut context.registers);
    context.registers.vector = NOT_A_CALL;
    signals.blocked = words[MASK_WORD] & !signal::UNSTOPPABLE;
    // As sigaltstack(2) would take it; what that refuses is left alone.
    let [base, flags, size] = [0, 1, 2].map(|index| words[STACK_WORDS + index]);
    if !signals.alternate_stack.is_used_at(context.registers.rsp)
        && let Ok(stack) = AlternateStack::new(base, flags as u32, size)
    {
        signals.alternate_stack = stack;
    }
    Ok(())
}

impl ThreadSignals {
    /// The mask that the handler's end brings back: that from before sigsuspend(2), where one waits.
    fn mask_to_restore(&mut self) -> u64 {
        self.suspended_mask.take().unwrap_or(self.blocked)
    }
}
