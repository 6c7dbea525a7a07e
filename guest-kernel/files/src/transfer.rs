//! read, write, lseek, ftruncate: what is done through a description.
use crate::description::{DescriptionId, Opened};
use crate::device::Device;
use crate::inode::{Kind, Number};
use crate::proc::{ProcNode, ProcSource};
use crate::regular::MAX_FILE_SIZE;
use crate::snapshot::{Snapshot, SnapshotWriter};
use crate::socket::Socket;
use crate::{Files, Memory, PageStore, Step, Transfer};
use alloc::boxed::Box;
use contract::Errno;
use linux_raw_sys::general as linux;

impl<S: PageStore> Files<S> {
    /// One piece of a read, pread or readv. [`Transfer`] says how to go on.
    ///
    /// Errors: EBADF where it is not open for reading, EISDIR, ESPIPE (pread from a pipe or terminal), EAGAIN.
    #[inline]
    pub fn read(
        &mut self,
        store: &mut S,
        id: DescriptionId,
        transfer: &mut Transfer,
        into: &mut [u8],
    ) -> Step<usize> {
        let Ok(description) = self.description(id) else {
            return Step::Done(Err(Errno::EBADF));
        };
        if !description.may_read() {
            return Step::Done(Err(description.refusal(transfer)));
        }
        match description.opened {
            Opened::PipeRead(pipe) | Opened::Fifo(_, pipe) => {
                if transfer.position.is_some() {
                    return Step::Done(Err(Errno::ESPIPE));
                }
                let status = description.status;
                self.read_pipe(store, pipe, status, transfer, into)
            }
            Opened::Packets(end, pipe) if transfer.position.is_none() => {
                let status = description.status;
                let pipe = Socket::packets(end, pipe);
                self.read_socket(store, pipe, status, transfer, into)
            }
            Opened::Socket(socket) if transfer.position.is_none() => {
                let status = description.status;
                self.read_socket(store, socket, status, transfer, into)
            }
            Opened::Packets(..) | Opened::Socket(_) => Step::Done(Err(Errno::ESPIPE)),
            Opened::Device(_, device) => device.read(transfer, into),
            Opened::Proc(node, None) => match node.page_map() {
                None => Step::Generate,
                Some(process) => Step::Pages(process, transfer.place(description.offset)),
            },
            Opened::Regular(number) if self.may_be_its_own(number, transfer) => Step::Aside,
            _ => Step::Done(self.read_contents(store, id, transfer, into)),
        }
    }

    /// Whether bytes that are to go into a file, or come out of it, may lie in its own pages.
    #[inline]
    fn may_be_its_own(&self, number: Number, transfer: &Transfer) -> bool {
        transfer.memory == Memory::Program
            && self.inode(number).is_ok_and(
                |inode| matches!(&inode.kind, Kind::Regular(regular) if regular.is_mapped()),
            )
    }

    fn read_contents(
        &mut self,
        store: &mut S,
        id: DescriptionId,
        transfer: &mut Transfer,
        into: &mut [u8],
    ) -> Result<usize, Errno> {
        let description = self.description(id)?;
        let offset = transfer.place(description.offset);
        let count = match &description.opened {
            Opened::Regular(number) => match &self.inode(*number)?.kind {
                Kind::Regular(regular) => regular.read_at(store, offset, into),
                _ => return Err(Errno::EINVAL),
            },
            Opened::Proc(_, Some(snapshot)) => snapshot.read_at(store, offset, into),
            Opened::Directory(_) => return Err(Errno::EISDIR),
            Opened::Process(_) => return Err(Errno::EINVAL),
            _ => return Err(Errno::EBADF),
        };
        if let Opened::Regular(number) = description.opened
            && transfer.done == 0
            && description.status & linux::O_NOATIME == 0
        {
            self.note_access(number);
        }
        self.note_read(id, transfer, count)?;
        Ok(count)
    }

    /// So many bytes more were read.
    ///
    /// # Errors
    /// EBADF.
    pub fn note_read(
        &mut self,
        id: DescriptionId,
        transfer: &mut Transfer,
        count: usize,
    ) -> Result<(), Errno> {
        transfer.done += count;
        if transfer.position.is_none() {
            self.description_mut(id)?.offset += count as u64;
        }
        Ok(())
    }

