//! The text of a file in `/proc`, as it was when it was generated.
use crate::proc::Output;
use crate::store::PageStore;
use alloc::vec::Vec;
use contract::{Errno, PAGE_SIZE};
use core::fmt;

/// Pages of the longest text: 2 MiB.
const MAX_PAGES: usize = 512;

/// Text in page frames.
#[derive(Debug)]
pub(crate) struct Snapshot<P> {
    pages: Vec<P>,
    length: usize,
}

impl<P> Snapshot<P> {
    pub(crate) const fn new() -> Self {
        Self {
            pages: Vec::new(),
            length: 0,
        }
    }

    /// Page frames that it has.
    pub(crate) fn pages(&self) -> u64 {
        self.pages.len() as u64
    }

    /// In bytes.
    pub(crate) fn length(&self) -> usize {
        self.length
    }

    /// Reads from `offset` on; 0 at the end.
    pub(crate) fn read_at(
        &self,
        store: &impl PageStore<Page = P>,
        offset: u64,
        into: &mut [u8],
    ) -> usize {
        let offset = usize::try_from(offset).map_or(self.length, |offset| offset.min(self.length));
        let length = into.len().min(self.length - offset);
        let mut done = 0;
        while done < length {
            let at = offset + done;
            let within = at % PAGE_SIZE;
            let count = (length - done).min(PAGE_SIZE - within);
            let Some(page) = self.pages.get(at / PAGE_SIZE) else {
                break;
            };
            into[done..done + count].copy_from_slice(&store.bytes(page)[within..within + count]);
            done += count;
        }
        done
    }

    pub(crate) fn free(&mut self, store: &mut impl PageStore<Page = P>) {
        for page in self.pages.drain(..) {
            store.free(page);
        }
        self.length = 0;
    }
}

/// Writes a snapshot.
pub(crate) struct SnapshotWriter<'a, S: PageStore> {
    store: &'a mut S,
    snapshot: &'a mut Snapshot<S::Page>,
    outcome: Result<(), Errno>,
}

impl<'a, S: PageStore> SnapshotWriter<'a, S> {
    pub(crate) fn new(store: &'a mut S, snapshot: &'a mut Snapshot<S::Page>) -> Self {
        Self {
            store,
            snapshot,
            outcome: Ok(()),
        }
    }

    /// ENOMEM when a page could not be had, EFBIG when the text is too long.
    pub(crate) fn finish(self) -> Result<(), Errno> {
        self.outcome
    }

    fn add(&mut self, mut bytes: &[u8]) -> Result<(), Errno> {
        self.outcome?;
        while !bytes.is_empty() {
            let length = self.snapshot.length;
            let pages = &mut self.snapshot.pages;
            let within = length % PAGE_SIZE;
            if within == 0 {
                if pages.len() == MAX_PAGES {
                    return Err(Errno::EFBIG);
                }
                pages.try_reserve(1).map_err(|_| Errno::ENOMEM)?;
                pages.push(self.store.allocate().ok_or(Errno::ENOMEM)?);
            }
            let page = pages.last_mut().ok_or(Errno::ENOMEM)?;
            let (now, later) = bytes.split_at(bytes.len().min(PAGE_SIZE - within));
            self.store.bytes_mut(page)[within..within + now.len()].copy_from_slice(now);
            self.snapshot.length += now.len();
            bytes = later;
        }
        Ok(())
    }
}

impl<S: PageStore> fmt::Write for SnapshotWriter<'_, S> {
    fn write_str(&mut self, text: &str) -> fmt::Result {
        self.outcome = self.add(text.as_bytes());
        self.outcome.map_err(|_| fmt::Error)
    }
}

impl<S: PageStore> Output for SnapshotWriter<'_, S> {
    fn bytes(&mut self, bytes: &[u8]) {
        self.outcome = self.add(bytes);
    }
}
