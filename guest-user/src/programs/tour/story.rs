//! What is run, in which order, and what is said to it. Lines are at most 80 characters wide.
use core::ffi::CStr;
use core::fmt;

/// A chapter.
pub struct Part {
    pub title: &'static str,
    pub says: &'static str,
    pub steps: &'static [Step],
}

/// A program to run.
pub struct Step {
    /// Its path and its arguments.
    pub command: &'static [&'static CStr],
    pub says: &'static str,
}

/// A command as a person would type it.
pub struct Command(pub &'static [&'static CStr]);

impl fmt::Display for Command {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (at, word) in self.0.iter().enumerate() {
            let word = word.to_str().unwrap_or("?");
            if at == 0 {
                out.write_str(word.strip_prefix("/bin/").unwrap_or(word))?;
            } else if word.bytes().all(|byte| byte.is_ascii_alphanumeric()) {
                write!(out, " {word}")?;
            } else {
                write!(out, " \"{word}\"")?;
            }
        }
        Ok(())
    }
}

pub const WELCOME: &str = "\
This is a virtual machine, and its kernel has just booted. What speaks to you is
process 1. It runs one program after another, shows what each prints, and below
that, in brackets, what the kernel counted meanwhile. Starting a program takes
one vfork and one exec; these are counted too.
";

pub const FAREWELL: &str = "\
Each program can be run alone, as process 1 of a machine of its own:
    cargo run --release -- run -- /bin/fork_exec
    cargo run --release -- run --stats -- /bin/calc \"6*7\"
    cargo run --release -- doctor
";

