//! A line as words and what stands between them.
use crate::LINE;
use core::ffi::CStr;
use guest_user::{getpid, variable};

/// A piece of a line.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Token {
    /// A word, from here on in the words.
    Word(usize),
    Pipe,
    Input,
    Output,
    Append,
    /// The end of a pipeline.
    End(End),
}

/// What a pipeline ends with.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum End {
    Line,
    Next,
    And,
    Or,
    Background,
}

/// Reads a line, and keeps the words of the pipeline that is being read.
pub struct Reader<'a> {
    line: &'a [u8],
    at: usize,
    words: [u8; LINE],
    used: usize,
    /// What `$?` stands for.
    pub status: u8,
}

impl<'a> Reader<'a> {
    /// At the start of a line.
    pub fn new(line: &'a [u8], status: u8) -> Self {
        Self {
            line,
            at: 0,
            words: [0; LINE],
            used: 0,
            status,
        }
    }

    /// The tokens up to the end of a pipeline; `None` where there are too many, or a quote has no end.
    pub fn pipeline(&mut self, tokens: &mut [Token]) -> Option<(usize, End)> {
        self.used = 0;
        let mut count = 0;
        loop {
            match self.token()? {
                Token::End(end) => return Some((count, end)),
                token => *tokens.get_mut(count)? = token,
            }
            count += 1;
        }
    }

    fn token(&mut self) -> Option<Token> {
        while self
            .peek()
            .is_some_and(|byte| byte == b' ' || byte == b'\t')
        {
            self.at += 1;
        }
        let next = self.line.get(self.at + 1).copied();
        let (token, length) = match (self.peek(), next) {
            (None | Some(b'#'), _) => {
                self.at = self.line.len();
                (Token::End(End::Line), 0)
            }
            (Some(b'|'), Some(b'|')) => (Token::End(End::Or), 2),
            (Some(b'|'), _) => (Token::Pipe, 1),
            (Some(b'&'), Some(b'&')) => (Token::End(End::And), 2),
            (Some(b'&'), _) => (Token::End(End::Background), 1),
            (Some(b';' | b'\n'), _) => (Token::End(End::Next), 1),
            (Some(b'<'), _) => (Token::Input, 1),
            (Some(b'>'), Some(b'>')) => (Token::Append, 2),
            (Some(b'>'), _) => (Token::Output, 1),
            _ => return self.word(),
        };
        self.at += length;
        Some(token)
    }

    fn peek(&self) -> Option<u8> {
        self.line.get(self.at).copied()
    }

    fn word(&mut self) -> Option<Token> {
        let start = self.used;
        let mut quote = None;
        while let Some(byte) = self.peek() {
            self.at += 1;
            match (quote, byte) {
                (None, b'\'' | b'"') => quote = Some(byte),
                (Some(open), _) if open == byte => quote = None,
                (Some(b'\''), _) => self.put(&[byte])?,
                (_, b'\\') => {
                    let escaped = self.peek()?;
                    self.at += 1;
                    self.put(&[escaped])?;
                }
                (_, b'$') => self.variable()?,
                (None, b' ' | b'\t' | b'\n' | b'|' | b'&' | b';' | b'<' | b'>') => {
                    self.at -= 1;
                    break;
                }
                _ => self.put(&[byte])?,
            }
        }
        self.put(b"\0")?;
        quote.is_none().then_some(Token::Word(start))
    }

    /// What stands after a `$`.
    fn variable(&mut self) -> Option<()> {
        let rest = &self.line[self.at..];
        let number = match rest.first() {
            Some(b'?') => u32::from(self.status),
            Some(b'$') => getpid() as u32,
            _ => {
                let is_name = |byte: &u8| byte.is_ascii_alphanumeric() || *byte == b'_';
                let length = rest.iter().take_while(|byte| is_name(byte)).count();
                self.at += length;
                let value = match core::str::from_utf8(&rest[..length]) {
                    Ok("") | Err(_) => Some(&b"$"[..]),
                    Ok(name) => variable(name),
                };
                return self.put(value.unwrap_or_default());
            }
        };
        self.at += 1;
        let mut digits = [0; 10];
        let mut start = digits.len();
        let mut left = number;
        while start == digits.len() || left > 0 {
            start -= 1;
            digits[start] = b'0' + (left % 10) as u8;
            left /= 10;
        }
        self.put(&digits[start..])
    }

    fn put(&mut self, bytes: &[u8]) -> Option<()> {
        let place = self.words.get_mut(self.used..self.used + bytes.len())?;
        place.copy_from_slice(bytes);
        self.used += bytes.len();
        Some(())
    }

    /// The word that begins there.
    pub fn text(&self, start: usize) -> &CStr {
        CStr::from_bytes_until_nul(&self.words[start..]).unwrap_or(c"")
    }
}
