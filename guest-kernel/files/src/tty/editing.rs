//! The line that is being typed.
use super::output::is_control;
use super::termios::{cc, flag};
use super::{Next, Received, Tty};

impl Tty {
    /// A byte that may edit or end the line.
    pub(super) fn edit(&mut self, byte: u8, echo: &mut dyn FnMut(u8)) -> Received {
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
    pub(super) fn keep(&mut self, byte: u8, typed: u8, echo: &mut dyn FnMut(u8)) -> Received {
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

    pub(super) fn is_continuation(&self, byte: u8) -> bool {
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
}

/// What erasing a word takes for a part of it: letters and digits, as Linux has them in Latin-1, where the first bytes of
/// UTF-8 are letters, too.
const fn is_word(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || byte == b'_' || byte >= 0xc0 && byte != 0xd7 && byte != 0xf7
}
