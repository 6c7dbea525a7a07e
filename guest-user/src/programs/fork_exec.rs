//! fork, exec in the child, wait in the parent: how every shell runs a command.
#![no_std]
#![no_main]
use guest_user::{Fork, Result, execl, flush, fork, println, program, waitpid};

program!(main);

fn main() -> Result<u8> {
    match fork()? {
        Fork::Child => Err(execl!(c"/bin/echo", c"echo", c"THIS IS ECHO")),
        Fork::Parent(child) => {
            println!("parent waiting");
            flush()?;
            let status = waitpid(child)?;
            if !status.WIFEXITED() {
                return Ok(1);
            }
            println!("the child exited with status {}", status.WEXITSTATUS());
            Ok(status.WEXITSTATUS())
        }
    }
}
