//! How a file's contents are kept: truncate(2), fallocate(2), fsync(2), posix_fadvise(2). All is in memory, so there is
//! nothing to be written out.
use super::Outcome;
use super::paths::{PathBuffer, WORKING_DIRECTORY};
use super::transfer::SIGXFSZ;
use crate::kernel::Kernel;
use crate::memory::heap;
use crate::process::Process;
use crate::process::limits::Resource;
use crate::records::COUNTERS;
use contract::counters::Counter;
use contract::{Errno, PAGE};
use files::LastLink;
use linux_raw_sys::general as linux;

impl Kernel {
    /// truncate(2).
    pub fn truncate(&mut self, path: u64, size: u64) -> Result<Outcome, Errno> {
        let size = i64::try_from(size).map_err(|_| Errno::EINVAL)? as u64;
        if self.size_limit() < size {
            // What it is comes before how large it may become.
            let grows = self.with_path(WORKING_DIRECTORY, path, |files, _, view, path| {
                let inode = files.lookup(view, path, LastLink::Follow)?;
                files.check_truncation(inode)?;
                Ok(files.size(inode) < size)
            })?;
            if grows {
                return Ok(self.refuse_size());
            }
        }
        let done = self.with_path(WORKING_DIRECTORY, path, |files, pages, view, path| {
            files.truncate(pages, view, path, size)
        });
        self.forget_lost_pages();
        match done {
            Err(Errno::EAGAIN) => match self.files.take_broken_lease() {
                Some(broken) => self.break_lease(broken, 0),
                None => Err(Errno::EAGAIN),
            },
            done => done.map(|()| Outcome::Return(0)),
        }
    }

    fn size_limit(&self) -> u64 {
        self.processes[self.current.process]
            .limits
            .soft(Resource::FileSize)
    }

    /// A file would grow beyond RLIMIT_FSIZE.
    fn refuse_size(&mut self) -> Outcome {
        self.fail_with_signal(Err(Errno::EFBIG), SIGXFSZ)
    }

    /// ftruncate(2).
    pub fn ftruncate(&mut self, descriptor: u64, size: u64) -> Result<Outcome, Errno> {
        let size = i64::try_from(size).map_err(|_| Errno::EINVAL)? as u64;
        let description = self.description(descriptor)?;
        heap::require_reserve()?;
        if self.size_limit() < size && self.files.grows(description, size)? {
            return Ok(self.refuse_size());
        }
        self.files.ftruncate(&mut self.pages, description, size)?;
        self.forget_lost_pages();
        Ok(Outcome::Return(0))
    }

    /// memfd_create(2).
    pub fn memfd_create(&mut self, name: u64, flags: u64) -> Result<u64, Errno> {
        heap::require_reserve()?;
        let mut buffer = PathBuffer::take();
        let Process {
            descriptors,
            credentials,
            memory: Some(memory),
            ..
        } = &mut self.processes[self.current.process]
        else {
            return Err(Errno::ESRCH);
        };
        let name = buffer.read(memory, name).map_err(|errno| match errno {
            Errno::ENAMETOOLONG => Errno::EINVAL,
            errno => errno,
        })?;
        let table = descriptors.own(&mut self.files)?;
        let (flags, owner) = (flags as u32, credentials.owner());
        let (files, pages) = (&mut self.files, &mut self.pages);
        let descriptor = files.create_memfd(pages, table, name, flags, owner)?;
        Ok(u64::from(descriptor))
    }

