//! What a read or write answers whose bytes cannot be reached. A file looks at itself first, and only then at the bytes:
//! the end of a file, a full pipe, a directory are told even so; all else is EFAULT.
use crate::description::{DescriptionId, Opened};
use crate::device::Device;
use crate::inode::{Kind, Number};
use crate::pipe::{PipeId, room_needed};
use crate::socket::{MESSAGE_MAX, SocketKind};
use crate::{Files, PageStore, Step, Transfer};
use linux_raw_sys::general as linux;

impl<S: PageStore> Files<S> {
    /// As [`Files::read`], of a piece that cannot be written to: `None` where there are bytes to be put there.
    pub fn read_without_bytes(
        &mut self,
        store: &mut S,
        id: DescriptionId,
        transfer: &mut Transfer,
    ) -> Option<Step<usize>> {
        let description = self.description(id).ok()?;
        let offset = transfer.place(description.offset);
        let there = match &description.opened {
            Opened::Regular(number) => offset < self.size_of(*number),
            Opened::Proc(_, Some(text)) => offset < (text.length() as u64),
            Opened::Device(_, device) => *device != Device::Null,
            _ => self.readable_bytes(store, id).is_ok_and(|count| count > 0),
        };
        if there {
            return None;
        }
        if let Opened::Regular(_) = description.opened {
            return Some(Step::Done(Ok(0)));
        }
        // It finds nothing to put into the byte.
        Some(self.read(store, id, transfer, &mut [0]))
    }

    /// As [`Files::write`], of a piece of `length` bytes that cannot be read: `None` where they are wanted.
    pub fn write_without_bytes(
        &mut self,
        store: &mut S,
        id: DescriptionId,
        transfer: &mut Transfer,
        length: usize,
    ) -> Option<Step<usize>> {
        let description = self.description(id).ok()?;
        let wanted = match &description.opened {
            Opened::Regular(number) => {
                let offset = if description.status & linux::O_APPEND != 0 {
                    self.size_of(*number)
                } else {
                    transfer.place(description.offset)
                };
                offset < transfer.limit
            }
            Opened::Device(_, Device::Null | Device::Zero) => {
                transfer.done += length;
                return Some(Step::Done(Ok(length)));
            }
            Opened::Device(_, device) => *device != Device::Full,
            Opened::PipeWrite(pipe) | Opened::Fifo(_, pipe) | Opened::Packets(_, pipe) => {
                self.takes_bytes(*pipe, transfer)
            }
            Opened::Socket(socket) => match socket.send {
                Some(pipe) if socket.kind == SocketKind::Stream => self.takes_bytes(pipe, transfer),
                Some(pipe) => transfer.total <= MESSAGE_MAX && self.has_readers(pipe),
                None => false,
            },
            _ => false,
        };
        // It has no use for the byte.
        (!wanted).then(|| self.write(store, id, transfer, &[0]))
    }

    fn size_of(&self, number: Number) -> u64 {
        match self.inode(number).map(|inode| &inode.kind) {
            Ok(Kind::Regular(regular)) => regular.size(),
            _ => 0,
        }
    }

    pub(crate) fn has_readers(&self, pipe: PipeId) -> bool {
        self.pipe(pipe).is_ok_and(|pipe| pipe.readers > 0)
    }

    /// Whether a write would put something into a pipe now.
    fn takes_bytes(&self, pipe: PipeId, transfer: &Transfer) -> bool {
        let needed = room_needed(transfer.total, transfer);
        self.has_readers(pipe) && self.pipe(pipe).is_ok_and(|pipe| pipe.room() >= needed)
    }
}
