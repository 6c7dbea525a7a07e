//! Who waits for what, and who is to be woken.
use crate::pipe::PipeId;
use core::num::NonZeroU16;

/// What a parked process waits for: the name of a [`WaitQueue`].
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub enum WaitFor {
    /// Bytes in a pipe, or the end of its last writer; for an open of a FIFO, a writer.
    PipeReadable(PipeId),
    /// Room in a pipe, or the end of its last reader; for an open of a FIFO, a reader.
    PipeWritable(PipeId),
    /// Input from the console. The kernel knows when that has come.
    ConsoleInput,
    /// That output to the console may go on.
    ConsoleOutput,
    /// A change of readiness anywhere, for poll(2) and its like, which then look again.
    Readiness,
    /// A lock to go (fcntl_locking(2), flock(2)). All who wait look again.
    Lock,
}

/// First and last of the processes that wait, by the kernel's own number; it links them through its process table.
#[derive(Clone, Copy, PartialEq, Eq, Default, Debug)]
pub struct WaitQueue {
    /// `None` where nobody waits.
    pub ends: Option<(NonZeroU16, NonZeroU16)>,
}

impl WaitQueue {
    /// Nobody waits.
    #[must_use]
    pub const fn new() -> Self {
        Self { ends: None }
    }

    /// Whether nobody waits.
    #[must_use]
    pub const fn is_empty(&self) -> bool {
        self.ends.is_none()
    }
}

/// Queues to be woken, without an allocation: pipes are linked through themselves.
#[derive(Debug)]
pub(crate) struct Wakeups {
    /// The pipe at the top of the stack of those that have a queue to be woken.
    pub(crate) first: Option<PipeId>,
    /// Bits [`POLLERS`] and [`LOCKERS`]: who is to look again.
    pub(crate) all: u8,
    pub(crate) console: WaitQueue,
    pub(crate) console_output: WaitQueue,
    pub(crate) readiness: WaitQueue,
    /// Whether somebody may poll, or may be told of a change by a signal.
    pub(crate) watched: bool,
}

/// Those who poll.
pub(crate) const POLLERS: u8 = 1;
/// Those who wait for a lock.
pub(crate) const LOCKERS: u8 = 2;

impl Wakeups {
    pub(crate) const fn new() -> Self {
        Self {
            first: None,
            all: 0,
            console: WaitQueue::new(),
            console_output: WaitQueue::new(),
            readiness: WaitQueue::new(),
            watched: false,
        }
    }

    /// Notes that something became readable or writable.
    #[inline]
    pub(crate) fn readiness_changed(&mut self) {
        if !self.readiness.is_empty() {
            self.all |= POLLERS;
        }
    }

    /// Of those who are all to look again, the next queue.
    #[cold]
    pub(crate) fn take_all(&mut self) -> WaitFor {
        if self.all & POLLERS != 0 {
            self.all &= !POLLERS;
            WaitFor::Readiness
        } else {
            self.all &= !LOCKERS;
            WaitFor::Lock
        }
    }

    /// Notes that a lock has gone.
    pub(crate) fn wake_lockers(&mut self) {
        self.all |= LOCKERS;
    }
}
