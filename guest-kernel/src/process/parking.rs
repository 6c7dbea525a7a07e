//! A thread that waits: into what it waits in, and out of it again.
use super::{Resume, State, ThreadSlot, Wait};
use crate::kernel::Kernel;
use files::WaitFor;

impl Kernel {
    /// Parks the current thread.
    #[inline(always)]
    pub fn park(&mut self, slot: ThreadSlot, wait: Wait) {
        if !matches!(wait, Wait::Child(_) | Wait::Vfork(_)) {
            self.enter_wait(slot, &wait);
        }
        self.processes[slot].state = State::Waiting(wait);
    }

    /// Puts a thread into whatever it is to wait in.
    #[inline(never)]
    fn enter_wait(&mut self, slot: ThreadSlot, wait: &Wait) {
        match *wait {
            Wait::File { until, .. } | Wait::Open { until, .. } => {
                self.wait_for_file(slot, until);
            }
            Wait::TimedInput { deadline, .. } => {
                self.wait_for_file(slot, WaitFor::ConsoleInput);
                self.add_sleeper(slot, deadline);
            }
            Wait::Readiness { deadline } => {
                self.wait_for_file(slot, WaitFor::Readiness);
                if let Some(deadline) = deadline {
                    self.add_sleeper(slot, deadline);
                }
            }
            Wait::Time(deadline)
            | Wait::SignalSet {
                deadline: Some(deadline),
                ..
            } => self.add_sleeper(slot, deadline),
            Wait::Futex(waiter) => {
                self.lock_waiters += u32::from(waiter.wants_lock());
                self.futexes.push(self.processes, slot, waiter.key);
                if let Some(deadline) = waiter.deadline {
                    self.add_sleeper(slot, deadline);
                }
            }
            Wait::Child(_) | Wait::Vfork(_) | Wait::Signal | Wait::SignalSet { .. } => {}
        }
    }

    fn add_sleeper(&mut self, slot: ThreadSlot, deadline: u64) {
        self.sleepers.insert((deadline, slot));
        self.arm_no_later_than(deadline);
    }

    /// Takes a thread out of whatever it waits in.
    #[inline]
    pub(super) fn leave_wait(&mut self, slot: ThreadSlot) {
        match self.processes[slot].state {
            State::Waiting(
                Wait::Time(deadline)
                | Wait::SignalSet {
                    deadline: Some(deadline),
                    ..
                },
            ) => {
                self.sleepers.remove(&(deadline, slot));
            }
            State::Waiting(Wait::Futex(waiter)) => {
                self.lock_waiters -= u32::from(waiter.wants_lock());
                self.futexes.remove(self.processes, slot, waiter.key);
                if let Some(deadline) = waiter.deadline {
                    self.sleepers.remove(&(deadline, slot));
                }
            }
            State::Waiting(Wait::File { until, .. } | Wait::Open { until, .. }) => {
                self.stop_waiting_for_file(slot, until);
            }
            State::Waiting(Wait::TimedInput { deadline, .. }) => {
                self.stop_waiting_for_file(slot, WaitFor::ConsoleInput);
                self.sleepers.remove(&(deadline, slot));
            }
            State::Waiting(Wait::Readiness { deadline }) => {
                self.stop_waiting_for_file(slot, WaitFor::Readiness);
                if let Some(deadline) = deadline {
                    self.sleepers.remove(&(deadline, slot));
                }
            }
            _ => {}
        }
    }

    /// Takes a thread out of the run queue or what it waits in: it is about to end.
    pub fn leave_queue(&mut self, slot: ThreadSlot) {
        match self.processes[slot].state {
            State::Runnable(resume) => {
                self.ready.remove(self.processes, slot);
                if let Resume::SystemCall {
                    turn: Some(key), ..
                } = resume
                {
                    self.wake_queue(key);
                }
            }
            _ => self.leave_wait(slot),
        }
    }
}
