//! Locks that the kernel hands over (FUTEX_LOCK_PI in futex(2)): the word says who has one, and its owner gives it to who
//! has waited longest. There is one turn for all, so nobody has a priority to inherit.
use super::futex::{Key, Waiter};
use super::{Pid, Resume, State, ThreadSlot, Wait};
use crate::kernel::Kernel;
use crate::memory::space::AddressSpace;
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
    /// Takes a lock that nobody has; `false` where it is to be waited for, and the word says that somebody does.
    ///
    /// # Errors
    /// EDEADLK where the caller has it, or who has it waits for the caller; EAGAIN where it is not to be waited for; ESRCH
    /// where nobody is of the number that the word has; EFAULT.
    pub fn take_lock(&mut self, lock: Lock, may_wait: bool) -> Result<bool, Errno> {
        let space = self.processes[self.current].space();
        let word = user::read_u32(space, lock.address)?;
        let own = self.processes[self.current.thread].tid;
        let owner = Pid(word & linux::FUTEX_TID_MASK);
        if owner == own {
            return Err(Errno::EDEADLK);
        }
        let waiter = self.futexes.first_for_lock(self.processes, lock.key);
        if owner.0 == 0 {
            let waiters = waiter.map_or(0, |_| linux::FUTEX_WAITERS);
            let taken = own.0 | waiters | word & linux::FUTEX_OWNER_DIED;
            user::write(space, lock.address, &taken.to_ne_bytes())?;
            return Ok(true);
        }
        let Some(owner) = self.processes.find_thread(owner) else {
            return Err(Errno::ESRCH);
        };
        if !may_wait {
            return Err(Errno::EAGAIN);
        }
        if self.waits_in_the_end_for(owner, own) {
            return Err(Errno::EDEADLK);
        }
        let waited_for = word | linux::FUTEX_WAITERS;
        user::write(space, lock.address, &waited_for.to_ne_bytes())?;
        Ok(false)
    }

    /// Whether a thread waits for a lock of another's, or of one that does.
    fn waits_in_the_end_for(&self, mut slot: ThreadSlot, other: Pid) -> bool {
        /// Links of a chain that are looked at, as on Linux (max_lock_depth).
        const LONGEST: usize = 1024;
        for _ in 0..LONGEST {
            let thread = &self.processes[slot];
            let State::Waiting(Wait::Futex(Waiter { bits: 0, .. })) = thread.state else {
                return false;
            };
            let [address, ..] = thread.context.registers.arguments();
            let Ok(word) = user::read_u32(self.processes[thread.process].space(), address) else {
                return false;
            };
            let owner = Pid(word & linux::FUTEX_TID_MASK);
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
        let Some(space) = self.processes[self.current.process].memory.clone() else {
            return Err(Errno::ESRCH);
        };
        let given = self.give_lock_in(&space, lock);
        AddressSpace::release(space);
        given
    }

    fn give_lock_in(&mut self, space: &AddressSpace, lock: Lock) -> Result<(), Errno> {
        let word = user::read_u32(space, lock.address)?;
        if word & linux::FUTEX_TID_MASK != self.processes[self.current.thread].tid.0 {
            return Err(Errno::EPERM);
        }
        if !self.hand_over_lock(space, lock, 0)? {
            user::write(space, lock.address, &0_u32.to_ne_bytes())?;
        }
        Ok(())
    }

    /// Hands a lock to the next who waits for it, with what it is to be told; whether there is one.
    ///
    /// # Errors
    /// The word cannot be written; nobody has it then.
    pub fn hand_over_lock(
        &mut self,
        space: &AddressSpace,
        lock: Lock,
        told: u32,
    ) -> Result<bool, UserFault> {
        let Some(next) = self.futexes.first_for_lock(self.processes, lock.key) else {
            return Ok(false);
        };
        // As on Linux, its next owner asks the kernel in any case.
        let word = self.processes[next].tid.0 | linux::FUTEX_WAITERS | told;
        user::write(space, lock.address, &word.to_ne_bytes())?;
        self.processes[next].set_result(0);
        self.make_runnable(next, Resume::User);
        Ok(true)
    }
}
