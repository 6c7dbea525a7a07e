//! Where things go: mappings, and the heap's end.
use super::pages::Tables;
use super::space::{AddressSpace, LOWEST_ADDRESS, Shift, USER_END};
use super::stack::GAP;
use contract::{Errno, PAGE};
use core::cell::Cell;
use page_tree::Protection;
use x86_64::VirtAddr;

/// What is known of gaps, so that the search for one does not step over all that is mapped each time.
///
/// The search goes downwards from the top of the mappings, and then downwards from the end of the user's half to there.
/// Both are one line here: what is below the top of the mappings counts as [`USER_END`] higher than it is.
pub struct Gaps {
    /// Higher on that line there is no gap of `length` bytes or more.
    above: Cell<u64>,
    length: Cell<u64>,
}

impl Gaps {
    /// Nothing is known.
    pub const fn unknown() -> Self {
        Self {
            above: Cell::new(u64::MAX),
            length: Cell::new(0),
        }
    }

    /// From where on, downwards, a gap of a length can be.
    fn below(&self, length: u64) -> u64 {
        if length >= self.length.get() {
            self.above.get()
        } else {
            u64::MAX
        }
    }

    /// Something has been unmapped. With the gap above it, which was shorter than what is known of, it may make a gap
    /// that is long enough.
    pub fn unmapped(&self, end: u64, map_top: u64) {
        let end = if end <= map_top { end + USER_END } else { end };
        if end > self.above.get() {
            self.above.set(end.saturating_add(self.length.get()));
        }
    }
}

impl AddressSpace {
    /// A free place for `length` bytes: the highest between stack and top of the mappings, else above, else below the
    /// stack and what it may become.
    pub fn find_gap(&self, length: u64) -> Option<u64> {
        let places = self.places();
        let below_stack = places
            .stack_end
            .saturating_sub(places.stack_limit.min(places.stack_end / 2))
            .saturating_sub(GAP);
        let known = self.gaps.below(length);
        for (base, floor, top) in [
            (USER_END, places.stack_end, places.map_top),
            (0, places.map_top, USER_END),
        ] {
            let top = top.min(known.saturating_sub(base));
            if let Some(start) = self.gap_between(length, floor, top) {
                self.gaps.above.set(base + start + length);
                self.gaps.length.set(length);
                return Some(start);
            }
        }
        self.gap_between(length, LOWEST_ADDRESS, below_stack)
    }

    /// A free place below 2 GiB (MAP_32BIT of mmap(2)).
    pub fn find_low_gap(&self, length: u64) -> Option<u64> {
        const BOTTOM: u64 = 0x4000_0000;
        const TOP: u64 = 0x8000_0000;
        self.gap_between(length, BOTTOM, TOP)
    }

    fn gap_between(&self, length: u64, floor: u64, top: u64) -> Option<u64> {
        self.inner
            .borrow()
            .tree
            .find_gap(
                &Tables,
                length,
                PAGE,
                VirtAddr::new_truncate(top),
                VirtAddr::new_truncate(floor.max(LOWEST_ADDRESS)),
            )
            .map(VirtAddr::as_u64)
    }

    /// Where the program's code is and its data, and where its heap begins, which is empty now.
    ///
    /// # Errors
    /// ENOMEM.
    pub fn place_program(
        &self,
        code: (u64, u64),
        data: (u64, u64),
        heap: u64,
    ) -> Result<(), Errno> {
        self.set_places(|places| {
            (places.code, places.data, places.break_start) = (code, data, heap);
        })?;
        self.break_end.set(heap);
        Ok(())
    }

    /// Moves the beginnings of heap and mappings in a fresh space.
    pub fn shift(&self, shift: Shift) {
        self.shift.set(shift);
        self.break_end
            .set(self.break_end.get() + u64::from(shift.heap) * PAGE);
    }

    /// The end of the heap.
    pub fn break_end(&self) -> u64 {
        self.break_end.get()
    }

    /// brk(2): moves the end of the heap.
    ///
    /// # Errors
    /// ENOMEM: it stays where it was.
    pub fn set_break(&self, wanted: u64) -> Result<(), Errno> {
        let now = self.break_end.get();
        let start = self.places().break_start;
        if wanted < start || wanted >= USER_END {
            return Err(Errno::ENOMEM);
        }
        let (old, new) = (now.next_multiple_of(PAGE), wanted.next_multiple_of(PAGE));
        if new > old {
            // A page is left free above, as a guard against running into what follows; before a stack, what it needs.
            if !self.is_unmapped(&(old..new + PAGE)) || self.is_near_a_stack(&(old..new)) {
                return Err(Errno::ENOMEM);
            }
            self.reserve(old..new, Protection::READ | Protection::WRITE)?;
        } else if new < old {
            self.unmap(new..old)?;
        }
        self.break_end.set(wanted);
        Ok(())
    }
}
