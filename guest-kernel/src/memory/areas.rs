//! What is mapped, as Linux would say it: area by area.
use super::mappings::{Advice, Mapping};
use super::pages::Tables;
use super::space::{AddressSpace, page_range};
use contract::{Errno, PAGE};
use core::ops::Range;
use page_tree::{PageRange, Protection, Refusal, Sharing, Slide, Statistics, USER_END};

/// Areas that a space may have (vm.max_map_count of Linux).
const MOST_AREAS: u32 = 65_530;
/// What is assumed of a copy, until its areas are counted.
pub(super) const AREAS_OF_A_COPY: u32 = MOST_AREAS - 4096;

/// Neighbouring pages that are mapped alike: what Linux calls an area.
pub struct Area {
    pub range: Range<u64>,
    pub protection: Protection,
    sharing: Sharing,
    /// What it shows, from its first page on; `None` for private memory of zeros.
    pub mapping: Option<Mapping>,
    pub advice: Advice,
}

impl Area {
    pub const fn sharing(&self) -> Sharing {
        self.sharing
    }
}

impl AddressSpace {
    /// A change may make two areas more.
    ///
    /// # Errors
    /// ENOMEM: there are too many.
    pub fn require_areas(&self) -> Result<(), Errno> {
        if self.areas.get() + 2 > MOST_AREAS {
            let mut from = 0;
            let mut areas = 0;
            while let Some(area) = self.area(from..USER_END) {
                from = area.range.end;
                areas += 1;
            }
            self.areas.set(areas);
            if areas + 1 > MOST_AREAS {
                return Err(Errno::ENOMEM);
            }
        }
        self.areas.set(self.areas.get() + 2);
        Ok(())
    }

    /// The first area of a range, cut to it.
    pub fn area(&self, range: Range<u64>) -> Option<Area> {
        let inner = self.inner.borrow();
        let mut from = range.start;
        while from < range.end {
            // What is known of `from` ends here. The tree is asked no further: it takes all that is alike for one.
            let mut end = range.end;
            let mut mapping = None;
            match inner.mappings.objects.from(from) {
                Some((known, found)) if known.start <= from => {
                    end = end.min(known.end);
                    mapping = Some((known.start, found));
                }
                Some((known, _)) => end = end.min(known.start),
                None => {}
            }
            let mut advice = Advice::empty();
            match inner.mappings.advice.from(from) {
                Some((known, found)) if known.start <= from => {
                    end = end.min(known.end);
                    advice = *found;
                }
                Some((known, _)) => end = end.min(known.start),
                None => {}
            }
            if let Some(region) = inner.tree.first_region(&Tables, page_range(&(from..end))?) {
                let (start, end) = (region.range.start().as_u64(), region.range.end().as_u64());
                return Some(Area {
                    range: start..end,
                    protection: region.protection,
                    sharing: region.sharing,
                    mapping: mapping.map(|(known, found)| found.slide(start - known)),
                    advice,
                });
            }
            from = end;
        }
        None
    }

    /// The area that begins at the start of a range, or holds it; `None` where nothing is mapped there.
    pub fn area_at(&self, range: Range<u64>) -> Option<Area> {
        let start = range.start;
        self.area(range).filter(|area| area.range.start == start)
    }

    /// What is mapped at an address.
    ///
    /// # Errors
    /// Nothing is.
    pub fn mapping_at(&self, address: u64) -> Result<(Protection, Sharing), Refusal> {
        let page = address / PAGE * PAGE;
        let region = page_range(&(page..page + PAGE))
            .and_then(|page| self.inner.borrow().tree.first_region(&Tables, page))
            .ok_or(Refusal::NotMapped)?;
        Ok((region.protection, region.sharing))
    }

    /// Whether nothing is mapped in a range.
    pub fn is_unmapped(&self, range: &Range<u64>) -> bool {
        page_range(range).is_some_and(|range| self.inner.borrow().tree.is_unmapped(&Tables, range))
    }

    /// Whether anything in it may be shared with others but by sharing all of it.
    pub fn has_shared_memory(&self) -> bool {
        self.inner.borrow().mappings.had_shared
    }

    /// Pages with a frame, and pages mapped at all.
    pub fn sizes(&self) -> (u64, u64) {
        let statistics = self.statistics(PageRange::ALL);
        (statistics.resident, statistics.mapped)
    }

    /// What a range is made of.
    pub fn statistics(&self, range: PageRange) -> Statistics {
        self.inner.borrow().tree.statistics(&Tables, range)
    }
}
