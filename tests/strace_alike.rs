//! `--strace` beside the strace(1) of this host: the same program, line by line.

use crate::machine::compiled::{self, Library};
use crate::machine::{Machine, engines, scratch};
use std::fs;
use std::path::Path;
use std::process::{Command, Stdio};

/// What a trace has between the two marks, without what is the machine's: processes, addresses.
fn comparable(trace: &Path) -> Vec<String> {
    let trace = fs::read_to_string(trace).expect("a trace");
    let is_mark = |line: &&str| line.contains("\"mark\"");
    let lines = trace.lines().skip_while(|line| !is_mark(line)).skip(1);
    let lines = lines.take_while(|line| !is_mark(line));
    lines
        .filter_map(|line| line.split_once(' '))
        .map(|(_, call)| without_addresses(call.trim_start()))
        .collect()
}

/// Each address of six digits or more as `0x`, and each process as `PID`.
fn without_addresses(line: &str) -> String {
    let mut parts = line.split("0x");
    let mut plain = parts.next().unwrap_or_default().to_owned();
    for part in parts {
        let digits = part
            .find(|c: char| !c.is_ascii_hexdigit())
            .unwrap_or(part.len());
        plain += "0x";
        plain += if digits < 6 { part } else { &part[digits..] };
    }
    for call in ["tgkill(", "gettid()", "getpid()"] {
        if plain.starts_with(call) {
            plain = plain
                .split(|c: char| c.is_ascii_digit())
                .filter(|part| !part.is_empty())
                .collect::<Vec<_>>()
                .join("PID");
        }
    }
    // Where the result stands depends on the length of what was left out.
    match plain.rsplit_once(" = ") {
        Some((call, result)) => format!("{} = {result}", call.trim_end()),
        None => plain,
    }
}

#[test]
fn a_trace_is_what_strace_would_write() {
    let program = compiled::c("c/alone/traced_alike", Library::Glibc);
    let directory = scratch::directory("strace_alike");
    let expected = directory.join("linux");
    let traced = Command::new("strace")
        .args(["-f", "-o"])
        .arg(&expected)
        .arg(&program)
        .current_dir(&directory)
        .stdin(Stdio::null())
        .output();
    match traced {
        Ok(output) if output.status.success() => {}
        other => {
            eprintln!("*** NOT COMPARED: strace does not run here: {other:?}");
            return;
        }
    }
    let expected = comparable(&expected);
    assert!(expected.len() > 80, "{expected:?}");
    for &engine in engines() {
        let trace = directory.join(engine.name());
        Machine::on(engine)
            .add(&program, "/program")
            .option([format!("--strace={}", trace.display())])
            .program(["/program"])
            .run()
            .expect_status(0);
        let found = comparable(&trace);
        for (found, expected) in found.iter().zip(&expected) {
            assert_eq!(found, expected, "on {}", engine.name());
        }
        assert_eq!(found.len(), expected.len());
    }
}
