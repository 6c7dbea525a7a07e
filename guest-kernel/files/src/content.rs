//! Contents of a file by its inode: what exec and mmap ask for.
use crate::description::Opened;
use crate::inode::{InodeId, Kind, Number};
use crate::mapped::Regular;
use crate::path::{Ending, LastLink, View};
use crate::{Files, Owner, PageStore};
use contract::Errno;

/// A file, and how it was found.
#[derive(Clone, Copy, Debug)]
pub struct Found<'p> {
    /// The file.
    pub inode: InodeId,
    /// What path led to it, if one did that went over no link.
    pub path: Option<&'p [u8]>,
}

impl<'p> Found<'p> {
    /// The path that led to it, where that is made of the names of directories alone, from the root on.
    pub(crate) fn own_path(&self) -> Option<&'p [u8]> {
        let path = self.path?;
        let mut names = path.strip_prefix(b"/")?.split(|&byte| byte == b'/');
        names
            .all(|name| !matches!(name, b"" | b"." | b".."))
            .then_some(path)
    }
}

impl<S: PageStore> Files<S> {
    pub(crate) fn regular(&self, id: InodeId) -> Result<&Regular<S::Page>, Errno> {
        let InodeId::Memory(number) = id else {
            return Err(Errno::EINVAL);
        };
        match &self.inode(Number(number))?.kind {
            Kind::Regular(regular) => Ok(regular),
            Kind::Directory(_) => Err(Errno::EISDIR),
            _ => Err(Errno::EINVAL),
        }
    }

    /// The program that a path leads to.
    ///
    /// # Errors
    /// EACCES where it is not a regular file or has no execute permission; the errors of [`Files::lookup`].
    #[inline]
    pub fn program<'p>(&self, view: &View<'_>, path: &'p [u8]) -> Result<Found<'p>, Errno> {
        let resolved = self.walk(view, path, Ending::Link(LastLink::Follow))?;
        let inode = self.existing(&resolved)?;
        self.check_program(inode, view.owner)?;
        Ok(Found {
            inode,
            path: (resolved.links == 0).then_some(path),
        })
    }

    /// Whether a file begins with some bytes.
    pub fn begins_with<const N: usize>(&self, store: &S, id: InodeId, bytes: &[u8; N]) -> bool {
        if let Some(content) = self.content_in_place(id) {
            return content.starts_with(bytes);
        }
        let mut start = [0; N];
        self.read_at(store, id, 0, &mut start) == N && start == *bytes
    }

    /// Whether somebody may execute an inode.
    ///
    /// # Errors
    /// EACCES; ETXTBSY while it is open for writing.
    pub fn check_program(&self, id: InodeId, who: Owner) -> Result<(), Errno> {
        let InodeId::Memory(number) = id else {
            return Err(Errno::EACCES);
        };
        let inode = self.inode(Number(number))?;
        if !matches!(inode.kind, Kind::Regular(_)) || !inode.permits_execution(who) {
            return Err(Errno::EACCES);
        }
        if self.is_written(Number(number)) {
            return Err(Errno::ETXTBSY);
        }
        Ok(())
    }

    /// The whole contents where they lie in the archive, unwritten.
    pub fn content_in_place(&self, id: InodeId) -> Option<&'static [u8]> {
        self.regular(id).ok()?.in_place()
    }

    /// A number that rises with each change of a regular file's contents; 0 for what is not one.
    #[must_use]
    pub fn content_version(&self, id: InodeId) -> u64 {
        self.regular(id).map_or(0, Regular::version)
    }

    /// Size of a regular file in bytes; 0 for what is not one.
    #[must_use]
    pub fn size(&self, id: InodeId) -> u64 {
        self.regular(id).map_or(0, Regular::size)
    }

    /// Reads a regular file at `offset`; returns how many bytes there were, none in what is not one.
    pub fn read_at(&self, store: &S, id: InodeId, offset: u64, into: &mut [u8]) -> usize {
        self.regular(id)
            .map_or(0, |regular| regular.read_at(store, offset, into))
    }

    /// Whether it is a regular file, in memory.
    #[must_use]
    pub fn is_regular(&self, id: InodeId) -> bool {
        self.regular(id).is_ok()
    }

    /// `st_mode`; 0 for an id that nothing held.
    #[must_use]
    pub fn mode(&self, id: InodeId) -> u32 {
        self.attributes(id).map_or(0, |attributes| attributes.mode)
    }

    /// Page frames that files, pipes and texts of `/proc` have now.
    #[must_use]
    pub fn frames(&self) -> u64 {
        let mut frames = 0;
        for inode in self.inodes.all_in_memory() {
            if let Kind::Regular(regular) = &inode.kind {
                frames += regular.pages();
            }
        }
        let mut from = 0;
        while let Some((number, pipe)) = self.pipes.next_from(from) {
            frames += pipe.pages();
            from = number + 1;
        }
        from = 0;
        while let Some((number, description)) = self.descriptions.next_from(from) {
            if let Opened::Proc(_, Some(snapshot)) = &description.opened {
                frames += snapshot.pages();
            }
            from = number + 1;
        }
        frames
    }
}
