//! A store over plain vectors, which can run out of frames on demand, has a TLB to be kept right, and can be audited.
#![allow(dead_code, reason = "each test file uses a part of it")]
pub mod spaces;
mod tlb;

use std::collections::{BTreeMap, HashMap};

use page_tree::{Entry, FrameStore, Space};
use x86_64::structures::paging::{PageTableIndex, PhysFrame};
use x86_64::{PhysAddr, VirtAddr};

use tlb::Cached;

/// What a frame is used as. A table's entries are kept up to the last one ever stored, by eights; a page's contents are one
/// number.
enum Use {
    Free,
    Table(Vec<Entry>),
    Root(Vec<Entry>),
    Page(u64),
}

struct Frame {
    used: Use,
    count: u32,
    groups: u64,
    counted: u32,
}

/// The store.
#[derive(Default)]
pub struct Arena {
    frames: Vec<Frame>,
    free: Vec<usize>,
    /// What page tables held that were freed, and its live groups: the next ones to be overwritten hold it.
    stale: Vec<(Vec<Entry>, u64)>,
    /// Allocations that will still succeed; without a limit, all.
    pub left: Option<u32>,
    pub tables_copied: u64,
    pub allocations: u64,
    pub stores: u64,
    pub flushes: u64,
    /// Translations of one space, by page.
    tlb: BTreeMap<u64, Cached>,
    /// Page tables of that space in the paging-structure caches, by address / 2 MiB.
    cached_tables: BTreeMap<u64, PhysFrame>,
    /// Whether flushes concern the space of the TLB.
    pub tlb_hears: bool,
}

fn number(frame: PhysFrame) -> usize {
    (frame.start_address().as_u64() / 4096) as usize - 1
}

fn frame(number: usize) -> PhysFrame {
    PhysFrame::containing_address(PhysAddr::new((number as u64 + 1) * 4096))
}

impl Arena {
    pub fn new() -> Self {
        Self::default()
    }

    fn allocate(&mut self, used: Use) -> Option<PhysFrame> {
        if let Some(left) = &mut self.left {
            *left = left.checked_sub(1)?;
        }
        self.allocations += 1;
        let new = Frame {
            used,
            count: 1,
            groups: 0,
            counted: 0,
        };
        Some(frame(match self.free.pop() {
            Some(n) => {
                self.frames[n] = new;
                n
            }
            None => {
                self.frames.push(new);
                self.frames.len() - 1
            }
        }))
    }

    fn at(&self, f: PhysFrame) -> &Frame {
        &self.frames[number(f)]
    }

    fn at_mut(&mut self, f: PhysFrame) -> &mut Frame {
        &mut self.frames[number(f)]
    }

    fn entries(&self, table: PhysFrame) -> &[Entry] {
        match &self.at(table).used {
            Use::Table(entries) | Use::Root(entries) => entries,
            _ => panic!("{table:?} is not a table"),
        }
    }

    fn free_frame(&mut self, f: PhysFrame) {
        let frame = self.at_mut(f);
        assert_eq!(frame.count, 0, "freed while counted");
        frame.used = Use::Free;
        self.free.push(number(f));
    }

    /// A page with contents, of count 1, whatever the limit.
    pub fn page(&mut self, contents: u64) -> PhysFrame {
        let left = self.left.take();
        let page = self.allocate(Use::Page(contents)).unwrap();
        self.left = left;
        page
    }

    /// Consecutive pages, of count 1 each.
    pub fn run(&mut self, contents: impl Iterator<Item = u64>) -> PhysFrame {
        let first = self.frames.len();
        self.frames.extend(contents.map(|n| Frame {
            used: Use::Page(n),
            count: 1,
            groups: 0,
            counted: 0,
        }));
        frame(first)
    }

    pub fn read(&self, page: PhysFrame) -> u64 {
        match self.at(page).used {
            Use::Page(contents) => contents,
            _ => panic!("{page:?} is not a page"),
        }
    }

