//! What `run` gives a program: its place, its name, its variables. And what is said of a QEMU that does not run.

use crate::machine::{Machine, engines, scratch};
use contract::status::HOST_ERROR;
use std::fs;
use std::os::unix::fs::PermissionsExt;

#[test]
fn a_program_finds_its_place() {
    for &engine in engines() {
        Machine::on(engine)
            .option(["--workdir", "/bin"])
            .program(["./calc", "6*7"])
            .run()
            .expect_status(0)
            .expect_output("42\n");
    }
}

#[test]
fn variables_come_from_the_command_the_host_and_files() {
    let file = scratch::file(
        "run_options/variables",
        b"# none\nFILE=from a file\nBOTH=file\n",
    );
    for &engine in engines() {
        let ran = Machine::on(engine)
            .host_environment("FROM_HOST", "the host's")
            .option([
                "--env",
                "FROM_HOST",
                "--env",
                "NOT_ON_THIS_HOST",
                "--env",
                "BOTH=command",
            ])
            .option(["--env-file"])
            .option([&file])
            .program(["/bin/show_args"])
            .run()
            .expect_status(0);
        let text = ran.text();
        for part in ["FROM_HOST=the host's", "FILE=from a file", "BOTH=command"] {
            assert!(text.contains(part), "{ran:?}");
        }
        assert!(
            !text.contains("NOT_ON_THIS_HOST") && !text.contains("BOTH=file"),
            "{ran:?}"
        );
    }
}

#[test]
fn what_qemu_says_is_passed_on() {
    let directory = scratch::directory("run_options/bin");
    let fake = directory.join("qemu-system-x86_64");
    fs::write(
        &fake,
        "#!/bin/sh\necho 'qemu-system-x86_64: no luck today' >&2\nexit 1\n",
    )
    .expect("a script");
    fs::set_permissions(&fake, fs::Permissions::from_mode(0o755)).expect("own");
    let ran = Machine::command(&["run", "--accel", "tcg"])
        .host_environment("PATH", directory)
        .program(["/bin/true"])
        .run()
        .expect_status(HOST_ERROR)
        .expect_said(&["no luck today"]);
    assert!(
        !ran.stderr.contains("Broken pipe") || ran.stderr.contains("no luck"),
        "{ran:?}"
    );
}
