//! Figures as JSON; the schema is `vmm/schema/stats.schema.json`.

use super::{Figure, Report};
use serde_json::{Map, Value, json};

/// Changes when a name or a meaning does.
const VERSION: u64 = 1;

pub fn show(report: &Report) -> String {
    let value = json!({
        "version": VERSION,
        "engine": report.engine,
        "ending": {"kind": report.ending, "status": report.status},
        "guest": report.guest.as_ref().ok().map(|figures| by_name(figures)),
        "system_calls": pairs(&report.system_calls),
        "system_calls_missing": pairs(&report.system_calls_missing),
        "vm_exits": report.exits.as_ref().ok().map(|exits| {
            let exits = exits.iter().map(|(reason, figures)| {
                let figures = json!({
                    "count": figures.count,
                    "nanoseconds_sum": nanoseconds(figures.sum),
                    "nanoseconds_minimum": nanoseconds(figures.minimum),
                    "nanoseconds_maximum": nanoseconds(figures.maximum),
                });
                ((*reason).to_owned(), figures)
            });
            exits.collect::<Map<String, Value>>()
        }),
        "kvm": report.engine_figures.as_ref().ok().map(|figures| pairs(figures)),
        "phases": by_name(&report.phases),
        "memory": by_name(&report.memory),
        "hardware": by_name(&report.hardware),
        "unavailable": report
            .unavailable()
            .into_iter()
            .map(|(name, reason)| (name.to_owned(), reason.into()))
            .collect::<Map<String, Value>>(),
    });
    format!("{value:#}\n")
}

fn by_name(figures: &[Figure]) -> Map<String, Value> {
    figures
        .iter()
        .map(|figure| {
            (
                figure.name.to_owned(),
                figure.value.as_ref().ok().copied().into(),
            )
        })
        .collect()
}

fn pairs(figures: &[(String, u64)]) -> Map<String, Value> {
    figures
        .iter()
        .map(|(name, value)| (name.clone(), (*value).into()))
        .collect()
}

pub(super) fn nanoseconds(time: std::time::Duration) -> u64 {
    u64::try_from(time.as_nanos()).unwrap_or(u64::MAX)
}

#[cfg(test)]
mod tests {
    use super::super::tests::{empty, full};
    use super::*;

    #[test]
    fn reports_follow_the_schema() {
        let schema: Value =
            serde_json::from_str(include_str!("../../schema/stats.schema.json")).expect("JSON");
        let validator = jsonschema::validator_for(&schema).expect("a schema");
        for report in [full(), empty()] {
            let report: Value = serde_json::from_str(&show(&report)).expect("JSON");
            let problems: Vec<String> = validator
                .iter_errors(&report)
                .map(|error| error.to_string())
                .collect();
            assert_eq!(problems, Vec::<String>::new());
        }
        let mut bad: Value = serde_json::from_str(&show(&full())).expect("JSON");
        bad["guest"]["forks"] = Value::Null;
        assert!(!validator.is_valid(&bad));
    }

    /// The schema names each counter of the contract, so that one added there is not forgotten.
    #[test]
    fn the_schema_names_every_counter() {
        let schema: Value =
            serde_json::from_str(include_str!("../../schema/stats.schema.json")).expect("JSON");
        let listed = schema["$defs"]["guest"]["required"]
            .as_array()
            .expect("an array");
        let counters: Vec<Value> = contract::counters::Counter::ALL
            .iter()
            .map(|counter| counter.name().into())
            .collect();
        assert_eq!(*listed, counters);
    }
}
