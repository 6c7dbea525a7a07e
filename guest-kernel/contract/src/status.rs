//! How a machine ends, and the exit status that the monitor makes of it.
//!
//! The program given to run has the whole range 0–255, as in a shell: its own status, or 128 + n when
//! signal n ended it. What ends the machine instead of the program has a status of its own below, a line
//! on standard error that names it, and its [`kind`](Exit::name) in `--stats`, so that a program that
//! happens to use the same number can be told apart.

/// The guest kernel panicked.
pub const KERNEL_PANIC: u8 = 120;
/// The virtual CPU shut down: a fault while delivering a double fault.
pub const TRIPLE_FAULT: u8 = 121;
/// Every process waited for something that could not come.
pub const DEADLOCK: u8 = 122;
/// The person at the terminal ended the machine with Ctrl-A x.
pub const ENDED_BY_USER: u8 = 123;
/// `--timeout` passed (as coreutils' `timeout`).
pub const TIMEOUT: u8 = 124;
/// cowbell itself could not go on: bad option, kernel, initramfs or host (as `docker run`).
pub const HOST_ERROR: u8 = 125;
/// The program is there and cannot be executed (as a shell).
pub const NOT_EXECUTABLE: u8 = 126;
/// The program is not there (as a shell).
pub const NOT_FOUND: u8 = 127;

/// How the guest kernel ended the machine. Travels in the counter page as one word and, as far as it
/// fits, through the exit port.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Exit {
    /// Nothing reported yet: the machine runs, or died without a word.
    None,
    /// pid 1 called exit with this status.
    Exited(u8),
    /// Signal `.0` (1–64) ended pid 1.
    Killed(u8),
    /// The program given to run could not be started; the errno of `execve`.
    ExecFailed(u16),
    /// The kernel panicked.
    Panic,
    /// Deadlock.
    Deadlock,
    /// The kernel could not boot with what it was given (command line, memory map, initramfs).
    BadBoot,
}

impl Exit {
    /// As one word: kind in bits 8–15, value in bits 0–7 and 16–31.
    #[must_use]
    pub const fn encode(self) -> u32 {
        match self {
            Self::None => 0,
            Self::Exited(status) => 1 << 8 | status as u32,
            Self::Killed(signal) => 2 << 8 | signal as u32,
            Self::ExecFailed(errno) => 3 << 8 | (errno as u32) << 16 | 127,
            Self::Panic => 4 << 8 | KERNEL_PANIC as u32,
            Self::Deadlock => 5 << 8 | DEADLOCK as u32,
            Self::BadBoot => 6 << 8 | HOST_ERROR as u32,
        }
    }

    /// The reverse of [`encode`](Self::encode). The word comes from the guest: anything may be in it.
    #[must_use]
    pub const fn decode(word: u32) -> Option<Self> {
        let low = word as u8;
        match (word >> 8) as u8 {
            0 => Some(Self::None),
            1 => Some(Self::Exited(low)),
            2 => Some(Self::Killed(low)),
            3 => Some(Self::ExecFailed((word >> 16) as u16)),
            4 => Some(Self::Panic),
            5 => Some(Self::Deadlock),
            6 => Some(Self::BadBoot),
            _ => None,
        }
    }

    /// Short name for reports.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::None => "none",
            Self::Exited(_) => "exited",
            Self::Killed(_) => "killed",
            Self::ExecFailed(_) => "exec-failed",
            Self::Panic => "kernel-panic",
            Self::Deadlock => "deadlock",
            Self::BadBoot => "bad-boot",
        }
    }
}
