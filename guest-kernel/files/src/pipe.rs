//! Pipes (pipe(7)): a ring of pages between writers and readers.
//!
//! A page is taken when the first byte comes to lie in it and given back when it is drained, but for one: a pipe that
//! carries a byte to and fro would else take and give a frame for each.
mod capacity;
mod wakeups;

use crate::nameless::Nameless;
use crate::store::PageStore;
use crate::wait_queue::{WaitFor, WaitQueue};
use crate::{Files, Step, Transfer};
use alloc::boxed::Box;
use contract::{Errno, PAGE_SIZE};
use linux_raw_sys::general as linux;

/// Bytes that a pipe holds unless it is told otherwise.
pub const PIPE_CAPACITY: usize = PIPE_PAGES * PAGE_SIZE;
/// Bytes that a pipe can be told to hold (`/proc/sys/fs/pipe-max-size`).
pub const PIPE_CAPACITY_MAX: usize = 1 << 20;
/// A write of at most so many bytes goes in whole or not at all.
pub const PIPE_BUF: usize = 4096;

const PIPE_PAGES: usize = 16;

/// Names a pipe while an end of it is open.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub struct PipeId(pub(crate) u32);

impl PipeId {
    /// The number that `/proc/PID/fd` shows.
    #[must_use]
    pub const fn number(self) -> u32 {
        self.0 + 1
    }
}

/// Which end.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum End {
    Read,
    Write,
}

#[derive(Debug)]
pub(crate) struct Pipe<P> {
    pages: [Option<P>; PIPE_PAGES],
    /// The pages of a pipe that was told to hold more than those: all of them then.
    more: Option<Box<[Option<P>]>>,
    /// Bytes of the ring, a power of two.
    ring: usize,
    /// Where the first byte lies, below the capacity.
    start: usize,
    length: usize,
    /// What of its room is not to be used (F_SETPIPE_SZ).
    withheld: usize,
    pub(crate) readers: u32,
    pub(crate) writers: u32,
    /// How often an end was ever opened: an open of a FIFO waits for the other one to rise.
    pub(crate) readers_ever: u32,
    pub(crate) writers_ever: u32,
    pub(crate) read_queue: WaitQueue,
    pub(crate) write_queue: WaitQueue,
    /// Bits [`READABLE`] and [`WRITABLE`]: which queue is to be woken.
    pending: u8,
    next_pending: Option<PipeId>,
    /// Of a socket: bytes at the start that belong to a message which was read short; and whether the other one was
    /// closed with bytes unread, which is told once.
    pub(crate) message_left: usize,
    pub(crate) reset: Option<()>,
}

const READABLE: u8 = 1;
const WRITABLE: u8 = 2;

impl<P> Pipe<P> {
    pub(crate) const fn new() -> Self {
        Self {
            pages: [const { None }; PIPE_PAGES],
            more: None,
            ring: PIPE_CAPACITY,
            start: 0,
            length: 0,
            withheld: 0,
            readers: 0,
            writers: 0,
            readers_ever: 0,
            writers_ever: 0,
            read_queue: WaitQueue::new(),
            write_queue: WaitQueue::new(),
            pending: 0,
            next_pending: None,
            message_left: 0,
            reset: None,
        }
    }

    /// Page frames that it has.
    pub(crate) fn pages(&self) -> u64 {
        let more = self.more.iter().flatten();
        self.pages.iter().chain(more).flatten().count() as u64
    }

    /// Bytes that it holds at most.
    pub(crate) fn capacity(&self) -> usize {
        self.ring - self.withheld
    }

    /// A page's place in the ring.
    #[inline]
    fn slot(&mut self, index: usize) -> &mut Option<P> {
        match &mut self.more {
            None => &mut self.pages[index % PIPE_PAGES],
            Some(more) => &mut more[index],
        }
    }

    /// Bytes in it.
    pub(crate) fn length(&self) -> usize {
        self.length
    }

    /// Bytes that fit.
    pub(crate) fn room(&self) -> usize {
        (self.ring - self.withheld).saturating_sub(self.length)
    }

