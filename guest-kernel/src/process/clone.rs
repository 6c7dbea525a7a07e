//! clone(2): what it can be asked for, and threads. Processes are made in `fork.rs`.
use super::fork::new_thread;
use super::signal::AlternateStack;
use super::traits::Traits;
use super::{Pid, ProcessSlot, Resume};
use crate::kernel::Kernel;
use crate::memory::frames::{FRAMES, Use};
use crate::memory::space::USER_END;
use crate::memory::{heap, user};
use crate::records::COUNTERS;
use crate::system_calls::Outcome;
use contract::Errno;
use contract::counters::Counter;
use linux_raw_sys::general as linux;

/// What a new thread or process is to be.
#[derive(Clone, Copy)]
pub struct Request {
    /// CLONE_* without the exit signal.
    pub flags: u64,
    /// What the parent gets at the end; 0 for nothing.
    pub exit_signal: u8,
    /// The stack pointer; the caller's where 0.
    pub stack: u64,
    /// CLONE_PARENT_SETTID; of clone(2) CLONE_PIDFD, too.
    pub parent_tid: u64,
    /// CLONE_CHILD_SETTID and CLONE_CHILD_CLEARTID.
    pub child_tid: u64,
    /// CLONE_SETTLS.
    pub tls: u64,
    /// The identifier it must have (`set_tid` of clone3).
    pub tid: Option<Pid>,
}

impl Request {
    /// fork(2).
    pub const FORK: Self = Self {
        flags: 0,
        exit_signal: linux::SIGCHLD as u8,
        stack: 0,
        parent_tid: 0,
        child_tid: 0,
        tls: 0,
        tid: None,
    };
    /// vfork(2).
    pub const VFORK: Self = Self {
        flags: (linux::CLONE_VM | linux::CLONE_VFORK) as u64,
        ..Self::FORK
    };

    #[inline]
    pub const fn has(&self, flag: u32) -> bool {
        self.flags & flag as u64 != 0
    }

    /// Whether it says what only [`Kernel::share_further`] does.
    #[inline]
    pub const fn is_more_than_fork(&self) -> bool {
        const MORE: u32 = linux::CLONE_PARENT
            | linux::CLONE_PARENT_SETTID
            | linux::CLONE_FS
            | linux::CLONE_FILES
            | linux::CLONE_SIGHAND;
        const VFORK: u64 = Request::VFORK.flags;
        self.flags & (MORE as u64 | linux::CLONE_CLEAR_SIGHAND) != 0
            || self.flags & VFORK == linux::CLONE_VM as u64
    }

    /// How it begins.
    #[inline]
    pub const fn first_steps(&self) -> Resume {
        if self.has(linux::CLONE_CHILD_SETTID) {
            Resume::Start {
                pid_at: self.child_tid,
            }
        } else {
            Resume::User
        }
    }

    #[inline]
    pub const fn clear_child_tid(&self) -> u64 {
        if self.has(linux::CLONE_CHILD_CLEARTID) {
            self.child_tid
        } else {
            0
        }
    }

    /// Whether it asks for a namespace.
    const fn wants_namespaces(&self) -> bool {
        const NAMESPACES: u32 = linux::CLONE_NEWNS
            | linux::CLONE_NEWUTS
            | linux::CLONE_NEWIPC
            | linux::CLONE_NEWUSER
            | linux::CLONE_NEWPID
            | linux::CLONE_NEWNET
            | linux::CLONE_NEWCGROUP;
        self.has(NAMESPACES) || self.flags & (linux::CLONE_NEWTIME as u64) != 0
    }

    /// Refuses what contradicts itself, and what there is none of, in Linux's order.
    fn check(&self) -> Result<(), Errno> {
        let is_thread = self.has(linux::CLONE_THREAD);
        let shares_handlers = self.has(linux::CLONE_SIGHAND);
        if (is_thread && !shares_handlers)
            || (shares_handlers && !self.has(linux::CLONE_VM))
            || (self.has(linux::CLONE_PIDFD)
                && self.has(linux::CLONE_THREAD | linux::CLONE_DETACHED))
        {
            return Err(Errno::EINVAL);
        }
        // Threads whose creator waits for them.
        if is_thread && self.has(linux::CLONE_VFORK) {
            return Err(Errno::ENOSYS);
        }
        if self.has(linux::CLONE_SETTLS) && self.tls >= USER_END {
            return Err(Errno::EPERM);
        }
        Ok(())
    }
}

