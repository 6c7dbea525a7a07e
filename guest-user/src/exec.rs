//! The six exec functions: what they pass on is told by the letters of their names (exec(3)).
//!
//! | letter | |
//! |---|---|
//! | `l` | the arguments are listed: a macro here, for C's are variadic |
//! | `v` | the arguments come as a vector |
//! | `p` | a name without a slash is looked for in `PATH` |
//! | `e` | the environment is given; otherwise it is the caller's own |
//!
//! They return only to fail: what they return is the error.
use crate::Error;
use crate::call::call;
use contract::Errno;
use core::ffi::{CStr, c_char};
use core::ptr;

/// Most arguments or environment strings that a call here passes on; E2BIG beyond it.
pub const VECTOR_LIMIT: usize = 64;
/// Longest path that is tried, the NUL included (`PATH_MAX`).
const PATH_LIMIT: usize = 4096;
/// Where programs are looked for without `PATH` in the environment.
const DEFAULT_PATH: &[u8] = b"/bin:/usr/bin";

/// Pointers to strings, a null pointer last.
struct Vector([*const c_char; VECTOR_LIMIT + 1]);

impl Vector {
    fn new(strings: &[&CStr]) -> Result<Self, Error> {
        if strings.len() > VECTOR_LIMIT {
            return Err(failed(Errno::E2BIG));
        }
        let mut vector = [ptr::null(); VECTOR_LIMIT + 1];
        for (at, string) in vector.iter_mut().zip(strings) {
            *at = string.as_ptr();
        }
        Ok(Self(vector))
    }
}

fn failed(errno: Errno) -> Error {
    Error {
        call: "execve",
        errno,
    }
}

fn replace(path: *const c_char, argv: &Vector, envp: *const *const c_char) -> Error {
    // SAFETY: NUL-terminated strings in vectors that end with null pointers, made so by the functions below;
    // the call only reads them, and if it succeeds nothing of this program is left that could be wrong.
    match unsafe { call!(execve, path, argv.0.as_ptr(), envp) } {
        Err(error) => error,
        // Not something that execve(2) does.
        Ok(_) => failed(Errno::EINVAL),
    }
}

/// Tries `name` in each directory of `PATH`.
fn search(name: &CStr, argv: &Vector, envp: *const *const c_char) -> Error {
    let bytes = name.to_bytes();
    if bytes.contains(&b'/') {
        return replace(name.as_ptr(), argv, envp);
    }
    if bytes.is_empty() {
        return failed(Errno::ENOENT);
    }
    let mut worst = Errno::ENOENT;
    let path = crate::variable("PATH").unwrap_or(DEFAULT_PATH);
    for directory in path.split(|&byte| byte == b':') {
        // An empty entry is the current directory.
        let directory = if directory.is_empty() {
            b"."
        } else {
            directory
        };
        let mut candidate = [0_u8; PATH_LIMIT];
        let length = directory.len() + 1 + bytes.len();
        if length >= PATH_LIMIT {
            worst = Errno::ENAMETOOLONG;
            continue;
        }
        candidate[..directory.len()].copy_from_slice(directory);
        candidate[directory.len()] = b'/';
        candidate[directory.len() + 1..length].copy_from_slice(bytes);
        let error = replace(candidate.as_ptr().cast(), argv, envp);
        match error.errno {
            Errno::ENOENT | Errno::ENOTDIR => {}
            // The search goes on, and this is reported if nothing else is found.
            Errno::EACCES => worst = Errno::EACCES,
            _ => return error,
        }
    }
    failed(worst)
}

/// execv(3).
#[must_use]
pub fn execv(path: &CStr, arguments: &[&CStr]) -> Error {
    match Vector::new(arguments) {
        Ok(argv) => replace(path.as_ptr(), &argv, crate::environment().as_ptr()),
        Err(error) => error,
    }
}

/// execvp(3). A file that is no program is ENOEXEC: there is no shell to give it to.
#[must_use]
pub fn execvp(name: &CStr, arguments: &[&CStr]) -> Error {
    match Vector::new(arguments) {
        Ok(argv) => search(name, &argv, crate::environment().as_ptr()),
        Err(error) => error,
    }
}

/// execve(2).
#[must_use]
pub fn execve(path: &CStr, arguments: &[&CStr], environment: &[&CStr]) -> Error {
    match (Vector::new(arguments), Vector::new(environment)) {
        (Ok(argv), Ok(envp)) => replace(path.as_ptr(), &argv, envp.0.as_ptr()),
        (Err(error), _) | (_, Err(error)) => error,
    }
}

/// execl(3): `execl!(path, argument, …)`.
#[macro_export]
macro_rules! execl {
    ($path:expr, $($argument:expr),+ $(,)?) => { $crate::exec::execv($path, &[$($argument),+]) };
}

/// execlp(3): `execlp!(name, argument, …)`.
#[macro_export]
macro_rules! execlp {
    ($name:expr, $($argument:expr),+ $(,)?) => { $crate::exec::execvp($name, &[$($argument),+]) };
}

/// execle(3): `execle!(path, argument, …; environment)`.
#[macro_export]
macro_rules! execle {
    ($path:expr, $($argument:expr),+; $environment:expr) => {
        $crate::exec::execve($path, &[$($argument),+], $environment)
    };
}
