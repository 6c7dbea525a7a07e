//! Structures of the x86-64 ABI, as strace(1) shows them: the members that matter.

use super::text::{self, Quoting, address, quote};
use super::times::{file_time, timespec, timeval};
use super::{file_systems, readiness};
use super::{names, signals};
use contract::calls::Structure;

/// Four bytes of a structure; 0 beyond its end.
#[must_use]
pub fn half(bytes: &[u8], at: usize) -> u32 {
    let four = bytes.get(at..at + 4).and_then(|four| four.try_into().ok());
    u32::from_le_bytes(four.unwrap_or_default())
}

/// Eight bytes of a structure; 0 beyond its end.
#[must_use]
pub fn word(bytes: &[u8], at: usize) -> u64 {
    let eight = bytes
        .get(at..at + 8)
        .and_then(|eight| eight.try_into().ok());
    u64::from_le_bytes(eight.unwrap_or_default())
}

/// A structure in words.
#[must_use]
pub fn show(structure: Structure, bytes: &[u8]) -> String {
    let signed = |at| word(bytes, at) as i64;
    match structure {
        Structure::CloneArguments => clone_arguments(bytes),
        Structure::FdSet => readiness::descriptors(bytes),
        Structure::FileLock => file_lock(bytes),
        Structure::Int => format!("[{}]", half(bytes, 0) as i32),
        Structure::IntervalTimer => format!(
            "{{it_interval={}, it_value={}}}",
            timeval(bytes, 0),
            timeval(bytes, 16)
        ),
        Structure::Limit => format!(
            "{{rlim_cur={}, rlim_max={}}}",
            limit(word(bytes, 0)),
            limit(word(bytes, 8))
        ),
        Structure::Long => format!("[{}]", signed(0)),
        Structure::PipeEnds => format!("[{}, {}]", half(bytes, 0) as i32, half(bytes, 4) as i32),
        Structure::RobustList => format!("{{list={}, ...}}", address(word(bytes, 0))),
        Structure::SchedulerParameter => format!("[{}]", half(bytes, 0) as i32),
        Structure::SignalAction => signals::action(bytes),
        Structure::SignalInfo => signals::info(bytes),
        Structure::SignalMask => format!(
            "{{sigmask={}, sigsetsize={}}}",
            address(word(bytes, 0)),
            word(bytes, 8)
        ),
        Structure::SignalSet => signals::set(word(bytes, 0)),
        Structure::SignalStack => signal_stack(bytes),
        Structure::Stat => stat(bytes),
        Structure::StatFs => file_systems::show(bytes),
        Structure::Statx => format!(
            "{{stx_mask={}, stx_attributes={}, stx_mode={}, stx_size={}, ...}}",
            names::show(contract::calls::Set::StatxMask, half(bytes, 0).into()),
            text::number(word(bytes, 8)),
            names::file_mode(half(bytes, 28) & 0xffff),
            word(bytes, 40)
        ),
        Structure::SystemInfo => system_info(bytes),
        Structure::SystemName => system_name(bytes),
        Structure::Timespec => timespec(bytes, 0),
        Structure::TimespecPair => format!("[{}, {}]", file_time(bytes, 0), file_time(bytes, 16)),
        Structure::Timeval => timeval(bytes, 0),
        Structure::TimevalPair => format!("[{}, {}]", timeval(bytes, 0), timeval(bytes, 16)),
        Structure::Timezone => format!(
            "{{tz_minuteswest={}, tz_dsttime={}}}",
            half(bytes, 0) as i32,
            half(bytes, 4) as i32
        ),
        Structure::Times => format!(
            "{{tms_utime={}, tms_stime={}, tms_cutime={}, tms_cstime={}}}",
            signed(0),
            signed(8),
            signed(16),
            signed(24)
        ),
        Structure::Usage => format!(
            "{{ru_utime={}, ru_stime={}, ...}}",
            timeval(bytes, 0),
            timeval(bytes, 16)
        ),
        Structure::UserTimes => format!("{{actime={}, modtime={}}}", signed(0), signed(8)),
    }
}

/// A wait status (wait(2)).
#[must_use]
pub fn wait_status(status: u32) -> String {
    let signal = status & 0x7f;
    let (code, core) = (status >> 8 & 0xff, status & 0x80 != 0);
    match signal {
        _ if status == 0xffff => "{WIFCONTINUED(s)}".to_owned(),
        0 => format!("{{WIFEXITED(s) && WEXITSTATUS(s) == {code}}}"),
        0x7f => format!(
            "{{WIFSTOPPED(s) && WSTOPSIG(s) == {}}}",
            signals::name(code)
        ),
        _ => format!(
            "{{WIFSIGNALED(s) && WTERMSIG(s) == {}{}}}",
            signals::name(signal),
            if core { " && WCOREDUMP(s)" } else { "" }
        ),
    }
}

