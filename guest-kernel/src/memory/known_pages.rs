//! A space's tree, and the pages of it that were looked for last.
//!
//! A call that moves bytes to and fro mostly finds its buffers in the same pages. Where they are is remembered as
//! long as nothing can have changed: whoever is lent the tree to change it has that forgotten first.
use core::cell::{Cell, Ref, RefCell, RefMut};
use x86_64::PhysAddr;
use x86_64::structures::paging::PhysFrame;

const WITHIN_PAGE: u64 = 0xfff;
/// Stands where no frame is.
const NO_FRAME: PhysFrame = match PhysFrame::from_start_address(PhysAddr::zero()) {
    Ok(frame) => frame,
    Err(_) => unreachable!(),
};

/// See the module.
pub struct Known<T> {
    tree: RefCell<T>,
    /// The page that a program could read without a fault, and that which it could write.
    pub readable: KnownPage,
    pub writable: KnownPage,
}

impl<T> Known<T> {
    /// Nothing is remembered.
    pub const fn new(tree: T) -> Self {
        Self {
            tree: RefCell::new(tree),
            readable: KnownPage::none(),
            writable: KnownPage::none(),
        }
    }

    #[inline(always)]
    pub fn borrow(&self) -> Ref<'_, T> {
        self.tree.borrow()
    }

    /// To change it.
    #[inline(always)]
    pub fn borrow_mut(&self) -> RefMut<'_, T> {
        self.readable.forget();
        self.writable.forget();
        self.tree.borrow_mut()
    }

    #[inline(always)]
    pub fn into_inner(self) -> T {
        self.tree.into_inner()
    }
}

/// A page, and its frame.
pub struct KnownPage {
    /// Its address; that of no page where nothing is remembered.
    page: Cell<u64>,
    frame: Cell<PhysFrame>,
}

impl KnownPage {
    const NO_PAGE: u64 = 1;

    const fn none() -> Self {
        Self {
            page: Cell::new(Self::NO_PAGE),
            frame: Cell::new(NO_FRAME),
        }
    }

    #[inline(always)]
    fn forget(&self) {
        self.page.set(Self::NO_PAGE);
    }

    /// The frame of the page at an address, if it is this one.
    #[inline(always)]
    pub fn frame(&self, address: u64) -> Option<PhysFrame> {
        (self.page.get() == address & !WITHIN_PAGE).then(|| self.frame.get())
    }

    /// It was looked for.
    #[inline(always)]
    pub fn remember(&self, address: u64, frame: PhysFrame) {
        self.page.set(address & !WITHIN_PAGE);
        self.frame.set(frame);
    }
}
