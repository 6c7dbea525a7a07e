//! Physical frames: who has them, and how many entries point at each.
//!
//! ```text
//!  FrameInfo, 16 bytes a frame, a flat array by frame number, placed in RAM at boot and never cleared:
//!  an entry is written when its frame is first handed out, and frames above the watermark never were.
//!
//!  what the frame is      count                next          bits
//!  page, table, root      entries pointing at  counted       table: bit g = entries 8g..8g+8 may be live
//!                                              groups
//!  free                   0                    next free     stale table: as a table's
//!  heap                   previous in class    next in class free blocks of the frame
//! ```
//!
//! Free frames are in one of four lists by what is known of their content: anything, a zeroed table, a
//! page table whose entries are stale and in its live groups, or a root whose kernel half is filled in. Who
//! wants a copy of a page table takes a stale one to write over, who wants an empty table a zeroed one, else
//! a stale one, which takes less to clear than a whole frame; who wants any frame and finds the plain list
//! empty takes from the others.
use super::direct_map;
pub use super::frame_info::{FrameInfo, NO_FRAME, frame_of, number_of};
use super::frame_info::{place_of, pop, push};
use super::range_list::RangeList;
use crate::arch::wide;
use crate::boot::command_line::Ram;
use crate::memory_functions::zero_words;
use crate::one_cpu::OneCpu;
use crate::records::COUNTERS;
use contract::counters::Counter;
use contract::{Errno, PAGE};
use core::ops::Range;
use x86_64::PhysAddr;
use x86_64::structures::paging::PhysFrame;

/// What a frame is used for; each has a gauge in the counter page.
#[derive(Clone, Copy)]
pub enum Use {
    /// A page table of a process.
    Table,
    /// A page of a process or of a file.
    Page,
    /// The kernel's own.
    Kernel,
}

impl Use {
    const fn gauge(self) -> Counter {
        match self {
            Self::Table => Counter::FramesTables,
            Self::Page => Counter::FramesPages,
            Self::Kernel => Counter::FramesKernel,
        }
    }
}

/// The machine's frames. A static of its own, entered for one operation at a time, because the heap
/// takes frames in the middle of whatever else goes on.
pub static FRAMES: OneCpu<Frames> = OneCpu::new(Frames::none());

/// All of the machine's frames that the kernel hands out.
pub struct Frames {
    info: *mut FrameInfo,
    /// Frames never handed out yet, lowest first, as frame numbers.
    untouched: RangeList,
    /// Those from this one on are zero, for the monitor says so.
    first_zero: u32,
    plain: u32,
    zeroed_tables: u32,
    stale_tables: u32,
    roots: u32,
    /// Fewest frames that were ever free at once.
    fewest_free: u64,
}

impl Frames {
    /// Before [`Frames::take_over`]: nothing to hand out.
    pub const fn none() -> Self {
        Self {
            info: core::ptr::null_mut(),
            untouched: RangeList::new(),
            first_zero: u32::MAX,
            plain: NO_FRAME,
            zeroed_tables: NO_FRAME,
            stale_tables: NO_FRAME,
            roots: NO_FRAME,
            fewest_free: 0,
        }
    }

    /// Takes over the RAM in `usable` but for what is in `reserved` (physical byte ranges) and the array
    /// of counts itself. Nothing but the list of ranges is written.
    ///
    /// # Errors
    /// ENOMEM where not even the array fits.
    pub fn take_over(
        &mut self,
        usable: impl Iterator<Item = Range<u64>>,
        reserved: &[Range<u64>],
        ram: Ram,
    ) -> Result<(), Errno> {
        let ranges = &mut self.untouched;
        for range in usable {
            let mut start = range.start.div_ceil(PAGE).max(1);
            // Frame numbers are 32 bits wide: 16 TiB.
            let end = (range.end / PAGE).min(u64::from(u32::MAX));
            // Piece by piece: up to what is reserved next, and on behind it.
            while start < end {
                let next = reserved
                    .iter()
                    .filter(|taken| start * PAGE < taken.end && taken.start < end * PAGE)
                    .min_by_key(|taken| taken.start);
                let Some(next) = next else {
                    ranges.push(start..end);
                    break;
                };
                ranges.push(start..next.start / PAGE);
                start = next.end.div_ceil(PAGE);
            }
        }
        let last = ranges.iter().map(|range| range.end).max();
        let last = last.ok_or(Errno::ENOMEM)?;
        let info_frames = (last * size_of::<FrameInfo>() as u64).div_ceil(PAGE);
        // At the end of a range, so that the lowest frames are handed out first.
        let info_start = ranges.take_end(info_frames).ok_or(Errno::ENOMEM)?;
        let total: u64 = ranges.iter().map(|range| range.end - range.start).sum();
        COUNTERS.set(Counter::FramesTotal, total);
        COUNTERS.set(Counter::FramesFree, total);
        self.info = direct_map(PhysAddr::new(info_start * PAGE)).cast();
        self.fewest_free = total;
        if ram == Ram::Zero {
            self.first_zero = 0;
        }
        Ok(())
    }

