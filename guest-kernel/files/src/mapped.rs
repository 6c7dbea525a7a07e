//! Regular files that processes map: who maps one and who has it open see the same pages.
//!
//! A file that nobody maps has its contents in its inode. With the first mapping they move to a place of their own, which
//! inode and mappings hold: so a mapping needs neither inode nor descriptor, and a page can be brought for it while the
//! files are busy with something else.
use crate::inode::Stamp;
use crate::regular::{Contents, PageContent};
use crate::store::PageStore;
use alloc::rc::Rc;
use contract::{Errno, PAGE};
use core::cell::{Cell, RefCell};
use core::ops::Range;

/// A regular file's contents, wherever they are.
#[derive(Debug)]
pub(crate) enum Regular<P> {
    Own(Contents<P>),
    Mapped(Rc<Mapped<P>>),
}

/// Contents with what their mappings have to know.
#[derive(Debug)]
pub(crate) struct Mapped<P> {
    contents: RefCell<Contents<P>>,
    /// Pages that it had, and that mappings may still have: from, up to.
    lost: Cell<Option<(u64, u64)>>,
    /// No name leads to it any more.
    unlinked: Cell<bool>,
    /// When a mapping was last asked to write to it, if the inode has not been told.
    written: Cell<Option<Stamp>>,
}

impl<P> Mapped<P> {
    fn new(contents: Contents<P>) -> Rc<Self> {
        Rc::new(Self {
            contents: RefCell::new(contents),
            lost: Cell::new(None),
            unlinked: Cell::new(false),
            written: Cell::new(None),
        })
    }

    /// Mappings, if there are any, have to let go of these pages.
    fn lose(self: &Rc<Self>, pages: Range<u64>) {
        if Rc::strong_count(self) == 1 {
            return;
        }
        let (from, to) = self.lost.get().unwrap_or((pages.start, pages.end));
        self.lost
            .set(Some((from.min(pages.start), to.max(pages.end))));
    }

    fn release(this: Rc<Self>, store: &mut impl PageStore<Page = P>) {
        if let Some(this) = Rc::into_inner(this) {
            this.contents.into_inner().free(store);
        }
    }
}

impl<P> Regular<P> {
    pub(crate) const fn new(archived: &'static [u8]) -> Self {
        Self::Own(Contents::new(archived))
    }

    #[inline]
    fn with<R>(&self, f: impl FnOnce(&Contents<P>) -> R) -> R {
        match self {
            Self::Own(contents) => f(contents),
            Self::Mapped(mapped) => f(&mapped.contents.borrow()),
        }
    }

    #[inline]
    fn with_mut<R>(&mut self, f: impl FnOnce(&mut Contents<P>) -> R) -> R {
        match self {
            Self::Own(contents) => f(contents),
            Self::Mapped(mapped) => f(&mut mapped.contents.borrow_mut()),
        }
    }

    pub(crate) fn size(&self) -> u64 {
        self.with(Contents::size)
    }

    pub(crate) fn pages(&self) -> u64 {
        self.with(Contents::pages)
    }

    pub(crate) fn version(&self) -> u64 {
        self.with(Contents::version)
    }

    /// When a mapping was last asked to write to it; forgotten with [`Self::take_written`].
    pub(crate) fn written(&self) -> Option<Stamp> {
        match self {
            Self::Own(_) => None,
            Self::Mapped(mapped) => mapped.written.get(),
        }
    }

    pub(crate) fn take_written(&self) -> Option<Stamp> {
        match self {
            Self::Own(_) => None,
            Self::Mapped(mapped) => mapped.written.take(),
        }
    }

