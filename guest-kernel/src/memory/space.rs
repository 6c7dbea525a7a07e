//! Address spaces of processes: a page tree, and the few facts that are not in it.
//!
//! ```text
//!  0x0000_0000_0000   never mapped below LOWEST_ADDRESS
//!  0x0000_0040_0000   a program linked in the usual way; heap after it (brk)
//!  0x0000_1000_0000   a static PIE; heap after it
//!  0x0000_3f80_0000   stack, 8 MiB, down from 0x4000_0000; below it a page that is never given out
//!  0x007f_ffff_f000   mmap, downwards from MAP_TOP: in the first 512 GiB, to share the upper tables
//!  0x7fff_ffff_f000   USER_END; searched from here where the first 512 GiB are full
//! ```
use super::habits::Habits;
use super::pages::Tables;
use crate::arch::context;
use alloc::rc::Rc;
use contract::{Errno, PAGE_SIZE};
use core::cell::{Cell, RefCell};
use core::ops::Range;
pub use page_tree::USER_END;
use page_tree::{
    Access, OutOfFrames, Ownership, PageRange, ProtectError, Protection, Refusal, Resolution,
    Space, UserPage,
};
use x86_64::VirtAddr;
use x86_64::structures::paging::PhysFrame;

/// Lowest address that can be mapped (`vm.mmap_min_addr` of Linux).
pub const LOWEST_ADDRESS: u64 = 0x1_0000;
/// Size of the stack (RLIMIT_STACK).
pub const STACK_LIMIT: u64 = 8 << 20;
const MAP_TOP: u64 = 0x7f_ffff_f000;
const PAGE: u64 = PAGE_SIZE as u64;

/// An address space.
pub struct AddressSpace {
    tree: RefCell<Space>,
    root: PhysFrame,
    break_start: Cell<u64>,
    break_end: Cell<u64>,
    arguments: Cell<Extent>,
    environment: Cell<Extent>,
    habits: Habits,
}

/// Start and end of bytes in a space.
type Extent = (u64, u64);

impl AddressSpace {
    /// An empty space.
    ///
    /// # Errors
    /// No frame is left.
    pub fn new() -> Result<Rc<Self>, Errno> {
        let tree = Space::new(&mut Tables).map_err(|OutOfFrames| Errno::ENOMEM)?;
        Ok(Rc::new(Self {
            root: tree.root(),
            tree: RefCell::new(tree),
            break_start: Cell::new(0),
            break_end: Cell::new(0),
            arguments: Cell::new((0, 0)),
            environment: Cell::new((0, 0)),
            habits: Habits::none(),
        }))
    }

    /// A copy for a child: one frame, whatever the size.
    ///
    /// # Errors
    /// No frame is left.
    #[inline]
    pub fn fork(&self) -> Result<Rc<Self>, Errno> {
        self.copy(|| self.habits.fork())
    }

    /// A copy for a program that starts, of one that has not: one frame, whatever the size.
    ///
    /// # Errors
    /// No frame is left.
    #[inline]
    pub fn fresh_copy(&self) -> Result<Rc<Self>, Errno> {
        self.copy(Habits::none)
    }

    #[inline]
    fn copy(&self, habits: impl FnOnce() -> Habits) -> Result<Rc<Self>, Errno> {
        let tree = self
            .tree
            .borrow_mut()
            .fork(&mut Tables)
            .map_err(|OutOfFrames| Errno::ENOMEM)?;
        Ok(Rc::new(Self {
            root: tree.root(),
            tree: RefCell::new(tree),
            break_start: self.break_start.clone(),
            break_end: self.break_end.clone(),
            arguments: self.arguments.clone(),
            environment: self.environment.clone(),
            habits: habits(),
        }))
    }

    /// Gives up one hold on a space; with the last, its frames go back.
    #[inline]
    pub fn release(space: Rc<Self>) {
        if let Some(space) = Rc::into_inner(space) {
            context::leave_root(space.root);
            space.tree.into_inner().release(&mut Tables);
        }
    }

    /// What belongs in CR3.
    #[inline]
    pub const fn root(&self) -> PhysFrame {
        self.root
    }

    /// Resolves a page fault.
    ///
    /// # Errors
    /// See [`Refusal`].
    #[inline]
    pub fn fault(&self, address: u64, access: Access) -> Result<Resolution, Refusal> {
        let resolution =
            self.tree
                .borrow_mut()
                .fault(&mut Tables, VirtAddr::new_truncate(address), access);
        if resolution == Ok(Resolution::Copied) && self.habits.are_watched() {
            self.copied(address);
        }
        resolution
    }

