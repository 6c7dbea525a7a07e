//! A range moves elsewhere: its pages' entries are taken from their tables and put into others.
use core::ops::ControlFlow;

use x86_64::VirtAddr;
use x86_64::structures::paging::PhysFrame;
use x86_64::structures::paging::page_table::PageTableLevel::{One, Two};

use crate::entry::{Entry, Protection, Sharing};
use crate::node::fill_in_page;
use crate::overwrite::{Uniform, overwrite, own_ends};
use crate::range::PageRange;
use crate::search::Extent;
use crate::space::{Space, look};
use crate::store::{Flushes, FrameStore, OutOfFrames};

/// What is left where a range was.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Left {
    /// Nothing is mapped there any more.
    Nothing,
    /// The same mapping without its pages (MREMAP_DONTUNMAP of mremap(2)): of private memory zeros, or an object's.
    Zeros,
    /// The same mapping of an object without its pages.
    Object(Sharing),
}

impl Left {
    fn entry(self, protection: Protection) -> Entry {
        match self {
            Self::Nothing => Entry::EMPTY,
            Self::Zeros => Entry::reserved(protection),
            Self::Object(sharing) => Entry::of_object(protection, sharing),
        }
    }
}

impl Space {
    /// Moves what is mapped in a range to another one of the same size, which is apart from it and has nothing mapped.
    ///
    /// # Errors
    /// No frame is left for a table; nothing has changed.
    pub fn relocate<S: FrameStore>(
        &mut self,
        store: &mut S,
        from: PageRange,
        to: VirtAddr,
        left: Left,
    ) -> Result<(), OutOfFrames> {
        let way = Way {
            from: from.start,
            to: to.as_u64(),
        };
        let mut flushes = Flushes::default();
        let prepared = self.own_both_ends(store, from, way, left, &mut flushes);
        if prepared.is_ok() {
            self.carry(store, from, way, left, &mut flushes);
            if left == Left::Nothing {
                let (table, empty) = (self.table(), Entry::EMPTY);
                overwrite(store, table, from, empty, Uniform::Goes, &mut flushes);
            }
            flushes.subtree();
        }
        self.prune_extents(store, from, &mut flushes);
        self.prune_extents(store, way.shifted(from), &mut flushes);
        flushes.finish(store);
        prepared
    }

    /// Owns, or makes, all tables that [`Self::carry`] writes. It changes no meaning.
    fn own_both_ends<S: FrameStore>(
        &mut self,
        store: &mut S,
        from: PageRange,
        way: Way,
        left: Left,
        flushes: &mut Flushes,
    ) -> Result<(), OutOfFrames> {
        if left == Left::Nothing {
            own_ends(store, self.table(), from, Entry::EMPTY, flushes)?;
        }
        let mut rest = Some(from);
        while let Some((range, extent)) = rest.and_then(|rest| self.first_extent(store, rest)) {
            let done = if extent.entry.has_frame() {
                let part = first_part(range);
                self.own_one_page_table(store, part, flushes)?;
                for target in way.shifted(part).parts(Two) {
                    self.own_one_page_table(store, target, flushes)?;
                }
                part.end
            } else {
                let target = way.shifted(extent_range(&extent));
                own_ends(store, self.table(), target, extent.entry, flushes)?;
                extent.end
            };
            rest = after(from, done);
        }
        Ok(())
    }

    /// Moves everything; all tables are owned.
    fn carry<S: FrameStore>(
        &mut self,
        store: &mut S,
        from: PageRange,
        way: Way,
        left: Left,
        flushes: &mut Flushes,
    ) {
        let mut rest = Some(from);
        while let Some((range, extent)) = rest.and_then(|rest| self.first_extent(store, rest)) {
            let done = if extent.entry.has_frame() {
                let part = first_part(range);
                for target in way.shifted(part).parts(Two) {
                    self.carry_pages(store, way.back(target), target, left);
                }
                part.end
            } else {
                let target = way.shifted(extent_range(&extent));
                // The table may hold another end, of either range.
                let (table, with) = (self.table(), extent.entry);
                overwrite(store, table, target, with, Uniform::Stays, flushes);
                extent.end
            };
            rest = after(from, done);
        }
    }

    /// Moves the entries of one page table to another one; each range is in one.
    fn carry_pages<S: FrameStore>(
        &mut self,
        store: &mut S,
        from: PageRange,
        to: PageRange,
        left: Left,
    ) {
        let source = look(store, self.root, from.start());
        let target: PhysFrame = look(store, self.root, to.start()).table;
        let target_fill = look(store, self.root, to.start()).fill;
        for (here, there) in from.indices().zip(to.indices()) {
            let raw = store.entry(source.table, here);
            let entry = raw.within(source.fill);
            if entry.is_vacant() {
                continue;
            }
            let old = store.entry(target, there);
            fill_in_page(store, target, there, old, entry.under(target_fill));
            if entry.has_frame() {
                let stays = left.entry(entry.protection()).under(source.fill);
                store.set_entry(source.table, here, stays);
            }
        }
    }

    /// Gives back the tables at the ends of a range, and at those of what is mapped in it, that mean one thing all over.
    fn prune_extents<S: FrameStore>(
        &mut self,
        store: &mut S,
        range: PageRange,
        flushes: &mut Flushes,
    ) {
        self.prune(store, range.start(), flushes);
        self.prune(store, range.last_page(), flushes);
        let mut rest = Some(range);
        while let Some((range, extent)) = rest.and_then(|rest| self.first_extent(store, rest)) {
            let done = if extent.entry.has_frame() {
                first_part(range)
            } else {
                extent_range(&extent)
            };
            self.prune(store, done.start(), flushes);
            self.prune(store, done.last_page(), flushes);
            rest = after(range, done.end);
        }
    }

    /// The first thing that is mapped in a range, cut to it, and the range from there on.
    fn first_extent<S: FrameStore>(
        &self,
        store: &S,
        range: PageRange,
    ) -> Option<(PageRange, Extent)> {
        match self.visit(store, range, &mut ControlFlow::Break) {
            ControlFlow::Break(extent) => Some((
                PageRange {
                    start: extent.start,
                    ..range
                },
                extent,
            )),
            ControlFlow::Continue(()) => None,
        }
    }
}

/// From where to where.
#[derive(Clone, Copy)]
struct Way {
    from: u64,
    to: u64,
}

impl Way {
    fn shifted(self, range: PageRange) -> PageRange {
        PageRange {
            start: range.start - self.from + self.to,
            end: range.end - self.from + self.to,
        }
    }

    fn back(self, range: PageRange) -> PageRange {
        PageRange {
            start: range.start - self.to + self.from,
            end: range.end - self.to + self.from,
        }
    }
}

/// What of a range lies in its first page table.
fn first_part(range: PageRange) -> PageRange {
    let size = One.table_address_space_alignment();
    PageRange {
        start: range.start,
        end: range.end.min((range.start & !(size - 1)) + size),
    }
}

fn extent_range(extent: &Extent) -> PageRange {
    PageRange {
        start: extent.start,
        end: extent.end,
    }
}

/// What of a range lies at or above an address.
fn after(range: PageRange, start: u64) -> Option<PageRange> {
    (start < range.end).then_some(PageRange { start, ..range })
}
