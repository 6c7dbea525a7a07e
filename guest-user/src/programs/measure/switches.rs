//! Pipes, and switching between processes.
use crate::plan::Plan;
use crate::processes::waited;
use crate::rounds::{median, take, tell, ticks};
use guest_user::files::{Descriptor, Pipe, close, pipe, read, write};
use guest_user::{_exit, Errno, Error, Fork, Result, fork};

/// Processes in the ring, this one among them.
const RING: usize = 8;
/// Times that the token goes round between two readings of the clock.
const LAPS: u64 = 4;

pub fn measure(plan: &Plan) -> Result<()> {
    if plan.wants("pipe-round-trip") {
        let (there, back) = (pipe()?, pipe()?);
        let child = passer(there.reader, back.writer, &[there.writer, back.reader])?;
        take(plan, "pipe-round-trip", || {
            pass(there.writer)?;
            receive(back.reader)
        })?;
        close_all([there, back])?;
        waited(child)?;
    }
    if plan.wants("context-switch") {
        tell("context-switch", ring(plan))?;
    }
    Ok(())
}

/// Ticks of a switch from one process of a ring to the next, the read and the write that bring it about included.
fn ring(plan: &Plan) -> Result<u64> {
    let mut pipes = [Pipe {
        reader: 0,
        writer: 0,
    }; RING];
    for at in &mut pipes {
        *at = pipe()?;
    }
    let mut children = [0; RING - 1];
    for (index, child) in children.iter_mut().enumerate() {
        let (from, to) = (pipes[index].reader, pipes[index + 1].writer);
        let mut unused = [-1; 2 * RING];
        for (at, ends) in unused.chunks_exact_mut(2).zip(&pipes) {
            at.copy_from_slice(&[ends.reader, ends.writer]);
        }
        for at in &mut unused {
            if *at == from || *at == to {
                *at = -1;
            }
        }
        *child = passer(from, to, &unused)?;
    }
    let outcome = median(plan.rounds, || {
        let start = ticks();
        for _ in 0..LAPS {
            pass(pipes[0].writer)?;
            receive(pipes[RING - 1].reader)?;
        }
        Ok((ticks() - start) / (LAPS * RING as u64))
    });
    close_all(pipes)?;
    for child in children {
        waited(child)?;
    }
    outcome
}

/// A child that passes each byte on until there are no more.
fn passer(from: Descriptor, to: Descriptor, unused: &[Descriptor]) -> Result<guest_user::Pid> {
    match fork()? {
        Fork::Parent(child) => Ok(child),
        Fork::Child => {
            for &descriptor in unused {
                let _ = close(descriptor);
            }
            while receive(from).is_ok() && pass(to).is_ok() {}
            _exit(0)
        }
    }
}

fn pass(to: Descriptor) -> Result<()> {
    write(to, b"t").map(drop)
}

fn receive(from: Descriptor) -> Result<()> {
    match read(from, &mut [0])? {
        1 => Ok(()),
        _ => Err(Error {
            call: "read",
            errno: Errno::EPIPE,
        }),
    }
}

fn close_all<const N: usize>(pipes: [Pipe; N]) -> Result<()> {
    for ends in pipes {
        close(ends.writer)?;
        close(ends.reader)?;
    }
    Ok(())
}
