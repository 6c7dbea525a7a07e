//! Locks on files: of records (fcntl_locking(2)), by process or by open file description, and of whole files (flock(2)).
//!
//! They are advice: only who asks for a lock minds those of others. Who waits for one asks again whenever one goes.
use crate::description::{DescriptionId, Opened};
use crate::inode::InodeId;
use crate::wait_queue::WaitQueue;
use crate::{Files, PageStore, Step, WaitFor};
use alloc::collections::BTreeMap;
use contract::Errno;
use core::ops::RangeInclusive;
use linux_raw_sys::general as linux;

/// What is locked: the inode, or the pipe.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
enum Target {
    Memory(u32),
    Proc(u64),
    Pipe(u32),
}

/// Whose a lock is.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub enum LockOwner {
    /// A process's: it goes when the process closes any descriptor of the file.
    Process(u32),
    /// An open file description's.
    Description(DescriptionId),
}

/// What a lock keeps away.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum LockMode {
    /// Those of others to write.
    Shared,
    /// All of others.
    Exclusive,
}

/// A lock on bytes of a file.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct RecordLock {
    /// Whose.
    pub owner: LockOwner,
    /// Against whom.
    pub mode: LockMode,
    /// First byte.
    pub start: u64,
    /// Last byte; the greatest offset stands for all that may come.
    pub end: u64,
}

impl RecordLock {
    /// Whether the two cannot both be.
    fn conflicts(&self, other: &Self) -> bool {
        self.owner != other.owner
            && self.start <= other.end
            && other.start <= self.end
            && (self.mode, other.mode) != (LockMode::Shared, LockMode::Shared)
    }
}

/// All locks. Those of one owner on one file do not overlap, nor do two of the same mode touch.
#[derive(Debug)]
pub(crate) struct Locks {
    /// Last byte and mode, by file, owner and first byte.
    records: BTreeMap<(Target, LockOwner, u64), (u64, LockMode)>,
    files: BTreeMap<(Target, DescriptionId), LockMode>,
    /// What a process asked for last and had to wait for. It may have given up since.
    wanted: BTreeMap<u32, (Target, RecordLock)>,
    pub(crate) queue: WaitQueue,
}

impl Locks {
    pub(crate) const fn new() -> Self {
        Self {
            records: BTreeMap::new(),
            files: BTreeMap::new(),
            wanted: BTreeMap::new(),
            queue: WaitQueue::new(),
        }
    }

    /// The owner's first lock that ends at `from` or later.
    fn next_own(&self, target: Target, owner: LockOwner, from: u64) -> Option<RecordLock> {
        let before = self
            .records
            .range((target, owner, 0)..=(target, owner, from));
        let (key, value) = before
            .last()
            .filter(|(_, (end, _))| *end >= from)
            .or_else(|| {
                let after = (target, owner, from)..=(target, owner, u64::MAX);
                self.records.range(after).next()
            })?;
        Some(RecordLock {
            owner,
            mode: value.1,
            start: key.2,
            end: value.0,
        })
    }

    #[cfg(test)]
    fn own(&self, target: Target, owner: LockOwner) -> impl Iterator<Item = RecordLock> {
        self.records
            .range((target, owner, 0)..=(target, owner, u64::MAX))
            .map(move |((_, owner, start), (end, mode))| RecordLock {
                owner: *owner,
                mode: *mode,
                start: *start,
                end: *end,
            })
    }

    /// A lock of somebody else that is in the way: the one that begins first.
    fn conflict(&self, target: Target, wanted: &RecordLock) -> Option<RecordLock> {
        let first = (target, LockOwner::Process(0), 0);
        let last = LockOwner::Description(DescriptionId(u16::MAX));
        self.records
            .range(first..=(target, last, u64::MAX))
            .map(|((_, owner, start), (end, mode))| RecordLock {
                owner: *owner,
                mode: *mode,
                start: *start,
                end: *end,
            })
            .filter(|lock| lock.conflicts(wanted))
            .min_by_key(|lock| lock.start)
    }

