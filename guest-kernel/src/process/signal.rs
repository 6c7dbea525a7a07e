//! Signals (signal(7)): dispositions, sending, and the default actions.
//!
//! No process has a kernel stack to unwind, so a signal whose action is to end a process ends it at once,
//! whatever it was doing.
use super::{Pid, Resume, Slot, State, Status, Wait, handler};
use crate::kernel::Kernel;
use crate::process::scheduler::Next;
use crate::records::COUNTERS;
use alloc::rc::Rc;
use contract::Errno;
use contract::counters::Counter;
use linux_raw_sys::general as linux;

/// Signals 1–64; bit n-1 of a set is signal n.
pub const LAST: u8 = 64;
pub const SIGILL: u8 = 4;
pub const SIGTRAP: u8 = 5;
pub const SIGBUS: u8 = 7;
pub const SIGFPE: u8 = 8;
pub const SIGKILL: u8 = 9;
pub const SIGSEGV: u8 = 11;
pub const SIGPIPE: u8 = 13;
pub const SIGCHLD: u8 = 17;
pub const SIGCONT: u8 = 18;
pub const SIGSTOP: u8 = 19;
pub const SIGURG: u8 = 23;
pub const SIGWINCH: u8 = 28;

const SIG_DFL: u64 = 0;
const SIG_IGN: u64 = 1;

/// What a process does on one signal: `struct kernel_sigaction` of x86-64, 32 bytes.
#[repr(C)]
#[derive(Clone, Copy, Default)]
pub struct Action {
    pub handler: u64,
    pub flags: u64,
    pub restorer: u64,
    pub mask: u64,
}

/// A process's dispositions. Shared after fork until one side changes its own.
#[derive(Clone)]
pub struct Actions {
    by_signal: [Action; LAST as usize],
    /// The signals that have a handler.
    handled: u64,
}

/// What a process has to do with signals.
pub struct Signals {
    pub pending: u64,
    pub blocked: u64,
    pub actions: Rc<Actions>,
    pub alternate_stack: AlternateStack,
    /// The mask from before sigsuspend(2), until a handler has taken it.
    pub suspended_mask: Option<u64>,
    /// What is known of the newest signal.
    newest: Option<(u8, Info)>,
}

/// sigaltstack(2); of size 0 where there is none.
#[derive(Clone, Copy, Default)]
pub struct AlternateStack {
    pub base: u64,
    pub size: u64,
}

impl AlternateStack {
    pub const fn contains(&self, address: u64) -> bool {
        address > self.base && address - self.base <= self.size
    }

    /// `ss_flags`, for a program that is not on it.
    pub const fn flags(&self) -> u32 {
        if self.size == 0 { linux::SS_DISABLE } else { 0 }
    }
}

/// What a signal would do.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Disposition {
    Ignore,
    Terminate,
    Handler,
}

/// Where a signal comes from: what `siginfo_t` tells of it (sigaction(2)).
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Info {
    /// The kernel.
    Kernel,
    /// kill(2), by this process.
    Kill(Pid),
    /// tkill(2) or tgkill(2), by this process.
    ThreadKill(Pid),
    /// A fault of the process's own: `si_code` and the address.
    Fault { code: u32, address: u64 },
    /// A child has ended.
    Child(Pid, Status),
}

impl Info {
    /// `siginfo_t`, 128 bytes: signo, errno, code, padding, then what the code says.
    pub fn to_siginfo(self, signal: u8) -> [u8; 128] {
        const SI_KERNEL: u32 = 0x80;
        const SI_TKILL: u32 = -6_i32 as u32;
        let mut bytes = match self {
            Self::Child(pid, status) => child_siginfo(pid, status),
            _ => [0; 128],
        };
        let mut put = |at: usize, word: u32| bytes[at..at + 4].copy_from_slice(&word.to_ne_bytes());
        put(0, u32::from(signal));
        match self {
            Self::Kernel => put(8, SI_KERNEL),
            Self::Kill(Pid(pid)) => put(16, pid),
            Self::ThreadKill(Pid(pid)) => {
                put(8, SI_TKILL);
                put(16, pid);
            }
            Self::Fault { code, address } => {
                put(8, code);
                put(16, address as u32);
                put(20, (address >> 32) as u32);
            }
            Self::Child(..) => {}
        }
        bytes
    }
}

