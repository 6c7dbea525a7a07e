//! Signals: names, sets, and what `siginfo_t` tells.

use super::names;
use super::structures::{half, word};
use linux_raw_sys::general as linux;

/// First real-time signal of the kernel.
const SIGRTMIN: u32 = 32;

/// Its name, or its number where it has none.
#[must_use]
pub fn name(signal: u32) -> String {
    match i32::try_from(signal).map(nix::sys::signal::Signal::try_from) {
        Ok(Ok(signal)) => signal.as_str().to_owned(),
        _ if signal == SIGRTMIN => "SIGRTMIN".to_owned(),
        _ if (SIGRTMIN..=64).contains(&signal) => format!("SIGRT_{}", signal - SIGRTMIN),
        _ => signal.to_string(),
    }
}

/// A set: names without their SIG; what is not in it where that is less.
#[must_use]
pub fn set(bits: u64) -> String {
    let names = |bits: u64| {
        let members = (1..=64_u32).filter(|signal| bits & 1 << (signal - 1) != 0);
        let names: Vec<String> = members
            .map(|signal| name(signal).trim_start_matches("SIG").to_owned())
            .collect();
        names.join(" ")
    };
    if bits.count_ones() > 32 {
        format!("~[{}]", names(!bits))
    } else {
        format!("[{}]", names(bits))
    }
}

/// What a `siginfo_t` says.
#[must_use]
pub fn info(bytes: &[u8]) -> String {
    let signal = half(bytes, 0);
    let code = half(bytes, 8) as i32;
    let mut shown = format!(
        "{{si_signo={}, si_code={}",
        name(signal),
        code_name(signal, code)
    );
    match (signal, code) {
        (linux::SIGCHLD, 1..) => {
            let status = half(bytes, 24);
            let status = if code == linux::CLD_EXITED as i32 {
                status.to_string()
            } else {
                name(status)
            };
            shown += &format!(
                ", si_pid={}, si_uid={}, si_status={status}, si_utime={}, si_stime={}",
                half(bytes, 16),
                half(bytes, 20),
                word(bytes, 32),
                word(bytes, 40)
            );
        }
        (
            linux::SIGSEGV | linux::SIGBUS | linux::SIGILL | linux::SIGFPE | linux::SIGTRAP,
            1..0x80,
        ) => {
            shown += &format!(", si_addr={}", super::text::address(word(bytes, 16)));
        }
        (linux::SIGIO, 1..0x80) => {
            let (band, descriptor) = (word(bytes, 16), half(bytes, 24));
            shown += &format!(", si_band={band:#x}, si_fd={descriptor}");
        }
        (_, 0 | -6) => {
            shown += &format!(", si_pid={}, si_uid={}", half(bytes, 16), half(bytes, 20));
        }
        (_, -1) => {
            shown += &format!(
                ", si_pid={}, si_uid={}, si_int={}, si_ptr={}",
                half(bytes, 16),
                half(bytes, 20),
                half(bytes, 24) as i32,
                super::text::address(word(bytes, 24))
            );
        }
        _ => {}
    }
    shown + "}"
}

/// Names of `si_code` (sigaction(2)).
fn code_name(signal: u32, code: i32) -> String {
    let general = match code {
        0 => "SI_USER",
        0x80 => "SI_KERNEL",
        -1 => "SI_QUEUE",
        -2 => "SI_TIMER",
        -6 => "SI_TKILL",
        _ => "",
    };
    if !general.is_empty() {
        return general.to_owned();
    }
    let names: &[&str] = match signal {
        linux::SIGCHLD => &[
            "CLD_EXITED",
            "CLD_KILLED",
            "CLD_DUMPED",
            "CLD_TRAPPED",
            "CLD_STOPPED",
            "CLD_CONTINUED",
        ],
        linux::SIGSEGV => &["SEGV_MAPERR", "SEGV_ACCERR"],
        linux::SIGBUS => &["BUS_ADRALN", "BUS_ADRERR", "BUS_OBJERR"],
        linux::SIGFPE => &[
            "FPE_INTDIV",
            "FPE_INTOVF",
            "FPE_FLTDIV",
            "FPE_FLTOVF",
            "FPE_FLTUND",
            "FPE_FLTRES",
            "FPE_FLTINV",
        ],
        linux::SIGILL => &["ILL_ILLOPC", "ILL_ILLOPN"],
        linux::SIGTRAP => &["TRAP_BRKPT", "TRAP_TRACE"],
        linux::SIGIO => &[
            "POLL_IN", "POLL_OUT", "POLL_MSG", "POLL_ERR", "POLL_PRI", "POLL_HUP",
        ],
        _ => &[],
    };
    let named = usize::try_from(code)
        .ok()
        .and_then(|code| names.get(code.checked_sub(1)?));
    named.map_or_else(|| code.to_string(), |name| (*name).to_owned())
}

/// A `struct kernel_sigaction`.
#[must_use]
pub fn action(bytes: &[u8]) -> String {
    let handler = match word(bytes, 0) {
        0 => "SIG_DFL".to_owned(),
        1 => "SIG_IGN".to_owned(),
        address => format!("{address:#x}"),
    };
    let flags = word(bytes, 8);
    let (member, restorer) = (
        if flags & u64::from(linux::SA_SIGINFO) != 0 {
            "sa_sigaction"
        } else {
            "sa_handler"
        },
        word(bytes, 16),
    );
    let mut shown = format!(
        "{{{member}={handler}, sa_mask={}, sa_flags={}",
        set(word(bytes, 24)),
        names::signal_action_flags(flags)
    );
    if flags & u64::from(linux::SA_RESTORER) != 0 {
        shown += &format!(", sa_restorer={restorer:#x}");
    }
    shown + "}"
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sets_show_the_shorter_side() {
        assert_eq!(set(0), "[]");
        assert_eq!(set(1 << 1 | 1 << 14), "[INT TERM]");
        assert_eq!(set(!(1 << 8 | 1 << 31)), "~[KILL RTMIN]");
        assert_eq!(name(33), "SIGRT_1");
    }

    #[test]
    fn a_child_that_exits_is_shown_whole() {
        let mut bytes = [0; 128];
        for (at, value) in [(0, 17), (8, 1), (16, 2), (24, 3)] {
            bytes[at] = value;
        }
        assert_eq!(
            info(&bytes),
            "{si_signo=SIGCHLD, si_code=CLD_EXITED, si_pid=2, si_uid=0, si_status=3, si_utime=0, si_stime=0}"
        );
    }
}
