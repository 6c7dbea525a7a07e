//! `--strace`: the system calls of the guest's programs, in strace(1)'s format.
//!
//! A call is begun when a thread makes it and ended when it has its result; where another thread comes in between, the
//! line is left `<unfinished ...>` and taken up again as `<... NAME resumed>`.

mod arguments;
mod file_systems;
mod names;
mod readiness;
mod results;
mod signals;
mod socket_messages;
mod structures;
mod text;
mod times;

use crate::channel::Fields;
use crate::messages;
use anyhow::{Context, Result};
use arguments::{Memory, When};
use contract::Sysno;
use contract::calls::{self, Call};
use contract::channel::Kind;
use std::collections::{BTreeMap, BTreeSet};
use std::ffi::OsStr;
use std::fs::File;
use std::io::Write;

/// Column of the result, where the call is not longer.
const RESULT_COLUMN: usize = 40;
/// Size of a `siginfo_t`.
const SIGNAL_INFO: usize = 128;

/// Where the trace goes.
enum Sink {
    StandardError,
    File(File),
}

/// A call that has begun.
struct Begun {
    number: u64,
    call: Option<&'static Call>,
    values: [u64; 6],
    memory: Memory,
    /// Arguments that have been printed.
    printed: usize,
}

/// The trace of a machine.
pub struct Strace {
    sink: Sink,
    /// What is to be written.
    text: String,
    /// Characters of the line that is being written.
    column: usize,
    threads: BTreeSet<u32>,
    begun: BTreeMap<u32, Begun>,
    /// Signals for threads that are in a call.
    held: BTreeMap<u32, Vec<String>>,
    /// The thread whose line has no end yet.
    line_of: Option<u32>,
    /// Whether the machine's first program is still to be executed: its line has no result.
    is_first: bool,
}

impl Strace {
    /// A trace to standard error, or to a file.
    ///
    /// # Errors
    /// The file cannot be written.
    pub fn open(file: &OsStr) -> Result<Self> {
        let sink = if file.is_empty() {
            Sink::StandardError
        } else {
            let opened = File::create(file);
            Sink::File(
                opened.with_context(|| format!("--strace={}: cannot write it", file.display()))?,
            )
        };
        Ok(Self {
            sink,
            text: String::new(),
            column: 0,
            threads: BTreeSet::new(),
            begun: BTreeMap::new(),
            held: BTreeMap::new(),
            line_of: None,
            is_first: false,
        })
    }

    /// The first line: how the machine's first program is started. Its result comes with what is sent next.
    pub fn first(&mut self, arguments: &[&[u8]], variables: usize) {
        let quoted: Vec<String> = arguments
            .iter()
            .map(|argument| text::quote(argument, text::Quoting::Octal))
            .collect();
        let program = quoted.first().cloned().unwrap_or_default();
        self.begin_line(1);
        self.print(&format!(
            "execve({program}, [{}], [/* {variables} vars */]",
            quoted.join(", ")
        ));
        self.is_first = true;
    }

    /// The first program has been executed, or not: its errno, 0 where it has.
    pub fn first_result(&mut self, errno: u16) {
        if std::mem::take(&mut self.is_first) {
            match errno {
                0 => self.print_result("0"),
                errno => self.print_result(&results::show_error(errno.into())),
            }
        }
    }

    /// Takes a message; `None` where it makes no sense.
    pub fn take(&mut self, kind: Kind, mut fields: Fields<'_>) -> Option<()> {
        let thread = fields.half()?;
        self.first_result(0);
        match kind {
            Kind::Enter => {
                let number = fields.word()?;
                let mut values = [0; 6];
                for value in &mut values {
                    *value = fields.word()?;
                }
                let mut memory = Memory::default();
                memory.add(When::Enter, fields)?;
                self.enter(
                    thread,
                    Begun {
                        number,
                        call: calls::find(number),
                        values,
                        memory,
                        printed: 0,
                    },
                );
            }
            Kind::Leave => {
                let result = fields.word()?;
                let mut begun = self.begun.remove(&thread)?;
                begun.memory.add(When::Leave, fields)?;
                self.leave(thread, &mut begun, result);
            }
            Kind::Signal => {
                let bytes = fields.bytes(SIGNAL_INFO)?;
                let name = signals::name(structures::half(bytes, 0));
                let info = signals::info(bytes);
                let line = format!("--- {name} {info} ---");
                if self.begun.contains_key(&thread) {
                    self.held.entry(thread).or_default().push(line);
                } else {
                    self.line(thread, &line);
                }
            }
            Kind::End => self.end(thread, fields.half()?),
            Kind::File | Kind::FileEnd => {}
        }
        Some(())
    }

    fn enter(&mut self, thread: u32, mut begun: Begun) {
        self.threads.insert(thread);
        self.begin_line(thread);
        self.print(&format!("{}(", begun.name()));
        if matches!(
            Sysno::new(begun.number as usize),
            Some(Sysno::exit | Sysno::exit_group)
        ) {
            self.print_arguments(&mut begun, When::Leave);
            self.print_result("?");
            return;
        }
        self.print_arguments(&mut begun, When::Enter);
        self.begun.insert(thread, begun);
        self.line_of = Some(thread);
    }

