//! How a machine ended, and what cowbell's exit status and last words are for it.

use crate::interruption::{self, Interruption};
use crate::messages::say;
use crate::output::Stopped;
use contract::status::{self, Exit};

/// The end of a run.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Ending {
    /// The kernel said so.
    Guest(Exit),
    /// The virtual CPU shut down (triple fault).
    TripleFault,
    /// The engine could not go on with the guest: KVM's internal error, a failed entry, QEMU's death.
    Engine(String),
    /// Something from outside.
    Interrupted(Interruption),
    /// Nobody reads standard output.
    OutputClosed(String),
}

impl Ending {
    /// From the value that the guest wrote to the exit port, where its counter page does not say better.
    #[must_use]
    pub fn from_port(value: u32) -> Self {
        match Exit::decode(value) {
            // Kernels that are not ours write a plain status.
            Some(Exit::None) | None => Self::Guest(Exit::Exited(value as u8)),
            Some(exit) => Self::Guest(exit),
        }
    }

    /// From an output that stopped; `None` where there is nothing to stop for any more.
    #[must_use]
    pub fn of_output(stopped: Stopped) -> Option<Self> {
        match stopped {
            Stopped::Interrupted => interruption::pending().map(Self::Interrupted),
            Stopped::Closed(error) => Some(Self::OutputClosed(error.to_string())),
            Stopped::NotMemory(address, length) => Some(Self::Engine(format!(
                "the guest asked for {length} bytes of output at {address:#x}, which is not in its memory"
            ))),
        }
    }

    /// cowbell's exit status; where execve failed, see [`crate::diagnosis::Place::status_of_not_executed`] too.
    #[must_use]
    pub fn status(&self) -> u8 {
        match self {
            Self::Guest(Exit::Exited(status)) => *status,
            Self::Guest(Exit::Killed(signal)) => 128_u8.saturating_add(*signal),
            Self::Guest(Exit::ExecFailed(_)) => status::NOT_EXECUTABLE,
            Self::Guest(Exit::Panic) => status::KERNEL_PANIC,
            Self::Guest(Exit::Deadlock) => status::DEADLOCK,
            Self::Guest(Exit::BadBoot | Exit::None) | Self::Engine(_) | Self::OutputClosed(_) => {
                status::HOST_ERROR
            }
            Self::TripleFault => status::TRIPLE_FAULT,
            Self::Interrupted(Interruption::Timeout) => status::TIMEOUT,
            Self::Interrupted(Interruption::ByUser) => status::ENDED_BY_USER,
            Self::Interrupted(Interruption::Signal(signal)) => {
                u8::try_from(128 + signal).unwrap_or(status::HOST_ERROR)
            }
        }
    }

    /// One word for reports.
    #[must_use]
    pub fn name(&self) -> &'static str {
        match self {
            Self::Guest(exit) => exit.name(),
            Self::TripleFault => "triple-fault",
            Self::Engine(_) => "engine-error",
            Self::Interrupted(Interruption::Timeout) => "timeout",
            Self::Interrupted(Interruption::ByUser) => "ended-by-user",
            Self::Interrupted(Interruption::Signal(_)) => "signal",
            Self::OutputClosed(_) => "output-closed",
        }
    }

    /// Whether the machine's state is worth a look.
    #[must_use]
    pub fn is_crash(&self) -> bool {
        matches!(
            self,
            Self::Guest(Exit::Panic) | Self::TripleFault | Self::Engine(_)
        )
    }

    /// Says why the program did not end by itself, if it did not. `not_executed` explains an errno of execve.
    pub fn report(&self, not_executed: impl FnOnce(u16) -> String) {
        match self {
            Self::Guest(Exit::Exited(_) | Exit::Killed(_)) => {}
            Self::Guest(Exit::ExecFailed(errno)) => {
                say(&not_executed(*errno));
            }
            Self::Guest(Exit::Panic) => say("the guest kernel panicked"),
            Self::Guest(Exit::Deadlock) => {
                say("deadlock: every process waits for something that cannot come");
            }
            Self::Guest(Exit::BadBoot) => {
                say("the guest kernel cannot boot with what it was given")
            }
            Self::Guest(Exit::None) => say("the machine ended without a word"),
            Self::TripleFault => say("triple fault: the guest's processor shut down"),
            Self::Engine(why) => say(why),
            Self::Interrupted(Interruption::Timeout) => {
                say("the time given by --timeout has passed")
            }
            Self::Interrupted(Interruption::ByUser) => say("ended by Ctrl-A x"),
            Self::Interrupted(Interruption::Signal(signal)) => {
                let name = nix::sys::signal::Signal::try_from(*signal)
                    .map_or("a signal", |signal| signal.as_str());
                say(&format!("ended by {name}"));
            }
            Self::OutputClosed(why) => say(&format!("cannot write to standard output: {why}")),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn statuses_stand_apart() {
        for (ending, status) in [
            (Ending::Guest(Exit::Exited(7)), 7),
            (Ending::Guest(Exit::Killed(9)), 137),
            (Ending::Guest(Exit::ExecFailed(8)), 126),
            (Ending::Guest(Exit::Panic), 120),
            (Ending::TripleFault, 121),
            (Ending::Guest(Exit::Deadlock), 122),
            (Ending::Interrupted(Interruption::ByUser), 123),
            (Ending::Interrupted(Interruption::Timeout), 124),
            (Ending::Engine(String::new()), 125),
            (Ending::Interrupted(Interruption::Signal(15)), 143),
        ] {
            assert_eq!(ending.status(), status, "{ending:?}");
        }
    }

    #[test]
    fn any_port_value_is_an_ending() {
        assert_eq!(Ending::from_port(0x31), Ending::Guest(Exit::Exited(0x31)));
        assert_eq!(
            Ending::from_port(Exit::Panic.encode()),
            Ending::Guest(Exit::Panic)
        );
        assert_eq!(
            Ending::from_port(0xffff_ff05),
            Ending::Guest(Exit::Exited(5))
        );
    }
}
