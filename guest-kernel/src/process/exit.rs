//! The end of a process.
//!
//! 1. Its threads go, whatever they were doing.
//! 2. Its address space goes: one count less on its root, and where that was the last, the tree.
//!    A vfork parent gets its space back.
//! 3. Its descriptors are closed, those that nobody shares.
//! 4. Its children go to pid 1.
//! 5. It becomes a zombie, its parent hears of it, and wait4 takes it. A parent that ignores SIGCHLD has
//!    no zombies (wait(2), NOTES).
//!
//! The end of pid 1 is the end of the machine.
use super::family::Which;
use super::jobs::{Activity, Parent};
use super::wait::{Event, Found, Wanted};
use super::{Pid, ProcessSlot, Resume, State, Status, ThreadSlot, Wait, signal, wait};
use crate::arch::{context, machine};
use crate::export;
use crate::kernel::Kernel;
use crate::memory::frames::{FRAMES, Use};
use crate::memory::space::AddressSpace;
use crate::records::COUNTERS;
use crate::trace;
use contract::counters::Counter;
use contract::status::Exit;

impl Kernel {
    /// Ends a process, whatever its threads were doing.
    pub fn end_process(&mut self, slot: ProcessSlot, status: Status) {
        if self.processes[slot].pid == Pid(1) {
            self.end_machine(status);
        }
        COUNTERS.add(Counter::Exits, 1);
        while let Some(thread) = self.processes[slot].threads.first {
            self.end_thread(thread);
        }
        self.release_memory(slot);
        if self.files.has_record_locks() {
            self.files.release_all_locks(self.processes[slot].pid.0);
        }
        self.processes[slot]
            .descriptors
            .release(&mut self.files, &mut self.pages);
        self.wake_files();
        let directory = self.processes[slot].working_directory;
        self.files.release_directory(&mut self.pages, directory);
        self.hang_up_terminal(slot);
        let tied = self.groups_tied_by(slot);
        self.orphan_children(slot);
        let process = &mut self.processes[slot];
        process.ended = Some(status);
        if process.job.is_stopped() {
            process.job.activity = Activity::Going;
            self.stopped -= 1;
        }
        self.notify_parent(slot);
        self.release_orphaned(&tied);
    }

    /// Takes a thread out of its process and out of the table: nothing is left of it.
    fn end_thread(&mut self, slot: ThreadSlot) {
        if !matches!(self.processes[slot].state, State::Running) {
            self.leave_queue(slot);
        }
        self.processes.leave_fellows(slot);
        let Some(mut thread) = self.processes.remove_thread(slot) else {
            return;
        };
        let process = &mut self.processes[thread.process];
        if thread.tid == process.pid {
            process.name = thread.name;
        }
        if let Some(frame) = thread.context.release_simd() {
            FRAMES.with(|frames| frames.free(frame, Use::Kernel));
        }
        context::forget(&thread.context);
    }

    /// Gives up the address space, and lets a vfork parent that waits for it go on.
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
        if let Some(lender) = self.processes.find_thread(lender)
            && matches!(self.processes[lender].state, State::Waiting(Wait::Vfork(pid)) if pid == borrower)
        {
            self.processes[lender].set_result(u64::from(borrower.0));
            let process = self.processes[lender].process;
            if self.processes[process].job.is_stopped() {
                self.processes[lender].state = State::Stopped(Resume::User);
            } else {
                self.enqueue(lender, Resume::User);
            }
        }
    }

    fn orphan_children(&mut self, slot: ProcessSlot) {
        if self.processes[slot].family.is_childless() {
            return;
        }
        let Some(init) = self.processes.find(Pid(1)) else {
            return;
        };
        for which in [Which::Living, Which::Zombies] {
            while let Some(child) = self.processes.first_child(slot, which) {
                self.processes.remove_child(child, which);
                self.processes.add_child(init, child, which);
                self.processes[child].job.parent = Parent::Adopted;
                if matches!(which, Which::Zombies) {
                    self.wake_waiting_parent(init, child);
                }
            }
        }
    }

    fn notify_parent(&mut self, slot: ProcessSlot) {
        let Some(parent) = self.processes[slot].family.parent else {
            return;
        };
        self.processes.remove_child(slot, Which::Living);
        self.processes.add_child(parent, slot, Which::Zombies);
        if self.processes[parent].signals.discards_children() {
            trace::notice(self);
            self.reap(slot);
            self.wake_childless_parent(parent);
            return;
        }
        self.wake_waiting_parent(parent, slot);
        if let Some(status) = self.processes[slot].ended {
            let info = signal::Info::Child(self.sender(slot), Event::Ended(status));
            signal::send(self, parent, signal::SIGCHLD, info);
        }
    }

    /// A child has something to report: who waits for that asks again.
    pub fn wake_waiting_parent(&mut self, parent: ProcessSlot, child: ProcessSlot) {
        self.wake_waiters(parent, |kernel, wanted| {
            wanted.fits(kernel.processes, child)
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
                self.enqueue(
                    slot,
                    Resume::SystemCall {
                        progress: 0,
                        turn: None,
                    },
                );
            }
        }
    }

    /// The machine ends with pid 1: everything goes, and every frame must be there again.
    fn end_machine(&mut self, status: Status) -> ! {
        trace::machine_ends(status);
        export::send_all(self);
        COUNTERS.add(Counter::Exits, 1);
        while let Some(slot) = self.processes.first() {
            while let Some(thread) = self.processes[slot].threads.first {
                self.end_thread(thread);
            }
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
