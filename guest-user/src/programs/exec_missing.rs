//! exec returns only to fail, and then in the old program: here in a child that goes on to exit.
#![no_std]
#![no_main]
use guest_user::{Result, execl, println, program, spawn, waitpid};

program!(main);

fn main() -> Result<u8> {
    let child = spawn(|| {
        let _ = execl!(c"/bin/no_such_program", c"no_such_program");
        println!("exec failed!");
        Ok(1)
    })?;
    let status = waitpid(child)?;
    println!("the child exited with status {}", status.WEXITSTATUS());
    Ok(if status.WIFEXITED() && status.WEXITSTATUS() == 1 {
        0
    } else {
        1
    })
}
