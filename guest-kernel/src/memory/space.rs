//! Address spaces of processes: a page tree, and beside it what a tree does not say.
//!
//! ```text
//!  0x0000_0000_0000   never mapped below LOWEST_ADDRESS
//!  0x0000_0040_0000   a program linked in the usual way; heap after it (brk)
//!  0x0000_1000_0000   a static PIE; heap after it
//!  0x0000_4000_0000   below it the stack, as far as its limit and what it meets allow
//!  0x007f_ffff_f000   mmap, downwards from MAP_TOP: in the first 512 GiB, to share the upper tables
//!  0x7fff_ffff_f000   USER_END; searched from here where the first 512 GiB are full
//! ```
//!
//! That is the layout without random numbers; `process/layout.rs` has the other.
use super::advice::follow_advice;
use super::areas::AREAS_OF_A_COPY;
use super::habits::Habits;
use super::known_pages::Known;
use super::mappings::{Mappings, Places, own};
use super::pages::Tables;
use super::placement::Gaps;
use crate::arch::context;
use alloc::rc::Rc;
use contract::{Errno, PAGE};
use core::cell::Cell;
use core::ops::Range;
pub use page_tree::USER_END;
use page_tree::{OutOfFrames, PageRange, Space};
use x86_64::structures::paging::PhysFrame;

/// Lowest address that can be mapped (`vm.mmap_min_addr` of Linux).
pub const LOWEST_ADDRESS: u64 = 0x1_0000;
/// Size of the stack unless a process says otherwise (RLIMIT_STACK).
pub const STACK_LIMIT: u64 = 8 << 20;
/// Where mmap begins to look in a space without random numbers.
pub const MAP_TOP: u64 = 0x7f_ffff_f000;

/// An address space.
pub struct AddressSpace {
    pub(super) inner: Known<Inner>,
    pub(super) root: PhysFrame,
    pub(super) break_end: Cell<u64>,
    pub(super) shift: Cell<Shift>,
    arguments: Cell<Extent>,
    environment: Cell<Extent>,
    /// Areas that there are at the most.
    pub(super) areas: Cell<u32>,
    /// Where to look for the next gap.
    pub(super) gaps: Gaps,
    pub(super) habits: Habits,
}

/// How far from their places heap and mappings begin, in pages: drawn at each exec, and kept here because the places are
/// shared with the program's pristine space.
#[derive(Clone, Copy, Default)]
pub struct Shift {
    /// The heap, upwards.
    pub heap: u32,
    /// The mappings, downwards.
    pub mappings: u32,
}

/// What a fork copies by sharing it.
pub(super) struct Inner {
    pub(super) tree: Space,
    pub(super) mappings: Rc<Mappings>,
}

/// Start and end of bytes in a space.
type Extent = (u64, u64);

impl AddressSpace {
    /// An empty space.
    ///
    /// # Errors
    /// No frame is left.
    pub fn new() -> Result<Rc<Self>, Errno> {
        let tree = Space::new(&mut Tables).map_err(no_frame)?;
        let places = Places {
            map_top: MAP_TOP,
            stack_end: 0,
            stack_limit: STACK_LIMIT,
            break_start: 0,
            code: (0, 0),
            data: (0, 0),
            personality: 0,
            locks_future: false,
        };
        Ok(Rc::new(Self {
            root: tree.root(),
            inner: Known::new(Inner {
                tree,
                mappings: Rc::new(Mappings::new(places)),
            }),
            break_end: Cell::new(0),
            shift: Cell::default(),
            arguments: Cell::new((0, 0)),
            environment: Cell::new((0, 0)),
            areas: Cell::new(0),
            gaps: Gaps::unknown(),
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
        let inner = &mut *self.inner.borrow_mut();
        let tree = inner.tree.fork(&mut Tables).map_err(no_frame)?;
        let child = Rc::new(Self {
            root: tree.root(),
            inner: Known::new(Inner {
                tree,
                mappings: Rc::clone(&inner.mappings),
            }),
            break_end: self.break_end.clone(),
            shift: self.shift.clone(),
            arguments: self.arguments.clone(),
            environment: self.environment.clone(),
            areas: Cell::new(AREAS_OF_A_COPY),
            gaps: Gaps::unknown(),
            habits: habits(),
        });
        if inner.mappings.advice.is_empty() {
            return Ok(child);
        }
        follow_advice(child)
    }

    /// Gives up one hold on a space; with the last, its frames go back.
    #[inline]
    pub fn release(space: Rc<Self>) {
        if let Some(space) = Rc::into_inner(space) {
            context::leave_root(space.root);
            space.inner.into_inner().tree.release(&mut Tables);
        }
    }

    /// What belongs in CR3.
    #[inline]
    pub const fn root(&self) -> PhysFrame {
        self.root
    }

    /// Where the parts of the space are.
    pub fn places(&self) -> Places {
        let inner = &*self.inner.borrow();
        let heap = u64::from(self.shift.get().heap) * PAGE;
        let places = inner.mappings.places;
        Places {
            map_top: self.map_top(inner),
            break_start: places.break_start + heap,
            ..places
        }
    }

    pub(super) fn map_top(&self, inner: &Inner) -> u64 {
        inner.mappings.places.map_top - u64::from(self.shift.get().mappings) * PAGE
    }

    /// personality(2).
    pub fn personality(&self) -> u32 {
        self.inner.borrow().mappings.places.personality
    }

    /// Changes where they are.
    ///
    /// # Errors
    /// ENOMEM.
    pub fn set_places(&self, change: impl FnOnce(&mut Places)) -> Result<(), Errno> {
        change(&mut own(&mut self.inner.borrow_mut().mappings)?.places);
        Ok(())
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

pub(super) fn no_frame(_: OutOfFrames) -> Errno {
    Errno::ENOMEM
}

pub(super) fn page_range(range: &Range<u64>) -> Option<PageRange> {
    PageRange::new(range.start, range.end.checked_sub(range.start)?)
}
