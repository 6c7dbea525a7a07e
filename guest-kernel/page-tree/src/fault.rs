//! Page faults, and the kernel's own access to user memory.
use x86_64::VirtAddr;
use x86_64::structures::paging::page_table::PageTableLevel::{Four, One, Three, Two};
use x86_64::structures::paging::{PageTableIndex, PhysFrame};

use crate::entry::{Entry, Ownership, Protection};
use crate::node::{Took, fill_in_page};
use crate::path::{Along, own_page_table};
use crate::range::USER_END;
use crate::space::{Space, look, walk};
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

    /// Whether what is mapped allows it.
    #[inline]
    fn check(self, meaning: Entry) -> Result<(), Refusal> {
        if meaning.protection().intersects(self.needs()) {
            Ok(())
        } else if meaning.is_vacant() {
            Err(Refusal::NotMapped)
        } else {
            Err(Refusal::NotAllowed)
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
    /// The page is an object's: bring it ([`Space::awaited`]), and try again.
    NotThere,
    /// The object has no such page. Never the tree's own answer, but that of who brings pages (SIGBUS with BUS_ADRERR).
    BeyondEnd,
}

impl From<OutOfFrames> for Refusal {
    fn from(_: OutOfFrames) -> Self {
        Self::OutOfFrames
    }
}

/// The frame of a page that the hardware may read, in the tree of that root.
#[inline]
#[must_use]
pub fn readable_already<S: FrameStore>(
    store: &S,
    root: PhysFrame,
    address: VirtAddr,
) -> Option<PhysFrame> {
    walk_user(store, root, address).map(|(page, _)| page.frame())
}

/// The frame of a page that the hardware may write, in the tree of that root.
#[inline]
#[must_use]
pub fn writable_already<S: FrameStore>(
    store: &S,
    root: PhysFrame,
    address: VirtAddr,
) -> Option<PhysFrame> {
    let (page, way) = walk_user(store, root, address)?;
    way.is_hardware_writable().then(|| page.frame())
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
        if let Some(frame) = readable_already(store, self.root, address) {
            return Ok(frame);
        }
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
        if let Some(frame) = writable_already(store, self.root, address) {
            return Ok(frame);
        }
        Ok(self.resolve(store, address, Access::Write)?.0)
    }

    #[inline(never)]
    pub(crate) fn resolve<S: FrameStore>(
        &mut self,
        store: &mut S,
        address: VirtAddr,
        access: Access,
    ) -> Result<(PhysFrame, Resolution), Refusal> {
        if address.as_u64() >= USER_END {
            return Err(Refusal::NotMapped);
        }
        let Some(table) = own_page_table_already(store, self.root, address) else {
            return self.resolve_below_shared(store, address, access);
        };
        let page = store.entry(table.frame(), address.page_table_index(One));
        let meaning = page.within(table.fill());
        access.check(meaning)?;
        if meaning.is_present() && (access != Access::Write || meaning.is_hardware_writable()) {
            return Ok((meaning.frame(), Resolution::Spurious));
        }
        let provided = provide(store, table.frame(), address, meaning);
        if let Ok((_, Resolution::Copied | Resolution::CopiedBorrowed)) = provided {
            store.flush_page(address);
        }
        provided
    }

    /// [`Self::resolve`] where a table is not the space's own, or there is none.
    #[inline(never)]
    fn resolve_below_shared<S: FrameStore>(
        &mut self,
        store: &mut S,
        address: VirtAddr,
        access: Access,
    ) -> Result<(PhysFrame, Resolution), Refusal> {
        let meaning = look(store, self.root, address).entry;
        access.check(meaning)?;
        // From here on what is there is there to be written.
        if meaning.is_present() && access != Access::Write {
            return Ok((meaning.frame(), Resolution::Spurious));
        }
        let mut took = Took::Nothing;
        let along = Along::Written(&[]);
        let provided = own_page_table(store, self.root, address, along, &mut took)
            .map_err(Refusal::from)
            .and_then(|table| provide_below(store, table.frame(), address, meaning));
        // A page that was present has moved, or a table has: the CPU may know the old one, even if in the end no frame
        // was left for the page.
        let moved = matches!(
            provided,
            Ok((_, Resolution::Copied | Resolution::CopiedBorrowed))
        );
        if took == Took::Copy || moved {
            store.flush_page(address);
        }
        provided
    }

    /// What a mapping of an object allows at an address whose page is still to be brought there, with
    /// [`Space::map_page`]; `None` where no such page is missing.
    #[must_use]
    pub fn awaited<S: FrameStore>(&self, store: &S, address: VirtAddr) -> Option<Protection> {
        if address.as_u64() >= USER_END {
            return None;
        }
        let entry = look(store, self.root, address).entry;
        (entry.is_reserved() && entry.is_of_object()).then(|| entry.protection())
    }
}

