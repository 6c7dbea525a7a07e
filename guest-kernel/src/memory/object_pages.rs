//! The pages of files and of shared memory come into a space, and go.
use super::direct_map;
use super::frames::{FRAMES, Use, frame_of};
use super::heap;
use super::mappings::{Mapping, Object, Purpose, own};
use super::pages::{Page, Pages, Tables};
use super::physical_address;
use super::space::{AddressSpace, no_frame, page_range};
use crate::arch::clock;
use alloc::rc::Rc;
use contract::{Errno, PAGE, PAGE_SIZE};
use core::ops::Range;
use files::{MappedFile, NoPage, PageContent};
use page_tree::{Access, FrameStore, Ownership, Protection, Refusal, Sharing, UserPage};
use x86_64::VirtAddr;
use x86_64::structures::paging::PhysFrame;

/// A frame for a mapping, counted for it.
type Brought = Option<(PhysFrame, Ownership)>;

impl AddressSpace {
    /// Maps an object, in place of what is there.
    ///
    /// # Errors
    /// ENOMEM; nothing has changed.
    pub fn map_object(
        &self,
        range: Range<u64>,
        protection: Protection,
        mapping: Mapping,
    ) -> Result<(), Errno> {
        let pages = page_range(&range).ok_or(Errno::ENOMEM)?;
        let inner = &mut *self.inner.borrow_mut();
        let mappings = own(&mut inner.mappings)?;
        inner
            .tree
            .reserve_object(&mut Tables, pages, protection, mapping.sharing)
            .map_err(no_frame)?;
        mappings.remove(range.clone());
        mappings.had_shared |= mapping.sharing == Sharing::Shared;
        mappings.objects.insert(range, mapping);
        Ok(())
    }

    /// Brings the page of an object at an address where one is missing. Of writes to a file, it is this that its times tell.
    ///
    /// # Errors
    /// See [`Refusal`].
    pub(super) fn bring(&self, address: u64, access: Access) -> Result<(), Refusal> {
        heap::require_reserve().map_err(|_| Refusal::OutOfFrames)?;
        let inner = &mut *self.inner.borrow_mut();
        let at = VirtAddr::new_truncate(address);
        let (Some(protection), Some(page)) =
            (inner.tree.awaited(&Tables, at), UserPage::containing(at))
        else {
            return Ok(());
        };
        let (range, mapping) = inner
            .mappings
            .objects
            .at(address)
            .ok_or(Refusal::NotMapped)?;
        let index = mapping.first + (address - range.start) / PAGE;
        let (frame, ownership) = page_of(mapping, index)?;
        if access == Access::Write && mapping.sharing == Sharing::Shared {
            mapping.object.file().note_write(clock::realtime());
        }
        inner
            .tree
            .map_page(&mut Tables, page, frame, protection, ownership)
            .map_err(|_| {
                if ownership != Ownership::Borrowed && Tables.release(frame) == 0 {
                    Tables.free_page(frame);
                }
                Refusal::OutOfFrames
            })
    }

    /// Sees to it that each page of a range is there, as far as there are frames.
    ///
    /// # Errors
    /// A page cannot be had.
    pub fn populate(&self, range: Range<u64>, access: Access) -> Result<(), Refusal> {
        range
            .step_by(PAGE_SIZE)
            .try_for_each(|page| self.fault_in(page, access))
    }

    /// [`Self::populate`], as each page of a range allows it: to be written, or read.
    ///
    /// # Errors
    /// As there; a page that allows neither is refused too.
    pub fn populate_as_allowed(&self, range: Range<u64>) -> Result<(), Refusal> {
        let mut from = range.start;
        while let Some(area) = self.area(from..range.end) {
            let shared = area.sharing() == Sharing::Shared;
            if area.protection.contains(Protection::WRITE) && !shared {
                self.populate(area.range.clone(), Access::Write)?;
            } else {
                self.populate(area.range.clone(), Access::Read)?;
            }
            from = area.range.end;
        }
        Ok(())
    }

    /// A file has lost pages: lets go of those.
    pub fn forget_lost_pages(&self, file: &MappedFile<Page>, lost: &Range<u64>) {
        let inner = &mut *self.inner.borrow_mut();
        for (range, mapping) in inner.mappings.objects.over(0..u64::MAX) {
            if mapping.purpose == Purpose::Program || !mapping.object.file().is(file) {
                continue;
            }
            let pages = (range.end - range.start) / PAGE;
            let from = lost.start.saturating_sub(mapping.first).min(pages);
            let to = lost.end.saturating_sub(mapping.first).min(pages);
            let lost_here = range.start + from * PAGE..range.start + to * PAGE;
            if from < to
                && let Some(lost_here) = page_range(&lost_here)
            {
                inner.tree.forget(&mut Tables, lost_here, mapping.sharing);
            }
        }
    }

