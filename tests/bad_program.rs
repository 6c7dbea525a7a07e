//! Programs that cannot be run: missing, of the wrong kind, cut short, or made to do harm.

use crate::machine::compiled::{self, Library};
use crate::machine::elf::{BASE, Elf};
use crate::machine::random::Random;
use crate::machine::{End, Engine, Machine, Ran, engines, scratch};
use contract::status::{NOT_EXECUTABLE, NOT_FOUND};
use std::fs::Permissions;
use std::os::unix::fs::PermissionsExt;
use std::path::PathBuf;
use std::process::Command;

fn executable(name: &str, bytes: &[u8]) -> PathBuf {
    let file = scratch::file(&format!("bad_program/{name}"), bytes);
    std::fs::set_permissions(&file, Permissions::from_mode(0o755)).expect("an executable file");
    file
}

fn attempt(engine: Engine, name: &str, bytes: &[u8]) -> Ran {
    Machine::on(engine)
        .add(&executable(name, bytes), "/bad")
        .option(["--timeout", "20s"])
        .program(["/bad"])
        .run()
        .expect_composure()
}

#[track_caller]
fn refused(name: &str, bytes: &[u8], parts: &[&str]) {
    for &engine in engines() {
        attempt(engine, name, bytes)
            .expect_output("")
            .expect_error(NOT_EXECUTABLE)
            .names(&[&["/bad"], parts].concat());
    }
}

#[test]
fn missing() {
    for &engine in engines() {
        for program in [
            "/no/such/program",
            "/bin/none",
            "none",
            "/bin/echo/below",
            "/bin/ech\u{f6} ",
        ] {
            Machine::on(engine)
                .program([program])
                .run()
                .expect_output("")
                .expect_error(NOT_FOUND)
                .names(&[program]);
        }
    }
}

/// Names that lead nowhere, and where the program is instead.
#[test]
fn misnamed() {
    let program = compiled::c("c/hello", Library::Musl);
    for &engine in engines() {
        Machine::on(engine)
            .program([""])
            .run()
            .expect_error(NOT_FOUND)
            .names(&["``", "No such file"]);
        Machine::on(engine)
            .add(&program, "/hello")
            .program(["hello"])
            .run()
            .expect_error(NOT_FOUND)
            .names(&["hello", "there is /hello"]);
    }
}

#[test]
fn not_a_program() {
    let plain = scratch::file("bad_program/plain", b"\x7fELF and so on");
    for &engine in engines() {
        Machine::on(engine)
            .program(["/bin"])
            .run()
            .expect_error(NOT_EXECUTABLE)
            .names(&["/bin", "directory"]);
        Machine::on(engine)
            .add(&plain, "/plain")
            .program(["/plain"])
            .run()
            .expect_error(NOT_EXECUTABLE)
            .names(&["/plain", "0644"]);
    }
    refused("empty", b"", &["empty"]);
    refused(
        "text",
        b"text without a first line of its own\n",
        &["text file", "#!"],
    );
    refused(
        "script",
        b"#!/no/such/interpreter -x\n",
        &["/no/such/interpreter"],
    );
    refused(
        "dos",
        b"#!/bin/true\r\n",
        &["interpreter", "/bin/true\\r", "Windows"],
    );
    refused("no_interpreter", b"#!\n", &["interpreter"]);
}

#[test]
fn of_another_kind() {
    let good = std::fs::read(compiled::c("c/hello", Library::Musl)).expect("a program");
    let with = |at: usize, bytes: &[u8]| {
        let mut changed = good.clone();
        changed[at..at + bytes.len()].copy_from_slice(bytes);
        changed
    };
    refused("class", &with(4, &[1]), &["32-bit"]);
    refused("machine", &with(18, &[0xb7, 0]), &["aarch64", "x86-64"]);
    let mut i386 = with(18, &[3, 0]);
    i386[4] = 1;
    refused("i386", &i386, &["i386", "gcc -m64"]);
    refused("type", &with(16, &[1, 0]), &["not a program"]);
    // A shared executable of the host asks for its interpreter.
    let dynamic = compile_dynamic();
    refused(
        "dynamic",
        &std::fs::read(dynamic).expect("a program"),
        &[
            "dynamically linked",
            "/lib64/ld-linux-x86-64.so.2",
            "static",
        ],
    );
}

fn compile_dynamic() -> PathBuf {
    let out = scratch::path("bad_program/dynamic.out");
    let status = Command::new("cc")
        .arg("-o")
        .arg(&out)
        .arg(scratch::source("c/hello.c"))
        .status()
        .expect("a C compiler");
    assert!(status.success());
    out
}

#[test]
fn cut_short() {
    let good = std::fs::read(compiled::c("c/hello", Library::Musl)).expect("a program");
    let end = Elf::end_of_segments(&good);
    for length in [
        4,
        5,
        16,
        63,
        64,
        65,
        119,
        120,
        300,
        4095,
        4096,
        4097,
        end / 2,
        end - 1,
    ] {
        refused("cut", &good[..length], &["cut short"]);
    }
}

