//! From a writer straight to a reader that waits at an empty pipe: no page of the pipe is touched, and the
//! reader's call is over without being asked again.
//!
//! Only where nobody could tell the difference: the reader is the first of its queue, in read(2) itself,
//! its buffer takes all of the bytes, and the page of that is there to be written. Else the pipe is used.
use super::{Outcome, dispatch};
use crate::kernel::Kernel;
use crate::memory::space::{AddressSpace, USER_END};
use crate::memory::user::UserBuffer;
use crate::memory::user_page::{self, Readable, Writable};
use crate::memory_functions::copy_few;
use crate::process::queue::Queue;
use crate::process::scheduler::Alarm;
use crate::process::{Resume, State, ThreadSlot, Wait};
use contract::PAGE;
use files::ReadNothing;
use linux_raw_sys::general as linux;

/// Bytes up to which a copy is best made in place.
const FEW: u64 = 32;

impl Kernel {
    /// What can be done about a read at once: it finds nothing, or waits. Its buffer is looked at when there is
    /// something for it.
    #[inline(always)]
    pub fn read_at_once(&mut self, descriptor: u64, buffer: UserBuffer) -> Option<Outcome> {
        let UserBuffer { address, length } = buffer;
        if length == 0 || self.progress != 0 || length > USER_END || address > USER_END - length {
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

    /// What can be done about a write at once: [`hand_over`](Self::hand_over) of a few bytes, where no page has to be
    /// looked for and the clock runs.
    #[inline(always)]
    pub fn write_at_once(&mut self, descriptor: u64, buffer: UserBuffer) -> Option<Outcome> {
        if buffer.length > FEW || matches!(self.alarm, Alarm::Off) {
            return None;
        }
        let reader = self.hand_over_by(
            descriptor,
            buffer,
            user_page::writable_known,
            user_page::readable_known,
            copy_few,
        )?;
        self.ready.push(self.processes, reader);
        Some(Outcome::Return(buffer.length))
    }

    /// Gives all bytes of a buffer to the first reader that waits for them. `None` where that cannot be: nothing has
    /// changed.
    pub fn hand_over(&mut self, descriptor: u64, buffer: UserBuffer) -> Option<Outcome> {
        let reader = self.hand_over_by(
            descriptor,
            buffer,
            user_page::writable_already,
            user_page::readable_already,
            |from, to| to.copy_from_slice(from),
        )?;
        self.line_up(reader);
        Some(Outcome::Return(buffer.length))
    }

    /// Answers who is to be put in the run queue.
    #[inline(always)]
    fn hand_over_by(
        &mut self,
        descriptor: u64,
        buffer: UserBuffer,
        writable: impl for<'a> Fn(&'a AddressSpace, UserBuffer) -> Option<Writable<'a>>,
        readable: impl for<'a> Fn(&'a AddressSpace, UserBuffer) -> Option<Readable<'a>>,
        copy: impl Fn(&[u8], &mut [u8]),
    ) -> Option<ThreadSlot> {
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
            || dispatch::is_looked_at()
        {
            return None;
        }
        let into = UserBuffer {
            address,
            length: buffer.length,
        };
        let into = writable(processes[thread.process].space(), into)?;
        let from = readable(writer.space(), buffer)?;
        // Else the pipe lies between.
        let (from, into) = user_page::apart(from, into)?;
        copy(from, into);
        let thread = &mut processes[reader];
        queue.advance(thread);
        *place = queue.into();
        thread.set_result(buffer.length);
        thread.state = State::Runnable(Resume::User);
        Some(reader)
    }

    /// Whether the bytes lie in one page, as those of most calls do, and there are any; and the call is not one that
    /// goes on.
    #[inline(always)]
    fn is_in_page(&self, buffer: UserBuffer) -> bool {
        let room = PAGE - buffer.address % PAGE;
        buffer.length != 0 && buffer.length <= room && self.progress == 0
    }
}
