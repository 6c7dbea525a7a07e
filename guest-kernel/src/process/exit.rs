//! The end of a process.
//!
//! 1. Its threads go, whatever they were doing.
//! 2. Its address space goes: one count less on its root, and where that was the last, the tree.
//!    A vfork parent gets its space back.
//! 3. Its descriptors are closed, those that nobody shares.
//! 4. Its children go to the nearest subreaper among its ancestors (prctl(2)), or to pid 1.
//! 5. It becomes a zombie, its parent hears of it, and wait4 takes it. A parent that ignores SIGCHLD has
//!    no zombies (wait(2), NOTES).
//!
//! The end of pid 1 is the end of the machine.
use super::family::Which;
use super::jobs::{Activity, Parent};
use super::traits::Traits;
use super::wait::{Event, Found, Wanted};
use super::{Current, Pid, ProcessSlot, Resume, State, Status, ThreadSlot, Wait, signal, wait};
use crate::arch::{context, machine};
use crate::export;
use crate::kernel::Kernel;
use crate::memory::frames::{FRAMES, Use};
use crate::memory::space::AddressSpace;
use crate::records::COUNTERS;
use crate::trace;
use contract::counters::Counter;
use contract::status::Exit;

/// Whether processes are ending, and which are to be next: the first and the last, who are linked.
#[derive(Clone, Copy)]
pub enum Ends {
    None,
    UnderWay(Option<(ProcessSlot, ProcessSlot)>),
}

impl Kernel {
    /// Ends a process, whatever its threads were doing. Its end can bring others with it, by the signals that
    /// its relatives get: those come one after the other, when it has ended. Until then they are marked as ended,
    /// and take no signals.
    pub fn end_process(&mut self, slot: ProcessSlot, status: Status) {
        let process = &mut self.processes[slot];
        if process.pid == Pid(1) {
            self.end_machine(status);
        }
        match &mut self.ends {
            Ends::None => {
                self.ends = Ends::UnderWay(None);
                self.end_now(slot, status);
                self.finish_ends();
            }
            Ends::UnderWay(queue) => {
                if process.ended.replace(status).is_some() {
                    return;
                }
                match queue.replace((slot, slot)) {
                    None => {}
                    Some((first, last)) => {
                        *queue = Some((first, slot));
                        self.processes[last].next_to_end = Some(slot);
                    }
                }
            }
        }
    }

    /// Ends those whose turn has come by the end of others.
    #[inline]
    fn finish_ends(&mut self) {
        while let Ends::UnderWay(Some((first, last))) = self.ends {
            let process = &mut self.processes[first];
            let rest = process.next_to_end.take();
            let status = process.ended;
            self.ends = Ends::UnderWay(rest.map(|next| (next, last)));
            if let Some(status) = status {
                self.end_now(first, status);
            }
        }
        self.ends = Ends::None;
    }

    fn end_now(&mut self, slot: ProcessSlot, status: Status) {
        COUNTERS.add(Counter::Exits, 1);
        self.leave_memory_in_order(slot, 1);
        self.end_all_threads(slot);
        self.release_memory(slot);
        let mut process = &mut self.processes[slot];
        process.usage.peak = process.usage.peak.max(process.resident);
        if process.timers.is_some() || process.shares.is_some() || self.files.has_record_locks() {
            self.leave_what_few_have(slot);
            process = &mut self.processes[slot];
        }
        let directory = process.working_directory;
        process
            .descriptors
            .release(&mut self.files, &mut self.pages);
        self.wake_files();
        self.files.release_directory(&mut self.pages, directory);
        self.hang_up_terminal(slot);
        let tied = match self.stopped {
            0 => None,
            _ => Some(self.groups_tied_by(slot)),
        };
        let mut process = &mut self.processes[slot];
        if !process.family.is_childless() {
            self.orphan_children(slot);
            process = &mut self.processes[slot];
        }
        process.ended = Some(status);
        if process.job.is_stopped() {
            process.job.activity = Activity::Going;
            self.stopped -= 1;
        }
        self.notify_parent(slot);
        if let Some(tied) = tied {
            self.release_orphaned(&tied);
        }
    }

    /// Timers, record locks, and what is shared with other processes.
    #[cold]
    #[inline(never)]
    fn leave_what_few_have(&mut self, slot: ProcessSlot) {
        self.drop_timers(slot);
        if self.files.has_record_locks() {
            self.files.release_all_locks(self.processes[slot].pid.0);
        }
        self.leave_shares(slot);
    }

    /// exit(2) of the current thread: the last one's is the end of the process.
    pub fn exit_thread(&mut self, code: u8) {
        let Current { thread, process } = self.current;
        if self.processes[process].threads.count == 1 {
            return self.end_process(process, Status::Exited(code));
        }
        self.leave_words_in_order(thread);
        let tid = self.processes[thread].tid;
        self.end_thread(thread);
        // What its children do about it may end the process itself: afterwards.
        self.ends = Ends::UnderWay(None);
        self.give_children_away(process, tid);
        self.pass_signals_on(process);
        self.finish_ends();
    }

