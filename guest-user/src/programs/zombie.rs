//! A process that has ended stays as a zombie until it is waited for; an orphan goes to pid 1.
#![no_std]
#![no_main]
use guest_user::{Errno, Pid, Result, flush, getpid, getppid, println, program, spawn, waitpid};

program!(main);

use guest_user::proc_stat::{self, ProcessLine};
use guest_user::process::kill;
use guest_user::status::SIGKILL;
use guest_user::{files, time};

fn main() -> Result<u8> {
    let zombie = stays()?;
    let orphan = adopted()?;
    Ok(if zombie && orphan { 0 } else { 1 })
}

/// A child that ended and has not been waited for. True where all was as it should be.
fn stays() -> Result<bool> {
    let child = spawn(|| Ok(5))?;
    // Nothing tells a parent that its child has ended but waiting for it: look until it has.
    while state(child)? != Some('Z') {
        time::sleep_milliseconds(1);
    }
    println!("{}", ProcessLine::HEADER);
    show(child)?;
    kill(child, SIGKILL)?;
    println!("after SIGKILL:");
    show(child)?;
    let killed = state(child)?;
    let status = waitpid(child)?;
    println!(
        "waited for it: it had exited with status {}",
        status.WEXITSTATUS()
    );
    let gone = kill(child, 0).is_err_and(|error| error.errno == Errno::ESRCH);
    if gone {
        println!("process {child} is no more: ESRCH");
    }
    Ok(killed == Some('Z') && status.0 == 5 << 8 && gone)
}

/// A process whose parent has ended. True where pid 1 is its parent then.
fn adopted() -> Result<bool> {
    let go = files::pipe()?;
    let told = files::pipe()?;
    flush()?;
    let middle = spawn(|| {
        spawn(|| {
            // The orphan: it looks when its first parent has been waited for.
            files::close(go.writer)?;
            files::read(go.reader, &mut [0])?;
            files::write_all(told.writer, &getppid().to_ne_bytes())?;
            Ok(0)
        })?;
        Ok(0)
    })?;
    waitpid(middle)?;
    files::close(go.writer)?;
    files::close(told.writer)?;
    let mut parent = [0; 4];
    files::read_all(told.reader, &mut parent)?;
    // Nothing more comes: the orphan's end of the pipe closes when it ends.
    files::read_all(told.reader, &mut [0])?;
    let parent = Pid::from_ne_bytes(parent);
    println!("an orphan's parent was {middle}, which has ended, and is now {parent}");
    // Where this program is pid 1 the orphan is its own to wait for.
    if getpid() == 1 {
        guest_user::wait()?;
    }
    Ok(parent == 1)
}

fn state(pid: Pid) -> Result<Option<char>> {
    let mut buffer = [0; 512];
    Ok(proc_stat::read(pid, &mut buffer)?.map(|line| line.state))
}

fn show(pid: Pid) -> Result<()> {
    let mut buffer = [0; 512];
    if let Some(line) = proc_stat::read(pid, &mut buffer)? {
        println!("{line}");
    }
    Ok(())
}
