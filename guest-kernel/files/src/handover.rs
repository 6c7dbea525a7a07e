//! An empty pipe between a reader that waits and a writer that comes: what the kernel has to know to move the bytes
//! from the one to the other directly.
use crate::description::{Description, DescriptionId, Opened};
use crate::pipe::PipeId;
use crate::wait_queue::{WaitFor, WaitQueue};
use crate::{Files, PageStore};
use contract::Errno;
use linux_raw_sys::general as linux;

impl<S: PageStore> Files<S> {
    /// What comes of a read from an empty pipe, whatever its buffer; `None` where there may be something for that.
    #[inline]
    pub fn read_nothing(&mut self, id: DescriptionId) -> Option<ReadNothing<'_>> {
        let description = self.descriptions.get(u32::from(id.0))?;
        let id = pipe_of(description)?;
        let (may_read, status) = (description.may_read(), description.status);
        let pipe = self.pipes.get_mut(id.0)?;
        if pipe.length() != 0 || !may_read {
            None
        } else if pipe.writers == 0 {
            Some(ReadNothing::Over(Ok(0)))
        } else if status & linux::O_NONBLOCK != 0 {
            Some(ReadNothing::Over(Err(Errno::EAGAIN)))
        } else {
            let until = WaitFor::PipeReadable(id);
            Some(ReadNothing::Wait(until, &mut pipe.read_queue))
        }
    }

    /// The queue of those that wait to read from the empty pipe that this is to be written to, if there are any.
    #[inline]
    pub fn readers_waiting(&mut self, id: DescriptionId) -> Option<&mut WaitQueue> {
        let description = self.descriptions.get(u32::from(id.0))?;
        let id = pipe_of(description)?;
        let may_write = description.may_write();
        let pipe = self.pipes.get_mut(id.0)?;
        (pipe.length() == 0 && may_write && !pipe.read_queue.is_empty())
            .then_some(&mut pipe.read_queue)
    }
}

/// What comes of a read where there is nothing.
pub enum ReadNothing<'a> {
    /// It is over.
    Over(Result<usize, Errno>),
    /// It waits in this queue.
    Wait(WaitFor, &'a mut WaitQueue),
}

#[inline]
fn pipe_of<P>(description: &Description<P>) -> Option<PipeId> {
    match description.opened {
        Opened::PipeRead(pipe) | Opened::PipeWrite(pipe) | Opened::Fifo(_, pipe) => Some(pipe),
        _ => None,
    }
}
