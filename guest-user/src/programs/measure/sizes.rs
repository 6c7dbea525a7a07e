//! Page faults, and fork of a parent with memory.
use crate::plan::Plan;
use crate::processes::waited;
use crate::rounds::{median, tell, ticks};
use core::fmt::{self, Write as _};
use guest_user::memory::{self, PAGE_SIZE, Reserve, touch};
use guest_user::{_exit, Fork, Result, files, fork};

/// Samples of a fork, each of them long on a kernel that copies.
const FORKS: usize = 5;
/// MiB whose faults are counted.
const FAULTS: usize = 1;
/// Bytes in a MiB.
const MIB: usize = 1 << 20;

pub fn measure(plan: &Plan) -> Result<()> {
    if plan.wants("zero-fill-fault") || plan.wants("cow-fault") {
        in_a_child(|| faults(plan))?;
    }
    for size in plan.sizes() {
        let (fork, cycle) = (Name::new("fork", size), Name::new("fork+exit+wait", size));
        if plan.wants(fork.as_str()) || plan.wants(cycle.as_str()) {
            in_a_child(|| forks(plan, size, fork.as_str(), cycle.as_str()))?;
        }
    }
    Ok(())
}

/// Runs something in a child, whose memory goes with it.
fn in_a_child(action: impl FnOnce() -> Result<()>) -> Result<()> {
    waited(match fork()? {
        Fork::Parent(child) => child,
        Fork::Child => _exit(u8::from(action().is_err())),
    })
}

/// Memory of small pages, which is what everything here is about.
fn map(size: usize) -> Result<&'static mut [u8]> {
    let memory = memory::map(size * MIB, Reserve::Yes)?;
    // A kernel without huge pages need not know the call.
    let _ = memory::use_small_pages(memory);
    Ok(memory)
}

fn touch_all(memory: &mut [u8], value: u8) -> u64 {
    let pages = memory.len() / PAGE_SIZE;
    let start = ticks();
    for page in memory.chunks_exact_mut(PAGE_SIZE) {
        touch(&mut page[0], value);
    }
    (ticks() - start) / pages as u64
}

fn faults(plan: &Plan) -> Result<()> {
    let memory = map(FAULTS)?;
    let zero_fill = touch_all(memory, 1);
    if plan.wants("zero-fill-fault") {
        tell("zero-fill-fault", Ok(zero_fill))?;
    }
    if !plan.wants("cow-fault") {
        return Ok(());
    }
    // The child keeps its share of the pages until it is told to go.
    let gate = files::pipe()?;
    let child = match fork()? {
        Fork::Parent(child) => child,
        Fork::Child => {
            files::close(gate.writer)?;
            _exit(u8::from(files::read(gate.reader, &mut [0]).is_err()))
        }
    };
    let copied = touch_all(memory, 2);
    files::close(gate.writer)?;
    waited(child)?;
    tell("cow-fault", Ok(copied))
}

fn forks(plan: &Plan, size: usize, fork_name: &str, cycle_name: &str) -> Result<()> {
    let memory = match map(size) {
        Ok(memory) => memory,
        Err(error) => {
            tell(fork_name, Err(error))?;
            return tell(cycle_name, Err(error));
        }
    };
    touch_all(memory, 1);
    let mut forks = [0; FORKS];
    let mut round = 0;
    let cycle = median(FORKS, || {
        let start = ticks();
        let child = match fork()? {
            Fork::Child => _exit(0),
            Fork::Parent(child) => child,
        };
        forks[round] = ticks() - start;
        round += 1;
        waited(child)?;
        Ok(ticks() - start)
    });
    forks.sort_unstable();
    if plan.wants(fork_name) {
        tell(fork_name, cycle.map(|_| forks[FORKS / 2]))?;
    }
    if plan.wants(cycle_name) {
        tell(cycle_name, cycle)?;
    }
    Ok(())
}

/// Name of a measure at a size: `fork@16M`.
struct Name {
    length: usize,
    bytes: [u8; 32],
}

impl Name {
    fn new(what: &str, size: usize) -> Self {
        let mut name = Self {
            length: 0,
            bytes: [0; 32],
        };
        // What does not fit is cut off, and then no name that anybody asks for.
        let _ = write!(name, "{what}@{size}M");
        name
    }

    fn as_str(&self) -> &str {
        core::str::from_utf8(&self.bytes[..self.length]).unwrap_or("")
    }
}

impl fmt::Write for Name {
    fn write_str(&mut self, text: &str) -> fmt::Result {
        let end = self.length + text.len();
        let room = self.bytes.get_mut(self.length..end).ok_or(fmt::Error)?;
        room.copy_from_slice(text.as_bytes());
        self.length = end;
        Ok(())
    }
}
