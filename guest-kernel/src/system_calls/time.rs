//! Time: clocks and sleep.
use super::Outcome;
use crate::arch::clock::{self, SECOND};
use crate::kernel::Kernel;
use crate::memory::space::AddressSpace;
use crate::memory::{heap, user};
use crate::process::accounting::Times;
use crate::process::{Pid, Resume, State, Thread, ThreadSlot, Wait};
use contract::Errno;
use linux_raw_sys::general as linux;

/// The longest time there is, in nanoseconds: 292 years. More is taken for it, as on Linux; so a time from a program
/// and one since boot can be added.
const LONGEST: u64 = i64::MAX as u64;

/// `struct timespec` from a program: nanoseconds.
pub fn nanoseconds([seconds, nanoseconds]: [u64; 2]) -> Result<u64, Errno> {
    if (seconds as i64) < 0 || nanoseconds >= SECOND {
        return Err(Errno::EINVAL);
    }
    let time = seconds.saturating_mul(SECOND).saturating_add(nanoseconds);
    Ok(time.min(LONGEST))
}

/// Reads a `struct timespec`: nanoseconds.
pub fn read_timespec(space: &AddressSpace, address: u64) -> Result<u64, Errno> {
    nanoseconds(user::read_words(space, address)?)
}

/// Which time a clock of the machine tells, in nanoseconds.
fn read_clock(clock: u32) -> Option<u64> {
    match clock {
        linux::CLOCK_REALTIME
        | linux::CLOCK_REALTIME_COARSE
        | linux::CLOCK_REALTIME_ALARM
        | linux::CLOCK_TAI => Some(clock::realtime()),
        linux::CLOCK_MONOTONIC
        | linux::CLOCK_MONOTONIC_RAW
        | linux::CLOCK_MONOTONIC_COARSE
        | linux::CLOCK_BOOTTIME
        | linux::CLOCK_BOOTTIME_ALARM => Some(clock::now()),
        _ => None,
    }
}

impl Kernel {
    /// nanosleep(2).
    pub fn nanosleep(&mut self, request: u64, _remaining: u64) -> Result<Outcome, Errno> {
        let space = self.processes[self.current.process].space();
        heap::require_reserve()?;
        let length = read_timespec(space, request)?;
        Ok(self.sleep_in_call(clock::now().saturating_add(length)))
    }

    /// clock_nanosleep(2).
    pub fn clock_nanosleep(
        &mut self,
        clock: u64,
        flags: u64,
        request: u64,
        _remaining: u64,
    ) -> Result<Outcome, Errno> {
        let base = match clock as u32 {
            linux::CLOCK_REALTIME => clock::realtime().saturating_sub(clock::now()),
            linux::CLOCK_MONOTONIC | linux::CLOCK_BOOTTIME => 0,
            linux::CLOCK_TAI => clock::realtime().saturating_sub(clock::now()),
            other => {
                // A clock of CPU time that could be: only then the time is looked at.
                let known = self.clock_time(u64::from(other)).map(|_| Errno::EOPNOTSUPP);
                if (other as i32) < 0 || known.is_ok() {
                    read_timespec(self.processes[self.current.process].space(), request)?;
                }
                return Err(known?);
            }
        };
        let space = self.processes[self.current.process].space();
        heap::require_reserve()?;
        let time = read_timespec(space, request)?;
        Ok(
            self.sleep_in_call(if flags as u32 & linux::TIMER_ABSTIME != 0 {
                time.saturating_sub(base)
            } else {
                clock::now().saturating_add(time)
            }),
        )
    }

    /// Which time a clock tells, that of a process's CPU time included, in nanoseconds (clock_getcpuclockid(3)).
    fn clock_time(&mut self, clock: u64) -> Result<u64, Errno> {
        /// The lowest bits of a clock of CPU time: what it is of, and what it counts.
        const OF_THREAD: u32 = 4;
        const USER: u32 = 1;
        const EVERYTHING: u32 = 2;
        let clock = clock as u32;
        if let Some(time) = read_clock(clock) {
            return Ok(time);
        }
        let total = |times: Times| times.user + times.system;
        match clock {
            linux::CLOCK_PROCESS_CPUTIME_ID => Ok(total(self.times_of(self.current.process))),
            linux::CLOCK_THREAD_CPUTIME_ID => Ok(self.thread_time()),
            clock if (clock as i32) < 0 => {
                let pid = !(clock as i32 >> 3) as u32;
                let tid = match pid {
                    0 => self.processes[self.current.thread].tid,
                    pid => Pid(pid),
                };
                if clock & 3 > EVERYTHING {
                    return Err(Errno::EINVAL);
                }
                if clock & OF_THREAD != 0 {
                    let thread = self.processes.find_thread(tid).ok_or(Errno::EINVAL)?;
                    self.charge();
                    return Ok(clock::ticks_to_nanoseconds(self.processes[thread].cpu));
                }
                let process = match pid {
                    0 => self.current.process,
                    _ => self.processes.find(tid).ok_or(Errno::EINVAL)?,
                };
                let times = self.times_of(process);
                Ok(if clock & 3 == USER {
                    times.user
                } else {
                    total(times)
                })
            }
            _ => Err(Errno::EINVAL),
        }
    }

    /// clock_gettime(2).
    pub fn clock_gettime(&mut self, clock: u64, address: u64) -> Result<u64, Errno> {
        let time = self.clock_time(clock)?;
        let space = self.processes[self.current.process].space();
        user::write_words(space, address, &[time / SECOND, time % SECOND])?;
        Ok(0)
    }

