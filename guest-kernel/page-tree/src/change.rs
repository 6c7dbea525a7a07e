//! What changes a mapping: reserve, unmap, map. Each builds what it needs first and commits last.
use x86_64::structures::paging::PhysFrame;
use x86_64::structures::paging::page_table::PageTableLevel::{self, Four, One, Three, Two};

use crate::entry::{Entry, Ownership, Protection};
use crate::fault::own_page_table;
use crate::node::{Took, fill_in, group, let_go, own_child};
use crate::range::{PageRange, UserPage};
use crate::space::Space;
use crate::store::{Flushes, FrameStore, OutOfFrames};

impl Space {
    /// Reserves private memory that reads as zeros; a frame comes with the first access to a page. Replaces what was there.
    ///
    /// # Errors
    /// No frame is left for the tables at the range's two ends; nothing has changed.
    pub fn reserve<S: FrameStore>(
        &mut self,
        store: &mut S,
        range: PageRange,
        protection: Protection,
    ) -> Result<(), OutOfFrames> {
        self.replace(store, range, Entry::reserved(protection))
    }

    /// Takes away what is mapped.
    ///
    /// # Errors
    /// No frame is left to copy or split a table at one of the range's two ends; nothing has changed.
    pub fn unmap<S: FrameStore>(
        &mut self,
        store: &mut S,
        range: PageRange,
    ) -> Result<(), OutOfFrames> {
        self.replace(store, range, Entry::EMPTY)
    }

    fn replace<S: FrameStore>(
        &mut self,
        store: &mut S,
        range: PageRange,
        with: Entry,
    ) -> Result<(), OutOfFrames> {
        let mut flushes = Flushes::default();
        let built = own_ends(
            store,
            Four,
            self.root,
            Entry::EMPTY,
            range,
            with,
            &mut flushes,
        );
        match built {
            Ok(()) => overwrite(
                store,
                Four,
                self.root,
                Entry::EMPTY,
                range,
                with,
                &mut flushes,
            ),
            Err(OutOfFrames) => self.prune_ends(store, range, &mut flushes),
        }
        flushes.finish(store);
        built
    }

    /// Maps a frame at a page, in the place of what was there. With [`Ownership::Counted`] and [`Ownership::Shared`] the
    /// mapping takes over one of the frame's counts.
    ///
    /// # Errors
    /// No frame is left for a table; nothing has changed, and the count is still the caller's.
    pub fn map_page<S: FrameStore>(
        &mut self,
        store: &mut S,
        page: UserPage,
        frame: PhysFrame,
        protection: Protection,
        ownership: Ownership,
    ) -> Result<(), OutOfFrames> {
        let mut flushes = Flushes::default();
        let built = self.own_for_pages(store, page.into(), &mut flushes);
        if built.is_ok() {
            let new = Entry::page(frame, protection, ownership);
            let new = if ownership == Ownership::Counted
                && protection.contains(Protection::WRITE)
                && store.count(frame) == 1
            {
                new.writable_page()
            } else {
                new
            };
            put_pages(store, self.root, page.into(), &mut flushes, |_| new);
        }
        flushes.finish(store);
        built
    }

    /// Maps consecutive borrowed frames, from `first` on, in the place of what was there.
    ///
    /// # Errors
    /// No frame is left for a table; nothing has changed.
    pub fn map_run<S: FrameStore>(
        &mut self,
        store: &mut S,
        range: PageRange,
        first: PhysFrame,
        protection: Protection,
    ) -> Result<(), OutOfFrames> {
        let mut flushes = Flushes::default();
        let built = self.own_for_pages(store, range, &mut flushes);
        if built.is_ok() {
            for part in range.parts(Two) {
                let before = (part.start - range.start)
                    / PageTableLevel::One.entry_address_space_alignment();
                put_pages(store, self.root, part, &mut flushes, |n| {
                    Entry::page(first + before + n, protection, Ownership::Borrowed)
                });
            }
        }
        flushes.finish(store);
        built
    }

    /// Owns, or makes, each page table of a range.
    fn own_for_pages<S: FrameStore>(
        &mut self,
        store: &mut S,
        range: PageRange,
        flushes: &mut Flushes,
    ) -> Result<(), OutOfFrames> {
        for part in range.parts(Two) {
            let mut took = Took::Nothing;
            let owned = own_page_table(store, self.root, part.start(), &mut took);
            if took == Took::Copy {
                flushes.table(part.start);
            }
            if let Err(error) = owned {
                for part in range.parts(Two) {
                    prune(store, Four, self.root, Entry::EMPTY, part, flushes);
                }
                return Err(error);
            }
        }
        Ok(())
    }

    /// Gives back the tables at a range's two ends that hold nothing.
    fn prune_ends<S: FrameStore>(
        &mut self,
        store: &mut S,
        range: PageRange,
        flushes: &mut Flushes,
    ) {
        let last = PageRange {
            start: range.end - One.entry_address_space_alignment(),
            end: range.end,
        };
        prune(store, Four, self.root, Entry::EMPTY, range, flushes);
        prune(store, Four, self.root, Entry::EMPTY, last, flushes);
    }
}

