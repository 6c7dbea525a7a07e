//! Spaces that come and go, and what their mappings become: private memory, single pages, runs of the initramfs.
use super::{BORROWED_CONTENTS, BORROWED_PAGES, Backing, Contents, GIB, MIB, World};
use page_tree::{
    FrameStore, Ownership, PAGE, PageRange, ProtectError, Protection, Space, UserPage, Whole,
};
use std::ops::Range;
use x86_64::VirtAddr;

impl World {
    pub(super) fn fork(&mut self, who: usize) {
        if self.spaces.len() >= 9 {
            return;
        }
        let before = self.arena.frames_in_use();
        let child = self.starving(who, Space::fork, Result::is_err).unwrap();
        assert_eq!(self.arena.frames_in_use(), before + 1);
        let plain = self.spaces[who].1.clone();
        self.spaces.push((child, plain));
    }

    pub(super) fn drop_space(&mut self, who: usize) {
        if who == self.current {
            self.switch((who + 1) % self.spaces.len());
        }
        if self.current == self.spaces.len() - 1 {
            self.current = who;
        }
        self.arena.tlb_hears = false;
        let (space, _) = self.spaces.swap_remove(who);
        space.release(&mut self.arena);
    }

    pub(super) fn reserve(&mut self, who: usize) {
        let (first, last, range) = self.segment_range(12);
        let protection = self.protection();
        self.starving(
            who,
            |space, arena| space.reserve(arena, range, protection),
            Result::is_err,
        )
        .unwrap();
        let plain = &mut self.spaces[who].1;
        plain.mapped[first..last].fill(Some((protection, Backing::Private)));
        Self::forget(plain, range);
    }

    pub(super) fn unmap(&mut self, who: usize) {
        let (first, last, range) = self.segment_range(12);
        self.unmap_segments(who, first..last, range);
        assert!(self.spaces[who].0.is_unmapped(&self.arena, range));
    }

    /// Unmaps segments, which are the pages of `range`.
    pub(super) fn unmap_segments(&mut self, who: usize, segments: Range<usize>, range: PageRange) {
        self.starving(
            who,
            |space, arena| space.unmap(arena, range),
            Result::is_err,
        )
        .unwrap();
        let plain = &mut self.spaces[who].1;
        plain.mapped[segments].fill(None);
        Self::forget(plain, range);
    }

    pub(super) fn protect(&mut self, who: usize) {
        let (first, last, range) = self.segment_range(8);
        let protection = self.protection();
        let result = self.starving(
            who,
            |space, arena| space.protect(arena, range, protection),
            |result| *result == Err(ProtectError::OutOfFrames),
        );
        let plain = &mut self.spaces[who].1;
        let hole = plain.mapped[first..last].iter().position(Option::is_none);
        assert_eq!(result.is_err(), hole.is_some());
        let changed = &mut plain.mapped[first..hole.map_or(last, |n| first + n)];
        for mapped in changed.iter_mut().flatten() {
            mapped.0 = protection;
        }
    }

    /// A segment that is one page.
    fn single(&mut self) -> (usize, u64) {
        loop {
            let n = self.rng.usize(0..self.borders.len() - 1);
            if self.borders[n + 1] - self.borders[n] == PAGE {
                return (n, self.borders[n]);
            }
        }
    }

    pub(super) fn map_page(&mut self, who: usize) {
        let (segment, address) = self.single();
        let protection = self.protection();
        self.clock += 1;
        let (frame, ownership, backing, contents) = match self.rng.u32(0..3) {
            0 => {
                let frame = self.arena.page(self.clock);
                let contents = Contents::Private(self.clock);
                (frame, Ownership::Counted, Backing::Private, contents)
            }
            1 => {
                let n = self.rng.usize(0..self.shared.len());
                let contents = Contents::Shared(n);
                let frame = self.shared[n].0;
                self.arena.share(frame);
                (frame, Ownership::Shared, Backing::SharedPage, contents)
            }
            _ => {
                let n = self.rng.u64(0..BORROWED_PAGES);
                let contents = Contents::Private(BORROWED_CONTENTS + n);
                let frame = self.borrowed + n;
                (frame, Ownership::Borrowed, Backing::Private, contents)
            }
        };
        // Until it is mapped, its count is the test's.
        if ownership != Ownership::Borrowed {
            self.held.push(frame);
        }
        let page = UserPage::containing(VirtAddr::new(address)).unwrap();
        self.starving(
            who,
            |space, arena| space.map_page(arena, page, frame, protection, ownership),
            Result::is_err,
        )
        .unwrap();
        if ownership != Ownership::Borrowed {
            self.held.pop();
        }
        let plain = &mut self.spaces[who].1;
        plain.mapped[segment] = Some((protection, backing));
        plain.contents.insert(address, contents);
    }

    pub(super) fn map_run(&mut self, who: usize) {
        let (first, last, range) = self.segment_range(4);
        if range.pages() > BORROWED_PAGES {
            return;
        }
        let protection = self.protection();
        let offset = self.rng.u64(0..=BORROWED_PAGES - range.pages());
        let frame = self.borrowed + offset;
        self.starving(
            who,
            |space, arena| space.map_run(arena, range, frame, protection),
            Result::is_err,
        )
        .unwrap();
        let plain = &mut self.spaces[who].1;
        plain.mapped[first..last].fill(Some((protection, Backing::Private)));
        for n in 0..range.pages() {
            let address = range.start().as_u64() + n * PAGE;
            let contents = Contents::Private(BORROWED_CONTENTS + offset + n);
            plain.contents.insert(address, contents);
        }
    }

    /// Private memory is zeros again.
    pub(super) fn discard(&mut self, who: usize) {
        let (first, last, range) = self.segment_range(12);
        let mapped = &self.spaces[who].1.mapped[first..last];
        let private = |mapped: &Option<(Protection, Backing)>| {
            mapped.is_none_or(|(_, backing)| backing == Backing::Private)
        };
        if !mapped.iter().all(private) {
            return;
        }
        let expected = if mapped.contains(&None) {
            Whole::Holed
        } else {
            Whole::Mapped
        };
        let whole = self.starving(
            who,
            |space, arena| space.discard(arena, range),
            Result::is_err,
        );
        assert_eq!(whole, Ok(expected));
        Self::forget(&mut self.spaces[who].1, range);
    }

    pub(super) fn find_gap(&mut self, who: usize) {
        let (_, _, range) = self.segment_range(usize::MAX >> 1);
        let length = self.rng.choice([1, 2, 9, 512, 513, 1 << 18]).unwrap() * PAGE;
        let alignment = self.rng.choice([PAGE, PAGE, 2 * MIB, GIB]).unwrap();
        let (space, plain) = &self.spaces[who];
        let mut ceiling = range.end().as_u64();
        let floor = range.start().as_u64();
        let mut expected = None;
        let regions = self.regions(plain);
        let below = regions
            .iter()
            .rev()
            .map(|region| (region.range.start().as_u64(), region.range.end().as_u64()));
        for (start, end) in below.chain([(0, 0)]) {
            let at = ceiling.saturating_sub(length) & !(alignment - 1);
            if ceiling >= length && at >= end.max(floor) {
                expected = Some(VirtAddr::new(at));
                break;
            }
            ceiling = ceiling.min(start);
        }
        let found = space.find_gap(&self.arena, length, alignment, range.end(), range.start());
        assert_eq!(found, expected);
    }
}