    /// Something was read: its time of access rises where it is older than the last change, or a day (relatime in
    /// mount(8)).
    pub(crate) fn note_access(&mut self, number: Number) {
        self.note_of_inode(number, linux::DN_ACCESS);
        let now = self.now();
        if let Ok(inode) = self.inode_mut(number)
            && (inode.accessed <= inode.modified
                || inode.accessed <= inode.changed
                || inode.accessed.is_a_day_before(now))
        {
            inode.accessed = now;
        }
    }

    /// One piece of a write, pwrite or writev. [`Transfer`] says how to go on.
    ///
    /// Errors: EBADF where it is not open for writing, ESPIPE (pwrite to a pipe or terminal), EPIPE (the kernel sends
    /// SIGPIPE), EAGAIN, ENOSPC, EFBIG, ENOMEM.
    #[inline]
    pub fn write(
        &mut self,
        store: &mut S,
        id: DescriptionId,
        transfer: &mut Transfer,
        bytes: &[u8],
    ) -> Step<usize> {
        let Ok(description) = self.description(id) else {
            return Step::Done(Err(Errno::EBADF));
        };
        if !description.may_write() {
            return Step::Done(Err(description.refusal(transfer)));
        }
        match description.opened {
            Opened::PipeWrite(pipe) | Opened::Fifo(_, pipe) => {
                if transfer.position.is_some() {
                    return Step::Done(Err(Errno::ESPIPE));
                }
                let status = description.status;
                self.write_pipe(store, pipe, status, transfer, bytes)
            }
            Opened::Packets(_, pipe) if transfer.position.is_none() => {
                let status = description.status;
                self.write_packets(store, pipe, status, transfer, bytes)
            }
            Opened::Socket(socket) if transfer.position.is_none() => {
                let status = description.status;
                self.write_socket(store, socket, status, transfer, bytes)
            }
            Opened::Packets(..) | Opened::Socket(_) => Step::Done(Err(Errno::ESPIPE)),
            Opened::Device(_, device) => device.write(transfer, bytes),
            Opened::Proc(ProcNode::SysFile(file), _) => Step::Set(file),
            Opened::Regular(number) if self.may_be_its_own(number, transfer) => Step::Aside,
            _ => Step::Done(self.write_contents(store, id, transfer, bytes)),
        }
    }

    fn write_contents(
        &mut self,
        store: &mut S,
        id: DescriptionId,
        transfer: &mut Transfer,
        bytes: &[u8],
    ) -> Result<usize, Errno> {
        let time = self.now();
        let description = self.description(id)?;
        let number = match description.opened {
            Opened::Regular(number) => number,
            Opened::Process(_) => return Err(Errno::EINVAL),
            _ => return Err(Errno::EBADF),
        };
        let appends = description.status & linux::O_APPEND != 0;
        let place = transfer.place(description.offset);
        if self.memfds.is_any() {
            let at = (!appends).then_some(place);
            self.respect_seals_of_write(number, at, bytes.len())?;
        }
        let inode = self.inode_mut(number)?;
        let Kind::Regular(regular) = &mut inode.kind else {
            return Err(Errno::EINVAL);
        };
        let offset = if appends { regular.size() } else { place };
        if offset >= transfer.limit && !bytes.is_empty() {
            return Err(Errno::EFBIG);
        }
        let room = transfer.limit - offset.min(transfer.limit);
        let bytes = &bytes[..bytes.len().min(usize::try_from(room).unwrap_or(usize::MAX))];
        let count = regular.write_at(store, offset, bytes)?;
        if count != 0 {
            (inode.modified, inode.changed) = (time, time);
            self.note_of_inode(number, linux::DN_MODIFY);
        }
        transfer.done += count;
        if transfer.position.is_none() {
            self.description_mut(id)?.offset = offset + count as u64;
        }
        Ok(count)
    }

    /// Generates the text of a file in `/proc` after [`Step::Generate`].
    ///
    /// # Errors
    /// EBADF, ESRCH where the process has gone, ENOMEM, EFBIG.
    pub fn generate(
        &mut self,
        store: &mut S,
        id: DescriptionId,
        processes: &dyn ProcSource,
    ) -> Result<(), Errno> {
        let Opened::Proc(node, None) = &self.description(id)?.opened else {
            return Ok(());
        };
        let mut snapshot = Snapshot::new();
        let mut writer = SnapshotWriter::new(store, &mut snapshot);
        let written = match (node.content(), *node) {
            (Some(content), _) => processes.write(content, &mut writer),
            (None, ProcNode::DescriptorText(process, fd)) => {
                self.write_of_descriptor(processes, process, fd, &mut writer)
            }
            (None, _) => Err(Errno::EINVAL),
        };
        if let Err(errno) = writer.finish().and(written) {
            snapshot.free(store);
            return Err(errno);
        }
        if let Opened::Proc(_, place) = &mut self.description_mut(id)?.opened {
            *place = Some(Box::new(snapshot));
        }
        Ok(())
    }

