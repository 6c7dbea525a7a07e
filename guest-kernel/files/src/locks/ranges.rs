//! All locks: of each owner, ranges that neither overlap nor touch in the same mode.
use super::{LockMode, LockOwner, RecordLock};
use crate::description::DescriptionId;
use crate::wait_queue::WaitQueue;
use alloc::collections::BTreeMap;
use core::ops::RangeInclusive;

/// What is locked: the inode, or the pipe.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub(super) enum Target {
    Memory(u32),
    Proc(u64),
    Pipe(u32),
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
    pub(super) records: BTreeMap<(Target, LockOwner, u64), (u64, LockMode)>,
    pub(super) files: BTreeMap<(Target, DescriptionId), LockMode>,
    /// What a process asked for last and had to wait for. It may have given up since.
    pub(super) wanted: BTreeMap<u32, (Target, RecordLock)>,
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
    pub(super) fn conflict(&self, target: Target, wanted: &RecordLock) -> Option<RecordLock> {
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
    pub(super) fn set(
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
    pub(super) fn forget_wanted(&mut self) {
        if self.records.is_empty() {
            self.wanted.clear();
        }
    }

    /// Whether `process` would wait for itself: somebody that it waits for waits for it.
    pub(super) fn would_deadlock(
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
