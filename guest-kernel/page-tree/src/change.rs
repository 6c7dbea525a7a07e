//! What changes a mapping: reserve, unmap, map. Each builds what it needs first and commits last.
use x86_64::structures::paging::page_table::PageTableLevel::{self, Four, One, Two};
use x86_64::structures::paging::{PageTableIndex, PhysFrame};

use crate::entry::{Entry, Ownership, Protection};
use crate::fault::own_page_table;
use crate::groups::{for_each_index, group, groups_of};
use crate::node::{Took, fill_in, fill_in_page, let_go, own_child};
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
        let owned = own_page_table(store, self.root, range.start(), &mut took);
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
        let root = Table {
            level: Four,
            frame: self.root,
            fill: Entry::EMPTY,
        };
        own_ends(store, root, range, with, flushes)?;
        overwrite(store, root, range, with, flushes);
        Ok(())
    }

    /// Gives back the tables above an address that mean one and the same all over, as far as they are owned.
    fn prune<S: FrameStore>(
        &mut self,
        store: &mut S,
        address: x86_64::VirtAddr,
        flushes: &mut Flushes,
    ) {
        let root = Table {
            level: Four,
            frame: self.root,
            fill: Entry::EMPTY,
        };
        prune_below(store, root, address, flushes);
    }
}

/// A table that may be written.
#[derive(Clone, Copy)]
struct Table {
    level: PageTableLevel,
    frame: PhysFrame,
    /// What its empty entries mean.
    fill: Entry,
}

impl Table {
    /// The table below one of its entries, if it is not a page table.
    fn child(self, entry: Entry) -> Option<Self> {
        Some(Self {
            level: self.level.next_lower_level()?,
            frame: entry.frame(),
            fill: entry.fill(),
        })
    }
}

/// Owns, or makes, the tables in which a range begins or ends in the midst of an entry of the table above, so that the rest
/// of the range is whole entries.
fn own_ends<S: FrameStore>(
    store: &mut S,
    table: Table,
    range: PageRange,
    with: Entry,
    flushes: &mut Flushes,
) -> Result<(), OutOfFrames> {
    if table.level == One {
        return Ok(());
    }
    let (first, last) = (range.index(table.level), range.last_index(table.level));
    own_end(store, table, range.part(table.level, first), with, flushes)?;
    if first != last {
        own_end(store, table, range.part(table.level, last), with, flushes)?;
    }
    Ok(())
}

/// [`own_ends`] for one entry of a table.
fn own_end<S: FrameStore>(
    store: &mut S,
    table: Table,
    part: PageRange,
    with: Entry,
    flushes: &mut Flushes,
) -> Result<(), OutOfFrames> {
    let index = part.index(table.level);
    let meaning = store.entry(table.frame, index).within(table.fill);
    if part.fills(table.level) || meaning.says(with) {
        return Ok(());
    }
    let (entry, took) = own_child(store, table.level, table.frame, index, table.fill)?;
    if took == Took::Copy {
        flushes.table(part.start);
    }
    match table.child(entry) {
        Some(child) => own_ends(store, child, part, with, flushes),
        None => Ok(()),
    }
}

/// Stores `with` all over a range, of which [`own_ends`] owns the ends.
fn overwrite<S: FrameStore>(
    store: &mut S,
    table: Table,
    range: PageRange,
    with: Entry,
    flushes: &mut Flushes,
) {
    let new = with.under(table.fill);
    if table.level == One {
        return overwrite_pages(store, table.frame, range, new, flushes);
    }
    let (first, last) = (range.index(table.level), range.last_index(table.level));
    overwrite_end(store, table, range.part(table.level, first), with, flushes);
    if first != last {
        overwrite_end(store, table, range.part(table.level, last), with, flushes);
    }
    for index in u16::from(first) + 1..u16::from(last) {
        let index = PageTableIndex::new_truncate(index);
        overwrite_entry(store, table, index, new, flushes);
    }
    renew_groups(store, table.frame, groups_of(first, last));
}

/// [`overwrite`] for one whole entry of a table above the page tables.
#[inline]
fn overwrite_entry<S: FrameStore>(
    store: &mut S,
    table: Table,
    index: PageTableIndex,
    new: Entry,
    flushes: &mut Flushes,
) {
    let old = store.entry(table.frame, index);
    if old != new {
        store.set_entry(table.frame, index, new);
        if old.is_present() {
            flushes.subtree();
            let_go(store, table.level, old);
        }
    }
}

