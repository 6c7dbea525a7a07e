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
use super::habits::Habits;
use super::known_pages::Known;
use super::mappings::{Advice, Mapping, Mappings, Places, own};
use super::pages::Tables;
use super::placement::Gaps;
use crate::arch::context;
use alloc::rc::Rc;
use contract::{Errno, PAGE};
use core::cell::Cell;
use core::ops::Range;
pub use page_tree::USER_END;
use page_tree::{
    Access, OutOfFrames, Ownership, PageRange, ProtectError, Protection, Refusal, Resolution,
    Sharing, Slide, Space, Statistics, UserPage, Whole,
};
use x86_64::VirtAddr;
use x86_64::structures::paging::PhysFrame;

/// Lowest address that can be mapped (`vm.mmap_min_addr` of Linux).
pub const LOWEST_ADDRESS: u64 = 0x1_0000;
/// Size of the stack unless a process says otherwise (RLIMIT_STACK).
pub const STACK_LIMIT: u64 = 8 << 20;
/// Where mmap begins to look in a space without random numbers.
pub const MAP_TOP: u64 = 0x7f_ffff_f000;

/// Areas that a space may have (vm.max_map_count of Linux).
const MOST_AREAS: u32 = 65_530;
/// What is assumed of a copy, until its areas are counted.
const AREAS_OF_A_COPY: u32 = MOST_AREAS - 4096;

/// An address space.
pub struct AddressSpace {
    pub(super) inner: Known<Inner>,
    root: PhysFrame,
    pub(super) break_end: Cell<u64>,
    pub(super) shift: Cell<Shift>,
    arguments: Cell<Extent>,
    environment: Cell<Extent>,
    /// Areas that there are at the most.
    areas: Cell<u32>,
    /// Where to look for the next gap.
    pub(super) gaps: Gaps,
    habits: Habits,
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

/// Neighbouring pages that are mapped alike: what Linux calls an area.
pub struct Area {
    pub range: Range<u64>,
    pub protection: Protection,
    sharing: Sharing,
    /// What it shows, from its first page on; `None` for private memory of zeros.
    pub mapping: Option<Mapping>,
    pub advice: Advice,
}

impl Area {
    pub const fn sharing(&self) -> Sharing {
        self.sharing
    }
}

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

    /// Resolves a page fault.
    ///
    /// # Errors
    /// See [`Refusal`]; [`Self::amend`] may help.
    #[inline]
    pub fn fault(&self, address: u64, access: Access) -> Result<Resolution, Refusal> {
        if self.habits.are_watched() {
            return self.watched_fault(address, access);
        }
        let address = VirtAddr::new_truncate(address);
        let tree = &mut self.inner.borrow_mut().tree;
        tree.fault(&mut Tables, address, access)
    }

    /// [`Self::fault`], and what is missing is brought.
    ///
    /// # Errors
    /// See [`Refusal`].
    pub fn fault_in(&self, address: u64, access: Access) -> Result<(), Refusal> {
        while let Err(refusal) = self.fault(address, access) {
            self.amend(refusal, address)?;
        }
        Ok(())
    }

    /// The frame to read a page from, on the program's behalf.
    ///
    /// # Errors
    /// The program could not read there, unless [`Self::amend`] helps.
    #[inline]
    pub fn resolve_for_read(&self, address: u64) -> Result<PhysFrame, Refusal> {
        if address >= USER_END {
            return Err(Refusal::NotMapped);
        }
        self.inner
            .borrow_mut()
            .tree
            .resolve_for_read(&mut Tables, VirtAddr::new_truncate(address))
    }

    /// The frame to write a page to, on the program's behalf.
    ///
    /// # Errors
    /// The program could not write there, unless [`Self::amend`] helps.
    #[inline]
    pub fn resolve_for_write(&self, address: u64) -> Result<PhysFrame, Refusal> {
        if address >= USER_END {
            return Err(Refusal::NotMapped);
        }
        if self.habits.are_watched() {
            return self.watched_write(address);
        }
        let address = VirtAddr::new_truncate(address);
        let tree = &mut self.inner.borrow_mut().tree;
        tree.resolve_for_write(&mut Tables, address)
    }

    /// The frame of a page that the program could read without a fault.
    #[inline(always)]
    pub fn readable_already(&self, address: u64) -> Option<PhysFrame> {
        match self.inner.readable.frame(address) {
            None => self.find_readable(address),
            known => known,
        }
    }

