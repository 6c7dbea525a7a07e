//! From a writer straight to a reader that waits at an empty pipe: no page of the pipe is touched, and the
//! reader's call is over without being asked again.
//!
//! Only where nobody could tell the difference: the reader is the first of its queue, in read(2) itself,
//! its buffer takes all of the bytes, and the page of that is there to be written. Else the pipe is used.
use super::Outcome;
use crate::kernel::Kernel;
use crate::memory::user::{self, UserBuffer};
use crate::process::queue::Queue;
use crate::process::{Resume, State, ThreadSlot, Wait};
use files::{DescriptionId, Step, WaitFor};
use linux_raw_sys::general as linux;

impl Kernel {
    /// A read that finds nothing, or waits: its buffer is looked at when there is something for it.
    #[inline]
    pub fn read_nothing(
        &mut self,
        description: DescriptionId,
        buffer: UserBuffer,
    ) -> Option<Outcome> {
        let step = self.files.read_nothing(description)?;
        user::check(buffer.address, buffer.length).ok()?;
        match step {
            Step::Wait(until) => Some(self.wait_in_call(Wait::File { until, progress: 0 })),
            Step::Done(result) => Some(result.map(|count| count as u64).into()),
            _ => None,
        }
    }

    /// Gives all bytes of a buffer, which lies in one page, to the first reader that waits for them. `None`
    /// where that cannot be: nothing has changed.
    #[inline]
    pub fn hand_over(&mut self, description: DescriptionId, buffer: UserBuffer) -> Option<Outcome> {
        let (first, key) = self.files.first_reader(description)?;
        self.hand_to(ThreadSlot::from_number(first), key, buffer)
    }

    fn hand_to(&mut self, reader: ThreadSlot, key: WaitFor, buffer: UserBuffer) -> Option<Outcome> {
        let thread = &self.processes[reader];
        let registers = &thread.context.registers;
        let [_, address, length, ..] = registers.arguments();
        if !matches!(thread.state, State::Waiting(Wait::File { progress: 0, .. }))
            || registers.system_call_number() != u64::from(linux::__NR_read)
            || length < buffer.length
        {
            return None;
        }
        let into = UserBuffer {
            address,
            length: buffer.length,
        };
        let into = user::writable_already(self.processes[thread.process].space(), into)?;
        let from =
            user::readable_piece(self.processes[self.current.process].space(), buffer).ok()?;
        into.copy_from_slice(from);
        if let Some(place) = self.files.wait_queue_mut(key) {
            let mut queue = Queue::from(*place);
            queue.pop(self.processes);
            *place = queue.into();
        }
        self.processes[reader].set_result(buffer.length);
        self.enqueue(reader, Resume::User);
        Some(Outcome::Return(buffer.length))
    }
}
