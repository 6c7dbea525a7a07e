//! futex(2) of a process that has one thread and shares no memory: nobody else can wake it, or be woken by
//! it.
use super::Outcome;
use crate::arch::clock;
use crate::kernel::Kernel;
use crate::memory::{heap, user};
use crate::process::Wait;
use contract::Errno;
use linux_raw_sys::general as linux;

impl Kernel {
    /// FUTEX_WAKE finds nobody. FUTEX_WAIT finds another value than it was told, or waits for its time or a
    /// signal. The other operations are for threads.
    pub fn futex(
        &mut self,
        address: u64,
        operation: u64,
        value: u64,
        timeout: u64,
    ) -> Result<Outcome, Errno> {
        const OPTIONS: u32 = linux::FUTEX_PRIVATE_FLAG | linux::FUTEX_CLOCK_REALTIME;
        let operation = operation as u32;
        let now = match operation & !OPTIONS {
            linux::FUTEX_WAKE | linux::FUTEX_WAKE_BITSET => {
                user::check(address, 4)?;
                return if address.is_multiple_of(4) {
                    Ok(Outcome::Return(0))
                } else {
                    Err(Errno::EINVAL)
                };
            }
            // A length of time, or a time.
            linux::FUTEX_WAIT => clock::now(),
            linux::FUTEX_WAIT_BITSET if operation & linux::FUTEX_CLOCK_REALTIME != 0 => {
                clock::now().wrapping_sub(clock::realtime())
            }
            linux::FUTEX_WAIT_BITSET => 0,
            _ => return Err(Errno::ENOSYS),
        };
        if !address.is_multiple_of(4) {
            return Err(Errno::EINVAL);
        }
        let space = self.processes[self.current.process].space();
        let deadline = match timeout {
            0 => None,
            timeout => Some(now.wrapping_add(super::time::read_timespec(space, timeout)?)),
        };
        let mut word = [0; 4];
        user::read(space, address, &mut word)?;
        if u32::from_ne_bytes(word) != value as u32 {
            return Err(Errno::EAGAIN);
        }
        heap::require_reserve()?;
        Ok(match deadline {
            None => self.wait_in_call(Wait::Signal),
            Some(deadline) if deadline <= clock::now() => return Err(Errno::ETIMEDOUT),
            Some(deadline) => self.wait_in_call(Wait::Futex(deadline)),
        })
    }
}
