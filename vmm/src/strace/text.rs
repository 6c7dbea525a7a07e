//! Strings as strace(1) shows them.

use std::fmt::Write;

/// How bytes that are no text are shown.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Quoting {
    /// Those that are not printable, in octal.
    Octal,
    /// All, in hexadecimal: they are never text.
    Hexadecimal,
}

/// Bytes in quotes, with C's escapes.
#[must_use]
pub fn quote(bytes: &[u8], quoting: Quoting) -> String {
    let mut text = String::with_capacity(bytes.len() + 2);
    text.push('"');
    for (at, &byte) in bytes.iter().enumerate() {
        let _ = match (quoting, byte) {
            (Quoting::Hexadecimal, _) => write!(text, "\\x{byte:02x}"),
            (_, b'"' | b'\\') => write!(text, "\\{}", char::from(byte)),
            (_, b'\n') => write!(text, "\\n"),
            (_, b'\r') => write!(text, "\\r"),
            (_, b'\t') => write!(text, "\\t"),
            (_, 0x0b) => write!(text, "\\v"),
            (_, 0x0c) => write!(text, "\\f"),
            (_, b' '..=b'~') => write!(text, "{}", char::from(byte)),
            // As few digits as can be read back.
            _ if bytes.get(at + 1).is_some_and(u8::is_ascii_digit) => write!(text, "\\{byte:03o}"),
            _ => write!(text, "\\{byte:o}"),
        };
    }
    text.push('"');
    text
}

/// A word, as `%#x` of C: 0 has no prefix.
#[must_use]
pub fn number(value: u64) -> String {
    match value {
        0 => "0".to_owned(),
        value => format!("{value:#x}"),
    }
}

/// An address, as `%p` of C but for NULL.
#[must_use]
pub fn address(value: u64) -> String {
    if value == 0 {
        "NULL".to_owned()
    } else {
        format!("{value:#x}")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn strings_read_back_as_they_were() {
        let shown = quote(b"a\"b\\\n\x1b[0m\x001\xff", Quoting::Octal);
        assert_eq!(shown, r#""a\"b\\\n\33[0m\0001\377""#);
        assert_eq!(quote(b"A\0", Quoting::Hexadecimal), r#""\x41\x00""#);
    }
}
