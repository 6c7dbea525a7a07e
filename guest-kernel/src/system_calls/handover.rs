//! From a writer straight to a reader that waits at an empty pipe: no page of the pipe is touched, and the
//! reader's call is over without being asked again.
//!
//! Only where nobody could tell the difference: the reader is the first of its queue, in read(2) itself,
//! its buffer takes all of the bytes, and the page of that is there to be written. Else the pipe is used.
use super::Outcome;
use super::transfer::Direction;
use crate::kernel::Kernel;
use crate::memory::user::{self, UserBuffer};
use crate::process::queue::Queue;
use crate::process::{Resume, State, Wait};
use crate::trace;
use contract::PAGE_SIZE;
use files::{DescriptionId, ReadNothing};
use linux_raw_sys::general as linux;

impl Kernel {
    /// A call on bytes that lie in one page, the most common one: what can be done about it at once.
    #[inline]
    pub fn read_or_write_at_once(
        &mut self,
        direction: Direction,
        descriptor: u64,
        buffer: UserBuffer,
    ) -> Option<Outcome> {
        let room = PAGE_SIZE as u64 - buffer.address % PAGE_SIZE as u64;
        if buffer.length == 0 || buffer.length > room || self.progress != 0 {
            return None;
        }
        let description = self.description(descriptor).ok()?;
        match direction {
            Direction::Read => self.read_nothing(description, buffer),
            Direction::Write => self.hand_over(description, buffer),
        }
    }

    /// A read that finds nothing, or waits: its buffer is looked at when there is something for it.
    #[inline]
    fn read_nothing(&mut self, description: DescriptionId, buffer: UserBuffer) -> Option<Outcome> {
        let found = self.files.read_nothing(description)?;
        user::check(buffer.address, buffer.length).ok()?;
        match found {
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

    /// Gives all bytes of a buffer, which lies in one page, to the first reader that waits for them. `None`
    /// where that cannot be: nothing has changed.
    #[inline]
    fn hand_over(&mut self, description: DescriptionId, buffer: UserBuffer) -> Option<Outcome> {
        let place = self.files.readers_waiting(description)?;
        let mut queue = Queue::from(*place);
        let reader = queue.first()?;
        let thread = &self.processes[reader];
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
        let into = user::writable_already(self.processes[thread.process].space(), into)?;
        let from = user::readable_already(self.processes[self.current.process].space(), buffer)?;
        into.copy_from_slice(from);
        queue.pop(self.processes);
        *place = queue.into();
        self.processes[reader].set_result(buffer.length);
        self.enqueue(reader, Resume::User);
        Some(Outcome::Return(buffer.length))
    }
}
