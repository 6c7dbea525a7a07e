//! Reads of `/proc/PID/pagemap` (proc(5)): eight bytes a page, made as they are asked for, for the whole of it would be
//! 256 GiB.
use crate::memory::space::USER_END;
use crate::process::{Current, Pid, ProcessTable};
use contract::{Errno, PAGE};
use files::Transfer;

/// Bytes of an entry.
const ENTRY: u64 = 8;

/// One piece of a read that began so far from the file's start; how much of it is there.
///
/// # Errors
/// EINVAL where that is not whole entries; ESRCH where the process has gone.
pub fn read(
    processes: &ProcessTable,
    current: Current,
    pid: u32,
    position: u64,
    transfer: &Transfer,
    into: &mut [u8],
) -> Result<usize, Errno> {
    let (start, total) = (position - transfer.done as u64, transfer.total as u64);
    if !start.is_multiple_of(ENTRY) || !total.is_multiple_of(ENTRY) {
        return Err(Errno::EINVAL);
    }
    let slot = processes.find(Pid(pid)).ok_or(Errno::ESRCH)?;
    let Some(space) = &processes[slot].memory else {
        return Ok(0);
    };
    let shows_frames = processes[current].credentials.may_administer();
    let end = USER_END / PAGE * ENTRY;
    let count = (into.len() as u64).min(end.saturating_sub(position)) as usize;
    let mut entry = [0; ENTRY as usize];
    for (at, byte) in (position..).zip(&mut into[..count]) {
        if at % ENTRY == 0 || at == position {
            let page = at / ENTRY * PAGE;
            entry = space.page_map_entry(page, shows_frames).to_ne_bytes();
        }
        *byte = entry[(at % ENTRY) as usize];
    }
    Ok(count)
}
