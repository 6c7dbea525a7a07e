//! What a comparison found, in words.

use super::amounts;
use super::change::notable;
use super::compare::{Change, Earlier, Found, find};
use super::engines::{Kernel, Unit};
use super::report::Report;
use serde_json::Value;
use std::fmt::Write as _;

/// Says what changed.
#[must_use]
pub fn show(earlier: &Earlier, new: &Report) -> String {
    let old = &earlier.report;
    let mut text = format!("\nCOMPARED WITH {}\n", earlier.name);
    for (name, before, after) in differences(old, new) {
        let _ = writeln!(text, "{name}: was {before}, is {after}");
    }
    let other_host = is_other_host(old, new);
    if other_host {
        text.push_str(
            "This is another host: instructions and memory are compared, times are not.\n",
        );
    }
    let mut found = find(old, new, other_host);
    found
        .changes
        .sort_by(|a, b| a.ratio().total_cmp(&b.ratio()));
    for change in &found.changes {
        let title = match (change.engine.kernel(), change.ratio() < 1.0) {
            (Kernel::Cowbell, true) => "better",
            (Kernel::Cowbell, false) => "worse",
            _ => "outside",
        };
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
    text + &summary(&found)
}

/// The lines at the end.
fn summary(found: &Found) -> String {
    let mut text = String::new();
    let own = |change: &&Change| change.engine.kernel() == Kernel::Cowbell;
    let (better, worse): (Vec<&Change>, Vec<&Change>) = (found.changes.iter())
        .filter(own)
        .partition(|change| change.ratio() < 1.0);
    let compared = found.compared;
    let _ = match (better.len(), worse.len()) {
        _ if compared == 0 => writeln!(text, "Nothing of cowbell can be compared."),
        (0, 0) => writeln!(
            text,
            "Nothing got better or worse beyond the spread, of {compared} figures."
        ),
        (better, worse) => writeln!(
            text,
            "Beyond the spread {better} got better and {worse} got worse, of {compared} figures."
        ),
    };
    if better.len() + worse.len() < found.changes.len() {
        text.push_str("(outside: no cowbell in it, the host or Linux has changed)\n");
    }
    match found.drift() {
        Some(drift) if drift > notable(Unit::Nanoseconds) => {
            let _ = writeln!(
                text,
                "Times on the host and on Linux, without cowbell, have drifted by {:.0}%: times that changed by less \
                 than twice that are not told.",
                100.0 * drift
            );
        }
        None if found.times > 0 => text.push_str(
            "No times without cowbell are in both (engine host): where the host was slower, that is not known.\n",
        ),
        _ => {}
    }
    if found.unsure > 0 {
        let _ = writeln!(
            text,
            "{} more were taken too few times to tell, here or there.",
            found.unsure
        );
    }
    for (count, place) in found.in_one.into_iter().zip(["the earlier", "this"]) {
        if count > 0 {
            let _ = writeln!(text, "{count} more are in {place} bench alone.");
        }
    }
    text
}

/// Whether times there and here have nothing to do with each other.
fn is_other_host(old: &Value, new: &Report) -> bool {
    old["host"]["processor"] != new.facts.processor.as_str()
        || old["host"]["ring_0"] != new.facts.ring_zero.name()
}

/// What is not as it was: a name, what it was, and what it is.
fn differences(old: &Value, new: &Report) -> Vec<(&'static str, String, String)> {
    let facts = &new.facts;
    let host = &old["host"];
    let versions = &old["versions"];
    let quick = |quick: bool| if quick { "--quick" } else { "a whole one" };
    [
        (
            "processor",
            &host["processor"],
            facts.processor.as_str().into(),
        ),
        ("CPUs", &host["cpus"], facts.cpus.into()),
        (
            "ring 0 on KVM",
            &host["ring_0"],
            facts.ring_zero.name().into(),
        ),
        (
            "the host's kernel",
            &host["kernel"],
            facts.kernel.as_str().into(),
        ),
        (
            "cowbell",
            &versions["cowbell"],
            env!("CARGO_PKG_VERSION").into(),
        ),
        ("QEMU", &versions["qemu"], facts.qemu.clone().into()),
        (
            "Linux to compare with",
            &versions["linux"],
            facts.linux.clone().into(),
        ),
        (
            "the bench",
            &old["quick"]
                .as_bool()
                .map_or(Value::Null, |was| quick(was).into()),
            quick(new.quick).into(),
        ),
    ]
    .into_iter()
    .filter(|(_, before, after): &(_, &Value, Value)| *before != after)
    .map(|(name, before, after)| (name, plain(before), plain(&after)))
    .collect()
}

/// A value as it stands in a sentence.
fn plain(value: &Value) -> String {
    match value {
        Value::Null => "none".to_owned(),
        Value::String(text) => text.clone(),
        other => other.to_string(),
    }
}

#[cfg(test)]
mod tests {
    use super::super::json;
    use super::super::report::tests::report;
    use super::*;

    fn earlier(report: Value) -> Earlier {
        let name = "old.json".to_owned();
        Earlier { name, report }
    }

    /// A report in which only what has cowbell in it takes so many times as long.
    fn slower(factor: f64) -> Report {
        let mut new = report(1.0);
        for row in &mut new.rows {
            for (participant, cell) in new.participants.iter().zip(&mut row.cells) {
                if participant.engine.kernel() == Kernel::Cowbell {
                    cell.samples
                        .iter_mut()
                        .for_each(|sample| sample.1 *= factor);
                }
            }
        }
        new
    }

    #[test]
    fn changes_beyond_the_spread_are_told() {
        let old = json::value(&report(1.0));
        let same = find(&old, &report(1.0), false);
        assert!(same.compared > 100 && same.unsure == 0 && same.changes.is_empty());
        assert_eq!((same.in_one, same.drift()), ([0, 0], Some(0.0)));
        // The samples lie within one part in a hundred of the median.
        assert!(find(&old, &slower(1.025), false).changes.is_empty());
        let all = find(&old, &slower(1.2), false);
        assert_eq!(all.changes.len(), all.compared);
        let old = earlier(old);
        let text = show(&old, &slower(0.5));
        assert!(
            text.contains("better  getppid") && !text.contains("worse  "),
            "{text}"
        );
        assert!(show(&old, &slower(2.0)).contains("worse   getppid"));
        let text = show(&old, &report(1.0));
        assert!(text.contains("Nothing got better or worse"), "{text}");
    }

    #[test]
    fn a_host_that_was_slower_is_no_change_of_cowbell() {
        let old = json::value(&report(1.0));
        let found = find(&old, &report(1.3), false);
        let times = |change: &&Change| {
            change.unit == Unit::Nanoseconds && change.engine.kernel() == Kernel::Cowbell
        };
        assert_eq!(found.changes.iter().filter(times).count(), 0);
        let text = show(&earlier(old), &report(1.3));
        assert!(text.contains("have drifted by 30%"), "{text}");
        assert!(text.contains("outside getppid"), "{text}");
    }

    #[test]
    fn another_host_has_other_times() {
        let mut old = json::value(&report(1.0));
        old["host"]["processor"] = "Another processor".into();
        let text = show(&earlier(old), &slower(2.0));
        assert!(
            text.contains("was Another processor, is A processor"),
            "{text}"
        );
        assert!(
            text.contains("worse   getppid                  icount"),
            "{text}"
        );
        assert!(!text.contains("ms "), "{text}");
    }

    #[test]
    fn what_is_no_figure_is_not_compared() {
        let mut old = json::value(&report(1.0));
        let results = &mut old["measures"]["getppid"]["results"];
        results["tcg"]["summary"]["median"] = "fast".into();
        results["kvm"] = Value::Null;
        results["icount"]["unit"] = "nanoseconds".into();
        let found = find(&old, &report(1.0), false);
        assert!(found.changes.is_empty());
        assert_eq!(found.in_one[1], 3);
        let nothing = show(&earlier(serde_json::json!({})), &report(1.0));
        assert!(
            nothing.contains("Nothing of cowbell can be compared"),
            "{nothing}"
        );
    }
}
