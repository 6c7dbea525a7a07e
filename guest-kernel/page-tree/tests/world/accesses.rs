//! What a program does with its memory, by the hardware or by the kernel for it.
use super::{Backing, Contents, World};
use page_tree::{Access, Protection, Refusal, Resolution, Sharing, UserPage};
use std::cell::Cell;
use x86_64::VirtAddr;

impl World {
    /// Pages that a write may copy ahead of their own: nothing that the program can see.
    fn pages_ahead(&mut self) -> Vec<Cell<UserPage>> {
        let count = self.rng.usize(0..4);
        let page = |_| UserPage::containing(self.segment_range(1).2.start()).unwrap();
        (0..count).map(page).map(Cell::new).collect()
    }

    /// Reads, writes or executes a page, as the hardware or as the kernel.
    pub(super) fn touch(&mut self, who: usize) {
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
            let first_write = self.rng.bool();
            let result = self.starving(
                who,
                |space, arena| match access {
                    Access::Write if first_write => space
                        .own_for_write(arena, page, &ahead)
                        .map(|(frame, _)| frame),
                    Access::Write => space.resolve_for_write(arena, page),
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
}