    /// Sets a lock that nobody is in the way of, or with no mode takes away what is in the range.
    fn set(
        &mut self,
        target: Target,
        owner: LockOwner,
        range: RangeInclusive<u64>,
        mode: Option<LockMode>,
    ) {
        let (mut start, mut end) = range.into_inner();
        let mut from = 0;
        loop {
            let next = self.next_own(target, owner, from.max(start.saturating_sub(1)));
            let Some(lock) = next.filter(|lock| lock.start <= end.saturating_add(1)) else {
                break;
            };
            let overlaps = lock.start <= end && start <= lock.end;
            if mode == Some(lock.mode) {
                self.records.remove(&(target, owner, lock.start));
                start = start.min(lock.start);
                end = end.max(lock.end);
            } else if overlaps {
                self.records.remove(&(target, owner, lock.start));
                if lock.start < start {
                    let left = (target, owner, lock.start);
                    self.records.insert(left, (start - 1, lock.mode));
                }
                if lock.end > end {
                    let right = (target, owner, end + 1);
                    self.records.insert(right, (lock.end, lock.mode));
                }
            }
            let Some(after) = lock.end.checked_add(1) else {
                break;
            };
            from = after;
        }
        if let Some(mode) = mode {
            self.records.insert((target, owner, start), (end, mode));
        }
        self.forget_wanted();
    }

    /// Without a lock nobody waits for one: so a process that ends looks here only where there are some.
    fn forget_wanted(&mut self) {
        if self.records.is_empty() {
            self.wanted.clear();
        }
    }

    /// Whether `process` would wait for itself: somebody that it waits for waits for it.
    fn would_deadlock(
        &self,
        process: u32,
        mut blocker: LockOwner,
        is_waiting: &dyn Fn(u32) -> bool,
    ) -> bool {
        for _ in 0..=self.wanted.len() {
            let LockOwner::Process(holder) = blocker else {
                return false;
            };
            if holder == process {
                return true;
            }
            let Some((target, wanted)) = self.wanted.get(&holder).filter(|_| is_waiting(holder))
            else {
                return false;
            };
            match self.conflict(*target, wanted) {
                Some(next) => blocker = next.owner,
                None => return false,
            }
        }
        false
    }
}

impl<S: PageStore> Files<S> {
    fn lock_target(&self, id: DescriptionId) -> Result<Target, Errno> {
        let description = self.description(id)?;
        Ok(match (&description.opened, description.inode()) {
            (Opened::Path(_), _) => return Err(Errno::EBADF),
            (_, Some(InodeId::Memory(number))) => Target::Memory(number),
            (_, Some(InodeId::Proc(node))) => Target::Proc(node.number()),
            (Opened::Socket(socket), None) => Target::Pipe(socket.number),
            (Opened::PipeRead(pipe) | Opened::PipeWrite(pipe) | Opened::Packets(_, pipe), None) => {
                Target::Pipe(pipe.0)
            }
            (_, None) => return Err(Errno::EBADF),
        })
    }

    /// What is in the way of a lock (F_GETLK, F_OFD_GETLK).
    ///
    /// # Errors
    /// EBADF.
    pub fn conflicting_lock(
        &self,
        id: DescriptionId,
        wanted: &RecordLock,
    ) -> Result<Option<RecordLock>, Errno> {
        Ok(self.locks.conflict(self.lock_target(id)?, wanted))
    }

