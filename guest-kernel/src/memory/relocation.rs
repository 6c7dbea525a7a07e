//! Mappings change their size and place (mremap(2)).
use super::areas::Area;
use super::mappings::own;
use super::pages::Tables;
use super::space::{AddressSpace, no_frame, page_range};
use contract::Errno;
use core::ops::Range;
use page_tree::Left;
use x86_64::VirtAddr;

/// What is left where a mapping was.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Origin {
    Unmapped,
    /// The mapping, without its pages (MREMAP_DONTUNMAP).
    Kept,
}

impl AddressSpace {
    /// Lets an area reach up to `end`, where nothing is mapped yet above it.
    ///
    /// # Errors
    /// ENOMEM; nothing has changed.
    pub fn extend(&self, area: &Area, end: u64) -> Result<(), Errno> {
        let new = area.range.end..end;
        self.continue_area(area, area.range.end - area.range.start, new)
    }

    /// Maps at `new` what would follow `offset` bytes after the start of an area.
    fn continue_area(&self, area: &Area, offset: u64, new: Range<u64>) -> Result<(), Errno> {
        use page_tree::Slide;
        if let Some(mapping) = &area.mapping {
            self.map_object(new.clone(), area.protection, mapping.slide(offset))?;
        } else {
            self.reserve(new.clone(), area.protection)?;
        }
        if !area.advice.is_empty() {
            self.advise(new, |_| area.advice)?;
        }
        Ok(())
    }

    /// Maps an area a second time, at a free place (mremap(2) with an old size of 0).
    ///
    /// # Errors
    /// ENOMEM.
    pub fn duplicate(&self, area: &Area, new: Range<u64>) -> Result<(), Errno> {
        self.continue_area(area, 0, new)
    }

    /// Moves an area to a free place as large as the new size, `to`; the pages move along.
    ///
    /// # Errors
    /// ENOMEM; nothing has changed.
    pub fn relocate(&self, area: &Area, to: Range<u64>, origin: Origin) -> Result<(), Errno> {
        let from = area.range.clone();
        let moved = to.start + (from.end - from.start);
        if moved < to.end {
            self.continue_area(area, from.end - from.start, moved..to.end)?;
        }
        let result = self.carry(area, from, to.start, origin);
        if result.is_err() && moved < to.end {
            // It took no frame that it needs now: its tables are there.
            let _ = self.unmap(moved..to.end);
        }
        result
    }

    fn carry(&self, area: &Area, from: Range<u64>, to: u64, origin: Origin) -> Result<(), Errno> {
        let inner = &mut *self.inner.borrow_mut();
        let pages = page_range(&from).ok_or(Errno::EINVAL)?;
        let left = match (origin, &area.mapping) {
            (Origin::Unmapped, _) => Left::Nothing,
            (Origin::Kept, None) => Left::Zeros,
            (Origin::Kept, Some(mapping)) => Left::Object(mapping.sharing),
        };
        let known = inner.mappings.touch(&from);
        if known {
            own(&mut inner.mappings)?;
        }
        inner
            .tree
            .relocate(&mut Tables, pages, VirtAddr::new_truncate(to), left)
            .map_err(no_frame)?;
        self.gaps.unmapped(from.end, self.map_top(inner));
        if known && let Ok(mappings) = own(&mut inner.mappings) {
            mappings.relocate(from.clone(), to);
            if origin == Origin::Kept
                && let Some(mapping) = &area.mapping
            {
                mappings.objects.insert(from, mapping.clone());
            }
        }
        Ok(())
    }
}
