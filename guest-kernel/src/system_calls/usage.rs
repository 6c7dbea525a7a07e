//! What processes have used, and their timers: the arguments of the calls. What they do is in
//! [`crate::process::accounting`] and [`crate::process::timers`].
use super::time;
use crate::arch::clock::{self, SECOND};
use crate::kernel::Kernel;
use crate::memory::{heap, user};
use crate::process::accounting::{Times, Usage};
use crate::process::timers::{Setting, Which};
use contract::Errno;
use linux_raw_sys::general as linux;

const MICROSECOND: u64 = 1000;
/// Nanoseconds of a clock tick: 100 a second (AT_CLKTCK).
const CLOCK_TICK: u64 = SECOND / 100;

/// Whose usage getrusage(2) tells.
const RUSAGE_SELF: i32 = 0;
const RUSAGE_CHILDREN: i32 = -1;
const RUSAGE_THREAD: i32 = 1;

/// Which timer a program means.
fn timer(which: u64) -> Result<Which, Errno> {
    match which as u32 {
        linux::ITIMER_REAL => Ok(Which::Real),
        linux::ITIMER_VIRTUAL => Ok(Which::Virtual),
        linux::ITIMER_PROF => Ok(Which::Profiling),
        _ => Err(Errno::EINVAL),
    }
}

/// `struct timeval` from a program: nanoseconds.
fn nanoseconds([seconds, microseconds]: [u64; 2]) -> Result<u64, Errno> {
    time::nanoseconds([seconds, microseconds.saturating_mul(MICROSECOND)])
}

/// `struct itimerval`.
const fn to_words(setting: Setting) -> [u64; 4] {
    let Setting { left, period } = setting;
    // What is left of a timer that is set is never nothing.
    let left = left.saturating_add(MICROSECOND - 1);
    [
        period / SECOND,
        period % SECOND / MICROSECOND,
        left / SECOND,
        left % SECOND / MICROSECOND,
    ]
}

impl Kernel {
    /// getrusage(2).
    pub fn getrusage(&mut self, whose: u64, address: u64) -> Result<u64, Errno> {
        let usage = match whose as i32 {
            RUSAGE_SELF => self.usage_of(self.current.process),
            RUSAGE_CHILDREN => self.processes[self.current.process].children_usage,
            RUSAGE_THREAD => self.thread_usage(),
            _ => return Err(Errno::EINVAL),
        };
        let space = self.processes[self.current.process].space();
        user::write(space, address, &usage.to_rusage())?;
        Ok(0)
    }

    /// times(2).
    pub fn times(&mut self, address: u64) -> Result<u64, Errno> {
        if address != 0 {
            let own = self.times_of(self.current.process);
            let mut children: Usage = self.processes[self.current.process].children_usage;
            let children = children.times();
            let ticks = |Times { user, system }: Times| [user / CLOCK_TICK, system / CLOCK_TICK];
            let ([user, system], [children_user, children_system]) = (ticks(own), ticks(children));
            let words = [user, system, children_user, children_system];
            let space = self.processes[self.current.process].space();
            user::write_words(space, address, &words)?;
        }
        Ok(clock::now() / CLOCK_TICK)
    }

    /// getitimer(2).
    pub fn getitimer(&mut self, which: u64, address: u64) -> Result<u64, Errno> {
        let setting = self.timer(timer(which)?);
        let space = self.processes[self.current.process].space();
        user::write_words(space, address, &to_words(setting))?;
        Ok(0)
    }

    /// setitimer(2). No new setting is a timer that is off, as on Linux.
    pub fn setitimer(&mut self, which: u64, new: u64, old: u64) -> Result<u64, Errno> {
        heap::require_reserve()?;
        let space = self.processes[self.current.process].space();
        let setting = match new {
            0 => Setting::default(),
            new => {
                let [seconds, part, left_seconds, left_part] = user::read_words(space, new)?;
                Setting {
                    period: nanoseconds([seconds, part])?,
                    left: nanoseconds([left_seconds, left_part])?,
                }
            }
        };
        let which = timer(which)?;
        let before = self.timer(which);
        self.set_timer(which, setting);
        if old != 0 {
            let space = self.processes[self.current.process].space();
            user::write_words(space, old, &to_words(before))?;
        }
        Ok(0)
    }

    /// alarm(2): what was left is rounded, and never told as nothing.
    pub fn alarm(&mut self, seconds: u64) -> Result<u64, Errno> {
        heap::require_reserve()?;
        let Setting { left, .. } = self.timer(Which::Real);
        let setting = Setting {
            left: u64::from(seconds as u32) * SECOND,
            period: 0,
        };
        self.set_timer(Which::Real, setting);
        Ok(match left {
            0 => 0,
            left => (left.saturating_add(SECOND / 2) / SECOND).max(1),
        })
    }
}
