//! Processes: what one is, and where each verb of its life stands.
//!
//! | verb | file |
//! |---|---|
//! | be created | `fork.rs` |
//! | become another program | `exec.rs`, over `template.rs`, `elf_image.rs` and `initial_stack.rs` |
//! | run, wait, be preempted | `scheduler.rs`, `queue.rs` |
//! | be signalled | `signal.rs`, `handler.rs` |
//! | end, and be waited for | `exit.rs`, `wait.rs` |
//! | be limited | `limits.rs` |
pub mod credentials;
pub mod descriptors;
pub mod elf_image;
pub mod exec;
pub mod exit;
pub mod family;
pub mod fork;
pub mod handler;
pub mod initial_stack;
pub mod limits;
pub mod queue;
pub mod scheduler;
pub mod signal;
pub mod table;
pub mod template;
pub mod wait;

use crate::arch::context::UserContext;
use crate::memory::space::AddressSpace;
use alloc::rc::Rc;
use descriptors::Descriptors;
use files::{InodeId, WaitFor};
use signal::Signals;
pub use table::{ProcessTable, Slot};

/// A process identifier: 1 to [`table::PID_MAX`].
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub struct Pid(pub u32);

/// Length of a process's name, without a NUL (PR_SET_NAME in prctl(2)).
pub const NAME_LENGTH: usize = 15;

/// A process, from fork to wait.
pub struct Process {
    /// What it has in the CPU's registers. First, and never moved: the CPU saves straight into it.
    pub context: UserContext,
    pub pid: Pid,
    /// Process group and session (setpgid(2)).
    pub group: Pid,
    pub session: Pid,
    pub state: State,
    /// `None` once it is a zombie.
    pub memory: Option<Memory>,
    pub descriptors: Descriptors,
    pub working_directory: InodeId,
    pub umask: u16,
    pub credentials: credentials::Credentials,
    pub limits: limits::Limits,
    pub signals: Signals,
    pub family: family::Links,
    /// The next in whatever queue this process stands in: it stands in at most one.
    pub next_in_queue: Option<Slot>,
    pub name: [u8; NAME_LENGTH],
    /// The file of the last exec, for `/proc`.
    pub executable: Rc<[u8]>,
    /// When it was created, in ticks since boot.
    pub started: u64,
}

/// Whose address space a process runs in.
pub enum Memory {
    /// Its own.
    Own(Rc<AddressSpace>),
    /// That of the process that called vfork and waits for this one.
    Borrowed {
        space: Rc<AddressSpace>,
        lender: Pid,
    },
}

impl Memory {
    pub const fn space(&self) -> &Rc<AddressSpace> {
        match self {
            Self::Own(space) | Self::Borrowed { space, .. } => space,
        }
    }
}

/// What a process is doing.
#[derive(Clone, Copy)]
pub enum State {
    /// In the run queue.
    Runnable(Resume),
    /// The CPU is its own.
    Running,
    /// Parked until something comes.
    Waiting(Wait),
    /// Ended, and not yet waited for.
    Zombie(Status),
}

/// How a runnable process goes on.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Resume {
    /// With the instruction it stopped at.
    User,
    /// For the first time; its pid is to be at this address then (CLONE_CHILD_SETTID). Written so late, as
    /// on Linux, it costs fork nothing.
    Start { pid_at: u64 },
    /// With the system call it waited in, asked once more, `progress` bytes of it done. `turn` is the queue
    /// it was first in: once it has had its turn, the next there is woken.
    SystemCall {
        progress: usize,
        turn: Option<WaitFor>,
    },
}

/// What a process waits for.
#[derive(Clone, Copy)]
pub enum Wait {
    /// A child that ends and fits.
    Child(wait::Selector),
    /// The child of its vfork, until that execs or exits.
    Vfork(Pid),
    /// A pipe or the console; `progress` bytes of the call are done.
    File { until: WaitFor, progress: usize },
    /// Some descriptor to become ready (poll(2)), until a time where there is one.
    Readiness { deadline: Option<u64> },
    /// A time, in nanoseconds since boot.
    Time(u64),
    /// A futex that nobody wakes, until a time; it is over with ETIMEDOUT then.
    Futex(u64),
    /// A signal (pause(2)).
    Signal,
}

/// How a process ended: what wait4 reports.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Status {
    /// It called exit.
    Exited(u8),
    /// Signal `signal` ended it; `core` where Linux would have dumped core.
    Killed { signal: u8, core: bool },
}

impl Status {
    /// The status word of wait4 (wait(2)): code in bits 8–15, or signal in bits 0–6 and core in bit 7.
    pub const fn word(self) -> i32 {
        match self {
            Self::Exited(code) => (code as i32) << 8,
            Self::Killed { signal, core } => signal as i32 | (core as i32) << 7,
        }
    }
}

impl Process {
    /// The address space of a process that has one: any but a zombie.
    #[inline]
    pub fn space(&self) -> &AddressSpace {
        match &self.memory {
            Some(memory) => memory.space(),
            None => unreachable!("a zombie runs no code"),
        }
    }

    /// What the system call it is in returns.
    #[inline]
    pub const fn set_result(&mut self, value: u64) {
        self.context.registers.rax = value;
    }

    /// The letter of its state in `/proc/PID/stat` (proc(5)).
    pub const fn state_letter(&self) -> char {
        match self.state {
            State::Runnable(_) | State::Running => 'R',
            State::Waiting(Wait::Vfork(_)) => 'D',
            State::Waiting(_) => 'S',
            State::Zombie(_) => 'Z',
        }
    }

    /// Its name up to the first NUL.
    pub fn name(&self) -> &[u8] {
        self.name
            .split(|&byte| byte == 0)
            .next()
            .unwrap_or_default()
    }

    /// Names it after the last component of `path`.
    pub fn set_name(&mut self, path: &[u8]) {
        let last = path.rsplit(|&byte| byte == b'/').next().unwrap_or_default();
        let length = last.len().min(NAME_LENGTH);
        self.name = [0; NAME_LENGTH];
        self.name[..length].copy_from_slice(&last[..length]);
    }
}
