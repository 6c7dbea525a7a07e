//! Where a signal comes from: what `siginfo_t` tells of it (sigaction(2)).
use crate::process::wait::Event;
use crate::process::{Pid, Status};
use linux_raw_sys::general as linux;

/// Bytes of `siginfo_t`.
pub const SIZE: usize = 128;

/// `si_code` of what a program says with rt_sigqueueinfo(2) as kill(2) or tkill(2) would.
pub const SI_USER: i32 = 0;
pub const SI_TKILL: i32 = -6;
const SI_KERNEL: u32 = 0x80;
const SI_SIGIO: u32 = -5_i32 as u32;

/// A process that sends or tells: its pid and real user id.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct Sender {
    pub pid: Pid,
    pub user: u32,
}

/// Bytes 4 to 48 of a `siginfo_t` that a program has put together: errno, code, padding, and 32 of the rest.
pub type Said = [u32; 11];

/// An exception as the processor told of it: what `sigcontext` shows.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct Trap {
    pub vector: u8,
    pub error: u32,
}

/// See the module.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Info {
    /// The kernel.
    Kernel,
    /// kill(2).
    Kill(Sender),
    /// tkill(2) or tgkill(2).
    ThreadKill(Sender),
    /// rt_sigqueueinfo(2).
    Queued(Said),
    /// A fault of the thread's own: `si_code`, 0 for one without an address, and the address.
    Fault { code: u32, address: u64, trap: Trap },
    /// A child has ended, stopped or gone on.
    Child(Sender, Event),
    /// Something can be done with a file: `si_code`, `si_band`, `si_fd`.
    File {
        code: u32,
        band: u32,
        descriptor: u32,
    },
}

impl Info {
    /// `siginfo_t`, 128 bytes: signo, errno, code, padding, then what the code says.
    pub fn to_siginfo(self, signal: u8) -> [u8; SIZE] {
        let mut bytes = [0; SIZE];
        let mut put = |index: usize, word: u32| {
            bytes[4 * index..4 * index + 4].copy_from_slice(&word.to_ne_bytes());
        };
        put(0, u32::from(signal));
        match self {
            Self::Kernel => put(2, SI_KERNEL),
            Self::Kill(sender) => {
                put(4, sender.pid.0);
                put(5, sender.user);
            }
            Self::ThreadKill(sender) => {
                put(2, SI_TKILL as u32);
                put(4, sender.pid.0);
                put(5, sender.user);
            }
            Self::Queued(said) => {
                for (index, word) in said.into_iter().enumerate() {
                    put(index + 1, word);
                }
            }
            Self::Fault { code: 0, .. } => put(2, SI_KERNEL),
            Self::Fault { code, address, .. } => {
                put(2, code);
                put(4, address as u32);
                put(5, (address >> 32) as u32);
            }
            Self::Child(child, event) => {
                let (code, status) = code_and_status(event);
                put(2, code);
                put(4, child.pid.0);
                put(5, child.user);
                put(6, status);
            }
            Self::File {
                code,
                band,
                descriptor,
            } => {
                // Of some signals these codes would say something else.
                put(
                    2,
                    if means_otherwise(signal) {
                        SI_SIGIO
                    } else {
                        code
                    },
                );
                put(4, band);
                put(6, descriptor);
            }
        }
        bytes
    }

    /// Whether a program says more by it than that it was sent: then it is refused rather than sent without.
    pub const fn is_message(self) -> bool {
        matches!(
            self,
            Self::Queued(_) | Self::ThreadKill(_) | Self::File { .. }
        )
    }
}

/// Whether a signal has codes of its own.
const fn means_otherwise(signal: u8) -> bool {
    use super::{SIGBUS, SIGCHLD, SIGFPE, SIGILL, SIGSEGV, SIGSYS, SIGTRAP};
    matches!(
        signal,
        SIGBUS | SIGCHLD | SIGFPE | SIGILL | SIGSEGV | SIGSYS | SIGTRAP
    )
}

/// `si_code` and `si_status` of a child (sigaction(2)).
const fn code_and_status(event: Event) -> (u32, u32) {
    match event {
        Event::Ended(Status::Exited(code)) => (linux::CLD_EXITED, code as u32),
        Event::Ended(Status::Killed { signal, core }) => {
            let code = if core {
                linux::CLD_DUMPED
            } else {
                linux::CLD_KILLED
            };
            (code, signal as u32)
        }
        Event::Stopped(signal) => (linux::CLD_STOPPED, signal as u32),
        Event::Continued => (linux::CLD_CONTINUED, super::SIGCONT as u32),
    }
}
