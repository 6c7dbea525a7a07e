//! All spaces of a run twice: as page tables, and as one would write them down.
mod accesses;
mod changes;
mod objects;
mod relocation;

use crate::arena::Arena;
use fastrand::Rng;
use page_tree::{PAGE, PageRange, Protection, Region, Sharing, Space, USER_END};
use std::collections::BTreeMap;
use x86_64::VirtAddr;
use x86_64::structures::paging::PhysFrame;

const MIB: u64 = 1 << 20;
const GIB: u64 = 1 << 30;

/// What a page holds.
#[derive(Clone, Copy, PartialEq, Debug)]
enum Contents {
    Private(u64),
    /// What a shared page, by its number, holds.
    Shared(usize),
    /// What an object's page, by both numbers, holds.
    OfObject(usize, u64),
}

/// What is behind a mapping.
#[derive(Clone, Copy, PartialEq, Debug)]
enum Backing {
    Private,
    SharedPage,
    /// Which object; its page n is at this address plus n pages.
    Object(Sharing, usize, u64),
}

impl Backing {
    fn sharing(self) -> Sharing {
        match self {
            Self::Private => Sharing::Private,
            Self::SharedPage => Sharing::Shared,
            Self::Object(sharing, ..) => sharing,
        }
    }
}

/// A space as one would write it down: which segments are mapped how, and which pages hold something else than zero.
#[derive(Clone, Default, PartialEq, Debug)]
struct Plain {
    mapped: Vec<Option<(Protection, Backing)>>,
    contents: BTreeMap<u64, Contents>,
}

/// The spaces, and what they are made of.
pub struct World {
    arena: Arena,
    rng: Rng,
    /// The user's half in pieces, whose borders are the borders of all changes.
    borders: Vec<u64>,
    spaces: Vec<(Space, Plain)>,
    /// Shared pages, and what they hold.
    shared: Vec<(PhysFrame, u64)>,
    /// Objects: the pages that they have.
    objects: Vec<BTreeMap<u64, (PhysFrame, u64)>>,
    /// Consecutive pages of "the initramfs", and the first one's contents.
    borrowed: PhysFrame,
    held: Vec<PhysFrame>,
    /// Index of the space that the TLB caches.
    current: usize,
    clock: u64,
}

const BORROWED_PAGES: u64 = 600;
const BORROWED_CONTENTS: u64 = 1 << 40;

fn borders() -> Vec<u64> {
    let mut borders = vec![0, USER_END - PAGE, USER_END];
    for around in [
        64 * 1024,
        2 * MIB,
        4 * MIB,
        6 * MIB,
        8 * MIB,
        10 * MIB,
        GIB,
        GIB + 2 * MIB,
        2 * GIB,
        512 * GIB,
        513 * GIB,
        1024 * GIB,
        0x7f00_0000_0000,
    ] {
        borders.extend([
            around - PAGE,
            around,
            around + PAGE,
            around + 2 * PAGE,
            around + 10 * PAGE,
        ]);
    }
    borders.sort_unstable();
    borders.dedup();
    borders
}

impl World {
    pub fn new(seed: u64) -> Self {
        let mut arena = Arena::new();
        let borrowed = arena.run((0..BORROWED_PAGES).map(|n| BORROWED_CONTENTS + n));
        let shared: Vec<_> = (0..4).map(|n| (arena.page(n), n)).collect();
        let held = (0..BORROWED_PAGES)
            .map(|n| borrowed + n)
            .chain(shared.iter().map(|s| s.0))
            .collect();
        let borders = borders();
        let plain = Plain {
            mapped: vec![None; borders.len() - 1],
            contents: BTreeMap::new(),
        };
        let space = Space::new(&mut arena).unwrap();
        Self {
            arena,
            rng: Rng::with_seed(seed),
            borders,
            spaces: vec![(space, plain)],
            shared,
            objects: vec![BTreeMap::new(); 3],
            borrowed,
            held,
            current: 0,
            clock: 0,
        }
    }

    fn regions(&self, plain: &Plain) -> Vec<Region> {
        let mut regions: Vec<Region> = Vec::new();
        for (n, mapped) in plain.mapped.iter().enumerate() {
            let Some((protection, backing)) = *mapped else {
                continue;
            };
            let sharing = backing.sharing();
            let (mut start, end) = (self.borders[n], self.borders[n + 1]);
            if let Some(last) = regions.last()
                && last.range.end().as_u64() == start
                && (last.protection, last.sharing) == (protection, sharing)
            {
                start = last.range.start().as_u64();
                regions.pop();
            }
            let range = PageRange::new(start, end - start).unwrap();
            regions.push(Region {
                range,
                protection,
                sharing,
            });
        }
        regions
    }

