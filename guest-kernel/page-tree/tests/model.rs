//! Long random runs over many spaces, compared with a plain model after each step; frames run out at each point.
mod arena;

use std::cell::Cell;
use std::collections::BTreeMap;

use arena::Arena;
use fastrand::Rng;
use page_tree::{
    Access, FrameStore, Left, OutOfFrames, Ownership, PAGE, PageRange, ProtectError, Protection,
    Refusal, Region, Resolution, Sharing, Space, USER_END, UserPage, Whole,
};
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

/// All spaces, twice.
struct World {
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
    fn new(seed: u64) -> Self {
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

    fn step(&mut self) {
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

    fn fork(&mut self, who: usize) {
        if self.spaces.len() >= 9 {
            return;
        }
        let before = self.arena.frames_in_use();
        let child = self.starving(who, Space::fork, Result::is_err).unwrap();
        assert_eq!(self.arena.frames_in_use(), before + 1);
        let plain = self.spaces[who].1.clone();
        self.spaces.push((child, plain));
    }

    /// Pages that a write may copy ahead of their own: nothing that the program can see.
    fn pages_ahead(&mut self) -> Vec<Cell<UserPage>> {
        let count = self.rng.usize(0..4);
        let page = |_| UserPage::containing(self.segment_range(1).2.start()).unwrap();
        (0..count).map(page).map(Cell::new).collect()
    }

    fn drop_space(&mut self, who: usize) {
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

    fn reserve(&mut self, who: usize) {
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

    fn unmap(&mut self, who: usize) {
        let (first, last, range) = self.segment_range(12);
        self.starving(
            who,
            |space, arena| space.unmap(arena, range),
            Result::is_err,
        )
        .unwrap();
        let plain = &mut self.spaces[who].1;
        plain.mapped[first..last].fill(None);
        Self::forget(plain, range);
        assert!(self.spaces[who].0.is_unmapped(&self.arena, range));
    }

    fn protect(&mut self, who: usize) {
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

    fn map_page(&mut self, who: usize) {
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
                page_tree::FrameStore::share(&mut self.arena, frame);
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

    fn map_run(&mut self, who: usize) {
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

    fn map_object(&mut self, who: usize) {
        let (first, last, range) = self.segment_range(12);
        let protection = self.protection();
        let sharing = self
            .rng
            .choice([Sharing::Private, Sharing::Shared])
            .unwrap();
        self.starving(
            who,
            |space, arena| space.reserve_object(arena, range, protection, sharing),
            Result::is_err,
        )
        .unwrap();
        let object = self.rng.usize(0..self.objects.len());
        let backing = Backing::Object(sharing, object, range.start().as_u64());
        let plain = &mut self.spaces[who].1;
        plain.mapped[first..last].fill(Some((protection, backing)));
        Self::forget(plain, range);
    }

    /// An access found a page of an object missing: the object gets it if it has it not yet, and it is mapped.
    fn bring(&mut self, who: usize, segment: usize) {
        let address = self.borders[segment];
        let Some((protection, Backing::Object(sharing, object, base))) =
            self.spaces[who].1.mapped[segment]
        else {
            panic!("{address:#x} is not an object's");
        };
        let page = VirtAddr::new(address);
        let awaited = self.spaces[who].0.awaited(&self.arena, page);
        assert_eq!(awaited, Some(protection));
        let index = address.wrapping_sub(base) / PAGE;
        let (arena, held) = (&mut self.arena, &mut self.held);
        let (frame, _) = *self.objects[object].entry(index).or_insert_with(|| {
            let frame = arena.page(0);
            held.push(frame);
            (frame, 0)
        });
        let ownership = match sharing {
            Sharing::Private => Ownership::Counted,
            Sharing::Shared => Ownership::Shared,
        };
        self.arena.share(frame);
        self.held.push(frame);
        let at = UserPage::containing(page).unwrap();
        self.starving(
            who,
            |space, arena| space.map_page(arena, at, frame, protection, ownership),
            Result::is_err,
        )
        .unwrap();
        self.held.pop();
        let contents = Contents::OfObject(object, index);
        self.spaces[who].1.contents.insert(address, contents);
    }

    /// An object loses its last pages: all spaces forget them.
    fn cut_object(&mut self) {
        let object = self.rng.usize(0..self.objects.len());
        let kept: u64 = self.rng.choice([0, 1, 11, 512]).unwrap();
        for who in 0..self.spaces.len() {
            for segment in 0..self.borders.len() - 1 {
                let Some((_, Backing::Object(sharing, this, base))) =
                    self.spaces[who].1.mapped[segment]
                else {
                    continue;
                };
                let (start, end) = (self.borders[segment], self.borders[segment + 1]);
                // Of this segment's pages, those that the object keeps.
                let stay = kept.saturating_sub(start.wrapping_sub(base) / PAGE);
                let start = start.saturating_add(stay * PAGE);
                if this != object || start >= end {
                    continue;
                }
                let range = PageRange::new(start, end - start).unwrap();
                // One flush is for all, as the kernel's is.
                self.arena.tlb_hears = true;
                let (space, plain) = &mut self.spaces[who];
                space.forget(&mut self.arena, range, sharing);
                Self::forget(plain, range);
            }
        }
        for (_, (frame, _)) in self.objects[object].split_off(&kept) {
            let place = self.held.iter().position(|held| *held == frame).unwrap();
            self.held.swap_remove(place);
            if self.arena.release(frame) == 0 {
                self.arena.free_page(frame);
            }
        }
    }

    /// Private memory is zeros again.
    fn discard(&mut self, who: usize) {
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

    /// Moves segments to others of the same sizes.
    fn relocate(&mut self, who: usize) {
        let (first, last, from) = self.segment_range(12);
        let count = last - first;
        let sizes = |first: usize| {
            let borders = &self.borders[first..=first + count];
            borders
                .windows(2)
                .map(|pair| pair[1] - pair[0])
                .collect::<Vec<_>>()
        };
        let fits = |to: &usize| (*to >= last || to + count <= first) && sizes(*to) == sizes(first);
        let places: Vec<_> = (0..self.borders.len() - count).filter(fits).collect();
        let Some(&to) = self.rng.choice(&places) else {
            return;
        };
        let target = PageRange::new(self.borders[to], from.pages() * PAGE).unwrap();
        self.starving(
            who,
            |space, arena| space.unmap(arena, target),
            Result::is_err,
        )
        .unwrap();
        let plain = &mut self.spaces[who].1;
        plain.mapped[to..to + count].fill(None);
        Self::forget(plain, target);
        let left = match plain.mapped[first] {
            Some((_, Backing::Private)) if plain.mapped[first..last] == [plain.mapped[first]] => {
                self.rng.choice([Left::Nothing, Left::Zeros]).unwrap()
            }
            Some((_, Backing::Object(sharing, ..))) if count == 1 => self
                .rng
                .choice([Left::Nothing, Left::Object(sharing)])
                .unwrap(),
            _ => Left::Nothing,
        };
        self.starving(
            who,
            |space, arena| space.relocate(arena, from, target.start(), left),
            Result::is_err,
        )
        .unwrap();
        let plain = &mut self.spaces[who].1;
        let moved = |address: u64| {
            address
                .wrapping_sub(from.start().as_u64())
                .wrapping_add(target.start().as_u64())
        };
        for n in 0..count {
            let mapped = plain.mapped[first + n].map(|(protection, backing)| {
                let backing = match backing {
                    // It may lie below zero now.
                    Backing::Object(sharing, object, base) => {
                        Backing::Object(sharing, object, moved(base))
                    }
                    other => other,
                };
                (protection, backing)
            });
            plain.mapped[to + n] = mapped;
            if left == Left::Nothing {
                plain.mapped[first + n] = None;
            }
        }
        let pages = from.start().as_u64()..from.end().as_u64();
        let taken: Vec<_> = plain.contents.range(pages).map(|(a, c)| (*a, *c)).collect();
        for (address, contents) in taken {
            plain.contents.remove(&address);
            plain.contents.insert(moved(address), contents);
        }
    }

    fn find_gap(&mut self, who: usize) {
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

    /// Reads, writes or executes a page, as the hardware or as the kernel.
    fn touch(&mut self, who: usize) {
        let segment = self.rng.usize(0..self.borders.len() - 1);
        let address = self.borders[segment];
        let page = VirtAddr::new(address);
        let access = self
            .rng
            .choice([Access::Read, Access::Write, Access::Write, Access::Execute])
            .unwrap();
        let allowed = match self.spaces[who].1.mapped[segment] {
            None => Err(Refusal::NotMapped),
            Some((protection, _)) => {
                let allows = match access {
                    Access::Read => !protection.is_empty(),
                    Access::Write => protection.contains(Protection::WRITE),
                    Access::Execute => protection.contains(Protection::EXECUTE),
                };
                allows.then_some(()).ok_or(Refusal::NotAllowed)
            }
        };
        if let Some((_, Backing::Object(..))) = self.spaces[who].1.mapped[segment]
            && allowed.is_ok()
            && !self.spaces[who].1.contents.contains_key(&address)
        {
            let result = self.starving(
                who,
                |space, arena| space.fault(arena, page, access),
                |result| *result == Err(Refusal::OutOfFrames),
            );
            assert_eq!(result, Err(Refusal::NotThere));
            self.bring(who, segment);
        }
        let ahead = self.pages_ahead();
        let before = self.spaces[who].0.translate(&self.arena, page);
        if access != Access::Execute && self.rng.bool() {
            // As the kernel does it, with no fault before.
            let result = self.starving(
                who,
                |space, arena| match access {
                    Access::Write => space
                        .own_for_write(arena, page, &ahead)
                        .map(|(frame, _)| frame),
                    _ => space.resolve_for_read(arena, page),
                },
                |result| *result == Err(Refusal::OutOfFrames),
            );
            assert_eq!(result.map(|_| ()), allowed);
        } else {
            let result = self.starving(
                who,
                |space, arena| space.fault(arena, page, access),
                |result| *result == Err(Refusal::OutOfFrames),
            );
            assert_eq!(result.map(|_| ()), allowed);
            if let Ok(resolution) = result {
                let after = self.spaces[who].0.translate(&self.arena, page);
                let expected = match before {
                    None => resolution == Resolution::DemandZero,
                    Some(_) if before == after => {
                        matches!(resolution, Resolution::Kept | Resolution::Spurious)
                    }
                    Some(_) => {
                        matches!(resolution, Resolution::Copied | Resolution::CopiedBorrowed)
                    }
                };
                assert!(expected, "{resolution:?}: {before:?} to {after:?}");
            }
        }
        if allowed.is_err() {
            return;
        }
        let (space, plain) = &mut self.spaces[who];
        let again = space.fault(&mut self.arena, page, access);
        assert_eq!(again, Ok(Resolution::Spurious));
        let frame = if access == Access::Write {
            space.resolve_for_write(&mut self.arena, page).unwrap()
        } else {
            space.resolve_for_read(&mut self.arena, page).unwrap()
        };
        let after = space.translate(&self.arena, page).unwrap();
        assert_eq!(after.frame, frame);
        if access == Access::Write {
            self.clock += 1;
            self.arena.write(frame, self.clock);
            match plain.contents.get(&address) {
                Some(Contents::Shared(n)) => self.shared[*n].1 = self.clock,
                Some(Contents::OfObject(n, index))
                    if plain.mapped[segment].unwrap().1.sharing() == Sharing::Shared =>
                {
                    self.objects[*n].get_mut(index).unwrap().1 = self.clock;
                }
                _ => {
                    plain
                        .contents
                        .insert(address, Contents::Private(self.clock));
                }
            }
        }
    }

    /// Drops all spaces, in a random order: nothing but the test's own frames is left.
    fn end(mut self) {
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

fn run(seed: u64, steps: u32) {
    let mut world = World::new(seed);
    for _ in 0..steps {
        world.step();
    }
    world.end();
}

#[test]
fn random_runs_agree_with_the_model() {
    for seed in 0..6 {
        println!("seed {seed}");
        run(seed, 200);
    }
}

#[test]
fn a_long_run_agrees_with_the_model() {
    run(0x00c0_ffee, 1000);
}

#[test]
fn running_out_is_an_error_from_the_start() {
    let mut arena = Arena::new();
    arena.left = Some(0);
    assert_eq!(Space::new(&mut arena).err(), Some(OutOfFrames));
}
