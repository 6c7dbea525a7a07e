//! Buffered standard output and unbuffered standard error, as C has them (ISO C 7.21.3, setbuf(3)).
//!
//! Output gathers in the process's own memory. It is written when the buffer is full, at
//! [`exit`](crate::exit), and, where standard output is a terminal, at the end of each line. So, as in C,
//! `fork` copies what has not been written yet, exec throws it away, and `_exit` does not write it.
use crate::{files, single::Single};
use core::fmt;

/// Bytes of the buffer: a page, as glibc's for files and pipes.
const CAPACITY: usize = 4096;

/// When the buffer is written.
enum Mode {
    /// Not known before the first output.
    Unknown,
    /// At each newline: a terminal.
    Line,
    /// When it is full.
    Full,
}

struct Buffer {
    length: usize,
    mode: Mode,
    bytes: [u8; CAPACITY],
}

static STDOUT: Single<Buffer> = Single::new(Buffer {
    length: 0,
    mode: Mode::Unknown,
    bytes: [0; CAPACITY],
});

impl Buffer {
    fn flush(&mut self) -> crate::Result<()> {
        let length = core::mem::take(&mut self.length);
        files::write_all(files::STDOUT, &self.bytes[..length])
    }

    fn write(&mut self, bytes: &[u8]) -> crate::Result<()> {
        if let Mode::Unknown = self.mode {
            self.mode = if files::isatty(files::STDOUT) {
                Mode::Line
            } else {
                Mode::Full
            };
        }
        let line_end = bytes.iter().rposition(|&byte| byte == b'\n');
        match (&self.mode, line_end) {
            (Mode::Line, Some(at)) => {
                self.append(&bytes[..=at])?;
                self.flush()?;
                self.append(&bytes[at + 1..])
            }
            _ => self.append(bytes),
        }
    }

    fn append(&mut self, mut bytes: &[u8]) -> crate::Result<()> {
        while !bytes.is_empty() {
            if self.length == CAPACITY {
                self.flush()?;
            }
            let count = bytes.len().min(CAPACITY - self.length);
            self.bytes[self.length..self.length + count].copy_from_slice(&bytes[..count]);
            self.length += count;
            bytes = &bytes[count..];
        }
        Ok(())
    }
}

/// Writes bytes to the buffer of standard output.
///
/// # Errors
/// Those of write(2), where the buffer had to be written.
pub fn put(bytes: &[u8]) -> crate::Result<()> {
    STDOUT.with(|buffer| buffer.write(bytes))
}

/// fflush(3) of standard output.
///
/// # Errors
/// Those of write(2); what was in the buffer is gone all the same.
pub fn flush() -> crate::Result<()> {
    STDOUT.with(Buffer::flush)
}

/// Standard output for `write!`.
pub struct Stdout;

impl fmt::Write for Stdout {
    fn write_str(&mut self, text: &str) -> fmt::Result {
        put(text.as_bytes()).map_err(|_| fmt::Error)
    }
}

/// A line for standard error: gathered first, so that it goes out in one piece.
struct Line {
    length: usize,
    bytes: [u8; 256],
}

impl fmt::Write for Line {
    fn write_str(&mut self, text: &str) -> fmt::Result {
        for &byte in text.as_bytes() {
            if self.length == self.bytes.len() {
                self.send();
            }
            self.bytes[self.length] = byte;
            self.length += 1;
        }
        Ok(())
    }
}

impl Line {
    fn send(&mut self) {
        // There is no better place to report that standard error cannot be written.
        let _ = files::write_all(files::STDERR, &self.bytes[..self.length]);
        self.length = 0;
    }
}

/// What `print!` expands to. As with printf(3) whose result is not looked at, an error of the write is
/// lost here; [`flush`] reports its own.
#[doc(hidden)]
pub fn print(text: fmt::Arguments<'_>) {
    let _ = fmt::Write::write_fmt(&mut Stdout, text);
}

/// What `eprint!` expands to.
#[doc(hidden)]
pub fn eprint(text: fmt::Arguments<'_>) {
    let mut line = Line {
        length: 0,
        bytes: [0; 256],
    };
    let _ = fmt::Write::write_fmt(&mut line, text);
    line.send();
}

/// Prints to standard output, buffered.
#[macro_export]
macro_rules! print {
    ($($text:tt)*) => { $crate::stdio::print(::core::format_args!($($text)*)) };
}

/// Prints a line to standard output, buffered.
#[macro_export]
macro_rules! println {
    () => { $crate::print!("\n") };
    ($text:literal $($rest:tt)*) => { $crate::print!("{}\n", ::core::format_args!($text $($rest)*)) };
}

/// Prints a line to standard error, at once.
#[macro_export]
macro_rules! eprintln {
    ($text:literal $($rest:tt)*) => {
        $crate::stdio::eprint(::core::format_args!("{}\n", ::core::format_args!($text $($rest)*)))
    };
}
