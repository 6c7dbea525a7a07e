//! First-in, first-out queues of processes, linked through the processes themselves.
use super::{ProcessTable, Slot};

/// A queue. A process stands in at most one at a time.
#[derive(Clone, Copy, Default)]
pub struct Queue {
    ends: Option<(Slot, Slot)>,
}

impl Queue {
    /// Nobody waits.
    pub const fn new() -> Self {
        Self { ends: None }
    }

    pub const fn is_empty(&self) -> bool {
        self.ends.is_none()
    }

    /// Adds a process at the end.
    #[inline]
    pub fn push(&mut self, table: &mut ProcessTable, slot: Slot) {
        table[slot].next_in_queue = None;
        self.ends = Some(match self.ends {
            None => (slot, slot),
            Some((first, last)) => {
                table[last].next_in_queue = Some(slot);
                (first, slot)
            }
        });
    }

    /// Takes the process that came first.
    #[inline]
    pub fn pop(&mut self, table: &mut ProcessTable) -> Option<Slot> {
        let (first, last) = self.ends?;
        self.ends = table[first].next_in_queue.take().map(|next| (next, last));
        Some(first)
    }

    /// Takes a process out of the middle; does nothing where it is not in this queue.
    pub fn remove(&mut self, table: &mut ProcessTable, slot: Slot) {
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
        let slots = |(first, last)| (Slot::from_number(first), Slot::from_number(last));
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
                .map(|(first, last)| (first.number(), last.number())),
        }
    }
}
