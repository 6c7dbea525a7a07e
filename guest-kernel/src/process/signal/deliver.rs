//! Delivery: what a thread does about its signals before it goes back to its program, and what becomes of the
//! call that it waited in (signal(7), "Interruption of system calls").
use super::{Disposition, Info, SIGSEGV, SYNCHRONOUS, UNSTOPPABLE, bit};
use crate::arch::clock;
use crate::kernel::Kernel;
use crate::memory::user;
use crate::process::scheduler::Next;
use crate::process::{
    Current, Process, ProcessTable, Resume, State, Thread, ThreadSlot, Wait, held,
};
use crate::records::COUNTERS;
use crate::trace;
use contract::Errno;
use contract::counters::Counter;
use linux_raw_sys::general as linux;

const NANOSECONDS: u64 = 1_000_000_000;
const SYSTEM_CALL_LENGTH: u64 = 2;

/// What is in RAX for a call that a signal interrupted, until it is known what becomes of it; never seen by a
/// program. The numbers are Linux's.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Interrupted {
    /// ERESTARTSYS: asked again after a handler with SA_RESTART, and where none runs.
    AskedAgain,
    /// ERESTARTNOINTR: asked again in any case.
    Always,
    /// ERESTARTNOHAND: asked again only where no handler runs.
    NotAfterHandler,
}

impl Interrupted {
    const fn to_result(self) -> u64 {
        match self {
            Self::AskedAgain => 512_u64.wrapping_neg(),
            Self::Always => 513_u64.wrapping_neg(),
            Self::NotAfterHandler => 514_u64.wrapping_neg(),
        }
    }

    fn of(thread: &Thread) -> Option<Self> {
        let registers = &thread.context.registers;
        [Self::AskedAgain, Self::Always, Self::NotAfterHandler]
            .into_iter()
            .find(|how| registers.in_system_call() && registers.rax == how.to_result())
    }
}

impl Thread {
    /// The call that a signal has interrupted is asked again, as if it had not been.
    pub fn restart_interrupted_call(&mut self) {
        if Interrupted::of(self).is_some() {
            self.restart_call();
        }
    }

    fn restart_call(&mut self) {
        let registers = &mut self.context.registers;
        registers.rax = registers.system_call_number();
        registers.rip -= SYSTEM_CALL_LENGTH;
    }

    /// A handler is about to run: the call that its signal interrupted is asked again after it, or is over
    /// with EINTR.
    pub fn settle_interrupted_call(&mut self, flags: u64) {
        match Interrupted::of(self) {
            Some(Interrupted::AskedAgain) if flags & u64::from(linux::SA_RESTART) != 0 => {
                self.restart_call();
            }
            Some(Interrupted::Always) => self.restart_call(),
            Some(_) => self.set_result(Errno::EINTR.to_return_value()),
            None => {}
        }
    }
}

impl ProcessTable {
    /// What of the signals for a thread or its process it does not block.
    #[inline]
    pub fn deliverable(&self, who: Current) -> u64 {
        deliverable(&self[who.thread], &self[who])
    }
}

/// As [`ProcessTable::deliverable`].
#[inline]
pub fn deliverable(thread: &Thread, process: &Process) -> u64 {
    let own = &thread.signals;
    (own.pending.set() | process.signals.pending.set()) & !own.blocked
}

impl Kernel {
    /// A signal with a handler has come for a thread: where that waits, its call is over, or asked again. A
    /// vfork parent waits on.
    pub fn interrupt_wait(&mut self, target: ThreadSlot, signal: u8) {
        let held = self.processes[target].held();
        let result = match self.processes[target].state {
            State::Waiting(Wait::Vfork(_)) => return,
            State::Waiting(Wait::SignalSet { set, .. }) if set & bit(signal) != 0 => {
                return self.ask_call_again(target);
            }
            State::Waiting(wait) => self.interrupted_result(target, wait),
            _ => return,
        };
        self.processes[target].set_result(result);
        self.make_runnable(target, Resume::Interrupted);
        if let Some(held) = held {
            self.let_go(target, held);
        }
    }

    /// What an interrupted call returns, or an [`Interrupted`].
    fn interrupted_result(&self, target: ThreadSlot, wait: Wait) -> u64 {
        match wait {
            Wait::File { progress, .. } | Wait::TimedInput { progress, .. }
                if held::done_in(progress) > 0 =>
            {
                held::done_in(progress) as u64
            }
            Wait::Readiness { deadline } => {
                self.tell_time_left(target, deadline);
                Interrupted::NotAfterHandler.to_result()
            }
            Wait::Signal => Interrupted::NotAfterHandler.to_result(),
            Wait::SignalSet { .. } => Errno::EINTR.to_return_value(),
            Wait::Time(deadline) => self.interrupted_sleep(target, deadline),
            Wait::Futex(waiter) if waiter.wants_lock() => Interrupted::Always.to_result(),
            Wait::Futex(waiter) if waiter.deadline.is_some() => {
                Interrupted::NotAfterHandler.to_result()
            }
            _ => Interrupted::AskedAgain.to_result(),
        }
    }