/// What an ioctl(2) request takes or gives; `None` where its argument is a plain number.
#[must_use]
pub fn ioctl(request: u64, bytes: &[u8]) -> Option<String> {
    use linux_raw_sys::ioctl as requests;
    let short = |at: usize| half(bytes, at) & 0xffff;
    Some(match request as u32 {
        requests::TCGETS | requests::TCSETS | requests::TCSETSW | requests::TCSETSF => format!(
            "{{c_iflag={:#x}, c_oflag={:#x}, c_cflag={:#x}, c_lflag={:#x}, ...}}",
            half(bytes, 0),
            half(bytes, 4),
            half(bytes, 8),
            half(bytes, 12)
        ),
        requests::TIOCGWINSZ | requests::TIOCSWINSZ => format!(
            "{{ws_row={}, ws_col={}, ws_xpixel={}, ws_ypixel={}}}",
            short(0),
            short(2),
            short(4),
            short(6)
        ),
        requests::TIOCGPGRP
        | requests::TIOCSPGRP
        | requests::TIOCGSID
        | requests::TIOCOUTQ
        | requests::FIONREAD
        | requests::FIONBIO
        | requests::FIOASYNC => format!("[{}]", half(bytes, 0) as i32),
        _ => return None,
    })
}

/// A `struct flock`.
#[must_use]
pub fn file_lock(bytes: &[u8]) -> String {
    format!("{{{}}}", lock_members(bytes))
}

fn lock_members(bytes: &[u8]) -> String {
    let kind = match half(bytes, 0) & 0xffff {
        0 => "F_RDLCK",
        1 => "F_WRLCK",
        2 => "F_UNLCK",
        _ => "?",
    };
    let whence = names::show(contract::calls::Set::Seek, (half(bytes, 0) >> 16).into());
    format!(
        "l_type={kind}, l_whence={whence}, l_start={}, l_len={}",
        word(bytes, 8) as i64,
        word(bytes, 16) as i64
    )
}

/// What a lock is asked for, or the one that is in its way: with its process.
#[must_use]
pub fn file_lock_found(bytes: &[u8]) -> String {
    let pid = half(bytes, 24) as i32;
    format!("{{{}, l_pid={pid}}}", lock_members(bytes))
}

fn system_info(bytes: &[u8]) -> String {
    let number = |index: usize| word(bytes, index * 8);
    format!(
        "{{uptime={}, loads=[{}, {}, {}], totalram={}, freeram={}, sharedram={}, bufferram={}, totalswap={}, \
         freeswap={}, procs={}, totalhigh={}, freehigh={}, mem_unit={}}}",
        number(0),
        number(1),
        number(2),
        number(3),
        number(4),
        number(5),
        number(6),
        number(7),
        number(8),
        number(9),
        half(bytes, 80) & 0xffff,
        word(bytes, 88),
        word(bytes, 96),
        half(bytes, 104)
    )
}

fn limit(value: u64) -> String {
    match value {
        u64::MAX => "RLIM64_INFINITY".to_owned(),
        value if value > 1024 && value.is_multiple_of(1024) => format!("{}*1024", value / 1024),
        value => value.to_string(),
    }
}

fn signal_stack(bytes: &[u8]) -> String {
    let flags = match half(bytes, 8) {
        0 => "0".to_owned(),
        1 => "SS_ONSTACK".to_owned(),
        2 => "SS_DISABLE".to_owned(),
        other => format!("{other:#x}"),
    };
    format!(
        "{{ss_sp={}, ss_flags={flags}, ss_size={}}}",
        address(word(bytes, 0)),
        word(bytes, 16)
    )
}

fn stat(bytes: &[u8]) -> String {
    let mode = half(bytes, 24);
    let shown = names::file_mode(mode);
    let device = word(bytes, 40);
    if matches!(mode & 0o170_000, 0o20_000 | 0o60_000) {
        format!(
            "{{st_mode={shown}, st_rdev=makedev({:#x}, {:#x}), ...}}",
            libc::major(device),
            libc::minor(device)
        )
    } else {
        format!("{{st_mode={shown}, st_size={}, ...}}", word(bytes, 48))
    }
}

fn system_name(bytes: &[u8]) -> String {
    let field = |index: usize| {
        let field = bytes.get(index * 65..(index + 1) * 65).unwrap_or_default();
        let end = field.iter().position(|byte| *byte == 0);
        quote(&field[..end.unwrap_or(field.len())], Quoting::Octal)
    };
    format!("{{sysname={}, nodename={}, ...}}", field(0), field(1))
}

fn clone_arguments(bytes: &[u8]) -> String {
    let mut shown = format!("{{flags={}", names::clone_flags(word(bytes, 0)));
    for (name, at) in [("pidfd", 8), ("child_tid", 16), ("parent_tid", 24)] {
        if word(bytes, at) != 0 {
            shown += &format!(", {name}={:#x}", word(bytes, at));
        }
    }
    let signal = word(bytes, 32);
    shown += &format!(
        ", exit_signal={}, stack={}, stack_size={:#x}",
        if signal == 0 {
            "0".to_owned()
        } else {
            signals::name(signal as u32)
        },
        address(word(bytes, 40)),
        word(bytes, 48)
    );
    if word(bytes, 56) != 0 {
        shown += &format!(", tls={:#x}", word(bytes, 56));
    }
    shown + "}"
}
