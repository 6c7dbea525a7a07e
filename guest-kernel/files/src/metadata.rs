//! What is asked and changed through a path or an inode: stat, access, chmod, chown, times, truncate.
use crate::inode::{InodeId, Number};
use crate::path::{LastLink, View};
use crate::{Attributes, Files, PageStore};
use contract::Errno;
use linux_raw_sys::general as linux;

/// X_OK.
const EXECUTE: u32 = 1;

/// What a path leads to: an inode, or something that has none and is only open, an unnamed pipe, through `/proc/PID/fd`.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Located {
    /// An inode.
    Inode(InodeId),
    /// An open description.
    Description(crate::DescriptionId),
}

impl<S: PageStore> Files<S> {
    /// What a path leads to.
    ///
    /// # Errors
    /// Those of a resolution.
    pub fn locate(
        &self,
        view: &View<'_>,
        path: &[u8],
        last_link: LastLink,
    ) -> Result<Located, Errno> {
        let id = self.lookup(view, path, last_link)?;
        if let InodeId::Proc(crate::ProcNode::Descriptor(process, fd)) = id
            && last_link == LastLink::Follow
            && let Some(description) = view.processes.descriptor(process, fd)
        {
            return Ok(Located::Description(description));
        }
        Ok(Located::Inode(id))
    }

    /// stat(2), lstat(2) and fstatat(2) with a path.
    ///
    /// # Errors
    /// Those of a resolution.
    pub fn stat(
        &self,
        view: &View<'_>,
        path: &[u8],
        last_link: LastLink,
    ) -> Result<Attributes, Errno> {
        self.located_attributes(self.locate(view, path, last_link)?)
    }

    /// stat(2) of what a path led to.
    ///
    /// # Errors
    /// ENOENT, EBADF for what nothing held.
    pub fn located_attributes(&self, located: Located) -> Result<Attributes, Errno> {
        match located {
            Located::Inode(id) => self.attributes(id),
            Located::Description(id) => self.description_attributes(id),
        }
    }

    /// access(2): all is root's, who may read and write everything, and execute what somebody may execute.
    ///
    /// # Errors
    /// EINVAL for unknown bits of `mode`, EACCES, and those of a resolution.
    pub fn access(
        &self,
        view: &View<'_>,
        path: &[u8],
        mode: u32,
        last_link: LastLink,
    ) -> Result<(), Errno> {
        if mode & !(linux::R_OK | linux::W_OK | EXECUTE) != 0 {
            return Err(Errno::EINVAL);
        }
        let located = self.locate(view, path, last_link)?;
        self.check_access(located, mode)
    }

    /// As [`Self::access`], of what a path led to.
    ///
    /// # Errors
    /// EINVAL, EACCES.
    pub fn check_access(&self, located: Located, mode: u32) -> Result<(), Errno> {
        if mode & !(linux::R_OK | linux::W_OK | EXECUTE) != 0 {
            return Err(Errno::EINVAL);
        }
        let attributes = self.located_attributes(located)?;
        if mode & EXECUTE != 0 && !attributes.is_directory() && attributes.mode & 0o111 == 0 {
            return Err(Errno::EACCES);
        }
        Ok(())
    }

    /// truncate(2).
    ///
    /// # Errors
    /// EISDIR, EINVAL where it is not a regular file, EFBIG, EAGAIN where a lease is in the way, as for an open, and those
    /// of a resolution.
    pub fn truncate(
        &mut self,
        store: &mut S,
        view: &View<'_>,
        path: &[u8],
        size: u64,
    ) -> Result<(), Errno> {
        match self.lookup(view, path, LastLink::Follow)? {
            InodeId::Memory(number) => {
                let number = Number(number);
                self.respect_leases(number, linux::O_WRONLY)?;
                self.set_size(store, number, size)
            }
            id if self.is_directory(id) => Err(Errno::EISDIR),
            InodeId::Proc(_) => Err(Errno::EINVAL),
        }
    }
}
