//! The arguments of a call in words.

use super::text::{Quoting, address, quote};
use super::{names, readiness, signals, socket_messages, structures};
use crate::channel::Fields;
use contract::Sysno;
use contract::calls::{Argument, Call, Set, Structure};
use contract::channel::{Piece, SHOWN_BYTES};
use linux_raw_sys::{general as linux, prctl};
use std::collections::BTreeMap;

/// When something is known.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum When {
    /// Before the call is made.
    Enter,
    /// Once it has its result.
    Leave,
}

/// Pieces of memory by argument.
#[derive(Default)]
pub struct Pieces(BTreeMap<usize, Vec<(Piece, Vec<u8>)>>);

/// Memory behind arguments, as the kernel has sent it.
#[derive(Default)]
pub struct Memory {
    /// As it was before the call.
    pub before: Pieces,
    /// As the call has left it.
    pub after: Pieces,
}

impl Memory {
    /// Reads pieces; `None` where they make no sense.
    pub fn add(&mut self, when: When, mut fields: Fields<'_>) -> Option<()> {
        let pieces = match when {
            When::Enter => &mut self.before,
            When::Leave => &mut self.after,
        };
        while !fields.0.is_empty() {
            let argument = usize::from(fields.byte()?);
            let what = Piece::from_number(fields.byte()?)?;
            let length = usize::from(fields.short()?);
            let bytes = fields.bytes(length)?.to_vec();
            pieces.0.entry(argument).or_default().push((what, bytes));
        }
        Some(())
    }
}

impl Pieces {
    /// All of an argument's.
    #[must_use]
    pub fn of(&self, argument: usize) -> &[(Piece, Vec<u8>)] {
        self.0.get(&argument).map_or(&[], Vec::as_slice)
    }

    /// The piece of an argument that has one, if it could be read.
    #[must_use]
    pub fn one(&self, argument: usize) -> Option<(Piece, &[u8])> {
        match self.of(argument).first()? {
            (Piece::Fault, _) => None,
            (what, bytes) => Some((*what, bytes)),
        }
    }
}

/// How many of a call's arguments mean something with these values.
#[must_use]
pub fn count(call: &Call, values: &[u64; 6]) -> usize {
    let creates =
        |flags: u64| flags as u32 & (linux::O_CREAT | linux::O_TMPFILE & !linux::O_DIRECTORY) != 0;
    let all = call.arguments.len();
    match call.number {
        Sysno::open if !creates(values[1]) => 2,
        Sysno::openat if !creates(values[2]) => 3,
        Sysno::fcntl
            if matches!(
                values[1] as u32,
                linux::F_GETFD
                    | linux::F_GETFL
                    | linux::F_GETOWN
                    | linux::F_GETSIG
                    | linux::F_GETPIPE_SZ
            ) =>
        {
            2
        }
        Sysno::mknod | Sysno::mknodat => {
            let mode = values[all - 2] as u32;
            let is_device = matches!(mode & linux::S_IFMT, linux::S_IFCHR | linux::S_IFBLK);
            if is_device { all } else { all - 1 }
        }
        Sysno::prctl => match values[0] as u32 {
            option if option == prctl::PR_GET_DUMPABLE => 1,
            prctl::PR_SET_NAME
            | prctl::PR_GET_NAME
            | prctl::PR_SET_PDEATHSIG
            | prctl::PR_GET_PDEATHSIG
            | prctl::PR_SET_DUMPABLE
            | prctl::PR_SET_CHILD_SUBREAPER
            | prctl::PR_GET_CHILD_SUBREAPER => 2,
            _ => all,
        },
        Sysno::ioctl if matches!(values[1], 0x5450 | 0x5451) => 2,
        Sysno::mremap if values[3] & u64::from(linux::MREMAP_FIXED) == 0 => 4.min(all),
        Sysno::futex => match values[1] as u32 & 0x7f {
            linux::FUTEX_WAKE => 3,
            linux::FUTEX_WAIT => 4,
            linux::FUTEX_REQUEUE => 5,
            _ => all,
        },
        _ => all,
    }
}

/// How many arguments a call has that the kernel does not answer, for the commonest.
#[must_use]
pub fn count_of_absent(number: u64) -> usize {
    match Sysno::new(number as usize) {
        Some(Sysno::epoll_create | Sysno::epoll_create1 | Sysno::eventfd | Sysno::unshare) => 1,
        Some(
            Sysno::eventfd2
            | Sysno::memfd_create
            | Sysno::timerfd_create
            | Sysno::io_uring_setup
            | Sysno::setns,
        ) => 2,
        Some(Sysno::timer_create | Sysno::membarrier | Sysno::signalfd) => 3,
        Some(
            Sysno::rseq | Sysno::ptrace | Sysno::openat2 | Sysno::epoll_ctl | Sysno::signalfd4,
        ) => 4,
        _ => 6,
    }
}

