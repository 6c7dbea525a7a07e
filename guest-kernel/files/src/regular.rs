//! The contents of a regular file: what the archive gave, in place, below pages that were written.
use crate::page_map::PageMap;
use crate::store::PageStore;
use contract::{Errno, PAGE, PAGE_SIZE};
use core::ops::Range;

/// Greatest size in bytes, as Linux has it for files in memory (`off_t` is signed).
pub const MAX_FILE_SIZE: u64 = i64::MAX as u64;

/// Where a page of a file lies.
#[derive(Debug)]
pub enum PageContent<'a, P> {
    /// In the archive, unwritten. Shorter than a page at the end of the file: the rest reads as zeros.
    Archived(&'static [u8]),
    /// Written, in a page of its own. Bytes beyond the end of the file are zeros.
    Page(&'a P),
    /// Never written: zeros.
    Hole,
}

/// See the module. Bytes of a page beyond the file's end are zeros, always: growing the file then shows zeros.
#[derive(Debug)]
pub(crate) struct Contents<P> {
    archived: &'static [u8],
    size: u64,
    pages: PageMap<P>,
    version: u64,
}

impl<P> Contents<P> {
    pub(crate) const fn new(archived: &'static [u8]) -> Self {
        Self {
            archived,
            size: archived.len() as u64,
            pages: PageMap::new(),
            version: 0,
        }
    }

    pub(crate) fn size(&self) -> u64 {
        self.size
    }

    /// Page frames that it has.
    pub(crate) fn pages(&self) -> u64 {
        self.pages.len()
    }

    /// Rises with each change of the contents.
    pub(crate) fn version(&self) -> u64 {
        self.version
    }

    /// The whole contents where they still are the archive's.
    pub(crate) fn in_place(&self) -> Option<&'static [u8]> {
        (self.pages.len() == 0 && self.size == self.archived.len() as u64).then_some(self.archived)
    }

    /// Units of 512 bytes held, as `st_blocks` counts them.
    pub(crate) fn blocks(&self) -> u64 {
        let archived = (self.archived.len() as u64).div_ceil(PAGE);
        let mut over = 0;
        let mut next = self.pages.next_from(0);
        while let Some(index) = next.filter(|index| *index < archived) {
            over += 1;
            next = self.pages.next_from(index + 1);
        }
        (archived - over + self.pages.len()) * (PAGE / 512)
    }

    pub(crate) fn page(&self, index: u64) -> PageContent<'_, P> {
        match self.pages.get(index) {
            Some(page) => PageContent::Page(page),
            None => match self.archived_page(index) {
                [] => PageContent::Hole,
                bytes => PageContent::Archived(bytes),
            },
        }
    }

    fn archived_page(&self, index: u64) -> &'static [u8] {
        let length = self.archived.len() as u64;
        let start = index.saturating_mul(PAGE).min(length);
        let end = (start + PAGE).min(length);
        &self.archived[start as usize..end as usize]
    }

    /// Whether a byte of this page can be other than a hole's zero.
    fn is_data(&self, index: u64) -> bool {
        !matches!(self.page(index), PageContent::Hole)
    }

    /// lseek(2) with SEEK_DATA: the first byte from `offset` on that is not in a hole. ENXIO where there is none.
    pub(crate) fn next_data(&self, offset: u64) -> Result<u64, Errno> {
        if offset >= self.size {
            return Err(Errno::ENXIO);
        }
        let index = offset / PAGE;
        if self.is_data(index) {
            return Ok(offset);
        }
        // What the archive gave is a prefix, so beyond a hole only written pages can follow.
        match self.pages.next_from(index) {
            Some(next) => Ok(next * PAGE),
            None => Err(Errno::ENXIO),
        }
    }

    /// lseek(2) with SEEK_HOLE: the first byte from `offset` on that is in a hole; the end of the file counts as one.
    pub(crate) fn next_hole(&self, offset: u64) -> Result<u64, Errno> {
        if offset >= self.size {
            return Err(Errno::ENXIO);
        }
        let mut index = offset / PAGE;
        if !self.is_data(index) {
            return Ok(offset);
        }
        while index * PAGE < self.size && self.is_data(index) {
            index += 1;
        }
        Ok((index * PAGE).min(self.size))
    }

    /// Reads from `offset` on; returns how many bytes there were, 0 at or beyond the end.
    pub(crate) fn read_at(
        &self,
        store: &impl PageStore<Page = P>,
        offset: u64,
        into: &mut [u8],
    ) -> usize {
        let left = self.size.saturating_sub(offset);
        let length = usize::try_from(left).map_or(into.len(), |left| left.min(into.len()));
        let mut done = 0;
        while done < length {
            let at = offset + done as u64;
            let within = (at % PAGE) as usize;
            let piece = &mut into[done..length];
            let count = piece.len().min(PAGE_SIZE - within);
            let piece = &mut piece[..count];
            match self.page(at / PAGE) {
                PageContent::Page(page) => {
                    piece.copy_from_slice(&store.bytes(page)[within..within + count]);
                }
                PageContent::Archived(bytes) => {
                    let bytes = bytes.get(within..).unwrap_or(&[]);
                    let there = bytes.len().min(count);
                    piece[..there].copy_from_slice(&bytes[..there]);
                    piece[there..].fill(0);
                }
                PageContent::Hole => piece.fill(0),
            }
            done += count;
        }
        length
    }

    /// Writes at `offset`, growing the file; returns how many bytes were taken, fewer than given when the frames ran out
    /// or the greatest size was reached. ENOSPC or EFBIG where not one was taken.
    pub(crate) fn write_at(
        &mut self,
        store: &mut impl PageStore<Page = P>,
        offset: u64,
        bytes: &[u8],
    ) -> Result<usize, Errno> {
        if bytes.is_empty() {
            return Ok(0);
        }
        if offset >= MAX_FILE_SIZE {
            return Err(Errno::EFBIG);
        }
        let length = usize::try_from(MAX_FILE_SIZE - offset)
            .map_or(bytes.len(), |room| room.min(bytes.len()));
        let mut done = 0;
        while done < length {
            let at = offset + done as u64;
            let within = (at % PAGE) as usize;
            let count = (length - done).min(PAGE_SIZE - within);
            let Some(page) = self.own_page(store, at / PAGE, count == PAGE_SIZE) else {
                break;
            };
            store.bytes_mut(page)[within..within + count]
                .copy_from_slice(&bytes[done..done + count]);
            done += count;
        }
        if done == 0 {
            return Err(Errno::ENOSPC);
        }
        self.size = self.size.max(offset + done as u64);
        self.version += 1;
        Ok(done)
    }

    /// Sets a size that is not smaller; nothing is there yet.
    pub(crate) fn grow_empty(&mut self, size: u64) {
        self.size = size.min(MAX_FILE_SIZE);
    }

    /// Clears what a mapping may have written beyond the end of the file, in its last page.
    pub(crate) fn clear_tail(&mut self, store: &mut impl PageStore<Page = P>) {
        let within = (self.size % PAGE) as usize;
        if within != 0
            && let Some(page) = self.pages.get_mut(self.size / PAGE)
        {
            store.bytes_mut(page)[within..].fill(0);
        }
    }

    /// The contents have changed, or can from now on without being asked.
    pub(crate) fn note_change(&mut self) {
        self.version += 1;
    }

    /// The page to be written, made from what was there; from nothing where all of it is about to be written.
    pub(crate) fn own_page(
        &mut self,
        store: &mut impl PageStore<Page = P>,
        index: u64,
        whole: bool,
    ) -> Option<&mut P> {
        if self.pages.get(index).is_none() {
            let page = if whole {
                store.allocate()?
            } else {
                let mut page = store.allocate_zeroed()?;
                let archived = self.archived_page(index);
                store.bytes_mut(&mut page)[..archived.len()].copy_from_slice(archived);
                page
            };
            self.pages.insert(index, page);
        }
        self.pages.get_mut(index)
    }

    /// Sets the size; what is cut off is gone for good, what is added reads as zeros. EFBIG beyond [`MAX_FILE_SIZE`].
    pub(crate) fn set_size(
        &mut self,
        store: &mut impl PageStore<Page = P>,
        size: u64,
    ) -> Result<(), Errno> {
        if size > MAX_FILE_SIZE {
            return Err(Errno::EFBIG);
        }
        if size < self.size {
            if let Ok(size) = usize::try_from(size)
                && size < self.archived.len()
            {
                self.archived = &self.archived[..size];
            }
            self.pages
                .remove_from(size.div_ceil(PAGE), &mut |page| store.give_up(page));
            let within = (size % PAGE) as usize;
            if within != 0
                && let Some(page) = self.pages.get_mut(size / PAGE)
            {
                store.bytes_mut(page)[within..].fill(0);
            }
        }
        self.size = size;
        self.version += 1;
        Ok(())
    }

    /// Gives each page of a range a frame of its own. ENOSPC, and none of them then.
    pub(crate) fn reserve(
        &mut self,
        store: &mut impl PageStore<Page = P>,
        range: Range<u64>,
    ) -> Result<(), Errno> {
        let pages = range.start / PAGE..range.end.div_ceil(PAGE);
        for index in pages.clone() {
            if !self.is_data(index) && self.own_page(store, index, false).is_none() {
                // Holes that were filled before this one become holes again; pages of zeros that were there stay so.
                self.unreserve(store, pages.start..index);
                return Err(Errno::ENOSPC);
            }
        }
        Ok(())
    }

    /// Gives back those pages of a range that hold nothing but zeros.
    fn unreserve(&mut self, store: &mut impl PageStore<Page = P>, pages: Range<u64>) {
        let mut next = self.pages.next_from(pages.start);
        while let Some(index) = next.filter(|index| *index < pages.end) {
            let zeros = self
                .pages
                .get(index)
                .is_some_and(|page| store.bytes(page).iter().all(|byte| *byte == 0));
            if zeros
                && self.archived_page(index).is_empty()
                && let Some(page) = self.pages.remove(index)
            {
                store.give_up(page);
            }
            next = self.pages.next_from(index + 1);
        }
    }

    /// Makes a range zeros; pages that are all in it go. ENOSPC where zeros must lie over what the archive gave: the range
    /// is zeros up to there then.
    pub(crate) fn punch(
        &mut self,
        store: &mut impl PageStore<Page = P>,
        range: Range<u64>,
    ) -> Result<(), Errno> {
        let end = range.end.min(self.size.next_multiple_of(PAGE));
        let length = self.archived.len() as u64;
        if range.start < length && length <= end {
            self.archived = &self.archived[..range.start as usize];
        }
        self.version += 1;
        let mut at = range.start;
        while at < end {
            let index = at / PAGE;
            let next = ((index + 1) * PAGE).min(end);
            let archived = !self.archived_page(index).is_empty();
            let within = (at % PAGE) as usize..(next - index * PAGE) as usize;
            if within.len() == PAGE_SIZE && !archived {
                if let Some(page) = self.pages.remove(index) {
                    store.give_up(page);
                }
                // On to the next page that there is: what lies between is a hole.
                let after = self.pages.next_from(index + 1).unwrap_or(u64::MAX / PAGE);
                let archived_pages = (self.archived.len() as u64).div_ceil(PAGE);
                at = if index < archived_pages {
                    next
                } else {
                    (after * PAGE).max(next)
                };
                continue;
            }
            if self.is_data(index) {
                let page = self.own_page(store, index, false).ok_or(Errno::ENOSPC)?;
                store.bytes_mut(page)[within].fill(0);
            }
            at = next;
        }
        Ok(())
    }

    /// Makes `archived` the contents, for an archive whose last hard link carries the data.
    pub(crate) fn set_archived(
        &mut self,
        store: &mut impl PageStore<Page = P>,
        archived: &'static [u8],
    ) {
        self.free(store);
        self.archived = archived;
        self.size = archived.len() as u64;
        self.version += 1;
    }

    /// Gives all pages back; the file is empty then.
    pub(crate) fn free(&mut self, store: &mut impl PageStore<Page = P>) {
        self.pages.remove_from(0, &mut |page| store.give_up(page));
        self.archived = &[];
        self.size = 0;
    }
}
