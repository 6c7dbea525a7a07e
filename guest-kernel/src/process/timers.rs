//! Interval timers (setitimer(2), alarm(2)) and the limit on CPU time (RLIMIT_CPU).
//!
//! A real timer stands in the kernel's list of alarms. Those of CPU time are looked at when the interrupt comes that
//! is armed for them as soon as their process runs.
use super::limits::{INFINITY, Resource};
use super::signal::{Info, SIGALRM, SIGKILL, SIGPROF, SIGVTALRM, SIGXCPU, send};
use super::{Process, ProcessSlot};
use crate::arch::clock::{self, SECOND};
use crate::kernel::Kernel;
use crate::memory::heap;
use alloc::boxed::Box;

/// Which timer of a process.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Which {
    /// Of the time that passes: SIGALRM.
    Real,
    /// Of the time that its program uses: SIGVTALRM.
    Virtual,
    /// Of the time that it and the kernel use for it: SIGPROF.
    Profiling,
}

/// A timer: when it comes next, in nanoseconds of its clock, 0 for never; and the time from then to the next.
#[derive(Clone, Copy, Default)]
pub struct Interval {
    next: u64,
    period: u64,
}

impl Interval {
    /// Whether it has come by `now`; then it is set for the next time.
    fn expire(&mut self, now: u64) -> bool {
        if self.next == 0 || self.next > now {
            return false;
        }
        self.next = match self.period {
            0 => 0,
            period => {
                let times = (now - self.next) / period + 1;
                self.next.saturating_add(times.saturating_mul(period))
            }
        };
        true
    }
}

/// What is left until a timer comes, and its period, in nanoseconds; 0 and 0 for one that is off.
#[derive(Clone, Copy, Default)]
pub struct Setting {
    pub left: u64,
    pub period: u64,
}

/// A process's timers; of those that have any.
#[derive(Default)]
pub struct Timers {
    real: Interval,
    profiling: Interval,
    program: Interval,
    /// CPU time at which SIGXCPU comes again; 0 where it has not come.
    limit: u64,
}

impl Timers {
    const fn of(&mut self, which: Which) -> &mut Interval {
        match which {
            Which::Real => &mut self.real,
            Which::Virtual => &mut self.program,
            Which::Profiling => &mut self.profiling,
        }
    }
}

impl Process {
    /// Whether an interrupt may be needed while it runs.
    #[inline]
    pub const fn has_cpu_timers(&self) -> bool {
        self.timers.is_some() || self.limits.are_own()
    }
}

impl Kernel {
    /// The present time of a process's timer.
    fn timer_clock(&mut self, slot: ProcessSlot, which: Which) -> u64 {
        if which == Which::Real {
            return clock::now();
        }
        let times = self.times_of(slot);
        match which {
            Which::Virtual => times.user,
            _ => times.user + times.system,
        }
    }

    /// What a timer of the current process is set to (getitimer(2)).
    pub fn timer(&mut self, which: Which) -> Setting {
        let slot = self.current.process;
        let now = self.timer_clock(slot, which);
        let Some(timers) = &mut self.processes[slot].timers else {
            return Setting::default();
        };
        let Interval { next, period } = *timers.of(which);
        let left = match next {
            0 => 0,
            // It is about to come.
            next => next.saturating_sub(now).max(1000),
        };
        Setting { left, period }
    }

    /// Sets a timer of the current process. The heap's reserve is to be full.
    pub fn set_timer(&mut self, which: Which, setting: Setting) {
        let slot = self.current.process;
        let now = self.timer_clock(slot, which);
        let process = &mut self.processes[slot];
        if setting.left == 0 && process.timers.is_none() {
            return;
        }
        let timers = process.timers.get_or_insert_with(Box::default);
        let interval = timers.of(which);
        let before = interval.next;
        *interval = match setting.left {
            0 => Interval::default(),
            left => Interval {
                next: now.saturating_add(left),
                period: setting.period,
            },
        };
        let next = interval.next;
        if which != Which::Real {
            return self.arm_for_cpu_timers(slot);
        }
        if before != 0 {
            self.alarms.remove(&(before, slot));
        }
        if next != 0 {
            self.alarms.insert((next, slot));
            self.arm_no_later_than(next);
        }
    }

