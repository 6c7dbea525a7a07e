//! Page faults, and the kernel's own access to user memory.
use x86_64::VirtAddr;
use x86_64::structures::paging::PhysFrame;
use x86_64::structures::paging::page_table::PageTableLevel::{Four, One, Three, Two};

use crate::entry::{Entry, Ownership, Protection};
use crate::node::{Took, fill_in, own_child};
use crate::range::USER_END;
use crate::space::{Path, Space, look};
use crate::store::{FrameStore, OutOfFrames};

/// What a program (or the kernel on its behalf) wants of a page.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Access {
    /// To read it.
    Read,
    /// To write it.
    Write,
    /// To execute it.
    Execute,
}

impl Access {
    /// A mapping allows the access if it allows one of these.
    #[inline]
    const fn needs(self) -> Protection {
        match self {
            Self::Read => Protection::all(),
            Self::Write => Protection::WRITE,
            Self::Execute => Protection::EXECUTE,
        }
    }
}

/// How a fault was resolved. The access will succeed when it is tried again.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Resolution {
    /// Reserved memory was accessed for the first time: a page of zeros is there now.
    DemandZero,
    /// The page was borrowed (of a file): the space has a copy of its own now.
    CopiedBorrowed,
    /// Others have the page too: the space has a copy of its own now.
    Copied,
    /// Nobody else has the page any more: it is the space's own again.
    Kept,
    /// The tables allowed the access already: the TLB knew less than they do.
    Spurious,
}

/// Why an access cannot be.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Refusal {
    /// Nothing is mapped there (SIGSEGV with SEGV_MAPERR).
    NotMapped,
    /// What is mapped there does not allow it (SIGSEGV with SEGV_ACCERR).
    NotAllowed,
    /// It would need a frame, and none is left. Nothing has changed.
    OutOfFrames,
}

impl From<OutOfFrames> for Refusal {
    fn from(_: OutOfFrames) -> Self {
        Self::OutOfFrames
    }
}

impl Space {
    /// Resolves a page fault of user code.
    ///
    /// # Errors
    /// The access cannot be; nothing has changed.
    #[inline]
    pub fn fault<S: FrameStore>(
        &mut self,
        store: &mut S,
        address: VirtAddr,
        access: Access,
    ) -> Result<Resolution, Refusal> {
        Ok(self.resolve(store, address, access)?.1)
    }

    /// The frame to read a user's page from.
    ///
    /// # Errors
    /// The program could not read there either.
    #[inline]
    pub fn resolve_for_read<S: FrameStore>(
        &mut self,
        store: &mut S,
        address: VirtAddr,
    ) -> Result<PhysFrame, Refusal> {
        Ok(self.resolve(store, address, Access::Read)?.0)
    }

    /// The frame to write a user's page to; it is the space's own, or of a shared mapping.
    ///
    /// # Errors
    /// The program could not write there either.
    #[inline]
    pub fn resolve_for_write<S: FrameStore>(
        &mut self,
        store: &mut S,
        address: VirtAddr,
    ) -> Result<PhysFrame, Refusal> {
        Ok(self.resolve(store, address, Access::Write)?.0)
    }

    #[inline]
    fn resolve<S: FrameStore>(
        &mut self,
        store: &mut S,
        address: VirtAddr,
        access: Access,
    ) -> Result<(PhysFrame, Resolution), Refusal> {
        if address.as_u64() >= USER_END {
            return Err(Refusal::NotMapped);
        }
        let found = look(store, self.root, address);
        let meaning = found.entry;
        if !meaning.protection().intersects(access.needs()) {
            return Err(if meaning.is_vacant() {
                Refusal::NotMapped
            } else {
                Refusal::NotAllowed
            });
        }
        if meaning.is_present()
            && (access != Access::Write
                || found.path == Path::Sole && meaning.is_hardware_writable())
        {
            return Ok((meaning.frame(), Resolution::Spurious));
        }

        let mut took = Took::Nothing;
        let outcome = if found.level == One && found.path == Path::Sole {
            provide(store, found.table, address, meaning)
        } else {
            own_page_table(store, self.root, address, &mut took)
                .and_then(|table| provide(store, table, address, meaning))
        };
        // A page that was present has moved, or tables have: the CPU may know the old ones, even if then no page was left.
        if took == Took::Copy
            || matches!(
                outcome,
                Ok((_, Resolution::Copied | Resolution::CopiedBorrowed))
            )
        {
            store.flush_page(address);
        }
        Ok(outcome?)
    }
}

/// Makes the path from a root to the page table of an address writable, and returns that table's frame. On an error too,
/// `took` says whether a table was copied.
#[inline]
pub(crate) fn own_page_table<S: FrameStore>(
    store: &mut S,
    root: PhysFrame,
    address: VirtAddr,
    took: &mut Took,
) -> Result<PhysFrame, OutOfFrames> {
    let mut table = root;
    let mut fill = Entry::EMPTY;
    for level in [Four, Three, Two] {
        let (entry, this) = own_child(store, table, address.page_table_index(level), fill)?;
        if this == Took::Copy {
            *took = Took::Copy;
        }
        table = entry.frame();
        fill = entry.fill();
    }
    Ok(table)
}

/// Puts a page of the space's own into an owned table, where `meaning` (reserved, or a page that may be written) was.
#[inline]
fn provide<S: FrameStore>(
    store: &mut S,
    table: PhysFrame,
    address: VirtAddr,
    meaning: Entry,
) -> Result<(PhysFrame, Resolution), OutOfFrames> {
    let index = address.page_table_index(One);
    let protection = meaning.protection();
    if !meaning.is_present() {
        let frame = store.allocate_zeroed_page().ok_or(OutOfFrames)?;
        let page = Entry::page(frame, protection, Ownership::Counted);
        let page = if protection.contains(Protection::WRITE) {
            page.writable_page()
        } else {
            page
        };
        let raw = store.entry(table, index);
        fill_in(store, table, index, raw, page);
        return Ok((frame, Resolution::DemandZero));
    }
    let old = meaning.frame();
    let (page, resolution) = if !meaning.is_counted() {
        let copy = store.allocate_page_copy(old).ok_or(OutOfFrames)?;
        (
            Entry::page(copy, protection, Ownership::Counted),
            Resolution::CopiedBorrowed,
        )
    } else if meaning.is_shared() || store.count(old) == 1 {
        (meaning, Resolution::Kept)
    } else {
        let copy = store.allocate_page_copy(old).ok_or(OutOfFrames)?;
        store.release(old);
        (
            Entry::page(copy, protection, Ownership::Counted),
            Resolution::Copied,
        )
    };
    store.set_entry(table, index, page.writable_page());
    Ok((page.frame(), resolution))
}
