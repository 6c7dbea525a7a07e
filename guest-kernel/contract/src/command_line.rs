//! The kernel command line: what the monitor tells the kernel about this run.
//!
//! Tokens separated by spaces; bytes outside `!`..`~`, and `%`, are percent-encoded (RFC 3986, 2.1).
//!
//! ```text
//! epoch=1700000000123456789 env=PATH=/bin env=HOME=/ tty=1 -- /bin/calc 6*7
//! ```
//!
//! | token | meaning | without it |
//! |---|---|---|
//! | `env=K=V` | an environment string of pid 1, in order | none |
//! | `epoch=N` | CLOCK_REALTIME at boot, in nanoseconds | 1970-01-01 |
//! | `tty=1` | the console is a terminal: line discipline, isatty(3) is true | a plain stream of bytes |
//! | `tty=RxC` | as `tty=1`, of R rows and C columns; changes are told in the input ([`ports::SIZE`](crate::ports::SIZE)) | its size is not known |
//! | `cwd=DIR` | working directory of pid 1 | `/` |
//! | `hostname=NAME` | name of the machine (uname(2)) | [`HOST_NAME`] |
//! | `export=PATH` | a tree that is sent through the [`channel`](crate::channel) when the machine ends | nothing is |
//! | `check=frames` | when the machine ends, everything is given back, and the log says so if a frame is missing | it just ends |
//! | `aslr=0` | programs are laid out at fixed addresses | at random ones |
//! | `log=memory` | a cowbell monitor reads the kernel log from memory | the log also goes to the UART |
//! | `ram=zero` | RAM is zero where neither the start info nor what it leads to lies | anything may be there |
//! | `tsc_khz=N` | frequency of the time-stamp counter | found out by the kernel |
//! | `strace=1` | system calls are sent through the [`channel`](crate::channel) | they are not |
//! | `-- ARG…` | argv of pid 1; its first is the program | `/init` |
//!
//! Unknown tokens are ignored: other monitors add their own.

/// Longest command line in bytes that the kernel reads.
pub const LIMIT: usize = 256 * 1024;

/// Name of a machine that is given none.
pub const HOST_NAME: &str = "cowbell";

/// Whether a byte stands for itself.
#[must_use]
pub const fn is_plain(byte: u8) -> bool {
    matches!(byte, b'!'..=b'~') && byte != b'%'
}

/// Decodes one token: yields its bytes. A `%` without two hex digits after it stands for itself.
pub fn decode(token: &[u8]) -> impl Iterator<Item = u8> + '_ {
    let mut rest = token;
    core::iter::from_fn(move || match *rest {
        [b'%', high, low, ..] if digit(high).is_some() && digit(low).is_some() => {
            rest = &rest[3..];
            Some(digit(high)? << 4 | digit(low)?)
        }
        [byte, ..] => {
            rest = &rest[1..];
            Some(byte)
        }
        [] => None,
    })
}

/// Encodes one argument as one token: yields the token's bytes. An empty argument is `%`, which is
/// otherwise never a whole token.
pub fn encode(argument: &[u8]) -> impl Iterator<Item = u8> + '_ {
    const HEX: &[u8; 16] = b"0123456789ABCDEF";
    let empty = argument.is_empty().then_some(b'%');
    empty.into_iter().chain(argument.iter().flat_map(|&byte| {
        let plain = is_plain(byte);
        [
            Some(if plain { byte } else { b'%' }),
            (!plain).then(|| HEX[usize::from(byte >> 4)]),
            (!plain).then(|| HEX[usize::from(byte & 15)]),
        ]
        .into_iter()
        .flatten()
    }))
}

/// The argument that a whole token stands for: [`decode`], but `%` alone is the empty argument.
pub fn argument(token: &[u8]) -> impl Iterator<Item = u8> + '_ {
    decode(if token == b"%" { b"" } else { token })
}

const fn digit(byte: u8) -> Option<u8> {
    match byte {
        b'0'..=b'9' => Some(byte - b'0'),
        b'a'..=b'f' => Some(byte - b'a' + 10),
        b'A'..=b'F' => Some(byte - b'A' + 10),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    extern crate std;
    use super::*;
    use std::vec::Vec;

    #[test]
    fn every_byte_survives() {
        let all: Vec<u8> = (0..=255).collect();
        for argument_in in [&all[..], b"", b"%", b"%41", b"a b", b"plain"] {
            let token: Vec<u8> = encode(argument_in).collect();
            assert!(!token.is_empty() && token.iter().all(|b| matches!(b, b'!'..=b'~')));
            assert_eq!(argument(&token).collect::<Vec<u8>>(), argument_in);
        }
    }
}
