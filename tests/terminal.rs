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
