//! The line discipline of the console (termios(3)), as pure state: bytes in, bytes out, who is to be signalled.
//!
//! The kernel hands over each byte of input with [`Tty::input`], takes what a program writes through [`Tty::output`], and
//! answers reads from [`Tty::read`]. A console that is no terminal is [`Kind::Plain`]: bytes pass unchanged.
use crate::{Transfer, words};
use contract::Errno;

mod line;
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

    /// A byte that may edit or end the line.
    fn edit(&mut self, byte: u8, echo: &mut dyn FnMut(u8)) -> Received {
        let extended = self.termios.has_local(flag::IEXTEN);
        let echoes = self.termios.has_local(flag::ECHO);
        if self.termios.is(cc::VERASE, byte) {
            self.erase(byte, echo);
        } else if self.termios.is(cc::VKILL, byte) {
            self.kill(byte, echo);
        } else if extended && self.termios.is(cc::VWERASE, byte) {
            self.erase_word(echo);
        } else if extended && self.termios.is(cc::VLNEXT, byte) {
            self.next = Next::Literal;
            if echoes && self.termios.has_local(flag::ECHOCTL) {
                self.put(b'^', echo);
                self.put(b'\x08', echo);
            }
        } else if extended && echoes && self.termios.is(cc::VREPRINT, byte) {
            self.echo(byte, echo);
            self.put(b'\n', echo);
            for index in 0..self.line.pending() {
                let byte = self.line.pending_byte(index);
                self.echo(byte, echo);
            }
        } else if byte == b'\n' {
            if !self.line.push_end(byte) {
                return self.refuse(echo);
            }
            if echoes || self.termios.has_local(flag::ECHONL) {
                self.put(b'\n', echo);
            }
            return Received::Readable;
        } else if self.termios.is(cc::VEOF, byte) {
            if self.line.push_end_of_file() {
                return Received::Readable;
            }
        } else if self.termios.is(cc::VEOL, byte) || extended && self.termios.is(cc::VEOL2, byte) {
            if !self.line.push_end(byte) {
                return self.refuse(echo);
            }
            if echoes {
                self.echo(byte, echo);
            }
            return Received::Readable;
        } else {
            return self.keep(byte, byte, echo);
        }
        Received::Kept
    }

    /// A byte that is just data; `typed` is what it was before a return became a newline.
    fn keep(&mut self, byte: u8, typed: u8, echo: &mut dyn FnMut(u8)) -> Received {
        // A line that is too long can still be ended: one byte is left for that.
        let reserve = usize::from(self.is_canonical());
        if self.room() <= reserve {
            return self.refuse(echo);
        }
        if self.line.pending() == 0 {
            self.line_column = self.column;
        }
        self.line.push(byte);
        if self.termios.has_local(flag::ECHO) {
            // As on Linux, a raw newline shows as ^J, and one that was a return as itself.
            if byte == b'\n' && typed == b'\r' {
                self.put(b'\n', echo);
            } else {
                self.echo(byte, echo);
            }
        }
        if self.is_canonical() {
            Received::Kept
        } else {
            self.line.commit();
            Received::Readable
        }
    }

    fn refuse(&mut self, echo: &mut dyn FnMut(u8)) -> Received {
        if self.termios.has_input(flag::IMAXBEL) {
            self.put(b'\x07', echo);
        }
        Received::Kept
    }

    fn is_continuation(&self, byte: u8) -> bool {
        self.termios.has_input(flag::IUTF8) && byte & 0xc0 == 0x80
    }

    /// Takes the last character off the line, with IUTF8 all of its bytes, and returns its first byte. A character whose
    /// first byte is not there stays.
    fn take_character(&mut self) -> Option<u8> {
        let first = self.last_character()?;
        while let Some(byte) = self.line.pop() {
            if !self.is_continuation(byte) {
                break;
            }
        }
        Some(first)
    }

    /// The first byte of the last character on the line.
    fn last_character(&self) -> Option<u8> {
        (0..self.line.pending())
            .rev()
            .map(|index| self.line.pending_byte(index))
            .find(|byte| !self.is_continuation(*byte))
    }

    fn erase(&mut self, key: u8, echo: &mut dyn FnMut(u8)) {
        let Some(first) = self.take_character() else {
            return;
        };
        if !self.termios.has_local(flag::ECHO) {
            return;
        }
        if self.termios.has_local(flag::ECHOE) {
            self.rub_out(first, echo);
        } else {
            self.echo(key, echo);
        }
    }

    fn erase_word(&mut self, echo: &mut dyn FnMut(u8)) {
        let mut seen_word = false;
        while let Some(first) = self.last_character() {
            if is_word(first) {
                seen_word = true;
            } else if seen_word {
                break;
            }
            self.take_character();
            if self.termios.has_local(flag::ECHO) {
                self.rub_out(first, echo);
            }
        }
    }

    fn kill(&mut self, key: u8, echo: &mut dyn FnMut(u8)) {
        if self.line.pending() == 0 {
            return;
        }
        let has = |flags| self.termios.has_local(flags);
        if has(flag::ECHO) && has(flag::ECHOK) && has(flag::ECHOE) && has(flag::ECHOKE) {
            while let Some(first) = self.take_character() {
                self.rub_out(first, echo);
            }
            return;
        }
        while self.line.pop().is_some() {}
        if self.termios.has_local(flag::ECHO) {
            self.echo(key, echo);
            if self.termios.has_local(flag::ECHOK) {
                self.put(b'\n', echo);
            }
        }
    }

    /// Takes a character off the screen that was just taken off the line.
    fn rub_out(&mut self, byte: u8, echo: &mut dyn FnMut(u8)) {
        let caret = self.termios.has_local(flag::ECHOCTL);
        let width = match byte {
            b'\t' => {
                let mut column = self.line_column;
                for index in 0..self.line.pending() {
                    column = self.column_after(column, self.line.pending_byte(index));
                }
                for _ in 0..8 - column % 8 {
                    echo(b'\x08');
                    self.column = self.column.saturating_sub(1);
                }
                return;
            }
            _ if is_control(byte) => 2 * usize::from(caret),
            _ => 1,
        };
        for _ in 0..width {
            for byte in *b"\x08 \x08" {
                self.put(byte, echo);
            }
        }
    }

    /// The column after a byte of the line has been echoed.
    fn column_after(&self, column: usize, byte: u8) -> usize {
        match byte {
            b'\t' => (column / 8 + 1) * 8,
            _ if is_control(byte) => {
                column + 2 * usize::from(self.termios.has_local(flag::ECHOCTL))
            }
            _ if self.is_continuation(byte) => column,
            _ => column + 1,
        }
    }

    /// Echoes a byte; a control character as ^X with ECHOCTL.
    fn echo(&mut self, byte: u8, echo: &mut dyn FnMut(u8)) {
        if is_control(byte) && byte != b'\t' && self.termios.has_local(flag::ECHOCTL) {
            echo(b'^');
            echo(byte ^ 0x40);
            self.column += 2;
        } else {
            self.put(byte, echo);
        }
    }

    /// Puts out one byte, processed.
    fn put(&mut self, byte: u8, out: &mut dyn FnMut(u8)) {
        if self.kind == Kind::Plain || !self.termios.has_output(flag::OPOST) {
            out(byte);
            return;
        }
        match byte {
            b'\n' => {
                if self.termios.has_output(flag::ONLCR) {
                    out(b'\r');
                    (self.column, self.line_column) = (0, 0);
                } else {
                    if self.termios.has_output(flag::ONLRET) {
                        self.column = 0;
                    }
                    self.line_column = self.column;
                }
                out(b'\n');
            }
            b'\r' => {
                if self.termios.has_output(flag::ONOCR) && self.column == 0 {
                    return;
                }
                if self.termios.has_output(flag::OCRNL) {
                    if self.termios.has_output(flag::ONLRET) {
                        (self.column, self.line_column) = (0, 0);
                    }
                    out(b'\n');
                } else {
                    (self.column, self.line_column) = (0, 0);
                    out(b'\r');
                }
            }
            b'\t' => {
                let width = 8 - self.column % 8;
                self.column += width;
                if self.termios.has_output(flag::XTABS) {
                    for _ in 0..width {
                        out(b' ');
                    }
                } else {
                    out(b'\t');
                }
            }
            b'\x08' => {
                self.column = self.column.saturating_sub(1);
                out(byte);
            }
            _ => {
                if !is_control(byte) && !self.is_continuation(byte) {
                    self.column += 1;
                }
                out(byte);
            }
        }
    }

    /// What a program's bytes become on their way out, a run at a time.
    pub fn output(&mut self, bytes: &[u8], out: &mut dyn FnMut(&[u8])) {
        const COMMON: u32 = flag::OPOST | flag::ONLCR;
        if self.kind == Kind::Plain || !self.termios.has_output(flag::OPOST) {
            out(bytes);
            return;
        }
        if self.termios.output & (COMMON | flag::OCRNL | flag::ONOCR | flag::ONLRET | flag::XTABS)
            != COMMON
        {
            for byte in bytes {
                self.put(*byte, &mut |byte| out(&[byte]));
            }
            return;
        }
        let mut rest = bytes;
        while let Some(newline) = words::find(rest, b'\n') {
            if newline != 0 {
                out(&rest[..newline]);
            }
            out(b"\r\n");
            (self.column, self.line_column) = (0, 0);
            rest = &rest[newline + 1..];
        }
        if !rest.is_empty() {
            out(rest);
            // Of a line longer than a screen is wide no tab is erased right anyway: look at its end alone.
            for byte in &rest[rest.len().saturating_sub(256)..] {
                self.put(*byte, &mut |_| {});
            }
        }
    }

    /// One piece of a read. A line that ends, ends the call: `total` becomes what is done.
    pub fn read(&mut self, transfer: &mut Transfer, into: &mut [u8]) -> Read {
        if into.is_empty() {
            return Read::Done(Ok(0));
        }
        if self.is_canonical() {
            self.read_line(transfer, into)
        } else {
            self.read_raw(transfer, into)
        }
    }

    fn read_line(&mut self, transfer: &mut Transfer, into: &mut [u8]) -> Read {
        if !self.line.has_line() {
            if transfer.done != 0 || self.end == End::Reached {
                return Read::Done(Ok(0));
            }
            return Read::Wait(None);
        }
        let last_piece = transfer.done + into.len() >= transfer.total;
        let taken = self.line.take_line(into, last_piece);
        transfer.done += taken.bytes;
        if taken.ended {
            transfer.total = transfer.done;
        }
        Read::Done(Ok(taken.bytes))
    }

    fn read_raw(&mut self, transfer: &mut Transfer, into: &mut [u8]) -> Read {
        let (minimum, time) = match self.kind {
            Kind::Plain => (1, 0),
            Kind::Terminal => (
                usize::from(self.termios.control[cc::VMIN]),
                self.termios.control[cc::VTIME],
            ),
        };
        let count = self.line.take(into);
        transfer.done += count;
        if count == into.len() && transfer.done < transfer.total {
            return Read::Done(Ok(count));
        }
        let wanted = minimum.min(transfer.total);
        if self.end == End::Reached || transfer.done >= wanted.max(1) {
            return Read::Done(Ok(count));
        }
        match (minimum, time) {
            (0, 0) => Read::Done(Ok(count)),
            (0, time) => Read::Wait(Some(time)),
            (_, 0) => Read::Wait(None),
            // The time runs between bytes: not before the first.
            (_, time) => Read::Wait((transfer.done != 0).then_some(time)),
        }
    }
}

const fn is_control(byte: u8) -> bool {
    byte < 0x20 || byte == 0x7f
}

/// What erasing a word takes for a part of it: letters and digits, as Linux has them in Latin-1, where the first bytes of
/// UTF-8 are letters, too.
const fn is_word(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || byte == b'_' || byte >= 0xc0 && byte != 0xd7 && byte != 0xf7
}