/// `siginfo_t` of an ended child: signo, errno, code, then pid, uid, status.
pub fn child_siginfo(pid: Pid, ended: Status) -> [u8; 128] {
    let (code, status) = match ended {
        Status::Exited(code) => (linux::CLD_EXITED, u32::from(code)),
        Status::Killed {
            signal,
            core: false,
        } => (linux::CLD_KILLED, u32::from(signal)),
        Status::Killed { signal, core: true } => (linux::CLD_DUMPED, u32::from(signal)),
    };
    let mut bytes = [0; 128];
    let words = [linux::SIGCHLD, 0, code, 0, pid.0, 0, status];
    for (word, place) in words.iter().zip(bytes.chunks_exact_mut(4)) {
        place.copy_from_slice(&word.to_ne_bytes());
    }
    bytes
}

/// The bit of a signal in a set.
pub const fn bit(signal: u8) -> u64 {
    1 << (signal - 1)
}

/// Signals that cannot be caught, blocked or ignored.
pub const UNSTOPPABLE: u64 = bit(SIGKILL) | bit(SIGSTOP);
const IGNORED_BY_DEFAULT: u64 = bit(SIGCHLD) | bit(SIGCONT) | bit(SIGURG) | bit(SIGWINCH);

impl Signals {
    /// All default, none blocked, none pending.
    pub fn new() -> Self {
        let actions = Rc::new(Actions {
            by_signal: [Action::default(); LAST as usize],
            handled: 0,
        });
        Self {
            pending: 0,
            blocked: 0,
            actions,
            alternate_stack: AlternateStack::default(),
            suspended_mask: None,
            newest: None,
        }
    }

    /// A child's: dispositions and mask as the parent's, nothing pending (fork(2)).
    #[inline]
    pub fn fork(&self) -> Self {
        Self {
            pending: 0,
            blocked: self.blocked,
            actions: Rc::clone(&self.actions),
            alternate_stack: self.alternate_stack,
            suspended_mask: None,
            newest: None,
        }
    }

    /// What execve leaves: handlers become default, the rest stays (execve(2)).
    pub fn reset_handlers(&mut self) {
        self.alternate_stack = AlternateStack::default();
        if self.actions.handled != 0 {
            let actions = Rc::make_mut(&mut self.actions);
            actions.handled = 0;
            for action in &mut actions.by_signal {
                let handler = if action.handler == SIG_IGN {
                    SIG_IGN
                } else {
                    SIG_DFL
                };
                *action = Action {
                    handler,
                    ..Action::default()
                };
            }
        }
    }

    pub fn action(&self, signal: u8) -> Action {
        self.actions.by_signal[usize::from(signal) - 1]
    }

    pub fn set_action(&mut self, signal: u8, action: Action) {
        let actions = Rc::make_mut(&mut self.actions);
        actions.by_signal[usize::from(signal) - 1] = action;
        actions.handled &= !bit(signal);
        if action.handler > SIG_IGN {
            actions.handled |= bit(signal);
        }
        if self.disposition(signal) == Disposition::Ignore {
            self.pending &= !bit(signal);
        }
    }

    /// Whether children of this process leave no zombies (sigaction(2), SA_NOCLDWAIT).
    #[inline]
    pub fn discards_children(&self) -> bool {
        let action = &self.actions.by_signal[SIGCHLD as usize - 1];
        action.handler == SIG_IGN || action.flags & u64::from(linux::SA_NOCLDWAIT) != 0
    }

    #[inline]
    pub fn disposition(&self, signal: u8) -> Disposition {
        match self.actions.by_signal[usize::from(signal) - 1].handler {
            SIG_DFL if IGNORED_BY_DEFAULT & bit(signal) != 0 => Disposition::Ignore,
            SIG_DFL => Disposition::Terminate,
            SIG_IGN => Disposition::Ignore,
            _ => Disposition::Handler,
        }
    }

    /// What is known of a signal that is being delivered.
    pub fn info_of(&self, signal: u8) -> Info {
        self.newest
            .filter(|(newest, _)| *newest == signal)
            .map_or(Info::Kernel, |(_, info)| info)
    }

