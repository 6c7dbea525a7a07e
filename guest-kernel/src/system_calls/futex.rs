//! futex(2): its operations and their arguments. Who waits for what is in [`crate::process::futex`].
use super::Outcome;
use super::time::read_timespec;
use crate::arch::clock;
use crate::kernel::Kernel;
use crate::memory::{heap, user};
use crate::process::Wait;
use crate::process::futex::{Key, Scope, Waiter, Wanted};
use crate::process::lock_futex::Lock;
use contract::Errno;
use linux_raw_sys::general as linux;

/// What FUTEX_WAKE_OP does to the second word, and asks of it (futex(2)).
struct WakeOp {
    operation: u32,
    argument: u32,
    comparison: u32,
    compared: u32,
}

impl WakeOp {
    const SHIFTED: u32 = 8;

    const fn decode(encoded: u32) -> Self {
        /// Twelve bits with a sign.
        const fn signed(bits: u32) -> u32 {
            ((bits << 20) as i32 >> 20) as u32
        }
        let operation = encoded >> 28;
        let argument = signed(encoded >> 12 & 0xfff);
        Self {
            operation: operation & !Self::SHIFTED,
            argument: if operation & Self::SHIFTED != 0 {
                // As on Linux, which takes what is too large modulo 32.
                1 << (argument & 31)
            } else {
                argument
            },
            comparison: encoded >> 24 & 0xf,
            compared: signed(encoded & 0xfff),
        }
    }

    /// The word afterwards.
    fn apply(&self, old: u32) -> Result<u32, Errno> {
        Ok(match self.operation {
            linux::FUTEX_OP_SET => self.argument,
            linux::FUTEX_OP_ADD => old.wrapping_add(self.argument),
            linux::FUTEX_OP_OR => old | self.argument,
            linux::FUTEX_OP_ANDN => old & !self.argument,
            linux::FUTEX_OP_XOR => old ^ self.argument,
            _ => return Err(Errno::ENOSYS),
        })
    }

    /// Whether those of the second word are woken too, by what it was.
    fn holds(&self, old: u32) -> Result<bool, Errno> {
        let (old, compared) = (old as i32, self.compared as i32);
        Ok(match self.comparison {
            linux::FUTEX_OP_CMP_EQ => old == compared,
            linux::FUTEX_OP_CMP_NE => old != compared,
            linux::FUTEX_OP_CMP_LT => old < compared,
            linux::FUTEX_OP_CMP_GE => old >= compared,
            linux::FUTEX_OP_CMP_LE => old <= compared,
            linux::FUTEX_OP_CMP_GT => old > compared,
            _ => return Err(Errno::ENOSYS),
        })
    }
}

/// Whose turn it is to be woken, and by whom, in the arguments of the calls that know nothing of bits.
const ANY: u32 = u32::MAX;

impl Kernel {
    /// futex(2): the fourth argument is a time or a number.
    pub fn futex(
        &mut self,
        address: u64,
        operation: u64,
        value: u64,
        timeout: u64,
        second: u64,
    ) -> Result<Outcome, Errno> {
        const OPTIONS: u32 = linux::FUTEX_PRIVATE_FLAG | linux::FUTEX_CLOCK_REALTIME;
        let (options, command) = (operation as u32 & OPTIONS, operation as u32 & !OPTIONS);
        let [.., third] = self.processes[self.current.thread]
            .context
            .registers
            .arguments();
        let (value, third) = (value as u32, third as u32);
        let deadline = match command {
            linux::FUTEX_WAIT
            | linux::FUTEX_WAIT_BITSET
            | linux::FUTEX_LOCK_PI
            | linux::FUTEX_LOCK_PI2
                if timeout != 0 =>
            {
                let space = self.processes[self.current].space();
                let time = read_timespec(space, timeout)?;
                let of_day =
                    options & linux::FUTEX_CLOCK_REALTIME != 0 || command == linux::FUTEX_LOCK_PI;
                Some(match command {
                    linux::FUTEX_WAIT => clock::now().saturating_add(time),
                    _ if of_day => {
                        time.saturating_sub(clock::realtime().saturating_sub(clock::now()))
                    }
                    _ => time,
                })
            }
            _ => None,
        };
        if options & linux::FUTEX_CLOCK_REALTIME != 0
            && !matches!(command, linux::FUTEX_WAIT_BITSET | linux::FUTEX_LOCK_PI2)
        {
            return Err(Errno::ENOSYS);
        }
        let scope = if options & linux::FUTEX_PRIVATE_FLAG != 0 {
            Scope::Private
        } else {
            Scope::Shared
        };
        match command {
            linux::FUTEX_WAIT => self.futex_wait(address, scope, value, ANY, deadline),
            linux::FUTEX_WAIT_BITSET => self.futex_wait(address, scope, value, third, deadline),
            linux::FUTEX_WAKE => self.futex_wake(address, scope, value, ANY),
            linux::FUTEX_WAKE_BITSET => self.futex_wake(address, scope, value, third),
            linux::FUTEX_REQUEUE => {
                self.futex_requeue([address, second], scope, [value, timeout as u32], None)
            }
            linux::FUTEX_CMP_REQUEUE => {
                let counts = [value, timeout as u32];
                self.futex_requeue([address, second], scope, counts, Some(third))
            }
            linux::FUTEX_WAKE_OP => {
                let counts = [value, timeout as u32];
                self.futex_wake_op([address, second], scope, counts, third)
            }
            linux::FUTEX_LOCK_PI | linux::FUTEX_LOCK_PI2 => {
                self.futex_lock(address, scope, deadline)
            }
            linux::FUTEX_TRYLOCK_PI => {
                let lock = self.futex_lock_named(address, scope)?;
                self.take_lock(lock, false)?;
                Ok(Outcome::Return(0))
            }
            linux::FUTEX_UNLOCK_PI => {
                let lock = self.futex_lock_named(address, scope)?;
                self.give_lock(lock)?;
                Ok(Outcome::Return(0))
            }
            _ => Err(Errno::ENOSYS),
        }
    }

