//! Open file descriptions: what open(2) makes, and dup and fork share.
use crate::device::Device;
use crate::inode::{InodeId, Number};
use crate::nameless::Nameless;
use crate::notices::Wishes;
use crate::pipe::{End, PipeId};
use crate::proc::ProcNode;
use crate::process_handle::ProcessHandle;
use crate::snapshot::Snapshot;
use crate::socket::Socket;
use crate::{Attributes, Files, KernelDevice, PageStore, Transfer};
use alloc::boxed::Box;
use contract::Errno;
use core::iter;
use linux_raw_sys::general as linux;

/// Names an open file description while something refers to it.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Default, Debug)]
pub struct DescriptionId(pub(crate) u16);

impl DescriptionId {
    /// Of no description: there are fewer.
    pub(crate) const NONE: Self = Self(u16::MAX);

    /// As a number, for the kernel to keep.
    #[must_use]
    pub const fn number(self) -> u16 {
        self.0
    }

    /// From that number.
    #[must_use]
    pub const fn from_number(number: u16) -> Self {
        Self(number)
    }
}

/// What is open.
#[derive(Debug)]
pub(crate) enum Opened<P> {
    Regular(Number),
    Directory(InodeId),
    PipeRead(PipeId),
    PipeWrite(PipeId),
    /// A named pipe, open for reading, writing or both, with its inode.
    Fifo(Number, PipeId),
    Device(Number, Device),
    Proc(ProcNode, Option<Box<Snapshot<P>>>),
    /// An end of a pipe that keeps writes apart (O_DIRECT in pipe(2)).
    Packets(End, PipeId),
    /// One of a connected pair.
    Socket(Socket),
    /// Opened with O_PATH: a place, not a file.
    Path(InodeId),
    /// A process (pidfd_open(2)).
    Process(ProcessHandle),
}

#[derive(Debug)]
pub(crate) struct Description<P> {
    pub(crate) references: u32,
    /// Access mode and status flags, as F_GETFL reports them.
    pub(crate) status: u32,
    /// Bytes in a file, a cursor in a directory.
    pub(crate) offset: u64,
    /// Who is told of it by a signal, where anything was said of that.
    pub(crate) wishes: Option<Box<Wishes>>,
    pub(crate) opened: Opened<P>,
}

impl<P> Description<P> {
    /// The regular file that it is open on for writing.
    fn writes_regular(&self) -> Option<Number> {
        match self.opened {
            Opened::Regular(number) if self.may_write() => Some(number),
            _ => None,
        }
    }

    pub(crate) fn may_read(&self) -> bool {
        !matches!(self.opened, Opened::Path(_))
            && matches!(
                self.status & linux::O_ACCMODE,
                linux::O_RDONLY | linux::O_RDWR
            )
    }

    pub(crate) fn may_write(&self) -> bool {
        !matches!(self.opened, Opened::Path(_))
            && matches!(
                self.status & linux::O_ACCMODE,
                linux::O_WRONLY | linux::O_RDWR
            )
    }

    /// Why it cannot be read or written: at a position, what has none says so first.
    #[cold]
    pub(crate) fn refusal(&self, transfer: &Transfer) -> Errno {
        if self.lacks_position(transfer) {
            Errno::ESPIPE
        } else {
            Errno::EBADF
        }
    }

    /// Whether a call is at a position of its own where there is none.
    fn lacks_position(&self, transfer: &Transfer) -> bool {
        transfer.position.is_some()
            && matches!(
                self.opened,
                Opened::PipeRead(_)
                    | Opened::PipeWrite(_)
                    | Opened::Packets(..)
                    | Opened::Fifo(..)
                    | Opened::Socket(_)
            )
    }

