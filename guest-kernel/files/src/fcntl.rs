//! What fcntl(2) tells of an open file, and sets: status flags.
use crate::description::{DescriptionId, Opened};
use crate::{Files, PageStore};
use contract::Errno;
use linux_raw_sys::general as linux;

/// Flags that F_SETFL may change.
const CHANGEABLE: u32 = linux::O_APPEND | linux::O_NONBLOCK | linux::O_DIRECT | linux::O_NOATIME;

impl<S: PageStore> Files<S> {
    /// Access mode and status flags (F_GETFL in fcntl(2)).
    ///
    /// # Errors
    /// EBADF.
    pub fn status_flags(&self, id: DescriptionId) -> Result<u32, Errno> {
        Ok(self.description(id)?.status)
    }

    /// Sets the status flags that can be set (F_SETFL in fcntl(2)) and ignores the others.
    ///
    /// # Errors
    /// EBADF.
    pub fn set_status_flags(&mut self, id: DescriptionId, flags: u32) -> Result<(), Errno> {
        let description = self.description_mut(id)?;
        if matches!(description.opened, Opened::Path(_)) {
            return Err(Errno::EBADF);
        }
        description.status = description.status & !CHANGEABLE | flags & CHANGEABLE;
        Ok(())
    }
}
