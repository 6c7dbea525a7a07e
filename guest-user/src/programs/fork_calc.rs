//! The child becomes calc: another program, the same process, and so the same pid.
#![no_std]
#![no_main]
use guest_user::{Result, execl, flush, getpid, println, program, spawn, waitpid};

program!(main);

fn main() -> Result<u8> {
    let child = spawn(|| {
        println!("the child's pid before exec: {}", getpid());
        // exec would throw away what is still in the buffer.
        flush()?;
        let error = execl!(c"/bin/calc", c"calc", c"--pid", c"6*7");
        println!("Why would I execute?");
        Err(error)
    })?;
    let status = waitpid(child)?;
    println!("the pid that fork returned to the parent: {child}");
    Ok(if status.0 == 0 { 0 } else { 1 })
}