/// An argument in words; `None` where that has to wait for the result.
#[must_use]
pub fn show(
    call: &Call,
    values: &[u64; 6],
    index: usize,
    memory: &Memory,
    when: When,
) -> Option<String> {
    let value = values[index];
    let Memory { before, after } = memory;
    Some(match call.arguments[index] {
        Argument::Number => (value as i32).to_string(),
        Argument::Fd | Argument::Pid => (value as i32).to_string(),
        Argument::Size => value.to_string(),
        Argument::Offset if call.number == Sysno::mmap && value != 0 => format!("{value:#x}"),
        Argument::Offset => (value as i64).to_string(),
        Argument::Address => address(value),
        Argument::DirFd if value as i32 == linux::AT_FDCWD => "AT_FDCWD".to_owned(),
        Argument::DirFd => (value as i32).to_string(),
        Argument::Signal if value == 0 => "0".to_owned(),
        Argument::Signal => signals::name(value as u32),
        Argument::Mode if call.number == Sysno::mknod || call.number == Sysno::mknodat => {
            names::file_mode(value as u32)
        }
        Argument::Mode => names::permissions(value as u32),
        Argument::Device => format!(
            "makedev({:#x}, {:#x})",
            libc::major(value),
            libc::minor(value)
        ),
        Argument::Flags(set) => names::show(set, value),
        Argument::Path | Argument::Reads(_) => string(call, value, before.one(index)),
        Argument::Writes if when == When::Enter => return None,
        Argument::Entries if when == When::Enter => return None,
        Argument::Entries => match after.one(index) {
            Some((_, bytes)) => {
                format!("{value:#x} /* {} entries */", structures::half(bytes, 0))
            }
            None => address(value),
        },
        Argument::ReadsMessage => socket_messages::show(before, index, value),
        Argument::WritesMessage if when == When::Enter => return None,
        Argument::WritesMessage => socket_messages::show(after, index, value),
        Argument::Writes => string(call, value, after.one(index)),
        Argument::Strings => strings(before.of(index), value),
        Argument::Environment => match before.one(index) {
            Some((Piece::Count, bytes)) => {
                format!("{value:#x} /* {} vars */", structures::half(bytes, 0))
            }
            _ => address(value),
        },
        Argument::WritesPieces(_) if when == When::Enter => return None,
        Argument::ReadsPieces(_) => vectors(before.of(index), value),
        Argument::WritesPieces(_) => vectors(after.of(index), value),
        Argument::Polls(count) => readiness::polls(memory, index, value, values[count]),
        // A socket's option that is no int.
        Argument::In(_) if call.number == Sysno::setsockopt && values[4] != 4 => address(value),
        Argument::In(structure) | Argument::InOut(structure) => match before.one(index) {
            Some((_, bytes)) => structures::show(structure, bytes),
            None => address(value),
        },
        Argument::Out(_) if when == When::Enter && value != 0 => return None,
        Argument::Out(structure) => match (after.one(index), call.number) {
            (Some((_, bytes)), Sysno::wait4) if structure == Structure::Int => {
                format!("[{}]", structures::wait_status(structures::half(bytes, 0)))
            }
            (Some((_, bytes)), _) => structures::show(structure, bytes),
            (None, _) => address(value),
        },
        Argument::IoctlArgument => {
            let request = values[index - 1];
            let pieces = match (gives(request as u32), when) {
                (true, When::Enter) => return None,
                (true, When::Leave) => after,
                (false, _) => before,
            };
            let piece = pieces.one(index);
            let shown = piece.and_then(|(_, bytes)| structures::ioctl(request, bytes));
            match request as u32 {
                // TCSBRK, TCXONC, TCFLSH, TIOCSCTTY: their argument is a number.
                0x5409 | 0x540a | 0x540b | 0x540e => value.to_string(),
                _ => shown.unwrap_or_else(|| address(value)),
            }
        }
        Argument::PrctlArgument => match values[index - 1] as u32 {
            prctl::PR_SET_PDEATHSIG if value != 0 => signals::name(value as u32),
            prctl::PR_SET_NAME => string(call, value, before.one(index)),
            prctl::PR_GET_NAME if when == When::Enter => return None,
            prctl::PR_GET_NAME => string(call, value, after.one(index)),
            prctl::PR_GET_PDEATHSIG | prctl::PR_GET_CHILD_SUBREAPER => address(value),
            _ => value.to_string(),
        },
        Argument::FcntlArgument => {
            fcntl_argument(values[index - 1] as u32, value, memory, index, when)?
        }
    })
}