    /// Ends all threads of a process but one (execve(2)).
    pub fn end_other_threads(&mut self, who: Current) {
        let tid = self.processes[who.thread].tid;
        if self.processes[who].threads.count == 1 && tid == self.processes[who].pid {
            return;
        }
        let mut next = self.processes[who].threads.first;
        while let Some(slot) = next {
            next = self.processes[slot].fellows.next;
            if slot != who.thread {
                self.leave_words_in_order(slot);
                self.end_thread(slot);
            }
        }
        if tid != self.processes[who].pid {
            self.processes.make_leader(who.thread);
        }
        // They are all its own now.
        let pid = self.processes[who].pid;
        for which in [Which::Living, Which::Zombies] {
            let mut next = self.processes.first_child(who.process, which);
            while let Some(child) = next {
                self.processes[child].parent_thread = pid;
                next = self.processes.next_child(child);
            }
        }
    }

    /// A thread has ended, and others of its process go on: its children are another's, and hear of it.
    fn give_children_away(&mut self, process: ProcessSlot, ended: Pid) {
        let Some(heir) = self.processes[process].threads.first else {
            return;
        };
        let heir = self.processes[heir].tid;
        for which in [Which::Living, Which::Zombies] {
            let mut next = self.processes.first_child(process, which);
            while let Some(child) = next {
                next = self.processes.next_child(child);
                if self.processes[child].parent_thread == ended {
                    self.processes[child].parent_thread = heir;
                    self.tell_of_parents_death(child);
                }
            }
        }
    }

    fn tell_of_parents_death(&mut self, child: ProcessSlot) {
        let signal = self.processes[child].death_signal;
        if signal != 0 {
            signal::send(self, child, signal, signal::Info::Kernel);
        }
    }

    /// Takes a thread out of its process and out of the table: nothing is left of it.
    fn end_thread(&mut self, slot: ThreadSlot) {
        self.processes.leave_fellows(slot);
        self.take_thread_out(slot);
    }

    /// The same for all threads of a process.
    #[inline]
    fn end_all_threads(&mut self, slot: ProcessSlot) {
        let mut next = core::mem::take(&mut self.processes[slot].threads).first;
        while let Some(thread) = next {
            next = self.processes[thread].fellows.next;
            self.take_thread_out(thread);
        }
    }

    #[inline]
    fn take_thread_out(&mut self, slot: ThreadSlot) {
        let thread = &self.processes[slot];
        if !matches!(thread.state, State::Running) || thread.apart.is_some() {
            self.leave_where_it_is(slot);
        }
        let passed = match slot == self.current.thread {
            true => self.time_to_charge(),
            false => 0,
        };
        let Some(mut thread) = self.processes.remove_thread(slot) else {
            return;
        };
        let process = &mut self.processes[thread.process];
        process.usage.cpu += passed;
        if thread.tid == process.pid {
            process.name = thread.name;
        }
        if let Some(frame) = thread.context.release_simd() {
            FRAMES.with(|frames| frames.free(frame, Use::Kernel));
        }
        context::forget(&thread.context);
    }

    /// Takes a thread out of the queue that it is in, and drops what it has apart from its fellows.
    #[inline(never)]
    fn leave_where_it_is(&mut self, slot: ThreadSlot) {
        if !matches!(self.processes[slot].state, State::Running) {
            let held = self.processes[slot].held();
            self.leave_queue(slot);
            if let Some(held) = held {
                self.let_go(slot, held);
            }
        }
        if self.processes[slot].apart.is_some() {
            let process = self.processes[slot].process;
            self.drop_apart(Current {
                thread: slot,
                process,
            });
        }
    }

    /// Gives up the address space, and lets a vfork parent that waits for it go on.
    #[inline]
    pub fn release_memory(&mut self, slot: ProcessSlot) {
        let process = &mut self.processes[slot];
        let (pid, lender) = (process.pid, process.lender.take());
        if let Some(space) = process.memory.take() {
            AddressSpace::release(space);
        }
        if let Some(lender) = lender {
            self.resume_lender(lender, pid);
        }
    }

    /// Lets the vfork parent of `borrower` go on: its call returns the child's pid.
    fn resume_lender(&mut self, lender: Pid, borrower: Pid) {
        let Some(slot) = self.processes.find_thread(lender) else {
            return;
        };
        let thread = &mut self.processes[slot];
        if matches!(thread.state, State::Waiting(Wait::Vfork(pid)) if pid == borrower) {
            thread.set_result(u64::from(borrower.0));
            let process = thread.process;
            if self.processes[process].job.is_stopped() {
                self.processes[slot].state = State::Stopped(Resume::User);
            } else {
                self.enqueue(slot, Resume::User);
            }
        }
    }