    /// A sleep is over with EINTR, and says what is left of it, where it was for a length of time.
    pub(super) fn interrupted_sleep(&self, target: ThreadSlot, deadline: u64) -> u64 {
        let thread = &self.processes[target];
        let registers = &thread.context.registers;
        let [_, second, _, fourth, ..] = registers.arguments();
        let remaining = match registers.system_call_number() as u32 {
            linux::__NR_nanosleep => second,
            linux::__NR_clock_nanosleep if second as u32 & linux::TIMER_ABSTIME == 0 => fourth,
            _ => 0,
        };
        if remaining != 0 {
            let left = deadline.saturating_sub(clock::now());
            let words = [left / NANOSECONDS, left % NANOSECONDS];
            let space = self.processes[thread.process].space();
            if let Err(fault) = user::write_words(space, remaining, &words) {
                return Errno::from(fault).to_return_value();
            }
        }
        Errno::EINTR.to_return_value()
    }

    /// A thread that waits asks its call again.
    pub fn ask_call_again(&mut self, slot: ThreadSlot) {
        if let State::Waiting(wait) = self.processes[slot].state {
            self.make_runnable(slot, wait.asked_again());
        }
    }

    /// A thread has asked its call again and waits again: a signal that came in between interrupts that.
    pub fn interrupt_if_signalled(&mut self, slot: ThreadSlot) {
        let Some(thread) = self.processes.thread(slot) else {
            return;
        };
        let who = Current {
            thread: slot,
            process: thread.process,
        };
        let set = self.processes.deliverable(who);
        if set != 0 && matches!(thread.state, State::Waiting(_)) {
            self.interrupt_wait(slot, next_of(set));
        }
    }

    /// The current thread's call is interrupted by a signal that has just been sent to its process group: it
    /// stops, runs a handler, or has ended. Asked again in any case but after a handler without SA_RESTART.
    pub fn interrupt_current_call(&mut self, how: Interrupted) {
        let slot = self.current.thread;
        match self.processes.thread(slot).map(|thread| thread.state) {
            Some(State::Stopped(_)) => {
                self.processes[slot].state = State::Stopped(Resume::SystemCall {
                    progress: 0,
                    turn: None,
                });
            }
            Some(State::Running) => {
                self.processes[slot].set_result(how.to_result());
                self.enqueue(slot, Resume::Interrupted);
            }
            _ => {}
        }
    }

    /// Takes the first of a set of signals that is pending for the current thread or process, with what is
    /// known of it.
    pub fn take_signal(&mut self, wanted: u64) -> Option<(u8, Info)> {
        let (thread, process) = self.processes.both(self.current);
        let own = thread.signals.pending.set() & wanted;
        let common = process.signals.pending.set() & wanted;
        let (pending, set) = match own {
            0 => (&mut process.signals.pending, common),
            own => (&mut thread.signals.pending, own),
        };
        if set == 0 {
            return None;
        }
        let signal = next_of(set);
        Some((signal, pending.take(signal)))
    }

    /// Blocks other signals for the length of the current thread's call: until a handler has run.
    pub fn set_temporary_mask(&mut self, mask: u64) {
        let signals = &mut self.processes[self.current.thread].signals;
        signals.suspended_mask.get_or_insert(signals.blocked);
        signals.blocked = mask & !UNSTOPPABLE;
    }

    /// Whether the current thread's call, which is asked again, has done that.
    pub fn has_temporary_mask(&self) -> bool {
        let signals = &self.processes[self.current.thread].signals;
        signals.suspended_mask.is_some()
    }

    /// Acts on what is pending for the current thread, before it goes back to user mode.
    #[inline]
    pub fn deliver_signals(&mut self) -> Next {
        if self.processes.deliverable(self.current) == 0 {
            return Next::Same;
        }
        self.deliver_pending()
    }

    #[cold]
    fn deliver_pending(&mut self) -> Next {
        loop {
            let blocked = self.processes[self.current.thread].signals.blocked;
            let Some((signal, info)) = self.take_signal(!blocked) else {
                return Next::Same;
            };
            trace::signal(self, self.current.thread, signal, info);
            let signals = &self.processes[self.current.process].signals;
            let next = match signals.disposition(signal) {
                Disposition::Ignore => Next::Same,
                Disposition::Terminate => {
                    self.kill_current(signal);
                    Next::Other
                }
                Disposition::Stop => {
                    self.stop_process(self.current.process, signal);
                    self.whether_running()
                }
                // The next one, if this handler does not block it, runs before it.
                Disposition::Handler => match self.enter_handler(signal, info) {
                    Ok(()) => Next::Same,
                    Err(_) if signal != SIGSEGV => self.force_signal(SIGSEGV, Info::Kernel),
                    Err(_) => {
                        self.kill_current(SIGSEGV);
                        Next::Other
                    }
                },
            };
            if next == Next::Other {
                return next;
            }
        }
    }

    fn kill_current(&mut self, signal: u8) {
        let slot = self.current.process;
        self.end_process(slot, self.killed_by(slot, signal));
    }

    /// A fault of the current thread's own: it cannot be put off. Blocked or ignored, it ends the
    /// process (sigaction(2)).
    pub fn force_signal(&mut self, signal: u8, info: Info) -> Next {
        COUNTERS.add(Counter::Signals, 1);
        let (thread, process) = self.processes.both(self.current);
        if process.signals.disposition(signal) == Disposition::Handler
            && thread.signals.blocked & bit(signal) == 0
            && thread.signals.pending.add(signal, info, u64::MAX).is_ok()
        {
            return self.deliver_signals();
        }
        trace::signal(self, self.current.thread, signal, info);
        self.kill_current(signal);
        Next::Other
    }
}

/// Which signal of a set comes first: what a thread has done itself, then by number.
const fn next_of(set: u64) -> u8 {
    let synchronous = set & SYNCHRONOUS;
    let set = if synchronous != 0 { synchronous } else { set };
    set.trailing_zeros() as u8 + 1
}
