//! exec replaces the program: the line after a successful exec is never reached.
#![no_std]
#![no_main]
use guest_user::{Result, execl, println, program};

program!(main);

fn main() -> Result<u8> {
    let error = execl!(c"/bin/echo", c"echo", c"this is echo");
    println!("only a failed exec comes here");
    Err(error)
}
