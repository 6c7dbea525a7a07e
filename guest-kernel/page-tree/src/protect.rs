//! Protect: what a range allows from now on.
use core::fmt;
use core::ops::ControlFlow;

use x86_64::structures::paging::page_table::PageTableLevel::{self, Four, One};
use x86_64::structures::paging::{PageTableIndex, PhysFrame};

use crate::entry::{Entry, Protection};
use crate::node::{Took, fill_in, own_child};
use crate::range::PageRange;
use crate::space::{Found, Space, look};
use crate::store::{Flushes, FrameStore, OutOfFrames};

/// Why a range's protection was not changed, or not all of it.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum ProtectError {
    /// Part of the range is not mapped. As on Linux, what lies before the first hole has been changed.
    NotMapped,
    /// No frame is left to copy or split a table; nothing has changed.
    OutOfFrames,
}

impl From<OutOfFrames> for ProtectError {
    fn from(_: OutOfFrames) -> Self {
        Self::OutOfFrames
    }
}

impl fmt::Display for ProtectError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::NotMapped => "part of the range is not mapped",
            Self::OutOfFrames => "out of frames",
        })
    }
}

impl core::error::Error for ProtectError {}

impl Space {
    /// Changes what a range allows. Where the range has a hole, it does as Linux does: changes what lies before the first
    /// hole, and then fails.
    ///
    /// # Errors
    /// See [`ProtectError`].
    pub fn protect<S: FrameStore>(
        &mut self,
        store: &mut S,
        range: PageRange,
        protection: Protection,
    ) -> Result<(), ProtectError> {
        let mut flushes = Flushes::default();
        let found = look(store, self.root, range.start());
        let end = if range.is_in_one_page_table() && found.level == One {
            self.protect_in_page_table(store, &found, range, protection, &mut flushes)
        } else {
            self.protect_in_tree(store, range, protection, &mut flushes)
        };
        flushes.finish(store);
        if end? < range.end {
            return Err(ProtectError::NotMapped);
        }
        Ok(())
    }

    /// Protects what lies before the first hole of a range, and returns where that is.
    fn protect_in_page_table<S: FrameStore>(
        &mut self,
        store: &mut S,
        found: &Found,
        range: PageRange,
        protection: Protection,
        flushes: &mut Flushes,
    ) -> Result<u64, OutOfFrames> {
        let mut end = range.start;
        let mut different = 0_u64;
        for index in range.indices() {
            let meaning = store.entry(found.table, index).within(found.fill);
            if meaning.is_vacant() {
                break;
            }
            if meaning.protection() != protection {
                different += 1;
            }
            end += One.entry_address_space_alignment();
        }
        if different == 0 {
            return Ok(end);
        }
        let (page_table, fill) = if found.owns_page_table() {
            (found.table, found.fill)
        } else {
            let entry = self.own_one_page_table(store, range, flushes)?;
            (entry.frame(), entry.fill())
        };
        let change = Change {
            fill,
            new_fill: fill,
            protection,
        };
        let mapped = PageRange { end, ..range };
        recolour_pages(store, page_table, change, mapped, flushes);
        Ok(end)
    }

    /// As [`Self::protect_in_page_table`], for any range.
    fn protect_in_tree<S: FrameStore>(
        &mut self,
        store: &mut S,
        range: PageRange,
        protection: Protection,
        flushes: &mut Flushes,
    ) -> Result<u64, OutOfFrames> {
        let end = self.mapped_until(store, range);
        if range.start < end {
            let mapped = PageRange { end, ..range };
            let empty = Entry::EMPTY;
            own_all(store, Four, self.root, empty, mapped, protection, flushes)?;
            let change = Change {
                fill: empty,
                new_fill: empty,
                protection,
            };
            recolour(store, Four, self.root, change, mapped, flushes);
        }
        Ok(end)
    }

