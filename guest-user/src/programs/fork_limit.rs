//! fork at the limit on processes: EAGAIN, and once the children have gone every frame is back.
#![no_std]
#![no_main]
use guest_user::{_exit, Errno, Fork, Result, flush, fork, println, program, wait};

program!(main);

use guest_user::counters::Reader;
use guest_user::files::{self, Pipe};

/// Children after which no limit is expected to come.
const CAUTION: usize = 2 * contract::PROCESS_LIMIT;

fn main() -> Result<u8> {
    let pipe = files::pipe()?;
    let mut counters = Reader::new()?;
    // Once for nothing, so that what this program touches has been touched.
    fill_and_empty(pipe, 1)?;
    let before = counters.settle();
    let (children, refusal) = fill_and_empty(pipe, CAUTION)?;
    // Before anything is printed: the buffer of standard output would be one page more.
    let after = counters.read();

    println!("forked {children} children, each waiting in read");
    match refusal {
        Some(errno) => println!("the next fork: {}", errno.name()),
        None => println!("no limit met: stopped here"),
    }
    println!("all {children} reaped");
    let back = match (before, after) {
        (Ok(before), Ok(after)) => {
            let (before, after) = (before.frames_used(), after.frames_used());
            println!("frames in use before: {before}, after: {after}");
            before == after
        }
        (Err(error), _) | (_, Err(error)) => {
            println!(
                "(nobody counted frames: /proc/cowbell: {})",
                error.errno.name()
            );
            true
        }
    };
    flush()?;
    Ok(if back && refusal == Some(Errno::EAGAIN) {
        0
    } else {
        1
    })
}

/// Forks children until one is refused or there are `most`, then lets them end and waits for each: their
/// number, and why there were no more.
fn fill_and_empty(pipe: Pipe, most: usize) -> Result<(usize, Option<Errno>)> {
    let mut children = 0;
    let mut refusal = None;
    while children < most && refusal.is_none() {
        match fork() {
            Ok(Fork::Parent(_)) => children += 1,
            Ok(Fork::Child) => {
                // One byte for each child lets it go.
                let _ = files::read(pipe.reader, &mut [0]);
                _exit(0)
            }
            Err(error) => refusal = Some(error.errno),
        }
    }
    for _ in 0..children {
        files::write_all(pipe.writer, b"g")?;
    }
    for _ in 0..children {
        wait()?;
    }
    Ok((children, refusal))
}
