//! What is done through descriptors but for moving bytes: dup, fcntl, pipe, ioctl.
use super::Outcome;
use crate::kernel::Kernel;
use crate::memory::heap;
use crate::memory::user;
use crate::process::Process;
use crate::processes_view::ProcessesView;
use contract::Errno;
use files::{DescriptionId, KernelDevice, Listing, LockMode, OnExec, PIPE_CAPACITY};
use linux_raw_sys::general as linux;
use linux_raw_sys::ioctl;

impl Kernel {
    #[inline]
    pub fn description(&self, descriptor: u64) -> Result<DescriptionId, Errno> {
        self.processes[self.current.process]
            .descriptors
            .get(descriptor as u32)
    }

    /// lseek(2).
    pub fn lseek(&mut self, descriptor: u64, offset: u64, whence: u64) -> Result<u64, Errno> {
        let description = self.description(descriptor)?;
        self.files
            .lseek(&mut self.pages, description, offset as i64, whence as u32)
    }

    /// close(2).
    pub fn close(&mut self, descriptor: u64) -> Result<u64, Errno> {
        self.release_locks(descriptor as u32);
        self.leave_file_to_waiters(descriptor as u32);
        let table = self.processes[self.current.process]
            .descriptors
            .own(&mut self.files)?;
        self.files
            .close(&mut self.pages, table, descriptor as u32)?;
        self.wake_files();
        Ok(0)
    }

    /// dup(2).
    pub fn dup(&mut self, descriptor: u64) -> Result<u64, Errno> {
        self.duplicate_from(descriptor, 0, OnExec::Keep)
    }

    fn duplicate_from(
        &mut self,
        descriptor: u64,
        from: u64,
        on_exec: OnExec,
    ) -> Result<u64, Errno> {
        heap::require_reserve()?;
        let from = u32::try_from(from).map_err(|_| Errno::EINVAL)?;
        let table = self.processes[self.current.process]
            .descriptors
            .own(&mut self.files)?;
        Ok(u64::from(self.files.duplicate(
            table,
            descriptor as u32,
            from,
            on_exec,
        )?))
    }

    /// dup2(2). The same number twice is left alone.
    pub fn dup2(&mut self, old: u64, new: u64) -> Result<u64, Errno> {
        if old as u32 == new as u32 {
            let table = &self.processes[self.current.process].descriptors;
            return table.get_open(old as u32).map(|_| u64::from(new as u32));
        }
        self.dup3(old, new, 0)
    }

    /// dup3(2).
    pub fn dup3(&mut self, old: u64, new: u64, flags: u64) -> Result<u64, Errno> {
        heap::require_reserve()?;
        let on_exec = match flags as u32 {
            0 => OnExec::Keep,
            linux::O_CLOEXEC => OnExec::Close,
            _ => return Err(Errno::EINVAL),
        };
        self.release_locks_of_replaced(old, new);
        let table = self.processes[self.current.process]
            .descriptors
            .own(&mut self.files)?;
        let new = self
            .files
            .dup3(&mut self.pages, table, old as u32, new as u32, on_exec)?;
        self.wake_files();
        Ok(u64::from(new))
    }

    /// What `new` led to is closed where `old` is put in its place.
    fn release_locks_of_replaced(&mut self, old: u64, new: u64) {
        if old as u32 != new as u32 && self.description(old).is_ok() {
            self.release_locks(new as u32);
            self.leave_file_to_waiters(new as u32);
        }
        self.free_stale_number(new as u32);
    }

    /// close_range(2).
    pub fn close_range(&mut self, first: u64, last: u64, flags: u64) -> Result<u64, Errno> {
        const UNSHARE: u32 = 1 << 1;
        const CLOEXEC: u32 = 1 << 2;
        let (first, last, flags) = (first as u32, last as u32, flags as u32);
        if flags & !(UNSHARE | CLOEXEC) != 0 || first > last {
            return Err(Errno::EINVAL);
        }
        if flags & UNSHARE != 0 {
            self.unshare_descriptors()?;
        }
        let mut from = first;
        loop {
            let process = &mut self.processes[self.current.process];
            let next = process.descriptors.next_open(from);
            let Some(descriptor) = next.filter(|&descriptor| descriptor <= last) else {
                return Ok(0);
            };
            if flags & CLOEXEC != 0 {
                process
                    .descriptors
                    .own(&mut self.files)?
                    .set_on_exec(descriptor, OnExec::Close)?;
            } else {
                self.close(u64::from(descriptor))?;
            }
            from = descriptor + 1;
        }
    }

