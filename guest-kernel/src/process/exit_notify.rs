//! What a parent hears of the end of a child.
use super::traits::Traits;
use super::wait::{Event, Found, Wanted};
use super::{Process, ProcessSlot, Resume, State, Status, ThreadSlot, Wait, signal, wait};
use crate::kernel::Kernel;
use crate::memory::user::UserBuffer;
use crate::memory::user_page;
use crate::memory_functions::copy_few;
use crate::trace;
use linux_raw_sys::general as linux;

impl Kernel {
    pub(super) fn notify_parent(&mut self, slot: ProcessSlot) {
        if let Some(parent) = self.processes[slot].family.parent {
            self.tell_parent_of_end(parent, slot);
        }
    }

    /// The parent of a zombie hears of it. One that wants no zombies has none.
    #[inline]
    pub(super) fn tell_parent_of_end(&mut self, parent: ProcessSlot, zombie: ProcessSlot) {
        let process = &self.processes[zombie];
        let Some(status) = process.ended else {
            return;
        };
        let signal = Self::signal_of_end(process);
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
                    if ignores && self.answer_wait(only, wanted, zombie, status).is_some() {
                        return;
                    }
                    self.enqueue(only, Self::ASKS_AGAIN);
                }
            }
            _ => self.wake_waiting_parent(parent, zombie),
        }
        if !ignores {
            self.signal_end(parent, zombie, status);
        }
    }

    /// The only thread of a parent waits for just this end: its call returns, without being asked again, and nothing is left
    /// of the zombie. `None` where that cannot be: nothing has changed.
    #[inline]
    fn answer_wait(
        &mut self,
        waiter: ThreadSlot,
        wanted: Wanted,
        zombie: ProcessSlot,
        status: Status,
    ) -> Option<()> {
        let thread = &self.processes[waiter];
        let registers = &thread.context.registers;
        let [_, word, _, usage, ..] = registers.arguments();
        if registers.system_call_number() != u64::from(linux::__NR_wait4)
            || wanted.options & linux::WEXITED == 0
            || usage != 0
            || trace::is_on()
        {
            return None;
        }
        if word != 0 {
            let place = UserBuffer {
                address: word,
                length: size_of::<i32>() as u64,
            };
            let space = self.processes[thread.process].space();
            let bytes = user_page::writable_already(space, place)?.bytes();
            copy_few(&Event::Ended(status).word().to_ne_bytes(), bytes);
        }
        let pid = self.processes[zombie].pid;
        self.take_report(zombie);
        self.processes[waiter].set_result(u64::from(pid.0));
        self.enqueue(waiter, Resume::User);
        Some(())
    }

    /// What the parent gets at the end of a process. One that is no longer the program that asked for another
    /// signal must not be hit by it.
    fn signal_of_end(process: &Process) -> u8 {
        if process.traits.has(Traits::PARENT_EXECUTED) {
            return signal::SIGCHLD;
        }
        process.exit_signal
    }

    /// After an exec of `parent`: no child's end sends it another signal than SIGCHLD.
    pub(super) fn forget_exit_signals(&mut self, parent: ProcessSlot) {
        let mut next = self.processes.first_child(parent);
        while let Some(child) = next {
            next = self.processes.next_child(child);
            let process = &mut self.processes[child];
            process.traits = process.traits | Traits::PARENT_EXECUTED;
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
        let signal = Self::signal_of_end(&self.processes[zombie]);
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
}