    /// What it was opened on; `None` for an unnamed pipe.
    pub(crate) fn inode(&self) -> Option<InodeId> {
        match self.opened {
            Opened::Regular(number) | Opened::Fifo(number, _) | Opened::Device(number, _) => {
                Some(InodeId::Memory(number.0))
            }
            Opened::Directory(id) | Opened::Path(id) => Some(id),
            Opened::Proc(node, _) => Some(InodeId::Proc(node)),
            Opened::PipeRead(_)
            | Opened::PipeWrite(_)
            | Opened::Packets(..)
            | Opened::Process(_)
            | Opened::Socket(_) => None,
        }
    }
}

impl<S: PageStore> Files<S> {
    #[inline]
    pub(crate) fn description(&self, id: DescriptionId) -> Result<&Description<S::Page>, Errno> {
        self.descriptions.get(u32::from(id.0)).ok_or(Errno::EBADF)
    }

    #[inline]
    pub(crate) fn description_mut(
        &mut self,
        id: DescriptionId,
    ) -> Result<&mut Description<S::Page>, Errno> {
        self.descriptions
            .get_mut(u32::from(id.0))
            .ok_or(Errno::EBADF)
    }

    /// Adds a description with one reference; it holds its inode. ENFILE when there are too many.
    pub(crate) fn describe(
        &mut self,
        opened: Opened<S::Page>,
        status: u32,
    ) -> Result<DescriptionId, Errno> {
        let description = Description {
            references: 1,
            status,
            offset: 0,
            wishes: None,
            opened,
        };
        let inode = description.inode();
        let writes = u32::from(description.writes_regular().is_some());
        let number = self
            .descriptions
            .insert(description)
            .map_err(|_| Errno::ENFILE)?;
        let Ok(id) = u16::try_from(number) else {
            self.descriptions.remove(number);
            return Err(Errno::ENFILE);
        };
        if let Some(inode) = inode {
            self.hold(inode);
        }
        self.writers += writes;
        Ok(DescriptionId(id))
    }

    /// Counts one more reference.
    #[inline]
    pub fn retain(&mut self, id: DescriptionId) {
        if let Ok(description) = self.description_mut(id) {
            description.references += 1;
        }
    }

    /// Drops a reference; with the last one the description is closed, and what only it had is freed.
    pub fn drop_reference(&mut self, store: &mut S, id: DescriptionId) {
        let Ok(description) = self.description_mut(id) else {
            return;
        };
        description.references -= 1;
        if description.references != 0 {
            return;
        }
        self.release_description_locks(id);
        self.release_lease(id);
        let Some(description) = self.descriptions.remove(u32::from(id.0)) else {
            return;
        };
        if let Some(wishes) = &description.wishes {
            self.forget_wishes(wishes);
        }
        let inode = description.inode();
        self.writers -= u32::from(description.writes_regular().is_some());
        match description.opened {
            Opened::PipeRead(pipe) => {
                self.close_end(store, pipe, End::Read);
            }
            Opened::PipeWrite(pipe) => {
                self.close_end(store, pipe, End::Write);
            }
            Opened::Fifo(number, pipe) => {
                self.close_fifo(store, number, pipe, description.status);
            }
            Opened::Packets(end, pipe) => {
                self.close_end(store, pipe, end);
            }
            Opened::Socket(socket) => self.close_socket(store, socket),
            Opened::Process(_) => self.close_process(),
            Opened::Proc(_, Some(mut snapshot)) => snapshot.free(store),
            Opened::Proc(_, None)
            | Opened::Regular(_)
            | Opened::Directory(_)
            | Opened::Device(..)
            | Opened::Path(_) => {}
        }
        if let Some(inode) = inode {
            self.release(store, inode);
        }
    }

    /// Whether a regular file is open for writing; a memfd is by itself, and that does not count.
    pub(crate) fn is_written(&self, number: Number) -> bool {
        let mut rest = 0;
        self.writers != 0
            && !self.memfds.has(number)
            && iter::from_fn(|| {
                let (at, description) = self.descriptions.next_from(rest)?;
                rest = at + 1;
                Some(description)
            })
            .any(|description| description.writes_regular() == Some(number))
    }