    /// fcntl(2).
    pub fn fcntl(
        &mut self,
        descriptor: u64,
        command: u64,
        argument: u64,
    ) -> Result<Outcome, Errno> {
        let description = self.description(descriptor)?;
        let command = command as u32;
        // Through O_PATH, only the descriptor itself can be asked about.
        let of_descriptor = matches!(
            command,
            linux::F_DUPFD
                | linux::F_DUPFD_CLOEXEC
                | linux::F_GETFD
                | linux::F_SETFD
                | linux::F_GETFL
        );
        if !of_descriptor {
            self.files.open_inode_of(description)?;
        }
        match command {
            linux::F_GETLK
            | linux::F_SETLK
            | linux::F_SETLKW
            | linux::F_OFD_GETLK
            | linux::F_OFD_SETLK
            | linux::F_OFD_SETLKW => self.fcntl_lock(description, command, argument),
            _ => self
                .fcntl_at_once(descriptor, description, command, argument)
                .map(Outcome::Return),
        }
    }

    /// The commands of fcntl(2) that never wait.
    fn fcntl_at_once(
        &mut self,
        descriptor: u64,
        description: DescriptionId,
        command: u32,
        argument: u64,
    ) -> Result<u64, Errno> {
        let descriptors = &mut self.processes[self.current.process].descriptors;
        match command {
            linux::F_DUPFD => self.duplicate_from(descriptor, argument, OnExec::Keep),
            linux::F_DUPFD_CLOEXEC => self.duplicate_from(descriptor, argument, OnExec::Close),
            linux::F_GETFD => Ok(match descriptors.on_exec(descriptor as u32)? {
                OnExec::Keep => 0,
                OnExec::Close => u64::from(linux::FD_CLOEXEC),
            }),
            linux::F_SETFD => {
                let close = argument as u32 & linux::FD_CLOEXEC != 0;
                let on_exec = if close { OnExec::Close } else { OnExec::Keep };
                descriptors
                    .own(&mut self.files)?
                    .set_on_exec(descriptor as u32, on_exec)?;
                Ok(0)
            }
            linux::F_GETFL => Ok(u64::from(self.files.status_flags(description)?)),
            linux::F_SETFL => {
                let flags = argument as u32;
                self.files.set_status_flags(description, flags)?;
                let asynchronous = flags & linux::FASYNC != 0;
                self.set_asynchronous(descriptor as u32, description, asynchronous)?;
                Ok(0)
            }
            linux::F_SETLEASE => {
                let mode = match argument as u32 {
                    linux::F_RDLCK => Some(LockMode::Shared),
                    linux::F_WRLCK => Some(LockMode::Exclusive),
                    linux::F_UNLCK => None,
                    _ => return Err(Errno::EINVAL),
                };
                heap::require_reserve()?;
                let process = self.processes[self.current.process].pid.0;
                self.files.set_lease(description, mode, process)?;
                self.wake_files();
                Ok(0)
            }
            linux::F_GETLEASE => Ok(u64::from(match self.files.lease(description)? {
                Some(LockMode::Shared) => linux::F_RDLCK,
                Some(LockMode::Exclusive) => linux::F_WRLCK,
                None => linux::F_UNLCK,
            })),
            linux::F_GET_SEALS => Ok(u64::from(self.files.seals(description)?)),
            linux::F_ADD_SEALS => {
                self.files.add_seals(description, argument as u32)?;
                Ok(0)
            }
            linux::F_GETPIPE_SZ => self.files.pipe_capacity(description),
            linux::F_SETPIPE_SZ => {
                let size = u64::from(argument as u32);
                let credentials = &self.processes[self.current.process].credentials;
                if size > self.files.pipe_limit() && !credentials.may_exceed() && size <= 1 << 31 {
                    return Err(Errno::EPERM);
                }
                let capacity = self
                    .files
                    .set_pipe_capacity(&mut self.pages, description, size)?;
                self.wake_files();
                Ok(capacity)
            }
            _ => self.fcntl_notices(descriptor as u32, description, command, argument),
        }
    }

