//! The six exec functions: how each passes on arguments and environment, and finds the program.
#![no_std]
#![no_main]
use guest_user::{
    Error, Result, execl, execle, execlp, flush, println, program, spawn, start, waitpid,
};

program!(main);

use core::ffi::{CStr, c_char};
use core::ptr;
use guest_user::exec::{execv, execve, execvp};

/// The environment of this program itself, for the functions that pass on their caller's.
struct Environment([*const c_char; 3]);
// SAFETY: constant strings.
unsafe impl Sync for Environment {}
static ENVIRONMENT: Environment = Environment([
    c"PATH=/nowhere:/bin".as_ptr(),
    c"FROM=the caller".as_ptr(),
    ptr::null(),
]);

const PROGRAM: &CStr = c"/bin/show_args";
const NAME: &CStr = c"show_args";
const GIVEN: &[&CStr] = &[c"FROM=the call itself"];

/// One of the six, called; it returns only to fail.
type Way = fn() -> Error;

fn main() -> Result<u8> {
    // SAFETY: constant strings, a null pointer last.
    unsafe { start::set_environment(ENVIRONMENT.0.as_ptr()) };
    let ways: [(&str, Way); 6] = [
        ("execl", || execl!(PROGRAM, NAME, c"listed", c"by path")),
        ("execlp", || {
            execlp!(NAME, NAME, c"listed", c"found in PATH")
        }),
        (
            "execle",
            || execle!(PROGRAM, NAME, c"listed", c"by path"; GIVEN),
        ),
        ("execv", || execv(PROGRAM, &[NAME, c"a vector", c"by path"])),
        ("execvp", || {
            execvp(NAME, &[NAME, c"a vector", c"found in PATH"])
        }),
        ("execve", || {
            execve(PROGRAM, &[NAME, c"a vector", c"by path"], GIVEN)
        }),
    ];
    for (name, way) in ways {
        println!("{name}:");
        flush()?;
        let child = spawn(|| Err(way()))?;
        if waitpid(child)?.0 != 0 {
            return Ok(1);
        }
    }
    Ok(0)
}
