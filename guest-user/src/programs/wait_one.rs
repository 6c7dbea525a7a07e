//! Waiting for one given child leaves the others: one that has ended long ago is still there to wait for.
#![no_std]
#![no_main]
use guest_user::{Result, flush, println, program, spawn, waitpid};

program!(main);

use guest_user::files;

fn main() -> Result<u8> {
    let pipe = files::pipe()?;
    let slow = spawn(|| {
        // Ends when the quick one has: its end of the pipe is the last to close.
        files::close(pipe.writer)?;
        files::read(pipe.reader, &mut [0])?;
        Ok(1)
    })?;
    let quick = spawn(|| Ok(2))?;
    files::close(pipe.writer)?;
    println!("started: {slow}, slow, and {quick}, quick");
    flush()?;
    let status = waitpid(slow)?;
    println!("waited for {slow}: status {}", status.WEXITSTATUS());
    let other = waitpid(quick)?;
    println!("waited for {quick}: status {}", other.WEXITSTATUS());
    Ok(if (status.0, other.0) == (1 << 8, 2 << 8) {
        0
    } else {
        1
    })
}
