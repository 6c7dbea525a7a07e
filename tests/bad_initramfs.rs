//! Initramfs archives that are wrong: one line that says what and where.

use crate::machine::archive::{self, Entry};
use crate::machine::random::Random;
use crate::machine::{End, Input, Machine, Ran, Refusal, engines, exported, run, scratch};
use contract::status::HOST_ERROR;
use std::process::{Command, Stdio};

#[track_caller]
fn refused(name: &str, bytes: &[u8]) -> Refusal {
    let file = scratch::file(&format!("bad_initramfs/{name}"), bytes);
    Machine::on(engines()[0])
        .option(["--initrd".as_ref(), file.as_os_str()])
        .program(["/bin/echo", "hi"])
        .run()
        .expect_output("")
        .expect_error(HOST_ERROR)
}

fn echo() -> Entry {
    // The program from the embedded archive: its bytes lie there as they are.
    let archive = exported::initramfs();
    let name = b"bin/echo\0";
    let at = archive
        .windows(name.len())
        .enumerate()
        .find(|(at, window)| {
            *window == name && archive[at.saturating_sub(110)..].starts_with(b"070701")
        })
        .map(|(at, _)| at)
        .expect("echo is in the archive");
    let header = &archive[at - 110..at];
    let field = |index: usize| {
        let digits = std::str::from_utf8(&header[6 + index * 8..14 + index * 8]).expect("digits");
        usize::from_str_radix(digits, 16).expect("a number")
    };
    let data = (at + field(11)).next_multiple_of(4);
    Entry::file("bin/echo", 0o755, &archive[data..data + field(6)])
}

#[test]
fn an_archive_of_anyone_works() {
    // Data where they happen to lie: not on a page.
    let entries = [
        Entry::directory("bin"),
        Entry::file("x", 0o644, b"odd"),
        echo(),
        Entry::trailer(),
    ];
    let file = scratch::file("bad_initramfs/good", &archive::write(&entries));
    for &engine in engines() {
        Machine::on(engine)
            .option(["--initrd".as_ref(), file.as_os_str()])
            .program(["/bin/echo", "hi"])
            .run()
            .expect_status(0)
            .expect_silence()
            .expect_output("hi\n");
    }
}

#[test]
fn not_an_archive() {
    refused("empty", b"").names(&["empty"]);
    refused("gzip", b"\x1f\x8b\x08\0\0\0\0\0\0\0").names(&["gzip", "gunzip"]);
    refused("xz", b"\xfd7zXZ\0\0\0").names(&["xz"]);
    refused("zstd", b"\x28\xb5\x2f\xfd\0\0").names(&["zstd"]);
    refused("text", b"just text, no archive").names(&["magic"]);
    refused("odc", b"070707000000000000").names(&["newc"]);
    refused("zeros", &[0; 1024]).names(&["magic"]);
    let mut bad = echo();
    bad.magic = *b"070703";
    refused("magic", &archive::write(&[bad, Entry::trailer()])).names(&["magic"]);
}

#[test]
fn cut_short() {
    let whole = archive::write(&[Entry::directory("bin"), echo(), Entry::trailer()]);
    for length in [
        1,
        5,
        6,
        7,
        50,
        109,
        110,
        111,
        113,
        116,
        120,
        230,
        500,
        4000,
        whole.len() - 100,
        whole.len() - 13,
    ] {
        refused("cut", &whole[..length]).names(&["cut"]);
    }
    let whole = exported::initramfs();
    for length in [whole.len() / 3, whole.len() / 2, whole.len() - 130] {
        refused("cut", &whole[..length]).names(&["cut"]);
    }
    refused(
        "no_trailer",
        &archive::write(&[Entry::directory("bin"), echo()]),
    )
    .names(&["TRAILER"]);
}

#[test]
fn bad_names() {
    let with =
        |name: &str| archive::write(&[echo(), Entry::file(name, 0o644, b""), Entry::trailer()]);
    for name in [
        "../outside",
        "bin/../../outside",
        "bin/..",
        "..",
        "a/./b",
        "/../x",
    ] {
        refused("dots", &with(name)).names(&[".."]);
    }
    refused("component", &with(&"n".repeat(256))).names(&["limit"]);
    refused("path", &with(&"directory/".repeat(420))).names(&["limit"]);
    refused("huge", &with(&"x".repeat(100_000))).names(&["limit"]);
    refused("none", &with("")).names(&["name"]);
}

