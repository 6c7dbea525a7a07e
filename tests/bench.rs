//! `cowbell bench`: a few measures on TCG, and what is written about them. No time is looked at, only that it is there.

use crate::machine::pty::Session;
use crate::machine::{End, Machine, Ran, engines, scratch};
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
fn counts_repeat_exactly_from_bench_to_bench() {
    let only = ["getppid", "fork", "pipe", "boot"];
    let (_, report, _) = bench("counted", &only, &["icount"], &[]);
    let old = scratch::file("bench/counted.json", report.to_string().as_bytes());
    let old = old.to_str().expect("a plain path");
    let (ran, again, _) = bench("again", &only, &["icount"], &["--compare", old]);
    for (name, measure) in report["measures"].as_object().expect("measures") {
        let samples = &measure["results"]["icount"]["samples"];
        let again = &again["measures"][name]["results"]["icount"]["samples"];
        let first = &samples[0];
        for sample in [samples, again]
            .into_iter()
            .flat_map(|samples| samples.as_array())
        {
            assert!(
                sample.iter().all(|sample| sample == first),
                "{name}: {samples} {again}"
            );
        }
    }
    let compared = report["measures"]
        .as_object()
        .map_or(0, serde_json::Map::len);
    let words = format!("Nothing got better or worse beyond the spread, of {compared} figures.");
    assert!(ran.text().contains(&words), "{ran:?}");
    // Counts do not drift with the host.
    assert!(!ran.text().contains("without cowbell"), "{ran:?}");
}

#[test]
fn an_earlier_report_is_compared_with() {
    let (_, report, _) = bench("earlier", &["getppid"], &["icount"], &[]);
    // An earlier kernel that took ten times as long, on a QEMU that is no more.
    let mut slower = report.clone();
    slower["versions"]["qemu"] = "QEMU emulator version 1".into();
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
    for words in [
        "QEMU: was QEMU emulator version 1, is ",
        "1 got better and 0 got worse, of 1 figures",
    ] {
        assert!(ran.text().contains(words), "{words}{ran:?}");
    }
    // One of another processor, with measures that are not taken now.
    let mut other = report;
    other["host"]["processor"] = "Another".into();
    let gone = other["measures"]["getppid"].clone();
    other["measures"]["gone"] = gone;
    let old = scratch::file("bench/other.json", other.to_string().as_bytes());
    let old = old.to_str().expect("a plain path");
    let (ran, ..) = bench("other", &["getppid"], &["icount"], &["--compare", old]);
    for words in [
        "another host",
        "Nothing got better",
        "1 more are in the earlier",
    ] {
        assert!(ran.text().contains(words), "{words}{ran:?}");
    }
}

#[test]
fn what_cannot_be_measured_is_refused() {
    let [none, newer, torn] = [
        ("not.json", "{}"),
        ("newer.json", r#"{"version": 1000, "measures": {}}"#),
        ("torn.json", r#"{"version": 1, "#),
    ]
    .map(|(name, text)| scratch::file(&format!("bench/{name}"), text.as_bytes()));
    let [none, newer, torn] = [&none, &newer, &torn].map(|file| file.to_str().expect("plain"));
    for (arguments, part) in [
        (["--only", "nonsense"], "getppid"),
        (["--engine", "nonsense"], "linux-icount"),
        (
            ["--engine", "linux-tcg"],
            "nothing to measure on: linux-tcg: not asked for (--linux)",
        ),
        (["--compare", "/no/such.json"], "/no/such.json"),
        (["--compare", none], "not.json"),
        (["--compare", newer], "version 1000"),
        (["--compare", torn], "not JSON"),
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
    // One that is known does not hide one that is not.
    Machine::command(&[
        "bench", "--quick", "--only", "getppid", "--only", "nonsense",
    ])
    .run()
    .expect_error(125)
    .names(&["nonsense", "getppid"]);
}

#[test]
fn a_report_that_cannot_be_written_hides_no_figures() {
    let page = scratch::directory("bench/full").join("bench.html");
    let ran = Machine::command(&[
        "bench", "--quick", "--only", "getppid", "--engine", "icount",
    ])
    .option(["--json", "/dev/full", "--html"])
    .option([&page])
    .run()
    .expect_status(125);
    assert!(ran.text().contains("getppid"), "{ran:?}");
    assert!(ran.stderr.contains("cannot write /dev/full"), "{ran:?}");
    assert!(
        ran.stderr.contains("bench.html") && page.exists(),
        "{ran:?}"
    );
}

/// Progress is shown to a person. Who interrupts sees what was taken until then; an earlier report stays.
#[test]
fn interrupted_at_a_terminal() {
    engines();
    let directory = scratch::directory("bench/interrupted");
    let (json, html) = (directory.join("bench.json"), directory.join("bench.html"));
    std::fs::write(&json, "an earlier one").expect("a file");
    let temporary = scratch::directory("bench/temporary");
    let machine = Machine::command(&["bench", "--only", "getppid", "--only", "fork@256M"])
        .option(["--engine", "icount", "--engine", "tcg", "--engine", "host"])
        .option([Path::new("--json"), &json, Path::new("--html"), &html])
        .host_environment("TMPDIR", &temporary);
    let mut session = Session::start_sized(&machine, 24, 100);
    let begun = |screen: &str| (1..8).any(|run| screen.contains(&format!(" {run}/12 ")));
    session.expect_after(0, "progress", begun);
    session.type_keys(b"\x03");
    let (end, screen) = session.end();
    assert_eq!(end, End::Exited(130), "{screen}");
    for words in ["getppid", "interrupted: ", "are not written"] {
        assert!(screen.contains(words), "{words}: {screen}");
    }
    assert_eq!(std::fs::read(&json).expect("a file"), b"an earlier one");
    assert!(!html.exists());
    assert_eq!(std::fs::read_dir(&temporary).expect("entries").count(), 0);
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