    /// The frame to read a page from, on the program's behalf.
    ///
    /// # Errors
    /// The program could not read there.
    #[inline]
    pub fn resolve_for_read(&self, address: u64) -> Result<PhysFrame, Refusal> {
        if address >= USER_END {
            return Err(Refusal::NotMapped);
        }
        self.tree
            .borrow_mut()
            .resolve_for_read(&mut Tables, VirtAddr::new_truncate(address))
    }

    /// The frame to write a page to, on the program's behalf.
    ///
    /// # Errors
    /// The program could not write there.
    #[inline]
    pub fn resolve_for_write(&self, address: u64) -> Result<PhysFrame, Refusal> {
        if address >= USER_END {
            return Err(Refusal::NotMapped);
        }
        let (frame, resolution) = self
            .tree
            .borrow_mut()
            .resolve_for_write(&mut Tables, VirtAddr::new_truncate(address))?;
        if resolution == Some(Resolution::Copied) && self.habits.are_watched() {
            self.copied(address);
        }
        Ok(frame)
    }

    /// The frame of a page that the program could write to without a fault.
    #[inline]
    pub fn writable_already(&self, address: u64) -> Option<PhysFrame> {
        self.tree
            .borrow()
            .writable_already(&Tables, VirtAddr::new_truncate(address))
    }

    /// A page has been copied, a short while after a fork.
    fn copied(&self, address: u64) {
        self.habits.copied(address, |page| {
            self.tree.borrow_mut().copy_ahead(&mut Tables, page);
        });
    }

    /// Reserves zeroed memory in place of what is there.
    ///
    /// # Errors
    /// ENOMEM without frames or outside the user half; nothing has changed.
    pub fn reserve(&self, range: Range<u64>, protection: Protection) -> Result<(), Errno> {
        let range = page_range(&range).ok_or(Errno::ENOMEM)?;
        self.tree
            .borrow_mut()
            .reserve(&mut Tables, range, protection)
            .map_err(|OutOfFrames| Errno::ENOMEM)
    }

    /// Takes mappings away.
    ///
    /// # Errors
    /// EINVAL outside the user half, ENOMEM without frames; nothing has changed.
    pub fn unmap(&self, range: Range<u64>) -> Result<(), Errno> {
        let range = page_range(&range).ok_or(Errno::EINVAL)?;
        self.tree
            .borrow_mut()
            .unmap(&mut Tables, range)
            .map_err(|OutOfFrames| Errno::ENOMEM)
    }

    /// Makes private memory zero again (MADV_DONTNEED of madvise(2)).
    ///
    /// # Errors
    /// ENOMEM where something in it is not mapped, or without frames.
    pub fn discard(&self, range: Range<u64>) -> Result<(), Errno> {
        let mut from = range.start;
        while from < range.end {
            let rest = page_range(&(from..range.end)).ok_or(Errno::ENOMEM)?;
            let region = self
                .tree
                .borrow()
                .first_region(&Tables, rest)
                .ok_or(Errno::ENOMEM)?;
            let (start, end) = (region.range.start().as_u64(), region.range.end().as_u64());
            if start != from {
                return Err(Errno::ENOMEM);
            }
            self.reserve(start..end, region.protection)?;
            from = end;
        }
        Ok(())
    }

    /// Changes what a range allows.
    ///
    /// # Errors
    /// ENOMEM where something in it is not mapped, or without frames.
    pub fn protect(&self, range: Range<u64>, protection: Protection) -> Result<(), Errno> {
        let range = page_range(&range).ok_or(Errno::ENOMEM)?;
        self.tree
            .borrow_mut()
            .protect(&mut Tables, range, protection)
            .map_err(|(ProtectError::NotMapped | ProtectError::OutOfFrames)| Errno::ENOMEM)
    }

    /// Maps frames that follow each other and are not counted: of the initramfs.
    ///
    /// # Errors
    /// ENOMEM.
    pub fn map_borrowed(
        &self,
        range: Range<u64>,
        first: PhysFrame,
        protection: Protection,
    ) -> Result<(), Errno> {
        let range = page_range(&range).ok_or(Errno::ENOMEM)?;
        self.tree
            .borrow_mut()
            .map_run(&mut Tables, range, first, protection)
            .map_err(|OutOfFrames| Errno::ENOMEM)
    }

