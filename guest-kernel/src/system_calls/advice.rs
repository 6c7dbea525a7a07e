//! madvise(2).
use super::memory::pages;
use crate::kernel::Kernel;
use crate::memory::areas::Area;
use crate::memory::heap;
use crate::memory::mappings::{Advice, Purpose};
use contract::Errno;
use contract::PAGE;
use linux_raw_sys::general as linux;
use page_tree::{Access, Protection, Refusal, Sharing, Whole};

impl Kernel {
    /// madvise(2): what only helps Linux is taken note of by doing nothing.
    pub fn madvise(&mut self, address: u64, length: u64, advice: u64) -> Result<u64, Errno> {
        let advice = advice as u32;
        if !is_known(advice) || !address.is_multiple_of(PAGE) {
            return Err(Errno::EINVAL);
        }
        let rounded = length.checked_next_multiple_of(PAGE).ok_or(Errno::EINVAL)?;
        if rounded == 0 {
            return Ok(0);
        }
        if address.checked_add(rounded).is_none() {
            return Err(Errno::EINVAL);
        }
        let range = pages(address, length).ok_or(Errno::ENOMEM)?;
        heap::require_reserve()?;
        if matches!(advice, linux::MADV_DONTNEED | linux::MADV_FREE)
            && let Some(discarded) = self.space().discard_zeros(&range)
        {
            return match discarded? {
                Whole::Mapped => Ok(0),
                Whole::Holed => Err(Errno::ENOMEM),
            };
        }
        // Advice reaches all that is mapped; a hole is told of afterwards.
        let mut from = range.start;
        let mut hole = false;
        while from < range.end {
            let Some(area) = self.space().area(from..range.end) else {
                hole = true;
                break;
            };
            hole |= area.range.start != from;
            from = area.range.end;
            if hole
                && matches!(
                    advice,
                    linux::MADV_POPULATE_READ | linux::MADV_POPULATE_WRITE
                )
            {
                return Err(Errno::ENOMEM);
            }
            self.advise_area(&area, advice)?;
        }
        if hole { Err(Errno::ENOMEM) } else { Ok(0) }
    }

    fn advise_area(&mut self, area: &Area, advice: u32) -> Result<(), Errno> {
        let range = area.range.clone();
        let space = self.space();
        let locked = area.advice.contains(Advice::LOCKED);
        match advice {
            linux::MADV_DONTNEED | linux::MADV_FREE | linux::MADV_COLD | linux::MADV_PAGEOUT
                if locked =>
            {
                Err(Errno::EINVAL)
            }
            linux::MADV_DONTNEED | linux::MADV_DONTNEED_LOCKED => space.discard(area),
            linux::MADV_FREE if area.mapping.is_some() => Err(Errno::EINVAL),
            linux::MADV_FREE => space.discard(area),
            linux::MADV_DONTFORK => space.advise(range, |known| known | Advice::DONT_FORK),
            linux::MADV_DOFORK => space.advise(range, |known| known.difference(Advice::DONT_FORK)),
            linux::MADV_WIPEONFORK if area.mapping.is_some() => Err(Errno::EINVAL),
            linux::MADV_WIPEONFORK => space.advise(range, |known| known | Advice::WIPE_ON_FORK),
            linux::MADV_KEEPONFORK => {
                space.advise(range, |known| known.difference(Advice::WIPE_ON_FORK))
            }
            linux::MADV_POPULATE_READ => populate(space.populate(range, Access::Read)),
            linux::MADV_POPULATE_WRITE => populate(space.populate(range, Access::Write)),
            linux::MADV_REMOVE => self.punch(area, locked),
            _ => Ok(()),
        }
    }

    /// MADV_REMOVE: a hole in the file that is mapped.
    fn punch(&mut self, area: &Area, locked: bool) -> Result<(), Errno> {
        let Some(mapping) = &area.mapping else {
            return Err(Errno::EINVAL);
        };
        if locked {
            return Err(Errno::EINVAL);
        }
        if area.sharing() != Sharing::Shared
            || !area.protection.contains(Protection::WRITE)
            || mapping.purpose != Purpose::Writable
        {
            return Err(Errno::EACCES);
        }
        let start = mapping.first * PAGE;
        let end = start + (area.range.end - area.range.start);
        let file = mapping.object.file().clone();
        let punched = file.punch(&mut self.pages, start..end);
        if let Some(lost) = file.lost() {
            for slot in self.processes.slots() {
                if let Some(space) = &self.processes[slot].memory {
                    space.forget_lost_pages(&file, &lost);
                }
            }
            file.forget_lost();
        }
        file.release(&mut self.pages);
        punched
    }
}

/// Advice that Linux takes, built as distributions build it.
const fn is_known(advice: u32) -> bool {
    matches!(
        advice,
        linux::MADV_NORMAL
            | linux::MADV_RANDOM
            | linux::MADV_SEQUENTIAL
            | linux::MADV_WILLNEED
            | linux::MADV_DONTNEED
            | linux::MADV_FREE
            | linux::MADV_REMOVE
            | linux::MADV_DONTFORK
            | linux::MADV_DOFORK
            | linux::MADV_MERGEABLE
            | linux::MADV_UNMERGEABLE
            | linux::MADV_HUGEPAGE
            | linux::MADV_NOHUGEPAGE
            | linux::MADV_DONTDUMP
            | linux::MADV_DODUMP
            | linux::MADV_WIPEONFORK
            | linux::MADV_KEEPONFORK
            | linux::MADV_COLD
            | linux::MADV_PAGEOUT
            | linux::MADV_POPULATE_READ
            | linux::MADV_POPULATE_WRITE
            | linux::MADV_DONTNEED_LOCKED
    )
}

fn populate(result: Result<(), Refusal>) -> Result<(), Errno> {
    result.map_err(|refusal| match refusal {
        Refusal::NotMapped | Refusal::NotThere | Refusal::OutOfFrames => Errno::ENOMEM,
        Refusal::NotAllowed => Errno::EINVAL,
        Refusal::BeyondEnd => Errno::EFAULT,
    })
}
