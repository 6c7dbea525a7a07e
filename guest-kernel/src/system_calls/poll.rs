//! Waiting for descriptors to become ready: poll(2), ppoll, select(2), pselect.
//!
//! A call that waits is asked again whenever something has become ready anywhere. What it has of progress is its
//! deadline, [`NO_DEADLINE`] without one; so 0 says that it is asked for the first time.
use super::Outcome;
use crate::arch::clock::{self, SECOND};
use crate::kernel::Kernel;
use crate::memory::heap;
use crate::memory::space::AddressSpace;
use crate::memory::user;
use crate::process::limits::Resource;
use crate::process::signal::Interrupted;
use crate::process::{ThreadSlot, Wait};
use contract::Errno;
use files::{KernelDevice, Readiness};
use linux_raw_sys::general as linux;

/// Progress of a call that waits for as long as it takes.
pub const NO_DEADLINE: u64 = u64::MAX;

const MILLISECOND: u64 = 1_000_000;
/// Bits of a word of an `fd_set`, and words of the usual one and of the largest.
const WORD: u64 = u64::BITS as u64;
const USUAL_WORDS: usize = files::DESCRIPTOR_DEFAULT as usize / u64::BITS as usize;
const MOST_WORDS: usize = files::DESCRIPTOR_LIMIT as usize / u64::BITS as usize;
/// Structures of poll(2) that are copied at once, where there are as many.
const GROUP: usize = 16;
/// Bytes of a signal set.
const SIGNAL_SET: u64 = 8;

/// Events that poll(2) reports whether they are asked for or not.
const NEVER_ASKED: u16 = (linux::POLLERR | linux::POLLHUP | linux::POLLNVAL) as u16;
/// What select(2) calls readable, writable and exceptional.
const SELECTED: [u32; 3] = [
    linux::POLLRDNORM | linux::POLLRDBAND | linux::POLLIN | linux::POLLHUP | linux::POLLERR,
    linux::POLLWRBAND | linux::POLLWRNORM | linux::POLLOUT | linux::POLLERR,
    linux::POLLPRI,
];

/// How long a call waits, in nanoseconds; for ever without.
type Timeout = Option<u64>;

/// Where the time that is left goes, and in which unit its second word is.
#[derive(Clone, Copy)]
struct Remaining {
    address: u64,
    unit: u64,
}

impl Kernel {
    /// What could be done with a descriptor at once. EBADF where it is not open.
    fn ready_events(&self, descriptor: u32) -> Result<u16, Errno> {
        let id = self.processes[self.current.process]
            .descriptors
            .get(descriptor)?;
        Ok(match self.files.ready(id)? {
            Readiness::Events(events) => events,
            Readiness::Device(KernelDevice::Console) => {
                let mut events = 0;
                if self.console.is_readable() {
                    events |= linux::POLLIN | linux::POLLRDNORM;
                }
                if !self.console.is_stopped() {
                    events |= linux::POLLOUT | linux::POLLWRNORM;
                }
                events as u16
            }
            Readiness::Process(handle) if self.has_ended(handle) => {
                (linux::POLLIN | linux::POLLRDNORM) as u16
            }
            Readiness::Process(_) => 0,
            Readiness::Device(_) => {
                (linux::POLLIN | linux::POLLRDNORM | linux::POLLOUT | linux::POLLWRNORM) as u16
            }
        })
    }

    /// Looks at an array of `struct pollfd`, and fills in its `revents`: how many have some.
    fn look(&self, address: u64, count: u64) -> Result<u64, Errno> {
        let limit = self.processes[self.current.process]
            .limits
            .soft(Resource::Descriptors);
        if u64::from(count as u32) > limit {
            return Err(Errno::EINVAL);
        }
        let space = self.processes[self.current.process].space();
        let mut group = [[0; size_of::<linux::pollfd>()]; GROUP];
        let (mut address, mut left) = (address, count as u32 as usize);
        let mut ready = 0;
        while left > 0 {
            let group = &mut group[..left.min(GROUP)];
            user::read(space, address, group.as_flattened_mut())?;
            for one in &mut *group {
                // `fd` in the lower half of a word, `events` and `revents` above.
                let word = u64::from_ne_bytes(*one);
                let (descriptor, asked) = (word as u32, (word >> 32) as u16);
                let events = if (descriptor as i32) < 0 {
                    0
                } else {
                    let found = self.ready_events(descriptor);
                    found.unwrap_or(linux::POLLNVAL as u16) & (asked | NEVER_ASKED)
                };
                ready += u64::from(events != 0);
                *one = (word & (u64::MAX >> 16) | u64::from(events) << 48).to_ne_bytes();
            }
            user::write(space, address, group.as_flattened())?;
            left -= group.len();
            address = address.wrapping_add(size_of_val(group) as u64);
        }
        Ok(ready)
    }

