//! What got better or worse since an earlier bench; [`super::change`] has when a figure counts as changed.
//!
//! Two benches are taken at different times, so drift does not cancel between them. What has no cowbell in it, the host
//! and Linux, tells how much there was: times that changed by less than twice that are not told.

use super::change::{enough, has_changed};
use super::engines::{Engine, Kernel, Unit};
use super::json::VERSION;
use super::report::Report;
use super::statistics::Summary;
use anyhow::{Context, Result, ensure};
use serde_json::Value;
use std::path::Path;

/// An earlier report.
pub struct Earlier {
    /// Its file, as it was given.
    pub name: String,
    /// The report.
    pub report: Value,
}

/// Reads an earlier report.
///
/// # Errors
/// It cannot be read, or is none of this version.
pub fn read(path: &Path) -> Result<Earlier> {
    let name = path.display().to_string();
    let text = std::fs::read_to_string(path).with_context(|| format!("cannot read {name}"))?;
    let report: Value =
        serde_json::from_str(&text).with_context(|| format!("{name} is not JSON"))?;
    ensure!(
        report["measures"].is_object() && report["version"].is_u64(),
        "{name} is no report of `cowbell bench`"
    );
    ensure!(
        report["version"] == VERSION,
        "{name} is a report of version {}, and this cowbell reads version {VERSION}",
        report["version"]
    );
    Ok(Earlier { name, report })
}

/// What a comparison found.
#[derive(Debug, Default)]
pub struct Found {
    /// Figures of cowbell that both have, from samples enough.
    pub compared: usize,
    /// How many of them are times.
    pub times: usize,
    /// Figures that both have, from too few samples.
    pub unsure: usize,
    /// Figures that only the earlier one has, and only the new one.
    pub in_one: [usize; 2],
    /// Of those compared, the ones that changed.
    pub changes: Vec<Change>,
    /// Times without cowbell in them: by what part each has moved, whatever its spread.
    pub moved: Vec<f64>,
}

impl Found {
    /// By how much times have drifted: three quarters of those without cowbell in them moved by less.
    #[must_use]
    pub fn drift(&self) -> Option<f64> {
        Some(Summary::of(self.moved.iter().copied())?.upper_quartile)
    }
}

/// One figure that changed.
#[derive(Debug, PartialEq)]
pub struct Change {
    /// Name of the measure.
    pub measure: String,
    /// What it was taken on.
    pub engine: Engine,
    /// What the medians count.
    pub unit: Unit,
    /// The earlier median.
    pub before: f64,
    /// The new one.
    pub after: f64,
}

impl Change {
    /// How many times as much it is.
    #[must_use]
    pub fn ratio(&self) -> f64 {
        self.after / self.before
    }
}

/// By what part one figure is more than another, whichever is the greater.
fn distance(before: f64, after: f64) -> f64 {
    (after / before).max(before / after) - 1.0
}

/// Compares every figure of two reports; times not, where they are of two hosts.
#[must_use]
pub fn find(old: &Value, new: &Report, other_host: bool) -> Found {
    let mut found = Found::default();
    let mut known = 0;
    for row in &new.rows {
        for (participant, cell) in new.participants.iter().zip(&row.cells) {
            let engine = participant.engine;
            let unit = row.measure.unit(engine);
            let result = &old["measures"][&row.measure.name]["results"][engine.name()];
            let before = earlier_summary(result, unit);
            known += usize::from(before.is_some());
            let (before, after) = match (before, cell.summary()) {
                (Some(before), Some(after)) => (before, after),
                (before, after) => {
                    found.in_one[0] += usize::from(before.is_some());
                    found.in_one[1] += usize::from(after.is_some());
                    continue;
                }
            };
            if other_host && unit == Unit::Nanoseconds {
                continue;
            }
            let own = engine.kernel() == Kernel::Cowbell;
            if !own && unit == Unit::Nanoseconds {
                found.moved.push(distance(before.median, after.median));
            }
            if before.count.min(after.count) < enough(unit) {
                found.unsure += 1;
                continue;
            }
            found.compared += usize::from(own);
            found.times += usize::from(own && unit == Unit::Nanoseconds);
            if has_changed(&before, &after, unit) {
                found.changes.push(Change {
                    measure: row.measure.name.clone(),
                    engine,
                    unit,
                    before: before.median,
                    after: after.median,
                });
            }
        }
    }
    // Measures of which this bench knows nothing, as those that were not asked for.
    found.in_one[0] += figures(old).saturating_sub(known);
    let drift = found.drift().unwrap_or(0.0);
    found.changes.retain(|change| {
        let told = change.unit != Unit::Nanoseconds || change.engine.kernel() != Kernel::Cowbell;
        told || distance(change.before, change.after) > 2.0 * drift
    });
    found
}

/// What an earlier result came to, if it is one in that unit.
fn earlier_summary(result: &Value, unit: Unit) -> Option<Summary> {
    let figure = |name: &str| {
        let value = result["summary"][name].as_f64()?;
        (value.is_finite() && value > 0.0).then_some(value)
    };
    (result["unit"] == unit.name()).then_some(())?;
    Some(Summary {
        count: usize::try_from(result["summary"]["count"].as_u64()?).ok()?,
        median: figure("median")?,
        minimum: figure("minimum")?,
        maximum: figure("maximum")?,
        lower_quartile: figure("lower_quartile")?,
        upper_quartile: figure("upper_quartile")?,
    })
}

/// How many figures a report has.
fn figures(report: &Value) -> usize {
    let measures = report["measures"].as_object().into_iter().flatten();
    let results =
        measures.flat_map(|(_, measure)| measure["results"].as_object().into_iter().flatten());
    results
        .filter(|(_, result)| result["summary"].is_object())
        .count()
}

#[cfg(test)]
mod tests {
    use super::super::json;
    use super::super::report::tests::report;
    use super::*;

    #[test]
    fn one_figure_of_many() {
        let old = json::value(&report(1.0));
        let mut new = report(1.0);
        new.rows[8].cells[1].samples = vec![(0, 1.0), (1, 2.0), (2, 1.5)];
        // Two rounds tell nothing of a time's spread.
        new.rows[9].cells[1].samples = vec![(0, 1.0), (1, 2.0)];
        new.rows[10].cells[1].samples = vec![];
        let found = find(&old, &new, false);
        assert_eq!((found.unsure, found.in_one), (1, [1, 0]));
        let [change] = found.changes.as_slice() else {
            panic!("{found:?}")
        };
        assert_eq!(
            (change.measure.as_str(), change.engine),
            ("fork+exit+wait", Engine::CowbellTcg)
        );
        new.rows.truncate(5);
        assert!(find(&old, &new, false).in_one[0] > 100);
    }
}
