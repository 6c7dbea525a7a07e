//! What a call has come to.

use super::arguments::Memory;
use super::{names, readiness, signals, text, times};
use contract::Sysno;
use contract::calls::{Call, Result, Set};
use linux_raw_sys::general::{F_GETFD, F_GETFL};
use nix::errno::Errno;

/// A result in words; what the call has found comes with it.
#[must_use]
pub fn show(call: Option<&Call>, values: &[u64; 6], memory: &Memory, result: u64) -> String {
    const FIRST_ERROR: u64 = 4095_u64.wrapping_neg();
    if result >= FIRST_ERROR {
        return show_error(result.wrapping_neg() as u32);
    }
    let number = (result as i64).to_string();
    let Some(call) = call else {
        return number;
    };
    if let Some(found) = readiness::found(call.number, memory, result) {
        return number + &found;
    }
    match (call.number, call.result) {
        (Sysno::fcntl, _) => match values[1] as u32 {
            F_GETFL => format!("{result:#x} (flags {})", names::show(Set::Open, result)),
            F_GETFD if result == 1 => "0x1 (flags FD_CLOEXEC)".to_owned(),
            _ => number,
        },
        (Sysno::time, _) => format!("{number} ({})", times::date(result as i64, None)),
        (Sysno::rt_sigtimedwait, _) => format!("{number} ({})", signals::name(result as u32)),
        (_, Result::Address) => text::address(result),
        (_, Result::Mode) => names::permissions(result as u32),
        (_, Result::Number) => number,
    }
}

/// An error, and what it means; those above 511 are the kernel's own, for calls that a signal interrupted.
#[must_use]
pub fn show_error(number: u32) -> String {
    match number {
        512 => "? ERESTARTSYS (To be restarted if SA_RESTART is set)".to_owned(),
        513 => "? ERESTARTNOINTR (To be restarted)".to_owned(),
        514 => "? ERESTARTNOHAND (To be restarted if no handler)".to_owned(),
        516 => "? ERESTART_RESTARTBLOCK (Interrupted by signal)".to_owned(),
        _ => {
            let errno = Errno::from_raw(number as i32);
            let text = std::io::Error::from_raw_os_error(number as i32).to_string();
            let text = text.split(" (os error").next().unwrap_or_default();
            if errno == Errno::UnknownErrno {
                format!("-1 (errno {number})")
            } else {
                format!("-1 {errno:?} ({text})")
            }
        }
    }
}
