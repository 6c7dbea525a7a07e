//! fork, vfork, and clone where it makes a process: what `clone.rs` asks for.
//!
//! fork is the copy of a root: the child's address space is one new table whose entries point at the
//! parent's tables, with the write bit off on both sides. Everything that can fail happens before anything
//! that can be seen.
use super::clone::Request;
use super::{Members, NAME_LENGTH, Pid, Process, ProcessSlot, State, Thread, Wait};
use crate::arch::clock;
use crate::arch::context::UserContext;
use crate::kernel::Kernel;
use crate::memory::frames::{FRAMES, Use};
use crate::memory::heap;
use crate::process::accounting::Usage;
use crate::process::boxed::boxed;
use crate::process::jobs::Job;
use crate::process::thread::Fellows;
use crate::records::COUNTERS;
use crate::system_calls::Outcome;
use alloc::boxed::Box;
use alloc::rc::Rc;
use contract::Errno;
use contract::counters::Counter;
use linux_raw_sys::general as linux;
use x86_64::structures::paging::PhysFrame;

impl Kernel {
    /// Creates a child of the current process: a copy of the calling thread, with a copy of the memory or,
    /// with CLONE_VM, the same. The caller goes on with the child's pid; with CLONE_VFORK it is parked until
    /// the child execs or ends.
    ///
    /// # Errors
    /// EAGAIN at a limit, ENOMEM without frames; then nothing has changed.
    pub fn create(&mut self, request: &Request) -> Result<Outcome, Errno> {
        let frames_before = FRAMES.with(|frames| frames.available());
        let tables_before = COUNTERS.get(Counter::FramesTables);
        // Enough for what parent and child write next: better no child than one that is killed for it.
        const FIRST_WRITES: u64 = 16;
        if FRAMES.with(|frames| frames.available()) < FIRST_WRITES {
            return Err(Errno::ENOMEM);
        }
        heap::require_reserve()?;
        let (vacancy, first) = self.processes.vacancy(request.tid)?;
        let pid = vacancy.pid();
        let (thread, parent) = self.processes.both(self.current);
        let Some(memory) = &parent.memory else {
            return Err(Errno::ESRCH);
        };
        let simd = FRAMES
            .with(|frames| frames.allocate(Use::Kernel))
            .ok_or(Errno::ENOMEM)?;
        let memory = if request.has(linux::CLONE_VM) {
            Rc::clone(memory)
        } else {
            match memory.fork() {
                Ok(space) => space,
                Err(errno) => {
                    FRAMES.with(|frames| frames.free(simd, Use::Kernel));
                    return Err(errno);
                }
            }
        };
        let lender = request.has(linux::CLONE_VFORK).then_some(thread.tid);

        // From here on nothing fails.
        let links = parent.family.bear(self.current.process, vacancy.slot());
        let elder = links.elder();
        let child_thread = new_thread(thread, simd, pid, vacancy.slot(), request);
        let child = boxed!(Process {
            pid: pid,
            group: parent.group,
            session: parent.session,
            ended: None,
            next_to_end: None,
            job: Job::NEW,
            exit_signal: request.exit_signal,
            death_signal: 0,
            traits: parent.traits.fork(),
            parent_thread: thread.tid,
            timers: None,
            usage: Usage::NONE,
            children_usage: Usage::NONE,
            resident: parent.resident,
            memory: Some(memory),
            lender: lender,
            shares: None,
            descriptors: parent.descriptors.share(),
            working_directory: self.files.share_directory(parent.working_directory),
            umask: parent.umask,
            credentials: parent.credentials.share(),
            limits: parent.limits.share(),
            signals: parent.signals.fork(),
            family: links,
            threads: Members::one(first.slot()),
            name: [0; NAME_LENGTH],
            executable: Rc::clone(&parent.executable),
            started: clock::ticks(),
        },);
        let child = self.processes.insert(vacancy, child);
        let child_thread = self.processes.insert_thread(first, child_thread);
        self.processes.tell_elder(elder, child);
        if request.is_more_than_fork() {
            self.share_further(child, request);
        }
        self.line_up(child_thread);

        COUNTERS.add(
            match lender {
                None if request.has(linux::CLONE_VM) => Counter::Threads,
                None => Counter::Forks,
                Some(_) => Counter::Vforks,
            },
            1,
        );
        COUNTERS.add(Counter::Processes, 1);
        let now = COUNTERS.get(Counter::Processes);
        if now > COUNTERS.get(Counter::ProcessesPeak) {
            COUNTERS.set(Counter::ProcessesPeak, now);
        }
        let frames_now = FRAMES.with(|frames| frames.available());
        COUNTERS.set(Counter::LastForkFrames, frames_before - frames_now);
        COUNTERS.set(
            Counter::LastForkTableFrames,
            COUNTERS.get(Counter::FramesTables) - tables_before,
        );
        if lender.is_none() {
            if !request.has(linux::CLONE_VM) {
                self.processes[self.current].space().write_ahead();
            }
            return Ok(Outcome::Return(u64::from(pid.0)));
        }
        self.park(self.current.thread, Wait::Vfork(pid));
        Ok(Outcome::Other)
    }
}

/// A thread that is a copy of another, in that process or a new one, about to line up for the CPU. Its SIMD
/// registers will be kept in `simd`.
#[inline(always)]
pub fn new_thread(
    parent: &mut Thread,
    simd: PhysFrame,
    tid: Pid,
    process: ProcessSlot,
    request: &Request,
) -> Box<Thread> {
    let mut child = boxed!(
        Thread {
            [context in |place| UserContext::copy_to(place, &parent.context, simd)],
            tid: tid,
            process: process,
            state: State::Runnable(request.first_steps()),
            signals: parent.signals.fork(),
            scheduling: parent.scheduling.fork(),
            cpu: 0,
            next_in_queue: None,
            fellows: Fellows::default(),
            apart: None,
            clear_child_tid: request.clear_child_tid(),
            robust_list: 0,
            name: parent.name,
        },
    );
    let context = &mut child.context;
    if request.has(linux::CLONE_VFORK) {
        context.vfork_simd(&mut parent.context);
    } else {
        context.fork_simd(&mut parent.context);
    }
    context.registers.rax = 0;
    if request.stack != 0 {
        context.registers.rsp = request.stack;
    }
    if request.has(linux::CLONE_SETTLS) {
        context.fs_base = request.tls;
    }
    child
}