pub const PARTS: &[Part] = &[
    Part {
        title: "A program runs in a process",
        says: "\
A program is a file of instructions and data. A process is a run of it: a number
(its pid), memory, open files, and a parent that made it.",
        steps: &[
            Step {
                command: &[c"/bin/calc", c"6*7"],
                says: "A program like any other: it computes, prints, and ends.",
            },
            Step {
                command: &[c"/bin/ps"],
                says: "Who is there: this tour, and ps itself, whose parent is the tour.",
            },
        ],
    },
    Part {
        title: "exec: another program in the same process",
        says: "\
exec throws away the program that calls it and puts another in its place. It
makes no process: it changes what the process runs.",
        steps: &[
            Step {
                command: &[c"/bin/exec_echo"],
                says: "This program becomes echo. Its own next line is never reached.",
            },
            Step {
                command: &[c"/bin/argv0"],
                says: "\
The name that a program sees as its own is whatever its caller says: argv[0] is
a convention, not a fact.",
            },
            Step {
                command: &[c"/bin/exec_family"],
                says: "\
Six functions, one system call. The letters tell them apart: l lists the
arguments, v takes a vector, p searches PATH, e gives the environment.",
            },
        ],
    },
    Part {
        title: "fork: one process becomes two",
        says: "\
fork returns twice: 0 in the child, the child's pid in the parent. Everything
else is the same on both sides, and from then on each goes its own way.",
        steps: &[
            Step {
                command: &[c"/bin/fork_values"],
                says: "\
Both start with p = e and number = 12. Each changes its own and sees nothing of
the other's; which of them prints first is up to the scheduler.",
            },
            Step {
                command: &[c"/bin/fork_exec"],
                says: "\
fork, exec in the child, wait in the parent: this is how a shell runs a command.",
            },
            Step {
                command: &[c"/bin/fork_calc"],
                says: "\
The child becomes calc. The program is a new one, the process is the same: calc
has the pid that the child had.",
            },
            Step {
                command: &[c"/bin/exec_missing"],
                says: "\
Where there is no such program, exec returns. Now the child is a second copy of
its parent, and had better exit.",
            },
        ],
    },
    Part {
        title: "What parent and child share, and what they do not",
        says: "\
Memory is copied. File descriptors are copied too, but both copies lead to the
same open file, and that has one position.",
        steps: &[
            Step {
                command: &[c"/bin/fork_files"],
                says: "\
The file holds \"foobar\". The child reads on where the parent stopped; that it
closes its descriptor does not close the parent's.",
            },
            Step {
                command: &[c"/bin/exit_flush"],
                says: "\
What is printed waits in a buffer in the process's own memory. exit writes it;
_exit ends the process without looking.",
            },
        ],
    },
    Part {
        title: "Copy-on-write: the copy that is mostly not made",
        says: "\
To copy all memory for a child that will exec at once would be a waste. So fork
copies only the root of the page tables; both sides see the same pages, and a
page, with the tables that lead to it, is copied when one of them writes it.",
        steps: &[
            Step {
                command: &[c"/bin/cow_touch"],
                says: "\
The child writes k of 256 pages, and exactly k are copied. When it has gone its
parent is the only owner left, and writes without a copy.",
            },
            Step {
                command: &[c"/bin/big_fork"],
                says: "\
4 GiB of address space in a machine with far less memory. What fork costs does
not depend on either.",
            },
        ],
    },
    Part {
        title: "vfork: no copy at all",
        says: "\
The child of a vfork runs on its parent's memory, and the parent stands still
until the child has ended, or has become another program.",
        steps: &[
            Step {
                command: &[c"/bin/vfork_shares"],
                says: "What the child stores is stored in the parent.",
            },
            Step {
                command: &[c"/bin/vfork_exec"],
                says: "exec gives the child memory of its own, and the parent runs on beside it.",
            },
            Step {
                command: &[c"/bin/vfork_failed_exec"],
                says: "An exec that fails changes nothing: the parent has to wait for the exit.",
            },
        ],
    },
    Part {
        title: "How processes end",
        says: "\
A process that ends leaves one word behind: how it ended. The kernel keeps that,
and the pid, until the parent has asked for it.",
        steps: &[
            Step {
                command: &[c"/bin/wait_status"],
                says: "The word of a process that exits, of one that is killed, of one that faults.",
            },
            Step {
                command: &[c"/bin/wait_any"],
                says: "Two children, two waits for either: they are reported as they end.",
            },
            Step {
                command: &[c"/bin/wait_one"],
                says: "A wait for one of them leaves the other, even if it ended earlier.",
            },
            Step {
                command: &[c"/bin/wait_nohang"],
                says: "Asking without waiting.",
            },
            Step {
                command: &[c"/bin/wait_none"],
                says: "Without children there is nothing to wait for.",
            },
            Step {
                command: &[c"/bin/zombie"],
                says: "\
Ended and not yet waited for: a zombie. It cannot be killed, for it is dead. And
a process whose parent has ended gets a new one: process 1, this tour.",
            },
        ],
    },
    Part {
        title: "Limits",
        says: "Neither processes nor processor time are endless.",
        steps: &[
            Step {
                command: &[c"/bin/fork_limit"],
                says: "\
fork until it fails. Then all children end, and every frame of memory that they
held is free again.",
            },
            Step {
                command: &[c"/bin/preempt"],
                says: "\
Two processes that only compute and never call the kernel. The timer takes the
processor from one and gives it to the other; no register is lost.",
            },
        ],
    },
];

/// Programs run in all.
pub const STEPS: usize = {
    let (mut steps, mut at) = (0, 0);
    while at < PARTS.len() {
        steps += PARTS[at].steps.len();
        at += 1;
    }
    steps
};

// Whoever changes a text learns here that a line has become too long for a terminal.
const _: () = {
    assert!(fits(WELCOME) && fits(FAREWELL));
    let mut at = 0;
    while at < PARTS.len() {
        let part = &PARTS[at];
        assert!(fits(part.says));
        let mut step = 0;
        while step < part.steps.len() {
            assert!(fits(part.steps[step].says));
            step += 1;
        }
        at += 1;
    }
};

/// Whether no line of an ASCII text is wider than 80 characters.
const fn fits(text: &str) -> bool {
    let text = text.as_bytes();
    let (mut at, mut width) = (0, 0);
    while at < text.len() {
        width = if text[at] == b'\n' { 0 } else { width + 1 };
        if width > 80 || !text[at].is_ascii() {
            return false;
        }
        at += 1;
    }
    true
}
