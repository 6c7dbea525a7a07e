//! Changes of names: directories, links, rename, unlink.
use super::paths::{PathBuffer, WORKING_DIRECTORY};
use crate::kernel::Kernel;
use crate::memory::heap;
use crate::memory::pages::Pages;
use crate::processes_view::ProcessesView;
use contract::Errno;
use files::{Files, Located, Node, Replaced, View};
use linux_raw_sys::general as linux;

/// A path, and where it starts.
struct Place<'a> {
    view: View<'a>,
    path: &'a [u8],
}

impl Kernel {
    /// mkdir(2).
    pub fn mkdir(&mut self, path: u64, mode: u64) -> Result<u64, Errno> {
        self.mkdirat(WORKING_DIRECTORY, path, mode)
    }

    /// mkdirat(2).
    pub fn mkdirat(&mut self, directory: u64, path: u64, mode: u64) -> Result<u64, Errno> {
        self.with_path(directory, path, |files, pages, view, path| {
            files
                .mkdir(pages, view, path, (mode & 0o1777) as u16)
                .map(|()| 0)
        })
    }

    /// mknod(2).
    pub fn mknod(&mut self, path: u64, mode: u64, device: u64) -> Result<u64, Errno> {
        self.mknodat(WORKING_DIRECTORY, path, mode, device)
    }

    /// mknodat(2): a regular file, a FIFO, a device.
    pub fn mknodat(
        &mut self,
        directory: u64,
        path: u64,
        mode: u64,
        device: u64,
    ) -> Result<u64, Errno> {
        // A dev_t of the call has 32 bits.
        let node = Node::parse(mode as u32, u64::from(device as u32))?;
        self.with_path(directory, path, |files, _, view, path| {
            files.mknod(view, path, node).map(|()| 0)
        })
    }

    /// rmdir(2).
    pub fn rmdir(&mut self, path: u64) -> Result<u64, Errno> {
        self.unlinkat(WORKING_DIRECTORY, path, u64::from(linux::AT_REMOVEDIR))
    }

    /// unlink(2).
    pub fn unlink(&mut self, path: u64) -> Result<u64, Errno> {
        self.unlinkat(WORKING_DIRECTORY, path, 0)
    }

    /// unlinkat(2).
    pub fn unlinkat(&mut self, directory: u64, path: u64, flags: u64) -> Result<u64, Errno> {
        let flags = flags as u32;
        if flags & !linux::AT_REMOVEDIR != 0 {
            return Err(Errno::EINVAL);
        }
        self.with_path(directory, path, |files, pages, view, path| {
            if flags & linux::AT_REMOVEDIR != 0 {
                files.rmdir(pages, view, path)?;
            } else {
                files.unlink(pages, view, path)?;
            }
            Ok(0)
        })
    }

    /// Runs `f` with two paths, each with the view it is resolved in.
    fn with_two_paths(
        &mut self,
        [first, second]: [(u64, u64); 2],
        f: impl FnOnce(&mut Files<Pages>, &mut Pages, &Place<'_>, &Place<'_>) -> Result<(), Errno>,
    ) -> Result<u64, Errno> {
        heap::require_reserve()?;
        let mut buffers = (PathBuffer::take(), PathBuffer::take());
        let process = &self.processes[self.current.process];
        let from = buffers.0.read(process.space(), first.1)?;
        let from_start = self.start_for(first.0, from)?;
        let to = buffers.1.read(process.space(), second.1)?;
        let processes = ProcessesView {
            processes: self.processes,
            names: &self.names,
            pipe_limit: self.files.pipe_limit(),
            console: &self.console,
            current: self.current,
        };
        let view = |start| View {
            start,
            process: process.pid.0,
            umask: process.umask,
            owner: process.credentials.owner(),
            processes: &processes,
        };
        let from = Place {
            view: view(from_start),
            path: from,
        };
        let to = Place {
            view: view(self.start_for(second.0, to)?),
            path: to,
        };
        f(&mut self.files, &mut self.pages, &from, &to).map(|()| 0)
    }

    /// symlink(2).
    pub fn symlink(&mut self, target: u64, path: u64) -> Result<u64, Errno> {
        self.symlinkat(target, WORKING_DIRECTORY, path)
    }

    /// symlinkat(2).
    pub fn symlinkat(&mut self, target: u64, directory: u64, path: u64) -> Result<u64, Errno> {
        // The target is only text.
        let paths = [(WORKING_DIRECTORY, target), (directory, path)];
        self.with_two_paths(paths, |files, pages, target, link| {
            files.symlink(pages, &link.view, target.path, link.path)
        })
    }

    /// link(2).
    pub fn link(&mut self, old: u64, new: u64) -> Result<u64, Errno> {
        self.linkat(WORKING_DIRECTORY, old, WORKING_DIRECTORY, new, 0)
    }

    /// linkat(2).
    pub fn linkat(
        &mut self,
        old_directory: u64,
        old: u64,
        new_directory: u64,
        new: u64,
        flags: u64,
    ) -> Result<u64, Errno> {
        const KNOWN: u32 = linux::AT_SYMLINK_FOLLOW | linux::AT_EMPTY_PATH;
        let flags = flags as u32;
        if flags & !KNOWN != 0 {
            return Err(Errno::EINVAL);
        }
        let last = match flags & linux::AT_SYMLINK_FOLLOW {
            0 => linux::AT_SYMLINK_NOFOLLOW,
            _ => 0,
        };
        let inode = match self.locate(old_directory, old, flags & linux::AT_EMPTY_PATH | last)? {
            Located::Inode(inode) => inode,
            Located::Description(id) => self.files.inode_of(id)?.ok_or(Errno::EXDEV)?,
        };
        self.with_path(new_directory, new, |files, _, view, path| {
            files.link(inode, view, path).map(|()| 0)
        })
    }

    /// rename(2).
    pub fn rename(&mut self, old: u64, new: u64) -> Result<u64, Errno> {
        self.renameat2(WORKING_DIRECTORY, old, WORKING_DIRECTORY, new, 0)
    }

    /// renameat2(2); renameat(2) without flags.
    pub fn renameat2(
        &mut self,
        old_directory: u64,
        old: u64,
        new_directory: u64,
        new: u64,
        flags: u64,
    ) -> Result<u64, Errno> {
        let replaced = Replaced::from_flags(flags as u32)?;
        self.with_two_paths(
            [(old_directory, old), (new_directory, new)],
            |files, pages, old, new| {
                files.rename(pages, &old.view, old.path, &new.view, new.path, replaced)
            },
        )
    }
}
