//! What could be done with an open file at once: poll(2), FIONREAD.
use crate::description::{DescriptionId, Opened};
use crate::inode::Kind;
use crate::pipe::{End, PipeId};
use crate::socket::Socket;
use crate::{Files, KernelDevice, PageStore, Readiness};
use contract::Errno;
use linux_raw_sys::general as linux;

impl<S: PageStore> Files<S> {
    /// Bytes that a read would find at once (FIONREAD in ioctl(2)).
    ///
    /// # Errors
    /// EBADF; ENOTTY where that is not a pipe or a regular file.
    pub fn readable_bytes(&self, store: &S, id: DescriptionId) -> Result<u64, Errno> {
        let description = self.description(id)?;
        match description.opened {
            Opened::PipeRead(pipe) | Opened::PipeWrite(pipe) | Opened::Fifo(_, pipe) => {
                Ok(self.pipe(pipe)?.length() as u64)
            }
            Opened::Packets(_, pipe) => self.socket_bytes(store, Socket::packets(End::Read, pipe)),
            Opened::Socket(socket) => self.socket_bytes(store, socket),
            Opened::Regular(number) => match &self.inode(number)?.kind {
                Kind::Regular(regular) => Ok(regular.size().saturating_sub(description.offset)),
                _ => Err(Errno::ENOTTY),
            },
            _ => Err(Errno::ENOTTY),
        }
    }

    /// What could be done at once (poll(2)).
    ///
    /// # Errors
    /// EBADF.
    pub fn ready(&self, id: DescriptionId) -> Result<Readiness, Errno> {
        const IN: u32 = linux::POLLIN | linux::POLLRDNORM;
        const OUT: u32 = linux::POLLOUT | linux::POLLWRNORM;
        let description = self.description(id)?;
        let events = match description.opened {
            Opened::PipeRead(pipe) | Opened::Packets(End::Read, pipe) => self.readable(pipe)?,
            Opened::Packets(End::Write, pipe) => self.writable(pipe)?,
            Opened::Socket(socket) => self.socket_events(socket)?,
            Opened::PipeWrite(pipe) => self.writable(pipe)?,
            Opened::Fifo(_, pipe) => {
                let mut events = 0;
                if description.may_read() {
                    events |= self.readable(pipe)?;
                }
                if description.may_write() {
                    events |= self.writable(pipe)?;
                }
                events
            }
            Opened::Device(_, device) => match device.kernel_device() {
                Some(KernelDevice::Console) => return Ok(Readiness::Device(KernelDevice::Console)),
                _ => IN | OUT,
            },
            Opened::Process(handle) => return Ok(Readiness::Process(handle)),
            Opened::Path(_) => linux::POLLNVAL,
            Opened::Regular(_) | Opened::Directory(_) | Opened::Proc(..) => IN | OUT,
        };
        Ok(Readiness::Events(events as u16))
    }

    fn readable(&self, pipe: PipeId) -> Result<u32, Errno> {
        let pipe = self.pipe(pipe)?;
        let mut events = 0;
        if pipe.length() != 0 {
            events |= linux::POLLIN | linux::POLLRDNORM;
        }
        if pipe.writers == 0 {
            events |= linux::POLLHUP;
        }
        Ok(events)
    }

    fn writable(&self, pipe: PipeId) -> Result<u32, Errno> {
        let pipe = self.pipe(pipe)?;
        let mut events = 0;
        if pipe.room() >= crate::PIPE_BUF {
            events |= linux::POLLOUT | linux::POLLWRNORM;
        }
        if pipe.readers == 0 {
            events |= linux::POLLERR;
        }
        Ok(events)
    }
}
