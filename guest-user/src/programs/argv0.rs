//! `argv[0]` is a convention: exec takes the file from its path, and passes on any name at all.
#![no_std]
#![no_main]
use guest_user::{Result, execl, flush, println, program, spawn, waitpid};

program!(main);

fn main() -> Result<u8> {
    for name in [c"echo", c"my_echo"] {
        println!("/bin/echo started as {}:", name.to_str().unwrap_or("?"));
        flush()?;
        let child = spawn(|| Err(execl!(c"/bin/echo", name, c"the same words")))?;
        let status = waitpid(child)?;
        if status.0 != 0 {
            return Ok(1);
        }
    }
    Ok(0)
}