/// Owns, or makes, the tables in which a range begins or ends in the midst of an entry of the table above, so that the rest
/// of the range is whole entries.
fn own_ends<S: FrameStore>(
    store: &mut S,
    level: PageTableLevel,
    table: PhysFrame,
    fill: Entry,
    range: PageRange,
    with: Entry,
    flushes: &mut Flushes,
) -> Result<(), OutOfFrames> {
    let Some(lower) = level.next_lower_level() else {
        return Ok(());
    };
    let size = level.entry_address_space_alignment();
    let mut own_end = |part: PageRange| {
        if part.fills(level) {
            return Ok(());
        }
        let index = part.index(level);
        if store.entry(table, index).within(fill).says(with) {
            return Ok(());
        }
        let (entry, took) = own_child(store, table, index, fill)?;
        if took == Took::Copy {
            flushes.table(part.start);
        }
        own_ends(
            store,
            lower,
            entry.frame(),
            entry.fill(),
            part,
            with,
            flushes,
        )
    };
    let first_end = (range.start & !(size - 1)) + size;
    if range.end <= first_end {
        return own_end(range);
    }
    own_end(PageRange {
        start: range.start,
        end: first_end,
    })?;
    own_end(PageRange {
        start: (range.end - 1) & !(size - 1),
        end: range.end,
    })
}

/// Stores `with` all over a range, of which [`own_ends`] owns the ends.
fn overwrite<S: FrameStore>(
    store: &mut S,
    level: PageTableLevel,
    table: PhysFrame,
    fill: Entry,
    range: PageRange,
    with: Entry,
    flushes: &mut Flushes,
) {
    let new = with.under(fill);
    let mut touched = 0;
    for part in range.parts(level) {
        let index = part.index(level);
        let old = store.entry(table, index);
        if part.fills(level) {
            if old != new {
                touched |= group(index);
                store.set_entry(table, index, new);
                lose(store, level, old, part.start, flushes);
            }
        } else if !old.within(fill).says(with)
            && let Some(lower) = level.next_lower_level()
        {
            touched |= group(index);
            overwrite(store, lower, old.frame(), old.fill(), part, with, flushes);
            collapse(store, table, index, fill, old, part.start, flushes);
        }
    }
    renew_groups(store, table, touched);
}

/// Lets go of what an entry that has been overwritten pointed to.
fn lose<S: FrameStore>(
    store: &mut S,
    level: PageTableLevel,
    old: Entry,
    address: u64,
    flushes: &mut Flushes,
) {
    if old.is_present() {
        match level {
            One => flushes.page(store, address),
            _ => flushes.subtree(),
        }
    }
    let_go(store, level, old);
}

/// Works out anew which of some groups are live.
fn renew_groups<S: FrameStore>(store: &mut S, table: PhysFrame, touched: u64) {
    if touched == 0 {
        return;
    }
    let mut live = store.live_groups(table) & !touched;
    crate::node::for_each_index(touched, |index| {
        if !store.entry(table, index).is_empty() {
            live |= group(index);
        }
    });
    store.set_live_groups(table, live);
}

/// Gives back an owned table below an entry if all of it means one and the same, and lets the entry say so.
fn collapse<S: FrameStore>(
    store: &mut S,
    table: PhysFrame,
    index: x86_64::structures::paging::PageTableIndex,
    fill: Entry,
    entry: Entry,
    address: u64,
    flushes: &mut Flushes,
) {
    let child = entry.frame();
    let meaning = match store.live_groups(child) {
        0 => entry.fill(),
        u64::MAX if !entry.fill().is_empty() => {
            let mut holes = 0;
            // Ends soon in nearly every case: at the first group that is not all holes.
            let mut rest = u64::MAX;
            while rest != 0 && holes % 8 == 0 {
                let one = rest & rest.wrapping_neg();
                rest &= !one;
                crate::node::for_each_index(one, |index| {
                    if store.entry(child, index) == Entry::HOLE {
                        holes += 1;
                    }
                });
            }
            if holes != 512 {
                return;
            }
            crate::node::for_each_index(u64::MAX, |index| {
                store.set_entry(child, index, Entry::EMPTY);
            });
            store.set_live_groups(child, 0);
            Entry::EMPTY
        }
        _ => return,
    };
    store.set_entry(table, index, meaning.under(fill));
    store.release(child);
    store.free_table(child);
    flushes.table(address);
}

/// Gives back the tables above a range's start that mean one and the same all over, as far as they are owned.
fn prune<S: FrameStore>(
    store: &mut S,
    level: PageTableLevel,
    table: PhysFrame,
    fill: Entry,
    range: PageRange,
    flushes: &mut Flushes,
) {
    let Some(lower) = level.next_lower_level() else {
        return;
    };
    let index = range.index(level);
    let entry = store.entry(table, index);
    if entry.is_present() && entry.is_hardware_writable() {
        prune(store, lower, entry.frame(), entry.fill(), range, flushes);
        collapse(store, table, index, fill, entry, range.start, flushes);
        renew_groups(store, table, group(index));
    }
}

/// Stores pages into one owned page table; `page` is told which of the range's pages, from 0.
fn put_pages<S: FrameStore>(
    store: &mut S,
    root: PhysFrame,
    range: PageRange,
    flushes: &mut Flushes,
    page: impl Fn(u64) -> Entry,
) {
    let mut table = root;
    for level in [Four, Three, Two] {
        table = store.entry(table, range.index(level)).frame();
    }
    for (part, n) in range.parts(One).zip(0..) {
        let index = part.index(One);
        let old = store.entry(table, index);
        fill_in(store, table, index, old, page(n));
        lose(store, One, old, part.start, flushes);
    }
}