/// Whether an ioctl(2) request answers through its argument.
fn gives(request: u32) -> bool {
    use linux_raw_sys::ioctl as requests;
    matches!(
        request,
        requests::TCGETS
            | requests::TIOCGWINSZ
            | requests::TIOCGPGRP
            | requests::TIOCGSID
            | requests::TIOCOUTQ
            | requests::FIONREAD
    )
}

fn fcntl_argument(
    command: u32,
    value: u64,
    memory: &Memory,
    index: usize,
    when: When,
) -> Option<String> {
    Some(match command {
        linux::F_SETFD if value == 1 => "FD_CLOEXEC".to_owned(),
        linux::F_SETFL => names::show(Set::Open, value),
        linux::F_GETLK | linux::F_OFD_GETLK => match (when, memory.after.one(index)) {
            (When::Enter, _) => return None,
            (_, Some((_, bytes))) => structures::file_lock_found(bytes),
            (_, None) => address(value),
        },
        linux::F_SETLK | linux::F_SETLKW | linux::F_OFD_SETLK | linux::F_OFD_SETLKW => {
            match memory.before.one(index) {
                Some((_, bytes)) => structures::file_lock(bytes),
                None => address(value),
            }
        }
        _ => (value as i64).to_string(),
    })
}

/// A path, or a buffer's beginning.
fn string(call: &Call, value: u64, piece: Option<(Piece, &[u8])>) -> String {
    let Some((what, bytes)) = piece else {
        return address(value);
    };
    let quoting = if call.number == Sysno::getrandom {
        Quoting::Hexadecimal
    } else {
        Quoting::Octal
    };
    // The kernel's getcwd(2) counts the NUL.
    let bytes = match (call.number, bytes) {
        (Sysno::getcwd, [path @ .., 0]) => path,
        _ => bytes,
    };
    let dots = if what == Piece::Beginning { "..." } else { "" };
    quote(bytes, quoting) + dots
}

/// argv.
fn strings(pieces: &[(Piece, Vec<u8>)], value: u64) -> String {
    if value == 0 {
        return "NULL".to_owned();
    }
    let shown: Vec<String> = pieces
        .iter()
        .map(|(what, bytes)| match what {
            Piece::Fault => "???".to_owned(),
            Piece::Beginning if bytes.is_empty() => "...".to_owned(),
            _ if bytes.len() > SHOWN_BYTES => quote(&bytes[..SHOWN_BYTES], Quoting::Octal) + "...",
            _ => quote(bytes, Quoting::Octal),
        })
        .collect();
    format!("[{}]", shown.join(", "))
}

/// `struct iovec`s: each piece is followed by its bytes.
#[must_use]
pub fn vectors(pieces: &[(Piece, Vec<u8>)], value: u64) -> String {
    if pieces.is_empty() {
        return if value == 0 {
            "NULL".to_owned()
        } else {
            format!("{value:#x}")
        };
    }
    let shown: Vec<String> = pieces
        .chunks(2)
        .map(|pair| match pair {
            [(_, vector), (what, bytes)] => {
                let base = match what {
                    Piece::Fault => address(structures::word(vector, 0)),
                    Piece::Beginning => quote(bytes, Quoting::Octal) + "...",
                    _ => quote(bytes, Quoting::Octal),
                };
                format!(
                    "{{iov_base={base}, iov_len={}}}",
                    structures::word(vector, 8)
                )
            }
            _ => "???".to_owned(),
        })
        .collect();
    format!("[{}]", shown.join(", "))
}

/// clone(2), whose arguments strace(1) names.
#[must_use]
pub fn clone(values: &[u64; 6]) -> String {
    let [flags, stack, parent, child, tls, _] = *values;
    let has = |flag: u32| flags & u64::from(flag) != 0;
    let signal = flags & 0xff;
    let mut shown = vec![];
    if flags & !0xff != 0 {
        shown.push(names::clone_flags(flags & !0xff));
    }
    if signal != 0 || shown.is_empty() {
        shown.push(if signal == 0 {
            "0".to_owned()
        } else {
            signals::name(signal as u32)
        });
    }
    let mut text = format!("child_stack={}, flags={}", address(stack), shown.join("|"));
    if has(linux::CLONE_PARENT_SETTID) {
        text += &format!(", parent_tid={}", address(parent));
    }
    if has(linux::CLONE_SETTLS) {
        text += &format!(", tls={}", address(tls));
    }
    if has(linux::CLONE_CHILD_SETTID | linux::CLONE_CHILD_CLEARTID) {
        text += &format!(", child_tidptr={}", address(child));
    }
    text
}
