//! The status word that wait(2) gives, and the names of signals.
use linux_raw_sys::general as raw;

/// A status word: how a child ended.
///
/// | bits | hold |
/// |---|---|
/// | 0–6 | the signal that ended it, 0 if it exited |
/// | 7 | whether a core was dumped, or would have been |
/// | 8–15 | the exit code |
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Status(pub i32);

#[allow(non_snake_case, reason = "the names are those of <sys/wait.h>")]
impl Status {
    /// Whether it called exit.
    pub const fn WIFEXITED(self) -> bool {
        self.WTERMSIG() == 0
    }

    /// The low eight bits of what it gave to exit.
    pub const fn WEXITSTATUS(self) -> u8 {
        (self.0 >> 8) as u8
    }

    /// Whether a signal ended it.
    pub const fn WIFSIGNALED(self) -> bool {
        // 0x7f is a stopped process's.
        self.WTERMSIG() != 0 && self.WTERMSIG() != 0x7f
    }

    /// The signal that ended it.
    pub const fn WTERMSIG(self) -> u32 {
        (self.0 & 0x7f) as u32
    }

    /// Whether it dumped core.
    pub const fn WCOREDUMP(self) -> bool {
        self.0 & 0x80 != 0
    }

    /// Whether it was stopped.
    pub const fn WIFSTOPPED(self) -> bool {
        self.0 & 0xff == 0x7f
    }

    /// The signal that stopped it.
    pub const fn WSTOPSIG(self) -> u32 {
        self.WEXITSTATUS() as u32
    }
}

macro_rules! signals {
    ($($name:ident)*) => {
        $(#[doc = "See signal(7)."] pub const $name: u32 = raw::$name;)*

        /// The name of a signal, as signal(7) has it.
        pub fn signal_name(signal: u32) -> &'static str {
            match signal {
                $($name => stringify!($name),)*
                _ => "SIG?",
            }
        }
    };
}

signals! {
    SIGHUP SIGINT SIGQUIT SIGILL SIGTRAP SIGABRT SIGBUS SIGFPE SIGKILL SIGUSR1 SIGSEGV SIGUSR2 SIGPIPE SIGALRM
    SIGTERM SIGCHLD SIGCONT SIGSTOP SIGTSTP SIGSYS
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_parts_of_a_status_word() {
        let exited = Status(7 << 8);
        assert!(exited.WIFEXITED() && !exited.WIFSIGNALED() && !exited.WIFSTOPPED());
        assert_eq!(exited.WEXITSTATUS(), 7);

        let killed = Status(9);
        assert!(!killed.WIFEXITED() && killed.WIFSIGNALED() && !killed.WCOREDUMP());
        assert_eq!(signal_name(killed.WTERMSIG()), "SIGKILL");

        let dumped = Status(0x8b);
        assert!(dumped.WIFSIGNALED() && dumped.WCOREDUMP());
        assert_eq!(signal_name(dumped.WTERMSIG()), "SIGSEGV");

        let stopped = Status(0x137f);
        assert!(stopped.WIFSTOPPED() && !stopped.WIFSIGNALED() && !stopped.WIFEXITED());
        assert_eq!(stopped.WSTOPSIG(), SIGSTOP);
    }
}
