//! Private memory is zeros again: its pages go, and what is mapped stays.
use x86_64::structures::paging::PhysFrame;
use x86_64::structures::paging::page_table::PageTableLevel::{self, One, Two};

use crate::entry::{Entry, Protection};
use crate::groups::{group, groups_of};
use crate::node::{Took, let_go, own_child};
use crate::overwrite::{Table, lose_page, renew_groups};
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
    /// tables and pages alone, whatever the range's size. A page table that is all alike goes with its pages.
    ///
    /// # Errors
    /// No frame is left to copy a shared table; nothing has changed.
    pub fn discard<S: FrameStore>(
        &mut self,
        store: &mut S,
        range: PageRange,
    ) -> Result<Whole, OutOfFrames> {
        let mut flushes = Flushes::default();
        let root = self.table();
        let owned = self.own_tables(store, root, range, &mut flushes);
        let whole = owned.map(|()| {
            let mut whole = Whole::Mapped;
            self.discard_below(store, root, range, &mut whole, &mut flushes);
            whole
        });
        flushes.finish(store);
        whole
    }

    /// Owns each table that there is for a range, but for the page tables that go.
    fn own_tables<S: FrameStore>(
        &self,
        store: &mut S,
        table: Table,
        range: PageRange,
        flushes: &mut Flushes,
    ) -> Result<(), OutOfFrames> {
        for part in range.parts(table.level) {
            let index = part.index(table.level);
            let entry = store.entry(table.frame, index);
            if !entry.is_present() || self.alike(store, table.level, part).is_some() {
                continue;
            }
            let (entry, took) = own_child(store, table.level, table.frame, index, table.fill)?;
            if took == Took::Copy {
                flushes.table(part.start);
            }
            if let Some(child) = table.child(entry)
                && child.level != One
            {
                self.own_tables(store, child, part, flushes)?;
            }
        }
        Ok(())
    }

    fn discard_below<S: FrameStore>(
        &self,
        store: &mut S,
        table: Table,
        range: PageRange,
        whole: &mut Whole,
        flushes: &mut Flushes,
    ) {
        for part in range.parts(table.level) {
            let index = part.index(table.level);
            let entry = store.entry(table.frame, index);
            if !entry.is_present() {
                if entry.within(table.fill).is_vacant() {
                    *whole = Whole::Holed;
                }
            } else if let Some(protection) = self.alike(store, table.level, part) {
                let new = Entry::reserved(protection).under(table.fill);
                store.set_entry(table.frame, index, new);
                let_go(store, table.level, entry);
                flushes.subtree();
            } else if let Some(child) = table.child(entry) {
                if child.level == One {
                    discard_pages(store, child.frame, child.fill, part, whole, flushes);
                } else {
                    self.discard_below(store, child, part, whole, flushes);
                }
            }
        }
    }

    /// What all of a part allows, if it is a whole page table's and mapped alike.
    fn alike<S: FrameStore>(
        &self,
        store: &S,
        level: PageTableLevel,
        part: PageRange,
    ) -> Option<Protection> {
        if level != Two || !part.fills(level) {
            return None;
        }
        let region = self.first_region(store, part)?;
        (region.range == part).then_some(region.protection)
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
