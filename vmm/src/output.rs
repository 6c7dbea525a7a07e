//! The guest's output: bytes to standard output, unchanged and in order.

use crate::interruption;
use std::io;
use std::os::fd::RawFd;
use vm_memory::{GuestAddress, GuestMemoryBackend};

use crate::memory::Memory;

/// Bytes of the UART that are kept before they are written.
const LINE_LIMIT: usize = 4096;

/// In place of a descriptor: bytes are thrown away.
const NOWHERE: RawFd = -1;

/// Why output stopped.
#[derive(Debug)]
pub enum Stopped {
    /// An interruption came while a reader was slow.
    Interrupted,
    /// Nobody reads standard output, or it cannot be written.
    Closed(io::Error),
    /// The guest named bytes that are not in its memory.
    NotMemory(u64, u64),
}

/// Standard output.
#[derive(Debug)]
pub struct Output {
    descriptor: RawFd,
    line: Vec<u8>,
}

impl Output {
    /// Standard output of this process.
    #[must_use]
    pub fn standard() -> Self {
        Self {
            descriptor: libc::STDOUT_FILENO,
            line: Vec::new(),
        }
    }

    /// An output that throws everything away.
    #[must_use]
    pub fn nowhere() -> Self {
        Self {
            descriptor: NOWHERE,
            line: Vec::new(),
        }
    }

    /// Takes a byte from the UART. It is written with its line, with the next buffer, or by a [`flush`](Self::flush).
    ///
    /// # Errors
    /// See [`Stopped`].
    pub fn byte(&mut self, byte: u8) -> Result<(), Stopped> {
        self.line.push(byte);
        if byte == b'\n' || self.line.len() >= LINE_LIMIT {
            self.flush()?;
        }
        Ok(())
    }

    /// Whether bytes wait to be written.
    #[must_use]
    pub fn is_pending(&self) -> bool {
        !self.line.is_empty()
    }

    /// Whether a line can be written without blocking.
    #[must_use]
    pub fn has_room(&self) -> bool {
        let mut descriptor = libc::pollfd {
            fd: self.descriptor,
            events: libc::POLLOUT,
            revents: 0,
        };
        // SAFETY: one initialised structure, which outlives the call.
        unsafe { libc::poll(&raw mut descriptor, 1, 0) > 0 }
    }

    /// Writes what waits.
    ///
    /// # Errors
    /// See [`Stopped`].
    pub fn flush(&mut self) -> Result<(), Stopped> {
        let line = std::mem::take(&mut self.line);
        self.write(&line)?;
        self.line = line;
        self.line.clear();
        Ok(())
    }

    /// Writes bytes after all that came before.
    ///
    /// # Errors
    /// See [`Stopped`].
    pub fn bytes(&mut self, bytes: &[u8]) -> Result<(), Stopped> {
        self.flush()?;
        self.write(bytes)
    }

    /// Writes bytes straight from guest memory.
    ///
    /// # Errors
    /// See [`Stopped`].
    pub fn guest_bytes(
        &mut self,
        memory: &Memory,
        address: u64,
        length: u64,
    ) -> Result<(), Stopped> {
        self.flush()?;
        let outside = || Stopped::NotMemory(address, length);
        let count = usize::try_from(length).map_err(|_| outside())?;
        if count == 0 {
            return Ok(());
        }
        let slice = memory
            .get_slice(GuestAddress(address), count)
            .map_err(|_| outside())?;
        let guard = slice.ptr_guard();
        self.write_raw(guard.as_ptr(), count)
    }

    fn write(&self, bytes: &[u8]) -> Result<(), Stopped> {
        self.write_raw(bytes.as_ptr(), bytes.len())
    }

    /// write(2) until all is out. The bytes must be mapped; that the guest may change them meanwhile is its own affair.
    fn write_raw(&self, mut bytes: *const u8, mut count: usize) -> Result<(), Stopped> {
        while count > 0 && self.descriptor != NOWHERE {
            // SAFETY: the callers hold `count` mapped bytes from `bytes` on; the host kernel alone reads them.
            let written = unsafe { libc::write(self.descriptor, bytes.cast(), count) };
            match usize::try_from(written) {
                Ok(written) => {
                    // SAFETY: write(2) returns at most `count`.
                    bytes = unsafe { bytes.add(written) };
                    count -= written;
                }
                Err(_) => self.after_error()?,
            }
        }
        Ok(())
    }

    fn after_error(&self) -> Result<(), Stopped> {
        let error = io::Error::last_os_error();
        match error.kind() {
            io::ErrorKind::Interrupted if interruption::pending().is_some() => {
                Err(Stopped::Interrupted)
            }
            io::ErrorKind::Interrupted => Ok(()),
            io::ErrorKind::WouldBlock => {
                // Somebody else made it non-blocking: wait for room.
                let mut descriptor = libc::pollfd {
                    fd: self.descriptor,
                    events: libc::POLLOUT,
                    revents: 0,
                };
                // SAFETY: one initialised structure, which outlives the call.
                unsafe { libc::poll(&raw mut descriptor, 1, 100) };
                match interruption::pending() {
                    Some(_) => Err(Stopped::Interrupted),
                    None => Ok(()),
                }
            }
            _ => Err(Stopped::Closed(error)),
        }
    }
}
