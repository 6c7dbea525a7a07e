//! Who sleeps on a word of memory (futex(2), futex(7)).
//!
//! A word is named by the address space and its address; one in memory that processes share, by the frame
//! that it lies in, which stays where it is as long as somebody shares it.
use super::queue::Queue;
use super::{Pid, ProcessTable, Resume, State, ThreadSlot, Wait};
use crate::kernel::Kernel;
use crate::memory::space::AddressSpace;
use crate::memory::user::{self, UserFault};

/// Lists that waiters are kept in: each word's in one of them.
const LISTS: usize = 64;

/// The name of a word.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Key {
    /// Root of the address space, and 1 where it might have been shared: as on Linux, who waits in one scope is not
    /// woken in the other. 0 for shared memory.
    space: u64,
    /// Address in the space; in shared memory, the physical one.
    address: u64,
}

/// How it is to be woken.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Wanted {
    /// By who names one of these bits.
    Bits(u32),
    /// By being given the lock that this thread has (`lock_futex.rs`).
    LockOf(Pid),
}

/// What a thread waits for.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Waiter {
    pub key: Key,
    pub wanted: Wanted,
    /// In nanoseconds since boot; then it is over with ETIMEDOUT.
    pub deadline: Option<u64>,
}

/// Whether others than those who share the address space are meant (FUTEX_PRIVATE_FLAG).
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Scope {
    Private,
    Shared,
}

/// All who wait, in the order in which they came.
pub struct Futexes([Queue; LISTS]);

impl Key {
    /// The name of the word at `address`.
    ///
    /// # Errors
    /// EFAULT outside the user half; where it may be shared, also where it is not mapped.
    pub fn of(space: &AddressSpace, address: u64, scope: Scope) -> Result<Self, UserFault> {
        user::check(address, 4)?;
        let root = space.root().start_address().as_u64();
        Ok(match scope {
            Scope::Private => Self {
                space: root,
                address,
            },
            Scope::Shared => match user::shared_place(space, address)? {
                Some(physical) => Self {
                    space: 0,
                    address: physical,
                },
                None => Self {
                    space: root | 1,
                    address,
                },
            },
        })
    }

    const fn list(self) -> usize {
        let mixed = (self.address >> 2) ^ (self.address >> 12) ^ (self.space >> 12);
        mixed as usize % LISTS
    }
}

impl Waiter {
    /// Whether it waits to be given a lock.
    pub const fn wants_lock(&self) -> bool {
        matches!(self.wanted, Wanted::LockOf(_))
    }
}

impl Futexes {
    /// Nobody waits.
    pub const fn new() -> Self {
        Self([const { Queue::new() }; LISTS])
    }

    /// Adds a thread that is about to wait.
    pub fn push(&mut self, table: &mut ProcessTable, slot: ThreadSlot, key: Key) {
        self.0[key.list()].push(table, slot);
    }

    /// Takes a waiter out.
    pub fn remove(&mut self, table: &mut ProcessTable, slot: ThreadSlot, key: Key) {
        self.0[key.list()].remove(table, slot);
    }

    /// The first who waits to be given that lock.
    pub fn first_for_lock(&self, table: &ProcessTable, key: Key) -> Option<ThreadSlot> {
        self.0[key.list()].iter(table).find(|&slot| {
            matches!(table[slot].state, State::Waiting(Wait::Futex(waiter))
                if waiter.key == key && waiter.wants_lock())
        })
    }

    /// The first who waits for a lock of that thread's.
    pub fn first_for_lock_of(&self, table: &ProcessTable, owner: Pid) -> Option<ThreadSlot> {
        self.0.iter().find_map(|list| {
            list.iter(table).find(|&slot| {
                matches!(table[slot].state, State::Waiting(Wait::Futex(waiter))
                    if waiter.wanted == Wanted::LockOf(owner))
            })
        })
    }

    /// All who wait for that lock wait for it of another owner.
    pub fn change_owner(&self, table: &mut ProcessTable, key: Key, owner: Pid) {
        let mut next = self.0[key.list()].first();
        while let Some(slot) = next {
            let thread = &mut table[slot];
            next = thread.next_in_queue;
            if let State::Waiting(Wait::Futex(waiter)) = &mut thread.state
                && waiter.key == key
                && waiter.wants_lock()
            {
                waiter.wanted = Wanted::LockOf(owner);
            }
        }
    }

    /// The first who waits for that word and one of those bits.
    fn first(&self, table: &ProcessTable, key: Key, bits: u32) -> Option<ThreadSlot> {
        self.0[key.list()].iter(table).find(|&slot| {
            matches!(table[slot].state, State::Waiting(Wait::Futex(waiter))
                if waiter.key == key
                    && matches!(waiter.wanted, Wanted::Bits(own) if own & bits != 0))
        })
    }
}

impl Kernel {
    /// Wakes at most `count` who wait for that word and one of those bits; answers how many.
    pub fn wake_futex(&mut self, key: Key, count: u32, bits: u32) -> u32 {
        let mut woken = 0;
        while woken < count
            && let Some(slot) = self.futexes.first(self.processes, key, bits)
        {
            self.processes[slot].set_result(0);
            self.make_runnable(slot, Resume::User);
            woken += 1;
        }
        woken
    }

    /// Lets at most `count` who wait for one word wait for another; answers how many.
    pub fn requeue_futex(&mut self, from: Key, to: Key, count: u32) -> u32 {
        let mut moved = 0;
        if from == to {
            return self.futexes.0[from.list()]
                .iter(self.processes)
                .filter(|&slot| {
                    matches!(self.processes[slot].state, State::Waiting(Wait::Futex(waiter))
                        if waiter.key == from)
                })
                .count()
                .min(count as usize) as u32;
        }
        while moved < count
            && let Some(slot) = self.futexes.first(self.processes, from, u32::MAX)
        {
            self.futexes.remove(self.processes, slot, from);
            self.futexes.push(self.processes, slot, to);
            if let State::Waiting(Wait::Futex(waiter)) = &mut self.processes[slot].state {
                waiter.key = to;
            }
            moved += 1;
        }
        moved
    }
}