    /// Sets a lock, or waits where somebody is in the way (F_SETLK, F_SETLKW and those of OFD). `is_waiting` says of a
    /// process whether it still waits for a record's lock; without it, the caller is not going to wait.
    ///
    /// Errors: EBADF, also where it is not open for that; EDEADLK.
    pub fn lock_record(
        &mut self,
        id: DescriptionId,
        wanted: &RecordLock,
        is_waiting: Option<&dyn Fn(u32) -> bool>,
    ) -> Step<()> {
        let allowed = self
            .description(id)
            .is_ok_and(|description| match wanted.mode {
                LockMode::Shared => description.may_read(),
                LockMode::Exclusive => description.may_write(),
            });
        let target = match self.lock_target(id) {
            Ok(target) if allowed => target,
            _ => return Step::Done(Err(Errno::EBADF)),
        };
        if let Some(conflict) = self.locks.conflict(target, wanted) {
            if let (LockOwner::Process(process), Some(is_waiting)) = (wanted.owner, is_waiting) {
                if self
                    .locks
                    .would_deadlock(process, conflict.owner, is_waiting)
                {
                    return Step::Done(Err(Errno::EDEADLK));
                }
                self.locks.wanted.insert(process, (target, *wanted));
            }
            return Step::Wait(WaitFor::Lock);
        }
        if let LockOwner::Process(process) = wanted.owner {
            self.locks.wanted.remove(&process);
        }
        self.locks.set(
            target,
            wanted.owner,
            wanted.start..=wanted.end,
            Some(wanted.mode),
        );
        // A lock for writing may have become one for reading.
        self.locks_changed();
        Step::Done(Ok(()))
    }

    /// Takes away an owner's locks in a range.
    ///
    /// # Errors
    /// EBADF.
    pub fn unlock_record(
        &mut self,
        id: DescriptionId,
        owner: LockOwner,
        range: RangeInclusive<u64>,
    ) -> Result<(), Errno> {
        let target = self.lock_target(id)?;
        self.locks.set(target, owner, range, None);
        self.locks_changed();
        Ok(())
    }

    /// flock(2): `None` unlocks. Another mode than before is not had at once: the old lock goes first.
    ///
    /// Errors: EBADF.
    pub fn lock_file(&mut self, id: DescriptionId, mode: Option<LockMode>) -> Step<()> {
        let target = match self.lock_target(id) {
            Ok(target) => target,
            Err(errno) => return Step::Done(Err(errno)),
        };
        if mode.is_some() && self.locks.files.get(&(target, id)).copied() == mode {
            return Step::Done(Ok(()));
        }
        if self.locks.files.remove(&(target, id)).is_some() {
            self.locks_changed();
        }
        let Some(mode) = mode else {
            return Step::Done(Ok(()));
        };
        let all = (target, DescriptionId(0))..=(target, DescriptionId(u16::MAX));
        let taken = self
            .locks
            .files
            .range(all)
            .any(|(_, other)| (*other, mode) != (LockMode::Shared, LockMode::Shared));
        if taken {
            return Step::Wait(WaitFor::Lock);
        }
        self.locks.files.insert((target, id), mode);
        Step::Done(Ok(()))
    }

    /// Whether there is any lock on records, so that who closes something must look.
    #[inline]
    #[must_use]
    pub fn has_record_locks(&self) -> bool {
        !self.locks.records.is_empty()
    }

    /// A process closes a descriptor of this: its locks on the file go, whichever descriptor they came by.
    #[cold]
    pub fn release_process_locks(&mut self, id: DescriptionId, process: u32) {
        if let Ok(target) = self.lock_target(id) {
            let owner = LockOwner::Process(process);
            self.locks.set(target, owner, 0..=u64::MAX, None);
            self.locks_changed();
        }
    }

    /// A process has ended: its locks go.
    #[cold]
    pub fn release_all_locks(&mut self, process: u32) {
        let owner = LockOwner::Process(process);
        self.locks
            .records
            .retain(|(_, other, _), _| *other != owner);
        self.locks.wanted.remove(&process);
        self.locks.forget_wanted();
        self.locks_changed();
    }

    /// A description is about to be closed.
    pub(crate) fn release_description_locks(&mut self, id: DescriptionId) {
        if self.locks.records.is_empty() && self.locks.files.is_empty() {
            return;
        }
        if let Ok(target) = self.lock_target(id) {
            let owner = LockOwner::Description(id);
            self.locks.set(target, owner, 0..=u64::MAX, None);
            self.locks.files.remove(&(target, id));
            self.locks_changed();
        }
    }