    /// poll(2).
    pub fn poll(&mut self, address: u64, count: u64, timeout: u64) -> Result<Outcome, Errno> {
        let timeout = u64::try_from(timeout as i32).ok();
        let ready = self.look(address, count)?;
        self.answer_or_wait(ready, timeout.map(|n| n * MILLISECOND), None)
    }

    /// ppoll(2).
    pub fn ppoll(
        &mut self,
        address: u64,
        count: u64,
        timeout: u64,
        mask: u64,
        size: u64,
    ) -> Result<Outcome, Errno> {
        let remaining = Remaining {
            address: timeout,
            unit: 1,
        };
        let timeout = self.read_timeout(remaining);
        let looked = timeout
            .and_then(|_| self.replace_mask(|_| Ok([mask, size])))
            .and_then(|()| self.look(address, count));
        self.answer_masked(looked, timeout.unwrap_or(None), remaining)
    }

    /// select(2).
    pub fn select(&mut self, count: u64, sets: [u64; 3], timeout: u64) -> Result<Outcome, Errno> {
        let remaining = Remaining {
            address: timeout,
            unit: 1000,
        };
        let timeout = self.read_timeout(remaining)?;
        let ready = self.look_at_sets(count, sets, timeout)?;
        self.answer_or_wait(ready, timeout, Some(remaining))
    }

    /// pselect6: pselect(2). Its sixth argument is the address of a mask's address and size.
    pub fn pselect(&mut self, count: u64, sets: [u64; 3], timeout: u64) -> Result<Outcome, Errno> {
        let remaining = Remaining {
            address: timeout,
            unit: 1,
        };
        let thread = &self.processes[self.current.thread];
        let [.., mask_and_size] = thread.context.registers.arguments();
        let timeout = self.read_timeout(remaining);
        let looked = timeout
            .and_then(|_| {
                self.replace_mask(|space| match mask_and_size {
                    0 => Ok([0, 0]),
                    address => Ok(user::read_words(space, address)?),
                })
            })
            .and_then(|()| self.look_at_sets(count, sets, timeout.unwrap_or(None)));
        self.answer_masked(looked, timeout.unwrap_or(None), remaining)
    }

    /// Looks at the sets of select(2). Where something is ready, or nothing is waited for, they are replaced by what was
    /// found.
    fn look_at_sets(&mut self, count: u64, sets: [u64; 3], timeout: Timeout) -> Result<u64, Errno> {
        if (count as i32) < 0 {
            return Err(Errno::EINVAL);
        }
        let process = &self.processes[self.current.process];
        let count = u64::from(count as u32).min(u64::from(process.descriptors.capacity()));
        if count <= USUAL_WORDS as u64 * WORD {
            self.look_at_words::<USUAL_WORDS>(count, sets, timeout)
        } else {
            self.look_at_words::<MOST_WORDS>(count, sets, timeout)
        }
    }

    fn look_at_words<const SET_WORDS: usize>(
        &mut self,
        count: u64,
        sets: [u64; 3],
        timeout: Timeout,
    ) -> Result<u64, Errno> {
        let process = &self.processes[self.current.process];
        let words = count.div_ceil(WORD) as usize;
        let mut asked = [[0; SET_WORDS]; 3];
        for (set, &address) in asked.iter_mut().zip(&sets) {
            if address != 0 {
                for (index, word) in set[..words].iter_mut().enumerate() {
                    *word =
                        user::read_u64(process.space(), address.wrapping_add(8 * index as u64))?;
                }
            }
        }
        let mut found = [[0; SET_WORDS]; 3];
        let mut ready = 0;
        for descriptor in 0..count {
            let (index, bit) = ((descriptor / WORD) as usize, 1 << (descriptor % WORD));
            if asked.iter().all(|set| set[index] & bit == 0) {
                continue;
            }
            let events = u32::from(self.ready_events(descriptor as u32)?);
            for (number, selected) in SELECTED.into_iter().enumerate() {
                if asked[number][index] & bit != 0 && events & selected != 0 {
                    found[number][index] |= bit;
                    ready += 1;
                }
            }
        }
        if ready > 0 || self.is_over(timeout) {
            let process = &self.processes[self.current.process];
            for (set, &address) in found.iter().zip(&sets) {
                if address != 0 {
                    let bytes = set.map(u64::to_ne_bytes);
                    user::write(process.space(), address, bytes[..words].as_flattened())?;
                }
            }
        }
        Ok(ready)
    }

    /// Reads the time that a call may wait; the address 0 stands for ever. Of a call that is asked again it counts no
    /// more.
    fn read_timeout(&self, Remaining { address, unit }: Remaining) -> Result<Timeout, Errno> {
        if address == 0 || self.progress != 0 {
            return Ok(None);
        }
        let space = self.processes[self.current.process].space();
        let [seconds, rest] = user::read_words(space, address)?;
        // Microseconds may be more than a second's; nanoseconds may not.
        let most = if unit == 1 {
            SECOND - 1
        } else {
            i64::MAX as u64
        };
        if (seconds as i64) < 0 || rest > most {
            return Err(Errno::EINVAL);
        }
        let rest = rest.saturating_mul(unit);
        Ok(Some(seconds.saturating_mul(SECOND).saturating_add(rest)))
    }

