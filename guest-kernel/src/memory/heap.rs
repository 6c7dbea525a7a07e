//! The kernel's heap: blocks of 64 to 4096 bytes, each frame cut into blocks of one size.
//!
//! A frame whose blocks are all free goes back to the frames at once, so that what the kernel uses after
//! the last process is what it used before the first. Block sizes are powers of two, at most 64 a frame:
//! one word of [`FrameInfo`](super::frames::FrameInfo) says which are free.
//!
//! `alloc`'s collections cannot report a failed allocation. So the heap keeps a reserve of frames: an
//! operation that allocates first asks for the reserve to be full ([`require_reserve`]) and is told
//! ENOMEM there, before it has changed anything. What one operation allocates fits in the reserve.
use super::frames::{FRAMES, Frames, NO_FRAME, Use, frame_of, number_of};
use super::{direct_map, in_direct_map};
use crate::one_cpu::OneCpu;
use alloc::boxed::Box;
use contract::{Errno, PAGE, PAGE_SIZE};
use core::alloc::{GlobalAlloc, Layout};
use core::mem::MaybeUninit;
use x86_64::structures::paging::PhysFrame;

/// Smallest block: 64 of them fill a frame.
const SMALLEST_SHIFT: u32 = 6;
const CLASSES: usize = 7;

/// Frames kept for the allocations of one operation: one for each block size, twice.
pub const RESERVE: usize = 2 * CLASSES;

/// The heap's state; its blocks are in frames.
pub struct Heap {
    /// For each block size, the list of frames that have a free block.
    partial: [u32; CLASSES],
    reserve: [Option<PhysFrame>; RESERVE],
    reserved: usize,
}

impl Heap {
    /// An empty heap.
    pub const fn new() -> Self {
        Self {
            partial: [NO_FRAME; CLASSES],
            reserve: [None; RESERVE],
            reserved: 0,
        }
    }

    #[cold]
    fn fill_reserve(&mut self, frames: &mut Frames) -> Result<(), Errno> {
        let places = &mut self.reserve[self.reserved..];
        self.reserved += frames.allocate_several(Use::Kernel, places);
        while self.reserved < RESERVE {
            let frame = frames.allocate(Use::Kernel).ok_or(Errno::ENOMEM)?;
            self.reserve[self.reserved] = Some(frame);
            self.reserved += 1;
        }
        Ok(())
    }

    /// Small, for the class is mostly known where it is called.
    #[inline(always)]
    fn allocate(&mut self, frames: &mut Frames, class: usize) -> *mut u8 {
        if self.partial[class] == NO_FRAME && !self.begin_frame(frames, class) {
            return core::ptr::null_mut();
        }
        let frame = frame_of(self.partial[class]);
        let info = frames.info_mut(frame);
        let block = info.bits.trailing_zeros();
        info.bits &= info.bits - 1;
        if info.bits == 0 {
            let next = info.next;
            self.leave_full(frames, class, next);
        }
        let shift = SMALLEST_SHIFT + class as u32;
        direct_map(frame.start_address() + (u64::from(block) << shift))
    }

    /// Takes a frame for blocks of a class that has none left; whether there was one.
    #[cold]
    #[inline(never)]
    fn begin_frame(&mut self, frames: &mut Frames, class: usize) -> bool {
        let Some(frame) = frames.allocate(Use::Kernel).or_else(|| self.take_reserve()) else {
            return false;
        };
        let info = frames.info_mut(frame);
        (info.count, info.next, info.bits) = (NO_FRAME, NO_FRAME, all_free(class));
        self.partial[class] = number_of(frame);
        true
    }

    /// The first frame of a list is full: out of it.
    #[inline(never)]
    fn leave_full(&mut self, frames: &mut Frames, class: usize, next: u32) {
        self.partial[class] = next;
        if next != NO_FRAME {
            frames.info_mut(frame_of(next)).count = NO_FRAME;
        }
    }

    /// Small, as [`allocate`](Self::allocate).
    #[inline(always)]
    fn free(&mut self, frames: &mut Frames, block: *mut u8, class: usize) {
        let address = in_direct_map(block);
        let frame = PhysFrame::containing_address(address);
        let bit = 1 << ((address.as_u64() % PAGE) >> (SMALLEST_SHIFT + class as u32));
        let info = frames.info_mut(frame);
        let before = info.bits;
        info.bits |= bit;
        if before == 0 || info.bits == all_free(class) {
            self.enter_list(frames, frame, class, before == 0);
        }
    }

