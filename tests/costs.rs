//! What processes cost, in counted instructions and in frames: upper bounds, a little above what was reached. And that all of
//! it comes back.

use crate::machine::compiled::{self, Library};
use crate::machine::{Engine, Machine, engines};
use std::collections::BTreeMap;

/// Most that each figure of `c/alone/costs.c` may be: instructions, where it does not say frames or pages.
const BOUNDS: &[(&str, u64)] = &[
    ("getppid", 100),
    ("fork+exit+wait", 6_500),
    ("vfork+exit+wait", 2_200),
    ("fork+exec small+wait", 13_000),
    ("vfork+exec small+wait", 8_500),
    ("fork+exec glibc+wait", 33_000),
    ("vfork+exec glibc+wait", 28_500),
    ("pipe round trip", 1_250),
    ("zero-fill fault, 1 MiB", 520),
    ("zero-fill fault, 256 MiB", 520),
    ("copy-on-write fault, 1 MiB", 710),
    ("copy-on-write fault, 256 MiB", 710),
    ("fork, 1 MiB", 2_100),
    ("fork, 256 MiB", 2_100),
    ("fork+exit+wait, 1 MiB", 8_400),
    ("fork+exit+wait, 256 MiB", 8_400),
    // A program that is known is not read again, and of more than a hundred pages only those that are written are taken:
    // its data, its heap and its stack.
    ("programs read in ten execs", 0),
    ("pages taken in ten execs", 140),
    // Whatever the size.
    ("table frames of a fork, 1 MiB", 1),
    ("table frames of a fork, 256 MiB", 1),
    ("pages copied in ten times fork+exec+wait, 1 MiB", 45),
    ("pages copied in ten times fork+exec+wait, 256 MiB", 45),
];

#[test]
fn processes_cost_no_more_than_they_did() {
    engines();
    let program = compiled::c("c/alone/costs", Library::Glibc);
    let run = Machine::on(Engine::Tcg)
        .option(["--icount", "--mem", "1G"])
        .add(&program, "/costs")
        .program(["/costs"])
        .run()
        .expect_status(0)
        .expect_composure();
    let text = run.text();
    let figures: BTreeMap<&str, u64> = text
        .lines()
        .filter_map(|line| line.split_once('\t'))
        .map(|(name, figure)| (name, figure.parse().expect("a figure")))
        .collect();
    let mut wrong = Vec::new();
    for &(name, bound) in BOUNDS {
        match figures.get(name) {
            Some(&figure) if figure <= bound => {}
            figure => wrong.push(format!("{name}: {figure:?}, at most {bound}")),
        }
    }
    let (small, large) = (figures["fork, 1 MiB"], figures["fork, 256 MiB"]);
    if large * 10 > small * 11 {
        wrong.push(format!("fork costs {small}, and {large} of 256 MiB"));
    }
    assert!(wrong.is_empty(), "{}\nof\n{text}", wrong.join("\n"));
}

/// Forks, execs, vforks, kills and random writes: every page is right, and every frame comes back.
#[test]
fn a_soak_of_processes_leaves_nothing() {
    let program = compiled::c("c/alone/soak", Library::Glibc);
    for &engine in engines() {
        // Where ring 0 is emulated a cycle takes tens of milliseconds.
        let cycles = match engine {
            Engine::Tcg => "100000",
            Engine::Kvm => "50",
        };
        Machine::on(engine)
            .add(&program, "/soak")
            .program(["/soak", cycles, "20221"])
            .run()
            .expect_output("frames_tables: 0 more\nframes_pages: 0 more\nframes_kernel: 0 more\nprocesses: 0 more\n")
            .expect_status(0)
            .expect_silence();
    }
}