    /// lseek(2): the new offset. Back at the start, a file of `/proc` is generated anew.
    ///
    /// # Errors
    /// EBADF; ESPIPE for pipes and terminals; EINVAL for an unknown `whence` or an offset out of range; ENXIO for
    /// SEEK_DATA and SEEK_HOLE beyond the end.
    pub fn lseek(
        &mut self,
        store: &mut S,
        id: DescriptionId,
        offset: i64,
        whence: u32,
    ) -> Result<u64, Errno> {
        let description = self.description(id)?;
        if let Opened::Path(_) = description.opened {
            return Err(Errno::EBADF);
        }
        if whence > linux::SEEK_HOLE {
            return Err(Errno::EINVAL);
        }
        let end = match &description.opened {
            Opened::Path(_) => return Err(Errno::EBADF),
            Opened::PipeRead(_)
            | Opened::PipeWrite(_)
            | Opened::Packets(..)
            | Opened::Fifo(..)
            | Opened::Process(_)
            | Opened::Socket(_) => {
                return Err(Errno::ESPIPE);
            }
            Opened::Device(_, Device::Tty | Device::Console) => return Err(Errno::ESPIPE),
            Opened::Device(..) => return Ok(0),
            Opened::Regular(number) => {
                let Kind::Regular(regular) = &self.inode(*number)?.kind else {
                    return Err(Errno::EINVAL);
                };
                let from = u64::try_from(offset).map_err(|_| Errno::ENXIO);
                match whence {
                    linux::SEEK_DATA => {
                        let to = regular.next_data(from?)?;
                        self.description_mut(id)?.offset = to;
                        return Ok(to);
                    }
                    linux::SEEK_HOLE => {
                        let to = regular.next_hole(from?)?;
                        self.description_mut(id)?.offset = to;
                        return Ok(to);
                    }
                    _ => Some(regular.size()),
                }
            }
            Opened::Directory(_) | Opened::Proc(..) => None,
        };
        let base = match whence {
            linux::SEEK_SET => 0,
            linux::SEEK_CUR => description.offset,
            linux::SEEK_END => end.ok_or(Errno::EINVAL)?,
            _ => return Err(Errno::EINVAL),
        };
        let to = base
            .checked_add_signed(offset)
            .filter(|to| *to <= MAX_FILE_SIZE)
            .ok_or(Errno::EINVAL)?;
        let description = self.description_mut(id)?;
        description.offset = to;
        if let Opened::Proc(_, snapshot) = &mut description.opened
            && to == 0
            && let Some(mut snapshot) = snapshot.take()
        {
            snapshot.free(store);
        }
        Ok(to)
    }

    /// ftruncate(2).
    ///
    /// # Errors
    /// EBADF; EINVAL where it is not a regular file open for writing; EFBIG.
    pub fn ftruncate(&mut self, store: &mut S, id: DescriptionId, size: u64) -> Result<(), Errno> {
        let description = self.description(id)?;
        match description.opened {
            Opened::Path(_) => Err(Errno::EBADF),
            Opened::Regular(number) if description.may_write() => {
                self.set_size(store, number, size)
            }
            _ => Err(Errno::EINVAL),
        }
    }

    pub(crate) fn set_size(
        &mut self,
        store: &mut S,
        number: Number,
        size: u64,
    ) -> Result<(), Errno> {
        let time = self.now();
        if self.memfds.is_any() {
            self.respect_seals_of_size(number, size)?;
        }
        let inode = self.inode_mut(number)?;
        match &mut inode.kind {
            Kind::Regular(regular) => regular.set_size(store, size)?,
            Kind::Directory(_) => return Err(Errno::EISDIR),
            _ => return Err(Errno::EINVAL),
        }
        (inode.modified, inode.changed) = (time, time);
        self.note_lost_pages(store, number);
        self.note_of_inode(number, linux::DN_MODIFY);
        Ok(())
    }
}