    /// The frame of a page that the program could write to without a fault.
    #[inline(always)]
    pub fn writable_already(&self, address: u64) -> Option<PhysFrame> {
        match self.inner.writable.frame(address) {
            None => self.find_writable(address),
            known => known,
        }
    }

    /// As [`readable_already`](Self::readable_already), where that was asked for this page last.
    #[inline(always)]
    pub fn readable_known(&self, address: u64) -> Option<PhysFrame> {
        self.inner.readable.frame(address)
    }

    /// As [`writable_already`](Self::writable_already), where that was asked for this page last.
    #[inline(always)]
    pub fn writable_known(&self, address: u64) -> Option<PhysFrame> {
        self.inner.writable.frame(address)
    }

    #[inline(never)]
    fn find_readable(&self, address: u64) -> Option<PhysFrame> {
        if address >= USER_END {
            return None;
        }
        let at = VirtAddr::new_truncate(address);
        let frame = page_tree::readable_already(&Tables, self.root, at)?;
        self.inner.readable.remember(address, frame);
        Some(frame)
    }

    #[inline(never)]
    fn find_writable(&self, address: u64) -> Option<PhysFrame> {
        if address >= USER_END {
            return None;
        }
        let at = VirtAddr::new_truncate(address);
        let frame = page_tree::writable_already(&Tables, self.root, at)?;
        self.inner.writable.remember(address, frame);
        Some(frame)
    }

    /// [`Self::fault`], a short while after a fork.
    #[inline(never)]
    fn watched_fault(&self, address: u64, access: Access) -> Result<Resolution, Refusal> {
        if access == Access::Write {
            return Ok(self.write_and_learn(address)?.1);
        }
        let tree = &mut self.inner.borrow_mut().tree;
        tree.fault(&mut Tables, VirtAddr::new_truncate(address), access)
    }

    /// [`Self::resolve_for_write`], a short while after a fork.
    #[inline(never)]
    fn watched_write(&self, address: u64) -> Result<PhysFrame, Refusal> {
        Ok(self.write_and_learn(address)?.0)
    }

    #[inline(always)]
    fn write_and_learn(&self, address: u64) -> Result<(PhysFrame, Resolution), Refusal> {
        let address = VirtAddr::new_truncate(address);
        let tree = &mut self.inner.borrow_mut().tree;
        let known = self.habits.pages_ahead();
        let ahead = match known {
            Some([first, others @ ..]) if first.get().start() == address.align_down(PAGE) => others,
            all => all.unwrap_or_default(),
        };
        let owned = tree.own_for_write(&mut Tables, address, ahead);
        if let Ok((_, Resolution::Copied)) = owned {
            match (known, UserPage::containing(address)) {
                (None, Some(page)) => self.habits.learn(page),
                _ => self.habits.used(),
            }
        }
        owned
    }

    /// A fork is over: copies what the parent is known to write next.
    #[inline]
    pub fn write_ahead(&self) {
        if let [first, others @ ..] = self.habits.parents_pages() {
            let tree = &mut self.inner.borrow_mut().tree;
            // Without frames the write itself will see.
            let _ = tree.own_for_write(&mut Tables, first.get().start(), others);
        }
    }

    /// An access was refused: brings what is missing, if it is to be had. The access is to be tried again then, and may be
    /// refused again for another reason.
    ///
    /// # Errors
    /// The access cannot be.
    pub fn amend(&self, refusal: Refusal, address: u64) -> Result<(), Refusal> {
        match refusal {
            Refusal::NotThere => self.bring(address),
            Refusal::NotMapped if address < USER_END && self.grow_stack(address) => Ok(()),
            refusal => Err(refusal),
        }
    }

    /// Tries an access again after [`Self::amend`], until there is nothing to bring.
    ///
    /// # Errors
    /// The access cannot be.
    #[cold]
    pub fn persist(
        &self,
        mut refusal: Refusal,
        address: u64,
        again: fn(&Self, u64) -> Result<PhysFrame, Refusal>,
    ) -> Result<PhysFrame, Refusal> {
        loop {
            self.amend(refusal, address)?;
            match again(self, address) {
                Ok(frame) => return Ok(frame),
                Err(next) => refusal = next,
            }
        }
    }

    /// Reserves zeroed memory where nothing is mapped.
    ///
    /// # Errors
    /// ENOMEM without frames or outside the user half; nothing has changed.
    pub fn reserve(&self, range: Range<u64>, protection: Protection) -> Result<(), Errno> {
        let range = page_range(&range).ok_or(Errno::ENOMEM)?;
        self.inner
            .borrow_mut()
            .tree
            .reserve(&mut Tables, range, protection)
            .map_err(no_frame)
    }