    fn leave(&mut self, thread: u32, begun: &mut Begun, result: u64) {
        if begun.makes_threads() && (1..i32::MAX as u64).contains(&result) {
            self.threads.insert(result as u32);
        }
        self.resume(thread, begun);
        self.print_arguments(begun, When::Leave);
        let shown = results::show(begun.call, &begun.values, &begun.memory, result);
        self.print_result(&shown);
        self.show_held(thread);
    }

    /// Signals come after the call that they came in.
    fn show_held(&mut self, thread: u32) {
        for line in self.held.remove(&thread).unwrap_or_default() {
            self.line(thread, &line);
        }
    }

    fn end(&mut self, thread: u32, status: u32) {
        // What it was in has no result.
        if let Some(mut begun) = self.begun.remove(&thread) {
            self.resume(thread, &begun);
            self.print_arguments(&mut begun, When::Leave);
            self.print_result("?");
        }
        self.show_held(thread);
        let how = match status & 0x7f {
            0 => format!("+++ exited with {} +++", status >> 8 & 0xff),
            signal => format!(
                "+++ killed by {}{} +++",
                signals::name(signal),
                if status & 0x80 != 0 {
                    " (core dumped)"
                } else {
                    ""
                }
            ),
        };
        self.line(thread, &how);
        self.threads.remove(&thread);
    }

    /// Goes on with the line of a call, or begins one that says whose end it is.
    fn resume(&mut self, thread: u32, begun: &Begun) {
        if self.line_of == Some(thread) {
            self.line_of = None;
        } else {
            self.begin_line(thread);
            self.print(&format!("<... {} resumed>", begun.name()));
        }
    }

    fn line(&mut self, thread: u32, text: &str) {
        self.begin_line(thread);
        self.print(text);
        self.end_line();
    }

    fn begin_line(&mut self, thread: u32) {
        if self.line_of.take().is_some() {
            self.print(" <unfinished ...>");
            self.end_line();
        }
        match self.sink {
            Sink::File(_) => self.print(&format!("{thread:<5} ")),
            Sink::StandardError if self.threads.len() > 1 => {
                self.print(&format!("[pid {thread}] "))
            }
            Sink::StandardError => {}
        }
    }

    fn end_line(&mut self) {
        self.text.push('\n');
        self.column = 0;
    }

    fn print(&mut self, text: &str) {
        self.text.push_str(text);
        self.column += text.chars().count();
    }

    /// Prints what is known by now of the arguments that have not been printed.
    fn print_arguments(&mut self, begun: &mut Begun, when: When) {
        let Some(call) = begun.call else {
            // Nothing is known of it: words.
            if begun.printed == 0 {
                let count = arguments::count_of_absent(begun.number);
                let words = begun.values[..count].iter();
                let words: Vec<String> = words.map(|&value| text::number(value)).collect();
                self.print(&words.join(", "));
                begun.printed = begun.values.len();
            }
            return;
        };
        if call.number == Sysno::clone {
            if begun.printed == 0 {
                self.print(&arguments::clone(&begun.values));
                begun.printed = 1;
            }
            return;
        }
        let count = arguments::count(call, &begun.values);
        while begun.printed < count {
            let index = begun.printed;
            let Some(shown) = arguments::show(call, &begun.values, index, &begun.memory, when)
            else {
                return;
            };
            self.print(&shown);
            begun.printed += 1;
            if begun.printed < count {
                self.print(", ");
            }
        }
    }

    fn print_result(&mut self, result: &str) {
        self.print(")");
        let padding = RESULT_COLUMN.saturating_sub(self.column + 1);
        self.print(&" ".repeat(padding));
        self.print(&format!(" = {result}"));
        self.end_line();
    }

    /// Writes what has come.
    pub fn flush(&mut self) {
        let text = std::mem::take(&mut self.text);
        if text.is_empty() {
            return;
        }
        match &mut self.sink {
            Sink::StandardError => messages::write(&text),
            // A full disk is nobody's to tell while the guest runs.
            Sink::File(file) => {
                let _ = file.write_all(text.as_bytes());
            }
        }
    }

    /// The machine has ended: so does the last line.
    pub fn finish(&mut self) {
        let is_first = std::mem::take(&mut self.is_first);
        if self.line_of.take().is_some() || is_first {
            self.print(" <unfinished ...>");
            self.end_line();
        }
        self.flush();
    }
}

impl Begun {
    fn makes_threads(&self) -> bool {
        self.call.is_some_and(|call| {
            matches!(
                call.number,
                Sysno::fork | Sysno::vfork | Sysno::clone | Sysno::clone3
            )
        })
    }

    fn name(&self) -> String {
        match Sysno::new(self.number as usize) {
            Some(call) => call.name().to_owned(),
            None => format!("syscall_{:#x}", self.number),
        }
    }
}
