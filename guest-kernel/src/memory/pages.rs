//! What the page tree and the files take from the frames.
use super::frames::{FRAMES, Use, frame_of, number_of};
use super::{direct_map, heap};
use crate::arch::layout::kernel_root_entries;
use crate::arch::{tlb, wide};
use crate::memory_functions::zero_words;
use crate::one_cpu::OneCpu;
use crate::records::COUNTERS;
use alloc::boxed::Box;
use contract::counters::Counter;
use contract::{Errno, PAGE_SIZE};
use core::mem::MaybeUninit;
use core::num::NonZeroU32;
use files::PageStore;
use page_tree::{Entry, FrameStore, Place};
use x86_64::VirtAddr;
use x86_64::structures::paging::{PageTableIndex, PhysFrame};

/// Entries of a table that one bit of its live groups stands for.
const GROUP: usize = 8;

/// The frames as the page tree's store: tables are reached through the direct map.
pub struct Tables;

#[inline]
fn entry_pointer(table: PhysFrame, index: PageTableIndex) -> *mut u64 {
    direct_map(table.start_address())
        .cast::<u64>()
        .wrapping_add(usize::from(index))
}

#[inline]
fn group_pointer(table: PhysFrame, group: u32) -> *mut u64 {
    direct_map(table.start_address())
        .cast::<u64>()
        .wrapping_add(group as usize * GROUP)
}

impl FrameStore for Tables {
    #[inline]
    fn entry(&self, table: PhysFrame, index: PageTableIndex) -> Entry {
        // SAFETY: the tree asks for entries of tables alone, and an index is below 512.
        Entry::from_raw(unsafe { entry_pointer(table, index).read_volatile() })
    }

    #[inline]
    fn set_entry(&mut self, table: PhysFrame, index: PageTableIndex, entry: Entry) {
        // SAFETY: as in `entry`. The tree never maps what is not the user's to reach.
        unsafe { entry_pointer(table, index).write_volatile(entry.raw()) };
    }

    #[inline]
    fn entry_at(&self, table: PhysFrame, place: Place) -> Entry {
        // SAFETY: as in `entry`: a group has eight entries, a table 64 groups.
        Entry::from_raw(unsafe {
            group_pointer(table, place.group)
                .add(place.at as usize)
                .read_volatile()
        })
    }

    #[inline]
    fn set_entry_at(&mut self, table: PhysFrame, place: Place, entry: Entry) {
        // SAFETY: as in `entry_at` and `set_entry`.
        unsafe {
            group_pointer(table, place.group)
                .add(place.at as usize)
                .write_volatile(entry.raw());
        };
    }

    #[inline]
    fn allocate_table(&mut self) -> Option<PhysFrame> {
        FRAMES.with(|frames| frames.allocate_zeroed_table())
    }

    #[inline]
    fn allocate_table_to_overwrite(&mut self) -> Option<PhysFrame> {
        FRAMES.with(|frames| frames.allocate_stale_table())
    }

    #[inline]
    fn free_page_table(&mut self, page_table: PhysFrame) {
        FRAMES.with(|frames| frames.free_stale_table(page_table));
    }

    #[inline]
    fn allocate_root(&mut self) -> Option<PhysFrame> {
        if let Some(root) = FRAMES.with(|frames| frames.allocate_ready_root()) {
            return Some(root);
        }
        let root = self.allocate_table()?;
        for (slot, entry) in kernel_root_entries() {
            // SAFETY: the frame is a fresh table, and the slots are below 512.
            unsafe {
                direct_map(root.start_address())
                    .cast::<u64>()
                    .add(slot)
                    .write(entry)
            };
        }
        Some(root)
    }

    #[inline]
    fn allocate_zeroed_page(&mut self) -> Option<PhysFrame> {
        let frame = FRAMES.with(|frames| frames.allocate_zeroed(Use::Page))?;
        COUNTERS.add(Counter::PagesZeroed, 1);
        Some(frame)
    }

    #[inline]
    fn allocate_page_copy(&mut self, of: PhysFrame) -> Option<PhysFrame> {
        let frame = FRAMES.with(|frames| frames.allocate(Use::Page))?;
        let from = direct_map(of.start_address()).cast::<u64>();
        let to = direct_map(frame.start_address()).cast::<u64>();
        // SAFETY: `frame` was just handed out, so the two do not overlap; both are whole frames of RAM.
        unsafe { wide::copy_page(from, to) };
        COUNTERS.add(Counter::PagesCopied, 1);
        Some(frame)
    }

    #[inline]
    fn free_table(&mut self, table: PhysFrame) {
        FRAMES.with(|frames| frames.free_zeroed_table(table));
    }

    #[inline]
    fn free_root(&mut self, root: PhysFrame) {
        FRAMES.with(|frames| frames.free_ready_root(root));
    }

    #[inline]
    fn free_page(&mut self, page: PhysFrame) {
        FRAMES.with(|frames| frames.free(page, Use::Page));
    }

