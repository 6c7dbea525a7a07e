//! What changes a mapping: reserve, unmap, map, forget. Each builds what it needs first and commits last.
use x86_64::VirtAddr;
use x86_64::structures::paging::PhysFrame;
use x86_64::structures::paging::page_table::PageTableLevel::{self, Four, One, Two};

use crate::entry::{Entry, Ownership, Protection, Sharing};
use crate::node::{Took, fill_in_page, let_go};
use crate::overwrite::{self, Table, Uniform, lose_page, overwrite_pages, own_down_to, own_ends};
use crate::path::{Along, own_page_table};
use crate::range::{PageRange, UserPage};
use crate::space::{Space, look};
use crate::store::{Flushes, FrameStore, OutOfFrames};

/// Above this many pages, a page table that is all alike is told once what most of it means, not entry by entry.
const MOST_PAGES: u64 = 256;

impl Space {
    /// Reserves private memory that reads as zeros; a frame comes with the first access to a page. Replaces what was there.
    ///
    /// # Errors
    /// No frame is left for the tables at the range's two ends; nothing has changed.
    pub fn reserve<S: FrameStore>(
        &mut self,
        store: &mut S,
        range: PageRange,
        protection: Protection,
    ) -> Result<(), OutOfFrames> {
        self.replace(store, range, Entry::reserved(protection))
    }

    /// Reserves memory whose pages an object has, in the place of what was there; an access to one that is not there yet
    /// is [`Refusal::NotThere`](crate::Refusal::NotThere).
    ///
    /// # Errors
    /// As [`Self::reserve`].
    pub fn reserve_object<S: FrameStore>(
        &mut self,
        store: &mut S,
        range: PageRange,
        protection: Protection,
        sharing: Sharing,
    ) -> Result<(), OutOfFrames> {
        self.replace(store, range, Entry::of_object(protection, sharing))
    }

    /// Lets go of the pages of a range, all of it one mapping of an object that does not have these pages any more: they
    /// are to be brought again. Whoever has the tables too has them for the same mapping, so the change is made in them as
    /// they are, for all: it takes no frame and cannot fail.
    pub fn forget<S: FrameStore>(&mut self, store: &mut S, range: PageRange, sharing: Sharing) {
        forget(store, Four, self.root, Entry::EMPTY, range, sharing);
        store.flush_all();
    }

    /// Takes away what is mapped.
    ///
    /// # Errors
    /// No frame is left to copy or split a table at one of the range's two ends; nothing has changed.
    pub fn unmap<S: FrameStore>(
        &mut self,
        store: &mut S,
        range: PageRange,
    ) -> Result<(), OutOfFrames> {
        self.replace(store, range, Entry::EMPTY)
    }

    /// Maps a frame at a page, in the place of what was there. With [`Ownership::Counted`] and [`Ownership::Shared`] the
    /// mapping takes over one of the frame's counts.
    ///
    /// # Errors
    /// No frame is left for a table; nothing has changed, and the count is still the caller's.
    pub fn map_page<S: FrameStore>(
        &mut self,
        store: &mut S,
        page: UserPage,
        frame: PhysFrame,
        protection: Protection,
        ownership: Ownership,
    ) -> Result<(), OutOfFrames> {
        let mut new = Entry::page(frame, protection, ownership);
        if ownership == Ownership::Counted
            && protection.contains(Protection::WRITE)
            && store.count(frame) == 1
        {
            new = new.writable_page();
        }
        self.map_pages(store, page.into(), |_| new)
    }

    /// Maps consecutive borrowed frames, from `first` on, in the place of what was there.
    ///
    /// # Errors
    /// No frame is left for a table; nothing has changed.
    pub fn map_run<S: FrameStore>(
        &mut self,
        store: &mut S,
        range: PageRange,
        first: PhysFrame,
        protection: Protection,
    ) -> Result<(), OutOfFrames> {
        self.map_pages(store, range, |n| {
            Entry::page(first + n, protection, Ownership::Borrowed)
        })
    }

    /// Maps pages; `page` is told which of the range's pages, from 0.
    fn map_pages<S: FrameStore>(
        &mut self,
        store: &mut S,
        range: PageRange,
        page: impl Fn(u64) -> Entry,
    ) -> Result<(), OutOfFrames> {
        let mut flushes = Flushes::default();
        let built = self.own_page_tables(store, range, &mut flushes);
        if built.is_ok() {
            let mut n = 0;
            for part in range.parts(Two) {
                let page_table = look(store, self.root, part.start()).table;
                let mut address = part.start;
                for index in part.indices() {
                    let old = store.entry(page_table, index);
                    fill_in_page(store, page_table, index, old, page(n));
                    lose_page(store, old, address, &mut flushes);
                    address += One.entry_address_space_alignment();
                    n += 1;
                }
            }
        } else {
            for part in range.parts(Two) {
                self.prune(store, part.start(), &mut flushes);
            }
        }
        flushes.finish(store);
        built
    }