    /// Maps a frame and takes over its one count; on an error the caller still has it.
    ///
    /// # Errors
    /// ENOMEM.
    pub fn map_counted(
        &self,
        page: u64,
        frame: PhysFrame,
        protection: Protection,
    ) -> Result<(), Errno> {
        let page = UserPage::containing(VirtAddr::new_truncate(page)).ok_or(Errno::ENOMEM)?;
        self.tree
            .borrow_mut()
            .map_page(&mut Tables, page, frame, protection, Ownership::Counted)
            .map_err(|OutOfFrames| Errno::ENOMEM)
    }

    /// Whether nothing is mapped in a range.
    pub fn is_unmapped(&self, range: &Range<u64>) -> bool {
        page_range(range).is_some_and(|range| self.tree.borrow().is_unmapped(&Tables, range))
    }

    /// A free place for `length` bytes, the highest there is.
    pub fn find_gap(&self, length: u64) -> Option<u64> {
        [MAP_TOP, USER_END].into_iter().find_map(|top| {
            self.tree
                .borrow()
                .find_gap(
                    &Tables,
                    length,
                    PAGE,
                    VirtAddr::new_truncate(top),
                    VirtAddr::new_truncate(LOWEST_ADDRESS),
                )
                .map(VirtAddr::as_u64)
        })
    }

    /// Pages with a frame, and pages mapped at all.
    pub fn sizes(&self) -> (u64, u64) {
        let statistics = self.tree.borrow().statistics(&Tables, PageRange::ALL);
        (statistics.resident, statistics.mapped)
    }

    /// The mappings, a line each, as `/proc/PID/maps` has them (proc(5)); no mapping has a file's name.
    ///
    /// # Errors
    /// Those of `out`.
    pub fn write_map(&self, out: &mut dyn files::Output) -> core::fmt::Result {
        let heap = self.break_start.get()..self.break_end.get();
        for region in self.tree.borrow().regions(&Tables) {
            let (start, end) = (region.range.start().as_u64(), region.range.end().as_u64());
            let letter = |allowed, letter| {
                if region.protection.contains(allowed) {
                    letter
                } else {
                    '-'
                }
            };
            write!(
                out,
                "{start:08x}-{end:08x} {}{}{}{} 00000000 00:00 0",
                letter(Protection::READ, 'r'),
                letter(Protection::WRITE, 'w'),
                letter(Protection::EXECUTE, 'x'),
                if region.sharing == page_tree::Sharing::Shared {
                    's'
                } else {
                    'p'
                },
            )?;
            if heap.contains(&start) {
                out.write_str("                          [heap]")?;
            } else if end - start == STACK_LIMIT
                && self.arguments().end <= end
                && self.arguments().start >= start
            {
                out.write_str("                          [stack]")?;
            }
            out.write_str("\n")?;
        }
        Ok(())
    }

    /// Where the heap begins, which is empty now.
    pub fn set_break_start(&self, address: u64) {
        self.break_start.set(address);
        self.break_end.set(address);
    }

    /// brk(2): moves the end of the heap, and answers where it is then: where it was, on failure.
    pub fn set_break(&self, wanted: u64) -> u64 {
        let now = self.break_end.get();
        if wanted < self.break_start.get() || wanted >= USER_END {
            return now;
        }
        let (old, new) = (now.next_multiple_of(PAGE), wanted.next_multiple_of(PAGE));
        let changed = if new > old {
            // A page is left free above, as a guard against running into what follows.
            if self.is_unmapped(&(old..new + PAGE)) {
                self.reserve(old..new, Protection::READ | Protection::WRITE)
            } else {
                Err(Errno::ENOMEM)
            }
        } else if new < old {
            self.unmap(new..old)
        } else {
            Ok(())
        };
        match changed {
            Ok(()) => {
                self.break_end.set(wanted);
                wanted
            }
            Err(_) => now,
        }
    }

    /// Where the arguments and the environment lie, for `/proc`.
    pub fn set_arguments(&self, arguments: Range<u64>, environment: Range<u64>) {
        self.arguments.set((arguments.start, arguments.end));
        self.environment.set((environment.start, environment.end));
    }

    pub fn arguments(&self) -> Range<u64> {
        self.arguments.get().0..self.arguments.get().1
    }

    pub fn environment(&self) -> Range<u64> {
        self.environment.get().0..self.environment.get().1
    }
}

fn page_range(range: &Range<u64>) -> Option<PageRange> {
    PageRange::new(range.start, range.end.checked_sub(range.start)?)
}
