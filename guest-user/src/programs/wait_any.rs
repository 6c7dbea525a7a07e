//! Two children, two waits for any: they are reported in the order in which they end.
#![no_std]
#![no_main]
use guest_user::{Result, flush, println, program, spawn, wait};

program!(main);

use guest_user::files;

fn main() -> Result<u8> {
    let pipe = files::pipe()?;
    let first = spawn(|| {
        // Ends when the parent says so.
        files::close(pipe.writer)?;
        files::read(pipe.reader, &mut [0])?;
        Ok(1)
    })?;
    let second = spawn(|| Ok(2))?;
    println!("started: {first}, then {second}");
    flush()?;
    let (one, status) = wait()?;
    println!("ended: {one}, with status {}", status.WEXITSTATUS());
    files::close(pipe.writer)?;
    let (other, status) = wait()?;
    println!("ended: {other}, with status {}", status.WEXITSTATUS());
    Ok(if (one, other) == (second, first) {
        0
    } else {
        1
    })
}
