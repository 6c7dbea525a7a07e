//! Owning all tables on the way to a page.
use core::cell::Cell;

use x86_64::VirtAddr;
use x86_64::structures::paging::page_table::PageTableLevel::{Four, One, Three, Two};
use x86_64::structures::paging::{PageTableIndex, PhysFrame};

use crate::entry::Entry;
use crate::node::{
    Copied, Took, copy_entries, own_child_by, share_entries, share_pages, share_tables,
};
use crate::range::UserPage;
use crate::store::{FrameStore, OutOfFrames};

/// What is copied along with a page table.
#[derive(Clone, Copy)]
pub(crate) enum Along<'a> {
    /// No page.
    Nothing,
    /// The page of the address, which is about to be written, and with it these others: as far as they are of the same
    /// page table, and private pages that are there and may be written. To copy them along is to give them no second
    /// entry, which would only be taken away again: the old table keeps each as it has it, with its write bit.
    Written(&'a [Cell<UserPage>]),
}

/// Makes the path from a root to the page table of an address writable, and returns that table's entry. A table that others
/// have too is copied with what is below it on the way: that is now reached through two entries at least. On an error too,
/// `took` says whether a table was copied.
#[inline(always)]
pub(crate) fn own_page_table<S: FrameStore>(
    store: &mut S,
    root: PhysFrame,
    address: VirtAddr,
    along: Along<'_>,
    took: &mut Took,
) -> Result<Entry, OutOfFrames> {
    let index = address.page_table_index(Four);
    let entry = own_child_by(store, root, index, Entry::EMPTY, took, |store, from| {
        copy_pointer_table(store, from, address, along)
    })?;
    let index = address.page_table_index(Three);
    let (table, fill) = (entry.frame(), entry.fill());
    let entry = own_child_by(store, table, index, fill, took, |store, from| {
        copy_directory(store, from, address, along)
    })?;
    let index = address.page_table_index(Two);
    let (table, fill) = (entry.frame(), entry.fill());
    own_child_by(store, table, index, fill, took, |store, from| {
        copy_page_table(store, from, address, along)
    })
}

/// Copies a page-directory-pointer table and what there is below it on the way to an address: all of it, or nothing.
#[inline(never)]
fn copy_pointer_table<S: FrameStore>(
    store: &mut S,
    from: PhysFrame,
    address: VirtAddr,
    along: Along<'_>,
) -> Option<Copied> {
    copy_above(
        store,
        from,
        address.page_table_index(Three),
        |store, from| copy_directory(store, from, address, along),
    )
}

/// Copies a page directory and the page table below it on the way to an address, if there is one: both, or neither.
#[inline(never)]
fn copy_directory<S: FrameStore>(
    store: &mut S,
    from: PhysFrame,
    address: VirtAddr,
    along: Along<'_>,
) -> Option<Copied> {
    copy_above(store, from, address.page_table_index(Two), |store, from| {
        copy_page_table(store, from, address, along)
    })
}

/// Copies a table, and by `copy_below` what is below it at an index.
#[inline(always)]
fn copy_above<S: FrameStore>(
    store: &mut S,
    from: PhysFrame,
    index: PageTableIndex,
    copy_below: impl FnOnce(&mut S, PhysFrame) -> Option<Copied>,
) -> Option<Copied> {
    let to = store.allocate_table()?;
    let entry = store.entry(from, index);
    if entry.is_present() {
        let Some(below) = copy_below(store, entry.frame()) else {
            store.release(to);
            store.free_table(to);
            return None;
        };
        store.set_entry(to, index, entry.with_table(below.frame()));
        share_tables(store, from, to, Some(index));
    } else {
        share_tables(store, from, to, None);
    }
    store.note_table_copied();
    Some(Copied::new(to))
}

/// Copies a page table, with what is to be copied along.
#[inline(never)]
fn copy_page_table<S: FrameStore>(
    store: &mut S,
    from: PhysFrame,
    address: VirtAddr,
    along: Along<'_>,
) -> Option<Copied> {
    let to = store.allocate_table_to_overwrite()?;
    let index = address.page_table_index(One);
    let page = store.entry(from, index);
    match along {
        Along::Written(others) if page.is_copied_before_write() => {
            let Some(copy) = store.allocate_page_copy(page.frame()) else {
                store.release(to);
                store.free_page_table(to);
                return None;
            };
            copy_entries(store, from, to);
            // Not counted yet, so that it is not shared with the rest.
            store.set_entry(to, index, page.with_new_page(copy));
            copy_along(store, to, address, others);
            share_entries(store, from, to);
            store.set_entry(to, index, page.with_page(copy));
            count_along(store, to, address, others);
        }
        _ => share_pages(store, from, to),
    }
    store.note_table_copied();
    Some(Copied::new(to))
}

/// Copies pages of a copied page table, those of them that are its own, as far as there are frames. Without counting them.
#[inline]
fn copy_along<S: FrameStore>(
    store: &mut S,
    page_table: PhysFrame,
    address: VirtAddr,
    pages: &[Cell<UserPage>],
) {
    for page in pages.iter().map(Cell::get) {
        let index = page.start().page_table_index(One);
        let entry = store.entry(page_table, index);
        if page.shares_page_table(address)
            && entry.is_copied_before_write()
            && let Some(copy) = store.allocate_page_copy(entry.frame())
        {
            store.set_entry(page_table, index, entry.with_new_page(copy));
            store.flush_page(page.start());
        }
    }
}

/// Counts the pages that [`copy_along`] has copied.
#[inline]
fn count_along<S: FrameStore>(
    store: &mut S,
    page_table: PhysFrame,
    address: VirtAddr,
    pages: &[Cell<UserPage>],
) {
    for page in pages.iter().map(Cell::get) {
        let index = page.start().page_table_index(One);
        let entry = store.entry(page_table, index);
        if page.shares_page_table(address) && entry.is_new_page() {
            store.set_entry(page_table, index, entry.counted());
        }
    }
}
