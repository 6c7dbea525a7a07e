//! What cowbell itself says: lines on standard error, each with its name in front.

use std::io::Write;
use std::sync::atomic::{AtomicBool, Ordering};

/// Set while the terminal does not turn a newline into carriage return and newline.
static RAW_TERMINAL: AtomicBool = AtomicBool::new(false);

/// Says whether the terminal is left without output processing.
pub fn set_raw_terminal(raw: bool) {
    RAW_TERMINAL.store(raw, Ordering::Relaxed);
}

/// Writes one message, which may have several lines. A standard error that cannot be written is nobody's to tell.
pub fn say(message: &str) {
    write(&format!("cowbell: {}\n", without_numbers(message)));
}

/// A message without what Rust puts behind the words of a system error: `(os error 2)`.
#[must_use]
pub fn without_numbers(message: &str) -> String {
    let mut parts = message.split(" (os error ");
    let mut plain = parts.next().unwrap_or_default().to_owned();
    for part in parts {
        plain += part.split_once(')').map_or("", |(_, rest)| rest);
    }
    plain
}

/// Writes text as it is, newlines as the terminal needs them.
pub fn write(text: &str) {
    let bytes = if RAW_TERMINAL.load(Ordering::Relaxed) {
        text.replace('\n', "\r\n")
    } else {
        text.to_owned()
    };
    let _ = std::io::stderr().write_all(bytes.as_bytes());
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn errors_are_words() {
        for (message, plain) in [
            (
                "cannot read x: Is a directory (os error 21)",
                "cannot read x: Is a directory",
            ),
            ("a (os error 1), b (os error 2): c", "a, b: c"),
            ("nothing (of that kind)", "nothing (of that kind)"),
        ] {
            assert_eq!(without_numbers(message), plain);
        }
    }
}
