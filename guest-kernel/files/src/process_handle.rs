//! Descriptors that stand for a process (pidfd_open(2)). Which process that is, and whether it has ended, the kernel
//! knows.
use crate::description::{DescriptionId, Opened};
use crate::fd_table::{FdTable, OnExec};
use crate::nameless::Nameless;
use crate::proc::{Output, ProcSource};
use crate::{Attributes, Files, PageStore};
use contract::Errno;
use linux_raw_sys::general as linux;

/// A process: its id may come to be another's, but not with the same beginning.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct ProcessHandle {
    /// Its id.
    pub pid: u32,
    /// When it was created, in the kernel's own unit.
    pub started: u64,
}

impl ProcessHandle {
    /// Of no process.
    pub const NOBODY: Self = Self { pid: 0, started: 0 };
}

impl<S: PageStore> Files<S> {
    /// A descriptor for a process, which exec closes.
    ///
    /// # Errors
    /// EMFILE, ENFILE, ENOMEM.
    pub fn open_process(
        &mut self,
        store: &mut S,
        table: &mut FdTable,
        handle: ProcessHandle,
        status: u32,
    ) -> Result<u32, Errno> {
        table.lowest_free(0)?;
        let id = self.describe(Opened::Process(handle), linux::O_RDWR | status)?;
        self.process_handles += 1;
        self.note_who_minds_ends();
        self.install(store, table, id, OnExec::Close)
    }

    /// The process that a description stands for.
    ///
    /// # Errors
    /// EBADF where it does not.
    pub fn process_handle(&self, id: DescriptionId) -> Result<ProcessHandle, Errno> {
        match self.description(id)?.opened {
            Opened::Process(handle) => Ok(handle),
            _ => Err(Errno::EBADF),
        }
    }

    /// Lets a description that stands for a process stand for another.
    ///
    /// # Errors
    /// EBADF where it stands for none.
    pub fn set_process_handle(
        &mut self,
        id: DescriptionId,
        handle: ProcessHandle,
    ) -> Result<(), Errno> {
        match &mut self.description_mut(id)?.opened {
            Opened::Process(old) => *old = handle,
            _ => return Err(Errno::EBADF),
        }
        Ok(())
    }

    /// Writes what `/proc/PID/fdinfo` says of a descriptor.
    pub(crate) fn write_of_descriptor(
        &self,
        processes: &dyn ProcSource,
        process: u32,
        fd: u32,
        out: &mut dyn Output,
    ) -> Result<(), Errno> {
        let id = processes.descriptor(process, fd).ok_or(Errno::ENOENT)?;
        let description = self.description(id)?;
        let on_exec = if processes.closes_on_exec(process, fd) {
            linux::O_CLOEXEC
        } else {
            0
        };
        let (position, flags) = (description.offset, description.status | on_exec);
        let inode = self.description_attributes(id)?.ino;
        // What cannot be written is `Output`'s own to remember.
        let _ = write!(
            out,
            "pos:\t{position}\nflags:\t0{flags:o}\nmnt_id:\t1\nino:\t{inode}\n"
        );
        if let Opened::Process(handle) = description.opened {
            let pid = match processes.is_left(handle) {
                true => i64::from(handle.pid),
                false => -1,
            };
            let _ = write!(out, "Pid:\t{pid}\nNSpid:\t{pid}\n");
        }
        Ok(())
    }

    /// A description of a process has been closed.
    pub(crate) fn close_process(&mut self) {
        self.process_handles -= 1;
        self.note_who_minds_ends();
    }

    /// A process ends: who polls looks again.
    pub fn tell_of_end(&mut self) {
        if self.process_handles != 0 {
            self.wakeups.readiness_changed();
        }
    }

    /// Whether the end of a process matters to more than its family: who has record locks loses them, there are
    /// descriptors that stand for processes, and some are told what it closes.
    #[inline]
    #[must_use]
    pub fn minds_ends(&self) -> bool {
        self.minds_ends
    }

    pub(crate) fn note_who_minds_ends(&mut self) {
        self.minds_ends = self.process_handles != 0 || self.has_record_locks() || self.tells();
    }

    /// What Linux shows for all descriptors of its own making that are no files (`anon_inode`).
    pub(crate) fn process_attributes(&self) -> Attributes {
        Attributes {
            mode: 0o600,
            ..self.nameless_attributes(Nameless::Pipe(0))
        }
    }
}
