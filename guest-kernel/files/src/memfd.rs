//! Files that were made without a place in any directory (memfd_create(2)), and what they are sealed against
//! (fcntl(2), "File Sealing").
use crate::description::{DescriptionId, Opened};
use crate::fd_table::{FdTable, OnExec};
use crate::inode::{Inode, InodeId, Kind, Number};
use crate::mapped::Regular;
use crate::metadata::Located;
use crate::path::Owner;
use crate::{Files, PageStore};
use alloc::boxed::Box;
use alloc::collections::BTreeMap;
use alloc::vec::Vec;
use contract::Errno;
use linux_raw_sys::general as linux;

/// The longest name, without its NUL.
const NAME_MAX: usize = 249;

/// Against new bytes.
pub(crate) const WRITES: u32 = linux::F_SEAL_WRITE | linux::F_SEAL_FUTURE_WRITE;

/// A name, which need not be the only one, and seals.
#[derive(Debug)]
struct Memfd {
    name: Box<[u8]>,
    seals: u32,
}

/// All of them, by inode.
#[derive(Debug)]
pub(crate) struct Memfds(BTreeMap<Number, Memfd>);

impl Memfds {
    pub(crate) const fn new() -> Self {
        Self(BTreeMap::new())
    }

    /// The inode goes.
    pub(crate) fn forget(&mut self, number: Number) {
        if !self.0.is_empty() {
            self.0.remove(&number);
        }
    }

    /// What `/proc/PID/fd` and `maps` call it.
    pub(crate) fn shown_name(&self, id: InodeId) -> Option<Vec<u8>> {
        let InodeId::Memory(number) = id else {
            return None;
        };
        let memfd = self.0.get(&Number(number))?;
        Some([b"/memfd:", &*memfd.name, b" (deleted)"].concat())
    }

    /// Whether there are any, so that who writes must look.
    #[inline]
    pub(crate) fn is_any(&self) -> bool {
        !self.0.is_empty()
    }

    pub(crate) fn has(&self, number: Number) -> bool {
        self.0.contains_key(&number)
    }

    /// EPERM where a file is sealed against any of these.
    pub(crate) fn respect(&self, number: Number, seals: u32) -> Result<(), Errno> {
        match self.0.get(&number) {
            Some(memfd) if memfd.seals & seals != 0 => Err(Errno::EPERM),
            _ => Ok(()),
        }
    }
}

impl<S: PageStore> Files<S> {
    /// memfd_create(2).
    ///
    /// # Errors
    /// EINVAL for unknown flags, huge pages or a long name; EMFILE, ENFILE, ENOSPC, ENOMEM.
    pub fn create_memfd(
        &mut self,
        store: &mut S,
        table: &mut FdTable,
        name: &[u8],
        flags: u32,
        owner: Owner,
    ) -> Result<u32, Errno> {
        const KNOWN: u32 = linux::MFD_CLOEXEC
            | linux::MFD_ALLOW_SEALING
            | linux::MFD_NOEXEC_SEAL
            | linux::MFD_EXEC;
        let has = |flag| flags & flag != 0;
        if flags & !KNOWN != 0
            || has(linux::MFD_NOEXEC_SEAL) && has(linux::MFD_EXEC)
            || name.len() > NAME_MAX
        {
            return Err(Errno::EINVAL);
        }
        table.lowest_free(0)?;
        let (mode, seals) = match has(linux::MFD_NOEXEC_SEAL) {
            true => (0o666, linux::F_SEAL_EXEC),
            false if has(linux::MFD_ALLOW_SEALING) => (0o777, 0),
            false => (0o777, linux::F_SEAL_SEAL),
        };
        let kind = Kind::Regular(Regular::new(&[]));
        let mut inode = Inode::new(kind, mode, self.now());
        (inode.user, inode.group) = (owner.user, owner.group);
        let number = self.add_inode(inode)?;
        let status = linux::O_RDWR | linux::O_LARGEFILE;
        let id = match self.describe(Opened::Regular(number), status) {
            Ok(id) => id,
            Err(errno) => {
                self.inodes.remove(number);
                return Err(errno);
            }
        };
        let name = name.into();
        self.memfds.0.insert(number, Memfd { name, seals });
        let on_exec = match has(linux::MFD_CLOEXEC) {
            true => OnExec::Close,
            false => OnExec::Keep,
        };
        self.install(store, table, id, on_exec)
    }

