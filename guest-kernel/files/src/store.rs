//! Page frames for contents, from the kernel.
use alloc::boxed::Box;
use contract::{Errno, PAGE_SIZE};
use core::mem::MaybeUninit;

/// Where contents of files and pipes lie: whole frames, so that the heap holds only small structures.
///
/// A page that was handed out comes back through [`PageStore::free`], once, when the file or pipe that holds it goes.
pub trait PageStore {
    /// A frame that is owned: neither `Copy` nor dropped without [`PageStore::free`].
    type Page;

    /// A frame of zeros; `None` when there is no frame left.
    fn allocate_zeroed(&mut self) -> Option<Self::Page>;

    /// A frame with any contents, for a caller that writes each byte before it can be read; `None` when there is no
    /// frame left.
    fn allocate(&mut self) -> Option<Self::Page> {
        self.allocate_zeroed()
    }

    /// Takes a frame back.
    fn free(&mut self, page: Self::Page);

    /// Takes back a file's frame, which mappings of the file may still have.
    fn give_up(&mut self, page: Self::Page) {
        self.free(page);
    }

    /// Its contents.
    fn bytes<'a>(&'a self, page: &'a Self::Page) -> &'a [u8; PAGE_SIZE];

    /// Fills up what the heap keeps for allocations that cannot fail: asked for where an operation, on its way, has taken
    /// more of the heap than one does.
    ///
    /// # Errors
    /// ENOMEM.
    fn require_reserve() -> Result<(), Errno> {
        Ok(())
    }

    /// Room for a value in the heap: where there may be none, and nobody has seen to a reserve.
    ///
    /// # Errors
    /// ENOMEM.
    fn room<T>() -> Result<Box<MaybeUninit<T>>, Errno> {
        Ok(Box::new_uninit())
    }

    /// Its contents, to be written.
    fn bytes_mut<'a>(&'a mut self, page: &'a mut Self::Page) -> &'a mut [u8; PAGE_SIZE];
}