    /// clock_getres(2).
    pub fn clock_getres(&mut self, clock: u64, address: u64) -> Result<u64, Errno> {
        self.clock_time(clock)?;
        if address != 0 {
            let space = self.processes[self.current.process].space();
            user::write_words(space, address, &[0, 1])?;
        }
        Ok(0)
    }

    /// clock_settime(2): of the real time alone.
    pub fn clock_settime(&mut self, clock: u64, address: u64) -> Result<u64, Errno> {
        if clock as u32 != linux::CLOCK_REALTIME {
            return Err(Errno::EINVAL);
        }
        let space = self.processes[self.current.process].space();
        let time = read_timespec(space, address)?;
        self.set_real_time(time)?;
        Ok(0)
    }

    /// Sets the real time. Who waits until a time of day waits for it by the new one.
    fn set_real_time(&mut self, time: u64) -> Result<(), Errno> {
        if time < clock::now() {
            return Err(Errno::EINVAL);
        }
        clock::set_realtime(time);
        while let Some(slot) = self.first_with_time_of_day() {
            let afresh = Resume::SystemCall {
                progress: 0,
                turn: None,
            };
            match &mut self.processes[slot].state {
                State::Waiting(_) => self.make_runnable(slot, afresh),
                State::Runnable(resume) | State::Stopped(resume) => *resume = afresh,
                State::Running => {}
            }
        }
        Ok(())
    }

    fn first_with_time_of_day(&self) -> Option<ThreadSlot> {
        self.processes
            .threads()
            .find(|&slot| self.processes[slot].has_time_of_day())
    }

    /// settimeofday(2); the zone is nobody's concern.
    pub fn settimeofday(&mut self, address: u64, zone: u64) -> Result<u64, Errno> {
        let space = self.processes[self.current.process].space();
        if address != 0 {
            let [seconds, microseconds] = user::read_words(space, address)?;
            let time = nanoseconds([seconds, microseconds.saturating_mul(1000)])?;
            self.set_real_time(time)?;
        }
        if zone != 0 {
            let space = self.processes[self.current.process].space();
            user::read_u64(space, zone)?;
        }
        Ok(0)
    }

    /// adjtimex(2): the clock is the host's. Told is that nobody keeps it in step; asked to change it, EPERM.
    pub fn clock_adjtime(&mut self, clock: u64, address: u64) -> Result<u64, Errno> {
        const SIZE: usize = 208;
        const STA_UNSYNC: u32 = 0x40;
        const TIME_ERROR: u64 = 5;
        let space = self.processes[self.current.process].space();
        let mut bytes = [0; SIZE];
        user::read(space, address, &mut bytes)?;
        if clock as u32 != linux::CLOCK_REALTIME {
            return Err(if self.clock_time(clock).is_ok() {
                Errno::EOPNOTSUPP
            } else {
                Errno::EINVAL
            });
        }
        if bytes[..4] != [0; 4] {
            return Err(Errno::EPERM);
        }
        let time = clock::realtime();
        bytes.fill(0);
        bytes[40..44].copy_from_slice(&STA_UNSYNC.to_ne_bytes());
        bytes[64..72].copy_from_slice(&1_u64.to_ne_bytes());
        bytes[72..80].copy_from_slice(&(time / SECOND).to_ne_bytes());
        bytes[80..88].copy_from_slice(&(time % SECOND / 1000).to_ne_bytes());
        bytes[88..96].copy_from_slice(&10_000_u64.to_ne_bytes());
        user::write(space, address, &bytes)?;
        Ok(TIME_ERROR)
    }

    /// gettimeofday(2).
    pub fn gettimeofday(&self, address: u64, zone: u64) -> Result<u64, Errno> {
        let time = clock::realtime();
        let space = self.processes[self.current.process].space();
        if address != 0 {
            user::write_words(space, address, &[time / SECOND, time % SECOND / 1000])?;
        }
        if zone != 0 {
            user::write_words(space, zone, &[0])?;
        }
        Ok(0)
    }

    /// time(2).
    pub fn time(&self, address: u64) -> Result<u64, Errno> {
        let seconds = clock::realtime() / SECOND;
        if address != 0 {
            user::write_words(
                self.processes[self.current.process].space(),
                address,
                &[seconds],
            )?;
        }
        Ok(seconds)
    }

    /// Sleeps until a time, or, where the call is asked again, until the one that it had.
    fn sleep_in_call(&mut self, deadline: u64) -> Outcome {
        let deadline = match self.progress {
            0 => deadline,
            before => before as u64,
        };
        if deadline <= clock::now() {
            Outcome::Return(0)
        } else {
            self.wait_in_call(Wait::Time(deadline))
        }
    }
}

impl Thread {
    /// Whether the call that it waits in, or is to ask again, has a deadline made of a time of day.
    fn has_time_of_day(&self) -> bool {
        let has_deadline = match self.state {
            State::Waiting(Wait::Time(_)) => true,
            State::Waiting(Wait::Futex(waiter)) => waiter.deadline.is_some(),
            State::Runnable(Resume::SystemCall { progress, .. })
            | State::Stopped(Resume::SystemCall { progress, .. }) => progress != 0,
            _ => false,
        };
        let registers = &self.context.registers;
        let [first, second, ..] = registers.arguments().map(|argument| argument as u32);
        has_deadline
            && match registers.system_call_number() as u32 {
                linux::__NR_clock_nanosleep => {
                    matches!(first, linux::CLOCK_REALTIME | linux::CLOCK_TAI)
                        && second & linux::TIMER_ABSTIME != 0
                }
                linux::__NR_futex => {
                    second & linux::FUTEX_CLOCK_REALTIME != 0
                        || second & !linux::FUTEX_PRIVATE_FLAG == linux::FUTEX_LOCK_PI
                }
                _ => false,
            }
    }
}
