//! Signals (signal(7)): dispositions, sending, and the default actions.
//!
//! No process has a kernel stack to unwind, so a signal whose action is to end a process ends it at once,
//! whatever it was doing.
use super::{
    Current, Pid, ProcessSlot, ProcessTable, Resume, State, Status, ThreadSlot, Wait, handler,
};
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

/// Signals that have come and not been acted on.
#[derive(Default)]
pub struct Pending {
    pub set: u64,
    /// What is known of the newest signal.
    newest: Option<(u8, Info)>,
}

impl Pending {
    const NONE: Self = Self {
        set: 0,
        newest: None,
    };

    fn add(&mut self, signal: u8, info: Info) {
        self.set |= bit(signal);
        self.newest = Some((signal, info));
    }

    /// Takes a signal out, with what is known of it; `None` where it is not pending.
    fn take(&mut self, signal: u8) -> Option<Info> {
        if self.set & bit(signal) == 0 {
            return None;
        }
        self.set &= !bit(signal);
        let known = self.newest.filter(|(newest, _)| *newest == signal);
        Some(known.map_or(Info::Kernel, |(_, info)| info))
    }
}

/// What a process has to do with signals.
pub struct Signals {
    /// Those for the process: for any thread that does not block them.
    pub pending: Pending,
    pub actions: Rc<Actions>,
}

/// What a thread has to do with signals.
pub struct ThreadSignals {
    /// Those for this thread alone.
    pub pending: Pending,
    pub blocked: u64,
    pub alternate_stack: AlternateStack,
    /// The mask from before sigsuspend(2), until a handler has taken it.
    pub suspended_mask: Option<u64>,
}

impl ThreadSignals {
    /// Nothing blocked, nothing pending.
    pub const fn new() -> Self {
        Self {
            pending: Pending::NONE,
            blocked: 0,
            alternate_stack: AlternateStack { base: 0, size: 0 },
            suspended_mask: None,
        }
    }

    /// A forked child's: the mask as the caller's, nothing pending (fork(2)).
    #[inline]
    pub const fn fork(&self) -> Self {
        Self {
            pending: Pending::NONE,
            blocked: self.blocked,
            alternate_stack: self.alternate_stack,
            suspended_mask: None,
        }
    }

    /// What execve leaves: all but the alternate stack (execve(2)).
    pub fn reset_for_exec(&mut self) {
        self.alternate_stack = AlternateStack::default();
    }
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
    /// All default, none pending.
    pub fn new() -> Self {
        let actions = Rc::new(Actions {
            by_signal: [Action::default(); LAST as usize],
            handled: 0,
        });
        Self {
            pending: Pending::NONE,
            actions,
        }
    }

    /// A child's: dispositions as the parent's, nothing pending (fork(2)).
    #[inline]
    pub fn fork(&self) -> Self {
        Self {
            pending: Pending::NONE,
            actions: Rc::clone(&self.actions),
        }
    }

    /// What execve leaves: handlers become default, the rest stays (execve(2)).
    pub fn reset_handlers(&mut self) {
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
}

/// How a process ends by `signal`. No core is ever dumped, so the core bit is never set.
pub const fn killed_by(signal: u8) -> Status {
    Status::Killed {
        signal,
        core: false,
    }
}

/// Sends `signal` to a process: to any thread that does not block it, the first there is. A zombie takes no
/// notice.
pub fn send(kernel: &mut Kernel, target: ProcessSlot, signal: u8, info: Info) {
    COUNTERS.add(Counter::Signals, 1);
    let process = &mut kernel.processes[target];
    if process.ended.is_some() {
        return;
    }
    let disposition = process.signals.disposition(signal);
    let Some(taker) = kernel.taker(target, signal) else {
        kernel.processes[target].signals.pending.add(signal, info);
        return;
    };
    match disposition {
        Disposition::Ignore => {}
        Disposition::Terminate => kernel.end_process(target, killed_by(signal)),
        Disposition::Handler => {
            kernel.processes[target].signals.pending.add(signal, info);
            kernel.interrupt_wait(taker);
        }
    }
}

/// Sends `signal` to one thread.
pub fn send_to_thread(kernel: &mut Kernel, target: ThreadSlot, signal: u8, info: Info) {
    COUNTERS.add(Counter::Signals, 1);
    let thread = &mut kernel.processes[target];
    let process = thread.process;
    if blocks(thread.signals.blocked, signal) {
        thread.signals.pending.add(signal, info);
        return;
    }
    match kernel.processes[process].signals.disposition(signal) {
        Disposition::Ignore => {}
        Disposition::Terminate => kernel.end_process(process, killed_by(signal)),
        Disposition::Handler => {
            kernel.processes[target].signals.pending.add(signal, info);
            kernel.interrupt_wait(target);
        }
    }
}

/// Whether a mask keeps a signal back.
const fn blocks(mask: u64, signal: u8) -> bool {
    mask & bit(signal) & !UNSTOPPABLE != 0
}

impl ProcessTable {
    /// What of the signals for a thread or its process it does not block.
    #[inline]
    pub fn deliverable(&self, who: Current) -> u64 {
        let own = &self[who.thread].signals;
        (own.pending.set | self[who].signals.pending.set) & !own.blocked
    }
}

impl Kernel {
    /// The thread that takes a signal for its process; `None` where all block it.
    #[inline]
    fn taker(&self, target: ProcessSlot, signal: u8) -> Option<ThreadSlot> {
        self.processes
            .threads_of(target)
            .find(|&slot| !blocks(self.processes[slot].signals.blocked, signal))
    }

