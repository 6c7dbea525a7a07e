//! exec releases the parent of a vfork: the two then run side by side, each in memory of its own.
#![no_std]
#![no_main]
use guest_user::{Result, execl, flush, println, program, vfork, waitpid};

program!(main);

use guest_user::files;
use guest_user::process::waitpid_nohang;

fn main() -> Result<u8> {
    let pipe = files::pipe()?;
    let child = vfork(|| {
        // The child's own descriptors: that much is not shared.
        if files::dup2(pipe.reader, files::STDIN).is_ok() && files::close(pipe.writer).is_ok() {
            let _ = execl!(c"/bin/cat", c"cat");
        }
        127
    })?;
    match waitpid_nohang(child)? {
        None => println!("the parent runs again, and its child is still there: it is cat now"),
        Some(status) => {
            println!(
                "the child has ended before its time, with status {:#06x}",
                status.0
            );
            return Ok(1);
        }
    }
    flush()?;
    files::write_all(pipe.writer, b"cat got this line from the parent\n")?;
    files::close(pipe.writer)?;
    let status = waitpid(child)?;
    println!("the child exited with status {}", status.WEXITSTATUS());
    Ok(if status.0 == 0 { 0 } else { 1 })
}
