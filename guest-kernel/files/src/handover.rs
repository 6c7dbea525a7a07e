//! An empty pipe between a reader that waits and a writer that comes: what the kernel has to know to move the bytes
//! from the one to the other directly.
use crate::description::{Description, DescriptionId, Opened};
use crate::pipe::PipeId;
use crate::wait_queue::WaitFor;
use crate::{Files, PageStore, Step};
use contract::Errno;
use linux_raw_sys::general as linux;

impl<S: PageStore> Files<S> {
    /// What comes of a read from an empty pipe, whatever its buffer; `None` where there may be something for that.
    #[inline]
    #[must_use]
    pub fn read_nothing(&self, id: DescriptionId) -> Option<Step<usize>> {
        let description = self.descriptions.get(u32::from(id.0))?;
        let id = pipe_of(description)?;
        let pipe = self.pipes.get(id.0)?;
        if pipe.length() != 0 || !description.may_read() {
            None
        } else if pipe.writers == 0 {
            Some(Step::Done(Ok(0)))
        } else if description.status & linux::O_NONBLOCK != 0 {
            Some(Step::Done(Err(Errno::EAGAIN)))
        } else {
            Some(Step::Wait(WaitFor::PipeReadable(id)))
        }
    }

    /// Who comes first of those that wait to read from the empty pipe that this is to be written to; and where.
    #[inline]
    #[must_use]
    pub fn first_reader(&self, id: DescriptionId) -> Option<(u32, WaitFor)> {
        let description = self.descriptions.get(u32::from(id.0))?;
        let id = pipe_of(description)?;
        let pipe = self.pipes.get(id.0)?;
        let (first, _) = pipe.read_queue.ends?;
        (pipe.length() == 0 && description.may_write())
            .then_some((first, WaitFor::PipeReadable(id)))
    }
}

#[inline]
fn pipe_of<P>(description: &Description<P>) -> Option<PipeId> {
    match description.opened {
        Opened::PipeRead(pipe) | Opened::PipeWrite(pipe) | Opened::Fifo(_, pipe) => Some(pipe),
        _ => None,
    }
}