    /// Reserves zeroed memory in place of what is there.
    ///
    /// # Errors
    /// As [`Self::reserve`].
    pub fn replace(&self, range: Range<u64>, protection: Protection) -> Result<(), Errno> {
        let pages = page_range(&range).ok_or(Errno::ENOMEM)?;
        self.inner
            .borrow_mut()
            .replace(range, |tree| tree.reserve(&mut Tables, pages, protection))
    }

    /// Takes mappings away.
    ///
    /// # Errors
    /// EINVAL outside the user half, ENOMEM without frames; nothing has changed.
    pub fn unmap(&self, range: Range<u64>) -> Result<(), Errno> {
        let pages = page_range(&range).ok_or(Errno::EINVAL)?;
        let inner = &mut *self.inner.borrow_mut();
        self.gaps.unmapped(range.end, self.map_top(inner));
        inner.replace(range, |tree| tree.unmap(&mut Tables, pages))
    }

    /// Lets a range of nothing but private zeros be zeros again; `None` where more is known of it.
    pub fn discard_zeros(&self, range: &Range<u64>) -> Option<Result<Whole, Errno>> {
        let pages = page_range(range)?;
        let inner = &mut *self.inner.borrow_mut();
        if inner.mappings.touch(range) {
            return None;
        }
        Some(inner.tree.discard(&mut Tables, pages).map_err(no_frame))
    }

    /// Lets an area be as it was when it was mapped (MADV_DONTNEED of madvise(2)): zeros, or what its object has.
    ///
    /// # Errors
    /// ENOMEM.
    pub fn discard(&self, area: &Area) -> Result<(), Errno> {
        let range = page_range(&area.range).ok_or(Errno::ENOMEM)?;
        let tree = &mut self.inner.borrow_mut().tree;
        match &area.mapping {
            None => tree.reserve(&mut Tables, range, area.protection),
            Some(mapping) => {
                tree.reserve_object(&mut Tables, range, area.protection, mapping.sharing)
            }
        }
        .map_err(no_frame)
    }

    /// Changes what a range allows.
    ///
    /// # Errors
    /// ENOMEM where something in it is not mapped, or without frames.
    pub fn protect(&self, range: Range<u64>, protection: Protection) -> Result<(), Errno> {
        let range = page_range(&range).ok_or(Errno::ENOMEM)?;
        self.inner
            .borrow_mut()
            .tree
            .protect(&mut Tables, range, protection)
            .map_err(|(ProtectError::NotMapped | ProtectError::OutOfFrames)| Errno::ENOMEM)
    }

    /// Changes what was advised about a range.
    ///
    /// # Errors
    /// ENOMEM.
    pub fn advise(
        &self,
        range: Range<u64>,
        change: impl Fn(Advice) -> Advice,
    ) -> Result<(), Errno> {
        own(&mut self.inner.borrow_mut().mappings)?.advise(range, change);
        Ok(())
    }