    /// Whether a description is open to be read (or written), for a call of this kind.
    ///
    /// # Errors
    /// EBADF; ESPIPE at a position where there is none.
    pub fn check_readable(&self, id: DescriptionId, transfer: &Transfer) -> Result<(), Errno> {
        let description = self.description(id)?;
        if description.may_read() && !description.lacks_position(transfer) {
            Ok(())
        } else {
            Err(description.refusal(transfer))
        }
    }

    /// As [`Self::check_readable`], to be written.
    ///
    /// # Errors
    /// As there.
    pub fn check_writable(&self, id: DescriptionId, transfer: &Transfer) -> Result<(), Errno> {
        let description = self.description(id)?;
        if description.may_write() && !description.lacks_position(transfer) {
            Ok(())
        } else {
            Err(description.refusal(transfer))
        }
    }

    /// fstat(2).
    ///
    /// # Errors
    /// EBADF.
    pub fn description_attributes(&self, id: DescriptionId) -> Result<Attributes, Errno> {
        let description = self.description(id)?;
        match description.opened {
            Opened::Process(_) => Ok(self.process_attributes()),
            _ => match (description.inode(), Nameless::of(&description.opened)) {
                (Some(inode), _) => self.attributes(inode),
                (None, Some(nameless)) => Ok(self.nameless_attributes(nameless)),
                (None, None) => Err(Errno::EBADF),
            },
        }
    }

    /// The inode that a description was opened on; `None` for an unnamed pipe.
    ///
    /// # Errors
    /// EBADF.
    pub fn inode_of(&self, id: DescriptionId) -> Result<Option<InodeId>, Errno> {
        Ok(self.description(id)?.inode())
    }

    /// The inode that a description may change: as [`Self::inode_of`], but not through O_PATH.
    ///
    /// # Errors
    /// EBADF.
    pub fn open_inode_of(&self, id: DescriptionId) -> Result<Option<InodeId>, Errno> {
        let description = self.description(id)?;
        if let Opened::Path(_) = description.opened {
            return Err(Errno::EBADF);
        }
        Ok(description.inode())
    }

    /// The directory that a description is open on, for the `*at` calls and fchdir(2).
    ///
    /// # Errors
    /// EBADF; ENOTDIR where it is something else.
    pub fn directory_of(&self, id: DescriptionId) -> Result<InodeId, Errno> {
        let inode = self.description(id)?.inode().ok_or(Errno::ENOTDIR)?;
        if self.is_directory(inode) {
            Ok(inode)
        } else {
            Err(Errno::ENOTDIR)
        }
    }

    pub(crate) fn is_directory(&self, id: InodeId) -> bool {
        match id {
            InodeId::Memory(number) => self
                .inode(Number(number))
                .is_ok_and(|inode| inode.is_directory()),
            InodeId::Proc(node) => node.is_directory(),
        }
    }

    /// The device of the kernel's that a description is open on, for ioctl(2).
    ///
    /// # Errors
    /// EBADF.
    pub fn kernel_device(&self, id: DescriptionId) -> Result<Option<KernelDevice>, Errno> {
        Ok(match self.description(id)?.opened {
            Opened::Device(_, device) => device.kernel_device(),
            _ => None,
        })
    }

    /// Whether it leads to `/dev/tty`, which only those can open who have a controlling terminal.
    #[must_use]
    pub fn is_controlling_terminal(&self, id: DescriptionId) -> bool {
        self.description(id)
            .is_ok_and(|description| matches!(description.opened, Opened::Device(_, Device::Tty)))
    }

    /// Where the next read or write is, without moving.
    ///
    /// # Errors
    /// EBADF.
    pub fn offset(&self, id: DescriptionId) -> Result<u64, Errno> {
        Ok(self.description(id)?.offset)
    }
}
