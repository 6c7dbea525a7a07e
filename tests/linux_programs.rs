//! Static programs that were not written for this kernel: each runs on Linux and here, and prints and ends alike.

use crate::machine::compiled::{self, Library};
use crate::machine::{End, Engine, Input, Machine, Ran, engines, on_linux, scratch};
use std::path::Path;

/// Process 1 has PATH and HOME in any case.
const ENVIRONMENT: [(&str, &str); 3] = [
    ("PATH", "/bin:/usr/bin"),
    ("HOME", "/root"),
    ("NAME", "a value = with signs"),
];

/// Runs it as `/name`, which is process 1.
fn here(engine: Engine, program: &Path, name: &str, arguments: &[&str]) -> Ran {
    let guest = format!("/{name}");
    let mut machine = Machine::on(engine).add(program, &guest);
    for (variable, value) in ENVIRONMENT {
        machine = machine.option(["--env".to_owned(), format!("{variable}={value}")]);
    }
    let mut command = vec![guest];
    command.extend(arguments.iter().map(ToString::to_string));
    machine.program(command).run().expect_composure()
}

#[track_caller]
pub fn alike(program: &Path, name: &str, arguments: &[&str]) {
    let linux = on_linux::program(program, arguments, &ENVIRONMENT, Vec::new());
    let mut wrong = Vec::new();
    for &engine in engines() {
        let run = here(engine, program, name, arguments);
        if run.text() != linux.text() || run.end != as_status(linux.end) {
            wrong.push(difference(&linux, &run));
        }
        assert_eq!(run.stderr, "", "{run:?}");
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

/// How cowbell tells of a program that ended so.
fn as_status(end: End) -> End {
    match end {
        End::Killed(signal) => End::Exited(128 + signal),
        other => other,
    }
}

/// The lines that differ.
fn difference(linux: &Ran, run: &Ran) -> String {
    let (expected, found) = (linux.text(), run.text());
    let mut expected = expected.lines();
    let mut found = found.lines();
    let mut text = format!("\n{} {:?}, on Linux {:?}", run.shown(), run.end, linux.end);
    loop {
        match (expected.next(), found.next()) {
            (None, None) => return text,
            (expected, found) if expected == found => {}
            (expected, found) => {
                text += &format!(
                    "\n  Linux:   {}\n  here:    {}",
                    expected.unwrap_or("(nothing)"),
                    found.unwrap_or("(nothing)")
                );
            }
        }
    }
}

/// A C program of the tests prints and ends on every engine as it does on Linux.
#[track_caller]
pub fn c_alike(name: &str, libraries: &[Library], arguments: &[&str]) {
    for &library in libraries {
        alike(&compiled::c(&format!("c/{name}"), library), name, arguments);
    }
}

/// A test of each program, with either library.
macro_rules! programs {
    ($($name:ident)*) => {
        $(#[test] fn $name() { c_alike(stringify!($name), &[Library::Glibc, Library::Musl], &[]); })*
    };
}
pub(crate) use programs;

programs! {
    allocate spawn pipes faults signals handlers descriptors cloexec exec_failures many_arguments vforks waits pidfds descriptors_many
    permissions file_notices directory_notices memory_page_map
    memory_of_forks orphans handover registers registers_over_faults times files children
}

#[test]
fn hello() {
    c_alike("hello", &Library::ALL, &[]);
}

#[test]
fn arguments() {
    c_alike("arguments", &Library::ALL, &[]);
    c_alike(
        "arguments",
        &[Library::Glibc],
        &["one", "", "two words", "-x", "%41\u{e9}\n"],
    );
}

#[test]
fn rust_std() {
    let program = compiled::rust("rust/hello");
    for arguments in [&[][..], &["panic"], &["exit"]] {
        alike(&program, "hello", arguments);
    }
}

#[test]
fn scripts() {
    let script = scratch::file(
        "linux_programs/script",
        b"#!/bin/echo an  argument \nnever read\n",
    );
    let nested = scratch::file("linux_programs/nested", b"#!/script\n");
    for path in [&script, &nested] {
        use std::os::unix::fs::PermissionsExt;
        std::fs::set_permissions(path, std::fs::Permissions::from_mode(0o755))
            .expect("an executable file");
    }
    for &engine in engines() {
        let machine = || {
            Machine::on(engine)
                .add(&script, "/script")
                .add(&nested, "/nested")
        };
        machine()
            .program(["/script", "a", "b c"])
            .run()
            .expect_status(0)
            .expect_output("an  argument /script a b c\n");
        // A script may interpret a script.
        machine()
            .program(["/nested", "x"])
            .run()
            .expect_status(0)
            .expect_output("an  argument /script /nested x\n");
    }
}

/// The clock of the machine is the host's.
#[test]
fn the_date() {
    let program = compiled::c("c/alone/date", Library::Musl);
    for &engine in engines() {
        let now = || {
            std::time::UNIX_EPOCH
                .elapsed()
                .expect("after 1970")
                .as_secs()
        };
        let before = now();
        let run = here(engine, &program, "date", &[]).expect_status(0);
        let date: u64 = run.text().trim().parse().expect("a number of seconds");
        assert!((before..=now() + 1).contains(&date), "{before}{run:?}");
    }
}

/// Whoever sets the clock moves those who wait for a time of day, and nobody else.
#[test]
fn the_clock_is_set() {
    let program = compiled::c("c/alone/clock_set", Library::Glibc);
    for &engine in engines() {
        here(engine, &program, "clock_set", &[])
            .expect_status(0)
            .expect_output(
                "clock_settime(CLOCK_REALTIME, &time) = 0\n\
                 sleeps until: exited with 0\n\
                 after.tv_sec - before.tv_sec < 60: yes\n\
                 clock_settime(CLOCK_REALTIME, &time) = 0\n\
                 waits until: exited with 110\n\
                 after.tv_sec - before.tv_sec < 60: yes\n\
                 clock_settime(CLOCK_REALTIME, &time) = 0\n\
                 sleeps for: exited with 0\n\
                 after.tv_sec - before.tv_sec < 60: yes\n",
            );
    }
}

/// Standard input of a program is what cowbell is given.
#[test]
fn reads_its_input() {
    let program = compiled::c("c/alone/checksum", Library::Glibc);
    let input: Vec<u8> = (0..3000_u32).map(|i| (i * i) as u8).collect();
    let linux = on_linux::program(&program, &[], &[], input.clone()).expect_status(0);
    for &engine in engines() {
        Machine::on(engine)
            .add(&program, "/checksum")
            .program(["/checksum"])
            .stdin(Input::Bytes(input.clone()))
            .run()
            .expect_status(0)
            .expect_output(&linux.text());
    }
}
