//! Changing what is mapped: the tree, and with it what is known beside the tree.
use super::areas::Area;
use super::mappings::{Advice, own};
use super::pages::Tables;
use super::space::{AddressSpace, Inner, no_frame, page_range};
use contract::Errno;
use core::ops::Range;
use page_tree::{OutOfFrames, Ownership, ProtectError, Protection, Space, UserPage, Whole};
use x86_64::VirtAddr;
use x86_64::structures::paging::PhysFrame;

impl AddressSpace {
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
}

impl Inner {
    /// Changes the tree all over a range, and forgets what was known of it.
    pub(super) fn replace(
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
