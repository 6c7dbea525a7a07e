//! Memory: brk, munmap, mprotect, msync, mincore. What they do is in [`crate::memory`].
use crate::kernel::Kernel;
use crate::memory::areas::Area;
use crate::memory::mappings::{Advice, Purpose};
use crate::memory::space::{AddressSpace, USER_END};
use crate::memory::user::{self, UserBuffer};
use crate::process::limits::{INFINITY, Limit, Resource};
use contract::{Errno, PAGE};
use core::ops::Range;
use linux_raw_sys::general as linux;
use page_tree::{PageRange, Protection, Sharing};

/// The whole pages of `length` bytes from `address`, as Linux's calls check them.
pub(super) fn pages(address: u64, length: u64) -> Option<Range<u64>> {
    let length = length.checked_next_multiple_of(PAGE)?;
    let end = address.checked_add(length)?;
    (address.is_multiple_of(PAGE) && end <= USER_END).then_some(address..end)
}

fn protection(bits: u64) -> Option<Protection> {
    const SEMAPHORES: u64 = 8;
    Protection::from_bits(u8::try_from(bits & !SEMAPHORES).ok()?)
}

/// The areas of a range, upwards; an error where one is missing between them.
pub(super) fn areas(
    space: &AddressSpace,
    range: Range<u64>,
) -> impl Iterator<Item = Result<Area, Errno>> {
    let mut from = range.start;
    core::iter::from_fn(move || {
        if from >= range.end {
            return None;
        }
        let area = space.area_at(from..range.end);
        from = area.as_ref().map_or(range.end, |area| area.range.end);
        Some(area.ok_or(Errno::ENOMEM))
    })
}

impl Kernel {
    pub(super) fn space(&self) -> &AddressSpace {
        self.processes[self.current].space()
    }

    /// Whether the process may map `length` bytes more, beside `instead` that it gives up for them.
    pub(super) fn may_expand(
        &self,
        length: u64,
        instead: Option<&Range<u64>>,
        protection: Protection,
        sharing: Sharing,
    ) -> Result<(), Errno> {
        let process = &self.processes[self.current];
        let all = process.limits.soft(Resource::AddressSpace);
        // No data at all is no limit, for Linux does so too: it starts programs with that.
        let data = match process.limits.get(Resource::Data) {
            Limit { soft: 0, hard } => hard,
            Limit { soft, .. } => soft,
        };
        if all == INFINITY && data == INFINITY {
            return Ok(());
        }
        let now = process.space().statistics(PageRange::ALL);
        let gone = instead
            .and_then(|range| PageRange::new(range.start, range.end - range.start))
            .map(|range| process.space().statistics(range))
            .unwrap_or_default();
        let new = length / PAGE;
        if now.mapped - gone.mapped + new > all / PAGE {
            return Err(Errno::ENOMEM);
        }
        let is_data = sharing == Sharing::Private && protection.contains(Protection::WRITE);
        if is_data && now.data - gone.data + new > data / PAGE {
            return Err(Errno::ENOMEM);
        }
        Ok(())
    }

    /// brk(2), the system call: answers the new break, or the present one on failure.
    pub fn brk(&self, wanted: u64) -> u64 {
        let space = self.space();
        let now = space.break_end();
        if self.may_break(wanted, now).is_ok() && space.set_break(wanted).is_ok() {
            if wanted > now && space.places().locks_future {
                let _ = self.lock(now.next_multiple_of(PAGE)..wanted.next_multiple_of(PAGE));
            }
            wanted
        } else {
            now
        }
    }

    fn may_break(&self, wanted: u64, now: u64) -> Result<(), Errno> {
        if wanted <= now || wanted >= USER_END {
            return Ok(());
        }
        let limits = &self.processes[self.current].limits;
        let data = limits.soft(Resource::Data);
        if data != INFINITY {
            let places = self.space().places();
            let size = wanted.saturating_sub(places.break_start) + (places.data.1 - places.data.0);
            if size > data {
                return Err(Errno::ENOMEM);
            }
        }
        let pages = wanted.next_multiple_of(PAGE) - now.next_multiple_of(PAGE);
        let protection = Protection::READ | Protection::WRITE;
        self.may_expand(pages, None, protection, Sharing::Private)
    }

    /// munmap(2).
    pub fn munmap(&self, address: u64, length: u64) -> Result<u64, Errno> {
        let range = pages(address, length)
            .filter(|range| !range.is_empty())
            .ok_or(Errno::EINVAL)?;
        let space = self.space();
        let around = range.start.saturating_sub(PAGE)..range.end.saturating_add(PAGE);
        if let Err(errno) = space.require_areas()
            && space
                .area_at(around.clone())
                .is_some_and(|area| area.range == around)
        {
            // It would make two of one.
            return Err(errno);
        }
        space.unmap(range)?;
        Ok(0)
    }

