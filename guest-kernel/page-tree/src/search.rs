//! Reading a space: regions, gaps, statistics.
use core::ops::ControlFlow;

use x86_64::VirtAddr;
use x86_64::structures::paging::page_table::PageTableLevel::{self, Four, One};
use x86_64::structures::paging::{PageTableIndex, PhysFrame};

use crate::entry::{Entry, Protection, Sharing};
use crate::groups::for_each_index;
use crate::range::{PageRange, USER_END};
use crate::space::Space;
use crate::store::FrameStore;

/// Neighbouring pages that are mapped alike.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Region {
    /// Where.
    pub range: PageRange,
    /// What it allows.
    pub protection: Protection,
    /// Whether writes to it are seen by others.
    pub sharing: Sharing,
}

/// Pages of a space, of 4 KiB each.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct Statistics {
    /// Mapped, be there a frame or not.
    pub mapped: u64,
    /// With a frame, borrowed ones included.
    pub resident: u64,
    /// With a borrowed frame.
    pub borrowed: u64,
    /// With a frame of a shared mapping.
    pub shared: u64,
    /// Private ones that may be written.
    pub data: u64,
}

/// The regions of a space, upwards.
pub struct Regions<'a, S> {
    space: &'a Space,
    store: &'a S,
    from: u64,
}

/// What neighbouring entries of a table that are alike, and neither empty nor tables, cover of a range.
pub(crate) struct Extent {
    pub(crate) start: u64,
    pub(crate) end: u64,
    /// The first of them.
    pub(crate) entry: Entry,
}

impl Extent {
    fn new(part: PageRange, entry: Entry) -> Self {
        Self {
            start: part.start,
            end: part.end,
            entry,
        }
    }

    fn region(&self) -> Region {
        Region {
            range: PageRange {
                start: self.start,
                end: self.end,
            },
            protection: self.entry.protection(),
            sharing: self.entry.sharing(),
        }
    }
}

impl Space {
    /// The mapped regions, upwards; neighbours differ in protection or sharing.
    pub fn regions<'a, S: FrameStore>(&'a self, store: &'a S) -> Regions<'a, S> {
        Regions {
            space: self,
            store,
            from: 0,
        }
    }

    /// The first mapped region of a range, cut to it.
    #[must_use]
    pub fn first_region<S: FrameStore>(&self, store: &S, range: PageRange) -> Option<Region> {
        let mut found: Option<Region> = None;
        let _: ControlFlow<()> = self.visit(store, range, &mut |extent| {
            let next = extent.region();
            match &mut found {
                None => found = Some(next),
                Some(region)
                    if region.range.end == next.range.start
                        && region.protection == next.protection
                        && region.sharing == next.sharing =>
                {
                    region.range.end = next.range.end;
                }
                Some(_) => return ControlFlow::Break(()),
            }
            ControlFlow::Continue(())
        });
        found
    }

    /// Whether nothing is mapped in a range.
    #[must_use]
    pub fn is_unmapped<S: FrameStore>(&self, store: &S, range: PageRange) -> bool {
        self.visit(store, range, &mut |_| ControlFlow::Break(()))
            .is_continue()
    }

    /// Counts the pages of a range.
    #[must_use]
    pub fn statistics<S: FrameStore>(&self, store: &S, range: PageRange) -> Statistics {
        let mut sum = Statistics::default();
        let _: ControlFlow<()> = self.visit(store, range, &mut |extent| {
            let pages = (extent.end - extent.start) / One.entry_address_space_alignment();
            sum.mapped += pages;
            if extent.entry.has_frame() {
                sum.resident += pages;
                if !extent.entry.is_counted() {
                    sum.borrowed += pages;
                }
                if extent.entry.is_shared() {
                    sum.shared += pages;
                }
            }
            if extent.entry.sharing() == Sharing::Private
                && extent.entry.protection().contains(Protection::WRITE)
            {
                sum.data += pages;
            }
            ControlFlow::Continue(())
        });
        sum
    }

    /// How many tables there are, its root included.
    #[must_use]
    pub fn tables<S: FrameStore>(&self, store: &S) -> u64 {
        1 + tables_below(store, Four, self.root)
    }

    /// The highest place for `length` bytes that begins on a multiple of `alignment` (a power of two, a page at least),
    /// begins at or above `floor`, ends at or below `below`, and has nothing mapped in it.
    ///
    /// It goes downwards and stops at the first fit; what is empty is stepped over by whole tables and groups of
    /// entries, what is mapped entry by entry. So hand in the last place found, and start from the top when that fails.
    #[must_use]
    pub fn find_gap<S: FrameStore>(
        &self,
        store: &S,
        length: u64,
        alignment: u64,
        below: VirtAddr,
        floor: VirtAddr,
    ) -> Option<VirtAddr> {
        let page = One.entry_address_space_alignment();
        let length = length.checked_next_multiple_of(page)?;
        let alignment = alignment.max(page);
        if length == 0 || !alignment.is_power_of_two() {
            return None;
        }
        let below = below.as_u64().min(USER_END) & !(page - 1);
        let floor = floor.as_u64().checked_next_multiple_of(page)?;
        if floor >= below {
            return None;
        }
        let fit = |above: u64, ceiling: u64| {
            let start = ceiling.checked_sub(length)? & !(alignment - 1);
            (start >= above).then_some(start)
        };
        let mut ceiling = below;
        let range = PageRange {
            start: floor,
            end: below,
        };
        let mut on_mapped = |extent: Extent| {
            if let Some(start) = fit(extent.end, ceiling) {
                return ControlFlow::Break(start);
            }
            ceiling = extent.start;
            // What would end here or lower begins below the floor.
            ControlFlow::Continue(())
        };
        let found = match visit_down(store, Four, self.root, Entry::EMPTY, range, &mut on_mapped) {
            ControlFlow::Break(start) => Some(start),
            ControlFlow::Continue(()) => fit(floor, ceiling),
        };
        found.map(VirtAddr::new_truncate)
    }

