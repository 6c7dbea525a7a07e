//! Owning all tables on the way to a page.
use x86_64::VirtAddr;
use x86_64::structures::paging::PhysFrame;
use x86_64::structures::paging::page_table::PageTableLevel::{Four, Three, Two};

use crate::entry::Entry;
use crate::node::{Took, make_child, share_pages, share_tables};
use crate::store::{FrameStore, OutOfFrames};

/// Makes the path from a root to the page table of an address writable, and returns that table's entry. On an error too,
/// `took` says whether a table was copied.
#[inline]
pub(crate) fn own_page_table<S: FrameStore>(
    store: &mut S,
    root: PhysFrame,
    address: VirtAddr,
    took: &mut Took,
) -> Result<Entry, OutOfFrames> {
    let mut table = root;
    let mut entry = Entry::EMPTY;
    for level in [Four, Three, Two] {
        let fill = entry.fill();
        let index = address.page_table_index(level);
        entry = store.entry(table, index);
        if !entry.is_hardware_writable() {
            if !entry.is_present() {
                entry = make_child(store, table, index, entry, fill)?;
            } else {
                let child = entry.frame();
                if store.count(child) == 1 {
                    entry = entry.writable_table();
                } else {
                    // What is below is now reached through two entries at least: it is copied along.
                    let copy = match level {
                        Four => copy_pointer_table(store, child, address),
                        Three => copy_directory(store, child, address),
                        _ => copy_page_table(store, child),
                    }?;
                    *took = Took::Copy;
                    store.release(child);
                    entry = entry.with_table(copy);
                }
                store.set_entry(table, index, entry);
            }
        }
        table = entry.frame();
    }
    Ok(entry)
}

/// Copies a page-directory-pointer table and what there is below it on the way to an address: all of it, or nothing.
#[inline(never)]
fn copy_pointer_table<S: FrameStore>(
    store: &mut S,
    from: PhysFrame,
    address: VirtAddr,
) -> Result<PhysFrame, OutOfFrames> {
    let to = store.allocate_table().ok_or(OutOfFrames)?;
    let index = address.page_table_index(Three);
    let entry = store.entry(from, index);
    if entry.is_present() {
        match copy_directory(store, entry.frame(), address) {
            Ok(below) => store.set_entry(to, index, entry.with_table(below)),
            Err(error) => return Err(give_back(store, to, error)),
        }
        share_tables(store, from, to, Some(index));
    } else {
        share_tables(store, from, to, None);
    }
    store.note_table_copied();
    Ok(to)
}

/// Copies a page directory and the page table below it on the way to an address, if there is one: both, or neither.
#[inline(never)]
fn copy_directory<S: FrameStore>(
    store: &mut S,
    from: PhysFrame,
    address: VirtAddr,
) -> Result<PhysFrame, OutOfFrames> {
    let to = store.allocate_table().ok_or(OutOfFrames)?;
    let index = address.page_table_index(Two);
    let entry = store.entry(from, index);
    if entry.is_present() {
        match copy_page_table(store, entry.frame()) {
            Ok(below) => store.set_entry(to, index, entry.with_table(below)),
            Err(error) => return Err(give_back(store, to, error)),
        }
        share_tables(store, from, to, Some(index));
    } else {
        share_tables(store, from, to, None);
    }
    store.note_table_copied();
    Ok(to)
}

#[inline(never)]
pub(crate) fn copy_page_table<S: FrameStore>(
    store: &mut S,
    from: PhysFrame,
) -> Result<PhysFrame, OutOfFrames> {
    let to = store.allocate_table_to_overwrite().ok_or(OutOfFrames)?;
    share_pages(store, from, to);
    store.note_table_copied();
    Ok(to)
}

/// Gives back a table that has not been written yet.
#[cold]
fn give_back<S: FrameStore>(store: &mut S, table: PhysFrame, error: OutOfFrames) -> OutOfFrames {
    store.release(table);
    store.free_table(table);
    error
}
