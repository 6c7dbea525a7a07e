//! Locks that the kernel hands over (FUTEX_LOCK_PI in futex(2)): the word says who has one, and its owner gives it to who
//! has waited longest. There is one turn for all, so nobody has a priority to inherit.
use super::futex::{Key, Waiter, Wanted};
use super::{Pid, ProcessSlot, Resume, State, ThreadSlot, Wait};
use crate::kernel::Kernel;
use crate::memory::user::{self, UserFault};
use contract::Errno;
use linux_raw_sys::general as linux;

/// A lock, as a call names it.
#[derive(Clone, Copy)]
pub struct Lock {
    pub key: Key,
    /// In the caller's space.
    pub address: u64,
}

impl Kernel {
    /// Takes a lock that nobody has. Who has it, where it is to be waited for; the word says then that somebody does.
    ///
    /// # Errors
    /// EDEADLK where the caller has it, or who has it waits for the caller; EAGAIN where it is not to be waited for; ESRCH
    /// where nobody is of the number that the word has; EFAULT.
    pub fn take_lock(&mut self, lock: Lock, may_wait: bool) -> Result<Option<Pid>, Errno> {
        let space = self.processes[self.current].space();
        let word = user::read_u32(space, lock.address)?;
        let own = self.processes[self.current.thread].tid;
        let owner = Pid(word & linux::FUTEX_TID_MASK);
        if owner == own {
            return Err(Errno::EDEADLK);
        }
        if owner.0 == 0 {
            let waiter = self.futexes.first_for_lock(self.processes, lock.key);
            let waiters = waiter.map_or(0, |_| linux::FUTEX_WAITERS);
            let taken = own.0 | waiters | word & linux::FUTEX_OWNER_DIED;
            user::write(space, lock.address, &taken.to_ne_bytes())?;
            self.futexes.change_owner(self.processes, lock.key, own);
            return Ok(None);
        }
        let slot = self.processes.find_thread(owner).ok_or(Errno::ESRCH)?;
        if !may_wait {
            return Err(Errno::EAGAIN);
        }
        if self.waits_in_the_end_for(slot, own) {
            return Err(Errno::EDEADLK);
        }
        let waited_for = word | linux::FUTEX_WAITERS;
        user::write(space, lock.address, &waited_for.to_ne_bytes())?;
        Ok(Some(owner))
    }

    /// Whether a thread waits for a lock of another's, or of one that does.
    fn waits_in_the_end_for(&self, mut slot: ThreadSlot, other: Pid) -> bool {
        /// Links of a chain that are looked at, as on Linux (max_lock_depth).
        const LONGEST: usize = 1024;
        for _ in 0..LONGEST {
            let State::Waiting(Wait::Futex(Waiter {
                wanted: Wanted::LockOf(owner),
                ..
            })) = self.processes[slot].state
            else {
                return false;
            };
            match self.processes.find_thread(owner) {
                _ if owner == other => return true,
                Some(next) => slot = next,
                None => return false,
            }
        }
        false
    }

    /// Gives a lock of the caller's to the next who waits, or to nobody.
    ///
    /// # Errors
    /// EPERM where it is not the caller's; EFAULT.
    pub fn give_lock(&mut self, lock: Lock) -> Result<(), Errno> {
        let space = self.processes[self.current].space();
        let word = user::read_u32(space, lock.address)?;
        if word & linux::FUTEX_TID_MASK != self.processes[self.current.thread].tid.0 {
            return Err(Errno::EPERM);
        }
        match self.futexes.first_for_lock(self.processes, lock.key) {
            Some(next) => self.hand_over_lock(next, 0)?,
            None => user::write(space, lock.address, &0_u32.to_ne_bytes())?,
        }
        Ok(())
    }

    /// The threads of a process are about to end: who waits for a lock of theirs gets it, but for themselves.
    pub fn leave_locks_of_all(&mut self, process: ProcessSlot) {
        if self.lock_waiters == 0 {
            return;
        }
        let mut next = self.processes[process].threads.first;
        while let Some(slot) = next {
            let thread = &self.processes[slot];
            next = thread.fellows.next;
            if matches!(thread.state, State::Waiting(Wait::Futex(waiter)) if waiter.wants_lock()) {
                self.make_runnable(slot, Resume::User);
            }
        }
        let mut next = self.processes[process].threads.first;
        while let Some(slot) = next {
            let thread = &self.processes[slot];
            next = thread.fellows.next;
            let owner = thread.tid;
            self.leave_locks(owner);
        }
    }

    /// A thread ends: who waits for a lock of its gets it, and is told.
    pub fn leave_locks(&mut self, owner: Pid) {
        if self.lock_waiters == 0 {
            return;
        }
        while let Some(next) = self.futexes.first_for_lock_of(self.processes, owner) {
            if self.hand_over_lock(next, linux::FUTEX_OWNER_DIED).is_err() {
                // The word has gone: it would wait for ever.
                self.processes[next].set_result(Errno::EFAULT.to_return_value());
                self.make_runnable(next, Resume::User);
            }
        }
    }

    /// Gives a lock to a thread that waits for it, which finds what it is told in the word.
    fn hand_over_lock(&mut self, next: ThreadSlot, told: u32) -> Result<(), UserFault> {
        let thread = &self.processes[next];
        let State::Waiting(Wait::Futex(Waiter { key, .. })) = thread.state else {
            return Ok(());
        };
        let tid = thread.tid;
        let [address, ..] = thread.context.registers.arguments();
        // As on Linux, its next owner asks the kernel in any case.
        let word = tid.0 | linux::FUTEX_WAITERS | told;
        let space = self.processes[thread.process].space();
        user::write(space, address, &word.to_ne_bytes())?;
        self.processes[next].set_result(0);
        self.make_runnable(next, Resume::User);
        self.futexes.change_owner(self.processes, key, tid);
        Ok(())
    }
}
