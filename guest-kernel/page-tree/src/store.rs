//! What the tree asks of memory, counts and the TLB.
use core::fmt;

use x86_64::VirtAddr;
use x86_64::structures::paging::{PageTableIndex, PhysFrame};

use crate::entry::Entry;
use crate::groups::{Place, for_each_run};

/// No frame is left. What was asked for has not happened, and nothing a program can see has changed.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct OutOfFrames;

impl fmt::Display for OutOfFrames {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("out of frames")
    }
}

impl core::error::Error for OutOfFrames {}

/// Frames with what the tree keeps about each: entries, a count, and where the live entries are.
///
/// Implementations keep exactly what they are told. The tree hands in only frames that this store gave it (or that
/// were given to `map_page` and `map_run`), and asks for the entries of tables only. Every method is on the path of a
/// page fault: mark implementations `#[inline]`.
pub trait FrameStore {
    /// The entry of a table or, at an index of the user's half, of a root.
    fn entry(&self, table: PhysFrame, index: PageTableIndex) -> Entry;
    /// Stores an entry and does nothing else: counts and live groups are the tree's to keep.
    fn set_entry(&mut self, table: PhysFrame, index: PageTableIndex, entry: Entry);

    /// [`Self::entry`] by its place.
    #[inline]
    fn entry_at(&self, table: PhysFrame, place: Place) -> Entry {
        self.entry(table, place.index())
    }
    /// [`Self::set_entry`] by its place.
    #[inline]
    fn set_entry_at(&mut self, table: PhysFrame, place: Place, entry: Entry) {
        self.set_entry(table, place.index(), entry);
    }

    /// A table of zeros, of count 1, without live groups and counted groups.
    fn allocate_table(&mut self) -> Option<PhysFrame>;
    /// A root whose kernel half is filled in, user half zero, of count 1, without live groups.
    fn allocate_root(&mut self) -> Option<PhysFrame>;
    /// A page of zeros, of count 1.
    fn allocate_zeroed_page(&mut self) -> Option<PhysFrame>;
    /// A page with the contents of another one, of count 1.
    fn allocate_page_copy(&mut self, of: PhysFrame) -> Option<PhysFrame>;
    /// Takes back a table: its count is 0, and its entries are zero again, whatever its groups say.
    fn free_table(&mut self, table: PhysFrame);
    /// A table of count 1 that will be written all over ([`Self::free_page_table`]): its live groups say where it may
    /// have stale entries. An implementation that keeps no such tables gives one of zeros, as this one does.
    #[inline]
    fn allocate_table_to_overwrite(&mut self) -> Option<PhysFrame> {
        self.allocate_table()
    }

    /// Takes back a page table of count 0 as it is: its live groups say where it may have entries, which mean nothing
    /// any more. Worth keeping such tables apart, to be overwritten: a page table is most often made as a copy, and the
    /// next copy fills the same groups. An implementation that does not has it cleared, as here.
    #[inline]
    fn free_page_table(&mut self, page_table: PhysFrame) {
        for_each_run(self.live_groups(page_table), |first, count| {
            self.clear_groups(page_table, first, count);
        });
        self.free_table(page_table);
    }

    /// Takes back a root: as a table, apart from its kernel half.
    fn free_root(&mut self, root: PhysFrame);
    /// Takes back a page, of count 0.
    fn free_page(&mut self, page: PhysFrame);

    /// How many entries (or, of a root, spaces) point to a frame.
    fn count(&self, frame: PhysFrame) -> u32;
    /// Adds one to the count. An implementation with memory enough for 2³² entries of one frame lets the count stick
    /// at its greatest value, for good: that frame is then never freed.
    fn share(&mut self, frame: PhysFrame);
    /// Takes one from the count and returns the rest.
    fn release(&mut self, frame: PhysFrame) -> u32;

    /// Which groups of eight entries may hold something: bit `g` for entries `8g..8g + 8`. Of a root, the user's half.
    fn live_groups(&self, table: PhysFrame) -> u64;
    /// Keeps the live groups.
    fn set_live_groups(&mut self, table: PhysFrame, groups: u64);

    /// Of a page table: which groups of sixteen entries may hold one that is counted. The rest is copied and cleared
    /// as plain memory. Of a table above: which indices modulo 32 may hold something. An implementation that keeps no
    /// such bits says "all of them", as this one does.
    #[inline]
    fn counted_groups(&self, _table: PhysFrame) -> u32 {
        u32::MAX
    }
    /// Keeps these bits.
    #[inline]
    fn set_counted_groups(&mut self, _table: PhysFrame, _groups: u32) {}
    /// Copies entries as they are: `count` groups of eight, one at least, from the group `first` on. Worth a copy of memory.
    #[inline]
    fn copy_groups(&mut self, from: PhysFrame, to: PhysFrame, first: u32, count: u32) {
        for index in first * 8..(first + count) * 8 {
            let index = PageTableIndex::new_truncate(index as u16);
            self.set_entry(to, index, self.entry(from, index));
        }
    }
    /// Clears entries: `count` groups of eight, one at least, from the group `first` on. Worth a clearing of memory.
    #[inline]
    fn clear_groups(&mut self, table: PhysFrame, first: u32, count: u32) {
        for index in first * 8..(first + count) * 8 {
            self.set_entry(
                table,
                PageTableIndex::new_truncate(index as u16),
                Entry::EMPTY,
            );
        }
    }

    /// The translation of this page has changed, or a table on the way to it has been replaced: drops its TLB entry and
    /// all cached tables (as INVLPG does). Matters only where the space that changes is the CPU's present one, or where
    /// the implementation keeps TLB entries of others.
    fn flush_page(&mut self, address: VirtAddr);
    /// As [`Self::flush_page`], for any number of pages.
    fn flush_all(&mut self);

    /// A table has been copied: a place to count it.
    #[inline]
    fn note_table_copied(&mut self) {}
}

/// TLB flushes that an operation owes: page by page while they are few.
#[derive(Default)]
pub(crate) struct Flushes {
    pages: u32,
    /// An address below a table that was replaced or freed.
    tables: Option<u64>,
}

impl Flushes {
    /// From here on, one flush of everything is cheaper than one a page.
    const MANY: u32 = 16;

    /// A present page has changed.
    #[inline]
    pub(crate) fn page<S: FrameStore>(&mut self, store: &mut S, address: u64) {
        self.pages = self.pages.saturating_add(1);
        if self.pages <= Self::MANY {
            store.flush_page(VirtAddr::new_truncate(address));
        }
    }

    /// Unknown numbers of pages have changed.
    #[inline]
    pub(crate) fn subtree(&mut self) {
        self.pages = u32::MAX;
    }

    /// A table above this address has been replaced or freed.
    #[inline]
    pub(crate) fn table(&mut self, address: u64) {
        self.tables = Some(address);
    }

    /// Pays what is left.
    #[inline]
    pub(crate) fn finish<S: FrameStore>(self, store: &mut S) {
        if self.pages > Self::MANY {
            store.flush_all();
        } else if let Some(address) = self.tables {
            store.flush_page(VirtAddr::new_truncate(address));
        }
    }
}
