//! `cowbell bench`: a few measures on TCG, and what is written about them. No time is looked at, only that it is there.

use crate::machine::{Machine, Ran, engines, scratch};
use serde_json::Value;
use std::path::{Path, PathBuf};

/// A quick bench of these measures on these engines: the run, its JSON report, and its page.
fn bench(name: &str, only: &[&str], on: &[&str], more: &[&str]) -> (Ran, Value, String) {
    engines();
    let directory = scratch::directory(&format!("bench/{name}"));
    let files: [PathBuf; 2] = ["bench.json", "bench.html"].map(|file| directory.join(file));
    let mut machine = Machine::command(&["bench", "--quick"])
        .option(only.iter().flat_map(|name| ["--only", name]))
        .option(on.iter().flat_map(|name| ["--engine", name]))
        .option(more);
    for (option, file) in ["--json", "--html"].iter().zip(&files) {
        machine = machine.option([Path::new(option), file]);
    }
    let ran = machine.run().expect_status(0);
    let read = |file: &Path| std::fs::read_to_string(file).expect("a report");
    let report: Value = serde_json::from_str(&read(&files[0])).expect("JSON");
    (ran, report, read(&files[1]))
}

fn follows_the_schema(report: &Value) {
    let schema: Value =
        serde_json::from_str(include_str!("../vmm/schema/bench.schema.json")).expect("the schema");
    let validator = jsonschema::validator_for(&schema).expect("a sound schema");
    let errors: Vec<String> = validator
        .iter_errors(report)
        .map(|error| error.to_string())
        .collect();
    assert!(errors.is_empty(), "{errors:#?}");
}

#[test]
fn a_few_measures_on_tcg() {
    let only = ["getppid", "fork@", "boot", "true"];
    let (ran, report, page) = bench("few", &only, &["tcg", "icount", "host"], &[]);
    follows_the_schema(&report);
    let result = |measure: &str, engine: &str| &report["measures"][measure]["results"][engine];
    let median =
        |measure: &str, engine: &str| result(measure, engine)["summary"]["median"].as_f64();
    for measure in ["getppid", "fork@1M", "fork@16M"] {
        for engine in ["tcg", "icount", "host"] {
            assert!(
                median(measure, engine) > Some(0.0),
                "{measure} {engine}{ran:?}"
            );
        }
    }
    for measure in ["true", "true-memory", "boot", "kernel-boot"] {
        assert!(median(measure, "tcg") > Some(0.0), "{measure}{ran:?}");
    }
    // Instructions are no time: each has its unit, and no ratio has both.
    assert_eq!(result("getppid", "tcg")["unit"], "nanoseconds");
    assert_eq!(result("getppid", "icount")["unit"], "instructions");
    assert_eq!(
        report["measures"]["getppid"]["ratios"],
        Value::Array(vec![])
    );
    // Fork takes as many instructions whatever the size.
    let forks = ["fork@1M", "fork@16M"].map(|measure| median(measure, "icount"));
    assert!(forks[1] <= forks[0].map(|small| small * 1.1), "{forks:?}");
    // What was not asked for is there with its reason.
    let reason = report["engines"]["linux-tcg"]["unavailable"].as_str();
    assert!(
        reason.is_some_and(|reason| reason.contains("--engine")),
        "{report:#}"
    );
    assert!(report["measures"].get("compute").is_none(), "{report:#}");
    for part in ["getppid", "icount", "linux-tcg"] {
        assert!(
            ran.text().contains(part) && page.contains(part),
            "{part}{ran:?}"
        );
    }
    assert!(page.contains("<svg") && !page.contains("<script"));
}

#[test]
fn an_earlier_report_is_compared_with() {
    let (_, report, _) = bench("earlier", &["getppid"], &["icount"], &[]);
    // An earlier kernel that took ten times as long.
    let mut slower = report;
    let result = &mut slower["measures"]["getppid"]["results"]["icount"];
    for name in ["median", "minimum", "maximum"] {
        let value = result["summary"][name].as_f64().expect("a figure");
        result["summary"][name] = (value * 10.0).into();
    }
    let old = scratch::file("bench/slower.json", slower.to_string().as_bytes());
    let old = old.to_str().expect("a plain path");
    let (ran, ..) = bench("later", &["getppid"], &["icount"], &["--compare", old]);
    let better = |line: &str| line.starts_with("better  getppid") && line.ends_with("0.10×");
    assert!(ran.text().lines().any(better), "{ran:?}");
    assert!(ran.text().contains("1 of 1 figures changed"), "{ran:?}");
}

#[test]
fn what_cannot_be_measured_is_refused() {
    let file = scratch::file("bench/not.json", b"{}");
    let file = file.to_str().expect("a plain path");
    for (arguments, part) in [
        (["--only", "nonsense"], "getppid"),
        (["--engine", "nonsense"], "linux-icount"),
        (["--compare", "/no/such.json"], "/no/such.json"),
        (["--compare", file], "not.json"),
        (
            ["--json", "/no/such/directory/b.json"],
            "/no/such/directory",
        ),
    ] {
        Machine::command(&["bench", "--quick"])
            .option(arguments)
            .run()
            .expect_error(125)
            .names(&[part]);
    }
}

#[test]
fn a_linux_that_is_not_there_is_an_engine_with_a_reason() {
    let only = ["getppid"];
    let (ran, report, _) = bench(
        "linux",
        &only,
        &["icount", "linux-icount"],
        &["--linux", "/no/such/vmlinuz"],
    );
    follows_the_schema(&report);
    let engine = &report["engines"]["linux-icount"];
    let reason = engine["unavailable"].as_str().unwrap_or_default();
    assert!(reason.contains("/no/such/vmlinuz"), "{ran:?}");
    assert!(ran.text().contains("/no/such/vmlinuz"), "{ran:?}");
}