    /// Visits what is mapped in a range, upwards.
    pub(crate) fn visit<S: FrameStore, B>(
        &self,
        store: &S,
        range: PageRange,
        f: &mut impl FnMut(Extent) -> ControlFlow<B>,
    ) -> ControlFlow<B> {
        visit_up(store, Four, self.root, Entry::EMPTY, range, f)
    }
}

impl<S: FrameStore> Iterator for Regions<'_, S> {
    type Item = Region;

    fn next(&mut self) -> Option<Region> {
        if self.from >= USER_END {
            return None;
        }
        let rest = PageRange {
            start: self.from,
            end: USER_END,
        };
        let region = self.space.first_region(self.store, rest);
        self.from = region.map_or(USER_END, |region| region.range.end);
        region
    }
}

/// How many tables there are below one.
fn tables_below<S: FrameStore>(store: &S, level: PageTableLevel, table: PhysFrame) -> u64 {
    let Some(lower) = level.next_lower_level() else {
        return 0;
    };
    let mut tables = 0;
    for_each_index(store.live_groups(table), |index| {
        let entry = store.entry(table, index);
        if entry.is_present() {
            tables += 1 + tables_below(store, lower, entry.frame());
        }
    });
    tables
}

fn visit_up<S: FrameStore, B>(
    store: &S,
    level: PageTableLevel,
    table: PhysFrame,
    fill: Entry,
    range: PageRange,
    f: &mut impl FnMut(Extent) -> ControlFlow<B>,
) -> ControlFlow<B> {
    let live = store.live_groups(table);
    let last = u16::from(range.last_index(level));
    let mut index = u16::from(range.index(level));
    while index <= last {
        let ahead = live >> (index / 8);
        if ahead & 1 == 0 {
            // Dead groups, up to the next live one: all of them mean the same.
            let dead = ahead.trailing_zeros() as u16;
            let end = (index / 8 + dead).min(64) * 8;
            if !fill.is_empty() {
                f(Extent::new(range.span(level, index, end), fill))?;
            }
            index = end;
            continue;
        }
        let first = PageTableIndex::new_truncate(index);
        let entry = store.entry(table, first).within(fill);
        index += 1;
        if entry.is_vacant() {
            continue;
        }
        if let Some(lower) = level.next_lower_level()
            && entry.is_present()
        {
            let part = range.part(level, first);
            visit_up(store, lower, entry.frame(), entry.fill(), part, f)?;
            continue;
        }
        let alike = |index| {
            let next = store.entry(table, PageTableIndex::new_truncate(index));
            next.within(fill).is_alike(entry)
        };
        while index <= last && alike(index) {
            index += 1;
        }
        f(Extent::new(range.span(level, first.into(), index), entry))?;
    }
    ControlFlow::Continue(())
}

fn visit_down<S: FrameStore, B>(
    store: &S,
    level: PageTableLevel,
    table: PhysFrame,
    fill: Entry,
    range: PageRange,
    f: &mut impl FnMut(Extent) -> ControlFlow<B>,
) -> ControlFlow<B> {
    let live = store.live_groups(table);
    let first = u16::from(range.index(level));
    // One above the next index to look at.
    let mut above = u16::from(range.last_index(level)) + 1;
    while above > first {
        let index = above - 1;
        // Bit 63 for the group of the index, lower bits for lower groups.
        let ahead = live << (63 - index / 8);
        if ahead >> 63 == 0 {
            let dead = ahead.leading_zeros() as u16;
            let end = (index / 8 + 1).saturating_sub(dead) * 8;
            if !fill.is_empty() {
                f(Extent::new(range.span(level, end, above), fill))?;
            }
            above = end;
            continue;
        }
        let end = first.max(index / 8 * 8);
        for index in (end..above).rev().map(PageTableIndex::new_truncate) {
            let entry = store.entry(table, index).within(fill);
            if entry.is_vacant() {
                continue;
            }
            let part = range.part(level, index);
            match level.next_lower_level() {
                Some(lower) if entry.is_present() => {
                    visit_down(store, lower, entry.frame(), entry.fill(), part, f)?;
                }
                _ => f(Extent::new(part, entry))?,
            }
        }
        above = end;
    }
    ControlFlow::Continue(())
}