    pub(crate) fn in_place(&self) -> Option<&'static [u8]> {
        self.with(Contents::in_place)
    }

    pub(crate) fn blocks(&self) -> u64 {
        self.with(Contents::blocks)
    }

    pub(crate) fn next_data(&self, offset: u64) -> Result<u64, Errno> {
        self.with(|contents| contents.next_data(offset))
    }

    pub(crate) fn next_hole(&self, offset: u64) -> Result<u64, Errno> {
        self.with(|contents| contents.next_hole(offset))
    }

    /// Whether anything maps it now.
    #[inline]
    pub(crate) fn is_mapped(&self) -> bool {
        matches!(self, Self::Mapped(mapped) if Rc::strong_count(mapped) > 1)
    }

    pub(crate) fn read_at(
        &self,
        store: &impl PageStore<Page = P>,
        offset: u64,
        into: &mut [u8],
    ) -> usize {
        self.with(|contents| contents.read_at(store, offset, into))
    }

    pub(crate) fn write_at(
        &mut self,
        store: &mut impl PageStore<Page = P>,
        offset: u64,
        bytes: &[u8],
    ) -> Result<usize, Errno> {
        match self {
            Self::Own(contents) => contents.write_at(store, offset, bytes),
            Self::Mapped(mapped) => {
                let mut contents = mapped.contents.borrow_mut();
                if offset > contents.size() {
                    contents.clear_tail(store);
                }
                contents.write_at(store, offset, bytes)
            }
        }
    }

    pub(crate) fn set_size(
        &mut self,
        store: &mut impl PageStore<Page = P>,
        size: u64,
    ) -> Result<(), Errno> {
        match self {
            Self::Own(contents) => contents.set_size(store, size),
            Self::Mapped(mapped) => {
                let mut contents = mapped.contents.borrow_mut();
                let before = contents.size();
                if size > before {
                    contents.clear_tail(store);
                }
                contents.set_size(store, size)?;
                let pages = size.div_ceil(PAGE)..before.div_ceil(PAGE);
                if !pages.is_empty() {
                    mapped.lose(pages);
                }
                Ok(())
            }
        }
    }

    pub(crate) fn reserve(
        &mut self,
        store: &mut impl PageStore<Page = P>,
        range: Range<u64>,
    ) -> Result<(), Errno> {
        self.with_mut(|contents| contents.reserve(store, range))
    }

    pub(crate) fn punch(
        &mut self,
        store: &mut impl PageStore<Page = P>,
        range: Range<u64>,
    ) -> Result<(), Errno> {
        if let Self::Mapped(mapped) = self {
            mapped.lose(range.start / PAGE..range.end.div_ceil(PAGE));
        }
        self.with_mut(|contents| contents.punch(store, range))
    }

    pub(crate) fn set_archived(
        &mut self,
        store: &mut impl PageStore<Page = P>,
        archived: &'static [u8],
    ) {
        self.with_mut(|contents| contents.set_archived(store, archived));
    }

    /// Gives up the contents; who maps them keeps them. The file is empty then.
    pub(crate) fn free(&mut self, store: &mut impl PageStore<Page = P>) {
        match core::mem::replace(self, Self::new(&[])) {
            Self::Own(mut contents) => contents.free(store),
            Self::Mapped(mapped) => Mapped::release(mapped, store),
        }
    }

    /// No name leads to it any more.
    pub(crate) fn note_unlinked(&self) {
        if let Self::Mapped(mapped) = self {
            mapped.unlinked.set(true);
        }
    }

    /// The contents, where mappings still have pages that they lost.
    pub(crate) fn with_lost_pages(&self) -> Option<MappedFile<P>> {
        match self {
            Self::Mapped(mapped) if mapped.lost.get().is_some() => {
                Some(MappedFile(Rc::clone(mapped)))
            }
            _ => None,
        }
    }

    /// The contents, in a place of their own.
    pub(crate) fn mapped(&mut self) -> MappedFile<P> {
        if let Self::Own(_) = self
            && let Self::Own(contents) = core::mem::replace(self, Self::new(&[]))
        {
            *self = Self::Mapped(Mapped::new(contents));
        }
        match self {
            Self::Mapped(mapped) => MappedFile(Rc::clone(mapped)),
            Self::Own(_) => unreachable!("it was just moved"),
        }
    }
}

