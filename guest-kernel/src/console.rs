//! The console: the UART as a file.
//!
//! Input is taken from the UART when a process reads, and nowhere else: what nobody reads stays with the
//! host. A process that finds nothing is parked, and the UART's interrupt wakes it.
use crate::arch::uart::{self, Input};
use crate::boot::command_line;
use crate::kernel::Kernel;
use crate::process::queue::Queue;
use crate::process::{Resume, Slot, State, Wait};
use crate::records::COUNTERS;
use contract::counters::Counter;
use files::WaitFor;

/// Whether more input can come.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Supply {
    /// The UART's interrupt is off: nobody has waited yet.
    Quiet,
    /// The UART will interrupt.
    Listening,
    /// The host's input has ended.
    Ended,
}

/// What a read finds.
pub enum Found {
    /// So many bytes; 0 at the end of input.
    Bytes(usize),
    /// Nothing yet.
    Nothing,
}

/// The console's state.
pub struct Console {
    kind: command_line::Console,
    supply: Supply,
}

impl Console {
    pub const fn new(kind: command_line::Console) -> Self {
        Self {
            kind,
            supply: Supply::Quiet,
        }
    }

    /// Whether a person sits before it (isatty(3)).
    pub fn is_terminal(&self) -> bool {
        self.kind == command_line::Console::Terminal
    }

    /// Reads what there is.
    pub fn read(&mut self, into: &mut [u8]) -> Found {
        let mut count = 0;
        while let Some(place) = into.get_mut(count) {
            if self.supply == Supply::Ended {
                break;
            }
            match uart::read() {
                Input::Byte(byte) => {
                    *place = byte;
                    count += 1;
                }
                Input::End => self.supply = Supply::Ended,
                Input::Empty => break,
            }
        }
        COUNTERS.add(Counter::ConsoleInputBytes, count as u64);
        if count > 0 || into.is_empty() || self.supply == Supply::Ended {
            return Found::Bytes(count);
        }
        if self.supply == Supply::Quiet {
            self.supply = Supply::Listening;
            uart::listen();
        }
        Found::Nothing
    }

    /// Writes all of `bytes`.
    pub fn write(&self, bytes: &[u8]) {
        COUNTERS.add(Counter::ConsoleOutputBytes, bytes.len() as u64);
        uart::write(bytes);
    }
}

impl Kernel {
    /// The UART has something: whoever waits for it asks again.
    pub fn take_console_input(&mut self) {
        self.wake_queue(WaitFor::ConsoleInput);
    }

    /// Whether somebody waits for input that can still come.
    pub fn waits_for_console(&mut self) -> bool {
        let waiting = self
            .files
            .wait_queue_mut(WaitFor::ConsoleInput)
            .is_some_and(|queue| !queue.is_empty());
        waiting && self.console.supply != Supply::Ended
    }

    /// Wakes all that the files say are to be woken.
    #[inline]
    pub fn wake_files(&mut self) {
        while let Some(key) = self.files.take_wakeup() {
            self.wake_queue(key);
        }
    }

    /// Wakes the first in a queue, who wakes the next after its turn; all who wait for readiness, who take
    /// nothing from each other.
    pub fn wake_queue(&mut self, key: WaitFor) {
        let Some(place) = self.files.wait_queue_mut(key) else {
            return;
        };
        if key != WaitFor::Readiness {
            let mut queue = Queue::from(*place);
            if let Some(slot) = queue.pop(self.processes) {
                *place = queue.into();
                self.ask_again(slot, Some(key));
            }
            return;
        }
        // The whole queue is taken first: who wakes may wait in it again.
        let mut queue = Queue::from(core::mem::take(place));
        while let Some(slot) = queue.pop(self.processes) {
            self.ask_again(slot, None);
        }
    }

    /// Makes a process that was taken out of its queue runnable.
    fn ask_again(&mut self, slot: Slot, turn: Option<WaitFor>) {
        let progress = match self.processes[slot].state {
            State::Waiting(Wait::File { progress, .. }) => progress,
            _ => 0,
        };
        self.enqueue(slot, Resume::SystemCall { progress, turn });
    }

    /// A process that was woken as the first of a queue has asked again: the next has its turn, unless the
    /// first found nothing.
    pub fn end_turn(&mut self, slot: Slot, turn: Option<WaitFor>) {
        let Some(key) = turn else { return };
        let state = self.processes.get(slot).map(|process| process.state);
        match state {
            Some(State::Waiting(Wait::File { until, .. })) if until == key => {}
            _ => self.wake_queue(key),
        }
    }

    /// Puts a process at the end of the queue of what it waits for.
    #[inline]
    pub fn wait_for_file(&mut self, slot: Slot, key: WaitFor) {
        if let Some(place) = self.files.wait_queue_mut(key) {
            let mut queue = Queue::from(*place);
            queue.push(self.processes, slot);
            *place = queue.into();
        }
    }

    /// Takes a process out of that queue again.
    pub fn stop_waiting_for_file(&mut self, slot: Slot, key: WaitFor) {
        if let Some(place) = self.files.wait_queue_mut(key) {
            let mut queue = Queue::from(*place);
            queue.remove(self.processes, slot);
            *place = queue.into();
        }
    }
}
