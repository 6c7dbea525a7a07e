//! exit writes what is buffered, _exit does not: the buffer is the program's, not the kernel's.
#![no_std]
#![no_main]
use guest_user::{_exit, Result, flush, print, println, program, spawn, waitpid};

program!(main);

fn main() -> Result<u8> {
    println!("a child prints, without a newline, and calls exit:");
    flush()?;
    let child = spawn(|| {
        print!("this was in the buffer at exit");
        Ok(0)
    })?;
    let exited = waitpid(child)?;
    println!();
    println!("another does the same and calls _exit:");
    flush()?;
    let child = spawn(|| {
        print!("this was in the buffer at _exit");
        _exit(0)
    })?;
    let left = waitpid(child)?;
    println!("(nothing came)");
    Ok(if exited.0 == 0 && left.0 == 0 { 0 } else { 1 })
}
