//! `cowbell shell`, and what the terminal is to a program in the guest.

use crate::machine::compiled::{self, Library};
use crate::machine::pty::Session;
use crate::machine::{End, Engine, Input, Machine, engines, packages, scratch};
use nix::sys::signal::Signal;

/// `cowbell shell` with busybox on an engine.
fn shell(engine: Engine) -> Machine {
    let busybox = packages::busybox();
    Machine::command(&["shell", "--accel", engine.name(), "--busybox"])
        .option([&busybox])
        .option(["--timeout", "60s"])
}

#[test]
fn a_shell_reads_what_it_is_given() {
    for &engine in engines() {
        shell(engine)
            .option(["--hostname", "box", "--workdir", "/tmp"])
            .stdin(Input::Bytes(
                b"hostname; pwd; echo $HOME | tr a-z A-Z; exit 7\n".to_vec(),
            ))
            .run()
            .expect_status(7)
            .expect_output("box\n/tmp\n/ROOT\n")
            .expect_silence();
        shell(engine)
            .program(["-c", "ls -l /bin/cat | sed 's/.*-> //'; exit 3"])
            .run()
            .expect_status(3)
            .expect_output("busybox\n");
    }
}

/// Without busybox: the small shell of cowbell's own runs scripts too.
#[test]
fn the_small_shell_runs_a_script() {
    let script = scratch::file(
        "shell/script",
        b"#!/bin/sh\necho one | cat\n# nothing\nfalse || echo $?; exit 4\necho never\n",
    );
    let executable = std::os::unix::fs::PermissionsExt::from_mode(0o755);
    std::fs::set_permissions(&script, executable).expect("own");
    for &engine in engines() {
        Machine::on(engine)
            .add(&script, "/script")
            .program(["/script"])
            .run()
            .expect_status(4)
            .expect_output("one\n1\n");
    }
}

#[test]
fn a_person_feels_at_home() {
    for &engine in engines() {
        let mut session = Session::start(&shell(engine));
        session.expect("root@cowbell:/# ");
        // A key that sends a signal is for who is in the foreground by then: only the job itself can say that it is.
        session.type_keys(
            b"sh -c \"trap 'echo go''es on' CONT; echo sle''eps; while :; do sleep .1; done\"\r",
        );
        session.expect("sleeps\r\n");
        session.type_keys(b"\x1a");
        session.expect("Stopped");
        session.type_keys(b"fg; echo on''ce more\r");
        session.expect("more\r\nsh -c");
        session.expect("goes on\r\n");
        session.type_keys(b"\x03");
        session.expect("^C");
        session.type_keys(b"echo back again; exit 9\r");
        session.expect("\r\nback again\r\n");
        let (end, screen) = session.end();
        assert_eq!(end, End::Exited(9), "{screen}");
    }
}

#[test]
fn the_size_of_the_terminal_reaches_the_guest() {
    let window = compiled::c("c/alone/window", Library::Musl);
    for &engine in engines() {
        let machine = Machine::on(engine)
            .add(&window, "/window")
            .program(["/window"]);
        let session = Session::start_sized(&machine, 33, 77);
        session.expect("33 rows, 77 columns");
        session.resize(50, 300);
        session.expect("50 rows, 300 columns");
        session.resize(24, 80);
        session.expect("24 rows, 80 columns");
        let (end, screen) = session.end();
        assert_eq!(end, End::Exited(0), "{screen}");
    }
}

#[test]
fn after_a_stop_the_terminal_is_raw_again() {
    for &engine in engines() {
        let mut session = Session::start(&Machine::on(engine).program(["/bin/cat"]));
        session.expect_raw();
        session.signal(Signal::SIGSTOP);
        session.put_back();
        session.signal(Signal::SIGCONT);
        session.expect_raw();
        session.type_keys(b"typed\r");
        session.expect("typed\r\ntyped\r\n");
        session.type_keys(b"\x01x");
        session.end();
    }
}

#[test]
fn every_byte_can_be_typed() {
    for &engine in engines() {
        let mut session = Session::start_sized(
            &shell(engine).program([
                "-c",
                "stty raw -echo; echo ready; dd bs=1 count=3 2>/dev/null | od -An -tx1",
            ]),
            24,
            80,
        );
        session.expect("ready");
        session.type_keys(b"\xff\xffS");
        session.expect("ff ff 53");
        let (end, screen) = session.end();
        assert_eq!(end, End::Exited(0), "{screen}");
    }
}

#[test]
fn without_busybox_there_is_a_small_shell() {
    // A host that has QEMU, and no busybox.
    let host = scratch::directory("shell/bin");
    let path = std::env::var_os("PATH").unwrap_or_default();
    let qemu = std::env::split_paths(&path)
        .map(|directory| directory.join("qemu-system-x86_64"))
        .find(|program| program.exists());
    if let Some(qemu) = qemu {
        std::os::unix::fs::symlink(qemu, host.join("qemu-system-x86_64")).expect("a link");
    }
    let small = |engine: Engine| {
        Machine::command(&["shell", "--accel", engine.name()]).host_environment("PATH", &host)
    };
    let script = "cd /bin; echo \"$HOME\" 'a  b' | cat >/file; cat </file; false || echo status $?; \
                  /nowhere; echo $?; calc 1+1 && calc 2+2 & cat /file | cat | cat; exit 6\n";
    for &engine in engines() {
        let ran = small(engine)
            .stdin(Input::Bytes(script.as_bytes().to_vec()))
            .run()
            .expect_status(6)
            .expect_said(&["no static busybox"]);
        let text = ran.text();
        assert!(
            text.starts_with("/ a  b\nstatus 1\nsh: /nowhere: not found\n127\n2\n"),
            "{ran:?}"
        );
        assert!(
            text.contains("4\n") && text.matches("/ a  b\n").count() == 2,
            "{ran:?}"
        );
        let mut session = Session::start(&small(engine));
        session.expect("# ");
        session.type_keys(b"cat\r");
        session.type_keys(b"some text\r");
        session.expect("some text\r\nsome text\r\n");
        session.type_keys(b"\x03");
        session.expect("^C");
        session.type_keys(b"echo $?\r");
        session.expect("130\r\n");
        session.type_keys(b"\x04");
        let (end, screen) = session.end();
        assert_eq!(end, End::Exited(0), "{screen}");
    }
}