    /// Frames that can be handed out.
    pub fn available(&self) -> u64 {
        COUNTERS.get(Counter::FramesFree)
    }

    /// Frames in use now.
    pub fn used(&self) -> u64 {
        COUNTERS.get(Counter::FramesTotal) - COUNTERS.get(Counter::FramesFree)
    }

    /// What is known of `frame`.
    #[inline]
    pub fn info(&self, frame: PhysFrame) -> &FrameInfo {
        // SAFETY: the array covers every frame up to the end of RAM, and frames come from this allocator.
        unsafe { &*place_of(self.info, frame) }
    }

    /// What is known of `frame`, to change it.
    #[inline]
    pub fn info_mut(&mut self, frame: PhysFrame) -> &mut FrameInfo {
        // SAFETY: as in `info`; `&mut self` makes the access exclusive.
        unsafe { &mut *place_of(self.info, frame) }
    }

    /// A frame with anything in it, counted once.
    #[inline]
    pub fn allocate(&mut self, purpose: Use) -> Option<PhysFrame> {
        match pop(self.info, &mut self.plain) {
            Some(frame) => Some(self.hand_out(frame, purpose)),
            None => self.allocate_other(purpose),
        }
    }

    /// Fills places with what [`Self::allocate`] would give, as far as there is any; answers how many. What was never
    /// touched comes in runs, at a fraction of the cost.
    pub fn allocate_several(&mut self, purpose: Use, places: &mut [Option<PhysFrame>]) -> usize {
        let mut count = 0;
        while let Some(place) = places.get_mut(count)
            && let Some(frame) = pop(self.info, &mut self.plain)
        {
            *self.info_mut(frame) = FrameInfo::counted_once(0);
            *place = Some(frame);
            count += 1;
        }
        while count < places.len() {
            let run = self.untouched.take_run((places.len() - count) as u32);
            if run.is_empty() {
                break;
            }
            for number in run {
                let frame = frame_of(number);
                *self.info_mut(frame) = FrameInfo::counted_once(0);
                places[count] = Some(frame);
                count += 1;
            }
        }
        self.note_handed_out(purpose, count as u64);
        count
    }

    /// A frame whose bytes are zero, counted once.
    #[inline]
    pub fn allocate_zeroed(&mut self, purpose: Use) -> Option<PhysFrame> {
        match pop(self.info, &mut self.plain) {
            Some(frame) => Some(self.hand_out(zeroed(frame), purpose)),
            None => self.zero_other(purpose),
        }
    }

    /// A frame whose 512 words are zero, counted once, for a table.
    #[inline]
    pub fn allocate_zeroed_table(&mut self) -> Option<PhysFrame> {
        match pop(self.info, &mut self.zeroed_tables) {
            Some(frame) => Some(self.hand_out(frame, Use::Table)),
            None => self.zero_table(),
        }
    }

    /// A table counted once, with nothing but stale entries in its live groups.
    #[inline]
    pub fn allocate_stale_table(&mut self) -> Option<PhysFrame> {
        let Some(frame) = pop(self.info, &mut self.stale_tables) else {
            return self.allocate_zeroed_table();
        };
        let stale = self.info(frame).bits;
        Some(self.hand_out_with(frame, Use::Table, stale))
    }

    /// A root from the pool, its kernel half filled in and the user half zero; `None` when there is none
    /// ready.
    #[inline]
    pub fn allocate_ready_root(&mut self) -> Option<PhysFrame> {
        let frame = pop(self.info, &mut self.roots)?;
        Some(self.hand_out(frame, Use::Table))
    }

    /// Takes back a frame with anything in it.
    #[inline]
    pub fn free(&mut self, frame: PhysFrame, purpose: Use) {
        self.take_back(purpose);
        push(self.info, &mut self.plain, frame);
    }

