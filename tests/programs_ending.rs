//! The programs of the embedded root that end in some way, wait for that, or meet a limit.

use crate::machine::lines::{self, without_numbers};
use crate::programs::{everywhere, prints};

#[test]
fn wait_any() {
    prints(
        &["/bin/wait_any"],
        &[
            "started: 2, then 3",
            "ended: 3, with status 2",
            "ended: 2, with status 1",
        ],
    );
}

#[test]
fn wait_one() {
    prints(
        &["/bin/wait_one"],
        &[
            "started: 2, slow, and 3, quick",
            "waited for 2: status 1",
            "waited for 3: status 2",
        ],
    );
}

#[test]
fn wait_none() {
    prints(
        &["/bin/wait_none"],
        &[
            "without a child, wait returns and errno says:",
            "-1",
            "ECHILD",
        ],
    );
}

#[test]
fn wait_nohang() {
    prints(
        &["/bin/wait_nohang"],
        &[
            "the child is process 2",
            "while it runs waitpid returns 0",
            "after its end waitpid returns 2",
        ],
    );
}

#[test]
fn wait_status() {
    for run in everywhere(&["/bin/wait_status"], 0) {
        let text = run.text();
        let lines: Vec<&str> = text.lines().collect();
        assert_eq!(
            lines[0], "exit(7): status 0x0700: exited, code 7",
            "{run:?}"
        );
        assert_eq!(
            lines[1], "kill: status 0x0009: signal 9 (SIGKILL), core bit 0",
            "{run:?}"
        );
        // Whether a core was written is the kernel's to say; the rest is not.
        let core = [
            "0x000b: signal 11 (SIGSEGV), core bit 0",
            "0x008b: signal 11 (SIGSEGV), core bit 1",
        ];
        assert!(
            core.iter()
                .any(|core| lines[2] == format!("*NULL: status {core}")),
            "{run:?}"
        );
        assert_eq!(lines.len(), 3, "{run:?}");
    }
}

#[test]
fn zombie() {
    prints(
        &["/bin/zombie"],
        &[
            "  PID  PPID S NAME",
            "    2     1 Z zombie",
            "after SIGKILL:",
            "    2     1 Z zombie",
            "waited for it: it had exited with status 5",
            "process 2 is no more: ESRCH",
            "an orphan's parent was 3, which has ended, and is now 1",
        ],
    );
}

#[test]
fn exit_flush() {
    prints(
        &["/bin/exit_flush"],
        &[
            "a child prints, without a newline, and calls exit:",
            "this was in the buffer at exit",
            "another does the same and calls _exit:",
            "(nothing came)",
        ],
    );
}

#[test]
fn fork_limit() {
    for run in everywhere(&["/bin/fork_limit"], 0) {
        let children = contract::PROCESS_LIMIT - 1;
        lines::expect(
            &run,
            &[
                &format!("forked {children} children, each waiting in read"),
                "the next fork: EAGAIN",
                &format!("all {children} reaped"),
                "frames in use before: #, after: #",
            ],
        );
    }
}

#[test]
fn preempt() {
    let mut seen = Vec::new();
    for run in everywhere(&["/bin/preempt"], 0) {
        let text = run.text();
        let lines: Vec<&str> = text.lines().collect();
        assert_eq!(lines.len(), 3, "{run:?}");
        for line in &lines[..2] {
            assert!(line.ends_with("registers changed: 0"), "{run:?}");
        }
        assert!(
            lines[2].starts_with("each ran while the other was not done; "),
            "{run:?}"
        );
        seen.push(without_numbers(&lines[..2].join("\n")));
    }
    assert!(seen.iter().all(|text| *text == seen[0]), "{seen:?}");
}
