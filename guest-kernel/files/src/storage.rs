//! How contents are kept: fallocate(2), fsync(2).
use crate::description::{DescriptionId, Opened};
use crate::inode::{InodeId, Kind, Number};
use crate::mapped::Regular;
use crate::{Files, PageStore};
use contract::Errno;
use core::ops::Range;

impl<S: PageStore> Files<S> {
    /// Whether room can be made in a file, or given back (fallocate(2)).
    ///
    /// # Errors
    /// EBADF where it is not open for writing; ESPIPE for a pipe, EISDIR, ENODEV for what else has no contents.
    pub fn check_allocation(&self, id: DescriptionId) -> Result<(), Errno> {
        let description = self.description(id)?;
        if !description.may_write() {
            return Err(Errno::EBADF);
        }
        match description.opened {
            Opened::Regular(_) => Ok(()),
            Opened::PipeRead(_) | Opened::PipeWrite(_) | Opened::Packets(..) | Opened::Fifo(..) => {
                Err(Errno::ESPIPE)
            }
            Opened::Directory(_) => Err(Errno::EISDIR),
            _ => Err(Errno::ENODEV),
        }
    }

    /// Whether a file would have to grow to have a size.
    ///
    /// # Errors
    /// EBADF; EINVAL where it is not a regular file open for writing.
    pub fn grows(&self, id: DescriptionId, size: u64) -> Result<bool, Errno> {
        let description = self.description(id)?;
        match description.opened {
            Opened::Path(_) => Err(Errno::EBADF),
            Opened::Regular(number) if description.may_write() => {
                Ok(self.regular(InodeId::Memory(number.0))?.size() < size)
            }
            _ => Err(Errno::EINVAL),
        }
    }

    /// Whether truncate(2) can be about this.
    ///
    /// # Errors
    /// EISDIR; EINVAL where it is not a regular file.
    pub fn check_truncation(&self, id: InodeId) -> Result<(), Errno> {
        match id {
            InodeId::Proc(node) if node.is_directory() => Err(Errno::EISDIR),
            id => self.regular(id).map(|_| ()),
        }
    }

    fn open_regular(
        &mut self,
        id: DescriptionId,
    ) -> Result<(Number, &mut Regular<S::Page>), Errno> {
        let Opened::Regular(number) = self.description(id)?.opened else {
            return Err(Errno::ENODEV);
        };
        match &mut self.inode_mut(number)?.kind {
            Kind::Regular(regular) => Ok((number, regular)),
            _ => Err(Errno::ENODEV),
        }
    }

    /// Sees to it that a range has frames of its own. On an error no frame was taken.
    ///
    /// # Errors
    /// ENOSPC; EPERM where a seal is in the way; ENODEV where it is not a regular file.
    pub fn reserve_range(
        &mut self,
        store: &mut S,
        id: DescriptionId,
        range: Range<u64>,
    ) -> Result<(), Errno> {
        let (number, regular) = self.open_regular(id)?;
        let size = regular.size().max(range.end);
        self.respect_seals_of_size(number, size)?;
        let (_, regular) = self.open_regular(id)?;
        regular.reserve(store, range)?;
        self.note_change(number)
    }

    /// Sets the size where it is smaller.
    ///
    /// # Errors
    /// EFBIG; ENODEV where it is not a regular file.
    pub fn grow(&mut self, store: &mut S, id: DescriptionId, size: u64) -> Result<(), Errno> {
        let (_, regular) = self.open_regular(id)?;
        if regular.size() < size {
            regular.set_size(store, size)?;
        }
        Ok(())
    }

    /// Makes a range zeros, and gives back the frames that are all in it (FALLOC_FL_PUNCH_HOLE).
    ///
    /// # Errors
    /// ENOSPC, where zeros must lie over what the archive gave; ENODEV where it is not a regular file.
    pub fn punch_hole(
        &mut self,
        store: &mut S,
        id: DescriptionId,
        range: Range<u64>,
    ) -> Result<(), Errno> {
        let (number, _) = self.open_regular(id)?;
        self.memfds.respect(number, crate::memfd::WRITES)?;
        let (_, regular) = self.open_regular(id)?;
        let punched = regular.punch(store, range);
        self.note_lost_pages(store, number);
        punched?;
        self.note_change(number)
    }

    fn note_change(&mut self, number: Number) -> Result<(), Errno> {
        let time = self.now();
        let inode = self.inode_mut(number)?;
        (inode.modified, inode.changed) = (time, time);
        Ok(())
    }

    /// Whether something can be written out (fsync(2)).
    ///
    /// # Errors
    /// EBADF; EINVAL where there is nothing that could be.
    pub fn check_sync(&self, id: DescriptionId) -> Result<(), Errno> {
        match self.description(id)?.opened {
            Opened::Regular(_) | Opened::Directory(InodeId::Memory(_)) => Ok(()),
            Opened::Path(_) => Err(Errno::EBADF),
            _ => Err(Errno::EINVAL),
        }
    }
}