    /// pipe(2) and pipe2(2).
    pub fn pipe(&mut self, address: u64, flags: u64) -> Result<u64, Errno> {
        heap::require_reserve()?;
        let process = &mut self.processes[self.current.process];
        let Process {
            descriptors,
            credentials,
            memory: Some(memory),
            ..
        } = process
        else {
            return Err(Errno::ESRCH);
        };
        let table = descriptors.own(&mut self.files)?;
        let ends = self.files.pipe2(&mut self.pages, table, flags as u32)?;
        let limit = self.files.pipe_limit();
        if limit < PIPE_CAPACITY as u64 && !credentials.may_exceed() {
            let description = table.get(ends[0])?;
            self.files
                .set_pipe_capacity(&mut self.pages, description, limit)?;
        }
        let bytes = [ends[0].to_ne_bytes(), ends[1].to_ne_bytes()].concat();
        if let Err(fault) = user::write(memory, address, &bytes) {
            for end in ends {
                // Just opened: closing them cannot fail.
                let _ = self.files.close(&mut self.pages, table, end);
            }
            return Err(fault.into());
        }
        Ok(0)
    }

    /// getdents(2), getdents64. Entries are made in the kernel, for one may cross a page.
    pub fn getdents(
        &mut self,
        descriptor: u64,
        address: u64,
        length: u64,
        listing: Listing,
    ) -> Result<u64, Errno> {
        const CHUNK: usize = 1024;
        let description = self.description(descriptor)?;
        let length = u64::from(length as u32);
        let mut done = 0;
        let mut buffer = [0; CHUNK];
        loop {
            let room = (length - done).min(CHUNK as u64) as usize;
            let view = ProcessesView {
                processes: self.processes,
                names: &self.names,
                pipe_limit: self.files.pipe_limit(),
                console: &self.console,
                current: self.current,
            };
            let count =
                match self
                    .files
                    .read_directory(description, &view, listing, &mut buffer[..room])
                {
                    Ok(0) => break,
                    Ok(count) => count,
                    // The next entry does not fit in what is left.
                    Err(Errno::EINVAL) if done > 0 => break,
                    Err(errno) => return Err(errno),
                };
            user::write(
                self.processes[self.current.process].space(),
                address.wrapping_add(done),
                &buffer[..count],
            )?;
            done += count as u64;
            if done == length {
                break;
            }
        }
        Ok(done)
    }

    /// ioctl(2): of any file FIOCLEX, FIONCLEX, FIONBIO, FIOASYNC and FIONREAD; of the console ioctl_tty(2).
    pub fn ioctl(
        &mut self,
        descriptor: u64,
        request: u64,
        argument: u64,
    ) -> Result<Outcome, Errno> {
        let description = self.description(descriptor)?;
        self.files.open_inode_of(description)?;
        let device = self.files.kernel_device(description)?;
        let process = &mut self.processes[self.current.process];
        match request as u32 {
            ioctl::FIOCLEX => process
                .descriptors
                .own(&mut self.files)?
                .set_on_exec(descriptor as u32, OnExec::Close)?,
            ioctl::FIONCLEX => process
                .descriptors
                .own(&mut self.files)?
                .set_on_exec(descriptor as u32, OnExec::Keep)?,
            ioctl::FIONBIO => {
                let mut word = [0; 4];
                user::read(process.space(), argument, &mut word)?;
                let flags = self.files.status_flags(description)? & !linux::O_NONBLOCK;
                let nonblocking = if word == [0; 4] { 0 } else { linux::O_NONBLOCK };
                self.files
                    .set_status_flags(description, flags | nonblocking)?;
            }
            ioctl::FIOASYNC => {
                self.ioctl_asynchronous(descriptor as u32, description, argument)?;
            }
            request if device == Some(KernelDevice::Console) => {
                return self.terminal_ioctl(request, argument);
            }
            ioctl::FIONREAD => {
                let bytes = self
                    .files
                    .readable_bytes(&self.pages, description)?
                    .min(i32::MAX as u64) as u32;
                user::write(process.space(), argument, &bytes.to_ne_bytes())?;
            }
            _ => return Err(Errno::ENOTTY),
        }
        Ok(Outcome::Return(0))
    }
}
