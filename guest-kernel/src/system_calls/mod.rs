//! System calls: Linux's numbers, registers and errors (syscalls(2)), a file for each of the manual's
//! groups.
//!
//! A call's number is in RAX, its arguments in RDI RSI RDX R10 R8 R9, its result in RAX. Until a call has
//! its result, nothing of that is changed: a call that has to wait is simply asked again.
pub mod advice;
pub mod attributes;
pub mod buffers;
pub mod capabilities;
pub mod copying;
pub mod credentials;
pub mod descriptors;
pub mod dispatch;
pub mod extended_attributes;
pub mod file_notices;
pub mod futex;
pub mod handover;
pub mod host;
pub mod identity;
pub mod kill;
pub mod limits;
pub mod locks;
pub mod memory;
pub mod memory_locks;
pub mod mmap;
pub mod mremap;
pub mod names;
pub mod page_map;
pub mod paths;
pub mod pidfd;
pub mod pieces;
pub mod poll;
pub mod prctl;
pub mod process;
pub mod scheduling;
pub mod signals;
pub mod sockets;
pub mod stat;
pub mod storage;
mod table;
pub mod terminal;
pub mod threads;
pub mod time;
pub mod transfer;
pub mod usage;
pub mod vectored;
pub mod wait;

use crate::arch::context;
use crate::arch::registers::read_tsc;
use crate::kernel::Kernel;
use crate::process::scheduler::Next;
use crate::process::{Wait, held};
use crate::records::COUNTERS;
use crate::trace;
use contract::Errno;
use dispatch::call;

/// How a system call goes on. It comes back in two registers, and the stub looks at it.
#[derive(Clone, Copy)]
#[repr(u64)]
pub enum Outcome {
    /// It is over, with this in RAX. No other register of the program has changed, and no signal has come
    /// for it: it can go on at once.
    Return(u64) = RETURN,
    /// Memory was short, and nothing has changed.
    OutOfMemory,
    /// The registers are as they should be.
    Same,
    /// The process waits, or has ended.
    Other,
}

impl From<Result<u64, Errno>> for Outcome {
    #[inline]
    fn from(result: Result<u64, Errno>) -> Self {
        match result {
            Ok(value) => Self::Return(value),
            Err(errno) => errno.into(),
        }
    }
}

impl From<Errno> for Outcome {
    #[inline]
    fn from(errno: Errno) -> Self {
        match errno {
            Errno::ENOMEM => Self::OutOfMemory,
            errno => Self::Return(errno.to_return_value()),
        }
    }
}

impl From<Next> for Outcome {
    #[inline]
    fn from(next: Next) -> Self {
        match next {
            Next::Same => Self::Same,
            Next::Other => Self::Other,
        }
    }
}

impl From<Result<Next, Errno>> for Outcome {
    #[inline]
    fn from(result: Result<Next, Errno>) -> Self {
        result.map(Self::from).into()
    }
}

impl From<Result<Self, Errno>> for Outcome {
    #[inline]
    fn from(result: Result<Self, Errno>) -> Self {
        result.unwrap_or_else(Self::from)
    }
}

/// [`Outcome::Return`], for the stub.
pub const RETURN: u64 = 0;

/// The current process asks. Unless the answer is [`Outcome::Return`], [`finish`] is to follow.
#[inline]
pub fn enter(kernel: &mut Kernel, number: u64, [a, b, c, d, e]: [u64; 5]) -> Outcome {
    COUNTERS.count_system_call(number);
    if kernel.is_sample() {
        measured(kernel);
    }
    // The only one that comes back is the last one: so it is a jump, and there is no frame for it.
    call(number)(kernel, a, b, c, d, e)
}

/// One call of many is measured: what is known of the kernel's own time.
#[cold]
#[inline(never)]
fn measured(kernel: &mut Kernel) -> ! {
    let process = kernel.current.process;
    let start = read_tsc();
    // Its number and arguments are the saved registers', too: to hand them on would cost every call.
    let outcome = ask(kernel);
    kernel.add_sample(process, read_tsc().wrapping_sub(start));
    finish(kernel, outcome);
    context::enter()
}

/// What a call comes to beyond its result. What is current afterwards goes on.
pub fn finish(kernel: &mut Kernel, outcome: Outcome) {
    if let Outcome::Other = outcome {
        return kernel.schedule();
    }
    let next = settle(kernel, outcome);
    kernel.go_on(next);
}

/// The current process asks again, with `progress` bytes of its call done.
pub fn again(kernel: &mut Kernel, progress: usize) -> Next {
    let slot = kernel.current.thread;
    let held = match held::file_in(progress) {
        Some(_) => kernel.held_by_current(progress),
        None => None,
    };
    kernel.progress = progress;
    let outcome = ask(kernel);
    let next = settle(kernel, outcome);
    kernel.progress = 0;
    if let Some(held) = held {
        kernel.end_holding(slot, held);
    }
    next
}

/// The call that the current process is in, by its saved registers.
fn ask(kernel: &mut Kernel) -> Outcome {
    let registers = &kernel.processes[kernel.current.thread].context.registers;
    let [a, b, c, d, e, _] = registers.arguments();
    call(registers.system_call_number())(kernel, a, b, c, d, e)
}

fn settle(kernel: &mut Kernel, mut outcome: Outcome) -> Next {
    // What the kernel keeps for speed goes, and the call is asked once more.
    if matches!(outcome, Outcome::OutOfMemory) && kernel.templates.drop_all() > 0 {
        outcome = ask(kernel);
    }
    match outcome {
        Outcome::Return(value) => {
            kernel.processes[kernel.current.thread].set_result(value);
            Next::Same
        }
        Outcome::OutOfMemory => {
            let value = Errno::ENOMEM.to_return_value();
            kernel.processes[kernel.current.thread].set_result(value);
            trace::notice(kernel);
            Next::Same
        }
        Outcome::Same => Next::Same,
        Outcome::Other => Next::Other,
    }
}

impl Kernel {
    /// The current process waits, and asks again when it is woken. No signal is to have come for it: nothing would
    /// interrupt it.
    #[inline]
    pub fn wait_in_call(&mut self, wait: Wait) -> Outcome {
        if self.whether_running() == Next::Same {
            self.park(self.current.thread, wait);
        }
        Outcome::Other
    }
}
