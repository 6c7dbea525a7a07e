//! Private memory is zeros again: its pages go, and what is mapped stays.
use x86_64::structures::paging::PhysFrame;
use x86_64::structures::paging::page_table::PageTableLevel::{self, Four, One};

use crate::entry::Entry;
use crate::groups::{group, groups_of};
use crate::node::{Took, own_child};
use crate::overwrite::{lose_page, renew_groups};
use crate::range::PageRange;
use crate::space::Space;
use crate::store::{Flushes, FrameStore, OutOfFrames};

/// Whether all of a range is mapped.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Whole {
    /// It is.
    Mapped,
    /// There is a hole in it.
    Holed,
}

impl Space {
    /// Lets go of the pages of a range, none of it an object's: they read as zeros again, protected as they are. It looks at
    /// tables and pages alone, whatever the range's size.
    ///
    /// # Errors
    /// No frame is left to copy a shared table; nothing has changed.
    pub fn discard<S: FrameStore>(
        &mut self,
        store: &mut S,
        range: PageRange,
    ) -> Result<Whole, OutOfFrames> {
        let mut flushes = Flushes::default();
        let owned = own_tables(store, Four, self.root, Entry::EMPTY, range, &mut flushes);
        let whole = owned.map(|()| {
            let mut whole = Whole::Mapped;
            let empty = Entry::EMPTY;
            discard(
                store,
                Four,
                self.root,
                empty,
                range,
                &mut whole,
                &mut flushes,
            );
            whole
        });
        flushes.finish(store);
        whole
    }
}

/// Owns each table that there is for a range.
fn own_tables<S: FrameStore>(
    store: &mut S,
    level: PageTableLevel,
    table: PhysFrame,
    fill: Entry,
    range: PageRange,
    flushes: &mut Flushes,
) -> Result<(), OutOfFrames> {
    let Some(lower) = level.next_lower_level() else {
        return Ok(());
    };
    for part in range.parts(level) {
        let index = part.index(level);
        if store.entry(table, index).is_present() {
            let (entry, took) = own_child(store, level, table, index, fill)?;
            if took == Took::Copy {
                flushes.table(part.start);
            }
            own_tables(store, lower, entry.frame(), entry.fill(), part, flushes)?;
        }
    }
    Ok(())
}

fn discard<S: FrameStore>(
    store: &mut S,
    level: PageTableLevel,
    table: PhysFrame,
    fill: Entry,
    range: PageRange,
    whole: &mut Whole,
    flushes: &mut Flushes,
) {
    let Some(lower) = level.next_lower_level() else {
        return discard_pages(store, table, fill, range, whole, flushes);
    };
    for part in range.parts(level) {
        let entry = store.entry(table, part.index(level));
        if entry.is_present() {
            let (child, fill) = (entry.frame(), entry.fill());
            discard(store, lower, child, fill, part, whole, flushes);
        } else if entry.within(fill).is_vacant() {
            *whole = Whole::Holed;
        }
    }
}

fn discard_pages<S: FrameStore>(
    store: &mut S,
    page_table: PhysFrame,
    fill: Entry,
    range: PageRange,
    whole: &mut Whole,
    flushes: &mut Flushes,
) {
    let live = store.live_groups(page_table);
    let touched = groups_of(range.index(One), range.last_index(One));
    if fill.is_vacant() && touched & !live != 0 {
        *whole = Whole::Holed;
    }
    let mut address = range.start;
    for index in range.indices() {
        if live & group(index) != 0 {
            let old = store.entry(page_table, index);
            if old.has_frame() {
                let new = Entry::reserved(old.protection()).under(fill);
                store.set_entry(page_table, index, new);
                lose_page(store, old, address, flushes);
            } else if old.within(fill).is_vacant() {
                *whole = Whole::Holed;
            }
        }
        address += One.entry_address_space_alignment();
    }
    if touched & live != 0 {
        renew_groups(store, page_table, touched & live);
    }
}
