//! What got better or worse since an earlier bench.
//!
//! A change counts where the ranges of the samples, least to greatest, have nothing in common: it then lies beyond
//! what either bench saw from round to round.

use super::amounts;
use super::engines::{Engine, Unit};
use super::json::VERSION;
use super::report::Report;
use anyhow::{Context, Result, ensure};
use serde_json::Value;
use std::fmt::Write as _;
use std::path::Path;

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
    let (compared, mut changes) = changes(old, new);
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
    text
}

/// How many figures both have, and those of them that changed.
fn changes(old: &Value, new: &Report) -> (usize, Vec<Change>) {
    let mut compared = 0;
    let mut changes = Vec::new();
    for row in &new.rows {
        for (participant, cell) in new.participants.iter().zip(&row.cells) {
            let engine = participant.engine;
            let unit = row.measure.unit(engine);
            let before = &old["measures"][&row.measure.name]["results"][engine.name()];
            let figure = |name: &str| before["summary"][name].as_f64();
            let (Some(median), Some(minimum), Some(maximum), Some(after)) = (
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
            compared += 1;
            if after.minimum > maximum || after.maximum < minimum {
                changes.push(Change {
                    measure: row.measure.name.clone(),
                    engine,
                    unit,
                    before: median,
                    after: after.median,
                });
            }
        }
    }
    (compared, changes)
}

#[cfg(test)]
mod tests {
    use super::super::json;
    use super::super::report::tests::report;
    use super::*;

    #[test]
    fn changes_beyond_the_spread_are_told() {
        let old = json::value(&report(1.0));
        let (compared, none) = changes(&old, &report(1.0));
        assert!(compared > 100 && none.is_empty());
        // The samples lie within one part in a hundred of the median.
        assert!(changes(&old, &report(1.015)).1.is_empty());
        assert_eq!(changes(&old, &report(1.03)).1.len(), compared);
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
        new.rows[8].cells[1].samples = vec![(0, 1.0), (1, 2.0)];
        let (_, changes) = changes(&old, &new);
        let [change] = changes.as_slice() else {
            panic!("{changes:?}")
        };
        assert_eq!(
            (change.measure.as_str(), change.engine),
            ("fork+exit+wait", Engine::CowbellTcg)
        );
    }
}
