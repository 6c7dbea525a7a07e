//! Giving a range one meaning, empty or reserved: tables for its two ends first, then whole entries, then the tables that hold
//! nothing any more go back.
use x86_64::VirtAddr;
use x86_64::structures::paging::page_table::PageTableLevel::{self, One, Two};
use x86_64::structures::paging::{PageTableIndex, PhysFrame};

use crate::entry::Entry;
use crate::groups::{columns_of, for_each_index, group, groups_of};
use crate::node::{Took, fill_in, let_go, own_child};
use crate::range::PageRange;
use crate::store::{Flushes, FrameStore, OutOfFrames};

/// A table that may be written.
#[derive(Clone, Copy)]
pub(crate) struct Table {
    pub(crate) level: PageTableLevel,
    pub(crate) frame: PhysFrame,
    /// What its empty entries mean.
    pub(crate) fill: Entry,
}

impl Table {
    /// The table below one of its entries, if it is not a page table.
    pub(crate) fn child(self, entry: Entry) -> Option<Self> {
        Some(Self {
            level: self.level.next_lower_level()?,
            frame: entry.frame(),
            fill: entry.fill(),
        })
    }
}

/// What becomes of a table that means one and the same all over, once something has been stored in it.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Uniform {
    /// It goes, and the entry above says what it said.
    Goes,
    /// It stays: something else will be stored in it.
    Stays,
}

/// Owns, or makes, the tables below a root down to the lowest directory of which a range touches several entries, or most of
/// one. `None` where all of the range means `with` already.
pub(crate) fn own_down_to<S: FrameStore>(
    store: &mut S,
    root: Table,
    range: PageRange,
    with: Entry,
    flushes: &mut Flushes,
) -> Result<Option<Table>, OutOfFrames> {
    let mut table = root;
    while table.level != Two {
        let index = range.index(table.level);
        if index != range.last_index(table.level) || range.is_most(table.level) {
            break;
        }
        if store
            .entry(table.frame, index)
            .within(table.fill)
            .says(with)
        {
            return Ok(None);
        }
        let (entry, took) = own_child(store, table.level, table.frame, index, table.fill)?;
        if took == Took::Copy {
            flushes.table(range.start);
        }
        match table.child(entry) {
            Some(child) => table = child,
            None => break,
        }
    }
    Ok(Some(table))
}

/// Owns, or makes, the tables in which a range begins or ends in the midst of an entry of the table above, so that the rest
/// of the range is whole entries.
pub(crate) fn own_ends<S: FrameStore>(
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
pub(crate) fn overwrite<S: FrameStore>(
    store: &mut S,
    table: Table,
    range: PageRange,
    with: Entry,
    uniform: Uniform,
    flushes: &mut Flushes,
) {
    let new = with.under(table.fill);
    if table.level == One {
        return overwrite_pages(store, table.frame, range, new, flushes);
    }
    let (first, last) = (range.index(table.level), range.last_index(table.level));
    let mut end = |store: &mut S, index| {
        let part = range.part(table.level, index);
        overwrite_end(store, table, part, with, uniform, flushes);
    };
    end(store, first);
    if first != last {
        end(store, last);
    }
    for index in u16::from(first) + 1..u16::from(last) {
        let index = PageTableIndex::new_truncate(index);
        overwrite_entry(store, table, index, new, flushes);
    }
    let touched = groups_of(first, last);
    if new.is_empty() {
        renew_groups(store, table.frame, touched);
    } else {
        store.set_live_groups(table.frame, store.live_groups(table.frame) | touched);
        let columns = store.counted_groups(table.frame) | columns_of(first, last);
        store.set_counted_groups(table.frame, columns);
    }
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
    uniform: Uniform,
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
        overwrite(store, child, part, with, uniform, flushes);
        if uniform == Uniform::Goes {
            collapse(store, table, index, old, part.start, flushes);
        }
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
pub(crate) fn overwrite_pages<S: FrameStore>(
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
pub(crate) fn lose_page<S: FrameStore>(
    store: &mut S,
    old: Entry,
    address: u64,
    flushes: &mut Flushes,
) {
    if old.has_frame() {
        if old.is_present() {
            flushes.page(store, address);
        }
        let_go(store, One, old);
    }
}

/// Works out anew which of some groups are live.
pub(crate) fn renew_groups<S: FrameStore>(store: &mut S, table: PhysFrame, touched: u64) {
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
            Entry::EMPTY
        }
        _ => return,
    };
    store.set_entry(table.frame, index, meaning.under(table.fill));
    store.release(child);
    store.free_table(child);
    flushes.table(address);
}

/// Gives back the tables below a table and above an address that mean one and the same all over, as far as they are owned.
pub(crate) fn prune<S: FrameStore>(
    store: &mut S,
    table: Table,
    address: VirtAddr,
    flushes: &mut Flushes,
) {
    let index = address.page_table_index(table.level);
    let entry = store.entry(table.frame, index);
    if table.level != One
        && entry.is_present()
        && entry.is_hardware_writable()
        && let Some(child) = table.child(entry)
    {
        prune(store, child, address, flushes);
        collapse(store, table, index, entry, address.as_u64(), flushes);
        renew_groups(store, table.frame, group(index));
    }
}
