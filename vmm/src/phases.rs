//! When the steps of a start were reached.

use std::time::Instant;

/// Nanoseconds since the process was started, where a step was reached.
#[derive(Clone, Debug)]
pub struct Phases {
    origin: Instant,
    /// CPU time the process had used before its first own instruction: the loader's, in nanoseconds.
    before_origin: u64,
    /// The engine is ready: virtual machine, memory and CPU are there.
    pub engine_ready: Option<u64>,
    /// The guest is entered for the first time.
    pub first_entry: Option<u64>,
    /// The first instruction of the first process.
    pub first_user: Option<u64>,
    /// The last exit from the guest.
    pub last_exit: Option<u64>,
}

impl Phases {
    /// Starts to count; called first thing in `main`.
    #[must_use]
    pub fn begin() -> Self {
        let mut used = libc::timespec {
            tv_sec: 0,
            tv_nsec: 0,
        };
        // SAFETY: the structure is as large as the call writes.
        unsafe { libc::clock_gettime(libc::CLOCK_PROCESS_CPUTIME_ID, &raw mut used) };
        let nanoseconds = i128::from(used.tv_sec) * 1_000_000_000 + i128::from(used.tv_nsec);
        Self {
            origin: Instant::now(),
            before_origin: u64::try_from(nanoseconds).unwrap_or(0),
            engine_ready: None,
            first_entry: None,
            first_user: None,
            last_exit: None,
        }
    }

    /// Nanoseconds since the process was started.
    #[must_use]
    pub fn now(&self) -> u64 {
        self.before_origin + u64::try_from(self.origin.elapsed().as_nanos()).unwrap_or(u64::MAX)
    }
}
