//! What `calc` calculates: `+ - * / %`, parentheses and minus signs over 64-bit integers.
//!
//! ```text
//! sum     = product { ("+" | "-") product }
//! product = factor { ("*" | "/" | "%") factor }
//! factor  = "-" factor | "(" sum ")" | digits
//! ```
use core::fmt;
use core::iter::Peekable;

/// Deepest nesting of parentheses and minus signs: the stack is not endless.
const DEPTH_LIMIT: u32 = 200;

/// Why an expression has no value.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Error {
    /// It ends where a number was expected, or a parenthesis is missing.
    UnexpectedEnd,
    /// This byte, counted from 1, cannot stand there.
    Unexpected(u8, usize),
    /// A division by zero.
    DivisionByZero,
    /// A number or a result that does not fit into 64 bits.
    Overflow,
    /// Nested deeper than 200.
    TooDeep,
}

impl fmt::Display for Error {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        match *self {
            Self::UnexpectedEnd => out.write_str("syntax error: the expression ends too early"),
            Self::Unexpected(byte @ b'!'..=b'~', at) => {
                write!(
                    out,
                    "syntax error: '{}' at character {at}",
                    char::from(byte)
                )
            }
            Self::Unexpected(byte, at) => {
                write!(out, "syntax error: byte {byte:#04x} at character {at}")
            }
            Self::DivisionByZero => out.write_str("division by zero"),
            Self::Overflow => out.write_str("overflow: the value does not fit into 64 bits"),
            Self::TooDeep => out.write_str("nested too deeply"),
        }
    }
}

/// The value of an expression.
///
/// # Errors
/// See [`Error`].
pub fn evaluate(text: impl Iterator<Item = u8>) -> Result<i64, Error> {
    let mut parser = Parser {
        rest: text.peekable(),
        at: 1,
        depth: 0,
    };
    let value = parser.sum()?;
    match parser.peek() {
        None => Ok(value),
        Some(byte) => Err(Error::Unexpected(byte, parser.at)),
    }
}

struct Parser<T: Iterator<Item = u8>> {
    rest: Peekable<T>,
    /// Position of the next byte, from 1.
    at: usize,
    depth: u32,
}

impl<T: Iterator<Item = u8>> Parser<T> {
    /// The next byte that is not a blank.
    fn peek(&mut self) -> Option<u8> {
        while self.rest.next_if(u8::is_ascii_whitespace).is_some() {
            self.at += 1;
        }
        self.rest.peek().copied()
    }

    fn step(&mut self) {
        self.rest.next();
        self.at += 1;
    }

    fn sum(&mut self) -> Result<i64, Error> {
        let mut value = self.product()?;
        loop {
            let combine = match self.peek() {
                Some(b'+') => i64::checked_add,
                Some(b'-') => i64::checked_sub,
                _ => return Ok(value),
            };
            self.step();
            value = combine(value, self.product()?).ok_or(Error::Overflow)?;
        }
    }

    fn product(&mut self) -> Result<i64, Error> {
        let mut value = self.factor()?;
        loop {
            let (combine, divides): (fn(i64, i64) -> Option<i64>, _) = match self.peek() {
                Some(b'*') => (i64::checked_mul, false),
                Some(b'/') => (i64::checked_div, true),
                Some(b'%') => (i64::checked_rem, true),
                _ => return Ok(value),
            };
            self.step();
            let right = self.factor()?;
            if divides && right == 0 {
                return Err(Error::DivisionByZero);
            }
            value = combine(value, right).ok_or(Error::Overflow)?;
        }
    }

    fn factor(&mut self) -> Result<i64, Error> {
        self.depth += 1;
        if self.depth > DEPTH_LIMIT {
            return Err(Error::TooDeep);
        }
        let value = match self.peek() {
            Some(b'-') => {
                self.step();
                match self.peek() {
                    // The least number has no positive counterpart to negate.
                    Some(b'0'..=b'9') => {
                        self.digits(|value, digit| value.checked_mul(10)?.checked_sub(digit))?
                    }
                    _ => self.factor()?.checked_neg().ok_or(Error::Overflow)?,
                }
            }
            Some(b'(') => {
                self.step();
                let value = self.sum()?;
                match self.peek() {
                    Some(b')') => self.step(),
                    Some(byte) => return Err(Error::Unexpected(byte, self.at)),
                    None => return Err(Error::UnexpectedEnd),
                }
                value
            }
            Some(b'0'..=b'9') => {
                self.digits(|value, digit| value.checked_mul(10)?.checked_add(digit))?
            }
            Some(byte) => return Err(Error::Unexpected(byte, self.at)),
            None => return Err(Error::UnexpectedEnd),
        };
        self.depth -= 1;
        Ok(value)
    }

    fn digits(&mut self, append: fn(i64, i64) -> Option<i64>) -> Result<i64, Error> {
        let mut value = 0;
        while let Some(digit) = self.rest.next_if(u8::is_ascii_digit) {
            self.at += 1;
            value = append(value, i64::from(digit - b'0')).ok_or(Error::Overflow)?;
        }
        Ok(value)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn value(text: &str) -> Result<i64, Error> {
        evaluate(text.bytes())
    }

    #[test]
    fn values() {
        for (text, expected) in [
            ("6*7", 42),
            (" 1 + 2 * 3 ", 7),
            ("(1+2)*3", 9),
            ("10-2-3", 5),
            ("100/7", 14),
            ("100%7", 2),
            ("-7%3", -1),
            ("-7/2", -3),
            ("--5", 5),
            ("-(2+3)", -5),
            ("2*-3", -6),
            ("2--3", 5),
            ("0", 0),
            ("007", 7),
            ("9223372036854775807", i64::MAX),
            ("-9223372036854775808", i64::MIN),
            ("- 9223372036854775808", i64::MIN),
        ] {
            assert_eq!(value(text), Ok(expected), "{text}");
        }
    }

    #[test]
    fn errors() {
        for (text, expected) in [
            ("", Error::UnexpectedEnd),
            ("  ", Error::UnexpectedEnd),
            ("1+", Error::UnexpectedEnd),
            ("(1", Error::UnexpectedEnd),
            ("1)", Error::Unexpected(b')', 2)),
            ("1 2", Error::Unexpected(b'2', 3)),
            ("6x7", Error::Unexpected(b'x', 2)),
            ("()", Error::Unexpected(b')', 2)),
            ("(1]", Error::Unexpected(b']', 3)),
            ("*1", Error::Unexpected(b'*', 1)),
            ("1/0", Error::DivisionByZero),
            ("1%0", Error::DivisionByZero),
            ("9223372036854775808", Error::Overflow),
            ("9223372036854775807+1", Error::Overflow),
            ("-9223372036854775808-1", Error::Overflow),
            ("-9223372036854775808/-1", Error::Overflow),
            ("-9223372036854775808%-1", Error::Overflow),
            ("-(-9223372036854775808)", Error::Overflow),
            ("4611686018427387904*2", Error::Overflow),
        ] {
            assert_eq!(value(text), Err(expected), "{text}");
        }
    }

    #[test]
    fn depth_ends_in_an_error_and_width_does_not() {
        assert_eq!(value(&"(".repeat(100_000)), Err(Error::TooDeep));
        assert_eq!(value(&"-".repeat(100_000)), Err(Error::TooDeep));
        assert_eq!(value(&("1+".repeat(100_000) + "1")), Ok(100_001));
        assert_eq!(value(&("(1)+".repeat(100_000) + "1")), Ok(100_001));
    }
}
