//! The rule, for one table: who may write it, how it is copied, how it goes away.
use core::num::NonZeroU64;

use x86_64::PhysAddr;
use x86_64::structures::paging::page_table::PageTableLevel;
use x86_64::structures::paging::{PageTableIndex, PhysFrame};

use crate::entry::Entry;
use crate::groups::{column, for_each_counted, for_each_live, for_each_run, group};
use crate::store::{FrameStore, OutOfFrames};

/// Whether entries have lost their write bit.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Narrowed {
    Nothing,
    Something,
}

/// What it took to own a table.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Took {
    /// It is where it was, or is new.
    Nothing,
    /// A copy, which now stands in the place of the shared one.
    Copy,
}

/// Stores an entry that is not empty and holds no page over one that was `old`.
#[inline]
pub(crate) fn fill_in<S: FrameStore>(
    store: &mut S,
    table: PhysFrame,
    index: PageTableIndex,
    old: Entry,
    new: Entry,
) {
    store.set_entry(table, index, new);
    if old.is_empty() {
        store.set_live_groups(table, store.live_groups(table) | group(index));
        // Of a page table this says too much, which it may.
        store.set_counted_groups(table, store.counted_groups(table) | column(index));
    }
}

/// Stores a page in a page table, over what was `old`.
#[inline]
pub(crate) fn fill_in_page<S: FrameStore>(
    store: &mut S,
    page_table: PhysFrame,
    index: PageTableIndex,
    old: Entry,
    new: Entry,
) {
    store.set_entry(page_table, index, new);
    if old.is_empty() {
        store.set_live_groups(page_table, store.live_groups(page_table) | group(index));
    }
    if new.is_counted() && !old.is_counted() {
        let counted = store.counted_groups(page_table) | 1 << (u16::from(index) / 16);
        store.set_counted_groups(page_table, counted);
    }
}

/// Gives each node below `from`, a root or a table above the page tables, a second entry in the empty table `to`, and
/// takes the write bit away in both; but for one entry, which stays as it is and goes without a second.
#[inline]
pub(crate) fn share_tables<S: FrameStore>(
    store: &mut S,
    from: PhysFrame,
    to: PhysFrame,
    but: Option<PageTableIndex>,
) -> Narrowed {
    let (live, columns) = (store.live_groups(from), store.counted_groups(from));
    store.set_live_groups(to, live);
    store.set_counted_groups(to, columns);
    let mut narrowed = Narrowed::Nothing;
    for_each_live(live, columns, |place| {
        let mut entry = store.entry_at(from, place);
        if entry.is_empty() || but.is_some_and(|but| but == place.index()) {
            return;
        }
        if entry.is_counted() {
            store.share(entry.frame());
            if entry.is_hardware_writable() {
                entry = entry.narrowed();
                store.set_entry_at(from, place, entry);
                narrowed = Narrowed::Something;
            }
        }
        store.set_entry_at(to, place, entry);
    });
    narrowed
}

/// As [`share_tables`], of a page table; `to` may have stale entries in its live groups.
#[inline]
pub(crate) fn share_pages<S: FrameStore>(store: &mut S, from: PhysFrame, to: PhysFrame) {
    copy_entries(store, from, to);
    share_entries(store, from, to);
}

/// Copies the entries of a page table as they are, over what there is in the live groups of `to`.
#[inline]
pub(crate) fn copy_entries<S: FrameStore>(store: &mut S, from: PhysFrame, to: PhysFrame) {
    let live = store.live_groups(from);
    for_each_run(store.live_groups(to) & !live, |first, count| {
        store.clear_groups(to, first, count);
    });
    store.set_live_groups(to, live);
    store.set_counted_groups(to, store.counted_groups(from));
    for_each_run(live, |first, count| {
        store.copy_groups(from, to, first, count);
    });
}

/// Counts the pages of a page table once more for its copy `to`, and takes their write bits away in both. What is not
/// counted in the copy stays as it is, there and in the other.
#[inline]
pub(crate) fn share_entries<S: FrameStore>(store: &mut S, from: PhysFrame, to: PhysFrame) {
    for_each_counted(store.live_groups(to), store.counted_groups(to), |place| {
        let entry = store.entry_at(to, place);
        if entry.is_counted() {
            store.share(entry.frame());
            if entry.is_hardware_writable() {
                store.set_entry_at(from, place, entry.narrowed());
                store.set_entry_at(to, place, entry.narrowed());
            }
        }
    });
}

/// Makes the table below an entry one that may be written: copies it if others have it too, makes one where there is
/// none. `table` may be written, its empty entries mean `fill`, and `level` is its level. Returns the entry as it is then.
#[inline]
pub(crate) fn own_child<S: FrameStore>(
    store: &mut S,
    level: PageTableLevel,
    table: PhysFrame,
    index: PageTableIndex,
    fill: Entry,
) -> Result<(Entry, Took), OutOfFrames> {
    let mut took = Took::Nothing;
    let entry = own_child_by(store, table, index, fill, &mut took, |store, child| {
        copy_child(store, level, child)
    })?;
    Ok((entry, took))
}

