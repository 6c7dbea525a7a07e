//! Clocks and sleep.
use crate::Result;
use crate::call::call;
use linux_raw_sys::general as raw;

/// clock_gettime(2) of `CLOCK_MONOTONIC`, in nanoseconds.
///
/// # Errors
/// Those of clock_gettime(2).
pub fn monotonic_nanoseconds() -> Result<u64> {
    let mut now = raw::timespec {
        tv_sec: 0,
        tv_nsec: 0,
    };
    // SAFETY: the call writes one timespec, and there is room for one.
    unsafe { call!(clock_gettime, raw::CLOCK_MONOTONIC, &raw mut now) }?;
    Ok(now.tv_sec as u64 * 1_000_000_000 + now.tv_nsec as u64)
}

/// nanosleep(2) of so many milliseconds, less if a signal comes.
pub fn sleep_milliseconds(milliseconds: u32) {
    let duration = raw::timespec {
        tv_sec: i64::from(milliseconds / 1000),
        tv_nsec: i64::from(milliseconds % 1000) * 1_000_000,
    };
    // SAFETY: the call reads one timespec; what is left of the time is not asked for.
    let _ = unsafe { call!(nanosleep, &raw const duration, 0) };
}

/// The time-stamp counter.
pub fn ticks() -> u64 {
    // SAFETY: every processor with 64-bit mode has RDTSC, and Linux's ABI leaves it open to programs.
    unsafe { core::arch::x86_64::_rdtsc() }
}
