//! An empty pipe between a reader that waits and a writer that comes: what the kernel has to know to move the bytes
//! from the one to the other directly.
use crate::description::{Description, DescriptionId, Opened};
use crate::pipe::PipeId;
use crate::wait_queue::WaitFor;
use crate::{Files, PageStore};
use linux_raw_sys::general as linux;

impl<S: PageStore> Files<S> {
    /// Where a read would wait: of an empty pipe that has a writer, unless it is told not to wait.
    #[inline]
    #[must_use]
    pub fn waits_to_read(&self, id: DescriptionId) -> Option<WaitFor> {
        let description = self.descriptions.get(u32::from(id.0))?;
        let id = pipe_of(description)?;
        let pipe = self.pipes.get(id.0)?;
        (pipe.length() == 0
            && pipe.writers != 0
            && description.status & linux::O_NONBLOCK == 0
            && description.may_read())
        .then_some(WaitFor::PipeReadable(id))
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
