//! The end of a thread: by itself, by an exec, or with its process.
use super::exit::Ends;
use super::{Current, Pid, ProcessSlot, State, Status, ThreadSlot, signal};
use crate::arch::context;
use crate::kernel::Kernel;
use crate::memory::frames::{FRAMES, Use};

impl Kernel {
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
        let mut next = self.processes.first_child(who.process);
        while let Some(child) = next {
            self.processes[child].parent_thread = pid;
            next = self.processes.next_child(child);
        }
    }

    /// A thread has ended, and others of its process go on: its children are another's, and hear of it.
    fn give_children_away(&mut self, process: ProcessSlot, ended: Pid) {
        let Some(heir) = self.processes[process].threads.first else {
            return;
        };
        let heir = self.processes[heir].tid;
        let mut next = self.processes.first_child(process);
        while let Some(child) = next {
            next = self.processes.next_child(child);
            if self.processes[child].parent_thread == ended {
                self.processes[child].parent_thread = heir;
                self.tell_of_parents_death(child);
            }
        }
    }

    pub(super) fn tell_of_parents_death(&mut self, child: ProcessSlot) {
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
    pub(super) fn end_all_threads(&mut self, slot: ProcessSlot) {
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
}
