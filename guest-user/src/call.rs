//! System calls with the results of C: a value, or the call that failed and its errno.
use contract::Errno;
use core::fmt;

/// A system call that failed.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Error {
    /// The function that failed, by its name in section 2 of the manual.
    pub call: &'static str,
    /// Why.
    pub errno: Errno,
}

impl fmt::Display for Error {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(out, "{}: {}", self.call, self.errno.name())
    }
}

/// Outcome of a system call.
pub type Result<T> = core::result::Result<T, Error>;

/// Sorts the value of RAX after a system call: -4095 to -1 is an errno, anything else the result.
pub(crate) fn result(call: &'static str, value: usize) -> Result<usize> {
    match value.wrapping_neg() {
        errno @ 1..=4095 => Err(Error {
            call,
            errno: Errno(errno as u16),
        }),
        _ => Ok(value),
    }
}

/// `call!(read, descriptor, buffer, length)`: a system call by its name, each argument cast to a register.
/// Unsafe as the call itself is.
macro_rules! call {
    ($name:ident) => {
        $crate::call::result(stringify!($name), ::syscalls::raw::syscall0(::contract::Sysno::$name as usize))
    };
    ($name:ident, $a:expr) => {
        $crate::call::result(stringify!($name),
            ::syscalls::raw::syscall1(::contract::Sysno::$name as usize, $a as usize))
    };
    ($name:ident, $a:expr, $b:expr) => {
        $crate::call::result(stringify!($name),
            ::syscalls::raw::syscall2(::contract::Sysno::$name as usize, $a as usize, $b as usize))
    };
    ($name:ident, $a:expr, $b:expr, $c:expr) => {
        $crate::call::result(stringify!($name),
            ::syscalls::raw::syscall3(::contract::Sysno::$name as usize, $a as usize, $b as usize, $c as usize))
    };
    ($name:ident, $a:expr, $b:expr, $c:expr, $d:expr) => {
        $crate::call::result(stringify!($name),
            ::syscalls::raw::syscall4(::contract::Sysno::$name as usize, $a as usize, $b as usize, $c as usize,
                $d as usize))
    };
    ($name:ident, $a:expr, $b:expr, $c:expr, $d:expr, $e:expr, $f:expr) => {
        $crate::call::result(stringify!($name),
            ::syscalls::raw::syscall6(::contract::Sysno::$name as usize, $a as usize, $b as usize, $c as usize,
                $d as usize, $e as usize, $f as usize))
    };
}
pub(crate) use call;
