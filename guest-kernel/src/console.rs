//! The console: the UART as a file.
//!
//! A plain console (the host's standard input or output is no terminal) passes bytes unchanged, and takes
//! them from the UART when a process reads and at no other time: what nobody reads stays with the host. A
//! terminal's bytes are taken as they come, for one of them may be Ctrl-C, and go through the line
//! discipline.
use crate::arch::interrupts::{SerialInterrupt, route_serial};
use crate::arch::uart::{self, Input};
use crate::boot::command_line;
use crate::host_keys::{Heard, HostKeys, WindowSize};
use crate::kernel::Kernel;
use crate::log;
use crate::process::Pid;
use crate::process::signal::{self, Info};
use crate::records::COUNTERS;
use contract::Errno;
use contract::counters::Counter;
use files::tty::{Flow, Kind, Read, Received, Termios, Tty};
use files::{Transfer, WaitFor};
use linux_raw_sys::general::TOSTOP;

/// Whether more input can come.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Supply {
    /// The UART's interrupt is off: nobody has waited yet.
    Quiet,
    /// The UART will interrupt.
    Listening,
    /// The host's input has ended.
    Ended,
}

/// What a read finds.
pub enum Found {
    /// The piece is over: so many bytes of it.
    Over(Result<usize, Errno>),
    /// Nothing yet; with a time in tenths of a second, after which the call ends with what it has (VTIME in
    /// termios(3)).
    Nothing(Option<u8>),
}

/// The console's state.
pub struct Console {
    kind: Kind,
    tty: Tty,
    supply: Supply,
    /// Whose controlling terminal it is.
    session: Option<Session>,
    keys: HostKeys,
    size: WindowSize,
}

/// A session that has the console as its controlling terminal.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct Session {
    /// The pid of its leader.
    pub leader: Pid,
    /// The process group that the terminal's signals go to, and that may read (tcsetpgrp(3)).
    pub foreground: Pid,
}

impl Session {
    /// The first process's.
    const FIRST: Self = Self {
        leader: Pid(1),
        foreground: Pid(1),
    };
}

/// Output on its way to the UART: the line discipline's runs put together.
struct Assembly {
    bytes: [u8; 512],
    length: usize,
}

impl Assembly {
    const fn new() -> Self {
        Self {
            bytes: [0; 512],
            length: 0,
        }
    }

    fn add(&mut self, run: &[u8]) {
        if self.length + run.len() > self.bytes.len() {
            self.send();
        }
        match self.bytes.get_mut(self.length..self.length + run.len()) {
            Some(place) => {
                place.copy_from_slice(run);
                self.length += run.len();
            }
            None => uart::write(run),
        }
    }

    fn send(&mut self) {
        uart::write(&self.bytes[..self.length]);
        self.length = 0;
    }
}

impl Console {
    /// A plain stream.
    pub const fn new() -> Self {
        Self {
            kind: Kind::Plain,
            tty: Tty::new(Kind::Plain),
            supply: Supply::Quiet,
            session: None,
            keys: HostKeys::Plain,
            size: WindowSize {
                rows: 0,
                columns: 0,
            },
        }
    }

    /// Makes it what the command line says.
    pub fn set_up(&mut self, console: command_line::Console) {
        if console == command_line::Console::Stream {
            return;
        }
        self.kind = Kind::Terminal;
        self.tty = Tty::new(Kind::Terminal);
        self.session = Some(Session::FIRST);
        if let command_line::Console::SizedTerminal(size) = console {
            (self.keys, self.size) = (HostKeys::FRAMED, size);
        }
        self.listen();
    }

    /// Reads one piece.
    pub fn read(&mut self, transfer: &mut Transfer, into: &mut [u8]) -> Found {
        match self.kind {
            Kind::Terminal => match self.tty.read(transfer, into) {
                Read::Done(result) => Found::Over(result),
                Read::Wait(time) => Found::Nothing(time),
            },
            Kind::Plain => self.read_plain(transfer, into),
        }
    }

    fn read_plain(&mut self, transfer: &mut Transfer, into: &mut [u8]) -> Found {
        let mut count = 0;
        while let Some(place) = into.get_mut(count)
            && self.supply != Supply::Ended
        {
            match uart::read() {
                Input::Byte(byte) => {
                    *place = byte;
                    count += 1;
                }
                Input::End => self.supply = Supply::Ended,
                Input::Empty => break,
            }
        }
        COUNTERS.add(Counter::ConsoleInputBytes, count as u64);
        transfer.done += count;
        if transfer.done > 0 || transfer.total == 0 || self.supply == Supply::Ended {
            return Found::Over(Ok(count));
        }
        self.listen();
        Found::Nothing(None)
    }

    /// Sees to it that input interrupts.
    pub fn listen(&mut self) {
        if self.supply == Supply::Quiet {
            self.supply = Supply::Listening;
            if route_serial() == SerialInterrupt::Unavailable {
                log!("no I/O APIC: input to the console will not be noticed");
            }
            uart::listen();
        }
    }

    /// Writes all of `bytes`.
    pub fn write(&mut self, bytes: &[u8]) {
        COUNTERS.add(Counter::ConsoleOutputBytes, bytes.len() as u64);
        match self.kind {
            Kind::Plain => uart::write(bytes),
            Kind::Terminal => {
                let mut assembly = Assembly::new();
                self.tty.output(bytes, &mut |run| assembly.add(run));
                assembly.send();
            }
        }
    }

