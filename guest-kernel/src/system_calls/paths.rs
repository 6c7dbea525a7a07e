//! What is done by name and changes none: open, readlink, chdir; and how a path comes from a program.
use super::Outcome;
use crate::arch::clock::{self, SECOND};
use crate::kernel::Kernel;
use crate::memory::heap;
use crate::memory::pages::Pages;
use crate::memory::space::AddressSpace;
use crate::memory::user;
use crate::memory::user_window::{Reader, find_nul};
use crate::process::scheduler::Next;
use crate::process::signal::Interrupted;
use crate::process::{Wait, held};
use crate::processes_view::ProcessesView;
use alloc::vec::Vec;
use contract::Errno;
use core::mem::MaybeUninit;
use files::{
    Broken, DescriptionId, FdTable, Files, InodeId, LastLink, OnExec, PATH_MAX, Time, View, WaitFor,
};
use linux_raw_sys::general as linux;

/// Room for a path from a program, on the kernel's stack; written only as far as the path goes.
pub struct PathBuffer([MaybeUninit<u8>; PATH_MAX]);

impl PathBuffer {
    pub const fn take() -> Self {
        Self([const { MaybeUninit::uninit() }; PATH_MAX])
    }

    /// Reads the NUL-ended string at `address`.
    ///
    /// # Errors
    /// EFAULT; ENAMETOOLONG where it does not fit with its NUL.
    pub fn read(&mut self, space: &AddressSpace, address: u64) -> Result<&[u8], Errno> {
        let mut from = Reader::new(space);
        let mut length = 0;
        loop {
            let rest = from.rest_of_page(address.wrapping_add(length as u64))?;
            let (end, piece) = match find_nul(rest) {
                Some(end) => (true, &rest[..end]),
                None => (false, rest),
            };
            let place = self.0.get_mut(length..length + piece.len());
            place.ok_or(Errno::ENAMETOOLONG)?.write_copy_of_slice(piece);
            length += piece.len();
            if end {
                break;
            }
        }
        let place = self.0.get(..length).filter(|_| length < PATH_MAX);
        // SAFETY: each of these bytes was just written.
        place
            .map(|place| unsafe { place.assume_init_ref() })
            .ok_or(Errno::ENAMETOOLONG)
    }
}

/// The time that a change of a file gets.
pub fn time_of_change() -> Time {
    let now = clock::realtime();
    Time {
        seconds: (now / SECOND) as i64,
        nanoseconds: (now % SECOND) as u32,
    }
}

/// What the flags of an `*at` call say of a link at the end of its path.
pub const fn last_link(flags: u32) -> LastLink {
    if flags & linux::AT_SYMLINK_NOFOLLOW == 0 {
        LastLink::Follow
    } else {
        LastLink::Keep
    }
}

/// AT_FDCWD, as it arrives in a register.
pub const WORKING_DIRECTORY: u64 = linux::AT_FDCWD as i64 as u64;

impl Kernel {
    /// Where a path given with a directory's descriptor starts.
    fn start(&self, directory: u64) -> Result<InodeId, Errno> {
        let process = &self.processes[self.current.process];
        if directory as i32 == linux::AT_FDCWD {
            return Ok(process.working_directory);
        }
        self.files
            .directory_of(process.descriptors.get(directory as u32)?)
    }

    /// As [`start`](Self::start); an absolute path needs no descriptor.
    pub fn start_for(&self, directory: u64, path: &[u8]) -> Result<InodeId, Errno> {
        match path.first() {
            Some(b'/') => Ok(self.files.root()),
            Some(_) => self.start(directory),
            None => Err(Errno::ENOENT),
        }
    }

