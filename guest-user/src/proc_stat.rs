//! A process in `/proc/PID/stat` (proc(5)), as far as `ps` shows it.
use crate::{Pid, Result, files};
use core::fmt::{self, Write};

/// The first fields of the line.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct ProcessLine<'a> {
    /// Its pid.
    pub pid: Pid,
    /// Its parent's pid.
    pub parent: Pid,
    /// What it is doing: `R`unning, `S`leeping, `Z`ombie.
    pub state: char,
    /// The name of its program.
    pub name: &'a str,
}

impl<'a> ProcessLine<'a> {
    /// Takes the line apart. The name stands in parentheses and may hold any byte, these included.
    pub fn parse(line: &'a [u8]) -> Option<Self> {
        let line = core::str::from_utf8(line).ok()?;
        let (pid, rest) = line.split_once(" (")?;
        let (name, rest) = rest.rsplit_once(") ")?;
        let mut fields = rest.split_ascii_whitespace();
        let state = fields.next()?.chars().next()?;
        Some(Self {
            pid: pid.parse().ok()?,
            parent: fields.next()?.parse().ok()?,
            state,
            name,
        })
    }

    /// What stands above lines as `Display` writes them.
    pub const HEADER: &'static str = "  PID  PPID S NAME";
}

impl fmt::Display for ProcessLine<'_> {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self {
            pid,
            parent,
            state,
            name,
        } = self;
        write!(out, "{pid:5} {parent:5} {state} {name}")
    }
}

/// Reads the line of one process.
///
/// # Errors
/// ENOENT where there is no such process.
pub fn read(pid: Pid, buffer: &mut [u8; 512]) -> Result<Option<ProcessLine<'_>>> {
    let mut path = Path {
        bytes: [0; 32],
        length: 0,
    };
    // It fits: the longest pid has eleven characters.
    let _ = write!(path, "/proc/{pid}/stat");
    let path = core::ffi::CStr::from_bytes_until_nul(&path.bytes).unwrap_or_default();
    let length = files::read_file(path, buffer)?;
    Ok(ProcessLine::parse(&buffer[..length]))
}

/// A short path, NUL-terminated.
struct Path {
    bytes: [u8; 32],
    length: usize,
}

impl Write for Path {
    fn write_str(&mut self, text: &str) -> fmt::Result {
        let end = self.length + text.len();
        // The last byte stays the NUL.
        if end >= self.bytes.len() {
            return Err(fmt::Error);
        }
        self.bytes[self.length..end].copy_from_slice(text.as_bytes());
        self.length = end;
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_comes_apart() {
        let line = ProcessLine::parse(b"17 (fork_exec) S 1 17 17 0 -1 4194304\n").unwrap();
        assert_eq!(
            line,
            ProcessLine {
                pid: 17,
                parent: 1,
                state: 'S',
                name: "fork_exec"
            }
        );
        assert_eq!(line.to_string(), "   17     1 S fork_exec");
    }

    #[test]
    fn a_name_may_look_like_the_rest() {
        let line = ProcessLine::parse(b"3 (a) Z 9 (b) R 2 0").unwrap();
        assert_eq!((line.name, line.state, line.parent), ("a) Z 9 (b", 'R', 2));
    }

    #[test]
    fn nonsense_is_nothing() {
        for line in [
            &b""[..],
            b"1",
            b"1 (x",
            b"1 (x) ",
            b"x (y) S 1",
            b"1 (\xff) S 1",
        ] {
            assert_eq!(ProcessLine::parse(line), None);
        }
    }

    #[test]
    fn this_process_is_there() {
        let mut buffer = [0; 512];
        let line = read(crate::getpid(), &mut buffer).unwrap().unwrap();
        assert_eq!((line.pid, line.parent), (crate::getpid(), crate::getppid()));
    }
}
