//! close, dup and their like; the descriptors at fork, exec and exit.
use crate::description::{DescriptionId, Opened};
use crate::fd_table::{DESCRIPTOR_LIMIT, FdTable, OnExec};
use crate::pipe::End;
use crate::{Files, PageStore};
use contract::Errno;
use linux_raw_sys::general as linux;

impl<S: PageStore> Files<S> {
    /// The table of a new process: the same descriptions, each counted once more.
    pub fn fork_descriptors(&mut self, table: &FdTable) -> FdTable {
        table.copy(|id| self.retain(id))
    }

    /// Closes what exec closes; the process loses its locks on that.
    pub fn close_on_exec(&mut self, store: &mut S, table: &mut FdTable, process: u32) {
        let mut from = 0;
        while let Some(fd) = table.next_to_close(from) {
            if self.has_record_locks()
                && let Ok(id) = table.get(fd)
            {
                self.release_process_locks(id, process);
            }
            let _ = self.close(store, table, fd);
            from = fd + 1;
        }
    }

    /// Closes all, and gives the table's memory back.
    pub fn close_all(&mut self, store: &mut S, table: &mut FdTable) {
        let mut from = 0;
        while let Some(fd) = table.next_open(from) {
            let _ = self.close(store, table, fd);
            from = fd + 1;
        }
        table.forget();
    }

    /// close(2).
    ///
    /// # Errors
    /// EBADF.
    pub fn close(&mut self, store: &mut S, table: &mut FdTable, fd: u32) -> Result<(), Errno> {
        let id = table.take(fd)?;
        self.drop_reference(store, id);
        Ok(())
    }

    /// Gives a description, with the caller's reference, the lowest free descriptor. On an error the reference is
    /// dropped.
    ///
    /// # Errors
    /// EMFILE, ENOMEM.
    pub fn install(
        &mut self,
        store: &mut S,
        table: &mut FdTable,
        id: DescriptionId,
        on_exec: OnExec,
    ) -> Result<u32, Errno> {
        let installed = table
            .lowest_free(0)
            .and_then(|fd| table.set(fd, id, on_exec).map(|()| fd));
        if installed.is_err() {
            self.drop_reference(store, id);
        }
        installed
    }

    /// As [`Self::install`], at the number that was reserved for it, if it still is.
    ///
    /// # Errors
    /// As there.
    pub fn install_reserved(
        &mut self,
        store: &mut S,
        table: &mut FdTable,
        id: DescriptionId,
        on_exec: OnExec,
        fd: u32,
    ) -> Result<u32, Errno> {
        table.unreserve(fd);
        if table.get(fd).is_ok() {
            return self.install(store, table, id, on_exec);
        }
        // The reservation took the memory for it.
        match table.set(fd, id, on_exec) {
            Ok(()) => Ok(fd),
            Err(errno) => {
                self.drop_reference(store, id);
                Err(errno)
            }
        }
    }

    /// dup(2), and F_DUPFD and F_DUPFD_CLOEXEC of fcntl(2): the lowest free descriptor from `from` on.
    ///
    /// # Errors
    /// EBADF; EINVAL where `from` is at or above the limit; EMFILE; ENOMEM.
    pub fn duplicate(
        &mut self,
        table: &mut FdTable,
        fd: u32,
        from: u32,
        on_exec: OnExec,
    ) -> Result<u32, Errno> {
        let id = table.get_open(fd)?;
        if from >= table.limit() && from != 0 {
            return Err(Errno::EINVAL);
        }
        let new = table.lowest_free(from)?;
        table.set(new, id, on_exec)?;
        self.retain(id);
        Ok(new)
    }

    /// dup2(2), dup3(2): `new` leads where `old` does.
    ///
    /// # Errors
    /// EINVAL where both are the same; EBADF; EBUSY where another thread's open
    /// has the new number already and waits, as on Linux; ENOMEM.
    pub fn dup3(
        &mut self,
        store: &mut S,
        table: &mut FdTable,
        old: u32,
        new: u32,
        on_exec: OnExec,
    ) -> Result<u32, Errno> {
        if old == new {
            return Err(Errno::EINVAL);
        }
        if new >= table.limit().min(DESCRIPTOR_LIMIT) {
            return Err(Errno::EBADF);
        }
        let id = table.get_open(old)?;
        let before = table.get(new).ok();
        if before == Some(DescriptionId::NONE) {
            return Err(Errno::EBUSY);
        }
        table.set(new, id, on_exec)?;
        self.retain(id);
        if let Some(before) = before {
            self.drop_reference(store, before);
        }
        Ok(new)
    }

    /// pipe2(2): the descriptors of the read end and of the write end. On an error nothing is left.
    ///
    /// # Errors
    /// EINVAL for a flag other than O_CLOEXEC, O_NONBLOCK and O_DIRECT; EMFILE, ENFILE, ENOMEM.
    pub fn pipe2(
        &mut self,
        store: &mut S,
        table: &mut FdTable,
        flags: u32,
    ) -> Result<[u32; 2], Errno> {
        if flags & !(linux::O_CLOEXEC | linux::O_NONBLOCK | linux::O_DIRECT) != 0 {
            return Err(Errno::EINVAL);
        }
        let read_fd = table.lowest_free(0)?;
        table.lowest_free(read_fd + 1)?;
        let on_exec = OnExec::from_flags(flags);
        let status = flags & linux::O_NONBLOCK;
        let pipe = self.add_pipe()?;
        self.open_end(pipe, End::Read);
        let [read, write] = if flags & linux::O_DIRECT == 0 {
            [Opened::PipeRead(pipe), Opened::PipeWrite(pipe)]
        } else {
            [End::Read, End::Write].map(|end| Opened::Packets(end, pipe))
        };
        let reader = match self.describe(read, status | linux::O_RDONLY) {
            Ok(reader) => reader,
            Err(errno) => {
                self.close_end(store, pipe, End::Read);
                return Err(errno);
            }
        };
        let read_fd = self.install(store, table, reader, on_exec);
        let Ok(read_fd) = read_fd else {
            return Err(Errno::ENOMEM);
        };
        self.open_end(pipe, End::Write);
        let written = match self.describe(write, flags & linux::O_DIRECT | status | linux::O_WRONLY)
        {
            Ok(writer) => self.install(store, table, writer, on_exec),
            Err(errno) => {
                self.close_end(store, pipe, End::Write);
                Err(errno)
            }
        };
        match written {
            Ok(write_fd) => Ok([read_fd, write_fd]),
            Err(errno) => {
                let _ = self.close(store, table, read_fd);
                Err(errno)
            }
        }
    }
}
