//! The console: a 16550 (PC16550D data sheet), and beside it the doorbell of cowbell's own monitor.
//!
//! The FIFOs stay off: to turn them on resets them, and takes away input that came before boot.
use super::layout::physical_address;
use super::registers::{read_port, read_port_long, write_port, write_port_long};
use contract::ports::{DOORBELL, DOORBELL_SIGNATURE, OutputBuffer, SERIAL};
use core::sync::atomic::{AtomicU8, Ordering::Relaxed};

const DATA: u16 = SERIAL;
const INTERRUPT_ENABLE: u16 = SERIAL + 1;
const MODEM_CONTROL: u16 = SERIAL + 4;
const LINE_STATUS: u16 = SERIAL + 5;

const RECEIVED_DATA_INTERRUPT: u8 = 1;
/// DTR, RTS, OUT2; the last lets interrupts out.
const MODEM: u8 = 0b1011;
const DATA_READY: u8 = 1;
const BREAK: u8 = 1 << 4;
const TRANSMITTER_EMPTY: u8 = 1 << 5;
/// The shift register is empty too: everything is out.
const ALL_SENT: u8 = 1 << 6;

const UNKNOWN: u8 = 0;
const BY_DOORBELL: u8 = 1;
const BY_BYTES: u8 = 2;

/// How output goes; found out when there first is some.
static OUTPUT: AtomicU8 = AtomicU8::new(UNKNOWN);

/// A break that an earlier look at the line status has seen: reading it takes it away (8.4 of the data sheet), and the
/// byte that it belongs to is still in the receiver.
static BREAK_SEEN: AtomicU8 = AtomicU8::new(0);

/// What the receiver has.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Input {
    /// The next byte.
    Byte(u8),
    /// The host's input has ended; no more bytes will come.
    End,
    /// Nothing at present.
    Empty,
}

/// Writes to the console. `bytes` are contiguous in physical memory: a slice of the direct map or of the
/// image.
pub fn write(bytes: &[u8]) {
    if bytes.is_empty() {
        return;
    }
    if OUTPUT.load(Relaxed) == UNKNOWN {
        find_output();
    }
    if OUTPUT.load(Relaxed) == BY_DOORBELL {
        ring(bytes);
    } else {
        for &byte in bytes {
            await_status(TRANSMITTER_EMPTY);
            // SAFETY: the UART sends it.
            unsafe { write_port(DATA, byte) };
        }
    }
}

/// Waits until all that was written has left: a monitor may drop what is still inside when the machine ends.
pub fn drain() {
    if OUTPUT.load(Relaxed) == BY_BYTES {
        await_status(ALL_SENT);
    }
}

/// The line status; a break stays in it. All bits are set where there is no UART.
fn line_status() -> u8 {
    let status = read_port(LINE_STATUS);
    if status & BREAK != 0 && status != u8::MAX {
        BREAK_SEEN.store(BREAK, Relaxed);
    }
    status | BREAK_SEEN.load(Relaxed)
}

fn await_status(bits: u8) {
    loop {
        if line_status() & bits != 0 {
            return;
        }
        core::hint::spin_loop();
    }
}

#[cold]
fn find_output() {
    let found = read_port_long(DOORBELL) == DOORBELL_SIGNATURE;
    OUTPUT.store(if found { BY_DOORBELL } else { BY_BYTES }, Relaxed);
}

/// Hands the bytes to the monitor. On the stack, the request is in the image: below 4 GiB.
fn ring(bytes: &[u8]) {
    let request = OutputBuffer {
        address: physical_address(bytes.as_ptr()).as_u64(),
        length: bytes.len() as u64,
    };
    let address = physical_address(&raw const request).as_u64();
    // SAFETY: the monitor reads the request and the bytes, which both stay until it has.
    unsafe { write_port_long(DOORBELL, address as u32) };
}

/// Lets the UART interrupt when input comes.
pub fn listen() {
    // SAFETY: settings of the UART.
    unsafe {
        write_port(MODEM_CONTROL, MODEM);
        write_port(INTERRUPT_ENABLE, RECEIVED_DATA_INTERRUPT);
    }
}

/// Whether [`read`] would find something.
pub fn has_input() -> bool {
    let status = line_status();
    status & DATA_READY != 0 && status != u8::MAX
}

/// Takes what the receiver has. A break is the end of input.
pub fn read() -> Input {
    let status = line_status();
    if status & DATA_READY == 0 || status == u8::MAX {
        return Input::Empty;
    }
    let byte = read_port(DATA);
    if status & BREAK != 0 {
        Input::End
    } else {
        Input::Byte(byte)
    }
}