    /// A change may make two areas more.
    ///
    /// # Errors
    /// ENOMEM: there are too many.
    pub fn require_areas(&self) -> Result<(), Errno> {
        if self.areas.get() + 2 > MOST_AREAS {
            let mut from = 0;
            let mut areas = 0;
            while let Some(area) = self.area(from..USER_END) {
                from = area.range.end;
                areas += 1;
            }
            self.areas.set(areas);
            if areas + 1 > MOST_AREAS {
                return Err(Errno::ENOMEM);
            }
        }
        self.areas.set(self.areas.get() + 2);
        Ok(())
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

    /// The first area of a range, cut to it.
    pub fn area(&self, range: Range<u64>) -> Option<Area> {
        let inner = self.inner.borrow();
        let mut from = range.start;
        while from < range.end {
            // What is known of `from` ends here. The tree is asked no further: it takes all that is alike for one.
            let mut end = range.end;
            let mut mapping = None;
            match inner.mappings.objects.from(from) {
                Some((known, found)) if known.start <= from => {
                    end = end.min(known.end);
                    mapping = Some((known.start, found));
                }
                Some((known, _)) => end = end.min(known.start),
                None => {}
            }
            let mut advice = Advice::empty();
            match inner.mappings.advice.from(from) {
                Some((known, found)) if known.start <= from => {
                    end = end.min(known.end);
                    advice = *found;
                }
                Some((known, _)) => end = end.min(known.start),
                None => {}
            }
            if let Some(region) = inner.tree.first_region(&Tables, page_range(&(from..end))?) {
                let (start, end) = (region.range.start().as_u64(), region.range.end().as_u64());
                return Some(Area {
                    range: start..end,
                    protection: region.protection,
                    sharing: region.sharing,
                    mapping: mapping.map(|(known, found)| found.slide(start - known)),
                    advice,
                });
            }
            from = end;
        }
        None
    }

    /// The area that begins at the start of a range, or holds it; `None` where nothing is mapped there.
    pub fn area_at(&self, range: Range<u64>) -> Option<Area> {
        let start = range.start;
        self.area(range).filter(|area| area.range.start == start)
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
        self.inner
            .borrow_mut()
            .tree
            .map_run(&mut Tables, range, first, protection)
            .map_err(no_frame)
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
        self.inner
            .borrow_mut()
            .tree
            .map_page(&mut Tables, page, frame, protection, Ownership::Counted)
            .map_err(no_frame)
    }

    /// Whether anything in it may be shared with others but by sharing all of it.
    pub fn has_shared_memory(&self) -> bool {
        self.inner.borrow().mappings.had_shared
    }

    /// What is mapped at an address.
    ///
    /// # Errors
    /// Nothing is.
    pub fn mapping_at(&self, address: u64) -> Result<(Protection, Sharing), Refusal> {
        let page = address / PAGE * PAGE;
        let region = page_range(&(page..page + PAGE))
            .and_then(|page| self.inner.borrow().tree.first_region(&Tables, page))
            .ok_or(Refusal::NotMapped)?;
        Ok((region.protection, region.sharing))
    }

    /// Whether nothing is mapped in a range.
    pub fn is_unmapped(&self, range: &Range<u64>) -> bool {
        page_range(range).is_some_and(|range| self.inner.borrow().tree.is_unmapped(&Tables, range))
    }

    /// Pages with a frame, and pages mapped at all.
    pub fn sizes(&self) -> (u64, u64) {
        let statistics = self.statistics(PageRange::ALL);
        (statistics.resident, statistics.mapped)
    }

    /// What a range is made of.
    pub fn statistics(&self, range: PageRange) -> Statistics {
        self.inner.borrow().tree.statistics(&Tables, range)
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

impl Inner {
    /// Changes the tree all over a range, and forgets what was known of it.
    fn replace(
        &mut self,
        range: Range<u64>,
        change: impl FnOnce(&mut Space) -> Result<(), OutOfFrames>,
    ) -> Result<(), Errno> {
        if !self.mappings.touch(&range) {
            return change(&mut self.tree).map_err(no_frame);
        }
        let mappings = own(&mut self.mappings)?;
        change(&mut self.tree).map_err(no_frame)?;
        mappings.remove(range);
        Ok(())
    }
}

/// What was advised about a forked space comes true in the child: some of it is left out, some is zeros, and nothing is
/// locked.
#[cold]
fn follow_advice(child: Rc<AddressSpace>) -> Result<Rc<AddressSpace>, Errno> {
    let follow = || {
        let inner = &mut *child.inner.borrow_mut();
        let mut at = 0;
        while let Some((range, &advice)) = inner.mappings.advice.from(at) {
            at = range.end;
            let pages = page_range(&range).ok_or(Errno::ENOMEM)?;
            if advice.contains(Advice::DONT_FORK) {
                inner.replace(range, |tree| tree.unmap(&mut Tables, pages))?;
                continue;
            }
            if advice.contains(Advice::WIPE_ON_FORK) {
                wipe(inner, &range)?;
            }
            if advice.contains(Advice::LOCKED) {
                own(&mut inner.mappings)?.advise(range, |advice| advice.difference(Advice::LOCKED));
            }
        }
        Ok(())
    };
    match follow() {
        Ok(()) => Ok(child),
        Err(errno) => {
            AddressSpace::release(child);
            Err(errno)
        }
    }
}

/// Makes private memory zeros again, as it is protected.
fn wipe(inner: &mut Inner, range: &Range<u64>) -> Result<(), Errno> {
    let mut rest = page_range(range);
    while let Some(region) = rest.and_then(|rest| inner.tree.first_region(&Tables, rest)) {
        inner
            .tree
            .reserve(&mut Tables, region.range, region.protection)
            .map_err(no_frame)?;
        rest = page_range(&(region.range.end().as_u64()..range.end));
    }
    Ok(())
}

pub(super) fn no_frame(_: OutOfFrames) -> Errno {
    Errno::ENOMEM
}

pub(super) fn page_range(range: &Range<u64>) -> Option<PageRange> {
    PageRange::new(range.start, range.end.checked_sub(range.start)?)
}