    /// Changes what the current process does on a signal. One that it ignores from now on is not pending any
    /// more (sigaction(2)).
    pub fn set_action(&mut self, signal: u8, action: Action) {
        let slot = self.current.process;
        let signals = &mut self.processes[slot].signals;
        signals.set_action(signal, action);
        if signals.disposition(signal) != Disposition::Ignore {
            return;
        }
        signals.pending.set &= !bit(signal);
        let mut next = self.processes[slot].threads.first;
        while let Some(thread) = next {
            let thread = &mut self.processes[thread];
            thread.signals.pending.set &= !bit(signal);
            next = thread.fellows.next;
        }
    }

    /// A signal with a handler has come for a thread that waits: its call returns EINTR, or is asked again
    /// after the handler where that has SA_RESTART. A vfork parent waits on.
    fn interrupt_wait(&mut self, target: ThreadSlot) {
        match self.processes[target].state {
            State::Waiting(Wait::Vfork(_)) => {}
            State::Waiting(Wait::File { progress, .. }) if progress > 0 => {
                self.processes[target].set_result(progress as u64);
                self.make_runnable(target, Resume::User);
            }
            State::Waiting(Wait::Open { descriptor, .. }) => {
                self.make_runnable(target, Resume::User);
                let process = self.processes[target].process;
                self.take_back_open(process, descriptor);
                self.processes[target].set_result(handler::INTERRUPTED);
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

    /// Acts on what is pending for the current thread, before it goes back to user mode.
    #[inline]
    pub fn deliver_signals(&mut self) -> Next {
        if self.processes.deliverable(self.current) == 0 {
            return Next::Same;
        }
        self.deliver_pending()
    }

    #[cold]
    fn deliver_pending(&mut self) -> Next {
        loop {
            let (thread, process) = self.processes.both(self.current);
            let blocked = thread.signals.blocked;
            // Its own first, then those for the process.
            let own = thread.signals.pending.set & !blocked;
            let (pending, set) = match own {
                0 => {
                    let common = &mut process.signals.pending;
                    let set = common.set & !blocked;
                    (common, set)
                }
                own => (&mut thread.signals.pending, own),
            };
            if set == 0 {
                return Next::Same;
            }
            let signal = set.trailing_zeros() as u8 + 1;
            let info = pending.take(signal).unwrap_or(Info::Kernel);
            match process.signals.disposition(signal) {
                Disposition::Ignore => {}
                Disposition::Terminate => {
                    self.end_process(self.current.process, killed_by(signal));
                    return Next::Other;
                }
                Disposition::Handler => match self.enter_handler(signal, info) {
                    // The next one, if this handler does not block it, runs before it.
                    Ok(()) => {}
                    Err(_) => {
                        self.end_process(self.current.process, killed_by(SIGSEGV));
                        return Next::Other;
                    }
                },
            }
        }
    }

    /// A fault of the current thread's own: it cannot be put off. Blocked or ignored, it ends the
    /// process (sigaction(2)).
    pub fn force_signal(&mut self, signal: u8, info: Info) -> Next {
        COUNTERS.add(Counter::Signals, 1);
        let (thread, process) = self.processes.both(self.current);
        if process.signals.disposition(signal) == Disposition::Handler
            && thread.signals.blocked & bit(signal) == 0
        {
            thread.signals.pending.add(signal, info);
            return self.deliver_signals();
        }
        self.end_process(self.current.process, killed_by(signal));
        Next::Other
    }
}
