//! User pages and ranges of them: checked once, true from then on.
use x86_64::VirtAddr;
use x86_64::structures::paging::page_table::PageTableLevel;
use x86_64::structures::paging::{Page, PageTableIndex};

/// First byte above what a process may map: one page is left free below the non-canonical addresses, so that no
/// instruction can end on their edge (as Linux's TASK_SIZE_MAX).
pub const USER_END: u64 = 0x0000_7fff_ffff_f000;
/// Size of a page in bytes.
pub const PAGE: u64 = 4096;

/// A page of 4 KiB below [`USER_END`].
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Default, Debug)]
pub struct UserPage(u64);

impl UserPage {
    /// The page that holds an address, if that is a user's.
    #[inline]
    #[must_use]
    pub fn containing(address: VirtAddr) -> Option<Self> {
        (address.as_u64() < USER_END).then_some(Self(address.as_u64() & !(PAGE - 1)))
    }

    /// First byte.
    #[inline]
    #[must_use]
    pub fn start(self) -> VirtAddr {
        VirtAddr::new_truncate(self.0)
    }

    /// Whether one page table covers it and an address.
    #[inline]
    pub(crate) fn shares_page_table(self, address: VirtAddr) -> bool {
        const COVERED: u64 = 1 << 21;
        (self.0 ^ address.as_u64()) < COVERED
    }
}

impl From<UserPage> for Page {
    fn from(page: UserPage) -> Self {
        Self::containing_address(page.start())
    }
}

/// One page or more, below [`USER_END`].
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct PageRange {
    pub(crate) start: u64,
    pub(crate) end: u64,
}

impl PageRange {
    /// All that a process may map.
    pub const ALL: Self = Self {
        start: 0,
        end: USER_END,
    };

    /// The range of `length` bytes, rounded up to whole pages, from `start`, which lies on a page. `None` for what is
    /// not that, is empty, or does not end at or below [`USER_END`].
    #[inline]
    #[must_use]
    pub fn new(start: u64, length: u64) -> Option<Self> {
        let end = start.checked_add(length)?.checked_next_multiple_of(PAGE)?;
        (start.is_multiple_of(PAGE) && start < end && end <= USER_END)
            .then_some(Self { start, end })
    }

    /// First byte.
    #[inline]
    #[must_use]
    pub fn start(self) -> VirtAddr {
        VirtAddr::new_truncate(self.start)
    }

    /// First byte above.
    #[inline]
    #[must_use]
    pub fn end(self) -> VirtAddr {
        VirtAddr::new_truncate(self.end)
    }

    /// Pages of 4 KiB in it, one at least.
    #[inline]
    #[must_use]
    pub fn pages(self) -> u64 {
        (self.end - self.start) / PAGE
    }

    /// The parts of a range, one for each entry that it touches in one table of `level`.
    #[inline]
    pub(crate) fn parts(self, level: PageTableLevel) -> impl Iterator<Item = Self> {
        let size = level.entry_address_space_alignment();
        let mut start = self.start;
        core::iter::from_fn(move || {
            if start >= self.end {
                return None;
            }
            let part = Self {
                start,
                end: self.end.min((start & !(size - 1)) + size),
            };
            start = part.end;
            Some(part)
        })
    }

    /// The part of a range, all in one table of `level`, that the entry at `index` covers.
    #[inline]
    pub(crate) fn part(self, level: PageTableLevel, index: PageTableIndex) -> Self {
        self.span(level, u16::from(index), u16::from(index) + 1)
    }

    /// The part of a range, all in one table of `level`, that the entries from `first` up to below `end` cover.
    #[inline]
    pub(crate) fn span(self, level: PageTableLevel, first: u16, end: u16) -> Self {
        let size = level.entry_address_space_alignment();
        let base = self.start & !(level.table_address_space_alignment() - 1);
        Self {
            start: self.start.max(base + u64::from(first) * size),
            end: self.end.min(base + u64::from(end) * size),
        }
    }

    /// Whether it lies in one page table.
    #[inline]
    pub(crate) fn is_in_one_page_table(self) -> bool {
        (self.start ^ (self.end - 1)) >> 21 == 0
    }

    /// The address of its last page.
    #[inline]
    pub(crate) fn last_page(self) -> VirtAddr {
        VirtAddr::new_truncate(self.end - PAGE)
    }

    /// Whether it is more than half of an entry of a table of `level`, of which it is a part.
    #[inline]
    pub(crate) fn is_most(self, level: PageTableLevel) -> bool {
        self.end - self.start > level.entry_address_space_alignment() / 2
    }

    /// Whether it fills an entry of a table of `level`, of which it is a part.
    #[inline]
    pub(crate) fn fills(self, level: PageTableLevel) -> bool {
        self.end - self.start == level.entry_address_space_alignment()
    }

    /// The index of its first page in a table of `level`.
    #[inline]
    pub(crate) fn index(self, level: PageTableLevel) -> PageTableIndex {
        self.start().page_table_index(level)
    }

    /// The index of its last page in a table of `level`.
    #[inline]
    pub(crate) fn last_index(self, level: PageTableLevel) -> PageTableIndex {
        VirtAddr::new_truncate(self.end - 1).page_table_index(level)
    }

    /// The indices of its pages, all in one page table.
    #[inline]
    pub(crate) fn indices(self) -> impl Iterator<Item = PageTableIndex> + Clone {
        let first = u16::from(self.index(PageTableLevel::One));
        (first..first + self.pages() as u16).map(PageTableIndex::new_truncate)
    }
}

impl From<UserPage> for PageRange {
    #[inline]
    fn from(page: UserPage) -> Self {
        Self {
            start: page.0,
            end: page.0 + PAGE,
        }
    }
}
