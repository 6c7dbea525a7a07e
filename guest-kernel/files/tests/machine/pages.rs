//! Pages from the host's heap.
use contract::Errno;
use files::PageStore;
use std::cell::Cell;

thread_local! {
    /// How often the heap's reserve is still there when it is asked for.
    pub static RESERVE: Cell<usize> = const { Cell::new(usize::MAX) };
}

/// Pages from the host's heap. One that is dropped instead of freed is a leak: the count shows it.
pub struct Pages {
    pub out: usize,
    /// How many more can be had.
    pub left: usize,
}

#[derive(Debug)]
pub struct Page(Box<[u8; 4096]>);

impl PageStore for Pages {
    type Page = Page;

    fn require_reserve() -> Result<(), Errno> {
        let left = RESERVE.get().checked_sub(1).ok_or(Errno::ENOMEM)?;
        RESERVE.set(left);
        Ok(())
    }

    fn allocate_zeroed(&mut self) -> Option<Page> {
        self.left = self.left.checked_sub(1)?;
        self.out += 1;
        Some(Page(Box::new([0; 4096])))
    }

    fn allocate(&mut self) -> Option<Page> {
        let mut page = self.allocate_zeroed()?;
        page.0.fill(0xa5);
        Some(page)
    }

    fn free(&mut self, _page: Page) {
        self.out -= 1;
        self.left += 1;
    }

    fn bytes<'a>(&'a self, page: &'a Page) -> &'a [u8; 4096] {
        &page.0
    }

    fn bytes_mut<'a>(&'a mut self, page: &'a mut Page) -> &'a mut [u8; 4096] {
        &mut page.0
    }
}
