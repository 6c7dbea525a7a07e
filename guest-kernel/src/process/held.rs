//! Open files that a call which waits holds.
//!
//! On Linux a call goes on with the file that it began with, whatever other threads do to its descriptor meanwhile. Here a
//! call that waits finds its file by the descriptor when it is asked again, which costs nothing; so it is who closes a
//! descriptor that others may wait on who sees to it that they keep its file, counted once more for each. An open that
//! waits for the other end of a FIFO has no descriptor yet, only a number that is kept free, and holds its file itself.
//!
//! What a call holds stands in its progress, where there is room beside the bytes that are done.
use super::{Current, ProcessSlot, Resume, State, Thread, ThreadSlot, Wait};
use crate::kernel::Kernel;
use files::{DescriptionId, WaitFor};
use linux_raw_sys::general as linux;

/// The two highest bits of a progress that holds a file are 1 and 0. Others may have them by chance: of which call it
/// is, is looked at, too.
const MARK: usize = 0b10 << 62;
const MARK_MASK: usize = 0b11 << 62;
/// Where the file's number stands; below it is what the call has done, less than 2 GiB.
const FILE: u32 = 32;

/// The progress of a call that holds a file.
pub const fn holding(done: usize, file: DescriptionId) -> usize {
    MARK | (file.number() as usize) << FILE | done
}

/// The file that a call with such a progress holds; what calls without a file have is not asked.
#[inline]
pub const fn file_in(progress: usize) -> Option<DescriptionId> {
    if progress & MARK_MASK == MARK {
        Some(DescriptionId::from_number((progress >> FILE) as u16))
    } else {
        None
    }
}

/// What such a call has done.
#[inline]
pub const fn done_in(progress: usize) -> usize {
    match file_in(progress) {
        Some(_) => progress as u32 as usize,
        None => progress,
    }
}

/// What a call holds.
#[derive(Clone, Copy)]
pub struct Held {
    file: DescriptionId,
    /// The number of the descriptor that an open is to get.
    number: Option<u32>,
}

/// Whether a call moves bytes by the descriptor that is its first argument.
const fn moves_bytes(call: u32) -> bool {
    matches!(
        call,
        linux::__NR_read
            | linux::__NR_write
            | linux::__NR_readv
            | linux::__NR_writev
            | linux::__NR_preadv2
            | linux::__NR_pwritev2
            | linux::__NR_sendto
            | linux::__NR_recvfrom
            | linux::__NR_sendmsg
            | linux::__NR_recvmsg
            | linux::__NR_sendfile
    )
}

const fn opens(call: u32) -> bool {
    matches!(
        call,
        linux::__NR_open | linux::__NR_openat | linux::__NR_creat
    )
}

impl Thread {
    /// What the call that it waits in, or that it is to ask again, holds.
    pub fn held(&self) -> Option<Held> {
        let progress = match self.state {
            State::Waiting(Wait::Open {
                file, descriptor, ..
            }) => {
                return Some(Held {
                    file,
                    number: Some(descriptor),
                });
            }
            State::Waiting(Wait::File { progress, .. })
            | State::Runnable(Resume::SystemCall { progress, .. })
            | State::Stopped(Resume::SystemCall { progress, .. }) => progress,
            _ => return None,
        };
        self.held_with(progress)
    }

    fn held_with(&self, progress: usize) -> Option<Held> {
        let file = file_in(progress)?;
        let call = self.context.registers.system_call_number() as u32;
        let number = match opens(call) {
            true => Some((done_in(progress) - 1) as u32),
            false if moves_bytes(call) => None,
            false => return None,
        };
        Some(Held { file, number })
    }

