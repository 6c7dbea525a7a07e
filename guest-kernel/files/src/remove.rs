//! unlink(2) and rmdir(2).
use crate::inode::{InodeId, Number};
use crate::path::{Ending, Last, Resolved, Slash, View};
use crate::{Files, PageStore};
use contract::Errno;

impl<S: PageStore> Files<S> {
    /// What is to be removed: its directory, place and inode. EPERM in `/proc`, EBUSY for what is mounted.
    pub(crate) fn removable(
        &self,
        resolved: &Resolved<'_>,
    ) -> Result<(Number, u32, Number), Errno> {
        let node = resolved.node.ok_or(Errno::ENOENT)?;
        let InodeId::Memory(parent) = resolved.parent else {
            return Err(Errno::EPERM);
        };
        let InodeId::Memory(number) = node else {
            return Err(Errno::EBUSY);
        };
        let parent = Number(parent);
        let place = self.inode(parent)?.directory()?.place(resolved.name());
        Ok((parent, place.ok_or(Errno::ENOENT)?, Number(number)))
    }

    /// unlink(2). Who has the file open keeps it.
    ///
    /// # Errors
    /// EISDIR, EPERM in `/proc`, and those of a resolution.
    pub fn unlink(&mut self, store: &mut S, view: &View<'_>, path: &[u8]) -> Result<(), Errno> {
        let resolved = self.walk(view, path, Ending::Name)?;
        if resolved.last != Last::Name {
            return Err(Errno::EISDIR);
        }
        let node = resolved.node.ok_or(Errno::ENOENT)?;
        if resolved.slash == Slash::Trailing && !self.is_directory(node) {
            return Err(Errno::ENOTDIR);
        }
        if self.is_directory(node) {
            return Err(Errno::EISDIR);
        }
        let (parent, place, _) = self.removable(&resolved)?;
        self.remove_entry(store, parent, place)
    }

    /// rmdir(2).
    ///
    /// # Errors
    /// ENOTDIR, ENOTEMPTY, EINVAL for `.`, EBUSY for a root, and those of a resolution.
    pub fn rmdir(&mut self, store: &mut S, view: &View<'_>, path: &[u8]) -> Result<(), Errno> {
        let resolved = self.walk(view, path, Ending::Name)?;
        match resolved.last {
            Last::Name => {}
            Last::Dot => return Err(Errno::EINVAL),
            Last::DotDot => return Err(Errno::ENOTEMPTY),
            Last::Root => return Err(Errno::EBUSY),
        }
        let node = resolved.node.ok_or(Errno::ENOENT)?;
        if !self.is_directory(node) {
            return Err(Errno::ENOTDIR);
        }
        let (parent, place, number) = self.removable(&resolved)?;
        if self.inode(number)?.directory()?.len() != 0 {
            return Err(Errno::ENOTEMPTY);
        }
        self.remove_entry(store, parent, place)
    }
}
