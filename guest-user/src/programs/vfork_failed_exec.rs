//! An exec that fails does not release the parent of a vfork: only the exit after it does.
#![no_std]
#![no_main]
use guest_user::{Errno, Result, execl, println, program, time, vfork, waitpid};

program!(main);

fn main() -> Result<u8> {
    let mut seen = None;
    let child = vfork(|| {
        let error = execl!(c"/bin/no_such_program", c"no_such_program");
        // Long enough for the parent to run, if that had released it.
        time::sleep_milliseconds(20);
        seen = Some(error);
        3
    })?;
    // Had the parent run since the exec, this would still be empty.
    match seen {
        Some(error) => println!("the child's exec failed: {error}; the parent was not released"),
        None => println!("the parent was released by an exec that failed"),
    }
    let status = waitpid(child)?;
    println!(
        "released by the child's exit with status {}",
        status.WEXITSTATUS()
    );
    let right = seen.is_some_and(|error| error.errno == Errno::ENOENT) && status.0 == 3 << 8;
    Ok(if right { 0 } else { 1 })
}
