//! What is asked about a file: stat(2), statx(2), statfs(2), access(2).
use super::paths::{WORKING_DIRECTORY, last_link};
use crate::kernel::Kernel;
use crate::memory::user;
use crate::records::COUNTERS;
use contract::counters::Counter;
use contract::{Errno, PAGE};
use files::{Attributes, FileSystem, LastLink, Located, NAME_MAX};
use linux_raw_sys::general as linux;

impl Kernel {
    /// What a path leads to. With AT_EMPTY_PATH and an empty path, the descriptor itself.
    pub fn locate(&mut self, directory: u64, path: u64, flags: u32) -> Result<Located, Errno> {
        if flags & linux::AT_EMPTY_PATH != 0 && self.is_empty_string(path)? {
            return if directory as i32 == linux::AT_FDCWD {
                let process = &self.processes[self.current.process];
                Ok(Located::Inode(process.working_directory))
            } else {
                Ok(Located::Description(self.description(directory)?))
            };
        }
        self.with_path(directory, path, |files, _, view, path| {
            files.locate(view, path, last_link(flags))
        })
    }

    fn write_stat(&self, address: u64, attributes: &Attributes) -> Result<u64, Errno> {
        let space = self.processes[self.current.process].space();
        user::write(space, address, &attributes.to_stat())?;
        Ok(0)
    }

    fn stat_path(&mut self, path: u64, address: u64, last: LastLink) -> Result<u64, Errno> {
        let attributes = self.with_path(WORKING_DIRECTORY, path, |files, _, view, path| {
            files.stat(view, path, last)
        })?;
        self.write_stat(address, &attributes)
    }

    /// stat(2).
    pub fn stat(&mut self, path: u64, address: u64) -> Result<u64, Errno> {
        self.stat_path(path, address, LastLink::Follow)
    }

    /// lstat(2).
    pub fn lstat(&mut self, path: u64, address: u64) -> Result<u64, Errno> {
        self.stat_path(path, address, LastLink::Keep)
    }

    /// fstat(2).
    pub fn fstat(&self, descriptor: u64, address: u64) -> Result<u64, Errno> {
        let description = self.description(descriptor)?;
        self.write_stat(address, &self.files.description_attributes(description)?)
    }

    /// newfstatat: fstatat(2).
    pub fn newfstatat(
        &mut self,
        directory: u64,
        path: u64,
        address: u64,
        flags: u64,
    ) -> Result<u64, Errno> {
        let located = self.locate_for_stat(directory, path, flags as u32)?;
        self.write_stat(address, &self.files.located_attributes(located)?)
    }

    fn locate_for_stat(&mut self, directory: u64, path: u64, flags: u32) -> Result<Located, Errno> {
        const KNOWN: u32 = linux::AT_SYMLINK_NOFOLLOW
            | linux::AT_EMPTY_PATH
            | linux::AT_NO_AUTOMOUNT
            | linux::AT_STATX_SYNC_TYPE;
        if flags & !KNOWN != 0 {
            return Err(Errno::EINVAL);
        }
        self.locate(directory, path, flags)
    }

    /// statx(2). The basic fields are always there; there is no time of birth.
    pub fn statx(
        &mut self,
        directory: u64,
        path: u64,
        flags: u64,
        mask: u64,
        address: u64,
    ) -> Result<u64, Errno> {
        let flags = flags as u32;
        if mask as u32 & linux::STATX__RESERVED != 0
            || flags & linux::AT_STATX_SYNC_TYPE == linux::AT_STATX_SYNC_TYPE
        {
            return Err(Errno::EINVAL);
        }
        let located = self.locate_for_stat(directory, path, flags)?;
        let attributes = self.files.located_attributes(located)?;
        let space = self.processes[self.current.process].space();
        user::write(space, address, &attributes.to_statx())?;
        Ok(0)
    }

    /// statfs(2).
    pub fn statfs(&mut self, path: u64, address: u64) -> Result<u64, Errno> {
        let located = self.locate(WORKING_DIRECTORY, path, 0)?;
        self.write_statfs(located, address)
    }

    /// fstatfs(2).
    pub fn fstatfs(&self, descriptor: u64, address: u64) -> Result<u64, Errno> {
        self.write_statfs(Located::Description(self.description(descriptor)?), address)
    }

    fn write_statfs(&self, located: Located, address: u64) -> Result<u64, Errno> {
        // ST_VALID, and ST_RELATIME or the three that Linux mounts /proc with.
        const VALID: u64 = 0x20;
        const RELATIME: u64 = 0x1000;
        let file_system = self.files.file_system(located)?;
        let page = PAGE;
        let [blocks, free] = match file_system {
            FileSystem::Memory => {
                [Counter::FramesTotal, Counter::FramesFree].map(|n| COUNTERS.get(n))
            }
            FileSystem::Proc | FileSystem::Pipe | FileSystem::Socket => [0, 0],
        };
        let [inodes, free_inodes] = match file_system {
            FileSystem::Memory => {
                let [used, most] = self.files.inodes();
                [most, most - used]
            }
            FileSystem::Proc | FileSystem::Pipe | FileSystem::Socket => [0, 0],
        };
        let words = [
            u64::from(file_system.magic()),
            page,
            blocks,
            free,
            free,
            inodes,
            free_inodes,
            // The file system's id.
            0,
            NAME_MAX as u64,
            page,
            VALID | RELATIME,
            0,
            0,
            0,
            0,
        ];
        let space = self.processes[self.current.process].space();
        user::write_words(space, address, &words)?;
        Ok(0)
    }

    /// access(2).
    pub fn access(&mut self, path: u64, mode: u64) -> Result<u64, Errno> {
        self.faccessat(WORKING_DIRECTORY, path, mode, 0)
    }

    /// faccessat(2), and faccessat2 with flags. Everybody is root: all may be read and written, and executed with any
    /// execute bit; real and effective ids make no difference.
    pub fn faccessat(
        &mut self,
        directory: u64,
        path: u64,
        mode: u64,
        flags: u64,
    ) -> Result<u64, Errno> {
        const KNOWN: u32 = linux::AT_EACCESS | linux::AT_SYMLINK_NOFOLLOW | linux::AT_EMPTY_PATH;
        const MODES: u64 = 0o7;
        if mode as u32 as u64 & !MODES != 0 || flags as u32 & !KNOWN != 0 {
            return Err(Errno::EINVAL);
        }
        let located = self.locate(directory, path, flags as u32)?;
        self.files.check_access(located, mode as u32)?;
        Ok(0)
    }
}
