//! Signals that have come and not been acted on: a set, and a list of what is known of them in the order in
//! which they came. A standard signal is there once, with what was known of the first; a real-time signal as
//! often as it was sent (signal(7)).
use super::{FIRST_REAL_TIME, Info, bit};
use crate::memory::heap;
use alloc::boxed::Box;
use contract::Errno;
use core::sync::atomic::{AtomicU64, Ordering::Relaxed};

/// Entries of all lists: what RLIMIT_SIGPENDING limits.
static ENTRIES: AtomicU64 = AtomicU64::new(0);

/// How many signals are queued, of all processes.
pub fn queued() -> u64 {
    ENTRIES.load(Relaxed)
}

struct Entry {
    next: Option<Box<Self>>,
    signal: u8,
    info: Info,
}

impl Entry {
    fn new(signal: u8, info: Info) -> Box<Self> {
        ENTRIES.store(ENTRIES.load(Relaxed) + 1, Relaxed);
        Box::new(Self {
            next: None,
            signal,
            info,
        })
    }
}

impl Drop for Entry {
    fn drop(&mut self) {
        ENTRIES.store(ENTRIES.load(Relaxed) - 1, Relaxed);
    }
}

/// See the module.
#[derive(Default)]
pub struct Pending {
    set: u64,
    entries: Option<Box<Entry>>,
}

impl Pending {
    /// Nothing.
    pub const NONE: Self = Self {
        set: 0,
        entries: None,
    };

    /// Which.
    #[inline]
    pub const fn set(&self) -> u64 {
        self.set
    }

    /// Adds a signal. Where `limit` entries are there already, or no memory is, it comes with nothing known
    /// of it, unless that is its point.
    ///
    /// # Errors
    /// EAGAIN: then it has not come.
    pub fn add(&mut self, signal: u8, info: Info, limit: u64) -> Result<(), Errno> {
        let is_standard = signal < FIRST_REAL_TIME;
        if is_standard && self.set & bit(signal) != 0 {
            return Ok(());
        }
        // What the kernel or kill(2) says with a standard signal is beyond the limit.
        let within = ENTRIES.load(Relaxed) < limit
            || is_standard && !matches!(info, Info::Queued(_) | Info::ThreadKill(_));
        if within && heap::require_reserve().is_ok() {
            let mut place = &mut self.entries;
            while let Some(entry) = place {
                place = &mut entry.next;
            }
            *place = Some(Entry::new(signal, info));
        } else if !is_standard && info.is_message() {
            return Err(Errno::EAGAIN);
        }
        self.set |= bit(signal);
        Ok(())
    }

    /// Takes a signal out that is there, with what is known of it.
    pub fn take(&mut self, signal: u8) -> Info {
        let mut place = &mut self.entries;
        while place.as_ref().is_some_and(|entry| entry.signal != signal) {
            match place {
                Some(entry) => place = &mut entry.next,
                None => break,
            }
        }
        let mut info = Info::Kernel;
        if let Some(mut entry) = place.take() {
            info = entry.info;
            *place = entry.next.take();
            let mut rest = place;
            while let Some(entry) = rest {
                if entry.signal == signal {
                    return info;
                }
                rest = &mut entry.next;
            }
        }
        self.set &= !bit(signal);
        info
    }

    /// Forgets all signals of a set.
    pub fn discard(&mut self, set: u64) {
        if self.set & set == 0 {
            return;
        }
        self.set &= !set;
        let mut place = &mut self.entries;
        loop {
            match place {
                None => return,
                Some(entry) if bit(entry.signal) & set != 0 => {
                    let rest = entry.next.take();
                    *place = rest;
                }
                Some(entry) => place = &mut entry.next,
            }
        }
    }
}

impl Drop for Pending {
    /// One after the other: a long list must not take a deep stack.
    fn drop(&mut self) {
        while let Some(mut entry) = self.entries.take() {
            self.entries = entry.next.take();
        }
    }
}
