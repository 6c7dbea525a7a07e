//! A process with 4 GiB reserved and little of it touched forks and execs: fork's cost is not its size.
#![no_std]
#![no_main]
use guest_user::{Error, Fork, Result, execl, flush, fork, println, program, waitpid};

program!(main);

use guest_user::counters::{Counter, Reader};
use guest_user::memory::{self, Reserve, touch};

const GIB: usize = 1 << 30;

fn main() -> Result<u8> {
    let memory = memory::map(4 * GIB, Reserve::No)?;
    for at in [0, GIB, 2 * GIB, 4 * GIB - 1] {
        touch(&mut memory[at], 1);
    }
    println!("4 GiB reserved, 4 pages of it touched");
    flush()?;
    let child = match fork()? {
        Fork::Child => return Err(execl!(c"/bin/echo", c"echo", c"Hello from child!")),
        Fork::Parent(pid) => pid,
    };
    let status = waitpid(child)?;
    match frames() {
        Ok((all, tables)) => {
            println!("frames that fork itself took: {all}, of them page tables: {tables}");
        }
        Err(error) => println!(
            "(nobody counted frames: /proc/cowbell: {})",
            error.errno.name()
        ),
    }
    Ok(if status.0 == 0 { 0 } else { 1 })
}

/// Frames that the last fork took: all, and those for page tables.
fn frames() -> core::result::Result<(u64, u64), Error> {
    let values = Reader::new()?.read()?;
    Ok((
        values.get(Counter::LastForkFrames),
        values.get(Counter::LastForkTableFrames),
    ))
}
