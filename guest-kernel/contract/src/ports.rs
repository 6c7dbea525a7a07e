//! The I/O ports of the machine.
//!
//! ```text
//! 0x00f4          exit: a 32-bit write ends the machine (QEMU's isa-debug-exit at the same place)
//! 0x03f8..0x03ff  COM1, a 16550: the console, both ways; interrupt 4
//! 0xc0b0..0xc0b3  console doorbell; only cowbell's own monitor answers there
//! 0xc0b4..0xc0b7  doorbell of the channel, likewise
//! ```

/// A write of any 32-bit value ends the machine. The value is [`crate::status::Exit::encode`]d; the
/// authoritative copy is in the counter page, because QEMU passes on seven bits only.
pub const EXIT: u16 = 0xf4;

/// First port of the 16550 UART that is the console.
pub const SERIAL: u16 = 0x3f8;

/// Global system interrupt of the UART.
pub const SERIAL_INTERRUPT: u8 = 4;

/// Reading 32 bits here gives [`DOORBELL_SIGNATURE`] where the monitor takes output a buffer at a time;
/// any other value (all ones on QEMU) means that bytes go to the UART one by one.
///
/// Writing 32 bits: the physical address of an [`OutputBuffer`] below 4 GiB. The monitor has written the
/// bytes to its standard output, in order with those of the UART, when the instruction completes.
pub const DOORBELL: u16 = 0xc0b0;

/// What a read of [`DOORBELL`] gives when somebody listens: "cowb", little-endian.
pub const DOORBELL_SIGNATURE: u32 = 0x6277_6f63;

/// A write of any 32-bit value, where [`DOORBELL`] gives its signature: the monitor has read all of the
/// [`Channel`](crate::channel::Channel) when the instruction completes. Elsewhere the monitor looks at it from time to time.
pub const CHANNEL_DOORBELL: u16 = 0xc0b4;

/// What [`DOORBELL`] points at. Eight-byte aligned.
#[repr(C)]
#[derive(Clone, Copy, Debug, Default)]
pub struct OutputBuffer {
    /// Guest-physical address of the first byte.
    pub address: u64,
    /// Number of bytes; they are contiguous in guest-physical memory.
    pub length: u64,
}

/// First byte of a message in the input of a terminal whose size is told (`tty=ROWSxCOLUMNS` on the command line).
pub const MESSAGE: u8 = 0xff;
/// After [`MESSAGE`]: the byte itself was typed.
pub const KEY: u8 = 0xff;
/// After [`MESSAGE`]: the terminal's size follows, rows and columns, each a little-endian u16.
pub const SIZE: u8 = b'S';

// End of console input. The host's standard input has no more bytes: the UART reports a break (LSR bit 4,
// PC16550D data sheet 8.4) with a NUL in the receive buffer. Bytes before it are data, whatever they are.
