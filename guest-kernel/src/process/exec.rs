//! execve: the process becomes another program.
//!
//! 1. Find the file; while it is a `#!` script, put its interpreter in its place (execve(2)).
//! 2. Fork the program's pristine address space and put arguments and environment on its stack.
//! 3. Commit: the old space goes (or goes back to the vfork parent), registers start afresh, descriptors
//!    marked close-on-exec are closed, handlers become default.
//!
//! Until 3 nothing of the process has changed, and a failure leaves it as it was.
use super::initial_stack::{self, STRING_LIMIT, Strings, Text};
use super::layout::Layout;
use super::{Current, jobs, signal};
use crate::kernel::Kernel;
use crate::memory::space::AddressSpace;
use crate::memory::user_window::{Reader, find_nul};
use crate::memory::{heap, user};
use crate::processes_view::ProcessesView;
use crate::random;
use crate::records::COUNTERS;
use alloc::borrow::Cow;
use alloc::boxed::Box;
use alloc::rc::Rc;
use alloc::vec::Vec;
use contract::Errno;
use contract::counters::Counter;
use files::{Found, View};

/// Interpreters of interpreters (execve(2)).
const MAX_SCRIPTS: usize = 5;
/// Bytes of a script's first line that are looked at.
const SCRIPT_LINE: usize = 256;

/// A NULL-ended array of strings in user memory.
pub struct UserStrings<'a> {
    space: &'a AddressSpace,
    address: u64,
    list: Reader<'a>,
    strings: Reader<'a>,
}

impl<'a> UserStrings<'a> {
    /// The array at `address`; 0 is an empty one, as on Linux.
    pub const fn new(space: &'a AddressSpace, address: u64) -> Self {
        Self {
            space,
            address,
            list: Reader::new(space),
            strings: Reader::new(space),
        }
    }
}

impl<'a> Strings<'a> for UserStrings<'a> {
    fn walk(&mut self, each: &mut dyn FnMut(Text<'a>) -> Result<(), Errno>) -> Result<(), Errno> {
        if self.address == 0 {
            return Ok(());
        }
        let mut at = self.address;
        loop {
            let address = self.list.word(at)?;
            if address == 0 {
                return Ok(());
            }
            let start = self.strings.rest_of_page(address)?;
            each(match find_nul(start) {
                Some(length) => Text::Kernel(&start[..length]),
                None => Text::User {
                    space: self.space,
                    address,
                    length: user::string_length(self.space, address, STRING_LIMIT)?
                        .ok_or(Errno::E2BIG)?,
                },
            })?;
            at = at.wrapping_add(8);
        }
    }
}

/// `first`, then `rest` without its first `skipped` strings: a script's arguments.
struct Prefixed<'p, 'r, 'a> {
    first: &'p [Cow<'p, [u8]>],
    rest: &'r mut dyn Strings<'a>,
    skipped: usize,
}

impl<'p, 'a: 'p> Strings<'p> for Prefixed<'p, '_, 'a> {
    fn walk(&mut self, each: &mut dyn FnMut(Text<'p>) -> Result<(), Errno>) -> Result<(), Errno> {
        for text in self.first {
            each(Text::Kernel(text))?;
        }
        let mut index = 0;
        self.rest.walk(&mut |text| {
            index += 1;
            if index > self.skipped {
                each(text)
            } else {
                Ok(())
            }
        })
    }
}

/// What a file turns out to be.
enum Kind {
    Program(Rc<AddressSpace>, super::template::Program),
    /// The interpreter's path, and its one argument.
    Script(Box<[u8]>, Option<Box<[u8]>>),
}

impl Kernel {
    /// Makes a process run the program at `path`, in a thread of it.
    ///
    /// # Errors
    /// As execve(2); the process is unchanged then.
    pub fn exec(
        &mut self,
        who: Current,
        path: &[u8],
        arguments: &mut dyn Strings<'_>,
        environment: &mut dyn Strings<'_>,
    ) -> Result<(), Errno> {
        let file = self.executable(who, path)?;
        self.exec_file(who, file, path, arguments, environment)
    }

