//! Pages that are copied ahead of the write that is known to come, together with the first of them.
use core::cell::Cell;

use x86_64::VirtAddr;
use x86_64::structures::paging::PhysFrame;
use x86_64::structures::paging::page_table::PageTableLevel::One;

use crate::fault::{Access, Refusal, Resolution, walk_user};
use crate::node::Took;
use crate::path::{Along, own_page_table};
use crate::range::UserPage;
use crate::space::{Space, look};
use crate::store::FrameStore;

impl Space {
    /// As [`Space::resolve_for_write`], where a table is most likely not the space's own, and what it took. Where it copies a
    /// page that others have too, the pages `ahead` of their own write are copied with it: those that are there, private,
    /// and may be written. For want of a frame such a page waits for its write.
    ///
    /// # Errors
    /// The program could not write there either.
    #[inline(never)]
    pub fn own_for_write<S: FrameStore>(
        &mut self,
        store: &mut S,
        address: VirtAddr,
        ahead: &[Cell<UserPage>],
    ) -> Result<(PhysFrame, Resolution), Refusal> {
        let mut took = Took::Nothing;
        if let Some((page, way)) = walk_user(store, self.root, address)
            && page.is_copied_before_write()
            && !way.is_hardware_writable()
        {
            let along = Along::Written(ahead);
            let table = own_page_table(store, self.root, address, along, &mut took)?;
            if took == Took::Copy {
                // The page came along.
                store.flush_page(address);
                self.copy_ahead(store, address, took, ahead);
                let page = store.entry(table.frame(), address.page_table_index(One));
                return Ok((page.frame(), Resolution::Copied));
            }
        }
        let resolved = self.resolve(store, address, Access::Write)?;
        if resolved.1 == Resolution::Copied {
            self.copy_ahead(store, address, took, ahead);
        }
        Ok(resolved)
    }

    /// Copies the pages that did not come along with the page table of `near`: if that was copied, what is elsewhere.
    #[inline]
    fn copy_ahead<S: FrameStore>(
        &mut self,
        store: &mut S,
        near: VirtAddr,
        took: Took,
        pages: &[Cell<UserPage>],
    ) {
        for (page, rest) in pages.iter().zip(1..) {
            let page = page.get();
            if took == Took::Nothing || !page.shares_page_table(near) {
                self.copy_far_ahead(store, page.start(), &pages[rest..]);
            }
        }
    }

    #[inline(never)]
    fn copy_far_ahead<S: FrameStore>(
        &mut self,
        store: &mut S,
        address: VirtAddr,
        ahead: &[Cell<UserPage>],
    ) {
        if look(store, self.root, address)
            .entry
            .is_copied_before_write()
        {
            // Without a frame the page waits for its write.
            let _ = self.own_for_write(store, address, ahead);
        }
    }
}
