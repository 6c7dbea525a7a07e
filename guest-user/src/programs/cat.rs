//! cat(1): the contents of files, or of standard input without any or for `-`.
#![no_std]
#![no_main]
use guest_user::{Error, Result, eprintln, program, stdio};

program!(main);

use core::ffi::CStr;
use guest_user::files::{self, Descriptor, O_RDONLY, STDIN};

fn main() -> Result<u8> {
    let mut names = guest_user::arguments().skip(1).peekable();
    if names.peek().is_none() {
        copy(STDIN)?;
    }
    let mut status = 0;
    for name in names {
        if let Err(error) = show(name) {
            let name = core::str::from_utf8(name.to_bytes()).unwrap_or("?");
            eprintln!("cat: {name}: {}", error.errno.name());
            status = 1;
        }
    }
    Ok(status)
}

fn show(name: &CStr) -> core::result::Result<(), Error> {
    if name == c"-" {
        return copy(STDIN);
    }
    let fd = files::open(name, O_RDONLY)?;
    let outcome = copy(fd);
    files::close(fd)?;
    outcome
}

/// Copies to standard output as it comes: nobody waits for a buffer to fill.
fn copy(fd: Descriptor) -> Result<()> {
    let mut buffer = [0; 4096];
    loop {
        match files::read(fd, &mut buffer)? {
            0 => return Ok(()),
            length => {
                stdio::put(&buffer[..length])?;
                stdio::flush()?;
            }
        }
    }
}
