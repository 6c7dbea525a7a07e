//! What is known of ranges of addresses beside the tree: few ranges, seldom changed.
use alloc::collections::BTreeMap;
use core::ops::Range;

/// What can be said of a range. Its parts are told apart by where they begin.
pub trait Slide: Clone {
    /// What is said of the part that begins this many bytes after the range does.
    #[must_use]
    fn slide(&self, bytes: u64) -> Self;

    /// Whether this says the same of a range as another.
    fn is(&self, other: &Self) -> bool;
}

/// Disjoint ranges, none empty, each with what is known of it.
#[derive(Clone, Debug)]
pub struct RangeMap<T>(BTreeMap<u64, (u64, T)>);

impl<T> Default for RangeMap<T> {
    fn default() -> Self {
        Self(BTreeMap::new())
    }
}

impl<T: Slide> RangeMap<T> {
    /// No range at all. Allocates nothing.
    #[must_use]
    pub const fn new() -> Self {
        Self(BTreeMap::new())
    }

    /// Whether there is no range.
    #[inline]
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// How many ranges there are.
    #[must_use]
    pub fn len(&self) -> usize {
        self.0.len()
    }

    /// The range that holds an address.
    #[must_use]
    pub fn at(&self, address: u64) -> Option<(Range<u64>, &T)> {
        let (&start, (end, value)) = self.0.range(..=address).next_back()?;
        (address < *end).then_some((start..*end, value))
    }

    /// The first range that ends above an address, whole.
    #[must_use]
    pub fn from(&self, address: u64) -> Option<(Range<u64>, &T)> {
        self.at(address).or_else(|| {
            let (&start, (end, value)) = self.0.range(address..).next()?;
            Some((start..*end, value))
        })
    }

    /// All ranges that share an address with a range, whole, upwards.
    pub fn over(&self, range: Range<u64>) -> impl Iterator<Item = (Range<u64>, &T)> {
        let mut next = range.start;
        core::iter::from_fn(move || {
            let (found, value) = self
                .from(next)
                .filter(|(at, _)| at.start < range.end && !range.is_empty())?;
            next = found.end;
            Some((found, value))
        })
    }

    /// Forgets what is known of a range. One range more may be left, where it was in the midst of one.
    pub fn remove(&mut self, range: Range<u64>) {
        while let Some((found, value)) = self
            .from(range.start)
            .filter(|(at, _)| at.start < range.end && !range.is_empty())
        {
            let above =
                (found.end > range.end).then(|| (found.end, value.slide(range.end - found.start)));
            if found.start < range.start {
                if let Some(entry) = self.0.get_mut(&found.start) {
                    entry.0 = range.start;
                }
            } else {
                self.0.remove(&found.start);
            }
            if let Some(above) = above {
                self.0.insert(range.end, above);
            }
        }
    }

    /// Keeps something of a range, in the place of what was known of it. What goes on in its neighbours is one range with
    /// them.
    pub fn insert(&mut self, range: Range<u64>, value: T) {
        if range.is_empty() {
            return;
        }
        let Range { start, mut end } = range;
        let last = self.0.last_key_value();
        if last.is_some_and(|(_, (last_end, _))| *last_end > start) {
            self.remove(start..end);
            if let Some((&next, (next_end, known))) = self.0.range(end..).next()
                && next == end
                && known.is(&value.slide(end - start))
            {
                end = *next_end;
                self.0.remove(&next);
            }
        }
        if let Some((&before, (before_end, known))) = self.0.range_mut(..start).next_back()
            && *before_end == start
            && known.slide(start - before).is(&value)
        {
            *before_end = end;
        } else {
            self.0.insert(start, (end, value));
        }
    }

    /// Takes out the first of what is known of a range, cut to it.
    pub fn take_first(&mut self, range: Range<u64>) -> Option<(Range<u64>, T)> {
        let (found, value) = self
            .from(range.start)
            .filter(|(at, _)| at.start < range.end && !range.is_empty())?;
        let start = found.start.max(range.start);
        let value = value.slide(start - found.start);
        let cut = start..found.end.min(range.end);
        self.remove(cut.clone());
        Some((cut, value))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::vec::Vec;

    #[derive(Clone, Debug, PartialEq)]
    struct Offset(u64);

    impl Slide for Offset {
        fn slide(&self, bytes: u64) -> Self {
            Self(self.0 + bytes)
        }

        fn is(&self, other: &Self) -> bool {
            self == other
        }
    }

    /// Against an array that says of each address what is known.
    #[test]
    fn random_ranges() {
        const END: u64 = 60;
        let mut rng = fastrand::Rng::with_seed(7);
        let mut map = RangeMap::<Offset>::new();
        let mut plain = [None; END as usize];
        for step in 0..4000_u64 {
            let start = rng.u64(0..END);
            let range = start..rng.u64(start..=END);
            let indices = range.start as usize..range.end as usize;
            match rng.u32(0..5) {
                0 => {
                    map.remove(range);
                    plain[indices].fill(None);
                }
                1 => {
                    let taken = map.take_first(range);
                    let first = indices.clone().find(|n| plain[*n].is_some());
                    assert_eq!(taken.is_some(), first.is_some());
                    if let Some((cut, value)) = taken {
                        assert_eq!(Some(cut.start as usize), first);
                        assert_eq!(Some(value.0), plain[cut.start as usize]);
                        for n in cut.clone() {
                            assert_eq!(plain[n as usize].take(), Some(value.0 + n - cut.start));
                        }
                    }
                }
                2 => {
                    let over: Vec<_> = map.over(range.clone()).collect();
                    for n in range {
                        let known = over.iter().find(|(at, _)| at.contains(&n));
                        let known = known.map(|(at, value)| value.0 + n - at.start);
                        assert_eq!(known, plain[n as usize]);
                    }
                }
                _ => {
                    // One of a few, so that neighbours often go on in each other.
                    let value = step % 3 * 100 + range.start;
                    map.insert(range.clone(), Offset(value));
                    for n in range.clone() {
                        plain[n as usize] = Some(value + n - range.start);
                    }
                    if let Some((held, value)) = map.at(start).filter(|_| !range.is_empty()) {
                        let below = held.start.checked_sub(1);
                        for (n, inside) in [
                            (below, value.0.wrapping_sub(1)),
                            (Some(held.end), value.0 + held.end - held.start),
                        ] {
                            let beside = n.and_then(|n| plain.get(n as usize).copied().flatten());
                            assert_ne!(beside, Some(inside), "{step} {held:?}");
                        }
                    }
                }
            }
            for n in 0..END {
                let known = map.at(n).map(|(at, value)| value.0 + n - at.start);
                assert_eq!(known, plain[n as usize], "{step} {n}");
            }
        }
    }
}