    #[inline]
    fn count(&self, frame: PhysFrame) -> u32 {
        FRAMES.with(|frames| frames.info(frame).count)
    }

    #[inline]
    fn share(&mut self, frame: PhysFrame) {
        FRAMES.with(|frames| {
            let count = &mut frames.info_mut(frame).count;
            *count = count.saturating_add(1);
        });
    }

    #[inline]
    fn release(&mut self, frame: PhysFrame) -> u32 {
        FRAMES.with(|frames| {
            let count = &mut frames.info_mut(frame).count;
            if *count != u32::MAX {
                *count -= 1;
            }
            *count
        })
    }

    #[inline]
    fn live_groups(&self, table: PhysFrame) -> u64 {
        FRAMES.with(|frames| frames.info(table).bits)
    }

    #[inline]
    fn set_live_groups(&mut self, table: PhysFrame, groups: u64) {
        FRAMES.with(|frames| frames.info_mut(table).bits = groups);
    }

    #[inline]
    fn counted_groups(&self, page_table: PhysFrame) -> u32 {
        FRAMES.with(|frames| frames.info(page_table).next)
    }

    #[inline]
    fn set_counted_groups(&mut self, page_table: PhysFrame, groups: u32) {
        FRAMES.with(|frames| frames.info_mut(page_table).next = groups);
    }

    #[inline]
    fn copy_groups(&mut self, from: PhysFrame, to: PhysFrame, first: u32, count: u32) {
        let (from, to) = (group_pointer(from, first), group_pointer(to, first));
        // SAFETY: both are tables of the tree, apart, and a table has 64 groups.
        unsafe { wide::copy_lines(from, to, count as usize) };
    }

    #[inline]
    fn clear_groups(&mut self, table: PhysFrame, first: u32, count: u32) {
        // SAFETY: a table of the tree, which has 64 groups; zero is an empty entry.
        unsafe { zero_words(group_pointer(table, first), count as usize * GROUP) };
    }

    #[inline]
    fn flush_page(&mut self, address: VirtAddr) {
        COUNTERS.add(Counter::TlbFlushesPage, 1);
        tlb::flush_page(address.as_u64());
    }

    #[inline]
    fn flush_all(&mut self) {
        COUNTERS.add(Counter::TlbFlushesAll, 1);
        tlb::flush_all();
    }

    #[inline]
    fn note_table_copied(&mut self) {
        COUNTERS.add(Counter::TablesCopied, 1);
    }
}

/// Frames that files and pipes have now.
static HELD: OneCpu<u64> = OneCpu::new(0);

/// The frames as the files' store of pages.
#[derive(Clone, Copy)]
pub struct Pages;

impl Pages {
    /// Frames that files and pipes have now.
    pub fn held(self) -> u64 {
        HELD.with(|held| *held)
    }
}

/// A frame that a file or a pipe has: a pipe alone, a file beside those who map it.
#[derive(Debug)]
pub struct Page(NonZeroU32);

impl Page {
    fn new(frame: PhysFrame) -> Option<Self> {
        HELD.with(|held| *held += 1);
        NonZeroU32::new(number_of(frame)).map(Self)
    }

    /// The frame.
    #[inline]
    pub fn frame(&self) -> PhysFrame {
        frame_of(self.0.get())
    }
}

impl PageStore for Pages {
    type Page = Page;

    fn require_reserve() -> Result<(), Errno> {
        heap::require_reserve()
    }

    #[inline]
    fn room<T>() -> Result<Box<MaybeUninit<T>>, Errno> {
        heap::room()
    }

    fn allocate_zeroed(&mut self) -> Option<Page> {
        Tables.allocate_zeroed_page().and_then(Page::new)
    }

    fn allocate(&mut self) -> Option<Page> {
        FRAMES
            .with(|frames| frames.allocate(Use::Page))
            .and_then(Page::new)
    }

    fn free(&mut self, page: Page) {
        HELD.with(|held| *held -= 1);
        FRAMES.with(|frames| frames.free(page.frame(), Use::Page));
    }

    fn give_up(&mut self, page: Page) {
        if Tables.release(page.frame()) == 0 {
            self.free(page);
        } else {
            HELD.with(|held| *held -= 1);
        }
    }

    fn bytes<'a>(&'a self, page: &'a Page) -> &'a [u8; PAGE_SIZE] {
        // SAFETY: a `Page` has its frame, the borrow of it keeps the files' writers away, and programs that map the
        // frame do not run meanwhile.
        unsafe { &*direct_map(page.frame().start_address()).cast() }
    }

    fn bytes_mut<'a>(&'a mut self, page: &'a mut Page) -> &'a mut [u8; PAGE_SIZE] {
        // SAFETY: as in `bytes`, and the borrow is exclusive.
        unsafe { &mut *direct_map(page.frame().start_address()).cast() }
    }
}
