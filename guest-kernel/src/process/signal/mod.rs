//! Signals (signal(7)): numbers, dispositions, masks. What is done with them, a verb a file:
//!
//! | verb | file |
//! |---|---|
//! | be told where one comes from | `info.rs` |
//! | wait to be acted on | `queue.rs` |
//! | be sent | `send.rs` |
//! | be acted on, interrupting a call | `deliver.rs`; a handler's frame is [`handler`](super::handler)'s |
//! | stop and go on | `stop.rs` |
//!
//! No process has a kernel stack to unwind, so a signal whose action is to end or stop a process does so at once,
//! whatever it was doing.
mod deliver;
mod info;
mod queue;
mod send;
mod stop;

use super::credentials::Which;
use super::limits::Resource;
use super::{ProcessSlot, Status};
use crate::kernel::Kernel;
use alloc::rc::Rc;
use contract::Errno;
pub use deliver::{Interrupted, deliverable};
pub use info::{Info, SI_TKILL, SI_USER, SIZE as SIGINFO_SIZE, Said, Sender, Trap};
use linux_raw_sys::general as linux;
use queue::Pending;
pub use queue::queued;
pub use send::{To, send, send_to_thread};

/// Signals 1–64; bit n-1 of a set is signal n.
pub const LAST: u8 = 64;
/// The first that queues.
pub const FIRST_REAL_TIME: u8 = 32;
pub const SIGHUP: u8 = 1;
pub const SIGQUIT: u8 = 3;
pub const SIGILL: u8 = 4;
pub const SIGTRAP: u8 = 5;
pub const SIGABRT: u8 = 6;
pub const SIGBUS: u8 = 7;
pub const SIGFPE: u8 = 8;
pub const SIGKILL: u8 = 9;
pub const SIGSEGV: u8 = 11;
pub const SIGPIPE: u8 = 13;
pub const SIGALRM: u8 = 14;
pub const SIGCHLD: u8 = 17;
pub const SIGCONT: u8 = 18;
pub const SIGSTOP: u8 = 19;
pub const SIGTSTP: u8 = 20;
pub const SIGTTIN: u8 = 21;
pub const SIGTTOU: u8 = 22;
pub const SIGURG: u8 = 23;
pub const SIGXCPU: u8 = 24;
pub const SIGXFSZ: u8 = 25;
pub const SIGVTALRM: u8 = 26;
pub const SIGPROF: u8 = 27;
pub const SIGWINCH: u8 = 28;
pub const SIGIO: u8 = 29;
pub const SIGSYS: u8 = 31;

const SIG_DFL: u64 = 0;
const SIG_IGN: u64 = 1;

/// What a process does on one signal: `struct kernel_sigaction` of x86-64, 32 bytes.
#[repr(C)]
#[derive(Clone, Copy, PartialEq, Eq, Default)]
pub struct Action {
    pub handler: u64,
    pub flags: u64,
    pub restorer: u64,
    pub mask: u64,
}

impl Action {
    /// What execve leaves of it: that the signal is ignored, and no more (execve(2)).
    fn after_exec(self) -> Self {
        Self {
            handler: if self.handler == SIG_IGN {
                SIG_IGN
            } else {
                SIG_DFL
            },
            ..Self::default()
        }
    }
}

/// A process's dispositions. Shared after fork until one side changes its own.
#[derive(Clone)]
pub struct Actions {
    by_signal: [Action; LAST as usize],
    /// The signals of whose action execve does not leave all.
    short_lived: u64,
}

/// What a process has to do with signals.
pub struct Signals {
    /// Those for the process: for any thread that does not block them.
    pub pending: Pending,
    /// None where all are the default: many programs never say otherwise.
    pub actions: Option<Rc<Actions>>,
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
            alternate_stack: AlternateStack {
                base: 0,
                size: 0,
                disarms: false,
            },
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
    /// Whether a handler's start takes it away until its end (SS_AUTODISARM).
    pub disarms: bool,
}

impl AlternateStack {
    /// Smallest (MINSIGSTKSZ).
    const SMALLEST: u64 = 2048;

    /// What a program asks for.
    ///
    /// # Errors
    /// EINVAL for flags that there are not, ENOMEM where it is too small.
    pub fn new(base: u64, flags: u32, size: u64) -> Result<Self, Errno> {
        let disarms = flags & linux::SS_AUTODISARM != 0;
        match flags & !linux::SS_AUTODISARM {
            linux::SS_DISABLE => Ok(Self::default()),
            0 | linux::SS_ONSTACK if size < Self::SMALLEST => Err(Errno::ENOMEM),
            0 | linux::SS_ONSTACK => Ok(Self {
                base,
                size,
                disarms,
            }),
            _ => Err(Errno::EINVAL),
        }
    }

    /// Whether a stack pointer is on it.
    pub const fn contains(&self, address: u64) -> bool {
        address > self.base && address - self.base <= self.size
    }

    /// Whether a program with this stack pointer is in a handler on it.
    pub const fn is_used_at(&self, pointer: u64) -> bool {
        self.size > 0 && !self.disarms && self.contains(pointer)
    }

    /// `ss_flags`, for a program that is not on it.
    pub const fn flags(&self) -> u32 {
        match self.size {
            0 => linux::SS_DISABLE,
            _ if self.disarms => linux::SS_AUTODISARM,
            _ => 0,
        }
    }
}

