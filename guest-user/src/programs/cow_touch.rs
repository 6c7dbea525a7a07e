//! Copy-on-write: after fork a page is copied when one side writes it, and only then.
#![no_std]
#![no_main]
use guest_user::{_exit, Fork, Pid, Result, fork, println, program, waitpid};

program!(main);

use guest_user::counters::{Counter, PATH, Reader};
use guest_user::files::{self, O_RDONLY};
use guest_user::memory::{self, PAGE_SIZE, Reserve, touch};

/// 1 MiB.
const PAGES: usize = 256;

fn main() -> Result<u8> {
    let memory = memory::map(PAGES * PAGE_SIZE, Reserve::Yes)?;
    memory.fill(b'A');
    println!("{PAGES} pages of A; the child of a fork writes k of them:");
    let mut counters = match files::open(PATH, O_RDONLY) {
        Ok(fd) => {
            files::close(fd)?;
            Some(Reader::new()?)
        }
        Err(error) => {
            println!(
                "(no counters to count with: /proc/cowbell: {})",
                error.errno.name()
            );
            None
        }
    };
    let mut right = true;
    for k in [0, 1, 17, PAGES] {
        right &= child_writes(memory, k, counters.as_mut())?;
    }
    if let Some(counters) = &mut counters {
        right &= last_owner(memory, counters)?;
    }
    Ok(if right { 0 } else { 1 })
}

/// Forks a child that writes `k` pages. True where exactly those were copied and the parent's are unchanged.
fn child_writes(memory: &mut [u8], k: usize, counters: Option<&mut Reader>) -> Result<bool> {
    let go = files::pipe()?;
    let told = files::pipe()?;
    // Nothing is flushed on the way: whoever reads the output would run, and be counted.
    let child = match fork()? {
        Fork::Parent(pid) => pid,
        Fork::Child => {
            let copied = count_writes(memory, k, counters, go.reader, told.writer);
            let answer = copied.unwrap_or(u64::MAX).to_ne_bytes();
            _exit(u8::from(files::write_all(told.writer, &answer).is_err()))
        }
    };
    // From here to the second reading the parent only does again what it has done: it has its own copies of
    // its pages by then, and adds nothing to what the child counts.
    let mut answer = [0; 8];
    files::read_all(told.reader, &mut answer[..1])?;
    files::write_all(go.writer, b"g")?;
    files::read_all(told.reader, &mut answer)?;
    let status = waitpid(child)?;
    for end in [go.reader, go.writer, told.reader, told.writer] {
        files::close(end)?;
    }
    let unchanged = memory.iter().all(|&byte| byte == b'A');
    let sees = if unchanged {
        "still sees A"
    } else {
        "SEES THE CHILD'S WRITES"
    };
    match u64::from_ne_bytes(answer) {
        NOT_COUNTED => println!("k = {k:3}: the parent {sees}"),
        copied => {
            let shared = (PAGES as u64).wrapping_sub(copied);
            println!("k = {k:3}: the parent {sees}; pages shared {shared:3}, copied {copied:3}");
            return Ok(unchanged && status.0 == 0 && copied == k as u64);
        }
    }
    Ok(unchanged && status.0 == 0)
}

/// What the child answers without counters.
const NOT_COUNTED: u64 = u64::MAX - 1;

/// In the child: writes `k` pages, and returns how many pages were copied for it.
fn count_writes(
    memory: &mut [u8],
    k: usize,
    counters: Option<&mut Reader>,
    go: files::Descriptor,
    told: files::Descriptor,
) -> Result<u64> {
    let mut write = |k| {
        for page in memory.chunks_exact_mut(PAGE_SIZE).take(k) {
            touch(&mut page[0], b'B');
        }
    };
    let Some(counters) = counters else {
        files::write_all(told, b"r")?;
        files::read(go, &mut [0])?;
        write(k);
        return Ok(NOT_COUNTED);
    };
    counters.settle()?;
    files::write_all(told, b"r")?;
    files::read(go, &mut [0])?;
    let mut copied = 0;
    // Once for nothing: the stack that this takes is the child's own then, wherever it lies.
    for k in [0, k] {
        let before = counters.read()?;
        write(k);
        let after = counters.read()?;
        copied = after.since(&before, Counter::PagesCopied);
    }
    Ok(copied)
}

/// A page copied by a child that has gone: true where its last owner writes it without a copy.
fn last_owner(memory: &mut [u8], counters: &mut Reader) -> Result<bool> {
    let child: Pid = match fork()? {
        Fork::Parent(pid) => pid,
        Fork::Child => {
            touch(&mut memory[0], b'B');
            _exit(0)
        }
    };
    waitpid(child)?;
    counters.settle()?;
    let (mut copied, mut kept) = (0, 0);
    // Once for nothing, as in `count_writes`.
    for pages in [0, 1] {
        let before = counters.read()?;
        for page in memory.chunks_exact_mut(PAGE_SIZE).take(pages) {
            touch(&mut page[0], b'C');
        }
        let after = counters.read()?;
        copied = after.since(&before, Counter::PagesCopied);
        kept = after.since(&before, Counter::FaultsKept);
    }
    println!("the child has gone, the parent writes its page: copied {copied}, kept {kept}");
    Ok((copied, kept) == (0, 1))
}
