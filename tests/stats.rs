//! Figures of a run: exact where they count, the same names in every form, there however the run ended.

use crate::machine::compiled::{self, Library};
use crate::machine::{Engine, Machine, Ran, archive, engines, exported, scratch};
use contract::counters::Counter;
use serde_json::Value;
use std::collections::BTreeSet;
use std::sync::atomic::{AtomicUsize, Ordering};

/// Runs with `--stats=FORMAT` into a file: the run and the text.
fn with_stats(machine: Machine, format: &str, program: &[&str]) -> (Ran, String) {
    static NEXT: AtomicUsize = AtomicUsize::new(0);
    let file = scratch::path(&format!("stats/{}", NEXT.fetch_add(1, Ordering::Relaxed)));
    let ran = machine
        .option([format!("--stats={format}")])
        .option(["--stats-file".as_ref(), file.as_os_str()])
        .program(program)
        .run();
    let text = std::fs::read_to_string(&file).unwrap_or_else(|error| panic!("{error}{ran:?}"));
    (ran, text)
}

fn json(machine: Machine, program: &[&str]) -> (Ran, Value) {
    let (ran, text) = with_stats(machine, "json", program);
    let value: Value =
        serde_json::from_str(&text).unwrap_or_else(|error| panic!("{error}: {text}"));
    let schema: Value =
        serde_json::from_str(include_str!("../vmm/schema/stats.schema.json")).expect("the schema");
    let validator = jsonschema::validator_for(&schema).expect("a sound schema");
    let errors: Vec<String> = validator
        .iter_errors(&value)
        .map(|error| error.to_string())
        .collect();
    assert!(errors.is_empty(), "{errors:#?}");
    (ran, value)
}

fn counter(value: &Value, name: &str) -> u64 {
    value["guest"][name]
        .as_u64()
        .unwrap_or_else(|| panic!("{name}: {value:#}"))
}

#[test]
fn process_counters_are_exact_and_alike() {
    // forks, vforks, execs (process 1's own is one), exits (process 1's own too), waits, most at once.
    for (program, expected) in [
        (&["/bin/true"][..], [0, 0, 1, 1, 0, 1]),
        (&["/bin/exec_echo"], [0, 0, 2, 1, 0, 1]),
        (&["/bin/fork_exec"], [1, 0, 2, 2, 1, 2]),
        (&["/bin/exec_missing"], [1, 0, 1, 2, 1, 2]),
        (&["/bin/exec_family"], [6, 0, 7, 7, 6, 2]),
        (&["/bin/vfork_exec"], [0, 1, 2, 2, 1, 2]),
        (&["/bin/wait_any"], [2, 0, 1, 3, 2, 3]),
        (&["/bin/zombie"], [3, 0, 1, 4, 3, 3]),
    ] {
        let mut seen = Vec::new();
        for &engine in engines() {
            let (ran, value) = json(Machine::on(engine), program);
            ran.expect_status(0);
            let names = [
                "forks",
                "vforks",
                "execs",
                "exits",
                "waits",
                "processes_peak",
            ];
            assert_eq!(
                names.map(|name| counter(&value, name)),
                expected,
                "{program:?} {names:?}"
            );
            assert_eq!(value["engine"], engine.name());
            // Every process has gone, and every frame of theirs is back.
            assert_eq!(counter(&value, "processes"), 0, "{program:?}");
            assert_eq!(counter(&value, "frames_tables"), 0, "{program:?}");
            assert_eq!(
                counter(&value, "frames_total"),
                counter(&value, "frames_free")
                    + counter(&value, "frames_pages")
                    + counter(&value, "frames_kernel"),
                "{value:#}"
            );
            seen.push(
                [
                    "forks",
                    "vforks",
                    "execs",
                    "exits",
                    "waits",
                    "exec_templates",
                    "page_faults_fatal",
                    "system_calls_missing",
                    "processes_peak",
                    "signals",
                ]
                .map(|name| (name, counter(&value, name))),
            );
        }
        assert!(
            seen.iter().all(|figures| *figures == seen[0]),
            "{program:?}: {seen:#?}"
        );
    }
}

#[test]
fn threads_are_told_from_processes() {
    let program = compiled::c("c/alone/created", Library::Musl);
    for &engine in engines() {
        let machine = Machine::on(engine).add(&program, "/created");
        let (ran, value) = json(machine, &["/created"]);
        ran.expect_status(0);
        // Two threads, and a process that shares memory and runs beside its parent.
        assert_eq!(counter(&value, "threads"), 3, "{value:#}");
        assert_eq!(counter(&value, "forks"), 1, "{value:#}");
        assert_eq!(counter(&value, "exits"), 3, "{value:#}");
        assert_eq!(counter(&value, "waits"), 2, "{value:#}");
    }
}

