//! A few disjoint ranges of frame numbers.
use core::ops::Range;

/// Ranges of RAM that can be kept apart: more than any firmware's map has after clipping.
const MAX_RANGES: usize = 32;

/// See the module.
pub struct RangeList {
    ranges: [(u32, u32); MAX_RANGES],
    len: usize,
}

impl RangeList {
    pub const fn new() -> Self {
        Self {
            ranges: [(0, 0); MAX_RANGES],
            len: 0,
        }
    }

    pub fn iter(&self) -> impl Iterator<Item = Range<u64>> + '_ {
        self.ranges[..self.len]
            .iter()
            .map(|&(start, end)| u64::from(start)..u64::from(end))
    }

    /// Adds a range; one too many is left unused rather than mishandled.
    pub fn push(&mut self, range: Range<u64>) {
        self.insert(self.len, range);
    }

    fn insert(&mut self, at: usize, range: Range<u64>) {
        if range.start < range.end && self.len < MAX_RANGES {
            self.ranges.copy_within(at..self.len, at + 1);
            self.ranges[at] = (range.start as u32, range.end as u32);
            self.len += 1;
        }
    }

    fn remove(&mut self, at: usize) {
        self.ranges.copy_within(at + 1..self.len, at);
        self.len -= 1;
    }

    /// Cuts a range out, in place: most holes lie in one range or in none.
    pub fn subtract(&mut self, hole: Range<u64>) {
        // From the last on: what is put in or taken out moves none that is still to be looked at.
        for at in (0..self.len).rev() {
            let (start, end) = self.ranges[at];
            let range = u64::from(start)..u64::from(end);
            if hole.end <= range.start || range.end <= hole.start {
                continue;
            }
            match (range.start < hole.start, hole.end < range.end) {
                (false, false) => self.remove(at),
                (false, true) => self.ranges[at].0 = hole.end as u32,
                (true, rest) => {
                    self.ranges[at].1 = hole.start as u32;
                    if rest {
                        self.insert(at + 1, hole.end..range.end);
                    }
                }
            }
        }
    }

    /// Takes the lowest number out.
    pub fn take_lowest(&mut self) -> Option<u32> {
        let (start, end) = self.ranges[..self.len].first_mut()?;
        let lowest = *start;
        *start += 1;
        if start == end {
            self.remove(0);
        }
        Some(lowest)
    }

    /// Takes the lowest numbers that follow on each other out, at most so many.
    pub fn take_run(&mut self, most: u32) -> Range<u32> {
        let Some((start, end)) = self.ranges[..self.len].first_mut() else {
            return 0..0;
        };
        let run = *start..(*end).min(start.saturating_add(most));
        *start = run.end;
        if start == end {
            self.remove(0);
        }
        run
    }
}