    /// The same for a file that was found already, of which `path` is the name that the program is told.
    ///
    /// # Errors
    /// As execve(2).
    pub fn exec_file(
        &mut self,
        who: Current,
        file: Found<'_>,
        path: &[u8],
        arguments: &mut dyn Strings<'_>,
        environment: &mut dyn Strings<'_>,
    ) -> Result<(), Errno> {
        heap::require_reserve()?;
        // The path may be longer than a block of the heap: it is borrowed, an interpreter's is short.
        let mut prefix: Vec<Cow<'_, [u8]>> = Vec::new();
        let mut target = Cow::Borrowed(path);
        let mut file = file;
        let mut scripts = 0;
        let layout = self.layout_of(who.process);
        let (space, program, inode) = loop {
            match self.kind_of(&file, layout)? {
                Kind::Program(space, program) => break (space, program, file.inode),
                Kind::Script(interpreter, argument) => {
                    scripts += 1;
                    if scripts > MAX_SCRIPTS {
                        return Err(Errno::ELOOP);
                    }
                    // The script's own path takes the place of argv[0].
                    if prefix.is_empty() {
                        prefix.push(target);
                    } else {
                        prefix[0] = target;
                    }
                    if let Some(argument) = argument {
                        prefix.insert(0, Cow::Owned(argument.into_vec()));
                    }
                    target = Cow::Owned(interpreter.into_vec());
                    prefix.insert(0, target.clone());
                    file = self.executable(who, &target)?;
                }
            }
        };
        let skipped = usize::from(scripts > 0);
        let mut arguments = Prefixed {
            first: &prefix,
            rest: arguments,
            skipped,
        };
        let stack = self.lay_out(who.process, layout, &space, &program);
        let stack = stack.and_then(|top| {
            initial_stack::build(
                &space,
                top,
                &program,
                path,
                &mut arguments,
                environment,
                random::words(),
            )
        });
        let stack = match stack {
            Ok(stack) => stack,
            Err(errno) => {
                AddressSpace::release(space);
                return Err(errno);
            }
        };
        space.set_arguments(stack.arguments, stack.environment);
        let mut unshared = self.unshared_descriptors(who.process);
        let descriptors = &mut self.processes[who].descriptors;
        let closes = descriptors.closes_on_exec();
        let descriptors = unshared.as_mut().unwrap_or(descriptors);
        if closes && let Err(errno) = descriptors.own(&mut self.files) {
            AddressSpace::release(space);
            return Err(errno);
        }

        // Commit.
        self.end_other_threads(who);
        // The caller holds the space, for what it has of the arguments.
        self.leave_memory_in_order(who.process, 2);
        self.release_memory(who.process);
        if self.processes[who.thread].apart.is_some() {
            self.keep_apart(who);
        }
        self.unshare_for_exec(who.process, unshared);
        let (thread, process) = self.processes.both(who);
        process.memory = Some(space);
        thread.context.reset_for_exec(program.entry, stack.pointer);
        (thread.clear_child_tid, thread.robust_list) = (0, 0);
        thread.signals.reset_for_exec();
        process.signals.reset_handlers();
        process.job.program = jobs::Program::Own;
        process.exit_signal = signal::SIGCHLD;
        process.traits = process.traits.exec();
        process.usage.peak = process.usage.peak.max(process.resident);
        process.resident = program.resident;
        let last = path.rsplit(|&byte| byte == b'/').next();
        thread.set_name(last.unwrap_or_default());
        process.executable = self.templates.path_of(inode).unwrap_or_default();
        if closes && let Ok(table) = process.descriptors.own(&mut self.files) {
            let pid = process.pid.0;
            self.files.close_on_exec(&mut self.pages, table, pid);
            self.wake_files();
        }
        self.forget_exit_signals(who.process);
        COUNTERS.add(Counter::Execs, 1);
        if who == self.current {
            self.enter(who.thread);
        }
        Ok(())
    }

    fn executable<'p>(&self, who: Current, path: &'p [u8]) -> Result<Found<'p>, Errno> {
        let process = &self.processes[who];
        let view = View {
            start: process.working_directory,
            process: process.pid.0,
            umask: 0,
            owner: process.credentials.owner(),
            processes: &ProcessesView {
                processes: self.processes,
                names: &self.names,
                pipe_limit: self.files.pipe_limit(),
                console: &self.console,
                current: self.current,
            },
        };
        self.files.program(&view, path)
    }

    fn kind_of(&mut self, file: &Found<'_>, layout: Layout) -> Result<Kind, Errno> {
        if let Some(known) = self.known_program(file.inode, layout) {
            let (space, program) = known?;
            return Ok(Kind::Program(space, program));
        }
        if !self.files.begins_with(&self.pages, file.inode, b"#!") {
            let (space, program) = self.new_program(file, layout)?;
            return Ok(Kind::Program(space, program));
        }
        let mut line = [0; SCRIPT_LINE];
        let length = self.files.read_at(&self.pages, file.inode, 2, &mut line);
        let (interpreter, argument) = script_line(&line[..length]).ok_or(Errno::ENOEXEC)?;
        Ok(Kind::Script(interpreter.into(), argument.map(Box::from)))
    }
}

/// The interpreter and its argument from what follows `#!`; `None` where there is none. The rest of the
/// line is one argument, blanks inside it included.
fn script_line(bytes: &[u8]) -> Option<(&[u8], Option<&[u8]>)> {
    let line = trim_blanks(bytes.split(|&byte| byte == b'\n').next()?);
    let end = line.iter().position(is_blank).unwrap_or(line.len());
    let (interpreter, rest) = line.split_at(end);
    let argument = trim_blanks(rest);
    (!interpreter.is_empty()).then_some((interpreter, (!argument.is_empty()).then_some(argument)))
}

/// What separates words there: a carriage return does not.
const fn is_blank(byte: &u8) -> bool {
    matches!(*byte, b' ' | b'\t')
}

fn trim_blanks(bytes: &[u8]) -> &[u8] {
    let start = bytes.iter().position(|byte| !is_blank(byte));
    let end = bytes.iter().rposition(|byte| !is_blank(byte));
    match (start, end) {
        (Some(start), Some(end)) => &bytes[start..=end],
        _ => &[],
    }
}
