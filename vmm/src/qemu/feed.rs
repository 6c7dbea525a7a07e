//! Console input for QEMU: a pipe that its UART reads, and a break at the end.
//!
//! QEMU reports a break at once, even before bytes that still wait in the UART. So the break is held back until the
//! guest has read all that came before, which its counter page in the shared memory tells.

use super::monitor::Sender;
use crate::input::{Ended, Receiver};
use crate::memory::Memory;
use contract::counters::{Counter, FIRST_COUNTER};
use std::io::Write;
use std::os::fd::AsRawFd;
use std::process::ChildStdin;
use std::sync::atomic::Ordering;
use std::time::Duration;
use vm_memory::{Bytes, GuestAddress};

/// How often the counter page is looked at once input has ended.
const LOOK: Duration = Duration::from_millis(1);
/// What a kernel without a counter page is given to read the last bytes.
const GRACE: Duration = Duration::from_millis(100);

/// Writes to QEMU's standard input.
pub struct Feed {
    /// QEMU's end of the console.
    pub pipe: ChildStdin,
    /// For the break.
    pub monitor: Sender,
    /// Guest memory, shared with QEMU.
    pub memory: Memory,
    /// Where the counter page is in it.
    pub counters: Option<u64>,
    /// Bytes written to the pipe.
    pub sent: u64,
}

impl Receiver for Feed {
    fn bytes(&mut self, bytes: &[u8]) -> Result<(), Ended> {
        self.pipe.write_all(bytes).map_err(|_| Ended)?;
        self.sent += bytes.len() as u64;
        Ok(())
    }

    fn end(&mut self) -> Result<(), Ended> {
        match self.counters {
            None => {
                while self.waiting() > 0 {
                    std::thread::sleep(LOOK);
                }
                std::thread::sleep(GRACE);
            }
            Some(page) => {
                // The kernel sets its UART up before the first process runs.
                while self.counter(page, Counter::TscAtFirstUser)? == 0
                    || self.counter(page, Counter::ConsoleInputBytes)? < self.sent
                {
                    std::thread::sleep(LOOK);
                }
            }
        }
        self.monitor.send_break().map_err(|_| Ended)?;
        // The pipe stays open: QEMU would take its end for nothing, and stop to watch it.
        loop {
            std::thread::park();
        }
    }
}

impl Feed {
    /// Bytes in the pipe that QEMU has not taken yet.
    fn waiting(&self) -> libc::c_int {
        let mut count = 0;
        // SAFETY: FIONREAD writes one int.
        let result = unsafe { libc::ioctl(self.pipe.as_raw_fd(), libc::FIONREAD, &raw mut count) };
        if result < 0 { 0 } else { count }
    }

    fn counter(&self, page: u64, counter: Counter) -> Result<u64, Ended> {
        let word = (FIRST_COUNTER + counter as usize) as u64;
        let at = page.checked_add(word * 8).ok_or(Ended)?;
        self.memory
            .load(GuestAddress(at), Ordering::Acquire)
            .map_err(|_| Ended)
    }
}
