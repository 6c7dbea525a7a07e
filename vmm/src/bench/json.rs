//! The report as JSON; the schema is `vmm/schema/bench.schema.json`.

use super::facts::{Facts, RingZero};
use super::report::{PAIRS, Report, Row};
use super::statistics::Summary;
use serde_json::{Map, Value, json};

/// Changes when a name or a meaning does.
pub const VERSION: u64 = 1;

/// The report, with a newline at its end.
#[must_use]
pub fn show(report: &Report) -> String {
    format!("{:#}\n", value(report))
}

/// The report.
#[must_use]
pub fn value(report: &Report) -> Value {
    let engines: Map<String, Value> = report
        .participants
        .iter()
        .map(|participant| {
            let engine = participant.engine;
            let value = json!({
                "help": engine.help(),
                "unit": engine.unit().name(),
                "unavailable": participant.reason,
            });
            (engine.name().to_owned(), value)
        })
        .collect();
    let measures: Map<String, Value> = report
        .rows
        .iter()
        .map(|row| (row.measure.name.clone(), measure(report, row)))
        .collect();
    let starts: Map<String, Value> = report
        .starts
        .iter()
        .map(|start| {
            let steps = start.steps.iter();
            let steps = steps.map(|(step, time)| json!({"step": step, "nanoseconds": time}));
            (start.engine.name().to_owned(), steps.collect())
        })
        .collect();
    json!({
        "version": VERSION,
        "time": report.time,
        "quick": report.quick,
        "rounds": report.rounds,
        "host": host(&report.facts),
        "versions": {
            "cowbell": env!("CARGO_PKG_VERSION"),
            "qemu": report.facts.qemu,
            "linux": report.facts.linux,
        },
        "engines": engines,
        "measures": measures,
        "starts": starts,
    })
}

fn host(facts: &Facts) -> Value {
    let (speeds, reason) = match &facts.ring_zero {
        RingZero::Hardware(speeds) | RingZero::Emulated(speeds) => (Some(speeds), None),
        RingZero::Unknown(reason) => (None, Some(reason)),
    };
    json!({
        "processor": facts.processor,
        "cpus": facts.cpus,
        "memory_bytes": facts.memory,
        "kernel": facts.kernel,
        "tsc_hertz": facts.tsc_hertz,
        "ring_0": facts.ring_zero.name(),
        "ring_0_unknown": reason,
        "ring_0_instructions_per_second": speeds.map(|speeds| speeds.ring_0),
        "ring_3_instructions_per_second": speeds.map(|speeds| speeds.ring_3),
    })
}

fn measure(report: &Report, row: &Row) -> Value {
    let results: Map<String, Value> = report
        .participants
        .iter()
        .zip(&row.cells)
        .map(|(participant, cell)| {
            let engine = participant.engine;
            let samples: Vec<f64> = cell.samples.iter().map(|(_, value)| *value).collect();
            let value = json!({
                "unit": row.measure.unit(engine).name(),
                "samples": samples,
                "summary": cell.summary().map(summary),
                "unavailable": cell.reason.as_ref().filter(|_| cell.samples.is_empty()),
                "bound_by_emulation": report.is_marked(&row.measure, engine),
            });
            (engine.name().to_owned(), value)
        })
        .collect();
    let ratios: Vec<Value> = PAIRS
        .into_iter()
        .filter_map(|pair| {
            let ratio = summary(report.ratio(row, pair)?);
            Some(json!({"of": pair.0.name(), "to": pair.1.name(), "summary": ratio}))
        })
        .collect();
    json!({
        "help": row.measure.help,
        "group": row.measure.group.title(),
        "results": results,
        "ratios": ratios,
    })
}

fn summary(summary: Summary) -> Value {
    json!({
        "count": summary.count,
        "median": summary.median,
        "minimum": summary.minimum,
        "maximum": summary.maximum,
        "lower_quartile": summary.lower_quartile,
        "upper_quartile": summary.upper_quartile,
    })
}

#[cfg(test)]
mod tests {
    use super::super::report::tests::report;
    use super::*;

    #[test]
    fn reports_follow_the_schema() {
        let schema: Value =
            serde_json::from_str(include_str!("../../schema/bench.schema.json")).expect("JSON");
        let validator = jsonschema::validator_for(&schema).expect("a schema");
        let mut unknown = report(1.0);
        unknown.facts.ring_zero = RingZero::Unknown("no KVM".to_owned());
        for report in [report(1.0), unknown] {
            let value: Value = serde_json::from_str(&show(&report)).expect("JSON");
            let problems: Vec<String> = validator
                .iter_errors(&value)
                .map(|error| error.to_string())
                .collect();
            assert_eq!(problems, Vec::<String>::new());
            let mut bad = value.clone();
            bad["measures"]["getppid"]["results"]["kvm"]["unit"] = "fortnights".into();
            assert!(!validator.is_valid(&bad));
        }
    }
}
