//! Stacks that grow: the program's own, and mappings with MAP_GROWSDOWN.
use super::mappings::{Advice, Places, own};
use super::pages::Tables;
use super::space::{AddressSpace, Inner, no_frame, page_range};
use contract::{Errno, PAGE, PAGE_SIZE};
use core::ops::Range;
use page_tree::{Protection, Sharing};

/// A stack grows by as much as one entry of a table can reserve: that costs no table and no page.
const STEP: u64 = 2 << 20;
/// What a program gets below the strings on its stack, whatever becomes of the limit.
const FIRST_SIZE: u64 = 128 << 10;
/// Where the start of a stack is looked for at least and at most, down from its end: whatever a program maps next to it,
/// a call asks only so often.
const SEARCH: (u64, u64) = (8 << 20, 256 << 20);
/// What stays free below a stack that grows (`stack_guard_gap` of Linux).
pub const GAP: u64 = 256 * PAGE;

impl AddressSpace {
    /// An access found nothing mapped: where a stack may grow down to there, it does.
    pub(super) fn grow_stack(&self, address: u64) -> bool {
        let inner = &mut *self.inner.borrow_mut();
        let Some(new) = inner.growth(address) else {
            return false;
        };
        let protection = Protection::READ | Protection::WRITE;
        let Some((range, protection)) =
            page_range(&new.range).map(|range| (range, new.protection.unwrap_or(protection)))
        else {
            return false;
        };
        if new.advice.is_some() && own(&mut inner.mappings).is_err()
            || inner.tree.reserve(&mut Tables, range, protection).is_err()
        {
            return false;
        }
        if let Some(advice) = new.advice
            && let Ok(mappings) = own(&mut inner.mappings)
        {
            mappings.advice.insert(new.range, advice);
        }
        true
    }

    /// Lays out the stack of a fresh space.
    ///
    /// # Errors
    /// ENOMEM.
    pub fn reserve_stack(&self, end: u64, limit: u64) -> Result<(), Errno> {
        let inner = &mut *self.inner.borrow_mut();
        let mappings = own(&mut inner.mappings)?;
        mappings.places.stack_end = end;
        mappings.places.stack_limit = limit;
        let range = page_range(&first_step(end, limit)).ok_or(Errno::ENOMEM)?;
        inner
            .tree
            .reserve(&mut Tables, range, Protection::READ | Protection::WRITE)
            .map_err(no_frame)
    }

    /// Lets the stack of a fresh space end elsewhere.
    ///
    /// # Errors
    /// ENOMEM: the space has no stack then.
    pub fn move_stack(&self, end: u64) -> Result<(), Errno> {
        let Places {
            stack_end,
            stack_limit,
            ..
        } = self.places();
        self.unmap(first_step(stack_end, stack_limit))?;
        self.reserve_stack(end, stack_limit)
    }

    /// Sets how large the stack may become. What it has it keeps, but for what it has never used.
    ///
    /// # Errors
    /// ENOMEM.
    pub fn limit_stack(&self, limit: u64) -> Result<(), Errno> {
        let inner = &mut *self.inner.borrow_mut();
        let places = &mut own(&mut inner.mappings)?.places;
        places.stack_limit = limit;
        let end = places.stack_end;
        if limit >= STEP {
            return Ok(());
        }
        // The first step was reserved whole. What lies below the limit goes, down from the lowest page in use; a program
        // that runs keeps what it got at its start, as on Linux.
        let at_start = match self.arguments().start {
            0 => end,
            strings => (strings & !(PAGE - 1)).saturating_sub(FIRST_SIZE),
        };
        let Some(step) = page_range(&(end.saturating_sub(STEP)..end)) else {
            return Ok(());
        };
        let lowest = (step.start().as_u64()..end)
            .step_by(PAGE_SIZE)
            .find(|&page| {
                let at = x86_64::VirtAddr::new_truncate(page);
                inner.tree.translate(&Tables, at).is_some()
            })
            .unwrap_or(end - PAGE);
        let kept = lowest
            .min(at_start)
            .min(end - whole_pages(limit).clamp(PAGE, STEP));
        if let Some(gone) = page_range(&(step.start().as_u64()..kept)) {
            inner.tree.unmap(&mut Tables, gone).map_err(no_frame)?;
        }
        Ok(())
    }