    fn contents(&self, contents: Option<&Contents>) -> u64 {
        match contents {
            None => 0,
            Some(Contents::Private(value)) => *value,
            Some(Contents::Shared(n)) => self.shared[*n].1,
            Some(Contents::OfObject(n, index)) => self.objects[*n][index].1,
        }
    }

    fn audit(&self) {
        self.arena
            .audit(self.spaces.iter().map(|(space, _)| space), &self.held);
        for (space, plain) in &self.spaces {
            let regions: Vec<_> = space.regions(&self.arena).collect();
            assert_eq!(regions, self.regions(plain));
            for (page, contents) in &plain.contents {
                let found = space.translate(&self.arena, VirtAddr::new(*page)).unwrap();
                assert_eq!(
                    self.arena.read(found.frame),
                    self.contents(Some(contents)),
                    "{page:#x}"
                );
            }
            for start in &self.borders {
                let page = VirtAddr::new(*start);
                if let Some(found) = space.translate(&self.arena, page)
                    && !plain.contents.contains_key(start)
                {
                    assert_eq!(self.arena.read(found.frame), 0, "{start:#x}");
                }
            }
        }
        self.arena.tlb_audit(&self.spaces[self.current].0);
    }

    /// Runs `operation` with no frame left, then with one, and so on until it has enough; checks after each.
    fn starving<T>(
        &mut self,
        who: usize,
        mut operation: impl FnMut(&mut Space, &mut Arena) -> T,
        failed: impl Fn(&T) -> bool,
    ) -> T {
        self.arena.tlb_hears = who == self.current;
        if self.rng.u32(0..3) == 0 {
            for left in 0.. {
                self.arena.left = Some(left);
                let result = operation(&mut self.spaces[who].0, &mut self.arena);
                self.arena.left = None;
                if !failed(&result) {
                    return result;
                }
                self.audit();
            }
        }
        let result = operation(&mut self.spaces[who].0, &mut self.arena);
        assert!(!failed(&result));
        result
    }

    fn segment_range(&mut self, longest: usize) -> (usize, usize, PageRange) {
        let first = self.rng.usize(0..self.borders.len() - 1);
        let most = (self.borders.len() - 1).min(first + longest);
        let last = self.rng.usize(first..most) + 1;
        let (start, end) = (self.borders[first], self.borders[last]);
        (first, last, PageRange::new(start, end - start).unwrap())
    }

    fn protection(&mut self) -> Protection {
        Protection::from_bits_truncate(self.rng.choice([0, 1, 3, 3, 3, 5, 7, 2]).unwrap())
    }

    fn forget(plain: &mut Plain, range: PageRange) {
        let pages = range.start().as_u64()..range.end().as_u64();
        plain.contents.retain(|page, _| !pages.contains(page));
    }

    /// Does something, and checks everything.
    pub fn step(&mut self) {
        let who = self.rng.usize(0..self.spaces.len());
        match self.rng.u32(0..100) {
            0..8 => self.fork(who),
            8..14 if self.spaces.len() > 1 => self.drop_space(who),
            8..20 => self.reserve(who),
            20..26 => self.map_object(who),
            26..32 => self.unmap(who),
            32..42 => self.protect(who),
            42..48 => self.map_page(who),
            48..52 => self.map_run(who),
            52..54 => self.find_gap(who),
            54..57 => self.switch(who),
            57..62 => self.relocate(who),
            62..64 => self.cut_object(),
            64..67 => self.discard(who),
            _ => self.touch(who),
        }
        self.use_pages();
        self.audit();
    }

    fn switch(&mut self, who: usize) {
        self.current = who;
        self.arena.tlb_clear();
    }

    /// The CPU loads a few translations of the current space.
    fn use_pages(&mut self) {
        for _ in 0..4 {
            let n = self.rng.usize(0..self.borders.len() - 1);
            let page = self.borders[n];
            self.arena.tlb_load(&self.spaces[self.current].0, page);
        }
    }

    /// Drops all spaces, in a random order: nothing but the test's own frames is left.
    pub fn end(mut self) {
        self.rng.shuffle(&mut self.spaces);
        self.arena.tlb_clear();
        while let Some((space, _)) = self.spaces.pop() {
            space.release(&mut self.arena);
            self.arena
                .audit(self.spaces.iter().map(|(space, _)| space), &self.held);
        }
        assert_eq!(self.arena.frames_in_use(), self.held.len());
    }
}
