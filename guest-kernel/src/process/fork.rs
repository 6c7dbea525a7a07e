//! fork, vfork and the forms of clone that they are made of.
//!
//! fork is the copy of a root: the child's address space is one new table whose entries point at the
//! parent's tables, with the write bit off on both sides. Everything that can fail happens before anything
//! that can be seen.
use super::{Members, NAME_LENGTH, Process, Resume, State, Thread, Wait};
use crate::arch::clock;
use crate::arch::context::UserContext;
use crate::kernel::Kernel;
use crate::memory::frames::{FRAMES, Use};
use crate::memory::space::USER_END;
use crate::memory::{heap, user};
use crate::process::family::{Links, Which};
use crate::process::jobs::Job;
use crate::process::thread::Fellows;
use crate::records::COUNTERS;
use crate::system_calls::Outcome;
use alloc::boxed::Box;
use alloc::rc::Rc;
use contract::Errno;
use contract::counters::Counter;
use linux_raw_sys::general as linux;

/// Which address space the child gets.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// A copy, made as it is written to.
    Fork,
    /// The parent's own, while the parent waits.
    Vfork,
}

/// What clone(2) can ask for beside the kind.
#[derive(Clone, Copy, Default)]
pub struct Wishes {
    /// The child's stack pointer; the parent's where 0.
    pub stack: u64,
    /// Where the child's pid goes in the parent's memory (CLONE_PARENT_SETTID).
    pub parent_tid: Option<u64>,
    /// Where the child's pid goes in the child's memory (CLONE_CHILD_SETTID).
    pub child_tid: Option<u64>,
    /// FS base of the child (CLONE_SETTLS).
    pub thread_pointer: Option<u64>,
}

impl Kernel {
    /// clone(2) with the raw arguments of x86-64: flags, stack, parent_tid, child_tid, tls.
    ///
    /// # Errors
    /// ENOSYS for what makes a thread; EINVAL for flags that contradict each other; else as
    /// [`create`](Self::create).
    pub fn clone(
        &mut self,
        [flags, stack, parent_tid, child_tid, tls]: [u64; 5],
    ) -> Result<Outcome, Errno> {
        let has = |flag: u32| flags & u64::from(flag) != 0;
        let kind = match (has(linux::CLONE_VM), has(linux::CLONE_VFORK)) {
            (false, false) => Kind::Fork,
            (true, true) => Kind::Vfork,
            // A thread, or a copy whose parent waits.
            _ => return Err(Errno::ENOSYS),
        };
        const SHARED: u32 =
            linux::CLONE_FS | linux::CLONE_FILES | linux::CLONE_SIGHAND | linux::CLONE_THREAD;
        if flags & u64::from(SHARED) != 0 {
            return Err(Errno::ENOSYS);
        }
        self.create(
            kind,
            Wishes {
                stack,
                parent_tid: has(linux::CLONE_PARENT_SETTID).then_some(parent_tid),
                child_tid: has(linux::CLONE_CHILD_SETTID).then_some(child_tid),
                thread_pointer: has(linux::CLONE_SETTLS).then_some(tls),
            },
        )
    }

    /// Creates a child of the current process. fork's parent goes on with the child's pid; vfork's is
    /// parked until the child execs or exits.
    ///
    /// # Errors
    /// EAGAIN at the limit of processes, ENOMEM without frames, EFAULT for `parent_tid`; then
    /// nothing has changed.
    pub fn create(&mut self, kind: Kind, wishes: Wishes) -> Result<Outcome, Errno> {
        let frames_before = FRAMES.with(|frames| frames.used());
        let tables_before = COUNTERS.get(Counter::FramesTables);
        heap::require_reserve()?;
        let (vacancy, first) = self.processes.vacancy().ok_or(Errno::EAGAIN)?;
        let pid = vacancy.pid();
        let (thread, parent) = self.processes.both(self.current);
        if let Some(address) = wishes.parent_tid {
            user::write(parent.space(), address, &pid.0.to_ne_bytes())?;
        }
        let Some(memory) = &parent.memory else {
            return Err(Errno::ESRCH);
        };
        let simd = FRAMES
            .with(|frames| frames.allocate(Use::Kernel))
            .ok_or(Errno::ENOMEM)?;
        let (memory, lender) = match kind {
            Kind::Fork => match memory.fork() {
                Ok(space) => (space, None),
                Err(errno) => {
                    FRAMES.with(|frames| frames.free(simd, Use::Kernel));
                    return Err(errno);
                }
            },
            Kind::Vfork => (Rc::clone(memory), Some(thread.tid)),
        };

        // From here on nothing fails.
        let mut child_thread = Box::write(
            Box::new_uninit(),
            Thread {
                context: UserContext::copy_of(&thread.context, simd),
                tid: pid,
                process: vacancy.slot(),
                state: State::Running,
                signals: thread.signals.fork(),
                next_in_queue: None,
                fellows: Fellows::default(),
                name: thread.name,
            },
        );
        let child = Box::write(
            Box::new_uninit(),
            Process {
                pid,
                group: parent.group,
                session: parent.session,
                ended: None,
                job: Job::NEW,
                memory: Some(memory),
                lender,
                descriptors: parent.descriptors.share(),
                working_directory: self.files.share_directory(parent.working_directory),
                umask: parent.umask,
                credentials: parent.credentials.share(),
                limits: parent.limits.share(),
                signals: parent.signals.fork(),
                family: Links::default(),
                threads: Members::one(first.slot()),
                name: [0; NAME_LENGTH],
                executable: Rc::clone(&parent.executable),
                started: clock::ticks(),
            },
        );
        let context = &mut child_thread.context;
        match kind {
            Kind::Fork => context.fork_simd(&mut thread.context),
            Kind::Vfork => context.vfork_simd(&mut thread.context),
        }
        context.registers.rax = 0;
        if wishes.stack != 0 {
            context.registers.rsp = wishes.stack;
        }
        if let Some(base) = wishes.thread_pointer {
            context.fs_base = base.min(USER_END);
        }
        let child = self.processes.insert(vacancy, child);
        let child_thread = self.processes.insert_thread(first, child_thread);
        self.processes
            .add_child(self.current.process, child, Which::Living);
        self.enqueue(
            child_thread,
            wishes
                .child_tid
                .map_or(Resume::User, |pid_at| Resume::Start { pid_at }),
        );

        COUNTERS.add(
            if kind == Kind::Fork {
                Counter::Forks
            } else {
                Counter::Vforks
            },
            1,
        );
        COUNTERS.add(Counter::Processes, 1);
        let now = COUNTERS.get(Counter::Processes);
        if now > COUNTERS.get(Counter::ProcessesPeak) {
            COUNTERS.set(Counter::ProcessesPeak, now);
        }
        let frames_now = FRAMES.with(|frames| frames.used());
        COUNTERS.set(Counter::LastForkFrames, frames_now - frames_before);
        COUNTERS.set(
            Counter::LastForkTableFrames,
            COUNTERS.get(Counter::FramesTables) - tables_before,
        );
        match kind {
            Kind::Fork => Ok(Outcome::Return(u64::from(pid.0))),
            Kind::Vfork => {
                self.park(self.current.thread, Wait::Vfork(pid));
                Ok(Outcome::Other)
            }
        }
    }
}
