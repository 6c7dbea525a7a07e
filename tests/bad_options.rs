//! Options that make no sense, or ask for what the host has not.

use crate::machine::{End, Machine, Refusal, engines, scratch};
use contract::status::HOST_ERROR;

#[track_caller]
fn refused(arguments: &[&str]) -> Refusal {
    Machine::on(engines()[0])
        .option(arguments)
        .program(["/bin/echo", "hi"])
        .run()
        .expect_output("")
        .expect_error(HOST_ERROR)
}

/// What the command line's own grammar refuses is told in the form of its parser.
#[track_caller]
fn misread(arguments: &[&str], parts: &[&str]) {
    Machine::command(arguments)
        .run()
        .expect_output("")
        .expect_composure()
        .expect_status(HOST_ERROR)
        .expect_said(&["error: "])
        .expect_said(parts);
}

#[test]
fn memory() {
    for size in ["0", "1", "4096", "1M", "1048575", "1MiB"] {
        for &engine in engines() {
            Machine::on(engine)
                .option(["--mem", size])
                .program(["/bin/echo", "hi"])
                .run()
                .expect_output("")
                .expect_error(HOST_ERROR)
                .names(&["too small", "--mem"]);
        }
    }
    refused(&["--mem", "5"]).names(&["5 bytes", "too small"]);
    misread(&["run", "--mem", "-1"], &["--mem", "not a size"]);
    // More than any host has, and more than this host has.
    for size in ["1000000G", "127T", "16383P", "100T", "64T"] {
        for &engine in engines() {
            Machine::on(engine)
                .option(["--mem", size])
                .program(["/bin/echo", "hi"])
                .run()
                .expect_output("")
                .expect_error(HOST_ERROR)
                .names(&["mem"]);
        }
    }
    for size in [
        "",
        "M",
        "-1M",
        "1.5G",
        "12X",
        "99999999999999999999",
        "lots",
    ] {
        misread(&["run", &format!("--mem={size}")], &["--mem"]);
    }
}

/// The least that works, and a lot: memory is not touched until it is used.
#[test]
fn memory_at_the_edges() {
    for &engine in engines() {
        for size in ["4M", "8M", "3G", "5G"] {
            let run = Machine::on(engine)
                .option(["--mem", size])
                .program(["/bin/fork_exec"])
                .run()
                .expect_composure();
            let small = size == "4M" && run.stderr.contains("too small");
            assert!(run.end == End::Exited(0) || small, "{run:?}");
        }
    }
}

#[test]
fn files() {
    let file = scratch::file("bad_options/file", b"x");
    let file = file.to_str().expect("a plain path");
    refused(&["--add", "/no/such/file"]).names(&["/no/such/file"]);
    refused(&["--add", "/no/such/file:/x"]).names(&["/no/such/file"]);
    refused(&["--add", &format!("{file}:/../x")]).names(&["`..`"]);
    refused(&["--add", &format!("{file}:/{}", "n".repeat(300))]).names(&["limit"]);
    refused(&["--add", &format!("{file}:/bin/echo/below")]).names(&["--add"]);
    refused(&["--root", "/no/such/directory"]).names(&["/no/such/directory"]);
    refused(&["--root", file]).names(&["directory"]);
    refused(&["--stats=json", "--stats-file", "/no/such/directory/file"])
        .names(&["/no/such/directory/file"]);
    refused(&["--add", ":/x"]).names(&["--add :/x", "HOST:GUEST"]);
    misread(&["run", "--root", "/", "--initrd", "x"], &["--initrd"]);
}