    /// A block of a frame that was full is free, or the last one of a frame.
    #[inline(never)]
    fn enter_list(&mut self, frames: &mut Frames, frame: PhysFrame, class: usize, was_full: bool) {
        let info = frames.info(frame);
        let (previous, next, bits) = (info.count, info.next, info.bits);
        if bits == all_free(class) {
            if !was_full {
                if previous == NO_FRAME {
                    self.partial[class] = next;
                } else {
                    frames.info_mut(frame_of(previous)).next = next;
                }
                if next != NO_FRAME {
                    frames.info_mut(frame_of(next)).count = previous;
                }
            }
            self.give_back(frames, frame);
        } else if was_full {
            let first = self.partial[class];
            let info = frames.info_mut(frame);
            (info.count, info.next) = (NO_FRAME, first);
            if first != NO_FRAME {
                frames.info_mut(frame_of(first)).count = number_of(frame);
            }
            self.partial[class] = number_of(frame);
        }
    }

    fn take_reserve(&mut self) -> Option<PhysFrame> {
        self.reserved = self.reserved.checked_sub(1)?;
        self.reserve[self.reserved].take()
    }

    /// An empty frame refills the reserve before it goes back.
    fn give_back(&mut self, frames: &mut Frames, frame: PhysFrame) {
        if self.reserved < RESERVE {
            self.reserve[self.reserved] = Some(frame);
            self.reserved += 1;
        } else {
            frames.free(frame, Use::Kernel);
        }
    }
}

/// The word of a frame whose blocks are all free.
const fn all_free(class: usize) -> u64 {
    let blocks = PAGE_SIZE >> (SMALLEST_SHIFT as usize + class);
    if blocks == 64 {
        u64::MAX
    } else {
        (1 << blocks) - 1
    }
}

/// The class of a layout, `None` where no block is large enough.
#[inline(always)]
fn class_of(layout: Layout) -> Option<usize> {
    let size = layout.size().max(layout.align()).max(1 << SMALLEST_SHIFT);
    (size <= PAGE_SIZE)
        .then(|| (usize::BITS - (size - 1).leading_zeros() - SMALLEST_SHIFT) as usize)
}

static HEAP: OneCpu<Heap> = OneCpu::new(Heap::new());

/// Fills the reserve up, before an operation that allocates.
///
/// # Errors
/// ENOMEM when there are no frames left to fill it.
#[inline]
pub fn require_reserve() -> Result<(), Errno> {
    HEAP.with(|heap| {
        if heap.reserved == RESERVE {
            Ok(())
        } else {
            FRAMES.with(|frames| heap.fill_reserve(frames))
        }
    })
}

/// Room for a value, which a box of `alloc` cannot fail to find.
///
/// # Errors
/// ENOMEM.
#[inline]
pub fn room<T>() -> Result<Box<MaybeUninit<T>>, Errno> {
    const { assert!(size_of::<T>() != 0) };
    // SAFETY: the layout is of some size.
    let block = unsafe { alloc::alloc::alloc(Layout::new::<T>()) };
    if block.is_null() {
        return Err(Errno::ENOMEM);
    }
    // SAFETY: the block is the global allocator's, of that layout, and nobody else has it.
    Ok(unsafe { Box::from_raw(block.cast()) })
}

/// The allocator behind `alloc`.
struct KernelHeap;

#[global_allocator]
static ALLOCATOR: KernelHeap = KernelHeap;

// SAFETY: blocks are disjoint, aligned to their size (a power of two), and stay until freed.
unsafe impl GlobalAlloc for KernelHeap {
    #[inline(always)]
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        let Some(class) = class_of(layout) else {
            return core::ptr::null_mut();
        };
        HEAP.with(|heap| FRAMES.with(|frames| heap.allocate(frames, class)))
    }

    #[inline(always)]
    unsafe fn dealloc(&self, block: *mut u8, layout: Layout) {
        let Some(class) = class_of(layout) else {
            return;
        };
        HEAP.with(|heap| FRAMES.with(|frames| heap.free(frames, block, class)));
    }
}
