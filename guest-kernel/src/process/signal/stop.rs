//! Stopping and going on (signal(7), wait(2)). A process stops as a whole and at once: no thread of it runs until
//! SIGCONT comes. A call that waits leaves what it waits in, and is asked again then.
use super::{Info, SIGCHLD, SIGCONT, SIGSTOP, STOPS, bit, send};
use crate::kernel::Kernel;
use crate::process::jobs::Activity;
use crate::process::wait::{Event, News};
use crate::process::{ProcessSlot, Resume, State, ThreadSlot, Wait};
use contract::Errno;
use linux_raw_sys::general as linux;

impl Kernel {
    /// What a stop signal or SIGCONT does when it is sent, blocked, ignored or not: each discards the others,
    /// and SIGCONT lets the process go on.
    pub(super) fn before_stop_or_continue(&mut self, target: ProcessSlot, signal: u8) {
        let set = if signal == SIGCONT {
            STOPS
        } else {
            bit(SIGCONT)
        };
        self.discard_pending(target, set);
        if signal == SIGCONT {
            self.continue_process(target);
        }
    }

    /// Forgets signals of a set that are pending for a process or for one of its threads.
    pub(super) fn discard_pending(&mut self, target: ProcessSlot, set: u64) {
        self.processes[target].signals.pending.discard(set);
        let mut next = self.processes[target].threads.first;
        while let Some(slot) = next {
            let thread = &mut self.processes[slot];
            thread.signals.pending.discard(set);
            next = thread.fellows.next;
        }
    }

    /// Stops a process by a signal whose action that is. Whom nobody could let go on, an orphaned group's, only
    /// SIGSTOP stops.
    pub(super) fn stop_process(&mut self, target: ProcessSlot, signal: u8) {
        if signal != SIGSTOP && self.is_orphaned(self.processes[target].group) {
            return;
        }
        let process = &mut self.processes[target];
        process.job.activity = Activity::Stopped(signal);
        process.job.news = Some(News::Stopped(signal));
        self.stopped += 1;
        let mut next = self.processes[target].threads.first;
        while let Some(slot) = next {
            next = self.processes[slot].fellows.next;
            self.stop_thread(slot);
        }
        self.tell_parent(target, Event::Stopped(signal));
    }

    fn stop_thread(&mut self, slot: ThreadSlot) {
        let resume = match self.processes[slot].state {
            State::Running => {
                self.processes[slot].restart_interrupted_call();
                Resume::User
            }
            State::Runnable(resume) => {
                self.leave_queue(slot);
                match resume {
                    Resume::SystemCall { progress, .. } => Resume::SystemCall {
                        progress,
                        turn: None,
                    },
                    resume => resume,
                }
            }
            // What comes of it will find the process stopped.
            State::Waiting(Wait::Vfork(_)) => return,
            State::Waiting(Wait::SignalSet { .. }) => {
                self.leave_queue(slot);
                self.processes[slot].set_result(Errno::EINTR.to_return_value());
                Resume::User
            }
            State::Waiting(wait) => {
                if let Wait::Time(deadline) = wait {
                    // It goes on sleeping, and has said what is left, as on Linux.
                    self.interrupted_sleep(slot, deadline);
                }
                self.leave_queue(slot);
                wait.asked_again()
            }
            State::Stopped(_) => return,
        };
        self.processes[slot].state = State::Stopped(resume);
    }

    /// Lets a process go on, if it is stopped.
    fn continue_process(&mut self, target: ProcessSlot) {
        let process = &mut self.processes[target];
        if process.job.activity == Activity::Going {
            return;
        }
        process.job.activity = Activity::Going;
        process.job.news = Some(News::Continued);
        self.stopped -= 1;
        let mut next = self.processes[target].threads.first;
        while let Some(slot) = next {
            next = self.processes[slot].fellows.next;
            if let State::Stopped(resume) = self.processes[slot].state {
                self.enqueue(slot, resume);
            }
        }
        self.tell_parent(target, Event::Continued);
    }

    /// Tells the parent that a child has stopped or gone on: who waits for that looks, and SIGCHLD comes unless
    /// it is not wanted (SA_NOCLDSTOP).
    fn tell_parent(&mut self, child: ProcessSlot, event: Event) {
        let Some(parent) = self.processes[child].family.parent else {
            return;
        };
        self.wake_waiting_parent(parent, child);
        let flags = self.processes[parent].signals.action(SIGCHLD).flags;
        if flags & u64::from(linux::SA_NOCLDSTOP) != 0 {
            return;
        }
        let child = self.sender(child);
        send(self, parent, SIGCHLD, Info::Child(child, event));
    }
}
