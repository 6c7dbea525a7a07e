//! Leases (F_SETLEASE in fcntl(2)): who has one is told before the file is opened or cut so that it matters, and the
//! other waits until the lease is given up. It is never taken away by force.
use crate::description::{DescriptionId, Opened};
use crate::inode::Number;
use crate::locks::LockMode;
use crate::{Addressee, AddresseeKind, Files, PageStore};
use alloc::collections::BTreeMap;
use contract::Errno;
use linux_raw_sys::general as linux;

/// Whether the holder has been told that somebody waits.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Breaking {
    No,
    Told,
}

/// All leases.
#[derive(Debug)]
pub(crate) struct Leases {
    held: BTreeMap<(Number, DescriptionId), (LockMode, Breaking)>,
    /// What the open that was just refused waits for, and whose holder is to be told.
    broken: Option<Broken>,
}

/// An open that waits for a lease to be given up.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Broken {
    /// The holder, where that is still to be told: who, and by which signal, 0 for SIGIO.
    pub tell: Option<(Addressee, u8)>,
}

impl Leases {
    pub(crate) const fn new() -> Self {
        Self {
            held: BTreeMap::new(),
            broken: None,
        }
    }
}

impl<S: PageStore> Files<S> {
    /// F_SETLEASE; `None` gives it up. The holder is told as `process`, unless it says otherwise (F_SETOWN).
    ///
    /// # Errors
    /// EBADF; EINVAL for what is not a regular file; EAGAIN where it is open so that the lease cannot be, or for giving up
    /// what is not held.
    pub fn set_lease(
        &mut self,
        id: DescriptionId,
        mode: Option<LockMode>,
        process: u32,
    ) -> Result<(), Errno> {
        let description = self.description(id)?;
        let Opened::Regular(number) = description.opened else {
            return Err(Errno::EINVAL);
        };
        let Some(mode) = mode else {
            self.leases
                .held
                .remove(&(number, id))
                .ok_or(Errno::EAGAIN)?;
            self.locks_changed();
            return Ok(());
        };
        let conflict = match mode {
            LockMode::Shared => self.is_open(number, |_, writes| writes),
            LockMode::Exclusive => self.is_open(number, |other, _| other != id),
        };
        if conflict {
            return Err(Errno::EAGAIN);
        }
        self.leases.held.insert((number, id), (mode, Breaking::No));
        let to = self.addressee(id)?;
        if to.id == 0 {
            let to = Addressee {
                kind: AddresseeKind::Process,
                id: process,
                ..to
            };
            self.set_addressee(id, to)?;
        }
        // One for writing may have become one for reading.
        self.locks_changed();
        Ok(())
    }

    /// F_GETLEASE.
    ///
    /// # Errors
    /// EBADF.
    pub fn lease(&self, id: DescriptionId) -> Result<Option<LockMode>, Errno> {
        let Opened::Regular(number) = self.description(id)?.opened else {
            return Ok(None);
        };
        Ok(self.leases.held.get(&(number, id)).map(|(mode, _)| *mode))
    }

    /// Whether a file is open in a way that `matters`, by description and whether that writes.
    fn is_open(&self, number: Number, matters: impl Fn(DescriptionId, bool) -> bool) -> bool {
        let mut from = 0;
        while let Some((index, description)) = self.descriptions.next_from(from) {
            if matches!(description.opened, Opened::Regular(other) if other == number)
                && matters(DescriptionId(index as u16), description.may_write())
            {
                return true;
            }
            from = index + 1;
        }
        false
    }

    /// Whether a file may be opened so at once. EAGAIN where a lease is in the way: [`Self::take_broken_lease`] tells more.
    pub(crate) fn respect_leases(&mut self, number: Number, flags: u32) -> Result<(), Errno> {
        if self.leases.held.is_empty() {
            return Ok(());
        }
        let writes = flags & linux::O_ACCMODE != linux::O_RDONLY || flags & linux::O_TRUNC != 0;
        let all = (number, DescriptionId(0))..=(number, DescriptionId(u16::MAX));
        let found = self
            .leases
            .held
            .range_mut(all)
            .find(|(_, (mode, _))| writes || *mode == LockMode::Exclusive);
        let Some(((_, holder), (_, breaking))) = found else {
            return Ok(());
        };
        let holder = *holder;
        let told = core::mem::replace(breaking, Breaking::Told);
        let wishes = (self.addressee(holder)?, self.notice_signal(holder)?);
        let tell = (told == Breaking::No).then_some(wishes);
        self.leases.broken = Some(Broken { tell });
        Err(Errno::EAGAIN)
    }

    /// After an open that was refused with EAGAIN: the lease that it would have broken.
    pub fn take_broken_lease(&mut self) -> Option<Broken> {
        self.leases.broken.take()
    }

    /// A description is about to be closed.
    pub(crate) fn release_lease(&mut self, id: DescriptionId) {
        if !self.leases.held.is_empty()
            && let Ok(description) = self.description(id)
            && let Opened::Regular(number) = description.opened
            && self.leases.held.remove(&(number, id)).is_some()
        {
            self.locks_changed();
        }
    }
}