/// What a signal would do.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Disposition {
    Ignore,
    Terminate,
    Stop,
    Handler,
}

/// The bit of a signal in a set.
pub const fn bit(signal: u8) -> u64 {
    1 << (signal - 1)
}

/// Signals that cannot be caught, blocked or ignored.
pub const UNSTOPPABLE: u64 = bit(SIGKILL) | bit(SIGSTOP);
/// Those that end a process with a core dump by default.
const DUMPS: u64 = bit(SIGQUIT)
    | bit(SIGILL)
    | bit(SIGTRAP)
    | bit(SIGABRT)
    | bit(SIGBUS)
    | bit(SIGFPE)
    | bit(SIGSEGV)
    | bit(SIGXCPU)
    | bit(SIGXFSZ)
    | bit(SIGSYS);
/// A core dump has at least a page.
const SMALLEST_CORE: u64 = 4096;
/// Those that stop by default.
const STOPS: u64 = bit(SIGSTOP) | bit(SIGTSTP) | bit(SIGTTIN) | bit(SIGTTOU);
/// Those that a thread brings upon itself: they come before all others.
const SYNCHRONOUS: u64 =
    bit(SIGILL) | bit(SIGTRAP) | bit(SIGBUS) | bit(SIGFPE) | bit(SIGSEGV) | bit(SIGSYS);
const IGNORED_BY_DEFAULT: u64 = bit(SIGCHLD) | bit(SIGCONT) | bit(SIGURG) | bit(SIGWINCH);

impl Signals {
    /// All default, none pending.
    pub const fn new() -> Self {
        Self {
            pending: Pending::NONE,
            actions: None,
        }
    }

    /// A child's: dispositions as the parent's, nothing pending (fork(2)).
    #[inline]
    pub fn fork(&self) -> Self {
        Self {
            pending: Pending::NONE,
            actions: self.actions.clone(),
        }
    }

    /// Leaves what execve leaves.
    pub fn reset_handlers(&mut self) {
        if let Some(actions) = &mut self.actions
            && actions.short_lived != 0
        {
            let actions = Rc::make_mut(actions);
            actions.short_lived = 0;
            for action in &mut actions.by_signal {
                *action = action.after_exec();
            }
        }
    }

    #[inline]
    pub fn action(&self, signal: u8) -> Action {
        match &self.actions {
            Some(actions) => actions.by_signal[usize::from(signal) - 1],
            None => Action::default(),
        }
    }

    pub fn set_action(&mut self, signal: u8, action: Action) {
        let actions = self.actions.get_or_insert_with(|| {
            Rc::new(Actions {
                by_signal: [Action::default(); LAST as usize],
                short_lived: 0,
            })
        });
        let actions = Rc::make_mut(actions);
        actions.by_signal[usize::from(signal) - 1] = action;
        actions.short_lived &= !bit(signal);
        if action != action.after_exec() {
            actions.short_lived |= bit(signal);
        }
    }

    /// Whether children of this process leave no zombies (sigaction(2), SA_NOCLDWAIT).
    #[inline]
    pub fn discards_children(&self) -> bool {
        let action = self.action(SIGCHLD);
        action.handler == SIG_IGN || action.flags & u64::from(linux::SA_NOCLDWAIT) != 0
    }

    #[inline]
    pub fn disposition(&self, signal: u8) -> Disposition {
        match self.action(signal).handler {
            SIG_DFL if IGNORED_BY_DEFAULT & bit(signal) != 0 => Disposition::Ignore,
            SIG_DFL if STOPS & bit(signal) != 0 => Disposition::Stop,
            SIG_DFL => Disposition::Terminate,
            SIG_IGN => Disposition::Ignore,
            _ => Disposition::Handler,
        }
    }
}

/// A signal's number from a program, as an int; `None` for 0.
///
/// # Errors
/// EINVAL: there is none of that number.
pub fn signal_number(number: u64) -> Result<Option<u8>, Errno> {
    match u8::try_from(number as u32) {
        Ok(0) => Ok(None),
        Ok(signal) if signal <= LAST => Ok(Some(signal)),
        _ => Err(Errno::EINVAL),
    }
}

impl Kernel {
    /// How a process ends by `signal`. The core bit says that Linux would have dumped core (signal(7), core(5)): the
    /// limit on its size allows one. None is written here.
    pub fn killed_by(&self, slot: ProcessSlot, signal: u8) -> Status {
        let limit = self.processes[slot].limits.soft(Resource::Core);
        Status::Killed {
            signal,
            core: bit(signal) & DUMPS != 0 && limit >= SMALLEST_CORE,
        }
    }

    /// Whom a signal from a process is from.
    pub fn sender(&self, slot: ProcessSlot) -> Sender {
        let process = &self.processes[slot];
        Sender {
            pid: process.pid,
            user: process.credentials.ids(Which::User).real,
        }
    }

    /// Changes what the current process does on a signal. One that it ignores from now on is not pending any
    /// more (sigaction(2)).
    pub fn set_action(&mut self, signal: u8, action: Action) {
        let slot = self.current.process;
        let signals = &mut self.processes[slot].signals;
        signals.set_action(signal, action);
        let disposition = signals.disposition(signal);
        if self.processes[slot].shares.is_some() {
            self.spread_handlers(slot);
        }
        if disposition == Disposition::Ignore {
            self.discard_pending(slot, bit(signal));
        }
    }
}
