//! First-in, first-out queues of threads, linked through the threads themselves.
use super::{ProcessTable, Thread, ThreadSlot};

/// A queue. A thread stands in at most one at a time.
#[derive(Clone, Copy, Default)]
pub struct Queue {
    ends: Option<(ThreadSlot, ThreadSlot)>,
}

impl Queue {
    /// Nobody waits.
    pub const fn new() -> Self {
        Self { ends: None }
    }

    pub const fn is_empty(&self) -> bool {
        self.ends.is_none()
    }

    /// Adds a thread at the end. It stands in no queue, so there is none next to it: who leaves one sees to that.
    #[inline(always)]
    pub fn push(&mut self, table: &mut ProcessTable, slot: ThreadSlot) {
        self.ends = Some(match self.ends {
            None => (slot, slot),
            Some((first, last)) => {
                table[last].next_in_queue = Some(slot);
                (first, slot)
            }
        });
    }

    /// The thread that came first.
    #[inline]
    pub fn first(&self) -> Option<ThreadSlot> {
        self.ends.map(|(first, _)| first)
    }

    /// Takes the thread that came first.
    #[inline]
    pub fn pop(&mut self, table: &mut ProcessTable) -> Option<ThreadSlot> {
        let (first, last) = self.ends?;
        self.ends = table[first].next_in_queue.take().map(|next| (next, last));
        Some(first)
    }

    /// Takes the thread that came first, which this is.
    #[inline]
    pub fn advance(&mut self, first: &mut Thread) {
        if let Some((_, last)) = self.ends {
            self.ends = first.next_in_queue.take().map(|next| (next, last));
        }
    }

    /// Those in it, first to last.
    pub fn iter(self, table: &ProcessTable) -> impl Iterator<Item = ThreadSlot> + '_ {
        let last = self.ends.map(|(_, last)| last);
        let first = self.ends.map(|(first, _)| first);
        core::iter::successors(first, move |&slot| {
            if Some(slot) == last {
                None
            } else {
                table[slot].next_in_queue
            }
        })
    }

    /// Takes a thread out of the middle; does nothing where it is not in this queue.
    pub fn remove(&mut self, table: &mut ProcessTable, slot: ThreadSlot) {
        let mut rest = core::mem::take(self);
        while let Some(other) = rest.pop(table) {
            if other != slot {
                self.push(table, other);
            }
        }
    }
}

impl From<files::WaitQueue> for Queue {
    fn from(queue: files::WaitQueue) -> Self {
        let slots = |(first, last)| (ThreadSlot::from_short(first), ThreadSlot::from_short(last));
        Self {
            ends: queue.ends.map(slots),
        }
    }
}

impl From<Queue> for files::WaitQueue {
    fn from(queue: Queue) -> Self {
        Self {
            ends: queue
                .ends
                .map(|(first, last)| (first.short(), last.short())),
        }
    }
}
