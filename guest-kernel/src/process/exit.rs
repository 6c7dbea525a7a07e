//! The end of a process.
//!
//! 1. Its threads go, whatever they were doing.
//! 2. Its address space goes: one count less on its root, and where that was the last, the tree.
//!    A vfork parent gets its space back.
//! 3. Its descriptors are closed, those that nobody shares.
//! 4. Its children go to the nearest subreaper among its ancestors (prctl(2)), or to pid 1.
//! 5. It becomes a zombie, its parent hears of it, and wait4 takes it: at once, where the parent waits for
//!    just that. A parent that ignores SIGCHLD has no zombies (wait(2), NOTES).
//!
//! The end of pid 1 is the end of the machine.
use super::jobs::{Activity, Parent};
use super::traits::Traits;
use super::{Pid, ProcessSlot, Resume, State, Status, Wait, signal};
use crate::arch::machine;
use crate::boot::command_line::AtEnd;
use crate::files_out;
use crate::kernel::Kernel;
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
    pub(super) fn finish_ends(&mut self) {
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
        if process.timers.is_some() || process.shares.is_some() || self.files.minds_ends() {
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

    /// Timers, record locks, descriptors that stand for it, and what is shared with other processes.
    #[cold]
    #[inline(never)]
    fn leave_what_few_have(&mut self, slot: ProcessSlot) {
        self.drop_timers(slot);
        if self.files.has_record_locks() {
            self.files.release_all_locks(self.processes[slot].pid.0);
        }
        self.files.tell_of_end();
        self.leave_shares(slot);
        if self.files.tells() {
            self.tell_of_closed(slot);
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
        while let Some(child) = self.processes.first_child(slot) {
            self.processes.remove_child(child);
            self.processes.add_child(heir, child);
            let process = &mut self.processes[child];
            process.job.parent = Parent::Adopted;
            process.exit_signal = signal::SIGCHLD;
            process.parent_thread = heir_thread;
            if process.ended.is_some() {
                self.tell_parent_of_end(heir, child);
            } else {
                self.tell_of_parents_death(child);
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

    /// The machine ends with pid 1. Its memory is nobody's then, so nothing need be taken apart for it.
    #[cold]
    fn end_machine(&mut self, status: Status) -> ! {
        trace::machine_ends(status);
        files_out::send_all(self);
        COUNTERS.add(Counter::Exits, 1);
        if self.at_end == AtEnd::CheckFrames {
            self.end_all();
            self.check_frames();
        }
        machine::exit(match status {
            Status::Exited(code) => Exit::Exited(code),
            Status::Killed { signal, .. } => Exit::Killed(signal),
        })
    }

    /// Every process gives back what it has.
    fn end_all(&mut self) {
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
    }
}