    pub(crate) fn locks_changed(&mut self) {
        if !self.locks.queue.is_empty() {
            self.wakeups.wake_lockers();
        }
    }

    /// The range that a `struct flock` says.
    ///
    /// # Errors
    /// EBADF; EINVAL for an unknown `whence` or a range before the start; EOVERFLOW.
    pub fn lock_range(
        &self,
        id: DescriptionId,
        whence: u32,
        start: i64,
        length: i64,
    ) -> Result<RangeInclusive<u64>, Errno> {
        let description = self.description(id)?;
        let base = match whence {
            linux::SEEK_SET => 0,
            linux::SEEK_CUR => description.offset as i64,
            linux::SEEK_END => description.inode().map_or(0, |inode| self.size(inode)) as i64,
            _ => return Err(Errno::EINVAL),
        };
        let start = base.checked_add(start).ok_or(Errno::EOVERFLOW)?;
        if start < 0 {
            return Err(Errno::EINVAL);
        }
        let range = match length {
            0 => start..=i64::MAX,
            1.. => start..=start.checked_add(length - 1).ok_or(Errno::EOVERFLOW)?,
            _ if start + length < 0 => return Err(Errno::EINVAL),
            _ => start + length..=start - 1,
        };
        Ok(*range.start() as u64..=*range.end() as u64)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use alloc::vec::Vec;

    const FILE: Target = Target::Memory(1);
    const ME: LockOwner = LockOwner::Process(1);

    fn mine(locks: &Locks) -> Vec<(u64, u64, LockMode)> {
        let own = locks.own(FILE, ME);
        own.map(|lock| (lock.start, lock.end, lock.mode)).collect()
    }

    /// Against a lock a byte.
    #[test]
    fn ranges_split_and_join() {
        const BYTES: u64 = 24;
        let mut locks = Locks::new();
        let mut model = [None; BYTES as usize];
        let mut random = 12345_u64;
        let mut below = |limit: u64| {
            random = random.wrapping_mul(6364136223846793005).wrapping_add(1);
            (random >> 33) % limit
        };
        for _ in 0..5000 {
            let start = below(BYTES);
            let end = start + below(BYTES - start);
            let mode = match below(3) {
                0 => None,
                1 => Some(LockMode::Shared),
                _ => Some(LockMode::Exclusive),
            };
            locks.set(FILE, ME, start..=end, mode);
            model[start as usize..=end as usize].fill(mode);
            let mut expected: Vec<(u64, u64, LockMode)> = Vec::new();
            for (at, mode) in (0..).zip(model) {
                match (expected.last_mut(), mode) {
                    (Some(last), Some(mode)) if last.1 + 1 == at && last.2 == mode => last.1 = at,
                    (_, Some(mode)) => expected.push((at, at, mode)),
                    (_, None) => {}
                }
            }
            assert_eq!(mine(&locks), expected);
        }
    }

    #[test]
    fn circles_are_seen() {
        let mut locks = Locks::new();
        let lock = |process, start| RecordLock {
            owner: LockOwner::Process(process),
            mode: LockMode::Exclusive,
            start,
            end: start,
        };
        for process in 1..=3 {
            let owner = LockOwner::Process(process);
            let at = u64::from(process);
            locks.set(FILE, owner, at..=at, Some(LockMode::Exclusive));
        }
        locks.wanted.insert(1, (FILE, lock(1, 2)));
        locks.wanted.insert(2, (FILE, lock(2, 3)));
        assert!(locks.would_deadlock(3, LockOwner::Process(1), &|_| true));
        assert!(!locks.would_deadlock(3, LockOwner::Process(1), &|process| process != 2));
        assert!(!locks.would_deadlock(4, LockOwner::Process(1), &|_| true));
    }
}
