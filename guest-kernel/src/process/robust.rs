//! The end of a thread as others see it who share its memory: robust futexes (get_robust_list(2)) and the word
//! that a join waits for (set_tid_address(2)).
use super::futex::{Key, Scope};
use super::{Pid, Process, ProcessSlot, Thread, ThreadSlot};
use crate::kernel::Kernel;
use crate::memory::space::AddressSpace;
use crate::memory::user::{self, UserFault};
use alloc::rc::Rc;
use linux_raw_sys::general as linux;

/// Futexes that are looked at: a list can be a ring (ROBUST_LIST_LIMIT).
const LIMIT: usize = 2048;
/// Marks an entry as a futex with priority inheritance.
const PRIORITY_INHERITANCE: u64 = 1;

/// Which place a futex has: one of the list, or what the thread was about to put there or take away.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Place {
    Listed,
    Pending,
}

impl Thread {
    /// Not 0 where something is to be written at its end.
    #[inline]
    const fn words_to_leave(&self) -> u64 {
        self.robust_list | self.clear_child_tid
    }
}

impl Process {
    /// Whether others see what it leaves in its memory.
    #[inline]
    fn has_fellow_users(&self, holds: usize) -> bool {
        self.memory
            .as_ref()
            .is_some_and(|space| Rc::strong_count(space) > holds || space.has_shared_memory())
    }
}

impl Kernel {
    /// Leaves a process's memory in order for others who have it: for the threads that are about to end with
    /// it.
    ///
    /// `holds` is how often the space is held on the process's own behalf.
    #[inline(always)]
    pub fn leave_memory_in_order(&mut self, slot: ProcessSlot, holds: usize) {
        let process = &self.processes[slot];
        if process.threads.count == 1
            && let Some(only) = process.threads.first
            && (self.processes[only].words_to_leave() == 0 || !process.has_fellow_users(holds))
            && self.lock_waiters == 0
        {
            return;
        }
        self.leave_words_of_all(slot, holds);
    }

    #[inline(never)]
    fn leave_words_of_all(&mut self, slot: ProcessSlot, holds: usize) {
        self.leave_locks_of_all(slot);
        let mut next = self.processes[slot].threads.first;
        while let Some(thread) = next {
            let words = &self.processes[thread];
            next = words.fellows.next;
            if words.words_to_leave() != 0 {
                if !self.processes[slot].has_fellow_users(holds) {
                    return;
                }
                self.leave_words_in_order(thread);
            }
        }
    }

    /// The same for one thread, which ends.
    #[inline(never)]
    pub fn leave_words_in_order(&mut self, slot: ThreadSlot) {
        let thread = &mut self.processes[slot];
        let list = core::mem::take(&mut thread.robust_list);
        let joined = core::mem::take(&mut thread.clear_child_tid);
        let (tid, process) = (thread.tid, thread.process);
        self.leave_locks(tid);
        let Some(space) = &self.processes[process].memory else {
            return;
        };
        if list == 0 && joined == 0 {
            return;
        }
        let space = Rc::clone(space);
        if list != 0 {
            // A list that cannot be read ends where it cannot.
            let _ = self.give_up_robust_futexes(&space, list, tid);
        }
        if joined != 0
            && user::write(&space, joined, &0_u32.to_ne_bytes()).is_ok()
            && let Ok(key) = Key::of(&space, joined, Scope::Shared)
        {
            self.wake_futex(key, 1, u32::MAX);
        }
        // The process still has it.
        AddressSpace::release(space);
    }

    fn give_up_robust_futexes(
        &mut self,
        space: &AddressSpace,
        head: u64,
        tid: Pid,
    ) -> Result<(), UserFault> {
        let [first, offset, pending] = user::read_words(space, head)?;
        let mut entry = first;
        for _ in 0..LIMIT {
            let at = entry & !PRIORITY_INHERITANCE;
            if at == head {
                break;
            }
            let next = user::read_u64(space, at);
            if at != pending & !PRIORITY_INHERITANCE {
                self.give_up_futex(space, entry, offset, tid, Place::Listed)?;
            }
            entry = next?;
        }
        if pending & !PRIORITY_INHERITANCE != 0 {
            self.give_up_futex(space, pending, offset, tid, Place::Pending)?;
        }
        Ok(())
    }

    /// Marks a futex that the thread had, and wakes one who waits for it.
    fn give_up_futex(
        &mut self,
        space: &AddressSpace,
        entry: u64,
        offset: u64,
        tid: Pid,
        place: Place,
    ) -> Result<(), UserFault> {
        let address = (entry & !PRIORITY_INHERITANCE).wrapping_add(offset);
        let inherits = entry & PRIORITY_INHERITANCE != 0;
        if !address.is_multiple_of(4) {
            return Err(UserFault::BadAddress);
        }
        let value = user::read_u32(space, address)?;
        let mut waited_for = !inherits && value & linux::FUTEX_WAITERS != 0;
        if value & linux::FUTEX_TID_MASK == tid.0 {
            let left = value & linux::FUTEX_WAITERS | linux::FUTEX_OWNER_DIED;
            user::write(space, address, &left.to_ne_bytes())?;
        } else if place == Place::Pending && !inherits && value == 0 {
            // It had just given the futex up, and not woken anybody.
            waited_for = true;
        } else {
            return Ok(());
        }
        if waited_for && let Ok(key) = Key::of(space, address, Scope::Shared) {
            self.wake_futex(key, 1, u32::MAX);
        }
        Ok(())
    }
}