    /// Runs `f` with the path at `address` and the view it is resolved in.
    pub fn with_path<R>(
        &mut self,
        directory: u64,
        address: u64,
        f: impl FnOnce(&mut Files<Pages>, &mut Pages, &View<'_>, &[u8]) -> Result<R, Errno>,
    ) -> Result<R, Errno> {
        heap::require_reserve()?;
        let mut buffer = PathBuffer::take();
        let path = buffer.read(self.processes[self.current.process].space(), address)?;
        let start = self.start_for(directory, path)?;
        self.with_view(start, |files, pages, view| f(files, pages, view, path))
    }

    /// Runs `f` with the view of the process that asks.
    fn with_view<R>(
        &mut self,
        start: InodeId,
        f: impl FnOnce(&mut Files<Pages>, &mut Pages, &View<'_>) -> Result<R, Errno>,
    ) -> Result<R, Errno> {
        let process = &self.processes[self.current.process];
        let view = View {
            start,
            process: process.pid.0,
            umask: process.umask,
            owner: process.credentials.owner(),
            processes: &ProcessesView {
                processes: self.processes,
                names: &self.names,
                pipe_limit: self.files.pipe_limit(),
                console: &self.console,
                current: self.current,
            },
        };
        f(&mut self.files, &mut self.pages, &view)
    }

    /// open(2).
    pub fn open(&mut self, path: u64, flags: u64, mode: u64) -> Result<Outcome, Errno> {
        self.openat(WORKING_DIRECTORY, path, flags, mode)
    }

    /// creat(2).
    pub fn creat(&mut self, path: u64, mode: u64) -> Result<Outcome, Errno> {
        let flags = linux::O_CREAT | linux::O_WRONLY | linux::O_TRUNC;
        self.openat(WORKING_DIRECTORY, path, u64::from(flags), mode)
    }

    /// openat(2). Where it opens a FIFO that waits for its other end, it holds that, and its progress is the number that
    /// is reserved for the descriptor, plus one.
    pub fn openat(
        &mut self,
        directory: u64,
        path: u64,
        flags: u64,
        mode: u64,
    ) -> Result<Outcome, Errno> {
        let held = held::file_in(self.progress);
        let description = match held {
            Some(file) => file,
            None => match self.open_new(directory, path, flags as u32, mode) {
                Err(Errno::EAGAIN) => match self.files.take_broken_lease() {
                    Some(broken) => return self.break_lease(broken, flags as u32),
                    None => return Err(Errno::EAGAIN),
                },
                opened => opened?,
            },
        };
        if let Some(until) = self.files.awaited(description) {
            return self.await_other_end(description, until);
        }
        let Self {
            processes,
            files,
            pages,
            current,
            ..
        } = self;
        let table = processes[*current].descriptors.own(files)?;
        let on_exec = OnExec::from_flags(flags as u32);
        let descriptor = match held {
            None => files.install(pages, table, description, on_exec)?,
            Some(_) => {
                let number = held::done_in(self.progress) as u32 - 1;
                // What the call holds it gives back itself.
                files.retain(description);
                files.install_reserved(pages, table, description, on_exec, number)?
            }
        };
        self.wake_files();
        self.check_terminal_opened(descriptor)?;
        Ok(Outcome::Return(u64::from(descriptor)))
    }

    /// A FIFO that has been opened waits for its other end.
    #[cold]
    fn await_other_end(&mut self, file: DescriptionId, until: WaitFor) -> Result<Outcome, Errno> {
        let descriptor = match held::file_in(self.progress) {
            Some(_) => held::done_in(self.progress) as u32 - 1,
            None => {
                let descriptors = &mut self.processes[self.current.process].descriptors;
                let reserved = descriptors.own(&mut self.files).and_then(FdTable::reserve);
                if reserved.is_err() {
                    self.files.drop_reference(&mut self.pages, file);
                }
                // Who waits for this end finds it.
                self.wake_files();
                reserved?
            }
        };
        Ok(self.wait_in_call(Wait::Open {
            until,
            file,
            descriptor,
        }))
    }

    /// An open, or a truncate(2), that a lease is in the way of: its holder is told, and the open waits until it is given up.
    #[cold]
    pub fn break_lease(&mut self, broken: Broken, flags: u32) -> Result<Outcome, Errno> {
        if let Some((to, signal)) = broken.tell {
            self.tell_of_lease(to, signal);
        }
        if self.whether_running() == Next::Other {
            return Ok(Outcome::Other);
        }
        // The holder may be the caller itself.
        if flags & linux::O_NONBLOCK != 0 {
            let result = Errno::EAGAIN.to_return_value();
            self.processes[self.current.thread].set_result(result);
            return Ok(Outcome::Same);
        }
        if self.processes.deliverable(self.current) != 0 {
            self.interrupt_current_call(Interrupted::AskedAgain);
            return Ok(Outcome::Other);
        }
        let until = WaitFor::Lock;
        Ok(self.wait_in_call(Wait::File { until, progress: 0 }))
    }

    /// `/dev/tty` is there for who has a controlling terminal.
    fn check_terminal_opened(&mut self, descriptor: u32) -> Result<(), Errno> {
        let description = self.description(u64::from(descriptor))?;
        if !self.files.is_controlling_terminal(description) || self.terminal_session().is_ok() {
            return Ok(());
        }
        self.close(u64::from(descriptor))?;
        Err(Errno::ENXIO)
    }

    fn open_new(
        &mut self,
        directory: u64,
        path: u64,
        flags: u32,
        mode: u64,
    ) -> Result<DescriptionId, Errno> {
        files::check_open_flags(flags)?;
        // Owned from here on: to install something does not fail for that.
        self.processes[self.current.process]
            .descriptors
            .own(&mut self.files)?
            .lowest_free(0)?;
        let description = self.with_path(directory, path, |files, pages, view, path| {
            files.open_description(pages, view, path, flags, (mode & 0o7777) as u16)
        })?;
        if flags & linux::O_TRUNC != 0 {
            self.forget_lost_pages();
        }
        Ok(description)
    }

    /// readlink(2).
    pub fn readlink(&mut self, path: u64, buffer: u64, size: u64) -> Result<u64, Errno> {
        self.readlinkat(WORKING_DIRECTORY, path, buffer, size)
    }

    /// readlinkat(2).
    pub fn readlinkat(
        &mut self,
        directory: u64,
        path: u64,
        buffer: u64,
        size: u64,
    ) -> Result<u64, Errno> {
        if size as i32 <= 0 {
            return Err(Errno::EINVAL);
        }
        let text = if self.is_empty_string(path)? {
            self.readlink_of_descriptor(directory)?
        } else {
            self.with_path(directory, path, |files, _, view, path| {
                files.readlink(view, path)
            })?
        };
        let length = text.len().min(size as usize);
        user::write(
            self.processes[self.current.process].space(),
            buffer,
            &text[..length],
        )?;
        Ok(length as u64)
    }

    /// The text of a link that is open with O_PATH.
    fn readlink_of_descriptor(&mut self, descriptor: u64) -> Result<Vec<u8>, Errno> {
        if descriptor as i32 == linux::AT_FDCWD {
            return Err(Errno::ENOENT);
        }
        let inode = self.files.inode_of(self.description(descriptor)?)?;
        heap::require_reserve()?;
        let text = self.with_view(self.files.root(), |files, _, view| {
            files.readlink_inode(view, inode.ok_or(Errno::ENOENT)?)
        });
        text.map_err(|errno| match errno {
            // An empty path names nothing but a link.
            Errno::EINVAL => Errno::ENOENT,
            errno => errno,
        })
    }

    /// Whether there is nothing at `address` but the NUL that ends it.
    pub fn is_empty_string(&self, address: u64) -> Result<bool, Errno> {
        let space = self.processes[self.current.process].space();
        Ok(user::string_length(space, address, 1)? == Some(0))
    }

    /// chdir(2).
    pub fn chdir(&mut self, path: u64) -> Result<u64, Errno> {
        let inode = self.with_path(WORKING_DIRECTORY, path, |files, _, view, path| {
            let inode = files.lookup(view, path, LastLink::Follow)?;
            if files.attributes(inode)?.is_directory() {
                Ok(inode)
            } else {
                Err(Errno::ENOTDIR)
            }
        })?;
        self.change_directory(inode);
        Ok(0)
    }

    /// fchdir(2).
    pub fn fchdir(&mut self, descriptor: u64) -> Result<u64, Errno> {
        let inode = self.files.directory_of(
            self.processes[self.current.process]
                .descriptors
                .get(descriptor as u32)?,
        )?;
        self.change_directory(inode);
        Ok(0)
    }

    fn change_directory(&mut self, inode: InodeId) {
        let new = self.files.share_directory(inode);
        let old = core::mem::replace(
            &mut self.processes[self.current.process].working_directory,
            new,
        );
        self.files.release_directory(&mut self.pages, old);
    }

    /// getcwd(2), the system call: answers the length with the NUL.
    pub fn getcwd(&self, buffer: u64, size: u64) -> Result<u64, Errno> {
        let process = &self.processes[self.current.process];
        let mut path = self.files.path_of(process.working_directory)?;
        path.push(0);
        if path.len() as u64 > size {
            return Err(Errno::ERANGE);
        }
        user::write(process.space(), buffer, &path)?;
        Ok(path.len() as u64)
    }

    /// umask(2).
    pub fn umask(&mut self, mask: u64) -> u64 {
        let new = (mask & 0o777) as u16;
        u64::from(core::mem::replace(
            &mut self.processes[self.current.process].umask,
            new,
        ))
    }
}
