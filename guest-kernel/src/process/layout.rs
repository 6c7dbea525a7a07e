//! Where the parts of a program's space go: at fixed addresses, or at random ones.
//!
//! What is random, and when it is drawn: where a program that can lie anywhere is put, once for each program and boot, for
//! its pristine space is made once; where the stack ends, at every [`EXECS`]th exec of a program, for tables are made for
//! it; first string on the stack, heap and top of the mappings at each exec. All but the mappings stay in the first GiB, so
//! that a small process has one table at each level but the last.
use super::ProcessSlot;
use super::limits::Resource;
use super::template::Program;
use crate::kernel::Kernel;
use crate::memory::space::{AddressSpace, STACK_LIMIT, Shift};
use crate::random;
use contract::{Errno, PAGE};

/// Where a program that can lie anywhere is put; at random, up to so many pages above.
const RELOCATABLE_BASE: u64 = 0x1000_0000;
const RELOCATABLE_PAGES: u64 = 1 << 14;
/// Where the stack ends, in a program that leaves the place free; at random, so many steps below.
pub const STACK_TOP: u64 = 0x4000_0000;
const STACK_STEP: u64 = 2 << 20;
const STACK_STEPS: u64 = 1 << 7;
/// So many times a program is executed with one such end.
pub const EXECS: u8 = 32;
/// Its first string is at most so many units of 16 bytes below that.
const STACK_OFFSETS: u64 = 1 << 9;
/// The heap begins up to so many pages above the program; fewer where it then fits, as far as a small one needs, into the
/// page table that the program's end is in, which each fork copies anyway.
const BREAK_PAGES: u64 = 1 << 13;
const TABLE_PAGES: u64 = 1 << 9;
const SMALL_HEAP_PAGES: u64 = 1 << 6;
const FEWEST_BREAKS: u64 = 1 << 7;
/// The first mapping is up to so many pages below the top.
const MAP_PAGES: u64 = 1 << 24;

/// What personality(2) knows of the layout (ADDR_NO_RANDOMIZE); its other bits are kept and change nothing.
const NO_RANDOM_ADDRESSES: u32 = 0x0004_0000;

/// Whether addresses are random.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Layout {
    Fixed,
    Random,
}

impl Layout {
    /// Where a program that can lie anywhere is put.
    pub fn relocatable_base(self) -> u64 {
        match self {
            Self::Fixed => RELOCATABLE_BASE,
            Self::Random => RELOCATABLE_BASE + random::words()[0] % RELOCATABLE_PAGES * PAGE,
        }
    }

    /// Where the stack ends, which can end at `highest`.
    pub fn stack_end(self, highest: u64) -> u64 {
        match self {
            Self::Random if highest == STACK_TOP => {
                highest - random::words()[0] % STACK_STEPS * STACK_STEP
            }
            _ => highest,
        }
    }

    /// What must be free for the stack, below [`STACK_TOP`].
    pub const fn stack_room(self) -> u64 {
        match self {
            Self::Fixed => STACK_LIMIT + PAGE,
            Self::Random => STACK_LIMIT + PAGE + STACK_STEPS * STACK_STEP,
        }
    }
}

/// How many places there are to draw from for a heap above a program's end.
fn breaks(end: u64) -> u64 {
    let rest = TABLE_PAGES - end.div_ceil(PAGE) % TABLE_PAGES;
    match rest.saturating_sub(SMALL_HEAP_PAGES) {
        0..FEWEST_BREAKS => BREAK_PAGES,
        near => near,
    }
}

impl Kernel {
    /// personality(2).
    ///
    /// # Errors
    /// ENOMEM.
    pub fn personality(&self, wanted: u64) -> Result<u64, Errno> {
        const QUERY: u32 = u32::MAX;
        let space = self.processes[self.current].space();
        let before = space.personality();
        let wanted = wanted as u32;
        if wanted != QUERY && wanted != before {
            space.set_places(|places| places.personality = wanted)?;
        }
        Ok(u64::from(before))
    }

    /// How the next program of a process is laid out.
    pub fn layout_of(&self, slot: ProcessSlot) -> Layout {
        let personality = self.processes[slot]
            .memory
            .as_ref()
            .map_or(0, |space| space.personality());
        if personality & NO_RANDOM_ADDRESSES == 0 {
            self.layout
        } else {
            Layout::Fixed
        }
    }

    /// Lays out what a program's pristine space does not: answers where its first string may end.
    ///
    /// # Errors
    /// ENOMEM.
    #[inline]
    pub fn lay_out(
        &self,
        slot: ProcessSlot,
        layout: Layout,
        space: &AddressSpace,
        program: &Program,
    ) -> Result<u64, Errno> {
        let process = &self.processes[slot];
        let personality = process
            .memory
            .as_ref()
            .map_or(0, |space| space.personality());
        let limit = process.limits.soft(Resource::Stack);
        if layout == Layout::Fixed && limit == STACK_LIMIT && personality == 0 {
            return Ok(program.stack_top);
        }
        if personality != 0 {
            space.set_places(|places| places.personality = personality)?;
        }
        if limit != STACK_LIMIT {
            space.limit_stack(limit)?;
        }
        if layout == Layout::Fixed {
            return Ok(program.stack_top);
        }
        let [first, second] = random::words();
        space.shift(Shift {
            heap: (first % breaks(program.break_start)) as u32,
            mappings: (second % MAP_PAGES) as u32,
        });
        Ok(program.stack_top - (first >> 32) % STACK_OFFSETS * 16)
    }
}