/// What has no end, or more than the machine has room for, is not read for ever.
#[test]
fn endless_files() {
    refused(&["--kernel", "/dev/zero"]).names(&["/dev/zero", "--mem"]);
    refused(&["--initrd", "/dev/zero"]).names(&["/dev/zero", "--mem"]);
    let large = scratch::file("bad_options/large/file", b"");
    let sized = std::fs::File::options().write(true).open(&large);
    sized
        .and_then(|file| file.set_len(1 << 40))
        .expect("a sparse file");
    let directory = large.parent().expect("its directory");
    let directory = directory.to_str().expect("a plain path");
    refused(&["--root", directory]).names(&["file", "--mem"]);
    refused(&["--add", directory]).names(&["file", "--mem"]);
    std::fs::remove_file(large).expect("own");
}

#[test]
fn environment() {
    refused(&["--env", "=V"]).names(&["--env =V", "K=V"]);
    refused(&["--env-file", "/no/such/file"]).names(&["/no/such/file"]);
    let bad = scratch::file("bad_options/variables", b"A=1\n=2\n");
    let bad = bad.to_str().expect("a plain name");
    refused(&["--env-file", bad]).names(&[bad, "line 2"]);
}

#[test]
fn names_and_places() {
    refused(&["--hostname", ""]).names(&["--hostname"]);
    refused(&["--hostname", &"x".repeat(65)]).names(&["--hostname", "64"]);
    refused(&["--workdir", "/nowhere"]).names(&["--workdir /nowhere", "--add"]);
    refused(&["--workdir", ""]).names(&["--workdir"]);
    refused(&["--workdir", "/bin/echo"]).names(&["--workdir", "not a directory"]);
    refused(&["--export", "/out"]).names(&["--export /out", "GUEST:HOST"]);
    refused(&["--export", "out:here"]).names(&["absolute"]);
    refused(&["--strace=/no/such/directory/file"]).names(&["--strace=/no/such/directory/file"]);
}

#[test]
fn words() {
    misread(&["run", "--no-such-option"], &["--no-such-option"]);
    misread(&["no-such-command"], &["no-such-command"]);
    misread(&["run", "--accel", "magic"], &["magic"]);
    misread(&["run", "--stats=xml"], &["xml"]);
    misread(&["run", "--mem"], &["--mem"]);
    misread(&["export"], &["DIR"]);
    for time in ["", "0", "-1s", "1d", "soon"] {
        misread(&["run", &format!("--timeout={time}")], &["--timeout"]);
    }
}

#[test]
fn instruction_counts_need_qemu() {
    for engine in ["kvm", "auto"] {
        Machine::command(&["run", "--accel", engine, "--icount"])
            .program(["/bin/true"])
            .run()
            .expect_error(HOST_ERROR)
            .names(&["--icount", "--accel tcg"]);
    }
}

/// Without anything that could run the guest there is one line that says what to install.
#[test]
fn no_engine() {
    let nothing = scratch::directory("bad_options/empty");
    Machine::command(&["run", "--accel", "tcg"])
        .program(["/bin/true"])
        .host_environment("PATH", &nothing)
        .run()
        .expect_error(HOST_ERROR)
        .names(&["qemu-system-x86", "install"]);
}

#[test]
fn export_where_nothing_can_be_written() {
    let file = scratch::file("bad_options/in_the_way", b"x");
    for directory in ["/proc/no", file.to_str().expect("a plain path")] {
        Machine::command(&["export", directory])
            .run()
            .expect_output("")
            .expect_error(HOST_ERROR)
            .names(&[directory]);
    }
}

#[test]
fn arguments_beyond_the_limit() {
    let long = "x".repeat(100_000);
    let arguments = ["/bin/echo", &long, &long, &long];
    for &engine in engines() {
        Machine::on(engine)
            .program(arguments)
            .run()
            .expect_error(HOST_ERROR)
            .names(&["too long"]);
    }
}

#[test]
fn help_and_version_are_no_errors() {
    for arguments in [
        &["--help"][..],
        &["--version"],
        &["run", "--help"],
        &["help", "run"],
    ] {
        let run = Machine::command(arguments)
            .run()
            .expect_status(0)
            .expect_silence();
        assert!(run.text().contains("cowbell"), "{run:?}");
    }
}