    pub fn write(&mut self, page: PhysFrame, value: u64) {
        match &mut self.at_mut(page).used {
            Use::Page(contents) => *contents = value,
            _ => panic!("{page:?} is not a page"),
        }
    }

    pub fn frames_in_use(&self) -> usize {
        self.frames.len() - self.free.len()
    }

    pub fn tables_in_use(&self) -> usize {
        let table = |f: &&Frame| matches!(f.used, Use::Table(_) | Use::Root(_));
        self.frames.iter().filter(table).count()
    }

    /// Checks all that must hold of all frames, given every space, and the frames that the test itself holds.
    pub fn audit<'a>(&self, spaces: impl Iterator<Item = &'a Space>, held: &[PhysFrame]) {
        let mut counts: HashMap<usize, u32> = HashMap::new();
        for f in held {
            *counts.entry(number(*f)).or_default() += 1;
        }
        for space in spaces {
            let root = space.root();
            assert!(matches!(self.at(root).used, Use::Root(_)));
            *counts.entry(number(root)).or_default() += 1;
            assert_eq!(self.at(root).count, 1);
            self.audit_table(root, 4, false, &mut counts);
        }
        for (n, f) in self.frames.iter().enumerate() {
            let expected = counts.get(&n).copied().unwrap_or(0);
            match f.used {
                Use::Free => assert_eq!(expected, 0, "frame {n} is free and in use"),
                _ => assert_eq!(f.count, expected, "count of frame {n}"),
            }
            assert!(
                f.count != 0 || matches!(f.used, Use::Free),
                "frame {n} has leaked"
            );
        }
    }

    fn audit_table(
        &self,
        table: PhysFrame,
        level: u32,
        filled: bool,
        counts: &mut HashMap<usize, u32>,
    ) {
        const DEAD: [Entry; 8] = [Entry::EMPTY; 8];
        let (groups, _) = self.entries(table).as_chunks::<8>();
        let live = groups
            .iter()
            .enumerate()
            .filter(|(_, group)| **group != DEAD);
        let entries = live.flat_map(|(g, group)| (g * 8..).zip(group));
        for (index, entry) in entries.filter(|(_, entry)| !entry.is_empty()) {
            assert!(
                self.at(table).groups >> (index / 8) & 1 == 1,
                "a dead group holds {entry:?}"
            );
            assert!(level != 4 || index < 256, "in the kernel's half");
            assert!(
                level != 1
                    || !entry.is_counted()
                    || self.at(table).counted >> (index / 16) & 1 == 1,
                "{entry:?} is counted, its group is not"
            );
            assert!(
                level == 1 || self.at(table).counted >> (index % 32) & 1 == 1,
                "{entry:?} at {index} is in a dead column"
            );
            if !entry.has_frame() {
                assert!(
                    entry.is_reserved() || filled,
                    "a hole where an empty entry would do"
                );
                assert!(!entry.is_counted());
                continue;
            }
            let child = self.at(entry.frame());
            match (level, &child.used) {
                (1, Use::Page(_)) | (2..=4, Use::Table(_)) => {}
                _ => panic!("{entry:?} at level {level}"),
            }
            if entry.is_hardware_writable() && !entry.is_shared() {
                assert!(entry.is_counted(), "a borrowed page may be written");
                assert_eq!(child.count, 1, "{entry:?} may be written and is shared");
            }
            if entry.is_counted() {
                let count = counts.entry(number(entry.frame())).or_default();
                *count += 1;
                if *count == 1 && level > 1 {
                    let filled = entry.raw() >> 9 & 1 == 1;
                    self.audit_table(entry.frame(), level - 1, filled, counts);
                }
            }
        }
    }
}

impl FrameStore for Arena {
    fn entry(&self, table: PhysFrame, index: PageTableIndex) -> Entry {
        let entries = self.entries(table);
        entries
            .get(usize::from(index))
            .copied()
            .unwrap_or(Entry::EMPTY)
    }

