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

    /// Adds a range, if there is something in it; one too many is left unused rather than mishandled.
    pub fn push(&mut self, range: Range<u64>) {
        if range.start < range.end
            && let Some(place) = self.ranges.get_mut(self.len)
        {
            *place = (range.start as u32, range.end as u32);
            self.len += 1;
        }
    }

    fn remove_first(&mut self) {
        self.ranges.copy_within(1..self.len, 0);
        self.len -= 1;
    }

    /// Takes so many numbers out of the end of the first range that has more, and answers the first of them.
    pub fn take_end(&mut self, count: u64) -> Option<u64> {
        let (_, end) = self.ranges[..self.len]
            .iter_mut()
            .find(|(start, end)| u64::from(*end - *start) > count)?;
        *end -= count as u32;
        Some(u64::from(*end))
    }

    /// Takes the lowest number out.
    pub fn take_lowest(&mut self) -> Option<u32> {
        let (start, end) = self.ranges[..self.len].first_mut()?;
        let lowest = *start;
        *start += 1;
        if start == end {
            self.remove_first();
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
            self.remove_first();
        }
        run
    }
}
