//! Mappings that move, with what is in them.
use super::{Backing, World};
use page_tree::{Left, PAGE, PageRange};

impl World {
    /// Moves segments to others of the same sizes.
    pub(super) fn relocate(&mut self, who: usize) {
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
        self.unmap_segments(who, to..to + count, target);
        let plain = &mut self.spaces[who].1;
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
}