    /// Lets a call that waits by a descriptor, or is about to be asked again, hold that descriptor's file; whether it
    /// does so from now on.
    fn hold(&mut self, descriptor: u32, file: DescriptionId) -> bool {
        let registers = &self.context.registers;
        let [first, ..] = registers.arguments();
        if first as u32 != descriptor || !moves_bytes(registers.system_call_number() as u32) {
            return false;
        }
        let progress = match &mut self.state {
            State::Waiting(Wait::File { until, progress }) if *until != WaitFor::Lock => progress,
            State::Runnable(Resume::SystemCall { progress, .. })
            | State::Stopped(Resume::SystemCall { progress, .. }) => progress,
            _ => return false,
        };
        if file_in(*progress).is_some() {
            return false;
        }
        *progress = holding(*progress, file);
        true
    }
}

impl Kernel {
    /// The current process is about to close a descriptor: calls of others that wait by it keep its file.
    #[inline]
    pub fn leave_file_to_waiters(&mut self, descriptor: u32) {
        let process = &self.processes[self.current.process];
        if process.threads.count != 1 || process.shares.is_some() {
            self.let_waiters_hold(descriptor);
        }
    }

    #[cold]
    #[inline(never)]
    fn let_waiters_hold(&mut self, descriptor: u32) {
        let Ok(file) = self.description(u64::from(descriptor)) else {
            return;
        };
        if self.processes[self.current.thread].has_own_descriptors() {
            return;
        }
        let mut next = Some(self.current.process);
        while let Some(process) = next {
            let mut thread = self.processes[process].threads.first;
            while let Some(slot) = thread {
                thread = self.processes[slot].fellows.next;
                let waiter = &mut self.processes[slot];
                if !waiter.has_own_descriptors() && waiter.hold(descriptor, file) {
                    self.files.retain(file);
                }
            }
            next = self.next_with_same_descriptors(self.current.process, process);
        }
    }

    /// After a call that held a file was asked again: it holds that no more, unless it waits again.
    #[cold]
    #[inline(never)]
    pub fn end_holding(&mut self, slot: ThreadSlot, held: Held) {
        let thread = self.processes.thread(slot);
        if thread.and_then(Thread::held).is_some() {
            return;
        }
        if thread.is_some() {
            self.let_go(slot, held);
        } else {
            // It has ended, and with it what its number was kept in; or that was seen to.
            self.drop_held(held.file);
        }
    }

    /// What the call that the current thread asks again holds.
    #[cold]
    #[inline(never)]
    pub fn held_by_current(&self, progress: usize) -> Option<Held> {
        self.processes[self.current.thread].held_with(progress)
    }

    /// A call that held a file is over without having come back to it.
    #[cold]
    #[inline(never)]
    pub fn let_go(&mut self, slot: ThreadSlot, held: Held) {
        self.drop_held(held.file);
        let Some(number) = held.number else { return };
        let process = self.processes[slot].process;
        let thread = slot;
        if self.processes[process].shares.is_some() {
            self.bring_shared(Current { thread, process });
        }
        self.free_number(process, number);
        let current = self.current;
        if current.thread != slot
            && self.processes.thread(current.thread).is_some()
            && self
                .processes
                .get(current.process)
                .is_some_and(|process| process.shares.is_some())
        {
            self.bring_shared(current);
        }
    }

    /// Frees a number that is reserved for nobody any more: who forked has taken the reservation along in its copy.
    #[inline]
    pub fn free_stale_number(&mut self, number: u32) {
        let process = &self.processes[self.current.process];
        if process.descriptors.is_reserved(number)
            && process.threads.count == 1
            && process.shares.is_none()
        {
            self.free_number(self.current.process, number);
        }
    }

    fn free_number(&mut self, process: ProcessSlot, number: u32) {
        let descriptors = &mut self.processes[process].descriptors;
        if descriptors.is_reserved(number)
            && let Ok(table) = descriptors.own(&mut self.files)
        {
            table.unreserve(number);
        }
    }

    fn drop_held(&mut self, file: DescriptionId) {
        self.files.drop_reference(&mut self.pages, file);
        self.wake_files();
    }
}
