//! The end of a process.
//!
//! 1. Its address space goes: one count less on its root, and where that was the last, the tree.
//!    A vfork parent gets its space back.
//! 2. Its descriptors are closed, those that nobody shares.
//! 3. Its children go to pid 1.
//! 4. It becomes a zombie, its parent hears of it, and wait4 takes it. A parent that ignores SIGCHLD has
//!    no zombies (wait(2), NOTES).
//!
//! The end of pid 1 is the end of the machine.
use super::family::Which;
use super::wait::Found;
use super::{Memory, Pid, Resume, Slot, State, Status, Wait, signal, wait};
use crate::arch::{context, machine};
use crate::kernel::Kernel;
use crate::memory::frames::{FRAMES, Use};
use crate::memory::space::AddressSpace;
use crate::records::COUNTERS;
use contract::counters::Counter;
use contract::status::Exit;

impl Kernel {
    /// Ends a process, whatever it was doing.
    pub fn end_process(&mut self, slot: Slot, status: Status) {
        if self.processes[slot].pid == Pid(1) {
            self.end_machine(slot, status);
        }
        COUNTERS.add(Counter::Exits, 1);
        if !matches!(self.processes[slot].state, State::Running) {
            self.leave_queue(slot);
        }
        self.release_memory(slot);
        self.processes[slot]
            .descriptors
            .release(&mut self.files, &mut self.pages);
        self.wake_files();
        let directory = self.processes[slot].working_directory;
        self.files.release_directory(&mut self.pages, directory);
        self.orphan_children(slot);
        let process = &mut self.processes[slot];
        if let Some(frame) = process.context.release_simd() {
            FRAMES.with(|frames| frames.free(frame, Use::Kernel));
        }
        process.state = State::Zombie(status);
        self.notify_parent(slot);
    }

    /// Gives up the address space, and gives it back to a vfork parent that waits for it.
    pub fn release_memory(&mut self, slot: Slot) {
        let pid = self.processes[slot].pid;
        match self.processes[slot].memory.take() {
            Some(Memory::Own(space)) => AddressSpace::release(space),
            Some(Memory::Borrowed { space, lender }) => {
                AddressSpace::release(space);
                self.resume_lender(lender, pid);
            }
            None => {}
        }
    }

    /// Lets the vfork parent of `borrower` go on: its call returns the child's pid.
    pub fn resume_lender(&mut self, lender: Pid, borrower: Pid) {
        if let Some(lender) = self.processes.find(lender)
            && matches!(self.processes[lender].state, State::Waiting(Wait::Vfork(pid)) if pid == borrower)
        {
            self.processes[lender].set_result(u64::from(borrower.0));
            self.enqueue(lender, Resume::User);
        }
    }

    fn orphan_children(&mut self, slot: Slot) {
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
                if matches!(which, Which::Zombies) {
                    self.wake_waiting_parent(init, child);
                }
            }
        }
    }

    fn notify_parent(&mut self, slot: Slot) {
        let Some(parent) = self.processes[slot].family.parent else {
            return;
        };
        self.processes.remove_child(slot, Which::Living);
        self.processes.add_child(parent, slot, Which::Zombies);
        if self.processes[parent].signals.discards_children() {
            self.reap(slot);
            self.wake_childless_parent(parent);
            return;
        }
        self.wake_waiting_parent(parent, slot);
        if let State::Zombie(status) = self.processes[slot].state {
            let info = signal::Info::Child(self.processes[slot].pid, status);
            signal::send(self, parent, signal::SIGCHLD, info);
        }
    }

    fn wake_waiting_parent(&mut self, parent: Slot, zombie: Slot) {
        if let State::Waiting(Wait::Child(selector)) = self.processes[parent].state
            && selector.fits(self.processes, zombie)
        {
            // It is in no queue.
            self.enqueue(
                parent,
                Resume::SystemCall {
                    progress: 0,
                    turn: None,
                },
            );
        }
    }

    /// Where no child is left that a wait could be about, it returns ECHILD.
    fn wake_childless_parent(&mut self, parent: Slot) {
        if let State::Waiting(Wait::Child(selector)) = self.processes[parent].state
            && matches!(wait::find(self.processes, parent, selector), Found::NoChild)
        {
            // It is in no queue.
            self.enqueue(
                parent,
                Resume::SystemCall {
                    progress: 0,
                    turn: None,
                },
            );
        }
    }

    /// The machine ends with pid 1: everything goes, and every frame must be there again.
    fn end_machine(&mut self, init: Slot, status: Status) -> ! {
        COUNTERS.add(Counter::Exits, 1);
        while let Some(slot) = self.processes.first() {
            if slot != init {
                self.leave_queue(slot);
            }
            let process = &mut self.processes[slot];
            if let Some(frame) = process.context.release_simd() {
                FRAMES.with(|frames| frames.free(frame, Use::Kernel));
            }
            if let Some(Memory::Own(space) | Memory::Borrowed { space, .. }) = process.memory.take()
            {
                AddressSpace::release(space);
            }
            process
                .descriptors
                .release(&mut self.files, &mut self.pages);
            let directory = process.working_directory;
            self.files.release_directory(&mut self.pages, directory);
            context::forget(&self.processes[slot].context);
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
