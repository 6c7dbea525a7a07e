//! The monitor from outside, with kernels of a few instructions: how machines end, and what becomes of their output.

use std::fs;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};

/// What `kernels/tiny.s` can be.
#[derive(Clone, Copy)]
enum Kernel {
    Hello = 0,
    TripleFault = 1,
    Spin = 2,
    Megabyte = 3,
    Echo = 4,
    BadDoorbell = 5,
    Halt = 6,
}

const ENGINES: [&str; 2] = ["kvm", "tcg"];

/// Assembles and links a kernel.
fn kernel(which: Kernel) -> PathBuf {
    let number = which as u8;
    let directory = Path::new(env!("CARGO_TARGET_TMPDIR"));
    let own = format!("{number}-{:?}", std::thread::current().id());
    let own: String = own.chars().filter(char::is_ascii_alphanumeric).collect();
    let object = directory.join(format!("tiny-{own}.o"));
    let executable = directory.join(format!("tiny-{own}.elf"));
    let source = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/kernels/tiny.s");
    let run = |program: &str, arguments: &[&str]| {
        let status = Command::new(program).args(arguments).status();
        assert!(
            status.is_ok_and(|status| status.success()),
            "{program} {arguments:?}"
        );
    };
    let (object, shown) = (
        object.to_str().expect("UTF-8"),
        executable.to_str().expect("UTF-8"),
    );
    run(
        "as",
        &[
            "--64",
            "--defsym",
            &format!("KERNEL={number}"),
            source,
            "-o",
            object,
        ],
    );
    run(
        "ld",
        &["-n", "-e", "start", "-Ttext=0x200000", object, "-o", shown],
    );
    executable
}

/// The engines that this host has.
fn engines() -> impl Iterator<Item = &'static str> {
    ENGINES.into_iter().filter(|engine| {
        let probe = cowbell(engine, &kernel(Kernel::Hello), &[], b"");
        probe.status.code() == Some(7)
    })
}

fn cowbell(engine: &str, kernel: &Path, options: &[&str], input: &[u8]) -> Output {
    let mut child = Command::new(env!("CARGO_BIN_EXE_cowbell"))
        .args(["run", "--accel", engine, "--timeout", "20s", "--kernel"])
        .arg(kernel)
        .args(options)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .expect("cowbell starts");
    let mut stdin = child.stdin.take().expect("asked for");
    let input = input.to_vec();
    let writer = std::thread::spawn(move || {
        // A machine that ends early does not read it all.
        let _ = stdin.write_all(&input);
    });
    let output = child.wait_with_output().expect("cowbell ends");
    writer.join().expect("no panic");
    output
}

fn errors(output: &Output) -> String {
    String::from_utf8_lossy(&output.stderr).into_owned()
}

#[test]
fn there_is_an_engine() {
    assert!(
        engines().next().is_some(),
        "neither KVM nor QEMU can run a guest here"
    );
}

#[test]
fn output_and_status_are_the_guests() {
    let kernel = kernel(Kernel::Hello);
    for engine in engines() {
        let output = cowbell(engine, &kernel, &[], b"");
        assert_eq!(
            (output.status.code(), output.stdout.as_slice()),
            (Some(7), &b"hello\n"[..]),
            "{engine}"
        );
        assert_eq!(errors(&output), "", "{engine}");
    }
}

#[test]
fn a_triple_fault_is_told_with_registers_and_loses_no_output() {
    let kernel = kernel(Kernel::TripleFault);
    for engine in engines() {
        let output = cowbell(engine, &kernel, &[], b"");
        assert_eq!(
            (output.status.code(), output.stdout.as_slice()),
            (Some(121), &b"last words"[..]),
            "{engine}"
        );
        let errors = errors(&output);
        assert!(
            errors.contains("triple fault") && errors.contains("rip 00000000002"),
            "{errors}"
        );
        assert!(errors.contains("start+0x"), "{errors}");
    }
}