    /// fallocate(2): as a file system in memory has it, with FALLOC_FL_KEEP_SIZE and FALLOC_FL_PUNCH_HOLE.
    pub fn fallocate(
        &mut self,
        descriptor: u64,
        mode: u64,
        offset: u64,
        length: u64,
    ) -> Result<Outcome, Errno> {
        let description = self.description(descriptor)?;
        let (start, length) = (offset as i64, length as i64);
        if start < 0 || length <= 0 {
            return Err(Errno::EINVAL);
        }
        let mode = mode as u32;
        let known = linux::FALLOC_FL_KEEP_SIZE | linux::FALLOC_FL_PUNCH_HOLE;
        if mode & !known != 0 || mode == linux::FALLOC_FL_PUNCH_HOLE {
            return Err(Errno::EOPNOTSUPP);
        }
        self.files.check_allocation(description)?;
        let end = start.checked_add(length).ok_or(Errno::EFBIG)?;
        heap::require_reserve()?;
        let range = start as u64..end as u64;
        let free = COUNTERS.get(Counter::FramesFree) * PAGE;
        if mode & linux::FALLOC_FL_PUNCH_HOLE != 0 {
            let punched = self.files.punch_hole(&mut self.pages, description, range);
            self.forget_lost_pages();
            punched?;
        } else {
            if range.end - range.start > free {
                return Err(Errno::ENOSPC);
            }
            if self.size_limit() < range.end && self.files.grows(description, range.end)? {
                return Ok(self.refuse_size());
            }
            let keep = mode & linux::FALLOC_FL_KEEP_SIZE != 0;
            self.files
                .reserve_range(&mut self.pages, description, range.clone())?;
            if !keep {
                self.files.grow(&mut self.pages, description, range.end)?;
            }
        }
        Ok(Outcome::Return(0))
    }

    /// fsync(2) and fdatasync(2).
    pub fn fsync(&self, descriptor: u64) -> Result<u64, Errno> {
        self.files.check_sync(self.description(descriptor)?)?;
        Ok(0)
    }

    /// syncfs(2).
    pub fn syncfs(&self, descriptor: u64) -> Result<u64, Errno> {
        self.files.open_inode_of(self.description(descriptor)?)?;
        Ok(0)
    }

    /// sync_file_range(2).
    pub fn sync_file_range(
        &self,
        descriptor: u64,
        offset: u64,
        length: u64,
        flags: u64,
    ) -> Result<u64, Errno> {
        const KNOWN: u32 = linux::SYNC_FILE_RANGE_WAIT_BEFORE
            | linux::SYNC_FILE_RANGE_WRITE
            | linux::SYNC_FILE_RANGE_WAIT_AFTER;
        let inode = self.files.open_inode_of(self.description(descriptor)?)?;
        let (start, length) = (offset as i64, length as i64);
        let end = start.checked_add(length);
        if flags as u32 & !KNOWN != 0 || start < 0 || length < 0 || end.is_none() {
            return Err(Errno::EINVAL);
        }
        let mode = inode.map_or(0, |inode| self.files.mode(inode)) & linux::S_IFMT;
        if matches!(mode, linux::S_IFREG | linux::S_IFDIR | linux::S_IFBLK) {
            Ok(0)
        } else {
            Err(Errno::ESPIPE)
        }
    }

    /// fadvise64: posix_fadvise(2). There is nothing to be read ahead.
    pub fn fadvise(&self, descriptor: u64, length: u64, advice: u64) -> Result<u64, Errno> {
        let inode = self.files.open_inode_of(self.description(descriptor)?)?;
        let mode = inode.map_or(linux::S_IFIFO, |inode| self.files.mode(inode)) & linux::S_IFMT;
        if mode == linux::S_IFIFO
            && self
                .files
                .socket_kind(self.description(descriptor)?)
                .is_err()
        {
            return Err(Errno::ESPIPE);
        }
        if (length as i64) < 0 || advice as u32 > linux::POSIX_FADV_NOREUSE {
            return Err(Errno::EINVAL);
        }
        Ok(0)
    }

    /// readahead(2).
    pub fn readahead(&self, descriptor: u64) -> Result<u64, Errno> {
        let description = self.description(descriptor)?;
        let inode = self.files.open_inode_of(description)?;
        if self.files.status_flags(description)? & linux::O_ACCMODE == linux::O_WRONLY {
            return Err(Errno::EBADF);
        }
        match inode {
            Some(inode) if self.files.is_regular(inode) => Ok(0),
            _ => Err(Errno::EINVAL),
        }
    }
}
