//! Standard output is the guest's alone: every byte, unchanged, in order, and nothing else.

use crate::machine::compiled::{self, Library};
use crate::machine::{Engine, Machine, engines, scratch};
use contract::status;
use std::path::PathBuf;
use std::process::Stdio;

/// What `pattern.c` writes.
fn pattern() -> Vec<u8> {
    (0..1_u32 << 20)
        .map(|i| (i ^ i >> 8 ^ i >> 16) as u8)
        .collect()
}

#[test]
fn a_mebibyte_arrives_as_it_was_written() {
    let program = compiled::c("c/alone/pattern", Library::Musl);
    let expected = pattern();
    for &engine in engines() {
        for (how, wanted) in [("exit", 0), ("kill", 128 + 9), ("fault", 128 + 11)] {
            let run = Machine::on(engine)
                .add(&program, "/pattern")
                .program(["/pattern", how])
                .run()
                .expect_status(wanted);
            let first_difference = run.stdout.iter().zip(&expected).position(|(a, b)| a != b);
            assert_eq!(
                (run.stdout.len(), first_difference),
                (expected.len(), None),
                "{engine:?} {how}: {}",
                run.stderr
            );
        }
    }
}

/// A program's last bytes, without a newline, when it dies in the next instruction.
#[test]
fn last_words_arrive() {
    let source = scratch::source("../vmm/tests/kernels/tiny.s");
    let kernel: PathBuf = compiled::kernel(&source, "tiny1", "KERNEL=1");
    for &engine in engines() {
        Machine::on(engine)
            .option(["--kernel".as_ref(), kernel.as_os_str()])
            .run()
            .expect_status(status::TRIPLE_FAULT)
            .expect_output("last words");
    }
}

#[test]
fn output_goes_out_a_buffer_at_a_time() {
    if !engines().contains(&Engine::Kvm) {
        return;
    }
    let program = compiled::c("c/alone/pattern", Library::Musl);
    let file = scratch::path("output/stats.json");
    Machine::on(Engine::Kvm)
        .add(&program, "/pattern")
        .option(["--stats=json", "--stats-file"])
        .option([&file])
        .program(["/pattern"])
        .run()
        .expect_status(0);
    let stats: serde_json::Value =
        serde_json::from_slice(&std::fs::read(&file).expect("the figures")).expect("JSON");
    let exits = stats["vm_exits"].as_object().expect("exits by reason");
    let trips: u64 = exits
        .iter()
        .filter(|(reason, _)| reason.starts_with("io_"))
        .map(|(_, exit)| exit["count"].as_u64().expect("a count"))
        .sum();
    // 1 MiB in pieces of 4 KiB would be 256; a byte at a time it would be a million.
    assert!(trips < 4096, "{exits:#?}");
}

#[test]
fn nobody_reads() {
    for &engine in engines() {
        Machine::on(engine)
            .closed_stdout()
            .program(["/bin/echo", "lost"])
            .run()
            .expect_error(status::HOST_ERROR)
            .names(&["standard output", "closed"]);
        let full = std::fs::File::options()
            .write(true)
            .open("/dev/full")
            .expect("/dev/full");
        Machine::on(engine)
            .stdout_to(full.into())
            .program(["/bin/echo", "lost"])
            .run()
            .expect_error(status::HOST_ERROR)
            .names(&["standard output"]);
        let (reader, writer) = std::io::pipe().expect("a pipe");
        drop(reader);
        Machine::on(engine)
            .stdout_to(Stdio::from(writer))
            .program(["/bin/echo", "lost"])
            .run()
            .expect_error(status::HOST_ERROR)
            .names(&["standard output"]);
    }
}

#[test]
fn cowbell_itself_speaks_on_standard_error_alone() {
    for &engine in engines() {
        let run = Machine::on(engine)
            .option(["--stats"])
            .program(["/bin/echo", "hi"])
            .run()
            .expect_status(0)
            .expect_output("hi\n");
        assert!(run.stderr.contains("forks"), "{run:?}");
        Machine::on(engine)
            .program(["/no/such"])
            .run()
            .expect_status(status::NOT_FOUND)
            .expect_output("");
    }
}
