//! The end of the machine.
use super::registers::{write_port, write_port_long};
use super::uart;
use crate::records::COUNTERS;
use contract::counters::EXIT_WORD;
use contract::ports::EXIT;
use contract::status::Exit;
use core::arch::asm;
use core::sync::atomic::Ordering::Release;

/// The keyboard controller's command port, and its command to reset the machine.
const KEYBOARD_COMMAND: u16 = 0x64;
const RESET: u8 = 0xfe;

/// Ends the machine: the reason to the counter page and the exit port. A monitor without that port gets
/// a reset.
pub fn exit(reason: Exit) -> ! {
    let word = reason.encode();
    COUNTERS.words[EXIT_WORD].store(u64::from(word), Release);
    uart::drain();
    // SAFETY: the machine ends here; no device needs memory for it.
    unsafe {
        write_port_long(EXIT, word);
        write_port(KEYBOARD_COMMAND, RESET);
    }
    loop {
        // SAFETY: interrupts are off: this halts for good.
        unsafe { asm!("cli", "hlt") };
    }
}