    fn futex_lock_named(&self, address: u64, scope: Scope) -> Result<Lock, Errno> {
        let key = self.futex_key(address, scope)?;
        Ok(Lock { key, address })
    }

    fn futex_lock(
        &mut self,
        address: u64,
        scope: Scope,
        deadline: Option<u64>,
    ) -> Result<Outcome, Errno> {
        let lock = self.futex_lock_named(address, scope)?;
        heap::require_reserve()?;
        let Some(owner) = self.take_lock(lock, true)? else {
            return Ok(Outcome::Return(0));
        };
        if deadline.is_some_and(|deadline| deadline <= clock::now()) {
            return Err(Errno::ETIMEDOUT);
        }
        Ok(self.wait_in_call(Wait::Futex(Waiter {
            key: lock.key,
            wanted: Wanted::LockOf(owner),
            deadline,
        })))
    }

    /// The name of a word, which lies at a multiple of its size.
    fn futex_key(&self, address: u64, scope: Scope) -> Result<Key, Errno> {
        if !address.is_multiple_of(4) {
            return Err(Errno::EINVAL);
        }
        let space = self.processes[self.current].space();
        Ok(Key::of(space, address, scope)?)
    }

    fn futex_wait(
        &mut self,
        address: u64,
        scope: Scope,
        expected: u32,
        bits: u32,
        deadline: Option<u64>,
    ) -> Result<Outcome, Errno> {
        if bits == 0 {
            return Err(Errno::EINVAL);
        }
        // Asked again, it has the deadline that it had.
        let deadline = deadline.map(|new| match self.progress {
            0 => new,
            kept => kept as u64,
        });
        let key = self.futex_key(address, scope)?;
        let space = self.processes[self.current].space();
        if user::read_u32(space, address)? != expected {
            return Err(Errno::EAGAIN);
        }
        if deadline.is_some_and(|deadline| deadline <= clock::now()) {
            return Err(Errno::ETIMEDOUT);
        }
        heap::require_reserve()?;
        Ok(self.wait_in_call(Wait::Futex(Waiter {
            key,
            wanted: Wanted::Bits(bits),
            deadline,
        })))
    }

    fn futex_wake(
        &mut self,
        address: u64,
        scope: Scope,
        count: u32,
        bits: u32,
    ) -> Result<Outcome, Errno> {
        if bits == 0 {
            return Err(Errno::EINVAL);
        }
        let key = self.futex_key(address, scope)?;
        let woken = self.wake_futex(key, at_least_one(count), bits);
        Ok(Outcome::Return(u64::from(woken)))
    }

    fn futex_requeue(
        &mut self,
        [from, to]: [u64; 2],
        scope: Scope,
        [wake, requeue]: [u32; 2],
        expected: Option<u32>,
    ) -> Result<Outcome, Errno> {
        if (wake as i32) < 0 || (requeue as i32) < 0 {
            return Err(Errno::EINVAL);
        }
        let (from_key, to_key) = (self.futex_key(from, scope)?, self.futex_key(to, scope)?);
        if let Some(expected) = expected {
            let space = self.processes[self.current].space();
            if user::read_u32(space, from)? != expected {
                return Err(Errno::EAGAIN);
            }
        }
        let woken = self.wake_futex(from_key, wake, ANY);
        let moved = self.requeue_futex(from_key, to_key, requeue);
        Ok(Outcome::Return(u64::from(woken + moved)))
    }

    fn futex_wake_op(
        &mut self,
        [first, second]: [u64; 2],
        scope: Scope,
        [count, second_count]: [u32; 2],
        encoded: u32,
    ) -> Result<Outcome, Errno> {
        let key = self.futex_key(first, scope)?;
        let second_key = self.futex_key(second, scope)?;
        let operation = WakeOp::decode(encoded);
        let space = self.processes[self.current].space();
        // Whether it can be written is asked first.
        let old = user::read_u32(space, second)?;
        let new = operation.apply(old)?;
        user::write(space, second, &new.to_ne_bytes())?;
        let holds = operation.holds(old)?;
        let mut woken = self.wake_futex(key, at_least_one(count), ANY);
        if holds {
            woken += self.wake_futex(second_key, at_least_one(second_count), ANY);
        }
        Ok(Outcome::Return(u64::from(woken)))
    }
}

/// Of those to be woken Linux counts after the first.
const fn at_least_one(count: u32) -> u32 {
    if (count as i32) < 1 { 1 } else { count }
}