    /// Where the first hole of a range begins; its end if it has none.
    fn mapped_until<S: FrameStore>(&self, store: &S, range: PageRange) -> u64 {
        let mut until = range.start;
        let _: ControlFlow<()> = self.visit(store, range, &mut |extent| {
            if extent.start != until {
                return ControlFlow::Break(());
            }
            until = extent.end;
            ControlFlow::Continue(())
        });
        until
    }
}

/// Owns each table in which something of a range will change. All of the range is mapped.
fn own_all<S: FrameStore>(
    store: &mut S,
    level: PageTableLevel,
    table: PhysFrame,
    fill: Entry,
    range: PageRange,
    protection: Protection,
    flushes: &mut Flushes,
) -> Result<(), OutOfFrames> {
    let Some(lower) = level.next_lower_level() else {
        return Ok(());
    };
    for part in range.parts(level) {
        let index = part.index(level);
        let entry = store.entry(table, index).within(fill);
        if entry.is_reserved() && (part.fills(level) || entry.protection() == protection) {
            continue;
        }
        let (entry, took) = own_child(store, level, table, index, fill)?;
        if took == Took::Copy {
            flushes.table(part.start);
        }
        own_all(
            store,
            lower,
            entry.frame(),
            entry.fill(),
            part,
            protection,
            flushes,
        )?;
    }
    Ok(())
}

/// What [`recolour`] does to a table.
#[derive(Clone, Copy)]
struct Change {
    /// What its empty entries mean, up to now.
    fill: Entry,
    /// What its empty entries mean, from now on.
    new_fill: Entry,
    protection: Protection,
}

/// Changes the protection of all in a range, whose tables are owned.
fn recolour<S: FrameStore>(
    store: &mut S,
    level: PageTableLevel,
    table: PhysFrame,
    change: Change,
    range: PageRange,
    flushes: &mut Flushes,
) {
    let Some(lower) = level.next_lower_level() else {
        return recolour_pages(store, table, change, range, flushes);
    };
    for part in range.parts(level) {
        let index = part.index(level);
        let raw = store.entry(table, index);
        let old = raw.within(change.fill);
        if old.is_reserved() {
            // A part of an entry that is not split has the wanted protection already.
            if part.fills(level) {
                let new = old.reserved_with(change.protection);
                renew(store, table, index, raw, new.under(change.new_fill));
            }
            continue;
        }
        let new = if part.fills(level) && !old.fill().is_empty() {
            old.with_fill(old.fill().reserved_with(change.protection))
        } else {
            old
        };
        let below = Change {
            fill: old.fill(),
            new_fill: new.fill(),
            ..change
        };
        recolour(store, lower, old.frame(), below, part, flushes);
        renew(store, table, index, raw, new);
    }
}

/// [`recolour`] of a page table.
#[inline]
fn recolour_pages<S: FrameStore>(
    store: &mut S,
    page_table: PhysFrame,
    change: Change,
    range: PageRange,
    flushes: &mut Flushes,
) {
    let mut address = range.start;
    for index in range.indices() {
        let raw = store.entry(page_table, index);
        let old = raw.within(change.fill);
        if old.is_reserved() {
            let new = old.reserved_with(change.protection);
            renew(store, page_table, index, raw, new.under(change.new_fill));
        } else {
            let mut new = old.with_protection(change.protection);
            if change.protection.contains(Protection::WRITE)
                && old.is_counted()
                && store.count(old.frame()) == 1
            {
                new = new.writable_page();
            }
            if old.is_present() && !new.allows_all_of(old) {
                flushes.page(store, address);
            }
            renew(store, page_table, index, raw, new);
        }
        address += One.entry_address_space_alignment();
    }
}

/// Stores an entry in the place of `old`.
#[inline]
fn renew<S: FrameStore>(
    store: &mut S,
    table: PhysFrame,
    index: PageTableIndex,
    old: Entry,
    new: Entry,
) {
    if new.is_empty() {
        store.set_entry(table, index, new);
    } else if new != old {
        fill_in(store, table, index, old, new);
    }
}
