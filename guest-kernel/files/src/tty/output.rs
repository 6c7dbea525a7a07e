//! What appears: a program's output and the echo.
use super::termios::flag;
use super::{Kind, Tty};
use crate::words;

impl Tty {
    /// Echoes a byte; a control character as ^X with ECHOCTL.
    pub(super) fn echo(&mut self, byte: u8, echo: &mut dyn FnMut(u8)) {
        if is_control(byte) && byte != b'\t' && self.termios.has_local(flag::ECHOCTL) {
            echo(b'^');
            echo(byte ^ 0x40);
            self.column += 2;
        } else {
            self.put(byte, echo);
        }
    }

    /// Puts out one byte, processed.
    pub(super) fn put(&mut self, byte: u8, out: &mut dyn FnMut(u8)) {
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
                out(if self.termios.has_output(flag::OLCUC) {
                    to_upper(byte)
                } else {
                    byte
                });
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
        const OTHERS: u32 = flag::OLCUC | flag::OCRNL | flag::ONOCR | flag::ONLRET | flag::XTABS;
        if self.termios.output & (COMMON | OTHERS) != COMMON {
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
}

/// OLCUC, of Latin-1, as Linux has it.
const fn to_upper(byte: u8) -> u8 {
    match byte {
        b'a'..=b'z' | 0xdf..=0xf6 | 0xf8..=0xff => byte - 0x20,
        _ => byte,
    }
}

/// IUCLC, likewise.
pub(super) const fn to_lower(byte: u8) -> u8 {
    match byte {
        b'A'..=b'Z' | 0xc0..=0xd6 | 0xd8..=0xde => byte + 0x20,
        _ => byte,
    }
}

pub(super) const fn is_control(byte: u8) -> bool {
    byte < 0x20 || byte == 0x7f
}
