//! When a figure has changed: by more than its spread.
//!
//! The spread is the range of the samples; from [`MANY`] on the range of their middle half, so that one that was
//! disturbed does not hide everything. A change counts where the two spreads lie apart by as much as the wider of them
//! (by three times that where the samples are few), and by a notable part of the figure. With samples that vary by
//! chance alone that takes one figure of several thousand for changed.

use super::engines::Unit;
use super::statistics::Summary;

/// Samples from which on the middle half is looked at.
const MANY: usize = 10;
/// Fewer samples than this are few.
const FEW: usize = 5;

/// Samples that it takes to know a spread: counts repeat, times do not.
#[must_use]
pub fn enough(unit: Unit) -> usize {
    match unit {
        Unit::Instructions => 2,
        Unit::Nanoseconds | Unit::Bytes => 3,
    }
}

/// Changes that are smaller, as a part of the earlier figure, are not told. Clocks and caches alone give times that
/// differ by a few in a hundred, and the same all through a bench.
#[must_use]
pub fn notable(unit: Unit) -> f64 {
    match unit {
        Unit::Instructions | Unit::Bytes => 0.01,
        Unit::Nanoseconds => 0.05,
    }
}

/// Whether a figure has changed.
#[must_use]
pub fn has_changed(before: &Summary, after: &Summary, unit: Unit) -> bool {
    let count = before.count.min(after.count);
    let spread = |summary: &Summary| match count {
        MANY.. => (summary.lower_quartile, summary.upper_quartile),
        _ => (summary.minimum, summary.maximum),
    };
    let (old, new) = (spread(before), spread(after));
    let apart = (new.0 - old.1).max(old.0 - new.1);
    let wider = (old.1 - old.0).max(new.1 - new.0);
    let margin = if count < FEW { 3.0 } else { 1.0 };
    apart > notable(unit) * before.median && apart >= margin * wider
}

#[cfg(test)]
mod tests {
    use super::*;

    fn changed(before: &[f64], after: &[f64]) -> bool {
        let of = |samples: &[f64]| Summary::of(samples.iter().copied()).expect("samples");
        has_changed(&of(before), &of(after), Unit::Nanoseconds)
    }

    #[test]
    fn a_change_is_beyond_the_spread() {
        let before = [100.0, 102.0, 104.0, 106.0, 108.0];
        let times = |factor: f64| before.map(|sample| sample * factor);
        assert!(!changed(&before, &before));
        // Apart, but by less than what samples of one bench differ.
        assert!(!changed(&before, &times(1.1)));
        assert!(changed(&before, &times(1.2)) && changed(&before, &times(0.8)));
        // Three samples that happen to lie together say less.
        assert!(!changed(&before[..3], &times(1.12)[..3]));
        assert!(changed(&before[..3], &times(1.3)[..3]));
        // What does not vary at all can still be the clock's.
        assert!(!changed(&[180.0; 5], &[185.0; 5]));
        assert!(changed(&[180.0; 5], &[200.0; 5]));
    }

    #[test]
    fn one_disturbed_sample_of_many_hides_nothing() {
        let mut before: Vec<f64> = (0..20).map(|at| 100.0 + f64::from(at) / 4.0).collect();
        let mut after: Vec<f64> = before.iter().map(|sample| sample * 1.2).collect();
        assert!(changed(&before, &after));
        before[3] = 1000.0;
        after[5] = 20.0;
        assert!(changed(&before, &after));
    }
}
