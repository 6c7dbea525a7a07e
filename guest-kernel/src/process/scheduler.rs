//! Who runs next: round robin, a time slice each, and the clock for those who sleep.
//!
//! The timer is one-shot and armed only where something needs it: a thread that runs alone is never
//! interrupted.
use super::{Current, Process, Resume, State, ThreadSlot, Wait, signal};
use crate::arch::{clock, context, interrupts, timer};
use crate::kernel::Kernel;
use crate::memory::user::{self, UserFault};
use crate::records::COUNTERS;
use crate::{deadlock, files_out, system_calls, trace};
use contract::Errno;
use contract::counters::Counter;

/// How long a thread runs before another that is runnable gets its turn, in nanoseconds.
pub const TIME_SLICE: u64 = 4_000_000;

/// How often the kernel looks whether the monitor wants files, in nanoseconds.
const LOOK: u64 = 20_000_000;

/// What the kernel does after a trap.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Next {
    /// The thread that was interrupted goes on.
    Same,
    /// It waits, or has ended, or its time is up: somebody else's turn.
    Other,
}

/// Whether the timer is armed, and until when.
#[derive(Clone, Copy)]
pub enum Alarm {
    Off,
    At(u64),
}

impl Kernel {
    /// Puts a thread at the end of the run queue.
    #[inline]
    pub fn make_runnable(&mut self, slot: ThreadSlot, resume: Resume) {
        self.leave_wait(slot);
        self.enqueue(slot, resume);
    }

    /// As [`make_runnable`](Self::make_runnable), for a thread that is in no queue.
    #[inline]
    pub fn enqueue(&mut self, slot: ThreadSlot, resume: Resume) {
        self.processes[slot].state = State::Runnable(resume);
        self.line_up(slot);
    }

    /// What [`enqueue`](Self::enqueue) does for a thread whose state says already that it is runnable.
    #[inline]
    pub fn line_up(&mut self, slot: ThreadSlot) {
        self.ready.push(self.processes, slot);
        if let Alarm::Off = self.alarm {
            self.arm_for_slice();
        }
    }

    #[inline(never)]
    fn arm_for_slice(&mut self) {
        self.arm(clock::now() + TIME_SLICE);
    }

    /// Gives the CPU to the next thread. Comes back when one is ready to enter user mode, and ends the
    /// machine where none ever can be.
    #[inline]
    pub fn schedule(&mut self) {
        if let Some(usage) = self.charge() {
            usage.switches += 1;
        }
        if self.switch_to_first() == Next::Other {
            self.schedule_otherwise();
        }
    }

    /// The most common way: the first in the run queue goes on where it stopped, or starts, and nothing has come for it.
    #[inline(always)]
    fn switch_to_first(&mut self) -> Next {
        let Some(slot) = self.ready.first() else {
            return Next::Other;
        };
        let thread = &self.processes[slot];
        let pid_at = match thread.state {
            State::Runnable(Resume::User) => None,
            State::Runnable(Resume::Start { pid_at }) => Some(pid_at),
            _ => return Next::Other,
        };
        let who = Current {
            thread: slot,
            process: thread.process,
        };
        let (thread, process) = self.processes.both(who);
        if process.shares.is_some()
            || process.has_cpu_timers()
            || signal::deliverable(thread, process) != 0
        {
            return Next::Other;
        }
        self.ready.advance(thread);
        thread.state = State::Running;
        if slot != self.current.thread {
            COUNTERS.add(Counter::ContextSwitches, 1);
        }
        self.current = who;
        // SAFETY: as in `enter`.
        unsafe { context::switch_to(&raw mut thread.context, process.space().root()) };
        match pid_at {
            None => Next::Same,
            Some(pid_at) => self.start_child(pid_at),
        }
    }

    #[inline(never)]
    fn schedule_otherwise(&mut self) {
        loop {
            let Some(slot) = self.ready.first() else {
                self.idle();
                continue;
            };
            let who = Current {
                thread: slot,
                process: self.processes[slot].process,
            };
            let (thread, process) = self.processes.both(who);
            self.ready.advance(thread);
            let State::Runnable(resume) = core::mem::replace(&mut thread.state, State::Running)
            else {
                unreachable!("only runnable threads are in the run queue")
            };
            if process.shares.is_some() || process.has_cpu_timers() {
                self.enter(slot);
            } else {
                if slot != self.current.thread {
                    COUNTERS.add(Counter::ContextSwitches, 1);
                }
                self.current = who;
                // SAFETY: as in `enter`.
                unsafe { context::switch_to(&raw mut thread.context, process.space().root()) };
            }
            match resume {
                Resume::User => {}
                Resume::Start { pid_at } => {
                    if self.start_child(pid_at) == Next::Other {
                        continue;
                    }
                }
                Resume::SystemCall { progress, turn } => {
                    let next = system_calls::again(self, progress);
                    self.end_turn(slot, turn);
                    if next == Next::Other {
                        if let Some(process) = self.processes.get_mut(who.process) {
                            process.usage.switches += 1;
                        }
                        self.interrupt_if_signalled(slot);
                        continue;
                    }
                }
                Resume::Interrupted => {
                    if self.deliver_signals() == Next::Same {
                        // Another thread may have run the handler.
                        self.processes[slot].restart_interrupted_call();
                        return;
                    }
                    continue;
                }
            }
            if self.deliver_signals() == Next::Same {
                return;
            }
        }
    }

