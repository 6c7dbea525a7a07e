//! The programs of the embedded root: what each prints, exactly, and its status, alike on every engine.
//!
//! The program is process 1, and processes are numbered in the order in which they are made.

use crate::machine::lines;
use crate::machine::{Engine, Machine, Ran, engines};

/// Runs a program on each engine: the runs, which ended with that status and with the same output.
#[track_caller]
pub fn everywhere(program: &[&str], status: u8) -> Vec<Ran> {
    let runs: Vec<Ran> = engines()
        .iter()
        .map(|&engine| on(engine, program, status))
        .collect();
    runs
}

#[track_caller]
fn on(engine: Engine, program: &[&str], status: u8) -> Ran {
    Machine::on(engine)
        .program(program)
        .run()
        .expect_status(status)
        .expect_silence()
}

/// A program that prints these lines in this order and ends with 0.
#[track_caller]
pub fn prints(program: &[&str], expected: &[&str]) {
    let runs = everywhere(program, 0);
    for run in &runs {
        lines::expect(run, expected);
        assert_eq!(run.text(), runs[0].text());
    }
}

/// A program of two processes side by side: these lines in any order.
#[track_caller]
fn prints_unordered(program: &[&str], expected: &[&str]) {
    for run in &everywhere(program, 0) {
        lines::expect_unordered(run, expected);
    }
}

#[test]
fn echo() {
    prints(&["/bin/echo", "hello", "world"], &["hello world"]);
    prints(&["/bin/echo"], &[""]);
    prints(
        &["/bin/echo", "a  b", "", "%41", "c\td"],
        &["a  b  %41 c\td"],
    );
    for run in everywhere(&["/bin/echo", "-n", "no newline"], 0) {
        run.expect_output("no newline");
    }
}

#[test]
fn true_and_false() {
    everywhere(&["/bin/true"], 0);
    everywhere(&["/bin/false"], 1);
}

#[test]
fn calc() {
    prints(&["/bin/calc", "6*7"], &["42"]);
    prints(&["/bin/calc", "(2+3)*-4", "%", "7"], &["-6"]);
    prints(&["/bin/calc", "--pid", "6*7"], &["calc's own pid: 1", "42"]);
    for run in everywhere(&["/bin/calc", "1/0"], 1) {
        assert!(run.text().starts_with("calc: "), "{run:?}");
    }
}

#[test]
fn cat_and_ls() {
    for &engine in engines() {
        let file = crate::machine::scratch::file("programs/words", b"some\nwords\n");
        Machine::on(engine)
            .add(&file, "/data/words")
            .program(["/bin/cat", "/data/words", "/data/words"])
            .run()
            .expect_status(0)
            .expect_output("some\nwords\nsome\nwords\n");
        Machine::on(engine)
            .add(&file, "/data/words")
            .program(["/bin/ls", "-l", "/data"])
            .run()
            .expect_status(0)
            .expect_output("-rw-r--r--   1        11 words\n");
    }
    prints(
        &["/bin/ls", "/"],
        &["bin", "dev", "etc", "init", "proc", "tmp"],
    );
    for run in everywhere(&["/bin/cat", "/no/such"], 1) {
        run.expect_output("cat: /no/such: ENOENT\n");
    }
}

#[test]
fn every_program_is_there() {
    let programs = [
        "argv0",
        "big_fork",
        "calc",
        "cat",
        "cow_touch",
        "echo",
        "exec_echo",
        "exec_family",
        "exec_missing",
        "exit_flush",
        "fork_calc",
        "fork_exec",
        "fork_files",
        "fork_limit",
        "fork_values",
        "ls",
        "preempt",
        "ps",
        "vfork_exec",
        "vfork_failed_exec",
        "vfork_shares",
        "wait_any",
        "wait_nohang",
        "wait_none",
        "wait_one",
        "wait_status",
        "zombie",
    ];
    let run = on(Engine::Tcg, &["/bin/ls", "/bin"], 0);
    let text = run.text();
    let there: Vec<&str> = text.lines().collect();
    for program in programs {
        assert!(there.contains(&program), "{program}{run:?}");
    }
    assert!(there.is_sorted(), "{run:?}");
}

#[test]
fn ps() {
    prints(&["/bin/ps"], &["  PID  PPID S NAME", "    1     0 R ps"]);
}

#[test]
fn exec_echo() {
    prints(&["/bin/exec_echo"], &["this is echo"]);
}

#[test]
fn argv0() {
    prints(
        &["/bin/argv0"],
        &[
            "/bin/echo started as echo:",
            "the same words",
            "/bin/echo started as my_echo:",
            "the same words",
        ],
    );
}

#[test]
fn fork_exec() {
    for run in everywhere(&["/bin/fork_exec"], 0) {
        let lines = [
            "parent waiting",
            "THIS IS ECHO",
            "the child exited with status 0",
        ];
        lines::expect_unordered(&run, &lines);
        assert!(
            run.text().ends_with("the child exited with status 0\n"),
            "{run:?}"
        );
    }
}

