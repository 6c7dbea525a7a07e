//! The queues of those who wait for files: for a pipe's bytes, a lock, the console.
use super::queue::Queue;
use super::{Resume, State, ThreadSlot, Wait, held};
use crate::kernel::Kernel;
use crate::system_calls::poll::NO_DEADLINE;
use files::WaitFor;

impl Kernel {
    /// Wakes all that the files say are to be woken.
    #[inline]
    pub fn wake_files(&mut self) {
        while let Some(key) = self.files.take_wakeup() {
            self.wake_queue(key);
        }
    }

    /// Wakes the first in a queue, who wakes the next after its turn; all who wait for readiness or a lock, for what
    /// has come may be of use to any of them.
    pub fn wake_queue(&mut self, key: WaitFor) {
        let Some(place) = self.files.wait_queue_mut(key) else {
            return;
        };
        if !matches!(key, WaitFor::Readiness | WaitFor::Lock) {
            let mut queue = Queue::from(*place);
            if let Some(slot) = queue.pop(self.processes) {
                *place = queue.into();
                self.ask_again(slot, key);
            }
            return;
        }
        // All of them look again, in the order in which they came; who finds nothing waits in it again, and
        // is not met twice.
        let mut queue = Queue::from(core::mem::take(place));
        while let Some(slot) = queue.pop(self.processes) {
            let progress = match self.processes[slot].state {
                State::Waiting(Wait::Readiness { deadline }) => {
                    if let Some(deadline) = deadline {
                        self.sleepers.remove(&(deadline, slot));
                    }
                    // The call goes on with the deadline it had.
                    deadline.unwrap_or(NO_DEADLINE) as usize
                }
                _ => 0,
            };
            self.enqueue(
                slot,
                Resume::SystemCall {
                    progress,
                    turn: None,
                },
            );
        }
    }

    /// Wakes all in a queue at once: what they wait in may go.
    pub fn wake_all(&mut self, key: WaitFor) {
        while let Some(place) = self.files.wait_queue_mut(key) {
            let mut queue = Queue::from(*place);
            let Some(slot) = queue.pop(self.processes) else {
                return;
            };
            *place = queue.into();
            self.ask_again(slot, key);
        }
    }

    /// Makes a thread that was taken out of its queue runnable.
    fn ask_again(&mut self, slot: ThreadSlot, turn: WaitFor) {
        let progress = match self.processes[slot].state {
            State::Waiting(Wait::File { progress, .. }) => progress,
            State::Waiting(Wait::Open {
                file, descriptor, ..
            }) => held::holding(descriptor as usize + 1, file),
            State::Waiting(Wait::TimedInput { progress, deadline }) => {
                self.sleepers.remove(&(deadline, slot));
                progress
            }
            _ => 0,
        };
        self.enqueue(
            slot,
            Resume::SystemCall {
                progress,
                turn: Some(turn),
            },
        );
    }

    /// A thread that was woken as the first of a queue has asked again: the next has its turn, unless the
    /// first found nothing.
    pub fn end_turn(&mut self, slot: ThreadSlot, turn: Option<WaitFor>) {
        let Some(key) = turn else { return };
        let state = self.processes.thread(slot).map(|thread| thread.state);
        match state {
            Some(State::Waiting(Wait::File { until, .. } | Wait::Open { until, .. }))
                if until == key => {}
            Some(State::Waiting(Wait::TimedInput { .. })) if key == WaitFor::ConsoleInput => {}
            _ => self.wake_queue(key),
        }
    }

    /// Puts a thread at the end of the queue of what it waits for.
    #[inline]
    pub fn wait_for_file(&mut self, slot: ThreadSlot, key: WaitFor) {
        if let Some(place) = self.files.wait_queue_mut(key) {
            let mut queue = Queue::from(*place);
            queue.push(self.processes, slot);
            *place = queue.into();
        }
    }

    /// Takes a thread out of that queue again.
    pub fn stop_waiting_for_file(&mut self, slot: ThreadSlot, key: WaitFor) {
        if let Some(place) = self.files.wait_queue_mut(key) {
            let mut queue = Queue::from(*place);
            queue.remove(self.processes, slot);
            *place = queue.into();
        }
    }
}
