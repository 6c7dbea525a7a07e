//! Locks on files (fcntl_locking(2), flock(2)).
use super::Outcome;
use crate::kernel::Kernel;
use crate::memory::{heap, user};
use crate::process::{Pid, ProcessTable, Resume, State, Wait};
use contract::Errno;
use core::ops::RangeInclusive;
use files::{DescriptionId, LockMode, LockOwner, RecordLock, Step, WaitFor};
use linux_raw_sys::general as linux;

/// Greatest offset of a file: a lock up to here has no end.
const NO_END: u64 = i64::MAX as u64;

/// `struct flock`.
#[derive(Clone, Copy)]
struct Flock {
    kind: u16,
    whence: u16,
    start: i64,
    length: i64,
    pid: u32,
}

impl Flock {
    const fn from_words([kind_and_whence, start, length, pid]: [u64; 4]) -> Self {
        Self {
            kind: kind_and_whence as u16,
            whence: (kind_and_whence >> 16) as u16,
            start: start as i64,
            length: length as i64,
            pid: pid as u32,
        }
    }

    fn mode(self) -> Result<Option<LockMode>, Errno> {
        match u32::from(self.kind) {
            linux::F_RDLCK => Ok(Some(LockMode::Shared)),
            linux::F_WRLCK => Ok(Some(LockMode::Exclusive)),
            linux::F_UNLCK => Ok(None),
            _ => Err(Errno::EINVAL),
        }
    }
}

/// Whether a process waits for a record's lock now; or is about to ask for it again, for some lock has gone.
fn is_waiting(processes: &ProcessTable, process: u32) -> bool {
    processes.find(Pid(process)).is_some_and(|slot| {
        let mut threads = processes.threads_of(slot);
        threads.any(|thread| {
            let call = processes[thread].context.registers.system_call_number();
            call == u64::from(linux::__NR_fcntl)
                && matches!(
                    processes[thread].state,
                    State::Waiting(Wait::File {
                        until: WaitFor::Lock,
                        ..
                    }) | State::Runnable(Resume::SystemCall { .. })
                )
        })
    })
}

impl Kernel {
    /// The commands of fcntl(2) about locks.
    pub fn fcntl_lock(
        &mut self,
        description: DescriptionId,
        command: u32,
        address: u64,
    ) -> Result<Outcome, Errno> {
        let process = &self.processes[self.current.process];
        let words: [u64; 4] = user::read_words(process.space(), address)?;
        let flock = Flock::from_words(words);
        let by_description = matches!(
            command,
            linux::F_OFD_GETLK | linux::F_OFD_SETLK | linux::F_OFD_SETLKW
        );
        if by_description && flock.pid != 0 {
            return Err(Errno::EINVAL);
        }
        let owner = if by_description {
            LockOwner::Description(description)
        } else {
            LockOwner::Process(process.pid.0)
        };
        let whence = u32::from(flock.whence);
        let (start, length) = (flock.start, flock.length);
        if matches!(command, linux::F_GETLK | linux::F_OFD_GETLK) {
            let mode = flock.mode()?.ok_or(Errno::EINVAL)?;
            let range = self.files.lock_range(description, whence, start, length)?;
            let wanted = record(owner, mode, &range);
            let found = self.files.conflicting_lock(description, &wanted)?;
            let words = found.map_or_else(|| unlocked(words), to_words);
            user::write_words(
                self.processes[self.current.process].space(),
                address,
                &words,
            )?;
            return Ok(Outcome::Return(0));
        }
        let range = self.files.lock_range(description, whence, start, length)?;
        heap::require_reserve()?;
        let Some(mode) = flock.mode()? else {
            self.files.unlock_record(description, owner, range)?;
            self.wake_files();
            return Ok(Outcome::Return(0));
        };
        let wanted = record(owner, mode, &range);
        let processes = &*self.processes;
        let is_waiting = |process| is_waiting(processes, process);
        let waits = matches!(command, linux::F_SETLKW | linux::F_OFD_SETLKW);
        let step = self.files.lock_record(
            description,
            &wanted,
            waits.then_some(&is_waiting as &dyn Fn(u32) -> bool),
        );
        self.lock_step(step, waits)
    }

    /// How a request for a lock goes on.
    fn lock_step(&mut self, step: Step<()>, waits: bool) -> Result<Outcome, Errno> {
        self.wake_files();
        match step {
            Step::Done(result) => result.map(|()| Outcome::Return(0)),
            Step::Wait(until) if waits => Ok(self.wait_in_call(Wait::File { until, progress: 0 })),
            _ => Err(Errno::EAGAIN),
        }
    }

    /// flock(2).
    pub fn flock(&mut self, descriptor: u64, operation: u64) -> Result<Outcome, Errno> {
        let operation = operation as u32;
        if operation & linux::LOCK_MAND != 0 {
            // A kind of lock that Linux had, and says nothing of since.
            return Ok(Outcome::Return(0));
        }
        let description = self.description(descriptor);
        let mode = match operation & !linux::LOCK_NB {
            linux::LOCK_SH => Some(LockMode::Shared),
            linux::LOCK_EX => Some(LockMode::Exclusive),
            linux::LOCK_UN => None,
            _ => return Err(Errno::EINVAL),
        };
        let description = description?;
        heap::require_reserve()?;
        let step = self.files.lock_file(description, mode);
        self.lock_step(step, operation & linux::LOCK_NB == 0)
    }

    /// The current process is about to close a descriptor: its locks on what that leads to go.
    #[inline]
    pub fn release_locks(&mut self, descriptor: u32) {
        if self.files.has_record_locks()
            && let Ok(description) = self.description(u64::from(descriptor))
        {
            let process = self.processes[self.current.process].pid.0;
            self.files.release_process_locks(description, process);
        }
    }
}

fn record(owner: LockOwner, mode: LockMode, range: &RangeInclusive<u64>) -> RecordLock {
    RecordLock {
        owner,
        mode,
        start: *range.start(),
        end: *range.end(),
    }
}

/// What F_GETLK answers where nothing is in the way.
const fn unlocked([kind_and_whence, start, length, pid]: [u64; 4]) -> [u64; 4] {
    let kind_and_whence = kind_and_whence & !0xffff | linux::F_UNLCK as u64;
    [kind_and_whence, start, length, pid]
}

/// A lock as `struct flock` tells of it.
fn to_words(lock: RecordLock) -> [u64; 4] {
    let kind = match lock.mode {
        LockMode::Shared => linux::F_RDLCK,
        LockMode::Exclusive => linux::F_WRLCK,
    };
    let length = if lock.end >= NO_END {
        0
    } else {
        lock.end - lock.start + 1
    };
    let pid = match lock.owner {
        LockOwner::Process(process) => process,
        // Nobody's in particular: -1.
        LockOwner::Description(_) => u32::MAX,
    };
    [u64::from(kind), lock.start, length, u64::from(pid)]
}
