//! waitpid with WNOHANG asks and does not wait: 0 while the child runs, then its pid.
#![no_std]
#![no_main]
use guest_user::{Result, flush, println, program, spawn, time};

program!(main);

use guest_user::files;
use guest_user::process::waitpid_nohang;

fn main() -> Result<u8> {
    let pipe = files::pipe()?;
    let child = spawn(|| {
        // Runs until the parent says so.
        files::close(pipe.writer)?;
        files::read(pipe.reader, &mut [0])?;
        Ok(0)
    })?;
    println!("the child is process {child}");
    flush()?;
    if waitpid_nohang(child)?.is_some() {
        return Ok(1);
    }
    println!("while it runs waitpid returns 0");
    files::close(pipe.writer)?;
    let status = loop {
        match waitpid_nohang(child)? {
            Some(status) => break status,
            None => time::sleep_milliseconds(1),
        }
    };
    println!("after its end waitpid returns {child}");
    Ok(status.WEXITSTATUS())
}
