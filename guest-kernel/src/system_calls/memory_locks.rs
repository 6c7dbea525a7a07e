//! Locked memory: mlock(2) and its kin. Nothing is ever taken out of memory; what is locked is there from then on.
use super::memory::areas;
use crate::kernel::Kernel;
use crate::memory::mappings::Advice;
use crate::memory::space::USER_END;
use crate::process::limits::Resource;
use contract::{Errno, PAGE};
use core::ops::Range;
use linux_raw_sys::general as linux;
use page_tree::PageRange;

impl Kernel {
    /// Pages that the caller may have locked (RLIMIT_MEMLOCK), which does not bind who may lock any.
    ///
    /// # Errors
    /// EPERM: none at all.
    fn lock_limit(&self) -> Result<u64, Errno> {
        let process = &self.processes[self.current];
        if process.credentials.may_lock_memory() {
            return Ok(u64::MAX);
        }
        match process.limits.soft(Resource::Locked) {
            0 => Err(Errno::EPERM),
            limit => Ok(limit / PAGE),
        }
    }

    /// Whether a mapping of so many bytes, to be locked, may be made.
    ///
    /// # Errors
    /// EPERM where it was asked for; EAGAIN: the limit.
    pub(super) fn may_map_locked(&self, length: u64, asked: bool) -> Result<(), Errno> {
        let limit = match self.lock_limit() {
            Ok(limit) => limit,
            Err(errno) if asked => return Err(errno),
            Err(_) => 0,
        };
        if limit != u64::MAX && self.space().locked_pages(0..USER_END) + length / PAGE > limit {
            return Err(Errno::EAGAIN);
        }
        Ok(())
    }

    /// mlock(2) and mlock2(2).
    pub fn mlock(&self, address: u64, length: u64, flags: u64) -> Result<u64, Errno> {
        let flags = flags as u32;
        if flags & !linux::MLOCK_ONFAULT != 0 {
            return Err(Errno::EINVAL);
        }
        let limit = self.lock_limit()?;
        let range = around(address, length)?;
        let space = self.space();
        let pages = (range.end - range.start) / PAGE;
        if limit != u64::MAX
            && space.locked_pages(0..USER_END) - space.locked_pages(range.clone()) + pages > limit
        {
            return Err(Errno::ENOMEM);
        }
        for area in areas(space, range.clone()) {
            area?;
        }
        space.advise(range.clone(), |advice| advice | Advice::LOCKED)?;
        if flags == 0 && space.populate_as_allowed(range).is_err() {
            return Err(Errno::ENOMEM);
        }
        Ok(0)
    }

    /// munlock(2).
    pub fn munlock(&self, address: u64, length: u64) -> Result<u64, Errno> {
        let range = around(address, length)?;
        for area in areas(self.space(), range.clone()) {
            area?;
        }
        self.space()
            .advise(range, |advice| advice.difference(Advice::LOCKED))?;
        Ok(0)
    }

    /// mlockall(2).
    pub fn mlockall(&self, flags: u64) -> Result<u64, Errno> {
        const KNOWN: u32 = linux::MCL_CURRENT | linux::MCL_FUTURE | linux::MCL_ONFAULT;
        let flags = flags as u32;
        if flags == 0 || flags & !KNOWN != 0 || flags == linux::MCL_ONFAULT {
            return Err(Errno::EINVAL);
        }
        let limit = self.lock_limit()?;
        let future = flags & linux::MCL_FUTURE != 0;
        let space = self.space();
        if flags & linux::MCL_CURRENT != 0
            && limit != u64::MAX
            && space.statistics(PageRange::ALL).mapped > limit
        {
            return Err(Errno::ENOMEM);
        }
        space.set_places(|places| places.locks_future = future)?;
        if flags & linux::MCL_CURRENT != 0 {
            let mut from = 0;
            while let Some(area) = space.area(from..USER_END) {
                from = area.range.end;
                space.advise(area.range.clone(), |advice| advice | Advice::LOCKED)?;
                if flags & linux::MCL_ONFAULT == 0 {
                    // As on Linux, what cannot be had now is left to the first access.
                    let _ = space.populate_as_allowed(area.range);
                }
            }
        }
        Ok(0)
    }

    /// munlockall(2).
    pub fn munlockall(&self) -> Result<u64, Errno> {
        let space = self.space();
        space.set_places(|places| places.locks_future = false)?;
        space.advise(0..USER_END, |advice| advice.difference(Advice::LOCKED))?;
        Ok(0)
    }

    /// What is mapped here is locked, and there.
    pub(super) fn lock(&self, range: Range<u64>) -> Result<(), Errno> {
        self.space()
            .advise(range.clone(), |advice| advice | Advice::LOCKED)?;
        // As on Linux, what cannot be had now is left to the first access.
        let _ = self.space().populate_as_allowed(range);
        Ok(())
    }
}

/// The pages that a range touches, as mlock(2) rounds them.
fn around(address: u64, length: u64) -> Result<Range<u64>, Errno> {
    let start = address & !(PAGE - 1);
    // As on Linux, a length that cannot be rounded up wraps.
    let length = length.wrapping_add(address % PAGE);
    let length = length.checked_next_multiple_of(PAGE).unwrap_or(0);
    let end = start.checked_add(length).ok_or(Errno::EINVAL)?;
    if length != 0 && end > USER_END {
        return Err(Errno::ENOMEM);
    }
    Ok(start..end)
}
