//! The console's UART: rust-vmm's 16550, with what that leaves out: the break that ends the input, and output that
//! goes out by lines.

use super::ioapic::{Deliver, IoApic};
use crate::input::{Ended, Receiver};
use crate::output::{Output, Stopped};
use contract::ports::SERIAL_INTERRUPT;
use std::convert::Infallible;
use std::io::{self, Write};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::time::Duration;
use vm_superio::serial::NoEvents;
use vm_superio::{Serial, Trigger};

const DATA: u8 = 0;
const LINE_CONTROL: u8 = 3;
const LINE_STATUS: u8 = 5;
/// Divisor latch access bit of the line control register.
const DIVISOR_LATCH: u8 = 0x80;
/// Break interrupt bit of the line status register (PC16550D data sheet, 8.4).
const BREAK: u8 = 0x10;
/// How long a line that has no end yet is kept.
const LINE_DELAY: Duration = Duration::from_millis(2);

/// The UART's interrupt line.
pub struct Line<D>(pub Arc<IoApic<D>>);

impl<D: Deliver> Trigger for Line<D> {
    type E = Infallible;

    fn trigger(&self) -> Result<(), Infallible> {
        self.0.pulse(SERIAL_INTERRUPT);
        Ok(())
    }
}

/// What the 16550 writes to: remembers a failure, which the 16550 itself would only pass on as text.
struct Transmitter {
    output: Output,
    stopped: Option<Stopped>,
}

impl Write for Transmitter {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        for &byte in bytes {
            if let Err(stopped) = self.output.byte(byte) {
                self.stopped.get_or_insert(stopped);
            }
        }
        Ok(bytes.len())
    }

    /// Asked for after each byte; lines decide instead.
    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// The device, shared by the virtual CPU and the input thread.
pub struct Uart<D: Deliver> {
    state: Mutex<State<D>>,
    /// Signalled when the guest has made room in the receive buffer, and when the machine ends.
    room: Condvar,
    /// Signalled when a line without end has begun.
    begun: Condvar,
}

struct State<D: Deliver> {
    serial: Serial<Line<D>, NoEvents, Transmitter>,
    /// Bytes in the receive buffer before the break, once that has been queued.
    before_break: Option<usize>,
    flusher: Flusher,
    life: Life,
}

#[derive(PartialEq, Eq)]
enum Flusher {
    NotNeeded,
    Runs,
}

#[derive(PartialEq, Eq)]
enum Life {
    Runs,
    Ended,
}

