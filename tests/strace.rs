//! `--strace`: system calls in strace(1)'s format.

use crate::machine::compiled::{self, Library};
use crate::machine::{Engine, Machine, engines, packages, scratch};
use std::fs;

/// The trace of `tests/c/alone/traced.c`, in a file: each line with its process in front.
fn traced(engine: Engine) -> String {
    let program = compiled::c("c/alone/traced", Library::Musl);
    let file = scratch::path(&format!("strace/{}", engine.name()));
    let option = format!("--strace={}", file.display());
    Machine::on(engine)
        .add(&program, "/traced")
        .option([option])
        .program(["/traced"])
        .run()
        .expect_status(5)
        .expect_silence();
    fs::read_to_string(file).expect("the trace")
}

/// A line of process `pid` that begins with this and ends with that.
#[track_caller]
fn expect(trace: &str, pid: u32, begin: &str, end: &str) {
    let found = trace.lines().any(|line| {
        let line = line.strip_prefix(&format!("{pid:<5} "));
        line.is_some_and(|line| line.starts_with(begin) && line.ends_with(end))
    });
    assert!(found, "no line {begin} … {end} of {pid} in\n{trace}");
}

#[test]
fn calls_are_shown_as_strace_shows_them() {
    for &engine in engines() {
        let trace = traced(engine);
        for (begin, end) in [
            ("execve(\"/traced\", [\"/traced\"], ", " = 0"),
            ("arch_prctl(ARCH_SET_FS, 0x", " = 0"),
            (
                "stat(\"/bin/echo\", {st_mode=S_IFREG|0755, st_size=",
                ", ...}) = 0",
            ),
            (
                "open(\"/nowhere/at/all\", O_RDWR|O_CREAT|",
                "O_CLOEXEC, 0640) = -1 ENOENT (No such file or directory)",
            ),
            ("pipe([3, 4])", " = 0"),
            (
                "write(4, \"a line of more than thirty-two c\"..., 42)",
                " = 42",
            ),
            (
                "read(3, \"a line of more than thirty-two c\"..., 100)",
                " = 42",
            ),
            (
                "writev(4, [{iov_base=\"ab\\n\", iov_len=3}, {iov_base=\"c\\\"d\", iov_len=3}], 2)",
                " = 6",
            ),
            (
                "poll([{fd=3, events=POLLIN}], 1, 10)",
                " = 1 ([{fd=3, revents=POLLIN}])",
            ),
            ("rt_sigaction(SIGUSR1, {sa_handler=0x", "}, 8) = 0"),
            ("kill(1, SIGUSR1)", " = 0"),
            (
                "--- SIGUSR1 {si_signo=SIGUSR1, si_code=SI_USER, si_pid=1, ",
                "} ---",
            ),
            ("rt_sigreturn(", ""),
            ("fcntl(3, F_GETFD)", " = 0"),
            (
                "mmap(NULL, 8192, PROT_READ|PROT_WRITE, MAP_PRIVATE|MAP_ANONYMOUS, -1, 0) = 0x",
                "000",
            ),
            (
                "--- SIGCHLD {si_signo=SIGCHLD, si_code=CLD_EXITED, si_pid=2, ",
                "} ---",
            ),
            (
                "--- SIGCHLD {si_signo=SIGCHLD, si_code=CLD_KILLED, si_pid=3, ",
                "} ---",
            ),
            ("exit_group(5)", " = ?"),
            ("+++ exited with 5 +++", ""),
        ] {
            expect(&trace, 1, begin, end);
        }
        expect(
            &trace,
            2,
            "execve(\"/traced\", [\"/traced\", \"an argument\"], 0x",
            " = 0",
        );
        expect(&trace, 2, "+++ exited with 7 +++", "");
        expect(
            &trace,
            3,
            "--- SIGTERM {si_signo=SIGTERM, si_code=SI_USER, si_pid=1, ",
            "} ---",
        );
        expect(&trace, 3, "+++ killed by SIGTERM +++", "");
        assert!(
            trace.contains("[{WIFEXITED(s) && WEXITSTATUS(s) == 7}], 0, NULL) = 2")
                && trace.contains("[{WIFSIGNALED(s) && WTERMSIG(s) == SIGTERM}], 0, NULL) = 3"),
            "{trace}"
        );
    }
}

#[test]
fn a_program_that_cannot_be_executed() {
    for &engine in engines() {
        Machine::on(engine)
            .option(["--strace"])
            .program(["/nowhere"])
            .run()
            .expect_status(contract::status::NOT_FOUND)
            .expect_said(&[
                "execve(\"/nowhere\", [\"/nowhere\"], ",
                "= -1 ENOENT (No such file",
            ]);
    }
}

#[test]
fn a_call_that_waits_is_taken_up_again() {
    for &engine in engines() {
        let ran = Machine::on(engine)
            .option(["--strace"])
            .program(["/bin/wait_one"])
            .run()
            .expect_status(0);
        let trace = &ran.stderr;
        // One process: no number. More: each line has one.
        assert!(trace.starts_with("execve(\"/bin/wait_one\""), "{ran:?}");
        assert!(trace.contains("[pid 2] exit_group("), "{ran:?}");
        assert!(trace.ends_with("+++ exited with 0 +++\n"), "{ran:?}");
        let begun = trace.matches("<unfinished ...>").count();
        assert_eq!(begun, trace.matches(" resumed>").count(), "{ran:?}");
    }
}

#[test]
fn a_trace_that_is_longer_than_its_ring_is_whole() {
    let script = "i=0; while [ $i -lt 300 ]; do echo $((i+=1)) >/dev/null; done";
    for &engine in engines() {
        let file = scratch::path(&format!("strace/long.{}", engine.name()));
        Machine::on(engine)
            .add(&packages::busybox(), "/bin/sh")
            .option([format!("--strace={}", file.display())])
            .program(["/bin/sh", "-c", script])
            .run()
            .expect_status(0);
        let trace = fs::read_to_string(file).expect("the trace");
        assert!(trace.len() > 64 * 1024, "{} bytes", trace.len());
        assert!(trace.ends_with("+++ exited with 0 +++\n"), "{trace}");
    }
}
