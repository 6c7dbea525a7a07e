//! What runs out, and what it takes with it: memory, processes, everything to wait for.

use crate::machine::compiled::{self, Library};
use crate::machine::{Engine, Machine, Ran, engines};

fn alone(engine: Engine, name: &str, options: &[&str], arguments: &[&str]) -> Ran {
    let program = compiled::c(&format!("c/alone/{name}"), Library::Musl);
    let guest = format!("/{name}");
    let mut command = vec![guest.as_str()];
    command.extend(arguments);
    Machine::on(engine)
        .add(&program, &guest)
        .option(options)
        .program(&command)
        .run()
}

/// Runs it everywhere: it ends with 0, each fact that it names holds, and outputs are equal.
#[track_caller]
fn holds(name: &str, options: &[&str]) {
    let mut texts = Vec::new();
    for &engine in engines() {
        let run = alone(engine, name, options, &[]).expect_status(0);
        assert!(!run.text().contains(": NO"), "{run:?}");
        texts.push(run.text());
    }
    assert!(texts.iter().all(|text| *text == texts[0]), "{texts:?}");
}

#[test]
fn memory_is_overcommitted_and_a_child_pays() {
    for &engine in engines() {
        let run = alone(engine, "overcommit", &["--mem", "24M"], &[])
            .expect_status(0)
            .expect_said(&["memory"]);
        assert!(!run.text().contains("NO"), "{run:?}");
        let killed = "a child that touches everything: ended by signal 9\n";
        assert_eq!(run.text().matches(killed).count(), 2, "{run:?}");
    }
}

#[test]
fn memory_is_overcommitted_and_process_1_pays() {
    for &engine in engines() {
        let run = alone(engine, "overcommit", &["--mem", "24M"], &["itself"])
            .expect_status(128 + 9)
            .expect_said(&["memory"]);
        assert!(!run.stderr.contains("panic"), "{run:?}");
    }
}

#[test]
fn children_that_want_too_much_are_killed() {
    for &engine in engines() {
        let run = alone(engine, "killed_for_memory", &["--mem", "16M"], &[]).expect_status(0);
        assert!(!run.text().contains(": NO"), "{run:?}");
    }
}

#[test]
fn a_fork_bomb_burns_out() {
    holds("fork_bomb", &[]);
}

#[test]
fn fork_without_frames_leaves_no_trace() {
    holds("out_of_frames", &["--mem", "7M"]);
}

#[test]
fn handlers_without_frames_run_or_end() {
    holds("handlers_without_frames", &["--mem", "16M"]);
}

#[test]
fn deadlocks_are_reported() {
    for &engine in engines() {
        for (how, waits_for) in [
            ("own-pipe", "pipe"),
            ("full-pipe", "pipe"),
            ("each-other", "pipe"),
            ("pause", "signal"),
        ] {
            let run = alone(engine, "deadlock", &[], &[how])
                .expect_status(contract::status::DEADLOCK)
                .expect_output("before\n")
                .expect_said(&["cowbell: deadlock", waits_for]);
            // Each process is named.
            assert!(run.stderr.contains('1'), "{run:?}");
        }
    }
}

/// What is to be read from standard input can still come: that is no deadlock.
#[test]
fn waiting_for_input_is_no_deadlock() {
    use std::io::Write;
    use std::process::Stdio;
    for &engine in engines() {
        let (reader, mut writer) = std::io::pipe().expect("a pipe");
        let mut command = Machine::on(engine).program(["/bin/cat"]).to_command();
        let mut child = command
            .stdin(reader)
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .expect("cowbell");
        drop(command);
        std::thread::sleep(std::time::Duration::from_millis(700));
        writer.write_all(b"late\n").expect("somebody reads");
        drop(writer);
        let end = crate::machine::wait(&mut child);
        let output = child.wait_with_output().expect("its output");
        assert_eq!(end, crate::machine::End::Exited(0));
        assert_eq!(output.stdout, b"late\n");
        assert_eq!(output.stderr, b"");
    }
}