    /// The first address in a range whose mapping of an object is such a one.
    pub fn first_mapping(&self, range: Range<u64>, such: impl Fn(&Mapping) -> bool) -> Option<u64> {
        let inner = self.inner.borrow();
        let (found, _) = inner
            .mappings
            .objects
            .over(range.clone())
            .find(|(_, mapping)| such(mapping))?;
        Some(found.start.max(range.start))
    }

    /// What `/proc/PID/pagemap` says of the page at an address: whether it is mapped, whether writes to it are seen by
    /// others, and its frame.
    pub fn page_map_entry(&self, address: u64, shows_frame: bool) -> u64 {
        const PRESENT: u64 = 1 << 63;
        const SHARED: u64 = 1 << 61;
        let tree = &self.inner.borrow().tree;
        let Some(page) = tree.translate(&Tables, VirtAddr::new_truncate(address)) else {
            return 0;
        };
        let mut entry = PRESENT;
        let region = page_range(&(address..address + PAGE))
            .and_then(|range| tree.first_region(&Tables, range));
        if region.is_some_and(|region| region.sharing == Sharing::Shared) {
            entry |= SHARED;
        }
        if shows_frame {
            entry |= page.frame.start_address().as_u64() / PAGE;
        }
        entry
    }

    /// Whether the page at an address is in memory (mincore(2)): mapped already, or the file's own.
    pub fn is_resident(&self, address: u64) -> bool {
        let inner = self.inner.borrow();
        let at = VirtAddr::new_truncate(address);
        inner.tree.translate(&Tables, at).is_some()
            || inner
                .mappings
                .objects
                .at(address)
                .is_some_and(|(range, mapping)| {
                    let index = mapping.first + (address - range.start) / PAGE;
                    mapping.object.file().has_page(index)
                })
    }
}

impl AddressSpace {
    /// The mapping of a program's file at a range, known beside its pages.
    ///
    /// # Errors
    /// ENOMEM.
    pub fn note_program(
        &self,
        range: Range<u64>,
        object: &Rc<Object>,
        first: u64,
    ) -> Result<(), Errno> {
        let mapping = Mapping {
            object: Rc::clone(object),
            first,
            sharing: Sharing::Private,
            purpose: Purpose::Program,
        };
        own(&mut self.inner.borrow_mut().mappings)?
            .objects
            .insert(range, mapping);
        Ok(())
    }
}

/// The page of an object as a mapping shows it, counted for one entry more.
fn page_of(mapping: &Mapping, index: u64) -> Result<(PhysFrame, Ownership), Refusal> {
    let (purpose, ownership) = match mapping.sharing {
        Sharing::Private => (files::Purpose::Private, Ownership::Counted),
        Sharing::Shared => (files::Purpose::Shared, Ownership::Shared),
    };
    let show = |_: &Pages, content: PageContent<'_, Page>| -> Brought {
        match content {
            PageContent::Page(page) => {
                let frame = page.frame();
                Tables.share(frame);
                Some((frame, ownership))
            }
            PageContent::Archived(bytes) => archived_page(bytes),
            PageContent::Hole => None,
        }
    };
    match mapping.object.file().page(&mut Pages, index, purpose, show) {
        Ok(Some(brought)) => Ok(brought),
        Ok(None) | Err(NoPage::OutOfFrames) => Err(Refusal::OutOfFrames),
        Err(NoPage::BeyondEnd) => Err(Refusal::BeyondEnd),
    }
}

/// A page that lies in the archive: there, if it is a whole frame; else a copy.
fn archived_page(bytes: &'static [u8]) -> Brought {
    let address = physical_address(bytes.as_ptr()).as_u64();
    if bytes.len() == PAGE_SIZE && address.is_multiple_of(PAGE) {
        return Some((frame_of((address / PAGE) as u32), Ownership::Borrowed));
    }
    let frame = FRAMES.with(|frames| frames.allocate(Use::Page))?;
    // SAFETY: the frame was just handed out, and nothing else refers to it.
    let page =
        unsafe { core::slice::from_raw_parts_mut(direct_map(frame.start_address()), PAGE_SIZE) };
    page[..bytes.len()].copy_from_slice(bytes);
    page[bytes.len()..].fill(0);
    Some((frame, Ownership::Counted))
}