    /// How large the program's stack may become.
    pub fn stack_limit(&self) -> u64 {
        self.inner.borrow().mappings.places.stack_limit
    }

    /// Where the program's stack begins now.
    pub fn stack_start(&self) -> u64 {
        let inner = self.inner.borrow();
        inner.stack_start(inner.mappings.places.stack_end)
    }

    /// What a stack needs free below it, if one begins at an address: where it may still grow to.
    pub fn is_near_a_stack(&self, range: &Range<u64>) -> bool {
        let inner = self.inner.borrow();
        let places = &inner.mappings.places;
        let end = places.stack_end;
        let lowest = end.saturating_sub(places.stack_limit).saturating_sub(GAP);
        if range.end <= lowest || range.start >= end {
            return false;
        }
        let low = inner.stack_start(end);
        range.end > low.saturating_sub(GAP)
    }
}

/// How a stack grows.
struct Growth {
    range: Range<u64>,
    /// That of the mapping it belongs to; the program's stack has that of any stack.
    protection: Option<Protection>,
    advice: Option<Advice>,
}

impl Inner {
    /// Where the stack that ends at `end` begins now.
    fn stack_start(&self, end: u64) -> u64 {
        let longest = self.mappings.places.stack_limit.clamp(SEARCH.0, SEARCH.1);
        let lowest = end.saturating_sub(longest);
        let mut start = end;
        while start > lowest
            && let Some(below) = page_range(&(start.saturating_sub(STEP)..start))
            && let Some(region) = self.last_region(below.start().as_u64()..start)
            && region.end == start
        {
            start = region.start;
            if region.start > below.start().as_u64() {
                break;
            }
        }
        start
    }

    /// The last mapped piece of a range.
    fn last_region(&self, range: Range<u64>) -> Option<Range<u64>> {
        let mut from = range.start;
        let mut last = None;
        while let Some(region) =
            page_range(&(from..range.end)).and_then(|rest| self.tree.first_region(&Tables, rest))
        {
            from = region.range.end().as_u64();
            last = Some(region.range.start().as_u64()..from);
        }
        last
    }

    fn growth(&self, address: u64) -> Option<Growth> {
        let page = address & !(PAGE - 1);
        let above = page_range(&(page..page_tree::USER_END))?;
        let region = self.tree.first_region(&Tables, above)?;
        let start = region.range.start().as_u64();
        let places = &self.mappings.places;
        let advice = self
            .mappings
            .advice
            .at(start)
            .filter(|(_, advice)| advice.contains(Advice::GROWS_DOWN));
        if let Some((marked, advice)) = advice {
            let size = marked.end - page;
            return (size <= places.stack_limit && self.is_clear(page, start)).then_some(Growth {
                range: page..start,
                protection: Some(region.protection),
                advice: Some(*advice),
            });
        }
        let stack = page < places.stack_end
            && start < places.stack_end
            && region.sharing == Sharing::Private
            && region.protection.contains(Protection::WRITE)
            && self.mappings.objects.at(start).is_none();
        let lowest = places.stack_end - places.stack_limit.min(places.stack_end);
        if !stack || page < lowest.next_multiple_of(PAGE) || !self.is_clear(page, start) {
            return None;
        }
        let step = (page & !(STEP - 1)).max(lowest.next_multiple_of(PAGE));
        let from = if self.is_clear(step, start) {
            step
        } else {
            page
        };
        Some(Growth {
            range: from..start,
            protection: Some(region.protection),
            advice: None,
        })
    }

    /// Whether nothing but pages that allow nothing lies closer below a stack's new start than it must.
    fn is_clear(&self, new: u64, old: u64) -> bool {
        let low = new.saturating_sub(GAP);
        if low < super::space::LOWEST_ADDRESS {
            return false;
        }
        let Some(range) = page_range(&(low..old)) else {
            return false;
        };
        match self.tree.first_region(&Tables, range) {
            None => true,
            Some(region) => region.protection.is_empty() && region.range.end().as_u64() <= new,
        }
    }
}

/// What is reserved of a stack at first.
fn first_step(end: u64, limit: u64) -> Range<u64> {
    end - whole_pages(limit).clamp(PAGE, STEP)..end
}

/// The bytes of a limit in whole pages.
const fn whole_pages(limit: u64) -> u64 {
    limit / PAGE * PAGE
}
