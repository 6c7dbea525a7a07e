//! A space: its root, how it is made, forked and dropped.
use x86_64::VirtAddr;
use x86_64::structures::paging::PhysFrame;
use x86_64::structures::paging::page_table::PageTableLevel::{self, Four, One, Three, Two};

use crate::entry::{Entry, Protection};
use crate::node::{Narrowed, empty_root, share_tables};
use crate::range::USER_END;
use crate::store::{FrameStore, OutOfFrames};

/// An address space: a tree of page tables, by its root.
///
/// It does not know its store, so it cannot give its frames back by itself: end it with [`Space::release`].
#[derive(Debug)]
#[must_use = "a space that is not released keeps its frames"]
pub struct Space {
    pub(crate) root: PhysFrame,
}

/// What a page of a space is mapped to now.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Translation {
    /// The frame, also of a page that may not be accessed (PROT_NONE).
    pub frame: PhysFrame,
    /// What the mapping allows.
    pub protection: Protection,
}

impl Space {
    /// A space with nothing in it. Takes one frame.
    ///
    /// # Errors
    /// No frame is left.
    pub fn new<S: FrameStore>(store: &mut S) -> Result<Self, OutOfFrames> {
        let root = store.allocate_root().ok_or(OutOfFrames)?;
        Ok(Self { root })
    }

    /// The root's frame: what belongs in CR3.
    #[inline]
    #[must_use]
    pub fn root(&self) -> PhysFrame {
        self.root
    }

    /// A second space with the same contents. Takes one frame, whatever the size: the two share everything below their
    /// roots until one of them writes.
    ///
    /// # Errors
    /// No frame is left, and nothing has changed.
    #[inline]
    pub fn fork<S: FrameStore>(&mut self, store: &mut S) -> Result<Self, OutOfFrames> {
        let root = store.allocate_root().ok_or(OutOfFrames)?;
        // The TLB may know the write bits that were taken here; where none was, it has been flushed since they were.
        if share_tables(store, self.root, root, None) == Narrowed::Something {
            store.flush_all();
        }
        Ok(Self { root })
    }

    /// Drops the space. What only it had is freed, what others have too costs one decrement a subtree. The CPU must not
    /// be using it any more.
    #[inline]
    pub fn release<S: FrameStore>(self, store: &mut S) {
        if store.release(self.root) == 0 {
            empty_root(store, self.root);
            store.free_root(self.root);
        }
    }

    /// What a page is mapped to now; `None` where no frame is. Changes nothing.
    #[must_use]
    pub fn translate<S: FrameStore>(&self, store: &S, address: VirtAddr) -> Option<Translation> {
        if address.as_u64() >= USER_END {
            return None;
        }
        let entry = look(store, self.root, address).entry;
        entry.has_frame().then(|| Translation {
            frame: entry.frame(),
            protection: entry.protection(),
        })
    }
}

/// Where a walk for an address ended.
pub(crate) struct Found {
    /// The meaning of the last entry: not a table.
    pub(crate) entry: Entry,
    /// The level of the table that holds it.
    pub(crate) level: PageTableLevel,
    /// The table that holds it.
    pub(crate) table: PhysFrame,
    /// What that table's empty entries mean.
    pub(crate) fill: Entry,
    /// The bits that all tables' entries on the way have.
    way: Entry,
}

impl Found {
    /// Whether the page table is there, and it and all tables above it are reached from one root alone.
    #[inline]
    pub(crate) fn owns_page_table(&self) -> bool {
        self.level == One && self.way.is_hardware_writable()
    }
}

/// Walks down as far as there are tables. The address is below [`USER_END`].
#[inline]
pub(crate) fn look<S: FrameStore>(store: &S, root: PhysFrame, address: VirtAddr) -> Found {
    let mut table = root;
    let mut fill = Entry::EMPTY;
    let mut way = Entry::from_raw(u64::MAX);
    for level in [Four, Three, Two] {
        let entry = store.entry(table, address.page_table_index(level));
        if !entry.is_present() {
            return Found {
                entry: entry.within(fill),
                level,
                table,
                fill,
                way,
            };
        }
        way = Entry::from_raw(way.raw() & entry.raw());
        fill = entry.fill();
        table = entry.frame();
    }
    let entry = store.entry(table, address.page_table_index(One));
    Found {
        entry: entry.within(fill),
        level: One,
        table,
        fill,
        way,
    }
}

/// Walks down as the hardware does: the page's entry, if there is a page, and the bits that it and all tables' entries
/// above it have. The address is below [`USER_END`].
#[inline]
pub(crate) fn walk<S: FrameStore>(
    store: &S,
    root: PhysFrame,
    address: VirtAddr,
) -> Option<(Entry, Entry)> {
    let mut entry = store.entry(root, address.page_table_index(Four));
    let mut way = entry;
    for level in [Three, Two, One] {
        if !entry.is_present() {
            return None;
        }
        entry = store.entry(entry.frame(), address.page_table_index(level));
        way = Entry::from_raw(way.raw() & entry.raw());
    }
    entry.is_present().then_some((entry, way))
}
