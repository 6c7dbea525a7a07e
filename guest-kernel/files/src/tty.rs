//! The line discipline of the console (termios(3)), as pure state: bytes in, bytes out, who is to be signalled.
//!
//! The kernel hands over each byte of input with [`Tty::input`], takes what a program writes through [`Tty::output`], and
//! answers reads from [`Tty::read`]. A console that is no terminal is [`Kind::Plain`]: bytes pass unchanged.
use contract::Errno;

mod editing;
mod line;
mod output;
mod reading;
mod termios;

use line::Line;
pub use termios::{TERMIOS_SIZE, Termios};
use termios::{cc, flag};

/// What is on the other side.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Kind {
    /// Somebody at a terminal.
    Terminal,
    /// A file or a pipe.
    Plain,
}

/// Bytes of input that are kept until they are read.
pub const INPUT_CAPACITY: usize = line::CAPACITY;

/// What came of a byte of input.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Received {
    /// Nothing to read yet.
    Kept,
    /// There is something to read: wake who waits.
    Readable,
    /// A signal for the foreground process group: SIGINT, SIGQUIT or SIGTSTP.
    Signal(u8),
}

/// How a read goes on.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Read {
    /// This many bytes of the piece; fewer than asked for end the call, and so does a `total` that `done` has reached.
    Done(Result<usize, Errno>),
    /// Wait for input; with a time in tenths of a second, after which the call ends with what is done.
    Wait(Option<u8>),
}

/// Whether output may go on (IXON: ^S and ^Q).
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Flow {
    /// It may.
    Running,
    /// It waits for the start character.
    Stopped,
}

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum End {
    More,
    /// No more input will come.
    Reached,
}

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Next {
    Ordinary,
    /// The character after VLNEXT is taken as it is.
    Literal,
}

/// The line discipline. See the module.
#[derive(Debug)]
pub struct Tty {
    kind: Kind,
    termios: Termios,
    line: Line,
    end: End,
    next: Next,
    flow: Flow,
    /// Column of the cursor, and where the line that is being typed began: erasing a tab needs them.
    column: usize,
    line_column: usize,
}

impl Tty {
    /// A console as it is at boot: canonical, with echo, where it is a terminal.
    #[must_use]
    pub const fn new(kind: Kind) -> Self {
        Self {
            kind,
            termios: Termios::INITIAL,
            line: Line::new(),
            end: End::More,
            next: Next::Ordinary,
            flow: Flow::Running,
            column: 0,
            line_column: 0,
        }
    }

    /// The settings (TCGETS).
    ///
    /// # Errors
    /// ENOTTY where it is not a terminal.
    pub const fn termios(&self) -> Result<Termios, Errno> {
        match self.kind {
            Kind::Terminal => Ok(self.termios),
            Kind::Plain => Err(Errno::ENOTTY),
        }
    }

    /// Changes the settings (TCSETS). Between canonical and raw mode no byte is lost: what was typed can be read at once.
    ///
    /// # Errors
    /// ENOTTY where it is not a terminal.
    pub fn set_termios(&mut self, termios: Termios) -> Result<(), Errno> {
        if self.kind == Kind::Plain {
            return Err(Errno::ENOTTY);
        }
        let was_canonical = self.is_canonical();
        self.termios = termios;
        if was_canonical != self.is_canonical() {
            self.line.join();
            self.next = Next::Ordinary;
        }
        if !self.termios.has_input(flag::IXON) {
            self.flow = Flow::Running;
        }
        Ok(())
    }

    /// Throws away input that was not read (TCSETSF, TCFLSH).
    pub fn flush_input(&mut self) {
        self.line.clear();
        self.next = Next::Ordinary;
    }

    /// Whether output may go on.
    #[must_use]
    pub const fn flow(&self) -> Flow {
        self.flow
    }

    /// Stops output, or lets it go on (tcflow(3)).
    pub const fn set_flow(&mut self, flow: Flow) {
        self.flow = flow;
    }

    /// Bytes that a read would find (FIONREAD).
    #[must_use]
    pub fn readable_bytes(&self) -> usize {
        if self.is_canonical() {
            self.line.committed_bytes()
        } else {
            self.line.len()
        }
    }

    /// Whether a read would not wait: poll(2).
    #[must_use]
    pub fn is_readable(&self) -> bool {
        self.end == End::Reached
            || if self.is_canonical() {
                self.line.has_line()
            } else {
                let needed = if self.termios.control[cc::VTIME] == 0 {
                    usize::from(self.termios.control[cc::VMIN]).max(1)
                } else {
                    1
                };
                self.line.len() >= needed
            }
    }

    /// Bytes of input that may be handed over now without loss. What a terminal types beyond it is dropped; of a plain
    /// console the kernel takes no more than this.
    #[must_use]
    pub const fn room(&self) -> usize {
        INPUT_CAPACITY - self.line.len()
    }

    /// No more input comes: reads find what there is, and then the end.
    pub fn end_input(&mut self) {
        self.end = End::Reached;
        self.line.commit();
    }

    fn is_canonical(&self) -> bool {
        self.kind == Kind::Terminal && self.termios.has_local(flag::ICANON)
    }

    /// Takes one byte of input. `echo` gets what is to appear on the terminal.
    pub fn input(&mut self, byte: u8, echo: &mut dyn FnMut(u8)) -> Received {
        if self.kind == Kind::Plain {
            self.line.push(byte);
            return Received::Readable;
        }
        let mut byte = byte;
        if self.termios.has_input(flag::ISTRIP) {
            byte &= 0x7f;
        }
        if self.termios.has_input(flag::IUCLC) && self.termios.has_local(flag::IEXTEN) {
            byte = output::to_lower(byte);
        }
        if self.next == Next::Literal {
            self.next = Next::Ordinary;
            return self.keep(byte, byte, echo);
        }
        if self.termios.has_input(flag::IXON) {
            if self.termios.is(cc::VSTART, byte) {
                self.flow = Flow::Running;
                return Received::Kept;
            }
            if self.termios.is(cc::VSTOP, byte) {
                self.flow = Flow::Stopped;
                return Received::Kept;
            }
            if self.flow == Flow::Stopped && self.termios.has_input(flag::IXANY) {
                self.flow = Flow::Running;
            }
        }
        if self.termios.has_local(flag::ISIG)
            && let Some(signal) = self.termios.signal(byte)
        {
            if !self.termios.has_local(flag::NOFLSH) {
                self.flush_input();
            }
            self.flow = Flow::Running;
            if self.termios.has_local(flag::ECHO) {
                self.echo(byte, echo);
            }
            return Received::Signal(signal);
        }
        let typed = byte;
        match byte {
            b'\r' if self.termios.has_input(flag::IGNCR) => return Received::Kept,
            b'\r' if self.termios.has_input(flag::ICRNL) => byte = b'\n',
            b'\n' if self.termios.has_input(flag::INLCR) => byte = b'\r',
            _ => {}
        }
        if self.is_canonical() {
            self.edit(byte, echo)
        } else {
            self.keep(byte, typed, echo)
        }
    }
}