    /// Takes out what there is, as far as it fits.
    pub(crate) fn take(&mut self, store: &mut impl PageStore<Page = P>, into: &mut [u8]) -> usize {
        let length = into.len().min(self.length);
        let mut done = 0;
        while done < length {
            let (page, within) = (self.start / PAGE_SIZE, self.start % PAGE_SIZE);
            let count = (length - done).min(PAGE_SIZE - within);
            let Some(there) = self.slot(page).as_ref() else {
                break;
            };
            into[done..done + count].copy_from_slice(&store.bytes(there)[within..within + count]);
            done += count;
            self.length -= count;
            if self.length == 0 {
                // Begin this page anew: it is the one that is kept.
                self.start = page * PAGE_SIZE;
                break;
            }
            self.start = (self.start + count) & (self.ring - 1);
            // In a full pipe the page at the start holds the newest bytes, too.
            if within + count == PAGE_SIZE
                && self.length <= self.ring - PAGE_SIZE
                && let Some(drained) = self.slot(page).take()
            {
                store.free(drained);
            }
        }
        done
    }

    /// Copies what there is, from `skip` on, as far as it fits, and leaves it there.
    pub(crate) fn copy(
        &self,
        store: &impl PageStore<Page = P>,
        skip: usize,
        into: &mut [u8],
    ) -> usize {
        let length = into.len().min(self.length.saturating_sub(skip));
        let mut done = 0;
        while done < length {
            let at = (self.start + skip + done) & (self.ring - 1);
            let (page, within) = (at / PAGE_SIZE, at % PAGE_SIZE);
            let count = (length - done).min(PAGE_SIZE - within);
            let there = match &self.more {
                None => self.pages[page % PIPE_PAGES].as_ref(),
                Some(more) => more[page].as_ref(),
            };
            let Some(there) = there else {
                break;
            };
            into[done..done + count].copy_from_slice(&store.bytes(there)[within..within + count]);
            done += count;
        }
        done
    }

    /// Drops what is left of a message that was read short.
    pub(crate) fn finish_message(&mut self, store: &mut impl PageStore<Page = P>) {
        let mut sink = [0; 256];
        while self.message_left != 0 {
            let length = self.message_left.min(sink.len());
            let count = self.take(store, &mut sink[..length]);
            self.message_left = if count == 0 {
                0
            } else {
                self.message_left - count
            };
        }
    }

    /// Puts in as much as fits and frames can be had for.
    pub(crate) fn put(&mut self, store: &mut impl PageStore<Page = P>, bytes: &[u8]) -> usize {
        let length = bytes.len().min(self.room());
        let mut done = 0;
        while done < length {
            let end = (self.start + self.length) & (self.ring - 1);
            let (page, within) = (end / PAGE_SIZE, end % PAGE_SIZE);
            let count = (length - done).min(PAGE_SIZE - within);
            let slot = self.slot(page);
            if slot.is_none() {
                *slot = store.allocate();
            }
            let Some(there) = slot.as_mut() else {
                break;
            };
            store.bytes_mut(there)[within..within + count]
                .copy_from_slice(&bytes[done..done + count]);
            done += count;
            self.length += count;
        }
        done
    }

    /// Takes the frames for `count` more bytes; whether all of them could be had. Those that were had stay for later.
    pub(crate) fn reserve(&mut self, store: &mut impl PageStore<Page = P>, count: usize) -> bool {
        let end = self.start + self.length;
        let mask = self.ring / PAGE_SIZE - 1;
        (end / PAGE_SIZE..(end + count).div_ceil(PAGE_SIZE)).all(|page| {
            let page = self.slot(page & mask);
            if page.is_none() {
                *page = store.allocate();
            }
            page.is_some()
        })
    }

    fn free(&mut self, store: &mut impl PageStore<Page = P>) {
        let more = self.more.iter_mut().flatten();
        for page in self.pages.iter_mut().chain(more) {
            if let Some(page) = page.take() {
                store.free(page);
            }
        }
        self.length = 0;
    }
}

impl<S: PageStore> Files<S> {
    pub(crate) fn pipe(&self, id: PipeId) -> Result<&Pipe<S::Page>, Errno> {
        self.pipes.get(id.0).ok_or(Errno::EBADF)
    }

    pub(crate) fn pipe_mut(&mut self, id: PipeId) -> Result<&mut Pipe<S::Page>, Errno> {
        self.pipes.get_mut(id.0).ok_or(Errno::EBADF)
    }

    /// A pipe with no end open yet. ENFILE when there are too many.
    pub(crate) fn add_pipe(&mut self) -> Result<PipeId, Errno> {
        self.pipes
            .insert(Pipe::new())
            .map(PipeId)
            .map_err(|_| Errno::ENFILE)
    }

