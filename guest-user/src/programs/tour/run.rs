//! Runs a program and shows its output, set in from the margin.
use core::ffi::CStr;
use guest_user::exec::execv;
use guest_user::files::{self, Descriptor, STDERR, STDOUT};
use guest_user::process::wait4;
use guest_user::{Result, Status, flush, stdio, vfork, waitpid};

const MARGIN: &[u8] = b"    ";

/// Runs `command`, its path first, to its end: its status.
pub fn run(command: &[&CStr]) -> Result<Status> {
    let pipe = files::pipe()?;
    let child = vfork(|| {
        let connected = files::dup2(pipe.writer, STDOUT)
            .and_then(|()| files::dup2(pipe.writer, STDERR))
            .and_then(|()| files::close(pipe.reader))
            .and_then(|()| files::close(pipe.writer));
        if let (Ok(()), [path, ..]) = (connected, command) {
            let _ = execv(path, command);
        }
        127
    })?;
    files::close(pipe.writer)?;
    show(pipe.reader)?;
    files::close(pipe.reader)?;
    let status = waitpid(child)?;
    // As process 1 this is the parent of every orphan.
    while let Ok(Some(_)) = wait4(-1, guest_user::process::WNOHANG) {}
    Ok(status)
}

/// Copies a pipe to standard output, line by line behind the margin.
fn show(reader: Descriptor) -> Result<()> {
    let mut buffer = [0; 1024];
    let mut at_start = true;
    loop {
        let length = files::read(reader, &mut buffer)?;
        if length == 0 {
            break;
        }
        for piece in buffer[..length].split_inclusive(|&byte| byte == b'\n') {
            if at_start {
                stdio::put(MARGIN)?;
            }
            stdio::put(piece)?;
            at_start = piece.ends_with(b"\n");
        }
        flush()?;
    }
    if !at_start {
        stdio::put(b"\n")?;
    }
    Ok(())
}
