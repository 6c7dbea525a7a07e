//! What is asked and changed through a path or an inode: stat, access, chmod, chown, times, truncate.
use crate::inode::{Inode, InodeId, Kind, Number, Stamp, Time};
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

    /// chmod(2) of an inode.
    ///
    /// # Errors
    /// EPERM in `/proc`; EOPNOTSUPP for a symbolic link.
    pub fn chmod(&mut self, id: InodeId, mode: u16) -> Result<(), Errno> {
        let time = self.now();
        let inode = self.changeable(id)?;
        if let Kind::Symlink(_) = inode.kind {
            return Err(Errno::EOPNOTSUPP);
        }
        inode.permissions = mode & 0o7777;
        inode.changed = time;
        Ok(())
    }

    /// chown(2) of an inode; `None` leaves it. A program file loses its set-id bits.
    ///
    /// # Errors
    /// EPERM in `/proc`.
    pub fn chown(
        &mut self,
        id: InodeId,
        user: Option<u32>,
        group: Option<u32>,
    ) -> Result<(), Errno> {
        let time = self.now();
        let inode = self.changeable(id)?;
        inode.user = user.unwrap_or(inode.user);
        inode.group = group.unwrap_or(inode.group);
        if !inode.is_directory() {
            inode.permissions &= !0o4000;
            // Set-group-id without group execute means something else: mandatory locking.
            if inode.permissions & 0o010 != 0 {
                inode.permissions &= !0o2000;
            }
        }
        inode.changed = time;
        Ok(())
    }

    /// utimensat(2) of an inode; `None` leaves a time (UTIME_OMIT).
    ///
    /// # Errors
    /// EPERM in `/proc`.
    pub fn set_times(
        &mut self,
        id: InodeId,
        accessed: Option<Time>,
        modified: Option<Time>,
    ) -> Result<(), Errno> {
        let time = self.now();
        let inode = self.changeable(id)?;
        inode.accessed = accessed.map_or(inode.accessed, Stamp::from);
        inode.modified = modified.map_or(inode.modified, Stamp::from);
        inode.changed = time;
        Ok(())
    }

    fn changeable(&mut self, id: InodeId) -> Result<&mut Inode<S::Page>, Errno> {
        match id {
            InodeId::Memory(number) => self.inode_mut(Number(number)),
            InodeId::Proc(_) => Err(Errno::EPERM),
        }
    }

    /// truncate(2).
    ///
    /// # Errors
    /// EISDIR, EINVAL where it is not a regular file, EFBIG, and those of a resolution.
    pub fn truncate(
        &mut self,
        store: &mut S,
        view: &View<'_>,
        path: &[u8],
        size: u64,
    ) -> Result<(), Errno> {
        match self.lookup(view, path, LastLink::Follow)? {
            InodeId::Memory(number) => self.set_size(store, Number(number), size),
            id if self.is_directory(id) => Err(Errno::EISDIR),
            InodeId::Proc(_) => Err(Errno::EINVAL),
        }
    }
}
