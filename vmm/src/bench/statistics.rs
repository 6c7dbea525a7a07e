//! Medians and spreads of samples.

/// What a set of samples comes to.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Summary {
    /// How many samples.
    pub count: usize,
    /// The middle one; the mean of the two in the middle where their number is even.
    pub median: f64,
    /// The least.
    pub minimum: f64,
    /// The greatest.
    pub maximum: f64,
    /// A quarter of the samples lies below.
    pub lower_quartile: f64,
    /// A quarter of the samples lies above.
    pub upper_quartile: f64,
}

impl Summary {
    /// Summarises samples; none where there are none.
    #[must_use]
    pub fn of(samples: impl IntoIterator<Item = f64>) -> Option<Self> {
        let mut sorted: Vec<f64> = samples.into_iter().collect();
        sorted.sort_by(f64::total_cmp);
        Some(Self {
            count: sorted.len(),
            median: quantile(&sorted, 0.5)?,
            minimum: *sorted.first()?,
            maximum: *sorted.last()?,
            lower_quartile: quantile(&sorted, 0.25)?,
            upper_quartile: quantile(&sorted, 0.75)?,
        })
    }
}

/// A quantile by linear interpolation between the two samples around it (Hyndman and Fan 1996, definition 7).
fn quantile(sorted: &[f64], part: f64) -> Option<f64> {
    let at = part * sorted.len().checked_sub(1)? as f64;
    let below = sorted.get(at.floor() as usize)?;
    let above = sorted.get(at.ceil() as usize)?;
    Some(below + (above - below) * at.fract())
}

/// A sample and the round it was taken in.
pub type Sample = (usize, f64);

/// Ratios of two sets of samples, pair by pair: of those taken in the same round, so that what drifts from round to
/// round cancels.
#[must_use]
pub fn ratios(of: &[Sample], to: &[Sample]) -> Option<Summary> {
    let pairs = of.iter().filter_map(|(round, value)| {
        let (_, base) = to.iter().find(|(other, _)| other == round)?;
        (*base > 0.0).then(|| value / base)
    });
    Summary::of(pairs)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn medians_and_quartiles() {
        let summary = Summary::of([5.0, 1.0, 3.0, 2.0, 4.0]).expect("samples");
        assert_eq!((summary.count, summary.median), (5, 3.0));
        assert_eq!((summary.minimum, summary.maximum), (1.0, 5.0));
        assert_eq!((summary.lower_quartile, summary.upper_quartile), (2.0, 4.0));
        let even = Summary::of([4.0, 1.0, 2.0, 3.0]).expect("samples");
        assert_eq!(even.median, 2.5);
        assert_eq!((even.lower_quartile, even.upper_quartile), (1.75, 3.25));
        let single = Summary::of([7.0]).expect("a sample");
        assert_eq!(
            (single.median, single.minimum, single.upper_quartile),
            (7.0, 7.0, 7.0)
        );
        assert_eq!(Summary::of([]), None);
    }

    #[test]
    fn ratios_are_taken_within_rounds() {
        // Everything takes ten times as long in the second round: the ratio stays.
        let fast = [(0, 1.0), (1, 10.0), (2, 2.0)];
        let slow = [(0, 4.0), (1, 40.0), (3, 1.0)];
        let ratio = ratios(&slow, &fast).expect("two rounds in common");
        assert_eq!((ratio.count, ratio.median), (2, 4.0));
        assert_eq!(ratio.minimum, ratio.maximum);
        assert_eq!(ratios(&fast, &[(0, 0.0)]), None);
        assert_eq!(ratios(&fast, &[(9, 1.0)]), None);
    }
}