/// [`overwrite`] for the first or the last entry that a range touches in a table above the page tables.
fn overwrite_end<S: FrameStore>(
    store: &mut S,
    table: Table,
    part: PageRange,
    with: Entry,
    flushes: &mut Flushes,
) {
    let index = part.index(table.level);
    if part.fills(table.level) {
        return overwrite_entry(store, table, index, with.under(table.fill), flushes);
    }
    let old = store.entry(table.frame, index);
    if old.within(table.fill).says(with) {
        return;
    }
    // What begins or ends within an entry has a table of its own by now.
    let Some(child) = table.child(old) else {
        return;
    };
    if store.live_groups(child.frame) == 0 && part.is_most(table.level) {
        let entry = turn_round(store, child, part, old, with);
        store.set_entry(table.frame, index, entry);
    } else {
        overwrite(store, child, part, with, flushes);
        collapse(store, table, index, old, part.start, flushes);
    }
}

/// Lets a table whose entries are all empty mean `with`, and the entries outside of a range what they meant before.
/// Returns the table's new entry.
fn turn_round<S: FrameStore>(
    store: &mut S,
    table: Table,
    range: PageRange,
    entry: Entry,
    with: Entry,
) -> Entry {
    let outside = table.fill.under(with);
    if !outside.is_empty() {
        let first = u16::from(range.index(table.level));
        let last = u16::from(range.last_index(table.level));
        for index in (0..first).chain(last + 1..512) {
            let index = PageTableIndex::new_truncate(index);
            fill_in(store, table.frame, index, Entry::EMPTY, outside);
        }
    }
    entry.with_fill(with)
}

/// Stores one raw entry, empty or without a frame, all over a range in an owned page table.
#[inline]
fn overwrite_pages<S: FrameStore>(
    store: &mut S,
    page_table: PhysFrame,
    range: PageRange,
    new: Entry,
    flushes: &mut Flushes,
) {
    let mut address = range.start;
    for index in range.indices() {
        let old = store.entry(page_table, index);
        if old != new {
            store.set_entry(page_table, index, new);
            lose_page(store, old, address, flushes);
        }
        address += One.entry_address_space_alignment();
    }
    let touched = groups_of(range.index(One), range.last_index(One));
    if new.is_empty() {
        renew_groups(store, page_table, touched);
    } else {
        store.set_live_groups(page_table, store.live_groups(page_table) | touched);
    }
}

/// Lets go of the page that was at an entry of a page table.
#[inline]
fn lose_page<S: FrameStore>(store: &mut S, old: Entry, address: u64, flushes: &mut Flushes) {
    if old.has_frame() {
        if old.is_present() {
            flushes.page(store, address);
        }
        let_go(store, One, old);
    }
}

/// Works out anew which of some groups are live.
fn renew_groups<S: FrameStore>(store: &mut S, table: PhysFrame, touched: u64) {
    let mut live = store.live_groups(table) & !touched;
    for_each_index(touched, |index| {
        if !store.entry(table, index).is_empty() {
            live |= group(index);
        }
    });
    store.set_live_groups(table, live);
}

/// Gives back an owned table below an entry if all of it means one and the same, and lets the entry say so.
fn collapse<S: FrameStore>(
    store: &mut S,
    table: Table,
    index: PageTableIndex,
    entry: Entry,
    address: u64,
    flushes: &mut Flushes,
) {
    let child = entry.frame();
    let meaning = match store.live_groups(child) {
        0 => entry.fill(),
        u64::MAX if !entry.fill().is_empty() => {
            let mut indices = (0..512).map(PageTableIndex::new_truncate);
            if !indices.all(|index| store.entry(child, index) == Entry::HOLE) {
                return;
            }
            store.clear_groups(child, 0, 64);
            store.set_live_groups(child, 0);
            Entry::EMPTY
        }
        _ => return,
    };
    // Conservative up to here.
    store.set_counted_groups(child, 0);
    store.set_entry(table.frame, index, meaning.under(table.fill));
    store.release(child);
    store.free_table(child);
    flushes.table(address);
}

fn prune_below<S: FrameStore>(
    store: &mut S,
    table: Table,
    address: x86_64::VirtAddr,
    flushes: &mut Flushes,
) {
    let index = address.page_table_index(table.level);
    let entry = store.entry(table.frame, index);
    if table.level != One
        && entry.is_present()
        && entry.is_hardware_writable()
        && let Some(child) = table.child(entry)
    {
        prune_below(store, child, address, flushes);
        collapse(store, table, index, entry, address.as_u64(), flushes);
        renew_groups(store, table.frame, group(index));
    }
}
