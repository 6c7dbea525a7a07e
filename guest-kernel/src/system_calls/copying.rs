//! Bytes from one descriptor to another, past the program: sendfile(2), copy_file_range(2).
use super::Outcome;
use super::buffers::TRANSFER_LIMIT;
use super::transfer::SIGXFSZ;
use crate::kernel::Kernel;
use crate::memory::{heap, user};
use crate::process::limits::{INFINITY, Resource};
use crate::process::{Wait, held, signal};
use crate::random;
use contract::{Errno, PAGE_SIZE};
use files::{DescriptionId, InodeId, KernelDevice, Step, Transfer, WaitFor};
use linux_raw_sys::general as linux;

/// An offset of the call's own in the program's memory, or that of the description.
#[derive(Clone, Copy)]
enum Offset {
    Own { address: u64 },
    Description(DescriptionId),
}

/// How a piece went.
enum Copied {
    Bytes(usize),
    Wait(WaitFor),
}

impl Kernel {
    /// Where a copy begins or goes on: after each piece, the offset says so.
    fn offset(&self, offset: Offset) -> Result<u64, Errno> {
        match offset {
            Offset::Own { address } => {
                let space = self.processes[self.current.process].space();
                let offset = user::read_u64(space, address)?;
                if offset > i64::MAX as u64 {
                    return Err(Errno::EINVAL);
                }
                Ok(offset)
            }
            Offset::Description(id) => self.files.offset(id),
        }
    }

    fn set_offset(&mut self, offset: Offset, to: u64) -> Result<(), Errno> {
        match offset {
            Offset::Own { address } => {
                let space = self.processes[self.current.process].space();
                user::write_words(space, address, &[to])?;
            }
            Offset::Description(id) => {
                let to = i64::try_from(to).map_err(|_| Errno::EINVAL)?;
                self.files.lseek(&mut self.pages, id, to, linux::SEEK_SET)?;
            }
        }
        Ok(())
    }

    /// A regular file that bytes are read from.
    fn copy_source(&self, description: DescriptionId) -> Result<InodeId, Errno> {
        self.files.check_readable(description, &Transfer::new(0))?;
        match self.files.inode_of(description)? {
            Some(inode) if self.files.is_regular(inode) => Ok(inode),
            _ => Err(Errno::EINVAL),
        }
    }

    /// sendfile(2): from a regular file to anything. The call's progress is what has been moved; the offset moves with it.
    pub fn sendfile(
        &mut self,
        to: u64,
        from: u64,
        address: u64,
        count: u64,
    ) -> Result<Outcome, Errno> {
        if address != 0 {
            user::read_u64(self.processes[self.current.process].space(), address)?;
        }
        let from = self.description(from)?;
        self.files.check_readable(from, &Transfer::new(0))?;
        if (count as i64) < 0 {
            return Err(Errno::EINVAL);
        }
        let to = self.description_of_call(to)?;
        self.files.check_writable(to, &Transfer::new(0))?;
        let inode = self.copy_source(from)?;
        if self.files.status_flags(to)? & linux::O_APPEND != 0 {
            return Err(Errno::EINVAL);
        }
        heap::require_reserve()?;
        let offset = if address == 0 {
            Offset::Description(from)
        } else {
            Offset::Own { address }
        };
        let mut transfer = Transfer::new(count.min(TRANSFER_LIMIT) as usize);
        transfer.done = held::done_in(self.progress);
        self.copy(inode, offset, to, &mut transfer)
    }

    fn copy(
        &mut self,
        inode: InodeId,
        offset: Offset,
        to: DescriptionId,
        transfer: &mut Transfer,
    ) -> Result<Outcome, Errno> {
        let process = &self.processes[self.current.process];
        transfer.limit = process.limits.soft(Resource::FileSize);
        let mut at = self.offset(offset)?;
        let result = loop {
            if transfer.done >= transfer.total {
                break Ok(0);
            }
            let before = transfer.done;
            let step = self.copy_piece(inode, at, to, transfer);
            let moved = (transfer.done - before) as u64;
            at += moved;
            if moved > 0
                && let Err(errno) = self.set_offset(offset, at)
            {
                // Who waits for what has been moved must hear of it.
                self.wake_files();
                return Err(errno);
            }
            match step {
                Ok(Copied::Bytes(0)) => break Ok(0),
                Ok(Copied::Bytes(_)) => {}
                // A pipe gets what fits in it, and the call is over.
                Ok(Copied::Wait(_))
                    if transfer.done > 0 && self.files.pipe_capacity(to).is_ok() =>
                {
                    break Ok(0);
                }
                Ok(Copied::Wait(until)) => {
                    self.wake_files();
                    let progress = self.progress_with(transfer.done);
                    return Ok(self.wait_in_call(Wait::File { until, progress }));
                }
                Err(errno) => break Err(errno),
            }
        };
        self.wake_files();
        match transfer.result(result) {
            Err(Errno::EPIPE) => Ok(self.fail_with_signal(Err(Errno::EPIPE), signal::SIGPIPE)),
            Err(Errno::EFBIG) if transfer.limit != INFINITY => {
                Ok(self.fail_with_signal(Err(Errno::EFBIG), SIGXFSZ))
            }
            result => Ok(Outcome::Return(result? as u64)),
        }
    }

