//! What a processor may still know of one space, and whether that is right.
use super::Arena;
use page_tree::{FrameStore, Space};
use x86_64::structures::paging::{PageTableIndex, PhysFrame};

/// A translation as a TLB keeps it.
#[derive(Clone, Copy, PartialEq, Debug)]
pub struct Cached {
    frame: PhysFrame,
    writable: bool,
    executable: bool,
}

/// What the hardware finds for a page: the page table, and what that says.
#[derive(Default)]
struct Walk {
    page_table: Option<PhysFrame>,
    page: Option<Cached>,
}

impl Arena {
    fn hardware_walk(&self, root: PhysFrame, page: u64) -> Walk {
        let mut found = Walk::default();
        let (mut table, mut writable) = (root, true);
        for level in (0..4).rev() {
            if level == 0 {
                found.page_table = Some(table);
            }
            let index = PageTableIndex::new_truncate((page >> (12 + 9 * level)) as u16 % 512);
            let entry = self.entry(table, index);
            if !entry.is_present() {
                return found;
            }
            writable &= entry.is_hardware_writable();
            table = entry.frame();
            if level == 0 {
                found.page = Some(Cached {
                    frame: table,
                    writable,
                    executable: entry.raw() >> 63 == 0,
                });
            }
        }
        found
    }

    /// The CPU uses a page of the TLB's space, or tries to.
    pub fn tlb_load(&mut self, space: &Space, page: u64) {
        let found = self.hardware_walk(space.root(), page);
        if let Some(page_table) = found.page_table {
            self.cached_tables.insert(page >> 21, page_table);
        }
        if let Some(cached) = found.page {
            self.tlb.insert(page, cached);
        }
    }

    /// The CPU goes to another space.
    pub fn tlb_clear(&mut self) {
        self.tlb.clear();
        self.cached_tables.clear();
    }

    /// The TLB may know less than the tables say, never more, and never another frame or page table.
    pub fn tlb_audit(&self, space: &Space) {
        for (page, cached) in &self.tlb {
            let Some(now) = self.hardware_walk(space.root(), *page).page else {
                panic!("{page:#x}: not present, and still in the TLB");
            };
            assert_eq!(cached.frame, now.frame, "{page:#x}: stale frame");
            assert!(now.writable || !cached.writable, "{page:#x}: stale W");
            assert!(now.executable || !cached.executable, "{page:#x}: stale X");
        }
        for (number, page_table) in &self.cached_tables {
            let now = self.hardware_walk(space.root(), number << 21).page_table;
            assert_eq!(Some(*page_table), now, "{number:#x}: stale table");
        }
    }
}
