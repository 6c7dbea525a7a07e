//! Processes and their threads: what one is, and where each verb of its life stands.
//!
//! | verb | file |
//! |---|---|
//! | be, by slot and by identifier | `slots.rs`, `table.rs`, `thread.rs`, `family.rs`; `boxed.rs` makes one where it stays |
//! | be created | `clone.rs`, `fork.rs` |
//! | share, or not | `descriptors.rs`, `held.rs`, `sharing.rs`, `apart.rs` |
//! | become another program | `exec.rs`, over `template.rs`, `elf_image.rs`, `layout.rs` and `initial_stack.rs` |
//! | run, wait, be preempted | `scheduler.rs`, `parking.rs`, `queue.rs`, `file_queues.rs`, `futex.rs`, `lock_futex.rs`; `scheduling.rs` is what it asked for |
//! | be signalled, stop and go on | `signal/`, `handler.rs`, `file_notices.rs` |
//! | be in a job, have a terminal | `jobs.rs`, `terminal.rs` |
//! | end, and be waited for | `exit.rs`, `exit_thread.rs`, `exit_notify.rs`, `robust.rs`, `wait.rs` |
//! | be somebody's, be limited, have timers, be accounted for | `credentials.rs`, `limits.rs`, `timers.rs`, `accounting.rs` |
//! | have what prctl(2) sets | `traits.rs` |
pub mod accounting;
pub mod apart;
mod boxed;
pub mod clone;
pub mod credentials;
pub mod descriptors;
pub mod elf_image;
pub mod exec;
pub mod exit;
mod exit_notify;
mod exit_thread;
pub mod family;
pub mod file_notices;
mod file_queues;
pub mod fork;
pub mod futex;
pub mod handler;
pub mod held;
pub mod initial_stack;
pub mod jobs;
pub mod layout;
pub mod limits;
pub mod lock_futex;
mod parking;
pub mod queue;
pub mod robust;
pub mod scheduler;
pub mod scheduling;
pub mod sharing;
pub mod signal;
mod slots;
pub mod table;
pub mod template;
pub mod terminal;
pub mod thread;
pub mod timers;
pub mod traits;
pub mod wait;

use crate::memory::space::AddressSpace;
use alloc::boxed::Box;
use alloc::rc::Rc;
use descriptors::Descriptors;
use files::InodeId;
use signal::Signals;
pub use table::{Current, ProcessSlot, ProcessTable, ThreadSlot};
use thread::Fellows;
pub use thread::{Resume, State, Thread, Wait};

/// An identifier of a process or of a thread, which never have the same but for a process's first thread: 1 to
/// [`table::PID_MAX`].
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub struct Pid(pub u32);

/// Length of a thread's name, without a NUL (PR_SET_NAME in prctl(2)).
pub const NAME_LENGTH: usize = 15;

/// A process, from fork to wait: what its threads have in common.
pub struct Process {
    pub pid: Pid,
    /// Process group and session (setpgid(2)); changed by [`ProcessTable::set_group`].
    pub group: Pid,
    pub session: Pid,
    /// How it ended, once its last thread has; then it waits to be waited for.
    pub ended: Option<Status>,
    /// The next of those that are about to end ([`exit::Ends`]).
    pub next_to_end: Option<ProcessSlot>,
    pub job: jobs::Job,
    /// What its parent gets at the end; 0 for nothing.
    pub exit_signal: u8,
    /// What it gets at its parent's end; 0 for nothing (PR_SET_PDEATHSIG).
    pub death_signal: u8,
    pub traits: traits::Traits,
    /// The parent's thread that created it.
    pub parent_thread: Pid,
    pub timers: Option<Box<timers::Timers>>,
    /// What it has used, and what its children have that it has waited for.
    pub usage: accounting::Usage,
    pub children_usage: accounting::Usage,
    /// Pages resident, at most: those that it got but gave back may be among them.
    pub resident: u32,
    /// `None` once it has ended.
    pub memory: Option<Rc<AddressSpace>>,
    /// The thread whose vfork waits until this process execs or exits.
    pub lender: Option<Pid>,
    /// What it shares with processes that are not its threads.
    pub shares: Option<Box<sharing::Shares>>,
    pub descriptors: Descriptors,
    pub working_directory: InodeId,
    pub umask: u16,
    pub credentials: credentials::Credentials,
    pub limits: limits::Limits,
    pub signals: Signals,
    pub family: family::Links,
    pub threads: Members,
    /// Its first thread's name, once that has ended.
    pub name: [u8; NAME_LENGTH],
    /// The file of the last exec, for `/proc`.
    pub executable: Rc<[u8]>,
    /// When it was created, in ticks since boot.
    pub started: u64,
}

