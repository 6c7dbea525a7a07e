//! Mappings of objects: their pages come when they are asked for, and go when an object is cut.
use super::{Backing, Contents, World};
use page_tree::{FrameStore, Ownership, PAGE, PageRange, Sharing, UserPage};
use x86_64::VirtAddr;

impl World {
    pub(super) fn map_object(&mut self, who: usize) {
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
    pub(super) fn bring(&mut self, who: usize, segment: usize) {
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
    pub(super) fn cut_object(&mut self) {
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
}
