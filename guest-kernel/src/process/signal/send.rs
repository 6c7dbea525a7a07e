//! Sending: to a process, to one thread, to a process group.
use super::{Disposition, Info, SIGCONT, SIGKILL, STOPS, bit};
use crate::kernel::Kernel;
use crate::process::limits::Resource;
use crate::process::{Pid, ProcessSlot, State, ThreadSlot, Wait};
use crate::records::COUNTERS;
use crate::trace;
use contract::Errno;
use contract::counters::Counter;

/// Who is to get a signal.
#[derive(Clone, Copy)]
pub enum To {
    /// A process: any thread that does not block it, the first there is.
    Process(ProcessSlot),
    /// One thread.
    Thread(ThreadSlot),
}

/// Sends `signal` to a process. A zombie takes no notice.
pub fn send(kernel: &mut Kernel, target: ProcessSlot, signal: u8, info: Info) {
    // Only what a program queues can be refused.
    let _ = kernel.send_to(To::Process(target), signal, info);
}

/// Sends `signal` to one thread.
pub fn send_to_thread(kernel: &mut Kernel, target: ThreadSlot, signal: u8, info: Info) {
    let _ = kernel.send_to(To::Thread(target), signal, info);
}

/// Whether a mask keeps a signal back.
const fn blocks(mask: u64, signal: u8) -> bool {
    mask & bit(signal) & !super::UNSTOPPABLE != 0
}

impl Kernel {
    /// Sends a signal.
    ///
    /// # Errors
    /// EAGAIN: no more can be queued (RLIMIT_SIGPENDING).
    pub fn send_to(&mut self, to: To, signal: u8, info: Info) -> Result<(), Errno> {
        COUNTERS.add(Counter::Signals, 1);
        let target = match to {
            To::Process(slot) => slot,
            To::Thread(slot) => self.processes[slot].process,
        };
        if self.processes[target].ended.is_some() {
            return Ok(());
        }
        if bit(signal) & (STOPS | bit(SIGCONT)) != 0 {
            self.before_stop_or_continue(target, signal);
        }
        let Some(taker) = self.taker(to, signal) else {
            self.add_pending(to, target, signal, info)?;
            self.wake_signal_waiter(to, target, signal);
            return Ok(());
        };
        let process = &self.processes[target];
        let is_stopped = process.job.is_stopped();
        match process.signals.disposition(signal) {
            Disposition::Ignore => {}
            Disposition::Terminate if signal == SIGKILL || !is_stopped => {
                if signal != SIGKILL {
                    trace::signal(self, taker, signal, info);
                }
                self.end_process(target, self.killed_by(target, signal));
            }
            Disposition::Stop if !is_stopped => {
                trace::signal(self, taker, signal, info);
                self.stop_process(target, signal);
            }
            // It waits until the process goes on.
            Disposition::Terminate | Disposition::Stop => {
                self.add_pending(to, target, signal, info)?;
            }
            Disposition::Handler => {
                self.add_pending(to, target, signal, info)?;
                if !is_stopped {
                    self.interrupt_wait(taker, signal);
                }
            }
        }
        Ok(())
    }

    /// Whether a signal sent to a process has no effect: a short way for SIGCHLD, which most ignore.
    #[inline]
    pub fn ignores(&self, target: ProcessSlot, signal: u8) -> bool {
        if signal == 0 || signal > super::LAST {
            return true;
        }
        let process = &self.processes[target];
        let ignored =
            signal != SIGCONT && process.signals.disposition(signal) == Disposition::Ignore;
        ignored
            && process
                .threads
                .first
                .is_some_and(|first| !blocks(self.processes[first].signals.blocked, signal))
    }

    /// The thread that takes a signal; `None` where all block it.
    #[inline]
    fn taker(&self, to: To, signal: u8) -> Option<ThreadSlot> {
        let takes = |slot: ThreadSlot| !blocks(self.processes[slot].signals.blocked, signal);
        match to {
            To::Process(process) => self.processes.threads_of(process).find(|&slot| takes(slot)),
            To::Thread(slot) => takes(slot).then_some(slot),
        }
    }

    /// Of the signals for a process, those that the threads which go on do not block interrupt one of them: the
    /// thread that was to take them has ended, or blocks them now.
    pub fn pass_signals_on(&mut self, slot: ProcessSlot) {
        let process = &self.processes[slot];
        let mut pending = process.signals.pending.set();
        if process.job.is_stopped() {
            return;
        }
        while pending != 0 {
            let signal = pending.trailing_zeros() as u8 + 1;
            pending &= pending - 1;
            if self.processes[slot].signals.disposition(signal) != Disposition::Ignore
                && let Some(taker) = self.taker(To::Process(slot), signal)
            {
                self.interrupt_wait(taker, signal);
            }
        }
    }

    fn add_pending(
        &mut self,
        to: To,
        process: ProcessSlot,
        signal: u8,
        info: Info,
    ) -> Result<(), Errno> {
        let limit = self.processes[process]
            .limits
            .soft(Resource::PendingSignals);
        match to {
            To::Process(slot) => &mut self.processes[slot].signals.pending,
            To::Thread(slot) => &mut self.processes[slot].signals.pending,
        }
        .add(signal, info, limit)
    }

    /// A thread that waits for the signal (sigtimedwait(2)) looks again.
    fn wake_signal_waiter(&mut self, to: To, process: ProcessSlot, signal: u8) {
        let waits = |slot: &ThreadSlot| {
            matches!(self.processes[*slot].state,
                State::Waiting(Wait::SignalSet { set, .. }) if set & bit(signal) != 0)
        };
        let waiter = match to {
            To::Process(_) => self.processes.threads_of(process).find(waits),
            To::Thread(slot) => Some(slot).filter(waits),
        };
        if let Some(slot) = waiter {
            self.ask_call_again(slot);
        }
    }

    /// Sends a signal to all of a process group.
    pub fn signal_group(&mut self, group: Pid, signal: u8, info: Info) {
        let mut last = 0;
        // By rising pid: an end by the signal changes the table.
        while let Some(slot) = self.processes.next_by_pid(last + 1) {
            last = self.processes[slot].pid.0;
            if self.processes[slot].group == group {
                send(self, slot, signal, info);
            }
        }
    }
}