    fn set_entry(&mut self, table: PhysFrame, index: PageTableIndex, entry: Entry) {
        self.stores += 1;
        match &mut self.at_mut(table).used {
            Use::Table(entries) | Use::Root(entries) => {
                let index = usize::from(index);
                if index >= entries.len() {
                    entries.resize((index + 1).next_multiple_of(8), Entry::EMPTY);
                }
                entries[index] = entry;
            }
            _ => panic!("{table:?} is not a table"),
        }
    }

    fn allocate_table(&mut self) -> Option<PhysFrame> {
        self.allocate(Use::Table(Vec::new()))
    }

    fn allocate_root(&mut self) -> Option<PhysFrame> {
        self.allocate(Use::Root(Vec::new()))
    }

    fn allocate_zeroed_page(&mut self) -> Option<PhysFrame> {
        self.allocate(Use::Page(0))
    }

    fn allocate_page_copy(&mut self, of: PhysFrame) -> Option<PhysFrame> {
        let contents = self.read(of);
        self.allocate(Use::Page(contents))
    }

    fn free_table(&mut self, table: PhysFrame) {
        assert!(matches!(self.at(table).used, Use::Table(_)));
        assert!(self.entries(table).iter().all(|entry| entry.is_empty()));
        self.free_frame(table);
    }

    fn allocate_table_to_overwrite(&mut self) -> Option<PhysFrame> {
        let Some((entries, groups)) = self.stale.pop() else {
            return self.allocate_table();
        };
        let table = self.allocate(Use::Table(entries))?;
        self.set_live_groups(table, groups);
        Some(table)
    }

    fn free_page_table(&mut self, table: PhysFrame) {
        let groups = self.live_groups(table);
        let used = std::mem::replace(&mut self.at_mut(table).used, Use::Table(Vec::new()));
        let Use::Table(entries) = used else {
            panic!("{table:?} is not a table");
        };
        for (index, entry) in entries.iter().enumerate() {
            assert!(entry.is_empty() || groups >> (index / 8) & 1 == 1);
        }
        self.stale.push((entries, groups));
        self.free_frame(table);
    }

    fn free_root(&mut self, root: PhysFrame) {
        assert!(matches!(self.at(root).used, Use::Root(_)));
        assert!(self.entries(root).iter().all(|entry| entry.is_empty()));
        self.free_frame(root);
    }

    fn free_page(&mut self, page: PhysFrame) {
        assert!(matches!(self.at(page).used, Use::Page(_)));
        self.free_frame(page);
    }

    fn count(&self, frame: PhysFrame) -> u32 {
        self.at(frame).count
    }

    fn share(&mut self, frame: PhysFrame) {
        let count = &mut self.at_mut(frame).count;
        assert_ne!(*count, 0);
        *count += 1;
    }

    fn release(&mut self, frame: PhysFrame) -> u32 {
        let count = &mut self.at_mut(frame).count;
        *count -= 1;
        *count
    }

    fn live_groups(&self, table: PhysFrame) -> u64 {
        self.at(table).groups
    }

    fn set_live_groups(&mut self, table: PhysFrame, groups: u64) {
        self.at_mut(table).groups = groups;
    }

    fn counted_groups(&self, table: PhysFrame) -> u32 {
        self.at(table).counted
    }

    fn set_counted_groups(&mut self, table: PhysFrame, groups: u32) {
        self.at_mut(table).counted = groups;
    }

    fn flush_page(&mut self, address: VirtAddr) {
        self.flushes += 1;
        if self.tlb_hears {
            self.tlb.remove(&(address.as_u64() & !4095));
            self.cached_tables.clear();
        }
    }

    fn flush_all(&mut self) {
        self.flushes += 1;
        if self.tlb_hears {
            self.tlb_clear();
        }
    }

    fn note_table_copied(&mut self) {
        self.tables_copied += 1;
    }
}