    /// The time at which a call that began or goes on is over; `None` for never.
    fn deadline(&self, timeout: Timeout) -> Option<u64> {
        match (self.progress as u64, timeout) {
            (0, None) | (NO_DEADLINE, _) => None,
            (0, Some(timeout)) => Some(clock::now().saturating_add(timeout)),
            (deadline, _) => Some(deadline),
        }
        .filter(|&deadline| deadline != NO_DEADLINE)
    }

    /// Whether a call waits no longer.
    fn is_over(&self, timeout: Timeout) -> bool {
        timeout == Some(0) && self.progress == 0
            || self
                .deadline(timeout)
                .is_some_and(|deadline| deadline <= clock::now())
    }

    /// Lets the call return, or wait.
    fn answer_or_wait(
        &mut self,
        ready: u64,
        timeout: Timeout,
        remaining: Option<Remaining>,
    ) -> Result<Outcome, Errno> {
        let deadline = self.deadline(timeout);
        if ready > 0 || self.is_over(timeout) {
            if let Some(remaining) = remaining {
                let space = self.processes[self.current.process].space();
                write_remaining(space, remaining, deadline);
            }
            return Ok(Outcome::Return(ready));
        }
        heap::require_reserve()?;
        self.console.listen();
        Ok(self.wait_in_call(Wait::Readiness { deadline }))
    }

    /// Puts a mask of signals, whose address and size are asked for, in the place of the thread's until the call is
    /// over. Asked again, the call has it already.
    fn replace_mask(
        &mut self,
        address_and_size: impl FnOnce(&AddressSpace) -> Result<[u64; 2], Errno>,
    ) -> Result<(), Errno> {
        if self.has_temporary_mask() {
            return Ok(());
        }
        let space = self.processes[self.current.process].space();
        let [mask, size] = address_and_size(space)?;
        if mask == 0 {
            return Ok(());
        }
        if size != SIGNAL_SET {
            return Err(Errno::EINVAL);
        }
        let mask = user::read_u64(space, mask)?;
        self.set_temporary_mask(mask);
        Ok(())
    }

    /// A thread that waits for descriptors is interrupted: it is told how much of the time is left.
    pub fn tell_time_left(&self, target: ThreadSlot, deadline: Option<u64>) {
        let thread = &self.processes[target];
        let registers = &thread.context.registers;
        let [_, _, third, _, fifth, _] = registers.arguments();
        let (address, unit) = match registers.system_call_number() as u32 {
            linux::__NR_ppoll => (third, 1),
            linux::__NR_pselect6 => (fifth, 1),
            linux::__NR_select => (fifth, 1000),
            _ => return,
        };
        let space = self.processes[thread.process].space();
        write_remaining(space, Remaining { address, unit }, deadline);
    }

    /// As [`answer_or_wait`](Self::answer_or_wait), of a call that may have a mask of its own. A signal that this lets
    /// through ends the call, and its handler's end brings the old mask back.
    fn answer_masked(
        &mut self,
        looked: Result<u64, Errno>,
        timeout: Timeout,
        remaining: Remaining,
    ) -> Result<Outcome, Errno> {
        let deliverable = self.processes.deliverable(self.current) != 0;
        if matches!(looked, Ok(0)) && deliverable {
            let space = self.processes[self.current.process].space();
            write_remaining(space, remaining, self.deadline(timeout));
            self.interrupt_current_call(Interrupted::NotAfterHandler);
            return Ok(Outcome::Other);
        }
        let outcome = looked.and_then(|ready| self.answer_or_wait(ready, timeout, Some(remaining)));
        let value = match outcome {
            Ok(Outcome::Return(value)) => value,
            Ok(waits) => return Ok(waits),
            Err(errno) => errno.to_return_value(),
        };
        let thread = &mut self.processes[self.current.thread];
        let Some(mask) = thread.signals.suspended_mask.take() else {
            return Ok(Outcome::Return(value));
        };
        thread.signals.blocked = mask;
        thread.set_result(value);
        Ok(Outcome::Same)
    }
}

/// Tells how much of the time is left, which Linux does in passing: where it cannot be written, nothing is.
fn write_remaining(
    space: &AddressSpace,
    Remaining { address, unit }: Remaining,
    deadline: Option<u64>,
) {
    if let (Some(deadline), true) = (deadline, address != 0) {
        let left = deadline.saturating_sub(clock::now());
        let words = [left / SECOND, left % SECOND / unit];
        let _ = user::write_words(space, address, &words);
    }
}
