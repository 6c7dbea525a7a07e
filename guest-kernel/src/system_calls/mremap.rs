//! mremap(2), in Linux's order of checks.
use crate::kernel::Kernel;
use crate::memory::areas::Area;
use crate::memory::heap;
use crate::memory::mappings::Advice;
use crate::memory::relocation::Origin;
use crate::memory::space::{LOWEST_ADDRESS, USER_END};
use contract::Errno;
use contract::PAGE;
use core::ops::Range;
use linux_raw_sys::general as linux;
use page_tree::Sharing;

impl Kernel {
    /// mremap(2).
    pub fn mremap(
        &self,
        old: u64,
        old_length: u64,
        new_length: u64,
        flags: u64,
        new: u64,
    ) -> Result<u64, Errno> {
        const MAY_MOVE: u64 = linux::MREMAP_MAYMOVE as u64;
        const FIXED: u64 = linux::MREMAP_FIXED as u64;
        const DONT_UNMAP: u64 = linux::MREMAP_DONTUNMAP as u64;
        let has = |flag: u64| flags & flag != 0;
        if flags & !(MAY_MOVE | FIXED | DONT_UNMAP) != 0
            || has(FIXED) && !has(MAY_MOVE)
            || has(DONT_UNMAP) && (!has(MAY_MOVE) || old_length != new_length)
            || !old.is_multiple_of(PAGE)
        {
            return Err(Errno::EINVAL);
        }
        // Linux lets a size wrap to 0, and refuses that.
        let old_length = old_length.checked_next_multiple_of(PAGE).unwrap_or(0);
        let new_length = new_length.checked_next_multiple_of(PAGE).unwrap_or(0);
        if new_length == 0 {
            return Err(Errno::EINVAL);
        }
        let all = old..old.saturating_add(old_length);
        let to = match flags & FIXED {
            0 => None,
            _ => Some(destination(&all, new, new_length)?),
        };
        heap::require_reserve()?;
        let end = old.saturating_add(old_length.max(PAGE)).min(USER_END);
        let first = self
            .space()
            .area_at(old..end.max(old.saturating_add(PAGE)))
            .ok_or(Errno::EFAULT)?;
        let origin = if has(DONT_UNMAP) {
            Origin::Kept
        } else {
            Origin::Unmapped
        };
        if let Some(to) = to {
            return self.remap_to(all, to, origin);
        }
        if origin == Origin::Kept {
            let area = self.whole(old, old_length, first)?;
            let to = self.space_for(&area, new_length, new, origin)?;
            return self.remap_into(&area, to, origin);
        }
        if old_length >= new_length {
            if old_length > new_length {
                self.space().unmap(old + new_length..old + old_length)?;
            }
            return Ok(old);
        }
        let area = self.whole(old, old_length, first)?;
        self.may_grow(&area, old_length, new_length)?;
        let room = old + old_length..old.saturating_add(new_length);
        let ends_here = old_length != 0 && !self.goes_on(&area);
        if ends_here && room.end <= USER_END && self.is_free(&room) {
            self.space().extend(&area, room.end)?;
            self.lock_like(&area, room);
            return Ok(old);
        }
        if !has(MAY_MOVE) {
            return Err(Errno::ENOMEM);
        }
        let to = self.space_for(&area, new_length, 0, origin)?;
        self.remap_into(&area, to, origin)
    }

    /// MREMAP_FIXED.
    fn remap_to(&self, mut old: Range<u64>, to: Range<u64>, origin: Origin) -> Result<u64, Errno> {
        if to.start < LOWEST_ADDRESS {
            return Err(Errno::EPERM);
        }
        let new_length = to.end - to.start;
        let cut = (old.start + new_length).min(old.end)..old.end;
        old.end = cut.start;
        let length = old.end - old.start;
        let first = self
            .space()
            .area_at(old.start..old.end.max(old.start + PAGE))
            .ok_or(Errno::EFAULT)?;
        let area = self.whole(old.start, length, first)?;
        if length < new_length {
            self.may_grow(&area, length, new_length)?;
        }
        self.space().unmap(to.clone())?;
        if !cut.is_empty() {
            self.space().unmap(cut)?;
        }
        self.remap_into(&area, to, origin)
    }

    fn remap_into(&self, area: &Area, to: Range<u64>, origin: Origin) -> Result<u64, Errno> {
        let space = self.space();
        if area.range.is_empty() {
            space.duplicate(area, to.clone())?;
        } else {
            space.relocate(area, to.clone(), origin)?;
        }
        self.lock_like(area, to.clone());
        Ok(to.start)
    }

    /// What is moved or grown stays locked, and what is new is there then.
    fn lock_like(&self, area: &Area, range: Range<u64>) {
        if area.advice.contains(Advice::LOCKED) {
            let _ = self.lock(range);
        }
    }

    /// All of what is to be moved, which must be one area: `first`, the first one there.
    fn whole(&self, old: u64, length: u64, first: Area) -> Result<Area, Errno> {
        if length == 0 {
            // A second mapping of what is shared; of private memory there is none.
            if first.sharing() == Sharing::Private {
                return Err(Errno::EINVAL);
            }
            let mut area = self.space().area_at(old..old + PAGE).ok_or(Errno::EFAULT)?;
            area.range.end = area.range.start;
            return Ok(area);
        }
        let end = old.checked_add(length).filter(|&end| end <= USER_END);
        if end != Some(first.range.end) {
            return Err(Errno::EFAULT);
        }
        Ok(first)
    }

    /// Whether an area is only the beginning of a larger one.
    fn goes_on(&self, area: &Area) -> bool {
        let end = area.range.end;
        end < USER_END
            && self
                .space()
                .area_at(area.range.start..end + PAGE)
                .is_some_and(|larger| larger.range.end > end)
    }

    fn is_free(&self, room: &Range<u64>) -> bool {
        self.space().is_unmapped(room) && !self.space().is_near_a_stack(room)
    }

    fn may_grow(&self, area: &Area, old: u64, new: u64) -> Result<(), Errno> {
        if area.advice.contains(Advice::LOCKED) {
            self.may_map_locked(new - old, false)?;
        }
        self.may_expand(new - old, None, area.protection, area.sharing())
    }

    fn space_for(
        &self,
        area: &Area,
        length: u64,
        hint: u64,
        origin: Origin,
    ) -> Result<Range<u64>, Errno> {
        if origin == Origin::Kept {
            self.may_grow(area, 0, length)?;
        }
        if length > USER_END {
            return Err(Errno::ENOMEM);
        }
        self.free_place(hint, length, 0)
    }
}

/// Where MREMAP_FIXED is to put what is at `old`.
fn destination(old: &Range<u64>, new: u64, length: u64) -> Result<Range<u64>, Errno> {
    if !new.is_multiple_of(PAGE) || length > USER_END || new > USER_END - length {
        return Err(Errno::EINVAL);
    }
    let to = new..new + length;
    if old.end > to.start && to.end > old.start {
        return Err(Errno::EINVAL);
    }
    Ok(to)
}
