//! After fork both have their own descriptors of the same open file, with one offset between them.
#![no_std]
#![no_main]
use guest_user::{Error, Result, flush, println, program, spawn, stdio, waitpid};

program!(main);

use guest_user::files::{self, Descriptor, O_CREAT, O_RDONLY, O_TRUNC, O_WRONLY, STDOUT};

fn main() -> Result<u8> {
    let path = c"/tmp/foobar";
    // It may be there already; what matters is whether the file can be made.
    let _ = files::mkdir(c"/tmp");
    let fd = files::open(path, O_WRONLY | O_CREAT | O_TRUNC)?;
    files::write_all(fd, b"foobar")?;
    files::close(fd)?;

    let fd = files::open(path, O_RDONLY)?;
    println!("the parent reads:");
    show(fd)?;
    flush()?;
    let child = spawn(|| {
        files::write_all(STDOUT, b"TestFs\n")?;
        println!("the child reads on:");
        show(fd)?;
        files::close(fd)?;
        Ok(0)
    })?;
    let status = waitpid(child)?;
    println!("the child has closed its descriptor; the parent's still reads:");
    show(fd)?;
    files::close(fd)?;
    files::unlink(path)?;
    Ok(if status.0 == 0 { 0 } else { 1 })
}

/// Shows the next two bytes of the file.
fn show(fd: Descriptor) -> core::result::Result<(), Error> {
    let mut two = [0; 2];
    let length = files::read_all(fd, &mut two)?;
    stdio::put(&two[..length])?;
    println!();
    Ok(())
}
