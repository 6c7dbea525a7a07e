//! What got better or worse since an earlier bench.
//!
//! A change counts where the ranges of the samples, least to greatest, lie apart by more than a hundredth: it is then
//! beyond what either bench saw from round to round. That takes rounds enough to see a spread at all.

use super::amounts;
use super::engines::{Engine, Unit};
use super::json::VERSION;
use super::report::Report;
use anyhow::{Context, Result, ensure};
use serde_json::Value;
use std::fmt::Write as _;
use std::path::Path;

/// Changes that are smaller, as a part of the earlier figure, are not told.
const NOTABLE: f64 = 0.01;

/// Rounds that it takes to know a spread: counts repeat, times do not.
fn enough(unit: Unit) -> f64 {
    match unit {
        Unit::Instructions => 2.0,
        Unit::Nanoseconds | Unit::Bytes => 3.0,
    }
}

/// Reads an earlier report.
///
/// # Errors
/// It cannot be read, or is none of this version.
pub fn read(path: &Path) -> Result<Value> {
    let shown = path.display();
    let text = std::fs::read_to_string(path).with_context(|| format!("cannot read {shown}"))?;
    let value: Value =
        serde_json::from_str(&text).with_context(|| format!("{shown} is not JSON"))?;
    let version = &value["version"];
    ensure!(
        *version == VERSION && value["measures"].is_object(),
        "{shown} is no report of `cowbell bench` of this version ({VERSION})"
    );
    Ok(value)
}

/// What a comparison found.
#[derive(Debug, Default)]
struct Found {
    /// Figures that both have, from rounds enough.
    compared: usize,
    /// Figures that both have, from too few rounds.
    unsure: usize,
    /// Of those compared, the ones that changed.
    changes: Vec<Change>,
}

/// One figure that changed.
#[derive(Debug, PartialEq)]
struct Change {
    measure: String,
    engine: Engine,
    unit: Unit,
    before: f64,
    after: f64,
}

impl Change {
    fn ratio(&self) -> f64 {
        self.after / self.before
    }
}

/// Says what changed.
#[must_use]
pub fn show(old: &Value, new: &Report) -> String {
    let Found {
        compared,
        unsure,
        mut changes,
    } = find(old, new);
    changes.sort_by(|a, b| a.ratio().total_cmp(&b.ratio()));
    let mut text = String::from("\nCOMPARED WITH THE EARLIER BENCH\n");
    for (name, before, after) in [
        (
            "processor",
            &old["host"]["processor"],
            new.facts.processor.as_str(),
        ),
        ("ring 0", &old["host"]["ring_0"], new.facts.ring_zero.name()),
    ] {
        if before != after {
            let before = before.as_str().unwrap_or("unknown");
            let _ = writeln!(text, "another host: {name} was {before}, is {after}");
        }
    }
    let (better, worse): (Vec<&Change>, Vec<&Change>) =
        changes.iter().partition(|change| change.ratio() < 1.0);
    for (title, changes) in [("better", better), ("worse", worse)] {
        for change in changes {
            let _ = writeln!(
                text,
                "{title:7} {:24} {:13} {:>12} → {:>12}  {}",
                change.measure,
                change.engine.name(),
                amounts::show(change.before, change.unit),
                amounts::show(change.after, change.unit),
                amounts::ratio(change.ratio())
            );
        }
    }
    let _ = writeln!(
        text,
        "{} of {compared} figures changed beyond the spread of their rounds",
        changes.len()
    );
    if unsure > 0 {
        let _ = writeln!(
            text,
            "{unsure} more were taken in too few rounds to tell (here or there; without --quick there are more)"
        );
    }
    text
}

fn find(old: &Value, new: &Report) -> Found {
    let mut found = Found::default();
    for row in &new.rows {
        for (participant, cell) in new.participants.iter().zip(&row.cells) {
            let engine = participant.engine;
            let unit = row.measure.unit(engine);
            let before = &old["measures"][&row.measure.name]["results"][engine.name()];
            let figure = |name: &str| before["summary"][name].as_f64();
            let (Some(count), Some(median), Some(minimum), Some(maximum), Some(after)) = (
                figure("count"),
                figure("median"),
                figure("minimum"),
                figure("maximum"),
                cell.summary(),
            ) else {
                continue;
            };
            if before["unit"] != unit.name() {
                continue;
            }
            if count.min(after.count as f64) < enough(unit) {
                found.unsure += 1;
                continue;
            }
            found.compared += 1;
            let apart = (after.minimum - maximum).max(minimum - after.maximum);
            if apart > NOTABLE * median {
                found.changes.push(Change {
                    measure: row.measure.name.clone(),
                    engine,
                    unit,
                    before: median,
                    after: after.median,
                });
            }
        }
    }
    found
}

#[cfg(test)]
mod tests {
    use super::super::json;
    use super::super::report::tests::report;
    use super::*;

    #[test]
    fn changes_beyond_the_spread_are_told() {
        let old = json::value(&report(1.0));
        let same = find(&old, &report(1.0));
        assert!(same.compared > 100 && same.unsure == 0 && same.changes.is_empty());
        // The samples lie within one part in a hundred of the median.
        assert!(find(&old, &report(1.025)).changes.is_empty());
        assert_eq!(find(&old, &report(1.05)).changes.len(), same.compared);
        let text = show(&old, &report(0.5));
        assert!(
            text.contains("better  getppid") && !text.contains("worse"),
            "{text}"
        );
        assert!(show(&old, &report(2.0)).contains("worse   getppid"));
    }

    #[test]
    fn one_figure_of_many() {
        let old = json::value(&report(1.0));
        let mut new = report(1.0);
        new.rows[8].cells[1].samples = vec![(0, 1.0), (1, 2.0), (2, 1.5)];
        // Two rounds tell nothing of a time's spread.
        new.rows[9].cells[1].samples = vec![(0, 1.0), (1, 2.0)];
        let found = find(&old, &new);
        assert_eq!(found.unsure, 1);
        let [change] = found.changes.as_slice() else {
            panic!("{found:?}")
        };
        assert_eq!(
            (change.measure.as_str(), change.engine),
            ("fork+exit+wait", Engine::CowbellTcg)
        );
    }
}
