//! Protect: what a range allows from now on.
use core::fmt;
use core::ops::ControlFlow;

use x86_64::structures::paging::PhysFrame;
use x86_64::structures::paging::page_table::PageTableLevel::{self, Four};

use crate::entry::{Entry, Protection};
use crate::node::{Took, fill_in, own_child};
use crate::range::PageRange;
use crate::space::Space;
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
        let end = self.mapped_until(store, range);
        if range.start < end {
            let mapped = PageRange { end, ..range };
            let mut flushes = Flushes::default();
            let owned = own_all(
                store,
                Four,
                self.root,
                Entry::EMPTY,
                mapped,
                protection,
                &mut flushes,
            );
            if owned.is_ok() {
                let change = Change {
                    fill: Entry::EMPTY,
                    new_fill: Entry::EMPTY,
                    protection,
                };
                recolour(store, Four, self.root, change, mapped, &mut flushes);
            }
            flushes.finish(store);
            owned?;
        }
        if end < range.end {
            return Err(ProtectError::NotMapped);
        }
        Ok(())
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
        let (entry, took) = own_child(store, table, index, fill)?;
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
    let protection = change.protection;
    for part in range.parts(level) {
        let index = part.index(level);
        let raw = store.entry(table, index);
        let old = raw.within(change.fill);
        let new = if old.is_reserved() {
            if part.fills(level) {
                Entry::reserved(protection).under(change.new_fill)
            } else {
                // Of the wanted protection already, else it had been split.
                raw
            }
        } else if let Some(lower) = level.next_lower_level() {
            let new = if part.fills(level) && !old.fill().is_empty() {
                old.with_fill(Entry::reserved(protection))
            } else {
                old
            };
            let below = Change {
                fill: old.fill(),
                new_fill: new.fill(),
                protection,
            };
            recolour(store, lower, old.frame(), below, part, flushes);
            new
        } else {
            let new = old.with_protection(protection);
            let new = if protection.contains(Protection::WRITE)
                && old.is_counted()
                && store.count(old.frame()) == 1
            {
                new.writable_page()
            } else {
                new
            };
            if old.is_present() && new != old && !grows(old, new) {
                flushes.page(store, part.start);
            }
            new
        };
        if new != raw {
            if new.is_empty() {
                store.set_entry(table, index, new);
            } else {
                fill_in(store, table, index, raw, new);
            }
        }
    }
}

/// Whether the hardware may do all with the new entry that it might with the old one: the TLB then need not know.
fn grows(old: Entry, new: Entry) -> bool {
    let lost_write = old.is_hardware_writable() && !new.is_hardware_writable();
    let lost_execute = old.protection().contains(Protection::EXECUTE)
        && !new.protection().contains(Protection::EXECUTE);
    new.is_present() && !lost_write && !lost_execute
}