    /// Whether output waits for the start character (IXON in termios(3)), or for TCOON.
    pub fn is_stopped(&self) -> bool {
        self.kind == Kind::Terminal && self.tty.flow() == Flow::Stopped
    }

    /// Stops output, or lets it go on (TCXONC).
    pub fn set_flow(&mut self, flow: Flow) {
        self.tty.set_flow(flow);
    }

    /// Sends one of the special characters to the other side.
    pub fn send_special(&self, character: u8) {
        if character != 0 {
            uart::write(&[character]);
        }
    }

    /// Bytes that a read would find now (FIONREAD).
    ///
    /// # Errors
    /// ENOTTY where it is no terminal.
    pub fn readable_bytes(&self) -> Result<usize, Errno> {
        self.tty.termios().map(|_| self.tty.readable_bytes())
    }

    /// Whether a read would not wait.
    pub fn is_readable(&self) -> bool {
        match self.kind {
            Kind::Terminal => self.tty.is_readable(),
            Kind::Plain => self.supply == Supply::Ended || uart::has_input(),
        }
    }

    /// The terminal's settings.
    ///
    /// # Errors
    /// ENOTTY where it is no terminal.
    pub const fn termios(&self) -> Result<Termios, Errno> {
        self.tty.termios()
    }

    /// Changes the terminal's settings.
    ///
    /// # Errors
    /// ENOTTY where it is no terminal.
    pub fn set_termios(&mut self, termios: Termios) -> Result<(), Errno> {
        self.tty.set_termios(termios)
    }

    /// Throws away input that was not read.
    pub fn flush_input(&mut self) {
        self.tty.flush_input();
    }

    /// Whether who writes in the background is stopped (TOSTOP).
    pub fn stops_background_output(&self) -> bool {
        self.termios()
            .is_ok_and(|settings| settings.local & TOSTOP != 0)
    }

    /// The session that it is the controlling terminal of.
    pub const fn session(&self) -> Option<Session> {
        self.session
    }

    /// Makes it a session's, or nobody's.
    pub const fn set_session(&mut self, session: Option<Session>) {
        self.session = session;
    }

    /// The terminal's size.
    pub const fn size(&self) -> WindowSize {
        self.size
    }

    /// Changes the terminal's size; answers the signals that this sends, as a set.
    pub fn set_size(&mut self, size: WindowSize) -> u64 {
        if core::mem::replace(&mut self.size, size) == size {
            0
        } else {
            signal::bit(signal::SIGWINCH)
        }
    }

    /// Takes a byte of input, and answers the signals that it sends, as a set.
    fn take_byte(&mut self, byte: u8) -> u64 {
        match self.keys.take(byte) {
            Heard::Nothing => 0,
            Heard::Size(size) => self.set_size(size),
            Heard::Key(key) => {
                let received = self.tty.input(key, &mut |echoed| uart::write(&[echoed]));
                if let Received::Signal(signal) = received {
                    signal::bit(signal)
                } else {
                    0
                }
            }
        }
    }

    /// Takes what a terminal's UART has, and answers the signals that were typed, as a set.
    fn take_typed(&mut self) -> u64 {
        let mut signals = 0;
        loop {
            match uart::read() {
                Input::Byte(byte) => {
                    COUNTERS.add(Counter::ConsoleInputBytes, 1);
                    signals |= self.take_byte(byte);
                }
                Input::End => {
                    self.supply = Supply::Ended;
                    self.tty.end_input();
                }
                Input::Empty => return signals,
            }
        }
    }
}

impl Kernel {
    /// The UART has something: the first who waits for it asks again, and what was typed to send a signal
    /// sends it.
    pub fn take_console_input(&mut self) {
        if self.console.kind == Kind::Terminal {
            let mut signals = self.console.take_typed();
            while signals != 0 {
                let signal = signals.trailing_zeros() as u8 + 1;
                signals &= signals - 1;
                if let Some(session) = self.console.session {
                    self.signal_group(session.foreground, signal, Info::Kernel);
                }
            }
        }
        if self.console.is_readable() {
            self.files.note_console_input();
        }
        self.wake_queue(WaitFor::ConsoleInput);
        self.wake_queue(WaitFor::Readiness);
        self.wake_writers();
        self.tell_all();
    }

    /// Who waits to write to the console asks again, where output may go on.
    pub fn wake_writers(&mut self) {
        if !self.console.is_stopped() {
            self.wake_queue(WaitFor::ConsoleOutput);
        }
    }

    /// Whether something can still come from the console that somebody waits for.
    pub fn waits_for_console(&mut self) -> bool {
        let waiting = [
            WaitFor::ConsoleInput,
            WaitFor::ConsoleOutput,
            WaitFor::Readiness,
        ]
        .into_iter()
        .any(|key| {
            self.files
                .wait_queue_mut(key)
                .is_some_and(|queue| !queue.is_empty())
        });
        // At a terminal somebody may also type a signal.
        let listens = waiting || self.console.session.is_some();
        listens && self.console.supply != Supply::Ended
    }
}