impl<D: Deliver + Send + 'static> Uart<D>
where
    IoApic<D>: Send + Sync,
{
    /// A UART that has been reset.
    pub fn new(line: Line<D>, output: Output) -> Arc<Self> {
        let transmitter = Transmitter {
            output,
            stopped: None,
        };
        Arc::new(Self {
            state: Mutex::new(State {
                serial: Serial::new(line, transmitter),
                before_break: None,
                flusher: Flusher::NotNeeded,
                life: Life::Runs,
            }),
            room: Condvar::new(),
            begun: Condvar::new(),
        })
    }

    /// A read by the guest.
    pub fn read(&self, register: u8) -> u8 {
        let mut state = self.lock();
        let value = state.serial.read(register);
        match register {
            LINE_STATUS if state.before_break == Some(0) => value | BREAK,
            DATA if !state.shows_divisor() => {
                state.before_break = state.before_break.and_then(|before| before.checked_sub(1));
                self.room.notify_one();
                value
            }
            _ => value,
        }
    }

    /// A write by the guest.
    ///
    /// # Errors
    /// The byte could not be written to standard output.
    pub fn write(self: &Arc<Self>, register: u8, value: u8) -> Result<(), Stopped> {
        let mut state = self.lock();
        let had_begun = state.serial.writer().output.is_pending();
        // Its errors are of the interrupt line, which has none, and of the transmitter, which keeps its own.
        let _ = state.serial.write(register, value);
        let transmitter = state.serial.writer_mut();
        if let Some(stopped) = transmitter.stopped.take() {
            return Err(stopped);
        }
        if !had_begun && transmitter.output.is_pending() {
            if state.flusher == Flusher::NotNeeded {
                state.flusher = Flusher::Runs;
                self.start_flusher();
            }
            self.begun.notify_one();
        }
        Ok(())
    }

    /// Does something with standard output, after the bytes that the UART has taken.
    pub fn with_output<R>(&self, act: impl FnOnce(&mut Output) -> R) -> R {
        act(&mut self.lock().serial.writer_mut().output)
    }

    /// Lets go of the input thread.
    pub fn end(&self) {
        self.lock().life = Life::Ended;
        self.room.notify_all();
    }

    /// Writes out lines that stay without an end, such as prompts.
    fn start_flusher(self: &Arc<Self>) {
        let uart = Arc::clone(self);
        let thread = std::thread::Builder::new()
            .name("console output".to_owned())
            .stack_size(64 * 1024);
        // Without a thread such a line waits for the rest, no more.
        let _ = thread.spawn(move || {
            crate::interruption::shield_thread();
            loop {
                let state = uart.lock();
                let waited = uart.begun.wait_while(state, |state| {
                    !state.serial.writer().output.is_pending() && state.life == Life::Runs
                });
                let state = waited.unwrap_or_else(PoisonError::into_inner);
                if state.life == Life::Ended {
                    return;
                }
                drop(state);
                std::thread::sleep(LINE_DELAY);
                let mut state = uart.lock();
                let transmitter = state.serial.writer_mut();
                // Only where it cannot block: the virtual CPU wants this lock too.
                if transmitter.output.has_room()
                    && let Err(stopped) = transmitter.output.flush()
                {
                    transmitter.stopped.get_or_insert(stopped);
                }
            }
        });
    }

    fn enqueue(&self, mut bytes: &[u8]) -> Result<MutexGuard<'_, State<D>>, Ended> {
        let mut state = self.lock();
        loop {
            if state.life == Life::Ended {
                return Err(Ended);
            }
            let room = state.serial.fifo_capacity().min(bytes.len());
            let (now, later) = bytes.split_at(room);
            // Room was checked, and the interrupt line has no errors.
            let taken = state.serial.enqueue_raw_bytes(now).unwrap_or(0);
            bytes = if taken == room {
                later
            } else {
                &bytes[taken..]
            };
            if bytes.is_empty() {
                return Ok(state);
            }
            state = self
                .room
                .wait(state)
                .unwrap_or_else(PoisonError::into_inner);
        }
    }

    fn lock(&self) -> MutexGuard<'_, State<D>> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl<D: Deliver> State<D> {
    fn shows_divisor(&mut self) -> bool {
        self.serial.read(LINE_CONTROL) & DIVISOR_LATCH != 0
    }
}

/// Fed by the input thread.
impl<D: Deliver + Send + 'static> Receiver for Arc<Uart<D>>
where
    IoApic<D>: Send + Sync,
{
    fn bytes(&mut self, bytes: &[u8]) -> Result<(), Ended> {
        self.enqueue(bytes).map(drop)
    }

    fn end(&mut self) -> Result<(), Ended> {
        let mut state = self.enqueue(&[0])?;
        // The capacity of the receive buffer is the 16550's idea; what is in it is known from what is not.
        let queued = state.serial.state().in_buffer.len();
        state.before_break = queued.checked_sub(1);
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    struct Nowhere;

    impl Deliver for Nowhere {
        fn message(&self, _: u32, _: u32) {}
    }

    #[test]
    fn the_break_comes_after_the_last_byte() {
        let ioapic = Arc::new(IoApic::new(Nowhere));
        let mut uart = Uart::new(Line(ioapic), Output::standard());
        uart.bytes(b"a\0").expect("room");
        Receiver::end(&mut uart).expect("room");
        let mut seen = Vec::new();
        for _ in 0..4 {
            let status = uart.read(LINE_STATUS);
            seen.push((status & 1, status & BREAK, uart.read(DATA)));
        }
        assert_eq!(seen, [(1, 0, b'a'), (1, 0, 0), (1, BREAK, 0), (0, 0, 0)]);
    }
}
