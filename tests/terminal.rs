//! At a terminal: what is typed reaches the program, Ctrl-A x ends the machine, and the terminal is as it was on every
//! way out ([`Session::end`] looks).

use crate::machine::compiled::{self, Library};
use crate::machine::pty::Session;
use crate::machine::{End, Machine, engines, scratch};
use contract::status;
use nix::sys::signal::Signal;

#[test]
fn what_is_typed_reaches_the_program() {
    for &engine in engines() {
        let mut session = Session::start(&Machine::on(engine).program(["/bin/cat"]));
        session.expect_raw();
        session.type_keys(b"typed\r");
        // The guest's terminal echoes the line, and cat repeats it.
        session.expect("typed\r\ntyped\r\n");
        // Ctrl-D at the start of a line is the end of input.
        session.type_keys(b"\x04");
        let (end, screen) = session.end();
        assert_eq!(end, End::Exited(0), "{screen}");
    }
}

#[test]
fn control_a_x_ends_the_machine() {
    for &engine in engines() {
        let mut session = Session::start(&Machine::on(engine).program(["/bin/cat"]));
        session.expect_raw();
        session.type_keys(b"\x01x");
        let (end, screen) = session.end();
        assert_eq!(end, End::Exited(status::ENDED_BY_USER.into()), "{screen}");
        assert!(screen.contains("cowbell: ended by Ctrl-A x"), "{screen}");
    }
}

#[test]
fn control_a_x_ends_a_machine_that_computes() {
    let spin = compiled::c("c/alone/spin", Library::Musl);
    for &engine in engines() {
        let mut session =
            Session::start(&Machine::on(engine).add(&spin, "/spin").program(["/spin"]));
        session.expect_raw();
        session.type_keys(b"ignored\x01");
        session.type_keys(b"x");
        let (end, screen) = session.end();
        assert_eq!(end, End::Exited(status::ENDED_BY_USER.into()), "{screen}");
    }
}

#[test]
fn signals_end_the_machine_and_put_the_terminal_back() {
    for &engine in engines() {
        for (signal, wanted) in [
            (Signal::SIGTERM, 143),
            (Signal::SIGINT, 130),
            (Signal::SIGHUP, 129),
        ] {
            let session = Session::start(&Machine::on(engine).program(["/bin/cat"]));
            session.expect_raw();
            session.signal(signal);
            let (end, screen) = session.end();
            assert_eq!(end, End::Exited(wanted), "{screen}");
            assert!(screen.contains("cowbell: ended by SIG"), "{screen}");
        }
    }
}

#[test]
fn a_timeout_puts_the_terminal_back() {
    for &engine in engines() {
        let machine = Machine::on(engine)
            .option(["--timeout", "700ms"])
            .program(["/bin/cat"]);
        let (end, screen) = Session::start(&machine).end();
        assert_eq!(end, End::Exited(status::TIMEOUT.into()), "{screen}");
    }
}

#[test]
fn a_crash_puts_the_terminal_back() {
    let source = scratch::source("../vmm/tests/kernels/tiny.s");
    let kernel = compiled::kernel(&source, "tiny1", "KERNEL=1");
    for &engine in engines() {
        let machine = Machine::on(engine).option(["--kernel".as_ref(), kernel.as_os_str()]);
        let (end, screen) = Session::start(&machine).end();
        assert_eq!(end, End::Exited(status::TRIPLE_FAULT.into()), "{screen}");
        assert!(screen.contains("last words"), "{screen}");
    }
}

#[test]
fn lines_end_as_a_terminal_needs_them() {
    for &engine in engines() {
        let machine = Machine::on(engine).program(["/bin/argv0"]);
        let (end, screen) = Session::start(&machine).end();
        assert_eq!(end, End::Exited(0), "{screen}");
        assert_eq!(
            screen,
            "/bin/echo started as echo:\r\nthe same words\r\n/bin/echo started as my_echo:\r\nthe same words\r\n"
        );
    }
}

#[test]
fn a_bad_option_leaves_the_terminal_alone() {
    let machine = Machine::command(&["run", "--mem", "0"]);
    let (end, screen) = Session::start(&machine).end();
    assert_eq!(end, End::Exited(status::HOST_ERROR.into()), "{screen}");
}

#[test]
fn raw_reads_wait_for_bytes_or_a_time() {
    let program = compiled::c("c/alone/raw_terminal", Library::Musl);
    for &engine in engines() {
        let mut session =
            Session::start(&Machine::on(engine).add(&program, "/raw").program(["/raw"]));
        session.expect("nothing, without waiting?\r\n0: \r\n");
        session.expect("nothing, for a time?\r\n0: \r\n");
        session.expect("one soon?\r\n");
        session.type_keys(b"a");
        session.expect("1: a\r\n");
        session.expect("three?\r\n");
        session.type_keys(b"b");
        session.type_keys(b"cd");
        session.expect("3: bcd\r\n");
        session.expect("two of three, then silence?\r\n");
        session.type_keys(b"ef");
        session.expect("2: ef\r\n");
        session.expect("more than wanted?\r\n");
        session.type_keys(b"ghij");
        session.expect("3: ghi\r\n");
        session.expect("the rest?\r\n1: j\r\n");
        session.expect("done\r\n");
        let (end, screen) = session.end();
        assert_eq!(end, End::Exited(0), "{screen}");
        for line in [
            "ioctl(0, 0x802c542a, new_form) = 0",
            "ioctl(0, 0x402c542b, new_form) = 0",
            "ioctl(0, TIOCSETD, &number) = -1, errno 22",
            "tcflush(0, 9) = -1, errno 22",
            "tcflow(0, 9) = -1, errno 22",
            "tcdrain(0) = 0",
            "writable while it is stopped: 0",
            "poll(&out, 1, 0) = 1",
            "ioctl(0, 0x5499, 0) = -1, errno 25",
        ] {
            assert!(screen.contains(line), "{line}\n{screen}");
        }
    }
}