    /// Owns, or makes, each page table of a range.
    fn own_page_tables<S: FrameStore>(
        &mut self,
        store: &mut S,
        range: PageRange,
        flushes: &mut Flushes,
    ) -> Result<(), OutOfFrames> {
        range
            .parts(Two)
            .try_for_each(|part| self.own_one_page_table(store, part, flushes).map(|_| ()))
    }

    /// Owns, or makes, the page table of a range, and returns its entry.
    pub(crate) fn own_one_page_table<S: FrameStore>(
        &mut self,
        store: &mut S,
        range: PageRange,
        flushes: &mut Flushes,
    ) -> Result<Entry, OutOfFrames> {
        let mut took = Took::Nothing;
        let owned = own_page_table(store, self.root, range.start(), Along::Nothing, &mut took);
        if took == Took::Copy {
            flushes.table(range.start);
        }
        owned
    }

    /// Stores a meaning, empty or reserved, all over a range.
    fn replace<S: FrameStore>(
        &mut self,
        store: &mut S,
        range: PageRange,
        with: Entry,
    ) -> Result<(), OutOfFrames> {
        let mut flushes = Flushes::default();
        let built = if range.is_in_one_page_table() && range.pages() <= MOST_PAGES {
            self.replace_in_page_table(store, range, with, &mut flushes)
        } else {
            self.replace_in_tree(store, range, with, &mut flushes)
        };
        if built.is_err() {
            self.prune(store, range.start(), &mut flushes);
            self.prune(store, range.last_page(), &mut flushes);
        }
        flushes.finish(store);
        built
    }

    fn replace_in_page_table<S: FrameStore>(
        &mut self,
        store: &mut S,
        range: PageRange,
        with: Entry,
        flushes: &mut Flushes,
    ) -> Result<(), OutOfFrames> {
        let found = look(store, self.root, range.start());
        if found.level != One && found.entry.says(with) {
            return Ok(());
        }
        let (page_table, fill) = if found.owns_page_table() {
            (found.table, found.fill)
        } else {
            let entry = self.own_one_page_table(store, range, flushes)?;
            (entry.frame(), entry.fill())
        };
        overwrite_pages(store, page_table, range, with.under(fill), flushes);
        let live = store.live_groups(page_table);
        if live == 0 || live == u64::MAX && !fill.is_empty() {
            self.prune(store, range.start(), flushes);
        }
        Ok(())
    }

    fn replace_in_tree<S: FrameStore>(
        &mut self,
        store: &mut S,
        range: PageRange,
        with: Entry,
        flushes: &mut Flushes,
    ) -> Result<(), OutOfFrames> {
        if with.is_empty() && self.is_unmapped(store, range) {
            return Ok(());
        }
        let Some(table) = own_down_to(store, self.table(), range, with, flushes)? else {
            return Ok(());
        };
        own_ends(store, table, range, with, flushes)?;
        overwrite::overwrite(store, table, range, with, Uniform::Goes, flushes);
        if table.level != Four && matches!(store.live_groups(table.frame), 0 | u64::MAX) {
            self.prune(store, range.start(), flushes);
        }
        Ok(())
    }

    /// Gives back the tables above an address that mean one and the same all over, as far as they are owned.
    pub(crate) fn prune<S: FrameStore>(
        &mut self,
        store: &mut S,
        address: VirtAddr,
        flushes: &mut Flushes,
    ) {
        overwrite::prune(store, self.table(), address, flushes);
    }

    /// The root, as a table: a space's root is always its own.
    pub(crate) fn table(&self) -> Table {
        Table {
            level: Four,
            frame: self.root,
            fill: Entry::EMPTY,
        }
    }
}

/// [`Space::forget`] below one table.
fn forget<S: FrameStore>(
    store: &mut S,
    level: PageTableLevel,
    table: PhysFrame,
    fill: Entry,
    range: PageRange,
    sharing: Sharing,
) {
    for part in range.parts(level) {
        let index = part.index(level);
        let entry = store.entry(table, index);
        match level.next_lower_level() {
            Some(lower) if entry.is_present() => {
                forget(store, lower, entry.frame(), entry.fill(), part, sharing);
            }
            None if entry.has_frame() => {
                let new = Entry::of_object(entry.protection(), sharing).under(fill);
                store.set_entry(table, index, new);
                let_go(store, One, entry);
            }
            _ => {}
        }
    }
}
