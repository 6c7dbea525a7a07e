//! Which queues are to be woken: those of pipes are linked through the pipes.
use super::{PipeId, READABLE, WRITABLE};
use crate::wait_queue::{WaitFor, WaitQueue};
use crate::{Files, PageStore};

impl<S: PageStore> Files<S> {
    /// Notes that a queue is to be woken, where somebody stands in it.
    #[inline]
    pub(crate) fn wake(&mut self, queue: WaitFor) {
        if self.wakeups.watched {
            self.note_news(queue);
        }
        self.wake_waiters(queue);
    }

    /// As [`Self::wake`], where nothing has become readable or writable that was not.
    #[inline]
    pub(crate) fn wake_waiters(&mut self, queue: WaitFor) {
        let (id, bit) = match queue {
            WaitFor::PipeReadable(id) => (id, READABLE),
            WaitFor::PipeWritable(id) => (id, WRITABLE),
            WaitFor::ConsoleInput | WaitFor::ConsoleOutput | WaitFor::Readiness | WaitFor::Lock => {
                return;
            }
        };
        let Some(pipe) = self.pipes.get_mut(id.0) else {
            return;
        };
        let waiting = match bit {
            READABLE => &pipe.read_queue,
            _ => &pipe.write_queue,
        };
        if waiting.is_empty() {
            return;
        }
        if pipe.pending == 0 {
            pipe.next_pending = self.wakeups.first.replace(id);
        }
        pipe.pending |= bit;
    }

    /// The next queue whose processes are to be woken, all of them: they ask again for what they waited for. `None` when
    /// there is none left; ask after each operation.
    #[inline]
    pub fn take_wakeup(&mut self) -> Option<WaitFor> {
        if let Some(id) = self.wakeups.first
            && let Some(pipe) = self.pipes.get_mut(id.0)
        {
            let queue = if pipe.pending & READABLE != 0 {
                pipe.pending &= !READABLE;
                WaitFor::PipeReadable(id)
            } else {
                pipe.pending &= !WRITABLE;
                WaitFor::PipeWritable(id)
            };
            if pipe.pending == 0 {
                self.wakeups.first = pipe.next_pending.take();
            }
            return Some(queue);
        }
        if self.wakeups.all != 0 {
            return Some(self.wakeups.take_all());
        }
        None
    }

    /// The queue of that name; `None` where the pipe has gone.
    #[inline]
    pub fn wait_queue_mut(&mut self, queue: WaitFor) -> Option<&mut WaitQueue> {
        match queue {
            WaitFor::PipeReadable(id) => Some(&mut self.pipes.get_mut(id.0)?.read_queue),
            WaitFor::PipeWritable(id) => Some(&mut self.pipes.get_mut(id.0)?.write_queue),
            WaitFor::ConsoleInput => Some(&mut self.wakeups.console),
            WaitFor::ConsoleOutput => Some(&mut self.wakeups.console_output),
            WaitFor::Readiness => {
                self.wakeups.watched = true;
                Some(&mut self.wakeups.readiness)
            }
            WaitFor::Lock => Some(&mut self.locks.queue),
        }
    }

    /// Takes a pipe that goes out of the stack of those to be woken.
    pub(super) fn forget_wakeup(&mut self, id: PipeId) {
        let Some(pipe) = self.pipes.get_mut(id.0) else {
            return;
        };
        if core::mem::take(&mut pipe.pending) == 0 {
            return;
        }
        let after = pipe.next_pending.take();
        if self.wakeups.first == Some(id) {
            self.wakeups.first = after;
            return;
        }
        let mut at = self.wakeups.first;
        while let Some(above) = at
            && let Some(pipe) = self.pipes.get_mut(above.0)
        {
            if pipe.next_pending == Some(id) {
                pipe.next_pending = after;
                return;
            }
            at = pipe.next_pending;
        }
    }
}