    /// What a file is sealed against (F_GET_SEALS). Of others than memfds it is only that it can be sealed no more.
    ///
    /// # Errors
    /// EBADF; EINVAL for what is not a regular file.
    pub fn seals(&self, id: DescriptionId) -> Result<u32, Errno> {
        match self.description(id)?.opened {
            Opened::Regular(number) => {
                let memfd = self.memfds.0.get(&number);
                Ok(memfd.map_or(linux::F_SEAL_SEAL, |memfd| memfd.seals))
            }
            _ => Err(Errno::EINVAL),
        }
    }

    /// Adds seals (F_ADD_SEALS).
    ///
    /// # Errors
    /// EBADF; EPERM where it is not open for writing, or sealed against that; EINVAL for what is not a regular file, or an
    /// unknown seal; EBUSY to seal it against writing while it is mapped.
    pub fn add_seals(&mut self, id: DescriptionId, mut seals: u32) -> Result<(), Errno> {
        const KNOWN: u32 = linux::F_SEAL_SEAL
            | linux::F_SEAL_SHRINK
            | linux::F_SEAL_GROW
            | WRITES
            | linux::F_SEAL_EXEC;
        let description = self.description(id)?;
        if !description.may_write() {
            return Err(Errno::EPERM);
        }
        let Opened::Regular(number) = description.opened else {
            return Err(Errno::EINVAL);
        };
        if seals & !KNOWN != 0 {
            return Err(Errno::EINVAL);
        }
        let inode = self.inode(number)?;
        let is_mapped = matches!(&inode.kind, Kind::Regular(regular) if regular.is_mapped());
        let is_program = inode.permissions & 0o111 != 0;
        let memfd = self.memfds.0.get_mut(&number).ok_or(Errno::EPERM)?;
        if memfd.seals & linux::F_SEAL_SEAL != 0 {
            return Err(Errno::EPERM);
        }
        let new = seals & !memfd.seals;
        if new & linux::F_SEAL_WRITE != 0 && is_mapped {
            return Err(Errno::EBUSY);
        }
        // A program that cannot lose the right to be executed is one that cannot change.
        if seals & linux::F_SEAL_EXEC != 0 && is_program {
            seals |= linux::F_SEAL_SHRINK | linux::F_SEAL_GROW | WRITES;
        }
        memfd.seals |= seals;
        Ok(())
    }

    /// EPERM where a file is sealed against a write of so many bytes, at its end or somewhere else.
    #[cold]
    pub(crate) fn respect_seals_of_write(
        &self,
        number: Number,
        at: Option<u64>,
        length: usize,
    ) -> Result<(), Errno> {
        if length == 0 {
            return Ok(());
        }
        self.memfds.respect(number, WRITES)?;
        let size = self.size(InodeId::Memory(number.0));
        let end = at.unwrap_or(size).saturating_add(length as u64);
        self.respect_seals_of_size(number, end.max(size))
    }

    /// EPERM where a file is sealed against having this size.
    #[cold]
    pub(crate) fn respect_seals_of_size(&self, number: Number, to: u64) -> Result<(), Errno> {
        let from = self.size(InodeId::Memory(number.0));
        let seals = match to {
            to if to > from => linux::F_SEAL_GROW,
            to if to < from => linux::F_SEAL_SHRINK,
            _ => 0,
        };
        self.memfds.respect(number, seals)
    }

    /// EPERM where a file is sealed against a change of who may execute it.
    pub(crate) fn respect_seal_of_mode(&self, of: Located, mode: u16) -> Result<(), Errno> {
        if !self.memfds.is_any() {
            return Ok(());
        }
        let inode = match of {
            Located::Inode(inode) => Some(inode),
            Located::Description(id) => self.inode_of(id)?,
        };
        let Some(InodeId::Memory(number)) = inode else {
            return Ok(());
        };
        let number = Number(number);
        match (self.inode(number)?.permissions ^ mode) & 0o111 {
            0 => Ok(()),
            _ => self.memfds.respect(number, linux::F_SEAL_EXEC),
        }
    }

    /// EPERM where a mapping must not write to a file.
    ///
    /// # Errors
    /// EBADF.
    pub fn check_sealed_mapping(&self, id: DescriptionId) -> Result<(), Errno> {
        match self.description(id)?.opened {
            Opened::Regular(number) => self.memfds.respect(number, WRITES),
            _ => Ok(()),
        }
    }
}
