//! Named pipes (fifo(7)), and opening anew what a descriptor leads to.
use crate::description::{DescriptionId, Opened};
use crate::inode::{Kind, Number};
use crate::pipe::{End, PipeId};
use crate::wait_queue::WaitFor;
use crate::{Files, PageStore};
use contract::Errno;
use linux_raw_sys::general as linux;

/// The ends that an access mode opens.
fn ends(status: u32) -> &'static [End] {
    match status & linux::O_ACCMODE {
        linux::O_RDONLY => &[End::Read],
        linux::O_WRONLY => &[End::Write],
        _ => &[End::Read, End::Write],
    }
}

impl<S: PageStore> Files<S> {
    /// Opens a FIFO, whatever its other end; [`Self::awaited`] says whether that is waited for. ENXIO for a writer that
    /// does not want to wait and has no reader.
    pub(crate) fn open_fifo(
        &mut self,
        store: &mut S,
        number: Number,
        status: u32,
    ) -> Result<DescriptionId, Errno> {
        let there = match self.inode(number)?.kind {
            Kind::Fifo(pipe) => pipe,
            _ => return Err(Errno::ENXIO),
        };
        if status & linux::O_ACCMODE == linux::O_ACCMODE {
            return Err(Errno::EINVAL);
        }
        let writes = status & linux::O_ACCMODE == linux::O_WRONLY;
        let has_reader = match there {
            Some(pipe) => self.pipe(pipe)?.readers != 0,
            None => false,
        };
        if writes && status & linux::O_NONBLOCK != 0 && !has_reader {
            return Err(Errno::ENXIO);
        }
        let pipe = match there {
            Some(pipe) => pipe,
            None => self.add_pipe()?,
        };
        let other_ever = {
            let pipe = self.pipe(pipe)?;
            if writes {
                pipe.readers_ever
            } else {
                pipe.writers_ever
            }
        };
        for end in ends(status) {
            self.open_end(pipe, *end);
        }
        if let Kind::Fifo(place) = &mut self.inode_mut(number)?.kind {
            *place = Some(pipe);
        }
        match self.describe(Opened::Fifo(number, pipe), status) {
            Ok(id) => {
                // A FIFO has no offset: the place holds what an open waits to see change.
                self.description_mut(id)?.offset = u64::from(other_ever);
                Ok(id)
            }
            Err(errno) => {
                self.close_fifo(store, number, pipe, status);
                Err(errno)
            }
        }
    }

    /// What a description that was just opened waits for: a FIFO's first other end. One that was opened and closed again
    /// meanwhile counts.
    #[must_use]
    pub fn awaited(&self, id: DescriptionId) -> Option<WaitFor> {
        let description = self.description(id).ok()?;
        let Opened::Fifo(_, pipe_id) = description.opened else {
            return None;
        };
        if description.status & linux::O_NONBLOCK != 0 {
            return None;
        }
        let pipe = self.pipe(pipe_id).ok()?;
        let (now, ever, wait) = match description.status & linux::O_ACCMODE {
            linux::O_RDONLY => (
                pipe.writers,
                pipe.writers_ever,
                WaitFor::PipeReadable(pipe_id),
            ),
            linux::O_WRONLY => (
                pipe.readers,
                pipe.readers_ever,
                WaitFor::PipeWritable(pipe_id),
            ),
            _ => return None,
        };
        (now == 0 && u64::from(ever) == description.offset).then_some(wait)
    }

    pub(crate) fn close_fifo(&mut self, store: &mut S, number: Number, pipe: PipeId, status: u32) {
        for end in ends(status) {
            if self.close_end(store, pipe, *end)
                && let Ok(inode) = self.inode_mut(number)
                && let Kind::Fifo(place) = &mut inode.kind
            {
                *place = None;
            }
        }
    }

    /// Opens a pipe without a name once more, through `/proc/PID/fd`.
    pub(crate) fn open_again(
        &mut self,
        store: &mut S,
        id: DescriptionId,
        status: u32,
    ) -> Result<DescriptionId, Errno> {
        let (Opened::PipeRead(pipe) | Opened::PipeWrite(pipe)) = self.description(id)?.opened
        else {
            return Err(Errno::ENXIO);
        };
        let (end, opened) = match status & linux::O_ACCMODE {
            linux::O_RDONLY => (End::Read, Opened::PipeRead(pipe)),
            linux::O_WRONLY => (End::Write, Opened::PipeWrite(pipe)),
            _ => return Err(Errno::EINVAL),
        };
        self.open_end(pipe, end);
        let new = self.describe(opened, status);
        if new.is_err() {
            self.close_end(store, pipe, end);
        }
        new
    }
}
