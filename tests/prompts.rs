//! Debian's static shells at a prompt, on Linux and here: the same keys, the same screen. Lines are edited, jobs are
//! stopped, listed, continued in the background and in the foreground, and ended by the keys of the terminal.

use crate::machine::pty::Session;
use crate::machine::{End, Machine, engines, packages};
use crate::shell_scripts::Suite;
use std::path::Path;
use std::process::Command;

const PROMPT: &str = "P> ";

/// What is typed, and what the screen must say from there on before more is: a part, and its end. What runs in the
/// foreground says itself when it can be interrupted; quotes keep what is echoed from looking like it.
const SESSION: &[(&str, &str, &str)] = &[
    ("echo one\r", "one\r\n", PROMPT),
    ("echo wrogn\x7f\x7fng\r", "wrong\r\n", PROMPT),
    ("sh -c 'echo re\"\"ady; sleep 30'\r", "", "ready\r\n"),
    ("\x03", "", PROMPT),
    ("echo after $?\r", "after 130\r\n", PROMPT),
    ("sh -c 'echo re\"\"ady; sleep 40'\r", "", "ready\r\n"),
    ("\x1a", "Stopped", PROMPT),
    ("jobs\r", "Stopped", PROMPT),
    ("bg\r", "sleep 40", PROMPT),
    ("jobs\r", "unning", PROMPT),
    ("kill %1; wait 2>/dev/null; echo gone\r", "gone\r\n", PROMPT),
    ("sh -c 'echo re\"\"ady; cat'\r", "", "ready\r\n"),
    ("typed\r", "", "typed\r\ntyped\r\n"),
    ("\x04", "", PROMPT),
    (
        "sh -c 'kill -STOP $$; echo ag\"\"ain; sleep 50'\r",
        "Stopped",
        PROMPT,
    ),
    ("fg\r", "", "again\r\n"),
    ("\x03", "", PROMPT),
    ("echo $?\r", "130\r\n", PROMPT),
];

/// What is seen of a screen: busybox asks a terminal where its cursor is, and need not be answered.
fn shown(screen: &str) -> String {
    screen.replace("\x1b[6n", "")
}

/// Types the session. What was on the screen, and how it ended.
fn type_session(mut session: Session) -> (End, String) {
    session.expect(PROMPT);
    for &(keys, part, end) in SESSION {
        let seen = session.screen().len();
        session.type_keys(keys.as_bytes());
        let what = format!("{part:?} and then {end:?} after {keys:?}");
        session.expect_after(seen, &what, |screen| {
            let screen = shown(screen);
            screen.contains(part) && screen.ends_with(end)
        });
    }
    session.type_keys(b"exit 7\r");
    let (end, screen) = session.end();
    (end, shown(&screen))
}

fn alike(suite: &Suite, arguments: &[&str]) {
    let root = suite.root("prompts");
    let variables = [("PS1", PROMPT), ("TERM", "dumb"), ("HOME", "/")];
    let on_linux = {
        let mut command = Command::new(root.join("bin/sh"));
        command.env_clear().envs(variables).args(arguments);
        command.env("PATH", root.join("bin")).current_dir("/");
        type_session(Session::of(command, 24, 80))
    };
    assert_eq!(on_linux.0, End::Exited(7), "{}", on_linux.1);
    for &engine in engines() {
        let option = |(name, value): &(&str, &str)| ["--env".to_owned(), format!("{name}={value}")];
        let mut machine = Machine::on(engine)
            .option([Path::new("--root"), &root])
            .option(variables.iter().flat_map(option))
            .option(["--env", "PATH=/bin"]);
        machine = machine.program([&["/bin/sh"], arguments].concat());
        let here = type_session(Session::start_sized(&machine, 24, 80));
        assert_eq!(here, on_linux, "{}", engine.name());
    }
}

#[test]
fn busybox_at_a_prompt() {
    let suite = Suite {
        shell: "busybox",
        program: packages::busybox(),
        scripts: "applets",
    };
    alike(&suite, &[]);
}

#[test]
fn bash_at_a_prompt() {
    let suite = Suite {
        shell: "bash",
        program: packages::bash(),
        scripts: "bash",
    };
    alike(&suite, &["--norc", "--noprofile", "-i"]);
}