#[test]
fn segments_out_of_place() {
    for &engine in engines() {
        attempt(engine, "good", &Elf::good().bytes())
            .expect_status(5)
            .expect_silence();
        let with_data = Elf::good().with_segment(|data| data.memory_size = 0x5000);
        attempt(engine, "data", &with_data.bytes())
            .expect_status(5)
            .expect_silence();
    }
    let cases: Vec<(&str, Elf)> = vec![
        (
            "overlap",
            Elf::good().with_segment(|data| data.address = BASE + 0x1000),
        ),
        (
            "overlap_in_part",
            Elf::good().with_segment(|data| {
                data.address = BASE;
                data.memory_size = 0x1800;
            }),
        ),
        (
            "upper_half",
            Elf::good().with_segment(|data| data.address = 0xffff_8000_0000_0000),
        ),
        (
            "kernel",
            Elf::good().with_segment(|data| data.address = 0xffff_ffff_8020_0000),
        ),
        (
            "into_the_upper_half",
            Elf::good().with_segment(|data| {
                data.address = 0x7fff_ffff_e000;
                data.memory_size = 0x10_0000;
            }),
        ),
        (
            "beyond_the_end",
            Elf::good().with_segment(|data| data.address = 0x8000_0000_0000),
        ),
        (
            "wraps",
            Elf::good().with_segment(|data| data.memory_size = u64::MAX - 0x1000),
        ),
        (
            "null_page",
            Elf::good().with_segment(|data| data.address = 0),
        ),
        (
            "huge",
            Elf::good().with_segment(|data| data.memory_size = 1 << 47),
        ),
        (
            "file_over_memory",
            Elf::good().with_segment(|data| data.memory_size = 1),
        ),
        (
            "offset",
            Elf::good().with_segment(|data| data.offset = 1 << 40),
        ),
        (
            "offset_wraps",
            Elf::good().with_segment(|data| data.offset = u64::MAX - 0xfff),
        ),
        (
            "misaligned",
            Elf::good().with_segment(|data| data.address += 8),
        ),
        (
            "text_upper_half",
            Elf::good().with_text(|text| text.address |= 1 << 63),
        ),
        (
            "nothing_to_load",
            Elf::good().with_text(|text| text.kind = 4),
        ),
    ];
    for (name, elf) in cases {
        refused(name, &elf.bytes(), &[]);
    }
}

#[test]
fn header_tables_out_of_place() {
    let good = Elf::good().bytes();
    for (name, at, bytes) in [
        ("table_beyond", 32, &[0, 0, 0, 0, 1, 0, 0, 0][..]),
        (
            "table_wraps",
            32,
            &[0xf0, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff],
        ),
        ("many_segments", 56, &[0xff, 0xff]),
        ("no_segments", 56, &[0, 0]),
        ("entry_size", 54, &[1, 0]),
    ] {
        let mut changed = good.clone();
        changed[at..at + bytes.len()].copy_from_slice(bytes);
        refused(name, &changed, &[]);
    }
}

/// An entry that leads nowhere: it is refused, or starts and dies of it, as on Linux.
#[test]
fn entries_out_of_place() {
    for &engine in engines() {
        for entry in [
            8,
            BASE,
            0x7fff_ffff_0000,
            0xffff_ffff_8020_0000,
            0x1234_5678_1234_5678,
        ] {
            let elf = Elf::good().with_entry(entry);
            let run = attempt(engine, "entry", &elf.bytes()).expect_output("");
            let wanted = [128 + 11, i32::from(NOT_EXECUTABLE)].map(End::Exited);
            assert!(wanted.contains(&run.end), "{entry:#x}{run:?}");
        }
    }
}

/// Headers changed at random: it runs, it dies, it is refused; the machine is none the worse.
#[test]
fn damaged_at_random() {
    let good = Elf::good()
        .with_segment(|data| data.memory_size = 0x5000)
        .bytes();
    let mut random = Random::seeded(31);
    for case in 0..40 {
        let mut changed = good.clone();
        for _ in 0..1 + random.below(3) {
            let at = 4 + random.below(172);
            changed[at] = match random.below(4) {
                0 => 0,
                1 => 0xff,
                2 => changed[at] ^ 1 << random.below(8),
                _ => random.next() as u8,
            };
        }
        let run = attempt(
            engines()[case % engines().len()],
            &format!("random{}", case % 2),
            &changed,
        );
        let status = match run.end {
            End::Exited(status) => status,
            _ => unreachable!("it was composed"),
        };
        // Its own exit, a refusal, or a signal that it brought on itself.
        assert!(
            [5, 126, 127, 128 + 4, 128 + 7, 128 + 8, 128 + 9, 128 + 11].contains(&status),
            "case {case}{run:?}"
        );
    }
}
