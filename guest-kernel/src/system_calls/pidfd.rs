//! Descriptors that stand for processes: pidfd_open(2), pidfd_send_signal(2), CLONE_PIDFD of clone(2).
//!
//! Such a descriptor does not keep what is left of a process: it knows it again by pid and beginning, which no other
//! process has.
use super::Outcome;
use crate::kernel::Kernel;
use crate::memory::{heap, user};
use crate::process::clone::Request;
use crate::process::signal::{Info, SIGINFO_SIZE, Said, To, signal_number};
use crate::process::{Pid, ProcessSlot};
use contract::Errno;
use files::{InodeId, ProcNode, ProcessHandle};
use linux_raw_sys::general as linux;

impl Kernel {
    fn handle_of(&self, slot: ProcessSlot) -> ProcessHandle {
        let process = &self.processes[slot];
        ProcessHandle {
            pid: process.pid.0,
            started: process.started,
        }
    }

    /// Whether the process of a handle has ended, so that its descriptors can be read, as poll(2) calls it.
    pub fn has_ended(&self, handle: ProcessHandle) -> bool {
        self.processes
            .holder_of(handle)
            .is_none_or(|slot| self.processes[slot].ended.is_some())
    }

    /// pidfd_open(2).
    pub fn pidfd_open(&mut self, pid: u64, flags: u64) -> Result<u64, Errno> {
        let flags = flags as u32;
        if flags & !linux::O_NONBLOCK != 0 || pid as i32 <= 0 {
            return Err(Errno::EINVAL);
        }
        let pid = Pid(pid as u32);
        let process = match self.processes.find(pid) {
            Some(process) => process,
            // A thread is no process.
            None if self.processes.find_thread(pid).is_some() => return Err(Errno::EINVAL),
            None => return Err(Errno::ESRCH),
        };
        self.open_handle(self.handle_of(process), flags)
            .map(u64::from)
    }

    fn open_handle(&mut self, handle: ProcessHandle, status: u32) -> Result<u32, Errno> {
        heap::require_reserve()?;
        let table = self.processes[self.current]
            .descriptors
            .own(&mut self.files)?;
        self.files
            .open_process(&mut self.pages, table, handle, status)
    }

    /// The process that a descriptor stands for. EBADF where it stands for none.
    fn process_handle(&self, descriptor: u64) -> Result<ProcessHandle, Errno> {
        self.files.process_handle(self.description(descriptor)?)
    }

    /// As [`process_handle`](Self::process_handle), or the process whose directory in `/proc` it leads to.
    fn signalled(&self, descriptor: u64) -> Result<ProcessHandle, Errno> {
        let description = self.description(descriptor)?;
        match self.files.inode_of(description)? {
            Some(InodeId::Proc(ProcNode::Process(pid))) => {
                let process = self.processes.find(Pid(pid)).ok_or(Errno::ESRCH)?;
                Ok(self.handle_of(process))
            }
            _ => self.files.process_handle(description),
        }
    }

    /// What P_PIDFD of waitid(2) is about: the process, and whether the descriptor says not to wait.
    pub fn waited_handle(&self, descriptor: u64) -> Result<(Option<Pid>, bool), Errno> {
        let handle = self.process_handle(descriptor)?;
        let status = self.files.status_flags(self.description(descriptor)?)?;
        let pid = self.processes.holder_of(handle).map(|_| Pid(handle.pid));
        Ok((pid, status & linux::O_NONBLOCK != 0))
    }

    /// pidfd_send_signal(2).
    pub fn pidfd_send_signal(
        &mut self,
        descriptor: u64,
        signal: u64,
        info: u64,
        flags: u64,
    ) -> Result<Outcome, Errno> {
        if flags as u32 != 0 {
            return Err(Errno::EINVAL);
        }
        let handle = self.signalled(descriptor)?;
        let info = match info {
            0 => Info::Kill(self.sender(self.current.process)),
            address => {
                let space = self.processes[self.current].space();
                user::check(address, SIGINFO_SIZE as u64)?;
                if user::read_u32(space, address)? != signal as u32 {
                    return Err(Errno::EINVAL);
                }
                let said: Said = self.said(address, u64::from(handle.pid))?;
                Info::Queued(said)
            }
        };
        let target = self.processes.holder_of(handle).ok_or(Errno::ESRCH)?;
        let signal = signal_number(signal)?;
        self.send_and_return(To::Process(target), signal, info)
    }

    /// Creates a process as [`create`](Self::create) does, and writes a descriptor that stands for it to `address`.
    /// The child has neither, but for what it shares.
    ///
    /// # Errors
    /// EMFILE, ENFILE, EFAULT, and those of `create`: then nothing has changed.
    #[cold]
    pub fn create_with_descriptor(
        &mut self,
        request: &Request,
        address: u64,
    ) -> Result<Outcome, Errno> {
        heap::require_reserve()?;
        // As it will be: whether it can be written comes before what cannot be undone.
        let space = self.processes[self.current].space();
        let mut before = [0; 4];
        user::read(space, address, &mut before)?;
        user::write(space, address, &before)?;
        let (vacancy, _) = self.processes.vacancy(request.tid)?;
        let pid = vacancy.pid();

        let shares = request.has(linux::CLONE_FILES);
        let childs = (!shares).then(|| self.processes[self.current].descriptors.share());
        let created = self
            .open_handle(ProcessHandle::NOBODY, 0)
            .and_then(|descriptor| match self.create(request) {
                Ok(outcome) => Ok((descriptor, outcome)),
                Err(errno) => {
                    // Just opened: closing it cannot fail.
                    let _ = self.close(u64::from(descriptor));
                    Err(errno)
                }
            });
        let mut surplus = childs;
        if let Ok((descriptor, _)) = created
            && let Some(child) = self.processes.find(pid)
        {
            if let Some(childs) = &mut surplus {
                core::mem::swap(childs, &mut self.processes[child].descriptors);
            }
            let handle = self.handle_of(child);
            if let Ok(description) = self.description(u64::from(descriptor)) {
                // It is a description of a process.
                let _ = self.files.set_process_handle(description, handle);
            }
            let space = self.processes[self.current].space();
            // Found to be possible above.
            let _ = user::write(space, address, &descriptor.to_ne_bytes());
        }
        if let Some(surplus) = &mut surplus {
            surplus.release(&mut self.files, &mut self.pages);
        }
        created.map(|(_, outcome)| outcome)
    }
}