#[test]
fn two_of_one_name() {
    for second in ["bin/echo", "./bin/echo", "/bin/echo", "bin//echo"] {
        let archive = archive::write(&[echo(), Entry::file(second, 0o644, b""), Entry::trailer()]);
        refused("twice", &archive).names(&["bin/echo", "two"]);
    }
    let below = archive::write(&[
        echo(),
        Entry::file("bin/echo/x", 0o644, b""),
        Entry::trailer(),
    ]);
    refused("below", &below).names(&["bin/echo"]);
}

#[test]
fn not_there_or_too_large() {
    let refused = |arguments: &[&str]| {
        Machine::on(engines()[0])
            .option(arguments)
            .program(["/bin/echo"])
            .run()
            .expect_error(HOST_ERROR)
    };
    refused(&["--initrd", "/no/such/archive"]).names(&["/no/such/archive"]);
    refused(&["--initrd", "/"]).names(&["/"]);
    let large = [
        echo(),
        Entry::file("large", 0o644, &vec![1; 20 << 20]),
        Entry::trailer(),
    ];
    let file = scratch::file("bad_initramfs/large", &archive::write(&large));
    let file = file.to_str().expect("a plain path");
    refused(&["--mem", "16M", "--initrd", file]).names(&["--mem"]);
}

/// Any byte of any header changed: refused, or taken for what it says, and nothing worse.
#[test]
fn damaged_at_random() {
    let whole = archive::write(&[
        Entry::directory("bin"),
        echo(),
        Entry::file("etc/a", 0o644, b"a"),
        Entry::trailer(),
    ]);
    let headers: Vec<usize> = whole
        .windows(6)
        .enumerate()
        .filter(|(at, window)| at % 4 == 0 && *window == b"070701")
        .map(|(at, _)| at)
        .collect();
    let mut random = Random::seeded(23);
    for case in 0..40 {
        let mut changed = whole.clone();
        for _ in 0..1 + random.below(3) {
            let at = random.pick(&headers) + random.below(120);
            if let Some(byte) = changed.get_mut(at) {
                *byte = random.pick(b"0123456789abcdefF7/.\0\xff");
            }
        }
        let file = scratch::file(&format!("bad_initramfs/random{}", case % 2), &changed);
        let run = Machine::on(engines()[case % engines().len()])
            .option(["--timeout", "10s", "--initrd"])
            .option([&file])
            .program(["/bin/echo", "hi"])
            .run()
            .expect_composure();
        let fine = run.end == End::Exited(0) && run.text() == "hi\n";
        assert!(
            fine || run.stderr.contains("cowbell: "),
            "case {case}{run:?}"
        );
    }
}

/// Other monitors do not look at the archive: then the kernel has to, and says so.
#[test]
fn the_kernel_looks_too() {
    engines();
    let kernel = exported::directory().join("kernel.elf");
    let whole = archive::write(&[Entry::directory("bin"), echo(), Entry::trailer()]);
    let dots = archive::write(&[echo(), Entry::file("../x", 0o644, b""), Entry::trailer()]);
    let twice = archive::write(&[
        echo(),
        Entry::file("bin/echo", 0o644, b""),
        Entry::trailer(),
    ]);
    let cases: [(&str, &[u8]); 6] = [
        ("cut", &whole[..whole.len() / 2]),
        ("header", &whole[..60]),
        ("gzip", b"\x1f\x8b\x08\0\0\0\0\0\0\0\0\0\0\0\0\0"),
        ("text", b"just text, no archive at all"),
        ("dots", &dots),
        ("twice", &twice),
    ];
    for (name, bytes) in cases {
        let file = scratch::file(&format!("bad_initramfs/kernel_{name}"), bytes);
        let run: Ran = {
            let mut qemu = Command::new("qemu-system-x86_64");
            qemu.args([
                "-nodefaults",
                "-no-user-config",
                "-display",
                "none",
                "-no-reboot",
                "-m",
                "64M",
            ])
            .args([
                "-M",
                "microvm,pit=off,pic=off,rtc=off,isa-serial=on",
                "-accel",
                "tcg",
                "-cpu",
                "max",
            ])
            .args([
                "-serial",
                "stdio",
                "-device",
                "isa-debug-exit,iobase=0xf4,iosize=4",
            ])
            .arg("-kernel")
            .arg(&kernel)
            .arg("-initrd")
            .arg(&file)
            .args(["-append", "-- /bin/echo hi"])
            .stdout(Stdio::piped())
            .stderr(Stdio::piped());
            run(qemu, Input::Bytes(Vec::new()))
        };
        // Exit::BadBoot carries 125 in its low byte.
        let refused = i32::from((u16::from(HOST_ERROR) << 1 | 1) as u8);
        assert_eq!(run.end, End::Exited(refused), "{name}{run:?}");
        assert!(run.text().contains("initramfs"), "{name}{run:?}");
    }
}
