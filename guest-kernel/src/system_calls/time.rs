//! Time: clocks and sleep.
use super::Outcome;
use crate::arch::clock;
use crate::kernel::Kernel;
use crate::memory::space::AddressSpace;
use crate::memory::{heap, user};
use crate::process::Wait;
use contract::Errno;
use linux_raw_sys::general as linux;

const SECOND: u64 = 1_000_000_000;

/// `struct timespec` from a program: nanoseconds.
fn nanoseconds([seconds, nanoseconds]: [u64; 2]) -> Result<u64, Errno> {
    if (seconds as i64) < 0 || nanoseconds >= SECOND {
        return Err(Errno::EINVAL);
    }
    Ok(seconds.saturating_mul(SECOND).saturating_add(nanoseconds))
}

/// Reads a `struct timespec`: nanoseconds.
pub fn read_timespec(space: &AddressSpace, address: u64) -> Result<u64, Errno> {
    nanoseconds(user::read_words(space, address)?)
}

/// Which time a clock tells, in nanoseconds.
fn read_clock(clock: u64) -> Result<u64, Errno> {
    match clock as u32 {
        linux::CLOCK_REALTIME | linux::CLOCK_REALTIME_COARSE | linux::CLOCK_TAI => {
            Ok(clock::realtime())
        }
        linux::CLOCK_MONOTONIC
        | linux::CLOCK_MONOTONIC_RAW
        | linux::CLOCK_MONOTONIC_COARSE
        | linux::CLOCK_BOOTTIME => Ok(clock::now()),
        // Those of CPU time are not kept yet.
        _ => Err(Errno::EINVAL),
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
            _ => return Err(Errno::EINVAL),
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

    /// clock_gettime(2).
    pub fn clock_gettime(&self, clock: u64, address: u64) -> Result<u64, Errno> {
        let time = read_clock(clock)?;
        let space = self.processes[self.current.process].space();
        user::write_words(space, address, &[time / SECOND, time % SECOND])?;
        Ok(0)
    }

    /// clock_getres(2).
    pub fn clock_getres(&self, clock: u64, address: u64) -> Result<u64, Errno> {
        read_clock(clock)?;
        if address != 0 {
            user::write_words(
                self.processes[self.current.process].space(),
                address,
                &[0, 1],
            )?;
        }
        Ok(0)
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