/// What a mapping shows, and what keeps it alive: the contents of a file, or of memory that processes share.
/// To be given back by [`MappedFile::release`].
#[derive(Debug)]
#[must_use = "contents that are not released keep their pages"]
pub struct MappedFile<P>(Rc<Mapped<P>>);

/// Why a page of a file cannot be mapped.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum NoPage {
    /// The file ends before it.
    BeyondEnd,
    /// It would need a frame, and none is left.
    OutOfFrames,
}

/// What a mapping will do with a page.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Purpose {
    /// Show it as it is, and copy it before a write: it may lie in the archive.
    Private,
    /// Show what is written to the file, and write to it: it must be a page of the file's own.
    Shared,
}

impl<P> MappedFile<P> {
    /// Contents of zeros that no file has: memory that processes share.
    pub fn zeros(size: u64) -> Self {
        let mut contents = Contents::new(&[]);
        contents.grow_empty(size);
        Self(Mapped::new(contents))
    }

    /// Gives up one hold; with the last, the file's included, the pages go.
    pub fn release(self, store: &mut impl PageStore<Page = P>) {
        Mapped::release(self.0, store);
    }

    /// Makes a range zeros, whose pages mappings lose ([`Self::lost`]).
    ///
    /// # Errors
    /// ENOSPC.
    pub fn punch(
        &self,
        store: &mut impl PageStore<Page = P>,
        range: Range<u64>,
    ) -> Result<(), Errno> {
        self.0.lose(range.start / PAGE..range.end.div_ceil(PAGE));
        self.0.contents.borrow_mut().punch(store, range)
    }

    /// Size in bytes.
    #[must_use]
    pub fn size(&self) -> u64 {
        self.0.contents.borrow().size()
    }

    /// Whether no name leads to it any more.
    #[must_use]
    pub fn is_unlinked(&self) -> bool {
        self.0.unlinked.get()
    }

    /// A mapping is about to write to it, so many nanoseconds after 1970 began.
    pub fn note_write(&self, nanoseconds: u64) {
        self.0
            .written
            .set(Some(Stamp::from_nanoseconds(nanoseconds)));
    }

    /// Whether both are of the same contents.
    #[must_use]
    pub fn is(&self, other: &Self) -> bool {
        Rc::ptr_eq(&self.0, &other.0)
    }

    /// The pages that mappings must let go of, from and up to; they are told once they have ([`Self::forget_lost`]).
    #[must_use]
    pub fn lost(&self) -> Option<Range<u64>> {
        self.0.lost.get().map(|(from, to)| from..to)
    }

    /// No mapping has the lost pages any more.
    pub fn forget_lost(&self) {
        self.0.lost.set(None);
    }

    /// Whether the page of this index is there, so that no frame is needed to show it.
    #[must_use]
    pub fn has_page(&self, index: u64) -> bool {
        !matches!(self.0.contents.borrow().page(index), PageContent::Hole)
    }

    /// Shows the page of this index to `f`. A hole becomes a page first, and so does what lies in the archive where the
    /// mapping is a shared one.
    ///
    /// # Errors
    /// See [`NoPage`].
    pub fn page<S: PageStore<Page = P>, R>(
        &self,
        store: &mut S,
        index: u64,
        purpose: Purpose,
        f: impl FnOnce(&S, PageContent<'_, P>) -> R,
    ) -> Result<R, NoPage> {
        let mut contents = self.0.contents.borrow_mut();
        if index >= contents.size().div_ceil(PAGE) {
            return Err(NoPage::BeyondEnd);
        }
        let own = match contents.page(index) {
            PageContent::Page(_) => true,
            PageContent::Archived(_) => purpose == Purpose::Private,
            PageContent::Hole => false,
        };
        if purpose == Purpose::Shared {
            contents.note_change();
        }
        if !own && contents.own_page(store, index, false).is_none() {
            return Err(NoPage::OutOfFrames);
        }
        Ok(f(store, contents.page(index)))
    }
}

impl<P> Clone for MappedFile<P> {
    fn clone(&self) -> Self {
        Self(Rc::clone(&self.0))
    }
}