/// As [`own_child`], where `copy` copies a table that others have too.
#[inline(always)]
pub(crate) fn own_child_by<S: FrameStore>(
    store: &mut S,
    table: PhysFrame,
    index: PageTableIndex,
    fill: Entry,
    took: &mut Took,
    copy: impl FnOnce(&mut S, PhysFrame) -> Option<Copied>,
) -> Result<Entry, OutOfFrames> {
    let entry = store.entry(table, index);
    if entry.is_hardware_writable() {
        return Ok(entry);
    }
    if !entry.is_present() {
        return make_child(store, table, index, entry, fill);
    }
    let own = if store.count(entry.frame()) == 1 {
        entry.writable_table()
    } else {
        let copied = copy(store, entry.frame()).ok_or(OutOfFrames)?;
        *took = Took::Copy;
        store.release(entry.frame());
        entry.with_table(copied.frame())
    };
    store.set_entry(table, index, own);
    Ok(own)
}

/// The copy of a table: a frame, in a word that is never zero, so that there being none takes no second one.
#[derive(Clone, Copy)]
pub(crate) struct Copied(NonZeroU64);

impl Copied {
    #[inline]
    pub(crate) fn new(table: PhysFrame) -> Self {
        Self(NonZeroU64::MIN | table.start_address().as_u64())
    }

    #[inline]
    pub(crate) fn frame(self) -> PhysFrame {
        PhysFrame::containing_address(PhysAddr::new_truncate(self.0.get()))
    }
}

/// Puts a table below an entry that has none, with the same meaning all over.
#[inline(never)]
pub(crate) fn make_child<S: FrameStore>(
    store: &mut S,
    table: PhysFrame,
    index: PageTableIndex,
    old: Entry,
    fill: Entry,
) -> Result<Entry, OutOfFrames> {
    let frame = store.allocate_table().ok_or(OutOfFrames)?;
    let new = Entry::table(frame, old.within(fill).fill());
    fill_in(store, table, index, old, new);
    Ok(new)
}

/// Copies the table below an entry of a table of `level`.
#[inline(never)]
fn copy_child<S: FrameStore>(
    store: &mut S,
    level: PageTableLevel,
    from: PhysFrame,
) -> Option<Copied> {
    let to = match level {
        PageTableLevel::Two => {
            let to = store.allocate_table_to_overwrite()?;
            share_pages(store, from, to);
            to
        }
        _ => {
            let to = store.allocate_table()?;
            share_tables(store, from, to, None);
            to
        }
    };
    store.note_table_copied();
    Some(Copied::new(to))
}

/// Lets go of what an entry of a table of `level` pointed to. Nobody can reach it through the entry any more.
#[inline]
pub(crate) fn let_go<S: FrameStore>(store: &mut S, level: PageTableLevel, entry: Entry) {
    let drop = match level {
        PageTableLevel::One => S::free_page,
        PageTableLevel::Two => drop_page_table,
        PageTableLevel::Three => drop_directory,
        PageTableLevel::Four => drop_pointer_table,
    };
    let_go_by(store, entry, drop);
}

/// Takes an entry's count away, and drops what it pointed to where that was the last.
#[inline(always)]
fn let_go_by<S: FrameStore>(store: &mut S, entry: Entry, drop: impl FnOnce(&mut S, PhysFrame)) {
    if entry.is_counted() && store.release(entry.frame()) == 0 {
        drop(store, entry.frame());
    }
}

/// Lets go of all that a root holds.
#[inline]
pub(crate) fn empty_root<S: FrameStore>(store: &mut S, root: PhysFrame) {
    empty_table(store, root, drop_pointer_table);
}

/// Lets go of all that a table above the page tables holds; `drop` drops a table below it.
#[inline(always)]
fn empty_table<S: FrameStore>(store: &mut S, table: PhysFrame, drop: impl Fn(&mut S, PhysFrame)) {
    let (live, columns) = (store.live_groups(table), store.counted_groups(table));
    for_each_live(live, columns, |place| {
        let entry = store.entry_at(table, place);
        if !entry.is_empty() {
            store.set_entry_at(table, place, Entry::EMPTY);
            let_go_by(store, entry, &drop);
        }
    });
}

#[inline(never)]
fn drop_pointer_table<S: FrameStore>(store: &mut S, pointer_table: PhysFrame) {
    empty_table(store, pointer_table, drop_directory);
    store.free_table(pointer_table);
}

#[inline(never)]
fn drop_directory<S: FrameStore>(store: &mut S, directory: PhysFrame) {
    empty_table(store, directory, drop_page_table);
    store.free_table(directory);
}

#[inline(never)]
fn drop_page_table<S: FrameStore>(store: &mut S, page_table: PhysFrame) {
    let (live, counted) = (
        store.live_groups(page_table),
        store.counted_groups(page_table),
    );
    for_each_counted(live, counted, |place| {
        let_go_by(store, store.entry_at(page_table, place), S::free_page);
    });
    store.free_page_table(page_table);
}
