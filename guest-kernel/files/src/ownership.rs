//! What is changed about a file, whether it has a name or not: chmod(2), chown(2), utimensat(2).
use crate::inode::{InodeId, Kind, Number, Stamp, Time};
use crate::metadata::Located;
use crate::nameless::Nameless;
use crate::{Files, PageStore};
use contract::Errno;
use linux_raw_sys::general as linux;

/// What of an inode can be changed, wherever it is kept.
pub(crate) struct Changeable<'a> {
    pub(crate) permissions: &'a mut u16,
    pub(crate) user: &'a mut u32,
    pub(crate) group: &'a mut u32,
    pub(crate) accessed: &'a mut Stamp,
    pub(crate) modified: &'a mut Stamp,
    pub(crate) changed: &'a mut Stamp,
    pub(crate) is_link: bool,
    pub(crate) is_directory: bool,
}

impl<S: PageStore> Files<S> {
    /// chmod(2).
    ///
    /// # Errors
    /// EPERM in `/proc`, and where a seal is in the way; EOPNOTSUPP for a symbolic link.
    pub fn chmod(&mut self, of: Located, mode: u16) -> Result<(), Errno> {
        self.respect_seal_of_mode(of, mode)?;
        let time = self.now();
        let inode = self.changeable(of)?;
        if inode.is_link {
            return Err(Errno::EOPNOTSUPP);
        }
        *inode.permissions = mode & 0o7777;
        *inode.changed = time;
        Ok(())
    }

    /// chown(2); `None` leaves it. A program file loses its set-id bits.
    ///
    /// # Errors
    /// EPERM in `/proc`.
    pub fn chown(
        &mut self,
        of: Located,
        user: Option<u32>,
        group: Option<u32>,
    ) -> Result<(), Errno> {
        let time = self.now();
        let inode = self.changeable(of)?;
        *inode.user = user.unwrap_or(*inode.user);
        *inode.group = group.unwrap_or(*inode.group);
        if !inode.is_directory {
            *inode.permissions &= !0o4000;
            // Set-group-id without group execute means something else: mandatory locking.
            if *inode.permissions & 0o010 != 0 {
                *inode.permissions &= !0o2000;
            }
        }
        *inode.changed = time;
        Ok(())
    }

    /// utimensat(2); `None` leaves a time (UTIME_OMIT).
    ///
    /// # Errors
    /// EPERM in `/proc`.
    pub fn set_times(
        &mut self,
        of: Located,
        accessed: Option<Time>,
        modified: Option<Time>,
    ) -> Result<(), Errno> {
        let time = self.now();
        let inode = self.changeable(of)?;
        *inode.accessed = accessed.map_or(*inode.accessed, Stamp::from);
        *inode.modified = modified.map_or(*inode.modified, Stamp::from);
        *inode.changed = time;
        Ok(())
    }

    fn changeable(&mut self, of: Located) -> Result<Changeable<'_>, Errno> {
        let id = match of {
            Located::Inode(id) => id,
            Located::Description(id) => {
                let description = self.description(id)?;
                match description.inode() {
                    Some(inode) => inode,
                    None => {
                        let nameless = Nameless::of(&description.opened).ok_or(Errno::EPERM)?;
                        return Ok(self.change_nameless(nameless));
                    }
                }
            }
        };
        let InodeId::Memory(number) = id else {
            return Err(Errno::EPERM);
        };
        self.note_of_inode(Number(number), linux::DN_ATTRIB);
        let inode = self.inode_mut(Number(number))?;
        if let Kind::Regular(regular) = &inode.kind
            && let Some(written) = regular.take_written()
        {
            inode.modified = inode.modified.max(written);
            inode.changed = inode.changed.max(written);
        }
        Ok(Changeable {
            is_link: matches!(inode.kind, Kind::Symlink(_)),
            is_directory: inode.is_directory(),
            permissions: &mut inode.permissions,
            user: &mut inode.user,
            group: &mut inode.group,
            accessed: &mut inode.accessed,
            modified: &mut inode.modified,
            changed: &mut inode.changed,
        })
    }
}
