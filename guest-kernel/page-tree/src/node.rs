//! The rule, for one table: who may write it, how it is copied, how it goes away.
use x86_64::structures::paging::page_table::PageTableLevel;
use x86_64::structures::paging::{PageTableIndex, PhysFrame};

use crate::entry::Entry;
use crate::store::{FrameStore, OutOfFrames};

/// Calls `f` for each index in groups of eight.
#[inline]
pub(crate) fn for_each_index(groups: u64, mut f: impl FnMut(PageTableIndex)) {
    let mut rest = groups;
    while rest != 0 {
        let first = rest.trailing_zeros() as u16 * 8;
        rest &= rest - 1;
        for index in first..first + 8 {
            f(PageTableIndex::new_truncate(index));
        }
    }
}

/// The group of an index, as a bit.
#[inline]
pub(crate) fn group(index: PageTableIndex) -> u64 {
    1 << (u16::from(index) / 8)
}

/// Stores an entry that is not empty over one that was `old`.
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
        let groups = store.live_groups(table);
        store.set_live_groups(table, groups | group(index));
    }
}

/// Gives each node below `from` a second entry, in the empty table `to`, and takes the write bit away in both. Says whether
/// a write bit was there to be taken from `from`.
#[inline]
pub(crate) fn share_entries<S: FrameStore>(
    store: &mut S,
    from: PhysFrame,
    to: PhysFrame,
) -> Narrowed {
    let groups = store.live_groups(from);
    store.set_live_groups(to, groups);
    let mut narrowed = Narrowed::Nothing;
    for_each_index(groups, |index| {
        let old = store.entry(from, index);
        if old.is_empty() {
            return;
        }
        if old.is_counted() {
            store.share(old.frame());
        }
        let new = old.narrowed();
        if new != old {
            store.set_entry(from, index, new);
            narrowed = Narrowed::Something;
        }
        store.set_entry(to, index, new);
    });
    narrowed
}

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

/// Makes the table below an entry one that may be written: copies it if others have it too, makes one where there is
/// none. `entry` is the meaning of the entry (see [`Entry::within`]), and `table` may be written.
#[inline]
pub(crate) fn own_child<S: FrameStore>(
    store: &mut S,
    table: PhysFrame,
    index: PageTableIndex,
    fill: Entry,
) -> Result<(Entry, Took), OutOfFrames> {
    let raw = store.entry(table, index);
    if raw.is_hardware_writable() {
        return Ok((raw, Took::Nothing));
    }
    own_other_child(store, table, index, raw, fill)
}

/// The rest of [`own_child`]: the table is shared, or was, or is not there.
#[inline]
fn own_other_child<S: FrameStore>(
    store: &mut S,
    table: PhysFrame,
    index: PageTableIndex,
    raw: Entry,
    fill: Entry,
) -> Result<(Entry, Took), OutOfFrames> {
    if !raw.is_present() {
        let frame = store.allocate_table().ok_or(OutOfFrames)?;
        let new = Entry::table(frame, raw.within(fill).fill());
        fill_in(store, table, index, raw, new);
        return Ok((new, Took::Nothing));
    }
    let shared = raw.frame();
    let (new, took) = if store.count(shared) == 1 {
        (raw.writable_table(), Took::Nothing)
    } else {
        let copy = store.allocate_table().ok_or(OutOfFrames)?;
        share_entries(store, shared, copy);
        store.release(shared);
        store.note_table_copied();
        (raw.with_table(copy), Took::Copy)
    };
    store.set_entry(table, index, new);
    Ok((new, took))
}

/// Lets go of what an entry of a table of `level` pointed to. The entry itself has been overwritten already.
#[inline]
pub(crate) fn let_go<S: FrameStore>(store: &mut S, level: PageTableLevel, entry: Entry) {
    if entry.is_counted() && store.release(entry.frame()) == 0 {
        match level.next_lower_level() {
            None => store.free_page(entry.frame()),
            Some(lower) => drop_table(store, lower, entry.frame()),
        }
    }
}

/// Empties a table that nothing points to any more and gives it back.
fn drop_table<S: FrameStore>(store: &mut S, level: PageTableLevel, table: PhysFrame) {
    empty_table(store, level, table);
    store.free_table(table);
}

/// Lets go of all that a table holds.
pub(crate) fn empty_table<S: FrameStore>(store: &mut S, level: PageTableLevel, table: PhysFrame) {
    for_each_index(store.live_groups(table), |index| {
        let entry = store.entry(table, index);
        if !entry.is_empty() {
            store.set_entry(table, index, Entry::EMPTY);
            let_go(store, level, entry);
        }
    });
    store.set_live_groups(table, 0);
}
