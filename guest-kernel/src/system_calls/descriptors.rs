//! What is done through descriptors but for moving bytes: dup, fcntl, pipe, ioctl, poll.
use super::Outcome;
use crate::arch::clock;
use crate::kernel::Kernel;
use crate::memory::heap;
use crate::memory::user;
use crate::process::{Process, Wait};
use crate::processes_view::ProcessesView;
use contract::Errno;
use files::{DescriptionId, InodeId, KernelDevice, OnExec, Readiness};
use linux_raw_sys::general as linux;
use linux_raw_sys::ioctl;

/// Most descriptors of poll(2): RLIMIT_NOFILE.
const POLL_LIMIT: u64 = files::DESCRIPTOR_LIMIT as u64;

/// In nanoseconds.
const MILLISECOND: u64 = 1_000_000;

impl Kernel {
    #[inline]
    pub fn description(&self, descriptor: u64) -> Result<DescriptionId, Errno> {
        self.processes[self.current]
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
        let table = self.processes[self.current]
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
        let table = self.processes[self.current]
            .descriptors
            .own(&mut self.files)?;
        Ok(u64::from(self.files.duplicate(
            table,
            descriptor as u32,
            from,
            on_exec,
        )?))
    }

    /// dup2(2).
    pub fn dup2(&mut self, old: u64, new: u64) -> Result<u64, Errno> {
        heap::require_reserve()?;
        let table = self.processes[self.current]
            .descriptors
            .own(&mut self.files)?;
        let new = self
            .files
            .dup2(&mut self.pages, table, old as u32, new as u32)?;
        self.wake_files();
        Ok(u64::from(new))
    }

    /// dup3(2).
    pub fn dup3(&mut self, old: u64, new: u64, flags: u64) -> Result<u64, Errno> {
        heap::require_reserve()?;
        let on_exec = match flags as u32 {
            0 => OnExec::Keep,
            linux::O_CLOEXEC => OnExec::Close,
            _ => return Err(Errno::EINVAL),
        };
        let table = self.processes[self.current]
            .descriptors
            .own(&mut self.files)?;
        let new = self
            .files
            .dup3(&mut self.pages, table, old as u32, new as u32, on_exec)?;
        self.wake_files();
        Ok(u64::from(new))
    }

    /// fcntl(2), without locks.
    pub fn fcntl(&mut self, descriptor: u64, command: u64, argument: u64) -> Result<u64, Errno> {
        let description = self.description(descriptor)?;
        let descriptors = &mut self.processes[self.current].descriptors;
        match command as u32 {
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
                self.files.set_status_flags(description, argument as u32)?;
                Ok(0)
            }
            _ => Err(Errno::EINVAL),
        }
    }

    /// pipe(2) and pipe2(2).
    pub fn pipe(&mut self, address: u64, flags: u64) -> Result<u64, Errno> {
        heap::require_reserve()?;
        let process = &mut self.processes[self.current];
        let Process {
            descriptors,
            memory: Some(memory),
            ..
        } = process
        else {
            return Err(Errno::ESRCH);
        };
        let table = descriptors.own(&mut self.files)?;
        let ends = self.files.pipe2(&mut self.pages, table, flags as u32)?;
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

    /// getdents64(2). Entries are made in the kernel, for one may cross a page.
    pub fn getdents64(&mut self, descriptor: u64, address: u64, length: u64) -> Result<u64, Errno> {
        const CHUNK: usize = 1024;
        let description = self.description(descriptor)?;
        let mut done = 0;
        let mut buffer = [0; CHUNK];
        while done < length {
            let room = (length - done).min(CHUNK as u64) as usize;
            let view = ProcessesView {
                processes: self.processes,
            };
            let count = match self
                .files
                .read_directory(description, &view, &mut buffer[..room])
            {
                Ok(0) => break,
                Ok(count) => count,
                // The next entry does not fit in what is left.
                Err(Errno::EINVAL) if done > 0 => break,
                Err(errno) => return Err(errno),
            };
            user::write(
                self.processes[self.current].space(),
                address.wrapping_add(done),
                &buffer[..count],
            )?;
            done += count as u64;
        }
        Ok(done)
    }

    /// ioctl(2): of any file FIOCLEX, FIONCLEX, FIONBIO and FIONREAD; of the console ioctl_tty(2).
    pub fn ioctl(&mut self, descriptor: u64, request: u64, argument: u64) -> Result<u64, Errno> {
        let description = self.description(descriptor)?;
        let device = self.files.kernel_device(description)?;
        let process = &mut self.processes[self.current];
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
            request if device == Some(KernelDevice::Console) => {
                return self.terminal_ioctl(request, argument);
            }
            ioctl::FIONREAD => {
                let bytes = self.files.readable_bytes(description)?.min(i32::MAX as u64) as u32;
                user::write(process.space(), argument, &bytes.to_ne_bytes())?;
            }
            _ => return Err(Errno::ENOTTY),
        }
        Ok(0)
    }

    /// poll(2). What the call has of progress is its deadline, once there is one.
    pub fn poll(&mut self, address: u64, count: u64, timeout: u64) -> Result<Outcome, Errno> {
        const NEVER_ASKED: u16 = (linux::POLLERR | linux::POLLHUP | linux::POLLNVAL) as u16;
        if count > POLL_LIMIT {
            return Err(Errno::EINVAL);
        }
        let mut ready = 0;
        for index in 0..count {
            let at = address.wrapping_add(8 * index);
            let process = &self.processes[self.current];
            let word = user::read_u64(process.space(), at)?;
            let (descriptor, asked) = (word as u32, (word >> 32) as u16);
            let found = if (descriptor as i32) < 0 {
                0
            } else {
                match process
                    .descriptors
                    .get(descriptor)
                    .and_then(|id| self.files.ready(id))
                {
                    Ok(Readiness::Events(events)) => events,
                    Ok(Readiness::Device(KernelDevice::Console)) if !self.console.is_readable() => {
                        linux::POLLOUT as u16
                    }
                    Ok(Readiness::Device(_)) => (linux::POLLIN | linux::POLLOUT) as u16,
                    Err(_) => linux::POLLNVAL as u16,
                }
            };
            let events = found & (asked | NEVER_ASKED);
            ready += u64::from(events != 0);
            user::write(process.space(), at.wrapping_add(6), &events.to_ne_bytes())?;
        }
        if ready > 0 || timeout as i32 == 0 {
            return Ok(Outcome::Return(ready));
        }
        let deadline = match (self.progress, timeout as i32) {
            (0, ..0) => None,
            (0, milliseconds) => Some(clock::now() + milliseconds as u64 * MILLISECOND),
            (deadline, _) => Some(deadline as u64),
        };
        if deadline.is_some_and(|deadline| deadline <= clock::now()) {
            return Ok(Outcome::Return(0));
        }
        heap::require_reserve()?;
        self.console.listen();
        Ok(self.wait_in_call(Wait::Readiness { deadline }))
    }

    /// The file behind a descriptor that mmap(2) can map.
    pub fn mappable_file(&self, descriptor: u64) -> Result<InodeId, Errno> {
        let description = self.description(descriptor)?;
        if self.files.status_flags(description)? & linux::O_ACCMODE == linux::O_WRONLY {
            return Err(Errno::EACCES);
        }
        let inode = self.files.inode_of(description)?.ok_or(Errno::ENODEV)?;
        if self.files.is_regular(inode) {
            Ok(inode)
        } else {
            Err(Errno::ENODEV)
        }
    }
}