/// As [`walk`], of any address.
#[inline]
pub(crate) fn walk_user<S: FrameStore>(
    store: &S,
    root: PhysFrame,
    address: VirtAddr,
) -> Option<(Entry, Entry)> {
    if address.as_u64() >= USER_END {
        return None;
    }
    walk(store, root, address)
}

/// The entry of an address's page table, if that and all tables above it are reached from one root alone.
#[inline]
fn own_page_table_already<S: FrameStore>(
    store: &S,
    root: PhysFrame,
    address: VirtAddr,
) -> Option<Entry> {
    let mut table = root;
    let mut entry = Entry::EMPTY;
    for level in [Four, Three, Two] {
        entry = store.entry(table, address.page_table_index(level));
        // A table is present where its entry is writable.
        if !entry.is_hardware_writable() {
            return None;
        }
        table = entry.frame();
    }
    Some(entry)
}

/// Makes a counted page that is present in an owned table, and may be written, the space's own: its frame then.
#[inline(never)]
fn own_page<S: FrameStore>(
    store: &mut S,
    page_table: PhysFrame,
    index: PageTableIndex,
    page: Entry,
) -> Option<PhysFrame> {
    let frame = page.frame();
    if page.is_shared() || store.count(frame) == 1 {
        store.set_entry(page_table, index, page.writable_page());
        return Some(frame);
    }
    let copy = store.allocate_page_copy(frame)?;
    store.release(frame);
    store.set_entry(page_table, index, page.with_page(copy));
    Some(copy)
}

/// Puts a page of the space's own into an owned table, where `meaning` (reserved, or a page that may be written) was.
#[inline]
fn provide<S: FrameStore>(
    store: &mut S,
    page_table: PhysFrame,
    address: VirtAddr,
    meaning: Entry,
) -> Result<(PhysFrame, Resolution), Refusal> {
    let index = address.page_table_index(One);
    if meaning.is_present() && meaning.is_counted() {
        let own = own_page(store, page_table, index, meaning).ok_or(OutOfFrames)?;
        let resolution = if own == meaning.frame() {
            Resolution::Kept
        } else {
            Resolution::Copied
        };
        return Ok((own, resolution));
    }
    provide_new(store, page_table, index, meaning)
}

/// As [`provide`], in a table that has just become the space's own: the page may have come along with it.
#[inline]
fn provide_below<S: FrameStore>(
    store: &mut S,
    page_table: PhysFrame,
    address: VirtAddr,
    meaning: Entry,
) -> Result<(PhysFrame, Resolution), Refusal> {
    let page = store.entry(page_table, address.page_table_index(One));
    if !page.is_hardware_writable() {
        return provide(store, page_table, address, meaning);
    }
    let resolution = if page.frame() == meaning.frame() {
        Resolution::Kept
    } else {
        Resolution::Copied
    };
    Ok((page.frame(), resolution))
}

/// As [`provide`], where there is no page that is counted.
#[inline(never)]
fn provide_new<S: FrameStore>(
    store: &mut S,
    page_table: PhysFrame,
    index: PageTableIndex,
    meaning: Entry,
) -> Result<(PhysFrame, Resolution), Refusal> {
    let (frame, resolution) = if meaning.is_present() {
        let copy = store.allocate_page_copy(meaning.frame());
        (copy, Resolution::CopiedBorrowed)
    } else if meaning.is_of_object() {
        return Err(Refusal::NotThere);
    } else {
        (store.allocate_zeroed_page(), Resolution::DemandZero)
    };
    let frame = frame.ok_or(OutOfFrames)?;
    let protection = meaning.protection();
    let mut page = Entry::page(frame, protection, Ownership::Counted);
    if protection.contains(Protection::WRITE) {
        page = page.writable_page();
    }
    let old = store.entry(page_table, index);
    fill_in_page(store, page_table, index, old, page);
    Ok((frame, resolution))
}