#[test]
fn frames_are_where_they_were() {
    // A program that forks much leaves no more behind than one that does nothing.
    for &engine in engines() {
        let used = |program: &[&str]| {
            let (_, value) = json(Machine::on(engine), program);
            counter(&value, "frames_total") - counter(&value, "frames_free")
        };
        let nothing = used(&["/bin/true"]);
        for program in [
            "/bin/fork_values",
            "/bin/cow_touch",
            "/bin/big_fork",
            "/bin/wait_status",
            "/bin/preempt",
        ] {
            let after = used(&[program]);
            assert!(
                after.abs_diff(nothing) <= 64,
                "{program}: {after} frames in use, /bin/true {nothing}"
            );
        }
    }
}

#[test]
fn system_calls_are_counted_by_name() {
    let hello = compiled::c("c/hello", Library::Glibc);
    for &engine in engines() {
        let (_, value) = json(Machine::on(engine).add(&hello, "/hello"), &["/hello"]);
        let calls = value["system_calls"].as_object().expect("calls by name");
        assert_eq!(calls["exit_group"], 1, "{calls:#?}");
        assert_eq!(calls["write"], 1, "{calls:#?}");
        let missing = value["system_calls_missing"]
            .as_object()
            .expect("calls by name");
        // A call is either there or missing.
        let sum: u64 = calls
            .values()
            .chain(missing.values())
            .map(|count| count.as_u64().expect("a count"))
            .sum();
        assert_eq!(sum, counter(&value, "system_calls"), "{value:#}");
    }
}

/// The same names in the table, in JSON, in Prometheus text and in the guest.
#[test]
fn names_agree() {
    for &engine in engines() {
        let machine = || Machine::on(engine);
        let (_, value) = json(machine(), &["/bin/fork_exec"]);
        let (_, table) = with_stats(machine(), "table", &["/bin/fork_exec"]);
        let (_, prometheus) = with_stats(machine(), "prometheus", &["/bin/fork_exec"]);
        let metrics = parse_prometheus(&prometheus);
        let inside = machine()
            .program(["/bin/cat", "/proc/cowbell"])
            .run()
            .expect_status(0)
            .text();
        let inside: BTreeSet<&str> = inside
            .lines()
            .filter_map(|line| line.split(' ').next())
            .collect();
        for counter in Counter::ALL {
            let name = counter.name();
            assert!(value["guest"][name].is_u64(), "{name} in JSON");
            assert!(
                table.split_whitespace().any(|word| word == name),
                "{name} in the table:\n{table}"
            );
            let metric = [format!("cowbell_{name}"), format!("cowbell_{name}_total")];
            assert!(
                metric.iter().any(|metric| metrics.contains(metric)),
                "{name} in Prometheus text"
            );
            assert!(inside.contains(name), "{name} in /proc/cowbell");
        }
        assert_eq!(
            value["guest"].as_object().map(serde_json::Map::len),
            Some(Counter::ALL.len())
        );
    }
}

/// The names of the metrics; every line has the form of the text exposition format.
fn parse_prometheus(text: &str) -> BTreeSet<String> {
    let mut names = BTreeSet::new();
    for line in text.lines() {
        if let Some(comment) = line.strip_prefix("# ") {
            let mut words = comment.splitn(3, ' ');
            assert!(matches!(words.next(), Some("HELP" | "TYPE")), "{line}");
            assert!(
                words
                    .next()
                    .is_some_and(|name| name.starts_with("cowbell_")),
                "{line}"
            );
            assert!(words.next().is_some(), "{line}");
            continue;
        }
        let (metric, value) = line.rsplit_once(' ').unwrap_or_else(|| panic!("{line}"));
        value
            .parse::<f64>()
            .unwrap_or_else(|error| panic!("{line}: {error}"));
        let (name, labels) = metric.split_once('{').unwrap_or((metric, "}"));
        assert!(labels.ends_with('}'), "{line}");
        assert!(
            name.bytes()
                .all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'_'),
            "{line}"
        );
        names.insert(name.to_owned());
    }
    names
}