impl Kernel {
    /// clone(2) and clone3: a thread or a process.
    ///
    /// # Errors
    /// EINVAL for flags that contradict each other or ask for namespaces, EPERM for the latter without CAP_SYS_ADMIN;
    /// ENOSYS for a thread whose creator waits for it; EAGAIN at a limit; ENOMEM.
    pub fn clone(&mut self, request: &Request) -> Result<Outcome, Errno> {
        // What C libraries fork with: nothing of it is refused.
        const PLAIN: u64 = (linux::CLONE_CHILD_SETTID | linux::CLONE_CHILD_CLEARTID) as u64;
        if request.flags & !(PLAIN | Request::VFORK.flags) == 0 {
            return self.create(request);
        }
        self.clone_otherwise(request, request.parent_tid)
    }

    /// As [`clone`](Self::clone), where CLONE_PIDFD may be asked for: the descriptor goes to `pidfd`.
    ///
    /// # Errors
    /// As there, and EMFILE, ENFILE and EFAULT of the descriptor.
    pub fn clone_otherwise(&mut self, request: &Request, pidfd: u64) -> Result<Outcome, Errno> {
        const BOTH: u64 = (linux::CLONE_PIDFD | linux::CLONE_PARENT_SETTID) as u64;
        if request.flags & BOTH == BOTH && pidfd == request.parent_tid {
            return Err(Errno::EINVAL);
        }
        request.check()?;
        if request.wants_namespaces() {
            // There are none, but who may not ask is told that first.
            let credentials = &self.processes[self.current].credentials;
            return Err(if credentials.may_administer() {
                Errno::EINVAL
            } else {
                Errno::EPERM
            });
        }
        if request.has(linux::CLONE_PARENT) && self.processes[self.current].pid == Pid(1) {
            return Err(Errno::EINVAL);
        }
        if request.has(linux::CLONE_THREAD) {
            self.create_thread(request)
        } else if request.has(linux::CLONE_PIDFD) {
            self.create_with_descriptor(request, pidfd)
        } else {
            self.create(request)
        }
    }

    fn create_thread(&mut self, request: &Request) -> Result<Outcome, Errno> {
        heap::require_reserve()?;
        let vacancy = self.processes.thread_vacancy(request.tid)?;
        let tid = vacancy.pid();
        let simd = FRAMES
            .with(|frames| frames.allocate(Use::Kernel))
            .ok_or(Errno::ENOMEM)?;

        // From here on nothing fails.
        let caller = self.current;
        let parent = &mut self.processes[caller.thread];
        let mut thread = new_thread(parent, simd, tid, caller.process, request);
        thread.signals.alternate_stack = AlternateStack::default();
        let slot = self.processes.insert_thread(vacancy, thread);
        self.processes.join_fellows(slot);
        self.set_apart(slot, request);
        self.tell_id(request, tid);
        self.line_up(slot);
        COUNTERS.add(Counter::Threads, 1);
        Ok(Outcome::Return(u64::from(tid.0)))
    }

    /// CLONE_PARENT_SETTID. A bad address is the caller's own affair, as on Linux.
    fn tell_id(&self, request: &Request, tid: Pid) {
        if request.has(linux::CLONE_PARENT_SETTID) {
            let space = self.processes[self.current].space();
            let _ = user::write(space, request.parent_tid, &tid.0.to_ne_bytes());
        }
    }

    /// What only clone asks of a new process.
    #[cold]
    pub fn share_further(&mut self, child: ProcessSlot, request: &Request) {
        self.tell_id(request, self.processes[child].pid);
        if request.flags & linux::CLONE_CLEAR_SIGHAND != 0 {
            self.processes[child].signals.reset_handlers();
        }
        let shares_memory = request.has(linux::CLONE_VM) && !request.has(linux::CLONE_VFORK);
        if shares_memory && let Some(first) = self.processes[child].threads.first {
            self.processes[first].signals.alternate_stack = AlternateStack::default();
        }
        if request.has(linux::CLONE_PARENT)
            && let Some(parent) = self.processes[self.current].family.parent
        {
            let own = &self.processes[self.current];
            let (exit_signal, parent_thread) = (own.exit_signal, own.parent_thread);
            let inherited = own.traits & Traits::PARENT_EXECUTED;
            self.processes.remove_child(child);
            self.processes.add_child(parent, child);
            let child = &mut self.processes[child];
            (child.exit_signal, child.parent_thread) = (exit_signal, parent_thread);
            child.traits = child.traits | inherited;
        }
        self.share_state(child, request);
    }
}
