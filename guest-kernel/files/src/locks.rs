//! Locks on files: of records (fcntl_locking(2)), by process or by open file description, and of whole files (flock(2)).
//!
//! They are advice: only who asks for a lock minds those of others. Who waits for one asks again whenever one goes.
mod ranges;

use crate::description::{DescriptionId, Opened};
use crate::inode::InodeId;
use crate::{Files, PageStore, Step, WaitFor};
use contract::Errno;
use core::ops::RangeInclusive;
use linux_raw_sys::general as linux;
pub(crate) use ranges::Locks;
use ranges::Target;

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
        self.note_who_minds_ends();
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