#[test]
fn figures_are_there_however_it_ended() {
    let spin = compiled::c("c/alone/spin", Library::Musl);
    let deadlock = compiled::c("c/alone/deadlock", Library::Musl);
    let status = compiled::c("c/alone/status", Library::Musl);
    let tiny = scratch::source("../vmm/tests/kernels/tiny.s");
    let triple = compiled::kernel(&tiny, "tiny1", "KERNEL=1");
    for &engine in engines() {
        let ends = |machine: Machine, program: &[&str], kind: &str, status: u8| {
            let (ran, value) = json(machine, program);
            let ran = ran.expect_status(status);
            assert_eq!(value["ending"]["kind"], kind, "{ran:?}");
            assert_eq!(value["ending"]["status"], status, "{ran:?}");
            value
        };
        let on = || Machine::on(engine);
        ends(on(), &["/bin/false"], "exited", 1);
        ends(
            on().add(&status, "/status"),
            &["/status", "kill", "9"],
            "killed",
            137,
        );
        ends(on(), &["/bin/none"], "exec-failed", 127);
        let value = ends(
            on().add(&spin, "/spin").option(["--timeout", "1s"]),
            &["/spin"],
            "timeout",
            124,
        );
        assert_eq!(counter(&value, "processes"), 1);
        ends(
            on().add(&deadlock, "/deadlock"),
            &["/deadlock", "own-pipe"],
            "deadlock",
            122,
        );
        let kernel = on().option(["--kernel".as_ref(), triple.as_os_str()]);
        let value = ends(kernel, &[], "triple-fault", 121);
        assert!(
            value["guest"].is_null(),
            "another kernel has no counters: {value:#}"
        );
    }
}

#[test]
fn phases_are_in_order() {
    for &engine in engines() {
        let (_, value) = json(Machine::on(engine), &["/bin/true"]);
        let phases = &value["phases"];
        let steps: Vec<u64> = [
            "process_start_nanoseconds",
            "engine_ready_nanoseconds",
            "first_entry_nanoseconds",
            "first_user_instruction_nanoseconds",
            "last_exit_nanoseconds",
        ]
        .iter()
        .filter_map(|name| phases[name].as_u64())
        .collect();
        assert!(steps.len() >= 3 && steps.is_sorted(), "{phases:#}");
        if engine == Engine::Kvm {
            assert_eq!(steps.len(), 5, "{phases:#}");
            assert!(
                value["vm_exits"]
                    .as_object()
                    .is_some_and(|exits| !exits.is_empty())
            );
            for (reason, exit) in value["vm_exits"].as_object().expect("exits") {
                let figure = |name: &str| exit[name].as_u64().expect("a figure");
                assert!(
                    figure("nanoseconds_minimum") <= figure("nanoseconds_maximum")
                        && figure("nanoseconds_maximum") <= figure("nanoseconds_sum")
                        && figure("count") > 0,
                    "{reason}: {exit:#}"
                );
            }
        }
        // What there is not has a reason.
        let unavailable = value["unavailable"].as_object().expect("reasons by name");
        assert!(
            value["hardware"]["guest_cycles"].is_u64() || unavailable.contains_key("guest_cycles"),
            "{value:#}"
        );
    }
}

#[test]
fn the_monitors_memory_does_not_grow_with_what_is_added() {
    const ADDED: usize = 16 << 20;
    const SPARE: u64 = 1 << 20;
    if !engines().contains(&Engine::Kvm) {
        return;
    }
    let hello = compiled::c("c/hello", Library::Musl);
    let program = std::fs::read(&hello).expect("a program");
    let large = scratch::file("added/large", &vec![0x5a; ADDED]);
    let root = scratch::directory("added/root");
    for (name, size) in (0..1000).map(|n| (format!("file{n}"), ADDED / 1000)) {
        std::fs::write(root.join(name), vec![0x5a; size]).expect("a file");
    }
    std::fs::copy(&hello, root.join("hello")).expect("a program");
    let initramfs = scratch::file(
        "added/initramfs.cpio",
        &archive::write(&[
            archive::Entry::directory("."),
            archive::Entry::file("hello", 0o755, &program),
            archive::Entry::file("large", 0o644, &vec![0x5a; ADDED]),
            archive::Entry::trailer(),
        ]),
    );
    let kernel = exported::directory().join("kernel.elf");
    let on = || Machine::on(Engine::Kvm);
    let figures = |machine: Machine| {
        let (ran, value) = json(machine, &["/hello"]);
        ran.expect_status(7);
        ["monitor_memory_bytes", "guest_memory_touched_bytes"]
            .map(|name| value["memory"][name].as_u64().expect("a figure"))
    };
    let [alone, _] = figures(on().add(&hello, "/hello"));
    assert!(cfg!(debug_assertions) || alone <= 5 << 20, "{alone}");
    for (what, machine) in [
        (
            "--add and --kernel",
            on().add(&hello, "/hello")
                .add(&large, "/large")
                .option(["--kernel".as_ref(), kernel.as_os_str()]),
        ),
        ("--root", on().option(["--root".as_ref(), root.as_os_str()])),
        (
            "--initrd",
            on().option(["--initrd".as_ref(), initramfs.as_os_str()]),
        ),
    ] {
        let [monitor, guest] = figures(machine);
        assert!(monitor <= alone + SPARE, "{what}: {monitor}, alone {alone}");
        // It is somewhere.
        assert!(guest >= ADDED as u64, "{what}: {guest}");
    }
}
