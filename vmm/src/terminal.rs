//! The host's terminal: raw while the machine runs, and put back on every way out.

use crate::messages;
use anyhow::{Context, Result};
use std::io::IsTerminal;
use std::mem::MaybeUninit;
use std::sync::OnceLock;
use std::sync::atomic::{AtomicBool, Ordering};

/// The settings found at the start.
static SAVED: OnceLock<libc::termios> = OnceLock::new();
/// The settings while the machine runs.
static RAW_SETTINGS: OnceLock<libc::termios> = OnceLock::new();
/// The size that the guest was told first, where it is told at all.
static FIRST_SIZE: OnceLock<Size> = OnceLock::new();
/// Whether the terminal is raw now.
static RAW: AtomicBool = AtomicBool::new(false);

/// What the guest's console is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Console {
    /// A terminal on both sides: the guest does what a terminal does.
    Terminal,
    /// A stream of bytes.
    Stream,
}

/// The size of a terminal in characters.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Size {
    /// Lines.
    pub rows: u16,
    /// Characters in a line.
    pub columns: u16,
}

/// The terminal's size now, if it has one.
#[must_use]
pub fn size() -> Option<Size> {
    let mut size = libc::winsize {
        ws_row: 0,
        ws_col: 0,
        ws_xpixel: 0,
        ws_ypixel: 0,
    };
    // SAFETY: TIOCGWINSZ writes one such structure.
    let result = unsafe { libc::ioctl(libc::STDIN_FILENO, libc::TIOCGWINSZ, &raw mut size) };
    (result >= 0).then_some(Size {
        rows: size.ws_row,
        columns: size.ws_col,
    })
}

/// Decides that the guest is told the terminal's size, and answers what it is told first.
#[must_use]
pub fn tell_size() -> Option<Size> {
    size().map(|size| *FIRST_SIZE.get_or_init(|| size))
}

/// The size that the guest was told first; `None` where it is not told.
#[must_use]
pub fn told_size() -> Option<Size> {
    FIRST_SIZE.get().copied()
}

/// Whether standard input is a terminal whose foreground this process is in. In the background it must not touch the
/// terminal: it would be stopped (SIGTTIN, SIGTTOU).
#[must_use]
pub fn is_foreground() -> bool {
    let standard_input = std::io::stdin();
    standard_input.is_terminal()
        && nix::unistd::tcgetpgrp(&standard_input)
            .is_ok_and(|group| group == nix::unistd::getpgrp())
}

/// Standard input and output are one terminal, or the console is a stream.
#[must_use]
pub fn console() -> Console {
    if is_foreground() && std::io::stdout().is_terminal() {
        Console::Terminal
    } else {
        Console::Stream
    }
}

/// Makes the terminal raw if standard input is one. A [`Guard`] puts it back; so do the panic hook and the handler
/// of a second signal, which call [`restore`].
///
/// # Errors
/// The terminal refuses.
pub fn make_raw(console: Console) -> Result<Guard> {
    if !is_foreground() {
        return Ok(Guard);
    }
    let mut settings = MaybeUninit::<libc::termios>::uninit();
    // SAFETY: the structure is as large as tcgetattr(3) writes.
    if unsafe { libc::tcgetattr(libc::STDIN_FILENO, settings.as_mut_ptr()) } < 0 {
        return Err(std::io::Error::last_os_error()).context("cannot read the terminal's settings");
    }
    // SAFETY: tcgetattr succeeded, so it is filled in.
    let saved = unsafe { settings.assume_init() };
    let saved = *SAVED.get_or_init(|| saved);
    let mut raw = saved;
    raw.c_iflag &=
        !(libc::BRKINT | libc::ICRNL | libc::INLCR | libc::IGNCR | libc::ISTRIP | libc::IXON);
    raw.c_lflag &= !(libc::ICANON | libc::ECHO | libc::ISIG | libc::IEXTEN);
    raw.c_cc[libc::VMIN] = 1;
    raw.c_cc[libc::VTIME] = 0;
    if console == Console::Terminal {
        // The guest's line discipline makes carriage returns of its own.
        raw.c_oflag &= !libc::OPOST;
    } else {
        // The guest sees no terminal, so nobody there would make a newline of Return.
        raw.c_iflag |= saved.c_iflag & libc::ICRNL;
    }
    let raw = *RAW_SETTINGS.get_or_init(|| raw);
    RAW.store(true, Ordering::Release);
    // SAFETY: the structure is initialised and outlives the call.
    if unsafe { libc::tcsetattr(libc::STDIN_FILENO, libc::TCSANOW, &raw const raw) } < 0 {
        return Err(std::io::Error::last_os_error()).context("cannot make the terminal raw");
    }
    messages::set_raw_terminal(console == Console::Terminal);
    Ok(Guard)
}

/// Puts the terminal back. Async-signal-safe; does nothing where there is nothing to put back.
pub fn restore() {
    if RAW.swap(false, Ordering::AcqRel)
        && let Some(saved) = SAVED.get()
    {
        // SAFETY: the structure is initialised and never changes.
        unsafe { libc::tcsetattr(libc::STDIN_FILENO, libc::TCSANOW, saved) };
        messages::set_raw_terminal(false);
    }
}

/// Before this process is stopped: puts the terminal back for who comes to the foreground. Async-signal-safe.
pub fn suspend() {
    if RAW.load(Ordering::Acquire)
        && let Some(saved) = SAVED.get()
    {
        set_from_handler(saved);
    }
}

/// After this process was stopped and goes on: somebody else may have changed the terminal. Async-signal-safe.
pub fn resume() {
    if RAW.load(Ordering::Acquire)
        && let Some(raw) = RAW_SETTINGS.get()
    {
        set_from_handler(raw);
    }
}

/// Sets the terminal where this process is in its foreground: in the background it would be stopped for it.
fn set_from_handler(settings: &libc::termios) {
    // SAFETY: both take a descriptor and nothing else.
    let is_foreground = unsafe { libc::tcgetpgrp(libc::STDIN_FILENO) == libc::getpgrp() };
    if is_foreground {
        // SAFETY: the structure is initialised and never changes.
        unsafe { libc::tcsetattr(libc::STDIN_FILENO, libc::TCSANOW, settings) };
    }
}

/// Puts the terminal back when dropped.
#[must_use]
pub struct Guard;

impl Drop for Guard {
    fn drop(&mut self) {
        restore();
    }
}