    /// Tells a new thread its id. A bad address is its own affair, as on Linux (clone(2)).
    #[inline(never)]
    fn start_child(&mut self, pid_at: u64) -> Next {
        let tid = self.processes[self.current.thread].tid;
        let space = self.processes[self.current.process].space();
        match user::write_at_start(space, pid_at, tid.0) {
            Err(UserFault::OutOfFrames) => self.start_without_frames(pid_at),
            Ok(()) | Err(UserFault::BadAddress) => Next::Same,
        }
    }

    #[cold]
    fn start_without_frames(&mut self, pid_at: u64) -> Next {
        match self.templates.drop_all() {
            0 => self.out_of_memory(),
            _ => self.start_child(pid_at),
        }
    }

    /// Makes a thread current, its process and address space with it.
    #[inline(always)]
    pub fn enter(&mut self, slot: ThreadSlot) {
        if slot != self.current.thread {
            COUNTERS.add(Counter::ContextSwitches, 1);
        }
        let process = self.processes[slot].process;
        self.current = Current {
            thread: slot,
            process,
        };
        if self.processes[process].shares.is_some() {
            self.bring_shared(self.current);
        }
        let (thread, process) = self.processes.both(self.current);
        let root = process.space().root();
        let timed = process.has_cpu_timers();
        // SAFETY: a thread is boxed and stays until its end, which forgets its context; the root was made
        // with the kernel's entries and is left before it is freed.
        unsafe { context::switch_to(&raw mut thread.context, root) };
        if timed {
            self.arm_for_cpu_timers(self.current.process);
        }
    }

    /// The timer has come: sleepers wake, and who had a whole slice while others wait gives way.
    pub fn tick(&mut self) -> Next {
        COUNTERS.add(Counter::TimerTicks, 1);
        self.alarm = Alarm::Off;
        files_out::send_if_wanted(self);
        let now = clock::now();
        self.wake_sleepers(now);
        self.ring_alarms(now);
        if self
            .processes
            .get(self.current.process)
            .is_some_and(Process::has_cpu_timers)
        {
            self.ring_cpu_timers();
        }
        // A signal may have ended or stopped who was interrupted.
        let next = self.whether_running();
        if self.ready.is_empty() {
            self.arm_for_sleepers();
            return next;
        }
        self.arm(now + TIME_SLICE);
        self.arm_for_sleepers();
        if next == Next::Other {
            return next;
        }
        COUNTERS.add(Counter::Preemptions, 1);
        self.processes[self.current.process].usage.involuntary += 1;
        self.yield_now()
    }

    /// The current thread goes to the end of the run queue.
    pub fn yield_now(&mut self) -> Next {
        let slot = self.current.thread;
        self.processes[slot].state = State::Runnable(Resume::User);
        self.ready.push(self.processes, slot);
        Next::Other
    }

    fn wake_sleepers(&mut self, now: u64) {
        while let Some(&(deadline, slot)) = self.sleepers.first() {
            if deadline > now {
                break;
            }
            // A call that waited for descriptors tells itself that the time is over.
            if let State::Waiting(Wait::Readiness { .. }) = self.processes[slot].state {
                let progress = deadline as usize;
                let turn = None;
                self.make_runnable(slot, Resume::SystemCall { progress, turn });
                continue;
            }
            let result = match self.processes[slot].state {
                State::Waiting(Wait::Futex(_)) => Errno::ETIMEDOUT.to_return_value(),
                State::Waiting(Wait::SignalSet { .. }) => Errno::EAGAIN.to_return_value(),
                State::Waiting(Wait::TimedInput { progress, .. }) => progress as u64,
                _ => 0,
            };
            self.processes[slot].set_result(result);
            self.make_runnable(slot, Resume::User);
        }
    }

    fn arm(&mut self, deadline: u64) {
        timer::arm_at(deadline);
        self.alarm = Alarm::At(deadline);
    }

    pub fn arm_no_later_than(&mut self, deadline: u64) {
        match self.alarm {
            Alarm::At(armed) if armed <= deadline => {}
            _ => self.arm(deadline),
        }
    }

    fn arm_for_sleepers(&mut self) {
        if let Some(&(deadline, _)) = self.sleepers.first() {
            self.arm_no_later_than(deadline);
        }
        if let Some(&(next, _)) = self.alarms.first() {
            self.arm_no_later_than(next);
        }
        self.arm_to_look();
    }

    /// Where files are to be sent, sees to it that the kernel looks whether the monitor wants them.
    pub fn arm_to_look(&mut self) {
        if files_out::are_expected() {
            self.arm_no_later_than(clock::now() + LOOK);
        }
    }

    /// Nobody is runnable: halts until an interrupt, or reports a deadlock where none can help.
    #[cold]
    fn idle(&mut self) {
        if self.sleepers.is_empty() && self.alarms.is_empty() && !self.waits_for_console() {
            deadlock::report(self);
        }
        self.arm_for_sleepers();
        COUNTERS.add(Counter::IdleHalts, 1);
        let pending = interrupts::idle();
        self.charge_nobody();
        if pending.timer {
            COUNTERS.add(Counter::TimerTicks, 1);
            self.alarm = Alarm::Off;
            files_out::send_if_wanted(self);
            let now = clock::now();
            self.wake_sleepers(now);
            self.ring_alarms(now);
        }
        if pending.serial {
            self.take_console_input();
        }
        trace::notice(self);
    }
}