#[test]
fn a_timeout_ends_a_machine_that_spins_or_sleeps() {
    for which in [Kernel::Spin, Kernel::Halt] {
        let kernel = kernel(which);
        for engine in engines() {
            let output = Command::new(env!("CARGO_BIN_EXE_cowbell"))
                .args([
                    "run",
                    "--accel",
                    engine,
                    "--timeout",
                    "200ms",
                    "--stats=json",
                    "--kernel",
                ])
                .arg(&kernel)
                .stdin(Stdio::null())
                .output()
                .expect("cowbell starts");
            assert_eq!(output.status.code(), Some(124), "{engine}");
            let errors = errors(&output);
            let json = &errors[errors.find('{').expect("figures")..];
            let json: serde_json::Value = serde_json::from_str(json).expect("JSON");
            assert_eq!(json["ending"]["kind"], "timeout", "{engine}");
        }
    }
}

#[test]
fn a_megabyte_arrives_whole() {
    let kernel = kernel(Kernel::Megabyte);
    // Without the doorbell it goes through the UART, which this kernel does not wait for: KVM only.
    for engine in engines().filter(|engine| *engine == "kvm") {
        let output = cowbell(engine, &kernel, &[], b"");
        assert_eq!(output.status.code(), Some(0));
        assert_eq!(output.stdout.len(), 1 << 20);
        assert!(output.stdout.chunks_exact(4).all(|line| line == b"bcd\n"));
    }
}

#[test]
fn input_comes_back_whole_and_ends() {
    let kernel = kernel(Kernel::Echo);
    let every_byte: Vec<u8> = (0..3000_u32).map(|n| n as u8).collect();
    for engine in engines() {
        for input in [&every_byte[..], b"", b"\0"] {
            let output = cowbell(engine, &kernel, &[], input);
            assert_eq!(
                (output.status.code(), output.stdout.as_slice()),
                (Some(0), input),
                "{engine}"
            );
        }
    }
}

#[test]
fn a_guest_that_lies_about_its_output_is_ended() {
    let kernel = kernel(Kernel::BadDoorbell);
    for engine in engines().filter(|engine| *engine == "kvm") {
        let output = cowbell(engine, &kernel, &[], b"");
        assert_eq!(output.status.code(), Some(125));
        assert!(errors(&output).contains("not in its memory"));
    }
}

#[test]
fn bad_kernels_are_named_before_anything_runs() {
    let good = fs::read(kernel(Kernel::Hello)).expect("it was just made");
    let path = Path::new(env!("CARGO_TARGET_TMPDIR")).join("bad.elf");
    let mut noteless = good.clone();
    let note = noteless
        .windows(4)
        .position(|window| window == b"Xen\0")
        .expect("a note");
    noteless[note] = b'Y';
    for (bytes, part) in [
        (&b""[..], "empty"),
        (b"#!/bin/sh\n", "not an ELF"),
        (b"\x1f\x8b\x08\x00", "gzip"),
        (&good[..40], "cut short"),
        (&good[..0x100], "cut short"),
        (&noteless, "no PVH entry note"),
    ] {
        fs::write(&path, bytes).expect("writable");
        let output = cowbell("auto", &path, &[], b"");
        assert_eq!(output.status.code(), Some(125), "{part}");
        let errors = errors(&output);
        assert!(
            errors.starts_with("cowbell: ") && errors.contains(part),
            "{part}: {errors}"
        );
        assert_eq!(errors.lines().count(), 1, "{errors}");
    }
}

#[test]
fn impossible_sizes_are_refused() {
    let kernel = kernel(Kernel::Hello);
    for (size, part) in [
        ("0", "room for, 0 bytes"),
        ("1M", "too small"),
        ("900000G", "more than this host has"),
        ("x", "not a size"),
    ] {
        let output = cowbell("auto", &kernel, &["--mem", size], b"");
        assert_eq!(output.status.code(), Some(125), "{size}");
        assert!(
            errors(&output).contains(part),
            "{size}: {}",
            errors(&output)
        );
    }
}