    /// Takes back a table whose entries are all zero.
    #[inline]
    pub fn free_zeroed_table(&mut self, frame: PhysFrame) {
        self.take_back(Use::Table);
        push(self.info, &mut self.zeroed_tables, frame);
    }

    /// Takes back a table with nothing but stale entries in its live groups.
    #[inline]
    pub fn free_stale_table(&mut self, frame: PhysFrame) {
        self.take_back(Use::Table);
        push(self.info, &mut self.stale_tables, frame);
    }

    /// Takes back a root whose user half is zero.
    #[inline]
    pub fn free_ready_root(&mut self, frame: PhysFrame) {
        self.take_back(Use::Table);
        push(self.info, &mut self.roots, frame);
    }

    #[inline]
    fn hand_out(&mut self, frame: PhysFrame, purpose: Use) -> PhysFrame {
        self.hand_out_with(frame, purpose, 0)
    }

    #[inline]
    fn hand_out_with(&mut self, frame: PhysFrame, purpose: Use, bits: u64) -> PhysFrame {
        *self.info_mut(frame) = FrameInfo::counted_once(bits);
        self.note_handed_out(purpose, 1);
        frame
    }

    #[inline]
    fn note_handed_out(&mut self, purpose: Use, count: u64) {
        COUNTERS.add(purpose.gauge(), count);
        COUNTERS.subtract(Counter::FramesFree, count);
        let free = COUNTERS.get(Counter::FramesFree);
        if free < self.fewest_free {
            self.fewest_free = free;
            COUNTERS.set(Counter::FramesUsedPeak, self.used());
        }
    }

    #[inline]
    fn take_back(&mut self, purpose: Use) {
        COUNTERS.subtract(purpose.gauge(), 1);
        COUNTERS.add(Counter::FramesFree, 1);
    }

    /// When no zeroed table is ready.
    #[inline(never)]
    fn zero_table(&mut self) -> Option<PhysFrame> {
        if let Some(frame) = pop(self.info, &mut self.stale_tables) {
            zero_groups(frame, self.info(frame).bits);
            return Some(self.hand_out(frame, Use::Table));
        }
        self.allocate_zeroed(Use::Table)
    }

    /// A zeroed frame when the plain list is empty.
    #[cold]
    fn zero_other(&mut self, purpose: Use) -> Option<PhysFrame> {
        let frame = match self.untouched.take_lowest() {
            Some(number) if number >= self.first_zero => frame_of(number),
            Some(number) => zeroed(frame_of(number)),
            None => zeroed(self.take_ready()?),
        };
        Some(self.hand_out(frame, purpose))
    }

    /// When the plain list is empty: the next untouched frame, else what the pools keep ready.
    #[cold]
    fn allocate_other(&mut self, purpose: Use) -> Option<PhysFrame> {
        let frame = match self.untouched.take_lowest() {
            Some(number) => frame_of(number),
            None => self.take_ready()?,
        };
        Some(self.hand_out(frame, purpose))
    }

    /// A frame of the pools.
    #[inline(never)]
    fn take_ready(&mut self) -> Option<PhysFrame> {
        pop(self.info, &mut self.stale_tables)
            .or_else(|| pop(self.info, &mut self.zeroed_tables))
            .or_else(|| pop(self.info, &mut self.roots))
    }
}

/// Zeroes a frame.
#[inline]
fn zeroed(frame: PhysFrame) -> PhysFrame {
    // SAFETY: the frame is about to be handed out, nobody has it, and the direct map covers all RAM.
    unsafe { wide::zero_page(direct_map(frame.start_address()).cast()) };
    frame
}

/// Zeroes groups of eight entries of a table, a bit each.
fn zero_groups(table: PhysFrame, groups: u64) {
    const GROUP: usize = 8;
    let start = direct_map(table.start_address()).cast::<u64>();
    let mut rest = groups;
    while rest != 0 {
        let first = rest.trailing_zeros();
        let run = (rest >> first).trailing_ones();
        // The lowest bit, added, carries through its run.
        rest &= rest.wrapping_add(rest & rest.wrapping_neg());
        // SAFETY: as in `zeroed`; there are 64 groups in a frame.
        unsafe { zero_words(start.add(first as usize * GROUP), run as usize * GROUP) };
    }
}
