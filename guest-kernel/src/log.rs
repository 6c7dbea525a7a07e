//! The kernel's own messages: `log!` writes one line.
use crate::arch::uart;
use crate::records::LOG;
use core::fmt::{self, Write};
use core::sync::atomic::{AtomicBool, Ordering::Relaxed};

/// Where the log goes.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Destination {
    /// To memory, where a cowbell monitor reads it.
    Memory,
    /// And to the UART, for other monitors.
    MemoryAndUart,
}

static ALSO_UART: AtomicBool = AtomicBool::new(true);

/// Decides where the log goes from now on.
pub fn set_destination(destination: Destination) {
    ALSO_UART.store(destination == Destination::MemoryAndUart, Relaxed);
}

struct Writer;

impl Write for Writer {
    fn write_str(&mut self, text: &str) -> fmt::Result {
        LOG.append(text.as_bytes());
        if ALSO_UART.load(Relaxed) {
            uart::write(text.as_bytes());
        }
        Ok(())
    }
}

/// Writes one line; `log!` calls it.
pub fn line(arguments: fmt::Arguments) {
    // `Writer` never fails; an error of a `Display` leaves the line short.
    let _ = Writer.write_fmt(arguments);
    let _ = Writer.write_str("\n");
}

/// Writes a line to the kernel log; arguments as for `format!`.
#[macro_export]
macro_rules! log {
    ($($argument:tt)*) => { $crate::log::line(format_args!($($argument)*)) };
}
