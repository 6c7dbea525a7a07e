//! Threads: what is scheduled. A process has one or more, and what they share is the process's.
use super::apart::Apart;
use super::scheduling::Scheduling;
use super::signal::ThreadSignals;
use super::{NAME_LENGTH, Pid, ProcessSlot, ThreadSlot};
use super::{futex, held, wait};
use crate::arch::context::UserContext;
use crate::system_calls::poll::NO_DEADLINE;
use alloc::boxed::Box;
use files::{DescriptionId, WaitFor};

/// A thread, from clone to its end.
pub struct Thread {
    /// What it has in the CPU's registers. First, and never moved: the CPU saves straight into it.
    pub context: UserContext,
    pub tid: Pid,
    pub process: ProcessSlot,
    pub state: State,
    pub signals: ThreadSignals,
    pub scheduling: Scheduling,
    /// CPU time, in ticks.
    pub cpu: u64,
    /// The next in whatever queue this thread stands in: it stands in at most one.
    pub next_in_queue: Option<ThreadSlot>,
    /// Its fellows among the threads of its process.
    pub fellows: Fellows,
    /// What it does not share with its fellows.
    pub apart: Option<Box<Apart>>,
    /// Where to write 0 at its end, for who joins it (set_tid_address(2)); 0 for nowhere.
    pub clear_child_tid: u64,
    /// Head of its list of robust futexes (get_robust_list(2)); 0 for none.
    pub robust_list: u64,
    pub name: [u8; NAME_LENGTH],
}

/// A thread's neighbours in its process's list, which is in order of birth.
#[derive(Clone, Copy, Default)]
pub struct Fellows {
    pub previous: Option<ThreadSlot>,
    pub next: Option<ThreadSlot>,
}

/// What a thread is doing.
#[derive(Clone, Copy)]
pub enum State {
    /// In the run queue.
    Runnable(Resume),
    /// The CPU is its own.
    Running,
    /// Parked until something comes.
    Waiting(Wait),
    /// Its process is stopped; how it goes on.
    Stopped(Resume),
}

/// How a runnable thread goes on.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Resume {
    /// With the instruction it stopped at.
    User,
    /// For the first time; its id is to be at this address then (CLONE_CHILD_SETTID). Written so late, as
    /// on Linux, it costs fork nothing.
    Start { pid_at: u64 },
    /// With the system call it waited in, asked once more, `progress` bytes of it done. `turn` is the queue
    /// it was first in: once it has had its turn, the next there is woken.
    SystemCall {
        progress: usize,
        turn: Option<WaitFor>,
    },
    /// Out of a system call that a signal has interrupted: with that signal's handler.
    Interrupted,
}

/// What a thread waits for.
#[derive(Clone, Copy)]
pub enum Wait {
    /// A child that has something to report.
    Child(wait::Wanted),
    /// The child of its vfork, until that execs or exits.
    Vfork(Pid),
    /// A pipe or the console; `progress` bytes of the call are done, or it holds its file (`held.rs`).
    File { until: WaitFor, progress: usize },
    /// The other end of a FIFO, `file`, for which the number `descriptor` is reserved.
    Open {
        until: WaitFor,
        file: DescriptionId,
        descriptor: u32,
    },
    /// Input from the console, until a time: then the call is over with the bytes it has.
    TimedInput { progress: usize, deadline: u64 },
    /// Some descriptor to become ready (poll(2)), until a time where there is one.
    Readiness { deadline: Option<u64> },
    /// A time, in nanoseconds since boot.
    Time(u64),
    /// To be woken by futex(2).
    Futex(futex::Waiter),
    /// A signal (pause(2)).
    Signal,
    /// A signal of a set, to be taken without a handler (sigtimedwait(2)), until a time where there is one.
    SignalSet { set: u64, deadline: Option<u64> },
}

impl Wait {
    /// How a thread that waits asks its call again. A call that has a deadline keeps it.
    pub fn asked_again(self) -> Resume {
        let progress = match self {
            Self::File { progress, .. } | Self::TimedInput { progress, .. } => progress,
            Self::Open {
                file, descriptor, ..
            } => held::holding(descriptor as usize + 1, file),
            Self::Readiness { deadline } => deadline.unwrap_or(NO_DEADLINE) as usize,
            Self::SignalSet { deadline, .. } => deadline.unwrap_or(0) as usize,
            Self::Futex(waiter) => waiter.deadline.unwrap_or(0) as usize,
            Self::Time(deadline) => deadline as usize,
            Self::Child(_) | Self::Vfork(_) | Self::Signal => 0,
        };
        Resume::SystemCall {
            progress,
            turn: None,
        }
    }
}

impl Thread {
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
            State::Stopped(_) => 'T',
        }
    }

    /// Its name up to the first NUL.
    pub fn name(&self) -> &[u8] {
        shown(&self.name)
    }

    /// Names it: the first bytes of `name`.
    pub fn set_name(&mut self, name: &[u8]) {
        let length = name.len().min(NAME_LENGTH);
        self.name = [0; NAME_LENGTH];
        self.name[..length].copy_from_slice(&name[..length]);
    }
}

/// A name up to the first NUL.
pub fn shown(name: &[u8; NAME_LENGTH]) -> &[u8] {
    name.split(|&byte| byte == 0).next().unwrap_or_default()
}