    #[inline(never)]
    fn orphan_children(&mut self, slot: ProcessSlot) {
        let Some(heir) = self.heir(slot) else {
            return;
        };
        let heir_thread = self.processes[heir].pid;
        for which in [Which::Living, Which::Zombies] {
            while let Some(child) = self.processes.first_child(slot, which) {
                self.processes.remove_child(child, which);
                self.processes.add_child(heir, child, which);
                let process = &mut self.processes[child];
                process.job.parent = Parent::Adopted;
                process.exit_signal = signal::SIGCHLD;
                process.parent_thread = heir_thread;
                if matches!(which, Which::Zombies) {
                    self.tell_parent_of_end(heir, child);
                } else {
                    self.tell_of_parents_death(child);
                }
            }
        }
    }

    /// Who takes the children of a process that ends: the nearest ancestor that is a subreaper, or pid 1
    /// (prctl(2)).
    fn heir(&self, slot: ProcessSlot) -> Option<ProcessSlot> {
        let mut ancestor = self.processes[slot].family.parent;
        while let Some(one) = ancestor {
            let process = &self.processes[one];
            if process.traits.has(Traits::SUBREAPER) && process.ended.is_none() {
                return Some(one);
            }
            ancestor = process.family.parent;
        }
        self.processes.find(Pid(1))
    }

    fn notify_parent(&mut self, slot: ProcessSlot) {
        if let Some(parent) = self.processes.bury_child(slot) {
            self.tell_parent_of_end(parent, slot);
        }
    }

    /// The parent of a zombie hears of it. One that wants no zombies has none.
    #[inline]
    fn tell_parent_of_end(&mut self, parent: ProcessSlot, zombie: ProcessSlot) {
        let process = &self.processes[zombie];
        let Some(status) = process.ended else {
            return;
        };
        let signal = process.exit_signal;
        let other = &self.processes[parent];
        if signal == signal::SIGCHLD && other.signals.discards_children() {
            return self.discard_zombie(parent, zombie, status);
        }
        let ignores = self.ignores(parent, signal);
        match other.threads.first {
            Some(only) if other.threads.count == 1 => {
                if let State::Waiting(Wait::Child(wanted)) = self.processes[only].state
                    && wanted.fits(process)
                {
                    self.enqueue(only, Self::ASKS_AGAIN);
                }
            }
            _ => self.wake_waiting_parent(parent, zombie),
        }
        if !ignores {
            self.signal_end(parent, zombie, status);
        }
    }

    /// The parent wants no zombies.
    #[cold]
    #[inline(never)]
    fn discard_zombie(&mut self, parent: ProcessSlot, zombie: ProcessSlot, status: Status) {
        trace::notice(self);
        let info = signal::Info::Child(self.sender(zombie), Event::Ended(status));
        self.reap(zombie);
        self.wake_childless_parent(parent);
        signal::send(self, parent, signal::SIGCHLD, info);
    }

    #[inline(never)]
    fn signal_end(&mut self, parent: ProcessSlot, zombie: ProcessSlot, status: Status) {
        let signal = self.processes[zombie].exit_signal;
        let info = signal::Info::Child(self.sender(zombie), Event::Ended(status));
        signal::send(self, parent, signal, info);
    }

    /// How who waits for a child goes on.
    const ASKS_AGAIN: Resume = Resume::SystemCall {
        progress: 0,
        turn: None,
    };

    /// A child has something to report: who waits for that asks again.
    pub fn wake_waiting_parent(&mut self, parent: ProcessSlot, child: ProcessSlot) {
        self.wake_waiters(parent, |kernel, wanted| {
            wanted.fits(&kernel.processes[child])
        });
    }

    /// Where no child is left that a wait could be about, it returns ECHILD.
    fn wake_childless_parent(&mut self, parent: ProcessSlot) {
        self.wake_waiters(parent, |kernel, wanted| {
            matches!(wait::find(kernel.processes, parent, wanted), Found::NoChild)
        });
    }

    /// Lets the threads of a parent that wait for such a child ask again.
    #[inline]
    fn wake_waiters(&mut self, parent: ProcessSlot, fits: impl Fn(&Self, Wanted) -> bool) {
        let mut next = self.processes[parent].threads.first;
        while let Some(slot) = next {
            let thread = &self.processes[slot];
            next = thread.fellows.next;
            if let State::Waiting(Wait::Child(wanted)) = thread.state
                && fits(self, wanted)
            {
                // It is in no queue.
                self.enqueue(slot, Self::ASKS_AGAIN);
            }
        }
    }

    /// The machine ends with pid 1: everything goes, and every frame must be there again.
    #[cold]
    fn end_machine(&mut self, status: Status) -> ! {
        trace::machine_ends(status);
        export::send_all(self);
        COUNTERS.add(Counter::Exits, 1);
        while let Some(slot) = self.processes.first() {
            self.end_all_threads(slot);
            let process = &mut self.processes[slot];
            if let Some(space) = process.memory.take() {
                AddressSpace::release(space);
            }
            process
                .descriptors
                .release(&mut self.files, &mut self.pages);
            let directory = process.working_directory;
            self.files.release_directory(&mut self.pages, directory);
            self.processes.remove(slot);
            COUNTERS.subtract(Counter::Processes, 1);
        }
        self.check_frames();
        machine::exit(match status {
            Status::Exited(code) => Exit::Exited(code),
            Status::Killed { signal, .. } => Exit::Killed(signal),
        })
    }
}
