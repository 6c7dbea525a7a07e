//! The tour: what the machine runs when it is told nothing. Runs the programs in an order that tells how
//! processes come, share, part and go, each with its own output and with what the kernel counted for it.
//!
//! Its status is 0 if every program's was.
#![no_std]
#![no_main]
mod count;
mod run;
mod story;

use guest_user::counters::Reader;
use guest_user::files::{STDOUT, isatty};
use guest_user::{Result, flush, getpid, println, program};
use story::{PARTS, Step};

program!(main);

/// How text is set off.
#[derive(Clone, Copy)]
enum Look {
    /// A terminal: headings in bold, counts dim.
    Terminal,
    /// A file or a pipe: text alone.
    Plain,
}

impl Look {
    /// The escape sequences around a heading (ECMA-48, SGR).
    fn bold(self) -> (&'static str, &'static str) {
        match self {
            Self::Terminal => ("\x1b[1m", "\x1b[0m"),
            Self::Plain => ("", ""),
        }
    }

    /// The same around what is beside the point at first.
    fn dim(self) -> (&'static str, &'static str) {
        match self {
            Self::Terminal => ("\x1b[2m", "\x1b[0m"),
            Self::Plain => ("", ""),
        }
    }
}

fn main() -> Result<u8> {
    let look = if isatty(STDOUT) {
        Look::Terminal
    } else {
        Look::Plain
    };
    let mut counters = Reader::new()?;
    let mut failed = Failed { steps: 0, count: 0 };
    let mut number = 0;

    title(look, "cowbell: how processes are made");
    println!("{}", story::WELCOME);
    if getpid() != 1 {
        println!("(This is not process 1 here: another kernel runs the tour.)\n");
    }
    for (at, part) in PARTS.iter().enumerate() {
        heading(look, at + 1, part.title);
        println!("{}\n", part.says);
        for step in part.steps {
            let (start, end) = look.bold();
            println!("{}", step.says);
            println!("{start}  $ {}{end}", story::Command(step.command));
            flush()?;
            let status = count::during(&mut counters, look, || run::run(step.command))?;
            if status.0 != 0 {
                println!("    FAILED: status {:#06x}", status.0);
                failed.note(number);
            }
            println!();
            number += 1;
        }
    }
    heading(look, PARTS.len() + 1, "The counters");
    count::table(&mut counters);
    println!();
    println!("{}", story::FAREWELL);
    Ok(failed.report(number))
}

fn title(look: Look, text: &str) {
    let (start, end) = look.bold();
    println!("{start}{text}{end}");
    println!("{:=<78}\n", "");
}

fn heading(look: Look, number: usize, text: &str) {
    let (start, end) = look.bold();
    println!("{start}{number}. {text}{end}");
    println!("{:-<78}", "");
}

/// The steps that failed, a bit each.
struct Failed {
    steps: u64,
    count: usize,
}

const _: () = assert!(story::STEPS <= u64::BITS as usize);

impl Failed {
    fn note(&mut self, number: usize) {
        self.steps |= 1 << number;
        self.count += 1;
    }

    /// The last line, and the exit status.
    fn report(&self, all: usize) -> u8 {
        if self.count == 0 {
            println!("All {all} programs did what they should.");
            return 0;
        }
        println!("{} of {all} programs FAILED:", self.count);
        let steps = PARTS.iter().flat_map(|part| part.steps);
        for (number, Step { command, .. }) in steps.enumerate() {
            if self.steps >> number & 1 != 0 {
                println!("    {}", story::Command(command));
            }
        }
        1
    }
}
