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
    write(&format!("cowbell: {message}\n"));
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