    /// mprotect(2).
    pub fn mprotect(&self, address: u64, length: u64, bits: u64) -> Result<u64, Errno> {
        const GROWS: u64 = (linux::PROT_GROWSDOWN | linux::PROT_GROWSUP) as u64;
        let grows = bits & GROWS;
        if grows == GROWS || !address.is_multiple_of(PAGE) {
            return Err(Errno::EINVAL);
        }
        if length == 0 {
            return Ok(0);
        }
        let range = pages(address, length).ok_or(Errno::ENOMEM)?;
        let protection = protection(bits & !GROWS).ok_or(Errno::EINVAL)?;
        let range = match grows {
            0 => range,
            _ => self.down_to_the_start(range, grows)?,
        };
        let space = self.space();
        space.require_areas()?;
        if protection.contains(Protection::WRITE)
            && let Some(forbidden) = first_read_only(space, &range)
        {
            // What lies before it is changed, as on Linux.
            if range.start < forbidden {
                space.protect(range.start..forbidden, protection)?;
            }
            return Err(Errno::EACCES);
        }
        space.protect(range, protection)?;
        Ok(0)
    }

    /// A range from the start of the stack on that it lies in (PROT_GROWSDOWN).
    fn down_to_the_start(&self, range: Range<u64>, grows: u64) -> Result<Range<u64>, Errno> {
        let area = self.space().area_at(range.clone()).ok_or(Errno::ENOMEM)?;
        let places = self.space().places();
        let stack = self.space().stack_start();
        let down = grows == u64::from(linux::PROT_GROWSDOWN)
            && (area.advice.contains(Advice::GROWS_DOWN)
                || (stack..places.stack_end).contains(&range.start));
        if !down {
            return Err(Errno::EINVAL);
        }
        Ok(stack.min(range.start)..range.end)
    }

    /// msync(2): what is written to a mapping is in its file at once.
    pub fn msync(&self, address: u64, length: u64, flags: u64) -> Result<u64, Errno> {
        const KNOWN: u32 = linux::MS_ASYNC | linux::MS_INVALIDATE | linux::MS_SYNC;
        let flags = flags as u32;
        if flags & !KNOWN != 0
            || !address.is_multiple_of(PAGE)
            || flags & linux::MS_ASYNC != 0 && flags & linux::MS_SYNC != 0
        {
            return Err(Errno::EINVAL);
        }
        // As on Linux, a length that cannot be rounded up is none.
        let length = length.checked_next_multiple_of(PAGE).unwrap_or(0);
        let end = address.checked_add(length).ok_or(Errno::ENOMEM)?;
        // A hole is told at the end, what is locked at once.
        let mut from = address;
        let mut answer = Ok(0);
        while from < end {
            let Some(area) = self.space().area(from..end) else {
                return Err(Errno::ENOMEM);
            };
            if area.range.start > from {
                answer = Err(Errno::ENOMEM);
            }
            if flags & linux::MS_INVALIDATE != 0 && area.advice.contains(Advice::LOCKED) {
                return Err(Errno::EBUSY);
            }
            from = area.range.end;
        }
        answer
    }

    /// mincore(2).
    pub fn mincore(&self, address: u64, length: u64, vector: u64) -> Result<u64, Errno> {
        if !address.is_multiple_of(PAGE) {
            return Err(Errno::EINVAL);
        }
        let end = address.checked_add(length).filter(|&end| end <= USER_END);
        let end = end.ok_or(Errno::ENOMEM)?.next_multiple_of(PAGE);
        user::check(vector, (end - address) / PAGE)?;
        let space = self.space();
        for area in areas(space, address..end) {
            let range = area?.range;
            let buffer = UserBuffer {
                address: vector + (range.start - address) / PAGE,
                length: (range.end - range.start) / PAGE,
            };
            let written = buffer.write_pieces::<Errno>(space, |done, piece| {
                for (n, byte) in piece.iter_mut().enumerate() {
                    let page = range.start + (done + n) as u64 * PAGE;
                    *byte = u8::from(space.is_resident(page));
                }
                Ok(piece.len())
            })?;
            if (written as u64) < buffer.length {
                return Err(Errno::EFAULT);
            }
        }
        Ok(0)
    }
}

/// The first address in a range where a file is mapped that must not be written through it.
fn first_read_only(space: &AddressSpace, range: &Range<u64>) -> Option<u64> {
    space.first_mapping(range.clone(), |mapping| {
        mapping.purpose == Purpose::ReadOnly
    })
}