#[test]
fn exec_missing() {
    prints(
        &["/bin/exec_missing"],
        &["exec failed!", "the child exited with status 1"],
    );
}

#[test]
fn fork_calc() {
    prints(
        &["/bin/fork_calc"],
        &[
            "the child's pid before exec: 2",
            "calc's own pid: 2",
            "42",
            "the pid that fork returned to the parent: 2",
        ],
    );
}

#[test]
fn fork_values() {
    prints_unordered(
        &["/bin/fork_values"],
        &["p = g , number = 14", "p = c , number = 11"],
    );
}

#[test]
fn fork_files() {
    prints(
        &["/bin/fork_files"],
        &[
            "the parent reads:",
            "fo",
            "TestFs",
            "the child reads on:",
            "ob",
            "the child has closed its descriptor; the parent's still reads:",
            "ar",
        ],
    );
}

#[test]
fn cow_touch() {
    prints(
        &["/bin/cow_touch"],
        &[
            "256 pages of A; the child of a fork writes k of them:",
            "k =   0: the parent still sees A; pages shared 256, copied   0",
            "k =   1: the parent still sees A; pages shared 255, copied   1",
            "k =  17: the parent still sees A; pages shared 239, copied  17",
            "k = 256: the parent still sees A; pages shared   0, copied 256",
            "the child has gone, the parent writes its page: copied 0, kept 1",
        ],
    );
}

#[test]
fn big_fork() {
    prints(
        &["/bin/big_fork"],
        &[
            "4 GiB reserved, 4 pages of it touched",
            "Hello from child!",
            "frames that fork itself took: #, of them page tables: 1",
        ],
    );
}

#[test]
fn vfork_shares() {
    prints(
        &["/bin/vfork_shares"],
        &[
            "before vfork the value is 1",
            "the child stored 42 in the parent's variable",
            "ran first: the child, then: the parent",
        ],
    );
}

#[test]
fn vfork_exec() {
    prints(
        &["/bin/vfork_exec"],
        &[
            "the parent runs again, and its child is still there: it is cat now",
            "cat got this line from the parent",
            "the child exited with status 0",
        ],
    );
}

#[test]
fn vfork_failed_exec() {
    for run in everywhere(&["/bin/vfork_failed_exec"], 0) {
        let text = run.text();
        let lines: Vec<&str> = text.lines().collect();
        assert_eq!(lines.len(), 2, "{run:?}");
        assert!(lines[0].starts_with("the child's exec failed: "), "{run:?}");
        assert!(lines[0].contains("ENOENT"), "{run:?}");
        assert!(
            lines[0].ends_with("; the parent was not released"),
            "{run:?}"
        );
        assert_eq!(
            lines[1], "released by the child's exit with status 3",
            "{run:?}"
        );
    }
}

#[test]
fn exec_family() {
    let own = r#"environ = "PATH=/nowhere:/bin" "FROM=the caller""#;
    let given = r#"environ = "FROM=the call itself""#;
    let arguments = |how: &str, found: &str| format!(r#"argv    = "show_args" "{how}" "{found}""#);
    let mut expected = Vec::new();
    for (name, how, found, environment) in [
        ("execl:", "listed", "by path", own),
        ("execlp:", "listed", "found in PATH", own),
        ("execle:", "listed", "by path", given),
        ("execv:", "a vector", "by path", own),
        ("execvp:", "a vector", "found in PATH", own),
        ("execve:", "a vector", "by path", given),
    ] {
        expected.extend([
            name.to_owned(),
            arguments(how, found),
            environment.to_owned(),
        ]);
    }
    let expected: Vec<&str> = expected.iter().map(String::as_str).collect();
    prints(&["/bin/exec_family"], &expected);
}

#[test]
fn arguments_and_environment_arrive() {
    for &engine in engines() {
        let run = Machine::on(engine)
            .option([
                "--env",
                "A=1",
                "--env",
                "B=two words",
                "--env",
                "C=",
                "--env",
                "HOME=/home",
            ])
            .program(["/bin/show_args", "", "a b", "%", "%20", "\u{e9}\n"])
            .run()
            .expect_status(0)
            .expect_silence();
        let text = run.text();
        let (arguments, environment) = text.split_once("environ =").expect("two parts");
        assert_eq!(
            arguments, "argv    = \"/bin/show_args\" \"\" \"a b\" \"%\" \"%20\" \"\u{e9}\n\"\n",
            "{run:?}"
        );
        // PATH and HOME are there in any case; what is given comes in its order.
        assert!(
            environment.contains(" \"PATH=") && environment.contains(" \"HOME=/home\""),
            "{run:?}"
        );
        assert!(
            environment.contains(" \"A=1\" \"B=two words\" \"C=\""),
            "{run:?}"
        );
    }
}