    fn add_pending(&mut self, signal: u8, info: Info) {
        self.pending |= bit(signal);
        self.newest = Some((signal, info));
    }

    /// Whether something is to be done before the process goes on.
    #[inline]
    pub const fn deliverable(&self) -> u64 {
        self.pending & !self.blocked
    }
}

/// How a process ends by `signal`. No core is ever dumped, so the core bit is never set.
pub const fn killed_by(signal: u8) -> Status {
    Status::Killed {
        signal,
        core: false,
    }
}

/// Sends `signal` to a process; a zombie takes no notice.
pub fn send(kernel: &mut Kernel, target: Slot, signal: u8, info: Info) {
    COUNTERS.add(Counter::Signals, 1);
    let process = &mut kernel.processes[target];
    if let State::Zombie(_) = process.state {
        return;
    }
    if process.signals.blocked & bit(signal) & !UNSTOPPABLE != 0 {
        process.signals.add_pending(signal, info);
        return;
    }
    match process.signals.disposition(signal) {
        Disposition::Ignore => {}
        Disposition::Terminate => kernel.end_process(target, killed_by(signal)),
        Disposition::Handler => {
            process.signals.add_pending(signal, info);
            kernel.interrupt_wait(target);
        }
    }
}

impl Kernel {
    /// A signal with a handler has come for a process that waits: its call returns EINTR, or is asked
    /// again after the handler where that has SA_RESTART. A vfork parent waits on.
    fn interrupt_wait(&mut self, target: Slot) {
        match self.processes[target].state {
            State::Waiting(Wait::Vfork(_)) => {}
            State::Waiting(Wait::File { progress, .. }) if progress > 0 => {
                self.processes[target].set_result(progress as u64);
                self.make_runnable(target, Resume::User);
            }
            State::Waiting(Wait::File { .. } | Wait::Child(_)) => {
                self.processes[target].set_result(handler::INTERRUPTED);
                self.make_runnable(target, Resume::User);
            }
            State::Waiting(
                Wait::Time(_) | Wait::Futex(_) | Wait::Signal | Wait::Readiness { .. },
            ) => {
                self.processes[target].set_result(Errno::EINTR.to_return_value());
                self.make_runnable(target, Resume::User);
            }
            _ => {}
        }
    }

    /// Acts on what is pending for the current process, before it goes back to user mode.
    #[inline]
    pub fn deliver_signals(&mut self) -> Next {
        if self.processes[self.current].signals.deliverable() == 0 {
            return Next::Same;
        }
        self.deliver_pending()
    }

    #[cold]
    fn deliver_pending(&mut self) -> Next {
        let slot = self.current;
        loop {
            let signals = &mut self.processes[slot].signals;
            let deliverable = signals.deliverable();
            if deliverable == 0 {
                return Next::Same;
            }
            let signal = deliverable.trailing_zeros() as u8 + 1;
            signals.pending &= !bit(signal);
            match signals.disposition(signal) {
                Disposition::Ignore => {}
                Disposition::Terminate => {
                    self.end_process(slot, killed_by(signal));
                    return Next::Other;
                }
                Disposition::Handler => match self.enter_handler(slot, signal) {
                    // The next one, if this handler does not block it, runs before it.
                    Ok(()) => {}
                    Err(_) => {
                        self.end_process(slot, killed_by(SIGSEGV));
                        return Next::Other;
                    }
                },
            }
        }
    }

    /// A fault of the current process's own: it cannot be put off. Blocked or ignored, it ends the
    /// process (sigaction(2)).
    pub fn force_signal(&mut self, signal: u8, info: Info) -> Next {
        let slot = self.current;
        let signals = &mut self.processes[slot].signals;
        if signals.disposition(signal) == Disposition::Handler && signals.blocked & bit(signal) == 0
        {
            COUNTERS.add(Counter::Signals, 1);
            signals.add_pending(signal, info);
            return self.deliver_signals();
        }
        COUNTERS.add(Counter::Signals, 1);
        self.end_process(slot, killed_by(signal));
        Next::Other
    }
}
