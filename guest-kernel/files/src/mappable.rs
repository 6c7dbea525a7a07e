//! What descriptors can be mapped as, and files that lose pages which mappings have.
use crate::description::{DescriptionId, Opened};
use crate::inode::{InodeId, Kind, Number};
use crate::mapped::MappedFile;
use crate::store::PageStore;
use crate::{Device, Files};
use contract::Errno;
use linux_raw_sys::general as linux;

/// What a descriptor can be mapped as.
#[derive(Debug)]
pub enum Mappable<P> {
    /// A regular file.
    File(MappedFile<P>, InodeId),
    /// `/dev/zero`: memory of zeros, with no file behind it.
    Zeros,
}

impl<S: PageStore> Files<S> {
    /// Whether a descriptor may be mapped, by how it was opened.
    ///
    /// # Errors
    /// EBADF.
    pub fn mapping_rights(&self, id: DescriptionId) -> Result<(bool, bool), Errno> {
        let description = self.description(id)?;
        if matches!(description.opened, Opened::Path(_)) {
            return Err(Errno::EBADF);
        }
        let may_write = description.may_write() && self.check_sealed_mapping(id).is_ok();
        Ok((description.may_read(), may_write))
    }

    /// What a descriptor can be mapped as.
    ///
    /// # Errors
    /// EBADF; ENODEV for what has no pages.
    pub fn mappable(&mut self, id: DescriptionId) -> Result<Mappable<S::Page>, Errno> {
        let description = self.description(id)?;
        match description.opened {
            Opened::Regular(number) => {
                if description.status & linux::O_NOATIME == 0 {
                    self.note_access(number);
                }
                let id = InodeId::Memory(number.0);
                Ok(Mappable::File(self.mapped_file(id)?, id))
            }
            Opened::Device(_, Device::Zero) => Ok(Mappable::Zeros),
            _ => Err(Errno::ENODEV),
        }
    }

    /// The contents of a regular file, for a mapping.
    ///
    /// # Errors
    /// ENODEV for what is not one.
    pub fn mapped_file(&mut self, id: InodeId) -> Result<MappedFile<S::Page>, Errno> {
        let InodeId::Memory(number) = id else {
            return Err(Errno::ENODEV);
        };
        match &mut self.inode_mut(Number(number))?.kind {
            Kind::Regular(regular) => Ok(regular.mapped()),
            _ => Err(Errno::ENODEV),
        }
    }

    /// The file that has lost pages since this was last asked, if one is mapped.
    pub fn take_lost_pages(&mut self) -> Option<MappedFile<S::Page>> {
        self.lost_pages.take()
    }

    /// A file was cut: if mappings still have pages that it lost, somebody has to ask for it.
    pub(crate) fn note_lost_pages(&mut self, store: &mut S, number: Number) {
        if let Ok(inode) = self.inode(number)
            && let Kind::Regular(regular) = &inode.kind
            && let Some(file) = regular.with_lost_pages()
            && let Some(before) = self.lost_pages.replace(file)
        {
            before.release(store);
        }
    }
}