    pub(crate) fn open_end(&mut self, id: PipeId, end: End) {
        let Ok(pipe) = self.pipe_mut(id) else { return };
        match end {
            End::Read => {
                pipe.readers += 1;
                pipe.readers_ever = pipe.readers_ever.wrapping_add(1);
                self.wake_waiters(WaitFor::PipeWritable(id));
            }
            End::Write => {
                pipe.writers += 1;
                pipe.writers_ever = pipe.writers_ever.wrapping_add(1);
                self.wake_waiters(WaitFor::PipeReadable(id));
            }
        }
        self.wakeups.readiness_changed();
    }

    /// Closes an end; with the last one the pipe goes. Returns whether it went.
    pub(crate) fn close_end(&mut self, store: &mut S, id: PipeId, end: End) -> bool {
        let Ok(pipe) = self.pipe_mut(id) else {
            return false;
        };
        let (left, other) = match end {
            End::Read => {
                pipe.readers -= 1;
                (pipe.readers, WaitFor::PipeWritable(id))
            }
            End::Write => {
                pipe.writers -= 1;
                (pipe.writers, WaitFor::PipeReadable(id))
            }
        };
        if pipe.readers == 0 && pipe.writers == 0 {
            pipe.free(store);
            self.forget_wakeup(id);
            self.pipes.remove(id.0);
            self.nameless.forget(Nameless::Pipe(id.0));
            self.wakeups.readiness_changed();
            return true;
        }
        if left == 0 {
            self.wake(other);
        }
        false
    }

    /// One piece of a read from a pipe.
    #[inline]
    pub(crate) fn read_pipe(
        &mut self,
        store: &mut S,
        id: PipeId,
        status: u32,
        transfer: &mut Transfer,
        into: &mut [u8],
    ) -> Step<usize> {
        let Some(pipe) = self.pipes.get_mut(id.0) else {
            return Step::Done(Err(Errno::EBADF));
        };
        if pipe.length == 0 {
            if into.is_empty() || transfer.done != 0 || pipe.writers == 0 {
                return Step::Done(Ok(0));
            }
            if status & linux::O_NONBLOCK != 0 {
                return Step::Done(Err(Errno::EAGAIN));
            }
            return Step::Wait(WaitFor::PipeReadable(id));
        }
        let count = pipe.take(store, into);
        transfer.done += count;
        if count != 0 {
            self.wake(WaitFor::PipeWritable(id));
        }
        Step::Done(Ok(count))
    }

    /// One piece of a write to a pipe. EPIPE without a reader: the kernel sends SIGPIPE.
    #[inline]
    pub(crate) fn write_pipe(
        &mut self,
        store: &mut S,
        id: PipeId,
        status: u32,
        transfer: &mut Transfer,
        bytes: &[u8],
    ) -> Step<usize> {
        let Some(pipe) = self.pipes.get_mut(id.0) else {
            return Step::Done(Err(Errno::EBADF));
        };
        if bytes.is_empty() {
            return Step::Done(Ok(0));
        }
        if pipe.readers == 0 {
            return Step::Done(Err(Errno::EPIPE));
        }
        let whole = transfer.total.max(bytes.len());
        let needed = room_needed(whole, transfer);
        if pipe.room() < needed {
            if status & linux::O_NONBLOCK != 0 {
                return Step::Done(Err(Errno::EAGAIN));
            }
            return Step::Wait(WaitFor::PipeWritable(id));
        }
        if !pipe.reserve(store, needed) {
            return Step::Done(Err(Errno::ENOMEM));
        }
        let count = pipe.put(store, bytes);
        transfer.done += count;
        let full = pipe.room() == 0;
        self.wake(WaitFor::PipeReadable(id));
        if count < bytes.len() && full && status & linux::O_NONBLOCK == 0 {
            return Step::Wait(WaitFor::PipeWritable(id));
        }
        Step::Done(Ok(count))
    }
}

/// Room that the next piece of a write of `whole` bytes needs. A small one goes in at once or not at all: so its first
/// piece needs the room and the frames for all of it.
#[inline]
pub(crate) const fn room_needed(whole: usize, transfer: &Transfer) -> usize {
    if whole <= PIPE_BUF && transfer.done == 0 {
        whole
    } else {
        1
    }
}
