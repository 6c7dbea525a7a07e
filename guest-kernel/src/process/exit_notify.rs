//! What a parent hears of the end of a child.
use super::wait::{Event, Found, Wanted};
use super::{ProcessSlot, Resume, State, Status, Wait, signal, wait};
use crate::kernel::Kernel;
use crate::trace;

impl Kernel {
    pub(super) fn notify_parent(&mut self, slot: ProcessSlot) {
        if let Some(parent) = self.processes.bury_child(slot) {
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
}