    /// The real timers whose time has come send their signals.
    pub fn ring_alarms(&mut self, now: u64) {
        while let Some(&(next, slot)) = self.alarms.first() {
            if next > now {
                return;
            }
            self.alarms.pop_first();
            if let Some(timers) = &mut self.processes[slot].timers
                && timers.real.expire(now)
            {
                let again = timers.real.next;
                if again != 0 {
                    self.alarms.insert((again, slot));
                }
                send(self, slot, SIGALRM, Info::Kernel);
            }
        }
    }

    /// A process has ended: its timers go.
    #[inline]
    pub fn drop_timers(&mut self, slot: ProcessSlot) {
        if let Some(timers) = self.processes[slot].timers.take()
            && timers.real.next != 0
        {
            self.alarms.remove(&(timers.real.next, slot));
        }
    }

    /// The next CPU time, user time first, at which something is to be done about a process that runs.
    fn next_cpu_times(&self, slot: ProcessSlot) -> (u64, u64) {
        let process = &self.processes[slot];
        let when = |next: u64| if next == 0 { u64::MAX } else { next };
        let (program, mut all) = match &process.timers {
            None => (u64::MAX, u64::MAX),
            Some(timers) => {
                let limit = when(timers.limit);
                (
                    when(timers.program.next),
                    when(timers.profiling.next).min(limit),
                )
            }
        };
        let limit = process.limits.get(Resource::Cpu);
        let warned = process
            .timers
            .as_ref()
            .is_some_and(|timers| timers.limit != 0);
        for bound in [limit.hard, limit.soft] {
            if bound != INFINITY && !(warned && bound == limit.soft) {
                all = all.min(bound.saturating_mul(SECOND));
            }
        }
        (program, all)
    }

    /// Sees to it that an interrupt comes when a process that is about to run has used up what it is allowed.
    #[cold]
    pub fn arm_for_cpu_timers(&mut self, slot: ProcessSlot) {
        let (program, all) = self.next_cpu_times(slot);
        if program == u64::MAX && all == u64::MAX {
            return;
        }
        let times = self.times_of(slot);
        let left = program
            .saturating_sub(times.user)
            .min(all.saturating_sub(times.user + times.system));
        self.arm_no_later_than(clock::now().saturating_add(left.max(1000)));
    }

    /// The current process has run for a while: its timers of CPU time send their signals.
    #[cold]
    pub fn ring_cpu_timers(&mut self) {
        let slot = self.current.process;
        let times = self.times_of(slot);
        let all = times.user + times.system;
        let (mut program_rings, mut profiling_rings) = (false, false);
        let limit = self.processes[slot].limits.get(Resource::Cpu);
        if let Some(timers) = &mut self.processes[slot].timers {
            program_rings = timers.program.expire(times.user);
            profiling_rings = timers.profiling.expire(all);
        }
        let over = |bound: u64| bound != INFINITY && all >= bound.saturating_mul(SECOND);
        let mut limit_rings = false;
        if over(limit.soft) && heap::require_reserve().is_ok() {
            let timers = self.processes[slot].timers.get_or_insert_with(Box::default);
            if all >= timers.limit {
                // Once a second from then on.
                timers.limit = all + SECOND;
                limit_rings = true;
            }
        }
        let signals = [
            (program_rings, SIGVTALRM),
            (profiling_rings, SIGPROF),
            (limit_rings, SIGXCPU),
            (over(limit.hard), SIGKILL),
        ];
        for (_, signal) in signals.into_iter().filter(|&(rings, _)| rings) {
            if self.is_alive(slot) {
                send(self, slot, signal, Info::Kernel);
            }
        }
        if self.is_alive(slot) {
            self.arm_for_cpu_timers(slot);
        }
    }

    fn is_alive(&self, slot: ProcessSlot) -> bool {
        self.processes
            .get(slot)
            .is_some_and(|process| process.ended.is_none())
    }
}
