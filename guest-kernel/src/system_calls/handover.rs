//! From a writer straight to a reader that waits at an empty pipe: no page of the pipe is touched, and the
//! reader's call is over without being asked again.
//!
//! Only where nobody could tell the difference: the reader is the first of its queue, in read(2) itself,
//! its buffer takes all of the bytes, and the page of that is there to be written. Else the pipe is used.
use super::Outcome;
use crate::kernel::Kernel;
use crate::memory::space::USER_END;
use crate::memory::user::{self, UserBuffer};
use crate::process::queue::Queue;
use crate::process::{Resume, State, Wait};
use crate::trace;
use contract::PAGE_SIZE;
use files::ReadNothing;
use linux_raw_sys::general as linux;

impl Kernel {
    /// What can be done about a read at once: it finds nothing, or waits. Its buffer is looked at when there is
    /// something for it.
    #[inline(always)]
    pub fn read_at_once(&mut self, descriptor: u64, buffer: UserBuffer) -> Option<Outcome> {
        if !self.is_in_page(buffer) {
            return None;
        }
        // No more than a page: the end is an address.
        if buffer.address > USER_END - buffer.length {
            return None;
        }
        let description = self.description(descriptor).ok()?;
        match self.files.read_nothing(description)? {
            ReadNothing::Over(result) => Some(result.map(|count| count as u64).into()),
            ReadNothing::Wait(until, place) => {
                let slot = self.current.thread;
                let mut queue = Queue::from(*place);
                queue.push(self.processes, slot);
                *place = queue.into();
                self.processes[slot].state = State::Waiting(Wait::File { until, progress: 0 });
                Some(Outcome::Other)
            }
        }
    }

    /// What can be done about a write at once: gives all bytes of a buffer to the first reader that waits for
    /// them. `None` where that cannot be: nothing has changed.
    #[inline(always)]
    pub fn write_at_once(&mut self, descriptor: u64, buffer: UserBuffer) -> Option<Outcome> {
        if !self.is_in_page(buffer) {
            return None;
        }
        let Self {
            processes,
            files,
            current,
            ..
        } = self;
        let writer = &processes[current.process];
        let description = writer.descriptors.get(descriptor as u32).ok()?;
        let place = files.readers_waiting(description)?;
        let mut queue = Queue::from(*place);
        let reader = queue.first()?;
        let thread = &processes[reader];
        let registers = &thread.context.registers;
        let [_, address, length, ..] = registers.arguments();
        if !matches!(thread.state, State::Waiting(Wait::File { progress: 0, .. }))
            || registers.system_call_number() != u64::from(linux::__NR_read)
            || length < buffer.length
            || trace::is_on()
        {
            return None;
        }
        let into = UserBuffer {
            address,
            length: buffer.length,
        };
        let into = user::writable_already(processes[thread.process].space(), into)?;
        let from = user::readable_already(writer.space(), buffer)?;
        into.copy_from_slice(from);
        let thread = &mut processes[reader];
        queue.advance(thread);
        *place = queue.into();
        thread.set_result(buffer.length);
        thread.state = State::Runnable(Resume::User);
        self.line_up(reader);
        Some(Outcome::Return(buffer.length))
    }

    /// Whether the bytes lie in one page, as those of most calls do, and there are any; and the call is not one that
    /// goes on.
    #[inline(always)]
    fn is_in_page(&self, buffer: UserBuffer) -> bool {
        let room = PAGE_SIZE as u64 - buffer.address % PAGE_SIZE as u64;
        buffer.length != 0 && buffer.length <= room && self.progress == 0
    }
}