/// The threads of a process, in order of birth.
#[derive(Clone, Copy, Default)]
pub struct Members {
    pub first: Option<ThreadSlot>,
    pub last: Option<ThreadSlot>,
    pub count: u16,
}

impl Members {
    /// One thread.
    pub const fn one(thread: ThreadSlot) -> Self {
        Self {
            first: Some(thread),
            last: Some(thread),
            count: 1,
        }
    }
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
    /// The address space of a process that has one: any that has not ended.
    #[inline]
    pub fn space(&self) -> &AddressSpace {
        match &self.memory {
            Some(memory) => memory,
            None => unreachable!("a process that has ended runs no code"),
        }
    }
}

impl ProcessTable {
    /// Makes a thread the youngest of its process.
    pub fn join_fellows(&mut self, slot: ThreadSlot) {
        let process = self[slot].process;
        let last = self[process].threads.last.replace(slot);
        match last {
            Some(last) => self[last].fellows.next = Some(slot),
            None => self[process].threads.first = Some(slot),
        }
        self[slot].fellows.previous = last;
        self[process].threads.count += 1;
    }

    /// Takes a thread out of its process's list.
    #[inline]
    pub fn leave_fellows(&mut self, slot: ThreadSlot) {
        let thread = &mut self[slot];
        let (process, fellows) = (thread.process, thread.fellows);
        thread.fellows = Fellows::default();
        match fellows.previous {
            Some(previous) => self[previous].fellows.next = fellows.next,
            None => self[process].threads.first = fellows.next,
        }
        match fellows.next {
            Some(next) => self[next].fellows.previous = fellows.previous,
            None => self[process].threads.last = fellows.previous,
        }
        self[process].threads.count -= 1;
    }

    /// The threads of a process, in order of birth.
    pub fn threads_of(&self, slot: ProcessSlot) -> impl Iterator<Item = ThreadSlot> + '_ {
        core::iter::successors(self[slot].threads.first, |&thread| {
            self[thread].fellows.next
        })
    }

    /// The first thread of a process, the one that has its pid, if that has not ended.
    pub fn leader(&self, slot: ProcessSlot) -> Option<&Thread> {
        let first = &self[self[slot].threads.first?];
        (first.tid == self[slot].pid).then_some(first)
    }

    /// How many threads of a process are shown: with the first, as long as the process is there.
    pub fn threads_shown(&self, slot: ProcessSlot) -> u16 {
        let count = self[slot].threads.count;
        match self.leader(slot) {
            Some(_) => count,
            None => count + 1,
        }
    }

    /// A process's name: that of its first thread.
    pub fn name_of(&self, slot: ProcessSlot) -> &[u8] {
        match self.leader(slot) {
            Some(leader) => leader.name(),
            None => thread::shown(&self[slot].name),
        }
    }

    /// The letter of a process's state in `/proc/PID/stat` (proc(5)): that of its first thread.
    pub fn state_letter(&self, slot: ProcessSlot) -> char {
        self.leader(slot).map_or('Z', Thread::state_letter)
    }
}