    /// Moves what lies in one page of the source.
    fn copy_piece(
        &mut self,
        inode: InodeId,
        at: u64,
        to: DescriptionId,
        transfer: &mut Transfer,
    ) -> Result<Copied, Errno> {
        let mut page = [0; PAGE_SIZE];
        let rest = transfer.total - transfer.done;
        let length = (PAGE_SIZE - at as usize % PAGE_SIZE).min(rest);
        let found = self
            .files
            .read_at(&self.pages, inode, at, &mut page[..length]);
        let bytes = &page[..found];
        if bytes.is_empty() {
            return Ok(Copied::Bytes(0));
        }
        let before = transfer.done;
        // What goes into a pipe goes in page by page: each is a write of its own.
        let mut piece = Transfer::new(found);
        piece.limit = transfer.limit;
        let step = self.files.write(&mut self.pages, to, &mut piece, bytes);
        transfer.done += piece.done;
        match step {
            Step::Done(Ok(_)) if transfer.done == before => Ok(Copied::Bytes(0)),
            Step::Done(Ok(count)) => Ok(Copied::Bytes(count)),
            Step::Done(Err(errno)) => Err(errno),
            Step::Wait(until) => Ok(Copied::Wait(until)),
            Step::Device(device) => {
                match device {
                    KernelDevice::Console => self.console.write(bytes),
                    KernelDevice::Random => random::fill(&mut page[..0]),
                }
                transfer.done += found;
                Ok(Copied::Bytes(found))
            }
            Step::Generate | Step::Aside | Step::Set(_) | Step::Pages(..) => Err(Errno::EINVAL),
        }
    }

    /// copy_file_range(2): between regular files.
    pub fn copy_file_range(
        &mut self,
        [from, from_offset]: [u64; 2],
        [to, to_offset]: [u64; 2],
        length: u64,
    ) -> Result<Outcome, Errno> {
        let thread = &self.processes[self.current.thread];
        let [.., flags] = thread.context.registers.arguments();
        let (from, to) = (self.description(from)?, self.description(to)?);
        let offset = |address, description| match address {
            0 => Offset::Description(description),
            address => Offset::Own { address },
        };
        let (from_offset, to_offset) = (offset(from_offset, from), offset(to_offset, to));
        let mut read_at = self.offset(from_offset)?;
        let write_at = self.offset(to_offset)?;
        if flags != 0 {
            return Err(Errno::EINVAL);
        }
        let (source, target) = (self.copied_file(from)?, self.copied_file(to)?);
        self.files.check_readable(from, &Transfer::new(0))?;
        self.files.check_writable(to, &Transfer::new(0))?;
        if self.files.status_flags(to)? & linux::O_APPEND != 0 {
            return Err(Errno::EBADF);
        }
        let end = |start: u64| {
            let end = start.checked_add(length);
            end.filter(|&end| end <= i64::MAX as u64)
                .ok_or(Errno::EOVERFLOW)
        };
        let write_end = end(write_at)?;
        let read_end = end(read_at)?.min(self.files.size(source).max(read_at));
        if source == target && read_at < write_end && write_at < read_end {
            return Err(Errno::EINVAL);
        }
        heap::require_reserve()?;
        let process = &self.processes[self.current.process];
        let mut transfer =
            Transfer::at((read_end - read_at).min(TRANSFER_LIMIT) as usize, write_at);
        transfer.limit = process.limits.soft(Resource::FileSize);
        let mut result = Ok(0);
        let mut page = [0; PAGE_SIZE];
        while transfer.done < transfer.total {
            let rest = transfer.total - transfer.done;
            let piece = (PAGE_SIZE - read_at as usize % PAGE_SIZE).min(rest);
            let found = self
                .files
                .read_at(&self.pages, source, read_at, &mut page[..piece]);
            let written = self
                .files
                .write(&mut self.pages, to, &mut transfer, &page[..found]);
            match written {
                Step::Done(Ok(count)) if count > 0 => read_at += count as u64,
                Step::Done(last) => {
                    result = last;
                    break;
                }
                _ => break,
            }
        }
        let done = match transfer.result(result) {
            Err(Errno::EFBIG) if transfer.limit != INFINITY => {
                return Ok(self.fail_with_signal(Err(Errno::EFBIG), SIGXFSZ));
            }
            result => result? as u64,
        };
        self.set_offset(from_offset, read_at)?;
        self.set_offset(to_offset, write_at + done)?;
        Ok(Outcome::Return(done))
    }

    /// A regular file at either end of a copy.
    fn copied_file(&self, description: DescriptionId) -> Result<InodeId, Errno> {
        let inode = self.files.open_inode_of(description)?;
        match inode {
            Some(inode) if self.files.is_regular(inode) => Ok(inode),
            Some(inode) if self.files.attributes(inode)?.is_directory() => Err(Errno::EISDIR),
            _ => Err(Errno::EINVAL),
        }
    }
}
